/*
 * Matrix products on the MFMA units of CDNA: a workgroup makes a tile of c[m][n] = sum_k a[m][k] b[n][k] from two SIDES, a's rows
 * and b's, each brought from memory in pieces of 16 bytes.
 *
 * The unit is the 16-byte piece, whatever the type: lane l of a wave holds the piece l / 16 of row l % 16, the unit takes it in 2 or 4
 * products (the order of k within 64 bytes does not matter, as long as it is the same on both sides). So 64 bytes of k are one STAGE
 * in LDS, 128 bytes (two stages, two buffers of LDS) are a pair: one whole cache line of each row.
 *
 * Which side is which: b's rows are the unit's first operand, so that a lane's four results are neighbours in a row of c.
 */
#ifndef HIPKERNELS_COMMON_MFMA_H
#define HIPKERNELS_COMMON_MFMA_H

#include "common/device.h"

#define GRETA_METHOD inline __attribute__((device, always_inline))
#define GRETA_IN_LDS __attribute__((address_space(3)))
typedef GRETA_IN_LDS u32x4 *lds_pieces;

typedef int i32x4 __attribute__((ext_vector_type(4)));
typedef short s16x4 __attribute__((ext_vector_type(4)));

/* ---- the products of two pieces, by type; `bytes` of an element ---- */

GRETA_DEVICE u32x2 half_piece(u32x4 piece, u32 i) {
    return i ? piece.zw : piece.xy;
}

template <u32 TYPE> struct unit_of;
#if defined(__GFX9__)
template <> struct unit_of<GRETA_TYPE_F32> {
    static constexpr u32 STEPS = 4, BYTES = 4;
    typedef f32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_f32_16x16x4f32(float_of(a[i]), float_of(b[i]), c, 0, 0, 0);
    }
};
template <> struct unit_of<GRETA_TYPE_F16> {
    static constexpr u32 STEPS = 2, BYTES = 2;
    typedef f32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_f32_16x16x16f16(__builtin_bit_cast(f16x4, half_piece(a, i)),
                                                     __builtin_bit_cast(f16x4, half_piece(b, i)), c, 0, 0, 0);
    }
};
template <> struct unit_of<GRETA_TYPE_BF16> {
    static constexpr u32 STEPS = 2, BYTES = 2;
    typedef f32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(__builtin_bit_cast(s16x4, half_piece(a, i)),
                                                         __builtin_bit_cast(s16x4, half_piece(b, i)), c, 0, 0,
                                                         0);
    }
};
#if defined(__gfx942__)
template <> struct unit_of<GRETA_TYPE_FP8> {
    static constexpr u32 STEPS = 2, BYTES = 1;
    typedef f32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_f32_16x16x32_fp8_fp8(__builtin_bit_cast(long, half_piece(a, i)),
                                                          __builtin_bit_cast(long, half_piece(b, i)), c, 0, 0,
                                                          0);
    }
};
template <> struct unit_of<GRETA_TYPE_I8> {
    static constexpr u32 STEPS = 2, BYTES = 1;
    typedef i32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_i32_16x16x32_i8(__builtin_bit_cast(long, half_piece(a, i)),
                                                     __builtin_bit_cast(long, half_piece(b, i)), c, 0, 0, 0);
    }
};
#else
template <> struct unit_of<GRETA_TYPE_I8> {
    static constexpr u32 STEPS = 4, BYTES = 1;
    typedef i32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_i32_16x16x16i8((int)a[i], (int)b[i], c, 0, 0, 0);
    }
};
#endif
#endif

/* ---- LDS ---- */

/*
 * Where a piece (0 .. 3) of a row of a stage lies, in pieces. Two rows share 128 bytes, all banks once. Reads take one piece of eight
 * rows at a time, and writes all pieces of two rows, or of two that are 4 or 8 apart (turned_side): the four pieces change places
 * with the pair of rows, and the two rows with bits 2 and 3 of their number, so that each of these hits every bank once.
 */
