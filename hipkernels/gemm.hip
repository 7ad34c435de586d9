/*
 * c = a b. gemm_mfma: tiles on matrix units (common/mfma.h). gemm_split: the same for few results, k split between waves. gemm_simple:
 * one thread an element, every shape, order and type. What a row must hold to for the first two: a and b at multiples of 16 bytes, and each matrix's contiguous direction a multiple of 16
 * bytes long. m, n and k need not be multiples of the tile.
 */
#include "common/mfma.h"
#include "common/mfma_pair.h"
#include "common/mfma_split.h"

#include "instances_mfma.h"

GRETA_ARGS_BLOCK(GEMM);

GRETA_DEVICE float fp8_to_f32(u32 bits) { /* E4M3 FNUZ: bias 8, 0x80 is NaN, no infinity, no negative zero */
    u32 exponent = bits >> 3 & 15, mantissa = bits & 7;
    float value = exponent ? float_of((exponent + 119) << 23 | mantissa << 20) : (float)mantissa * 0x1p-10f;
    if (bits == 0x80) return float_of(0x7FC00000u);
    return bits & 0x80 ? -value : value;
}

template <u32 TYPE> GRETA_DEVICE float gemm_element(global_in base, u32 i) {
    if (TYPE == GRETA_TYPE_FP8) return fp8_to_f32(in<u8>(base, i));
    return load_element<TYPE>(base, i);
}

template <u32 N_THREADS, u32 TYPE, u32 A_ORDER, u32 B_ORDER>
GRETA_DEVICE void gemm_simple(const args_block &a) {
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    if (i >= a.m * a.n) return;
    u32 row = i / a.n, column = i % a.n;
    float sum = 0;
    int whole = 0;
    for (u32 k = 0; k < a.k; k++) {
        u32 at_a = A_ORDER == GRETA_ORDER_ROW ? row * a.k + k : k * a.m + row;
        u32 at_b = B_ORDER == GRETA_ORDER_ROW ? k * a.n + column : column * a.k + k;
        if (TYPE == GRETA_TYPE_I8)
            whole += (int)in<signed char>(a.a, at_a) * (int)in<signed char>(a.b, at_b);
        else
            sum = __builtin_fmaf(gemm_element<TYPE>(a.a, at_a), gemm_element<TYPE>(a.b, at_b), sum);
    }
    if (TYPE == GRETA_TYPE_I8)
        out(a.c, i * 4, whole);
    else
        out(a.c, i * 4, sum);
}

#if defined(__GFX9__)
template <bool TURNED, u32 ROWS, u32 N_THREADS, u32 E> struct gemm_side {
    typedef direct_side<ROWS, N_THREADS> type;
};
template <u32 ROWS, u32 N_THREADS, u32 E> struct gemm_side<true, ROWS, N_THREADS, E> {
    typedef turned_side<ROWS, N_THREADS, E> type;
};

template <u32 N_THREADS, u32 TYPE, u32 A_ORDER, u32 B_ORDER, u32 TILE_M, u32 TILE_N, u32 WAVE_M, u32 WAVE_N>
GRETA_DEVICE void gemm_mfma(const args_block &a) {
    constexpr u32 BYTES = unit_of<TYPE>::BYTES, E = 16 / BYTES;
    constexpr bool TURN_A = A_ORDER != GRETA_ORDER_ROW, TURN_B = B_ORDER != GRETA_ORDER_COL;
    u32 n_tiles_m = (a.m + TILE_M - 1) / TILE_M, n_tiles_n = (a.n + TILE_N - 1) / TILE_N,
        group = group_id<N_THREADS>();
    if (group >= n_tiles_m * n_tiles_n) return;
    tile_place tile = place_tile(group, n_tiles_m, n_tiles_n);
    u32 k_bytes = a.k * BYTES;
    typename gemm_side<TURN_A, TILE_M, N_THREADS, E>::type m_side;
    typename gemm_side<TURN_B, TILE_N, N_THREADS, E>::type n_side;
    m_side.init(a.a, TURN_A ? a.m * BYTES : k_bytes, tile.m * TILE_M, a.m);
    n_side.init(a.b, TURN_B ? a.n * BYTES : k_bytes, tile.n * TILE_N, a.n);
    tile_product<TYPE, TILE_M, TILE_N, WAVE_M, WAVE_N> product;
    static_assert(product.N_THREADS == N_THREADS, "waves and threads");
    sum_over_k<TILE_M, TILE_N>(product, m_side, n_side, k_bytes / 128, k_bytes);
    product.write(a.c, tile.m * TILE_M, tile.n * TILE_N, a.m, a.n);
}
GRETA_HIP_GEMM_MFMA(GRETA_INSTANCE)

