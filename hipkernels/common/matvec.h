/*
 * What the matvecs share: N sums of products of rows with x for each group of lanes.
 *
 * A workgroup brings a tile of x into LDS, where a lane finds its piece of 8, 16 or 32 elements without a bank conflict; then ROW_LANES
 * neighbouring lanes (a wave where rows are long enough) share N rows and read them in loads of 16 bytes, STEPS pieces of each row
 * at a time. The next step's loads are under way while a step is multiplied, the first step's while x comes in.
 *
 * With a norm, x[c] * norm[c] stands in the tile, x^2 is summed by whoever brings it in, and the sums are scaled at the end.
 */
#ifndef HIPKERNELS_COMMON_MATVEC_H
#define HIPKERNELS_COMMON_MATVEC_H

#include "decode.h"
#include "row.h"

constexpr u32 MATVEC_TILE = 4096; /* columns of x in LDS */

constexpr u32 MATVEC_STEPS = 2; /* pieces of a row that a lane asks for at a time */

/*
 * x in LDS by pieces: word j (16 bytes) of piece p at j * STRIDE + p. Eight lanes at a time go to LDS: those that write hold the words of
 * 8 / WORDS pieces, and STRIDE puts these into different banks; those that read hold the same word of neighbouring pieces.
 */
template <u32 TYPE, u32 X_TYPE> struct x_tile {
    static constexpr u32 PIECES = MATVEC_TILE / piece_elements(TYPE);
    static constexpr u32 WORDS = piece_elements(TYPE) / (X_TYPE == GRETA_TYPE_F32 ? 4 : 16);
    static constexpr u32 STRIDE = PIECES + 8 / WORDS;
    static constexpr u32 UNITS =
        X_TYPE == GRETA_TYPE_F32 ? 0 : MATVEC_TILE / 32; /* of Q8A: d and s behind the words */
    static constexpr u32 BYTES = WORDS * STRIDE * 16 + UNITS * 8;
};

/* What stays the same while a workgroup multiplies. */
struct matvec_x {
    global_in x, norm;
    u32 n_cols;
};

/*
 * A tile of x on its way into LDS. ask() issues the loads and put() waits for them: between the two come the first loads of weights,
 * since loads arrive in the order in which they were issued.
 */
template <u32 N_THREADS, u32 TYPE, bool NORM> struct bring_f32 {
    static constexpr u32 N = MATVEC_TILE / 4 / N_THREADS;
    using tile = x_tile<TYPE, GRETA_TYPE_F32>;
    f32x4 x[N], norm[NORM ? N : 1];

    GRETA_MEMBER void ask(const matvec_x &a, u32 begin) {
        u32 n_whole = a.n_cols / 4;
        if (n_whole == 0) return;
        GRETA_UNROLL for (u32 k = 0; k < N; k++) {
            u32 at = min_u32(begin / 4 + k * N_THREADS + thread_id(), n_whole - 1) * 16;
            x[k] = in<f32x4_u>(a.x, at);
            if constexpr (NORM) norm[k] = in<f32x4_u>(a.norm, at);
        }
    }
    static GRETA_MEMBER u32 place(u32 i) { return i % tile::WORDS * tile::STRIDE + i / tile::WORDS; }
    /* To the end of the last piece; zeros past n_cols. */
    GRETA_MEMBER void put(const matvec_x &a, u32 begin, u32 n_elements, u32x4 *words, float *squares) {
        f32x4 *lds = (f32x4 *)words;
        u32 n_whole = min_u32(n_elements, a.n_cols - begin) / 4;
        GRETA_UNROLL for (u32 k = 0; k < N; k++) {
            u32 i = k * N_THREADS + thread_id();
            if (i < n_whole) {
                if constexpr (NORM) {
                    *squares += sum4(x[k] * x[k]);
                    x[k] *= norm[k];
                }
                lds[place(i)] = x[k];
            }
        }
        for (u32 i = n_whole + thread_id(); i < n_elements / 4; i += N_THREADS) {
            u32 c = begin + i * 4;
            f32x4 v = row_load(a.x, c * 4, c, a.n_cols);
            if constexpr (NORM) {
                *squares += sum4(v * v);
                v *= row_load(a.norm, c * 4, c, a.n_cols);
            }
            lds[place(i)] = v;
        }
    }
};

