/*
 * y[t][r] = sum_c w[r][c] x[t][c] on the matrix units of RDNA 3: weights are decoded, and activations rounded, to f16 on their way into
 * LDS; sums are f32. A row must hold to: n_cols a multiple of 8, x and y at multiples of 16 bytes.
 */
#include "common/tile_sides.h"
#include "common/wmma.h"

#include "instances_wmma.h"

GRETA_ARGS_BLOCK(MATMUL);

template <u32 N_THREADS, u32 W_TYPE, u32 X_TYPE, u32 TILE_TOKENS, u32 TILE_ROWS, u32 WAVE_TOKENS,
          u32 WAVE_ROWS>
GRETA_DEVICE void matmul_wmma(const args_block &a) {
    static_assert(X_TYPE == GRETA_TYPE_F32, "activations");
    keep_f16_finite();
    u32 n_tiles_t = (a.n_tok + TILE_TOKENS - 1) / TILE_TOKENS,
        n_tiles_r = (a.n_rows + TILE_ROWS - 1) / TILE_ROWS;
    u32 group = group_id<N_THREADS>();
    if (group >= n_tiles_t * n_tiles_r) return;
    tile_place tile = place_tile(group, n_tiles_t, n_tiles_r);
    f32_side<TILE_TOKENS, N_THREADS> tokens;
    weight_side<W_TYPE, TILE_ROWS, N_THREADS> rows;
    tokens.init(a.x, a.n_cols, tile.m * TILE_TOKENS, a.n_tok);
    rows.init(a.w, a.n_cols, tile.n * TILE_ROWS, a.n_rows);
    wmma_tile<GRETA_TYPE_F16, TILE_TOKENS, TILE_ROWS, WAVE_TOKENS, WAVE_ROWS> product;
    static_assert(product.N_THREADS == N_THREADS, "waves and threads");
    sum_over_k<TILE_TOKENS, TILE_ROWS>(product, tokens, rows, a.n_cols / 64, a.n_cols * 2);
    product.write(a.y, tile.m * TILE_TOKENS, tile.n * TILE_ROWS, a.n_tok, a.n_rows);
}
GRETA_HIP_MATMUL_WMMA(GRETA_INSTANCE)