GRETA_DEVICE u32 piece_at(u32 row, u32 piece) {
    return (row >> 1) * 8 + ((row ^ row >> 2 ^ row >> 3) & 1) * 4 + (piece ^ (row >> 1 & 3));
}

/* A base that is the same for all lanes and that the compiler does not fold into addresses of lanes. */
GRETA_DEVICE global_in scalar_base(global_in base) {
    __asm__("" : "+s"(base));
    return base;
}

/* ---- sides ----
 * A side holds ROWS rows of one pair of stages in registers: fetch loads pair i, fetch_tail the same where k ends within it (zeros
 * past the end), store<H> writes its stage H to LDS. Rows past the end repeat the last one: their results are thrown away.
 */

/* Elements of a row are neighbours: a piece is as it lies in memory. */
template <u32 ROWS, u32 N_THREADS> struct direct_side {
    static constexpr u32 OWN = (ROWS * 4 + N_THREADS - 1) / N_THREADS;
    static constexpr bool ALL = ROWS * 4 % N_THREADS == 0;
    global_in base;
    u32 offsets[OWN], at;
    u32x4 pieces[2][OWN];

    GRETA_METHOD bool owns(u32 i) const { return ALL || thread_id() + i * N_THREADS < ROWS * 4; }
    GRETA_METHOD void init(global_in matrix, u32 row_bytes, u32 first_row, u32 n_rows) {
        base = matrix;
        at = piece_at(thread_id() / 4, thread_id() % 4);
        GRETA_UNROLL for (u32 i = 0; i < OWN; i++) {
            u32 row = min_u32(first_row + (thread_id() + i * N_THREADS) / 4, n_rows - 1);
            offsets[i] = row * row_bytes + thread_id() % 4 * 16;
        }
    }
    GRETA_METHOD void fetch(u32 pair) {
        global_in from = scalar_base(base + (u64)pair * 128);
        GRETA_UNROLL for (u32 h = 0; h < 2; h++) GRETA_UNROLL for (u32 i = 0; i < OWN; i++) if (owns(i))
            pieces[h][i] = load<u32x4>(from + h * 64, offsets[i]);
    }
    GRETA_METHOD void fetch_tail(u32 pair, u32 k_bytes) {
        global_in from = scalar_base(base + (u64)pair * 128);
        GRETA_UNROLL for (u32 h = 0; h < 2; h++) {
            bool inside = pair * 128 + h * 64 + thread_id() % 4 * 16 < k_bytes;
            GRETA_UNROLL for (u32 i = 0; i < OWN; i++) {
                pieces[h][i] = u32x4{0, 0, 0, 0};
                if (inside && owns(i)) pieces[h][i] = load<u32x4>(from + h * 64, offsets[i]);
            }
        }
    }
    template <u32 H> GRETA_METHOD void store(lds_pieces to) {
        GRETA_UNROLL for (u32 i = 0; i < OWN; i++) if (owns(i)) to[at + i * N_THREADS] = pieces[H][i];
    }
};

/* E pieces of E elements, turned: element j of piece i becomes element i of piece j. */
template <u32 E> GRETA_DEVICE void turn(u32x4 (&p)[E]) {
    u32x4 r[E];
    GRETA_UNROLL for (u32 i = 0; i < E; i++) GRETA_UNROLL for (u32 j = 0; j < 4; j++) r[i][j] =
        E == 4 ? p[j][i]
               : __builtin_amdgcn_perm(p[(2 * j + 1) % E][i / 2], p[2 * j % E][i / 2],
                                       i % 2 ? 0x07060302u : 0x05040100u);
    GRETA_UNROLL for (u32 i = 0; i < E; i++) p[i] = r[i];
}

/*
 * Elements of a column are neighbours: a thread loads E pieces of E elements (4 of 4 bytes, 8 of 2), one below another, and turns
 * them. The number of rows is a multiple of E.
 */