template <bool FIRST, typename A, typename B> struct pick_type { typedef A type; };
template <typename A, typename B> struct pick_type<false, A, B> { typedef B type; };

template <u32 N_THREADS, u32 TYPE, bool NORM> struct bring_q8a {
    static constexpr u32 N_UNITS = MATVEC_TILE / 32;
    using tile = x_tile<TYPE, GRETA_TYPE_Q8A>;
    static_assert(N_THREADS == MATVEC_TILE / 16 && !NORM,
                  "a thread has 16 codes, half of them a unit's scale and sum");
    u32x4 q;
    float d, s;

    GRETA_MEMBER void ask(const matvec_x &a, u32 begin) {
        u32 last = GRETA_Q8A_UNITS(a.n_cols) - 1, unit = min_u32(begin / 32 + thread_id() % N_UNITS, last);
        q = in<u32x4_u>(a.x, min_u32(begin + thread_id() * 16, last * 32 + 16));
        d = in<float>(a.x, GRETA_Q8A_D_OFFSET(a.n_cols) + unit * 4);
        s = in<float>(a.x, GRETA_Q8A_S_OFFSET(a.n_cols) + unit * 4);
    }
    GRETA_MEMBER void put(const matvec_x &, u32, u32 n_elements, u32x4 *lds, float *) {
        u32 i = thread_id();
        if (i * 16 < n_elements) lds[i % tile::WORDS * tile::STRIDE + i / tile::WORDS] = q;
        float *scales = (float *)(lds + tile::WORDS * tile::STRIDE);
        if (i < N_UNITS) {
            scales[i] = d;
            scales[tile::UNITS + i] = s;
        }
    }
};

/* The products of one piece with that of x in LDS, which it is the p-th of. */
template <u32 TYPE, u32 N>
GRETA_DEVICE void multiply_f32(const packed_piece<TYPE> *w, u32 piece, const f32x4 *lds, u32 p,
                               float *result) {
    using tile = x_tile<TYPE, GRETA_TYPE_F32>;
    constexpr u32 HALVES = has_half_scales(TYPE) ? 2 : 1, PER_HALF = tile::WORDS / HALVES;
    f32x4 x[tile::WORDS];
    float x_sum[HALVES];
    GRETA_UNROLL for (u32 j = 0; j < tile::WORDS; j++) x[j] = lds[j * tile::STRIDE + p];
    if (has_offset(TYPE)) GRETA_UNROLL for (u32 h = 0; h < HALVES; h++) {
            f32x4 s = x[h * PER_HALF];
            GRETA_UNROLL for (u32 j = 1; j < PER_HALF; j++) s += x[h * PER_HALF + j];
            x_sum[h] = sum4(s);
        }
    GRETA_UNROLL for (u32 r = 0; r < N; r++) {
        result[r] = 0;
        GRETA_UNROLL for (u32 h = 0; h < HALVES; h++) {
            f32x4 s = {0, 0, 0, 0};
            GRETA_UNROLL for (u32 j = h * PER_HALF; j < (h + 1) * PER_HALF; j++) s +=
                x[j] * piece_numbers<TYPE>(w[r], j);
            if (is_float(TYPE)) {
                result[r] = sum4(s);
            } else {
                scale_offset k = piece_scale<TYPE>(w[r], piece, h);
                result[r] += k.scale * sum4(s);
                if (has_offset(TYPE)) result[r] += k.offset * x_sum[h];
            }
        }
    }
}

