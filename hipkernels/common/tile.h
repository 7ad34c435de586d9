/*
 * What the tiles of both matrix units share (common/mfma.h, common/wmma.h): a workgroup makes a tile of c[m][n] = sum_k a[m][k] b[n][k]
 * from two SIDES, a's rows and b's, each brought from memory into LDS in pieces of 16 bytes, whatever the type.
 *
 * 64 bytes of k are one STAGE in LDS, 128 bytes (two stages, two buffers of LDS) are a pair: one whole cache line of each row.
 */
#ifndef HIPKERNELS_COMMON_TILE_H
#define HIPKERNELS_COMMON_TILE_H

#include "common/device.h"

#define GRETA_METHOD inline __attribute__((device, always_inline))
#define GRETA_IN_LDS __attribute__((address_space(3)))
typedef GRETA_IN_LDS u32x4 *lds_pieces;

typedef int i32x4 __attribute__((ext_vector_type(4)));

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

/* ---- the sum over k ---- */

/*
 * A PRODUCT makes TILE_M x TILE_N sums: `clear` makes them zero, `multiply` adds a stage's, in which the n side lies first.
 *
 * Over n_pairs whole pairs, then over what is left of k. The two stages are apart so that reads of one and writes of the other may
 * pass one another; a stage's next writer comes a barrier after its last reader.
 */
template <u32 TILE_M, u32 TILE_N, typename PRODUCT, typename M_SIDE, typename N_SIDE>
GRETA_DEVICE void sum_over_k(PRODUCT &product, M_SIDE &m_side, N_SIDE &n_side, u32 n_pairs, u32 k_bytes) {
    GRETA_LDS static u32x4 stage_0[(TILE_M + TILE_N) * 4], stage_1[(TILE_M + TILE_N) * 4];
    constexpr u32 M_FIRST = TILE_N * 4;
    lds_pieces s0 = (lds_pieces)stage_0, s1 = (lds_pieces)stage_1;
    product.clear();
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
            product.multiply(s0);
            barrier();
            product.multiply(s1);
            n_side.template store<0>(s0), m_side.template store<0>(s0 + M_FIRST);
        } while (pair < n_pairs);
    }
    if (n_pairs * 128 >= k_bytes) return;
    n_side.fetch_tail(n_pairs, k_bytes), m_side.fetch_tail(n_pairs, k_bytes);
    barrier();
    n_side.template store<0>(s0), m_side.template store<0>(s0 + M_FIRST);
    n_side.template store<1>(s1), m_side.template store<1>(s1 + M_FIRST);
    barrier();
    product.multiply(s0);
    product.multiply(s1);
}

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