template <u32 ROWS, u32 N_THREADS, u32 E> struct turned_side {
    static constexpr u32 SQUARES = ROWS / E * 8, HALF = SQUARES / 2;
    static constexpr u32 OWN = (SQUARES + N_THREADS - 1) / N_THREADS;
    static_assert(HALF % 32 == 0, "half a wave's squares are of one stage");
    global_in base;
    u32 offsets[OWN], rows[OWN], k_row_bytes;
    u32x4 pieces[OWN][E];

    GRETA_METHOD u32 square(u32 i) const { return thread_id() + i * N_THREADS; }
    GRETA_METHOD bool owns(u32 i) const { return SQUARES % N_THREADS == 0 || square(i) < SQUARES; }
    GRETA_METHOD void init(global_in matrix, u32 k_row_bytes_, u32 first_row, u32 n_rows) {
        base = matrix;
        k_row_bytes = k_row_bytes_;
        GRETA_UNROLL for (u32 i = 0; i < OWN; i++) {
            rows[i] = square(i) % HALF / 4 * E;
            u32 k = (square(i) % 4 + square(i) / HALF * 4) * E;
            offsets[i] = k * k_row_bytes + min_u32(first_row + rows[i], n_rows - E) * (16 / E);
        }
    }
    GRETA_METHOD void fetch(u32 pair) {
        global_in lines[E];
        GRETA_UNROLL for (u32 e = 0; e < E; e++) lines[e] =
            scalar_base(base + (u64)(pair * 8 * E + e) * k_row_bytes);
        GRETA_UNROLL for (u32 i = 0; i < OWN; i++) if (owns(i)) {
            GRETA_UNROLL for (u32 e = 0; e < E; e++) pieces[i][e] = load<u32x4>(lines[e], offsets[i]);
        }
    }
    GRETA_METHOD void fetch_tail(u32 pair, u32 k_bytes) {
        global_in from = base + (u64)pair * (8 * E) * k_row_bytes;
        u32 n_left = k_bytes / (16 / E) - pair * 8 * E;
        GRETA_UNROLL for (u32 i = 0; i < OWN; i++) {
            u32 k = (square(i) % 4 + square(i) / HALF * 4) * E;
            GRETA_UNROLL for (u32 e = 0; e < E; e++) {
                pieces[i][e] = u32x4{0, 0, 0, 0};
                if (owns(i) && k + e < n_left) pieces[i][e] = load<u32x4>(from, offsets[i] + e * k_row_bytes);
            }
        }
    }
    template <u32 H> GRETA_METHOD void store(lds_pieces to) {
        GRETA_UNROLL for (u32 i = 0; i < OWN; i++) if (owns(i) && square(i) / HALF == H) {
            turn<E>(pieces[i]);
            GRETA_UNROLL for (u32 e = 0; e < E; e++) to[piece_at(rows[i] + e, thread_id() % 4)] =
                pieces[i][e];
        }
    }
};

/* ---- the tile ---- */