template <u32 TYPE, u32 N>
GRETA_DEVICE void multiply_q8a(const packed_piece<TYPE> *w, u32 piece, const u32x4 *lds, u32 p,
                               float *result) {
    using tile = x_tile<TYPE, GRETA_TYPE_Q8A>;
    constexpr u32 HALVES = has_half_scales(TYPE) ? 2 : 1, N_WORDS = piece_elements(TYPE) / 4,
                  PER_HALF = N_WORDS / HALVES;
    constexpr u32 FLIP = code_bias(TYPE) == 128 ? 0x80808080 : 0; /* to signed codes without a bias */
    constexpr int BIAS = code_bias(TYPE) == 128 ? 0 : code_bias(TYPE);
    /* What an offset multiplies: the unit's sum, which comes with x, or that of a part of it. */
    constexpr bool WHOLE = HALVES == 1 && piece_elements(TYPE) == 32;
    const float *d = (const float *)(lds + tile::WORDS * tile::STRIDE), *s = d + tile::UNITS;
    u32 unit = p * piece_elements(TYPE) / 32;
    u32x4 x[tile::WORDS];
    int x_sum[HALVES] = {};
    GRETA_UNROLL for (u32 j = 0; j < tile::WORDS; j++) x[j] = lds[j * tile::STRIDE + p];
    if (BIAS || HALVES == 2 || (has_offset(TYPE) && !WHOLE))
        GRETA_UNROLL for (u32 i = 0; i < N_WORDS; i++) x_sum[i / PER_HALF] =
            dot4(word_of(x[i / 4], i % 4), 0x01010101, x_sum[i / PER_HALF]);
    GRETA_UNROLL for (u32 r = 0; r < N; r++) {
        float total = 0;
        GRETA_UNROLL for (u32 h = 0; h < HALVES; h++) {
            int sum = -BIAS * x_sum[h];
            GRETA_UNROLL for (u32 i = h * PER_HALF; i < (h + 1) * PER_HALF; i++) sum =
                dot4(piece_codes<TYPE>(w[r], i) ^ FLIP, word_of(x[i / 4], i % 4), sum);
            scale_offset k = piece_scale<TYPE>(w[r], piece, h);
            total += k.scale * (float)sum;
            if (has_offset(TYPE) && !WHOLE) total += k.offset * (float)x_sum[h];
        }
        result[r] = total * d[unit];
        if (has_offset(TYPE) && WHOLE) result[r] += piece_scale<TYPE>(w[r], piece, 0).offset * s[unit];
    }
}

/* Over aligned groups of `lanes`, a power of two, the same for all. */
GRETA_DEVICE float sum_over(float x, u32 lanes) {
    if (lanes == WAVE) return reduce_wave<sum_of>(x);
    if (lanes > 1) x += float_of(dpp<DPP_XOR_1>(bits_of(x)));
    if (lanes > 2) x += float_of(dpp<DPP_XOR_2>(bits_of(x)));
    if (lanes > 4) x += float_of(dpp<DPP_HALF_MIRROR>(bits_of(x)));
    if (lanes > 8) x += float_of(dpp<DPP_MIRROR>(bits_of(x)));
    if (lanes > 16) x += swap_16(x);
    return x;
}

/*
 * sums[i]: of row rows[i] of the weight at bases[i] with x; every lane of its group gets them. `lds`: x_tile<TYPE, X_TYPE>::BYTES;
 * scratch: N_THREADS / WAVE floats. rows[] are inside the weight. factor: what the norm makes of the sums.
 */
/* The lanes that share rows: as rows_hip.c counts them, by shifts in place of divisions. */
struct row_teams {
    u32 lanes, shift;

    GRETA_MEMBER u32 team() const { return thread_id() >> shift; }
    template <u32 N_THREADS> GRETA_MEMBER u32 n_teams() const { return N_THREADS >> shift; }
    GRETA_MEMBER u32 lane() const { return thread_id() & (lanes - 1); }
};
template <u32 TYPE> GRETA_DEVICE row_teams row_teams_of(u32 n_cols) {
    u32 lanes = GRETA_HIP_ROW_LANES(TYPE, n_cols, WAVE);
    return row_teams{lanes, 31 - (u32)__builtin_clz(lanes)};
}