/* a's rows and b's columns contiguous. */
template <u32 N_THREADS, u32 TYPE, u32 A_ORDER, u32 B_ORDER, u32 TILE_M, u32 TILE_N, u32 WAVE_M, u32 WAVE_N>
GRETA_DEVICE void gemm_pair(const args_block &a) {
    typedef paired_product<TYPE, TILE_M, TILE_N, WAVE_M, WAVE_N> product_of;
    static_assert(product_of::N_THREADS == N_THREADS, "waves and threads");
    static_assert(A_ORDER == GRETA_ORDER_ROW && B_ORDER == GRETA_ORDER_COL, "nothing is turned");
    u32 n_tiles_m = (a.m + TILE_M - 1) / TILE_M, n_tiles_n = (a.n + TILE_N - 1) / TILE_N,
        group = group_id<N_THREADS>();
    if (group >= n_tiles_m * n_tiles_n) return;
    tile_place tile = place_tile(group, n_tiles_m, n_tiles_n);
    u32 k_bytes = a.k * unit_of<TYPE>::BYTES, first_m = tile.m * TILE_M,
        first_n = product_of::first_row(tile.n);
    direct_side<TILE_M, N_THREADS> m_side;
    direct_side<product_of::ROWS_N, N_THREADS> n_side;
    m_side.init(a.a, k_bytes, first_m, a.m);
    n_side.init(a.b, k_bytes, first_n, min_u32(a.n, first_n + product_of::LOADED_N));
    product_of product;
    product.clear(tile.n);
    product.run(m_side, n_side, k_bytes, {a.c, first_m, first_n, a.m, a.n});
}
GRETA_HIP_GEMM_PAIR(GRETA_INSTANCE)

/* The piece of a lane, elements k .. k + E - 1 of a row, from memory; zeros past the end of k. */
template <bool TURNED, u32 BYTES> struct split_operand {
    static constexpr u32 E = 16 / BYTES;
    global_in base;
    u32 row, n_rows, n_k;
    GRETA_METHOD u32x4 fetch(u32 k) const {
        u32x4 piece = {0, 0, 0, 0};
        if (!TURNED) {
            if (k < n_k) piece = load<u32x4>(base, (row * n_k + k) * BYTES);
            return piece;
        }
        static_assert(!TURNED || BYTES == 4, "words");
        GRETA_UNROLL for (u32 e = 0; e < 4; e++) if (k + e < n_k) piece[e] =
            load<u32>(base, ((k + e) * n_rows + row) * 4);
        return piece;
    }
};

template <u32 N_THREADS, u32 TYPE, u32 A_ORDER, u32 B_ORDER, u32 TILE_M, u32 TILE_N>
GRETA_DEVICE void gemm_split(const args_block &a) {
    constexpr u32 N_WAVES = N_THREADS / WAVE, M_BLOCKS = TILE_M / 16, N_BLOCKS = TILE_N / 16;
    constexpr u32 BYTES = unit_of<TYPE>::BYTES, E = 16 / BYTES;
    u32 n_tiles_m = (a.m + TILE_M - 1) / TILE_M, n_tiles_n = (a.n + TILE_N - 1) / TILE_N,
        group = group_id<N_THREADS>();
    if (group >= n_tiles_m * n_tiles_n) return;
    tile_place tile = place_tile(group, n_tiles_m, n_tiles_n);
    split_operand<A_ORDER != GRETA_ORDER_ROW, BYTES> from_a[M_BLOCKS];
    split_operand<B_ORDER != GRETA_ORDER_COL, BYTES> from_b[N_BLOCKS];
    GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++)
        from_a[i] = {a.a, min_u32(tile.m * TILE_M + i * 16 + lane_id() % 16, a.m - 1), a.m, a.k};
    GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++)
        from_b[j] = {a.b, min_u32(tile.n * TILE_N + j * 16 + lane_id() % 16, a.n - 1), a.n, a.k};
    split_product<TYPE, N_WAVES, M_BLOCKS, N_BLOCKS> product;
    product.clear();
    /* A wave takes two neighbouring pieces of 64 bytes at a time: a cache line of each row. */
    constexpr u32 STEP = 4 * E, STRIDE = 2 * STEP * N_WAVES;
    u32x4 m[2][M_BLOCKS], n[2][N_BLOCKS];
    u32 k = wave_id() * 2 * STEP, lane_k = lane_id() / 16 * E;
    GRETA_UNROLL for (u32 h = 0; h < 2; h++) {
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) m[h][i] = from_a[i].fetch(k + h * STEP + lane_k);
        GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) n[h][j] = from_b[j].fetch(k + h * STEP + lane_k);
    }
    for (; k < a.k; k += STRIDE) {
        u32x4 m_now[2][M_BLOCKS], n_now[2][N_BLOCKS];
        GRETA_UNROLL for (u32 h = 0; h < 2; h++) {
            u32 next = k + STRIDE + h * STEP + lane_k;
            GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) m_now[h][i] = m[h][i],
                                                            m[h][i] = from_a[i].fetch(next);
            GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) n_now[h][j] = n[h][j],
                                                            n[h][j] = from_b[j].fetch(next);
        }
        GRETA_UNROLL for (u32 h = 0; h < 2; h++) product.multiply(m_now[h], n_now[h]);
    }
    product.write(a.c, tile.m * TILE_M, tile.n * TILE_N, a.m, a.n);
}
GRETA_HIP_GEMM_SPLIT(GRETA_INSTANCE)
#endif
#if defined(__gfx942__)
GRETA_HIP_GEMM_FP8(GRETA_INSTANCE)
GRETA_HIP_GEMM_PAIR_FP8(GRETA_INSTANCE)
GRETA_HIP_GEMM_SPLIT_FP8(GRETA_INSTANCE)
#endif
GRETA_HIP_GEMM_SIMPLE(GRETA_INSTANCE)