/* A workgroup makes TILE_M x TILE_N sums of c, a wave WAVE_M x WAVE_N of them. */
template <u32 TYPE, u32 TILE_M, u32 TILE_N, u32 WAVE_M, u32 WAVE_N> struct tile_product {
    typedef unit_of<TYPE> unit;
    typedef typename unit::sums sums_4;
    static constexpr u32 N_ACROSS = TILE_N / WAVE_N, N_THREADS = TILE_M / WAVE_M * N_ACROSS * WAVE;
    static constexpr u32 M_BLOCKS = WAVE_M / 16, N_BLOCKS = WAVE_N / 16;
    sums_4 sums[M_BLOCKS][N_BLOCKS]; /* lane l: row l % 16 of the block, columns l / 16 * 4 .. + 3 */
    u32 m_at, n_at;

    GRETA_METHOD u32 first_m() const { return wave_id() / N_ACROSS * WAVE_M; }
    GRETA_METHOD u32 first_n() const { return wave_id() % N_ACROSS * WAVE_N; }
    GRETA_METHOD void multiply(lds_pieces stage) {
        u32x4 n[N_BLOCKS], m[M_BLOCKS];
        GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) n[j] = stage[n_at + j * 64];
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) m[i] = stage[m_at + i * 64];
        GRETA_UNROLL for (u32 s = 0; s < unit::STEPS; s++) GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++)
            GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) sums[i][j] =
                unit::step(n[j], m[i], sums[i][j], s);
    }

    /* Over n_pairs whole pairs, then over what is left of k. The two stages are apart so that reads of one and writes of the other
     * may pass one another; a stage's next writer comes a barrier after its last reader. */
    template <typename M_SIDE, typename N_SIDE>
    GRETA_METHOD void run(M_SIDE &m_side, N_SIDE &n_side, u32 n_pairs, u32 k_bytes) {
        GRETA_LDS static u32x4 stage_0[(TILE_M + TILE_N) * 4], stage_1[(TILE_M + TILE_N) * 4];
        constexpr u32 M_FIRST = TILE_N * 4;
        lds_pieces s0 = (lds_pieces)stage_0, s1 = (lds_pieces)stage_1;
        u32 at = piece_at(lane_id() % 16, lane_id() / 16);
        n_at = first_n() * 4 + at;
        m_at = M_FIRST + first_m() * 4 + at;
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++)
            sums[i][j] = sums_4{0, 0, 0, 0};
        if (n_pairs) {
            n_side.fetch(0), m_side.fetch(0);
            n_side.template store<0>(s0), m_side.template store<0>(s0 + M_FIRST);
            u32 pair = 0;
            do {
                barrier();
                n_side.template store<1>(s1), m_side.template store<1>(s1 + M_FIRST);
                pair++;
                u32 next = min_u32(pair, n_pairs - 1); /* the last one twice: a branch would cost more */
                n_side.fetch(next), m_side.fetch(next);
                multiply(s0);
                barrier();
                multiply(s1);
                n_side.template store<0>(s0), m_side.template store<0>(s0 + M_FIRST);
            } while (pair < n_pairs);
        }
        if (n_pairs * 128 >= k_bytes) return;
        n_side.fetch_tail(n_pairs, k_bytes), m_side.fetch_tail(n_pairs, k_bytes);
        barrier();
        n_side.template store<0>(s0), m_side.template store<0>(s0 + M_FIRST);
        n_side.template store<1>(s1), m_side.template store<1>(s1 + M_FIRST);
        barrier();
        multiply(s0);
        multiply(s1);
    }

    /* c is [n_rows_m][n_rows_n], four bytes an element. */
    GRETA_METHOD void write(global_out c, u32 tile_m, u32 tile_n, u32 n_rows_m, u32 n_rows_n) {
        u32 row = tile_m + first_m() + lane_id() % 16, column = tile_n + first_n() + lane_id() / 16 * 4;
        bool fours = n_rows_n % 4 == 0;
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) {
            u32 r = row + i * 16, n = column + j * 16;
            if (r >= n_rows_m || n >= n_rows_n) continue;
            if (fours) {
                out<sums_4>(c, (r * n_rows_n + n) * 4, sums[i][j]);
            } else {
                GRETA_UNROLL for (u32 e = 0; e < 4; e++) if (n + e < n_rows_n)
                    out(c, (r * n_rows_n + n + e) * 4, sums[i][j][e]);
            }
        }
    }
};

/*
 * Which tile a group makes. Groups go to the dies (XCDs) in turn, and each die has an L2 of its own: so the tiles are cut into one
 * run for each die, and within a run they go down 8 tiles of m, then on to the next of n.
 */
struct tile_place {
    u32 m, n;
};
#if defined(__gfx942__)
constexpr u32 N_DIES = 8;
#else
constexpr u32 N_DIES = 1;
#endif
GRETA_DEVICE tile_place place_tile(u32 group, u32 n_tiles_m, u32 n_tiles_n) {
    u32 n_tiles = n_tiles_m * n_tiles_n, die = group % N_DIES, more = n_tiles % N_DIES;
    u32 tile = die * (n_tiles / N_DIES) + min_u32(die, more) + group / N_DIES;
    u32 band = tile / (8 * n_tiles_n), first = band * 8, height = min_u32(n_tiles_m - first, 8);
    u32 within = tile - first * n_tiles_n;
    return {first + within % height, within / height};
}

#endif