/* Begins at a multiple of 256, the largest block; not empty. */
struct column_range {
    u32 begin, end;
};

template <u32 N_THREADS, u32 TYPE, u32 X_TYPE, bool NORM, u32 N>
GRETA_DEVICE void rows_multiply(const matvec_x &x, packed_weight w, const global_in *bases, const u32 *rows,
                                const row_teams &teams, float eps, u32x4 *lds, float *scratch, float *sums,
                                column_range columns) {
    constexpr u32 PIECE = piece_elements(TYPE), STEPS = MATVEC_STEPS;
    u32 lanes = teams.lanes, lane = teams.lane(), n_pieces = GRETA_DIV_UP(columns.end, PIECE),
        step = lanes * STEPS;
    float squares = 0;
    packed_piece<TYPE> next[STEPS * N], now[STEPS * N];
    typename pick_type<X_TYPE == GRETA_TYPE_F32, bring_f32<N_THREADS, TYPE, NORM>,
                       bring_q8a<N_THREADS, TYPE, NORM>>::type bring;
    auto fetch = [&](u32 base) {
        /* Past the end the last piece is read again and not used: a branch here would serialize the loads. */
        GRETA_UNROLL for (u32 s = 0; s < STEPS; s++) GRETA_UNROLL for (u32 r = 0; r < N; r++) {
            w.base = bases[r];
            next[s * N + r] = load_piece<TYPE>(w, rows[r], min_u32(base + s * lanes + lane, n_pieces - 1));
        }
    };
    bring.ask(x, columns.begin);
    fetch(columns.begin / PIECE);
    GRETA_UNROLL for (u32 r = 0; r < N; r++) sums[r] = 0;
    GRETA_NO_UNROLL for (u32 begin = columns.begin; begin < columns.end; begin += MATVEC_TILE) {
        u32 first = begin / PIECE, end = min_u32(n_pieces, first + MATVEC_TILE / PIECE);
        if (begin > columns.begin) barrier();
        bring.put(x, begin, (end - first) * PIECE, lds, &squares);
        barrier();
        if (end < n_pieces) bring.ask(x, begin + MATVEC_TILE);
        GRETA_NO_UNROLL for (u32 base = first; base < end; base += step) {
            GRETA_UNROLL for (u32 i = 0; i < STEPS * N; i++) now[i] = next[i];
            if (base + step < n_pieces) fetch(base + step);
            GRETA_UNROLL for (u32 s = 0; s < STEPS; s++) {
                u32 piece = base + s * lanes + lane;
                u32 inside = min_u32(piece, end - 1);
                float part[N];
                if constexpr (X_TYPE == GRETA_TYPE_F32)
                    multiply_f32<TYPE, N>(now + s * N, inside, (const f32x4 *)lds, inside - first, part);
                else
                    multiply_q8a<TYPE, N>(now + s * N, inside, lds, inside - first, part);
                GRETA_UNROLL for (u32 r = 0; r < N; r++) sums[r] += piece < end ? part[r] : 0;
            }
        }
    }
    GRETA_UNROLL for (u32 r = 0; r < N; r++) sums[r] = sum_over(sums[r], lanes);
    if constexpr (NORM) {
        float factor = rsqrt(reduce_group<sum_of, N_THREADS>(squares, scratch) / (float)x.n_cols + eps);
        GRETA_UNROLL for (u32 r = 0; r < N; r++) sums[r] *= factor;
    }
}

template <u32 N_THREADS, u32 TYPE, u32 X_TYPE, bool NORM, u32 N>
GRETA_DEVICE void rows_multiply(const matvec_x &x, packed_weight w, const global_in *bases, const u32 *rows,
                                const row_teams &teams, float eps, u32x4 *lds, float *scratch, float *sums) {
    rows_multiply<N_THREADS, TYPE, X_TYPE, NORM, N>(x, w, bases, rows, teams, eps, lds, scratch, sums,
                                                    column_range{0, x.n_cols});
}

#endif
