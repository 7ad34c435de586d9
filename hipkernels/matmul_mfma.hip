/*
 * y[t][r] = sum_c w[r][c] x[t][c] on matrix units: weights are decoded, and activations rounded, to f16 on their way into LDS; sums
 * are f32. A row must hold to: n_cols a multiple of 8, x and y at multiples of 16 bytes. matmul_split: for few tokens.
 */
#include "common/mfma_split.h"
#include "common/tile_sides.h"

#include "instances_mfma.h"

GRETA_ARGS_BLOCK(MATMUL);

template <u32 N_THREADS, u32 W_TYPE, u32 X_TYPE, u32 TILE_TOKENS, u32 TILE_ROWS, u32 WAVE_TOKENS,
          u32 WAVE_ROWS>
GRETA_DEVICE void matmul_mfma(const args_block &a) {
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
    tile_product<GRETA_TYPE_F16, TILE_TOKENS, TILE_ROWS, WAVE_TOKENS, WAVE_ROWS> product;
    static_assert(product.N_THREADS == N_THREADS, "waves and threads");
    sum_over_k<TILE_TOKENS, TILE_ROWS>(product, tokens, rows, a.n_cols / 64, a.n_cols * 2);
    product.write(a.y, tile.m * TILE_TOKENS, tile.n * TILE_ROWS, a.n_tok, a.n_rows);
}
GRETA_HIP_MATMUL_MFMA(GRETA_INSTANCE)

/*
 * Four units of 32 elements at a time: lanes 16 g .. 16 g + 15 have unit g, whole, of 16 rows and of 16 tokens. Product s takes
 * elements 8 s .. 8 s + 7 of each.
 */
template <u32 W_TYPE, u32 N_BLOCKS> struct split_rows {
    static constexpr u32 PER_UNIT = 32 / piece_elements(W_TYPE), PER_PIECE = piece_elements(W_TYPE) / 8;
    packed_weight weight;
    u32 rows[N_BLOCKS];
    packed_piece<W_TYPE> pieces[N_BLOCKS][PER_UNIT];

    GRETA_METHOD void fetch(u32 unit) {
        GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) GRETA_UNROLL for (u32 p = 0; p < PER_UNIT; p++)
            pieces[j][p] = load_piece<W_TYPE>(weight, rows[j], unit * PER_UNIT + p);
    }
    GRETA_METHOD u32x4 operand(u32 unit, u32 j, u32 s) const {
        const packed_piece<W_TYPE> &p = pieces[j][s / PER_PIECE];
        u32 piece = unit * PER_UNIT + s / PER_PIECE, i = s % PER_PIECE * 2;
        return piece_f16<W_TYPE>(p, piece, i);
    }
};

template <u32 N_THREADS, u32 W_TYPE, u32 X_TYPE, u32 TOKENS, u32 ROWS>
GRETA_DEVICE void matmul_split(const args_block &a) {
    static_assert(X_TYPE == GRETA_TYPE_F32, "activations");
    keep_f16_finite();
    constexpr u32 N_WAVES = N_THREADS / WAVE, M_BLOCKS = TOKENS / 16, N_BLOCKS = ROWS / 16;
    u32 n_tiles_t = (a.n_tok + TOKENS - 1) / TOKENS, n_tiles_r = (a.n_rows + ROWS - 1) / ROWS;
    u32 group = group_id<N_THREADS>();
    if (group >= n_tiles_t * n_tiles_r) return;
    tile_place tile = place_tile(group, n_tiles_t, n_tiles_r);
    split_rows<W_TYPE, N_BLOCKS> w;
    w.weight = packed_open<W_TYPE>(a.w, a.n_rows, a.n_cols);
    GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) w.rows[j] =
        min_u32(tile.n * ROWS + j * 16 + lane_id() % 16, a.n_rows - 1);
    u32 x_at[M_BLOCKS];
    GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) x_at[i] =
        min_u32(tile.m * TOKENS + i * 16 + lane_id() % 16, a.n_tok - 1) * a.n_cols * 4;
    split_product<GRETA_TYPE_F16, N_WAVES, M_BLOCKS, N_BLOCKS> product;
    product.clear();
    u32 n_units = w.weight.n_units, first = wave_id() * 4;
    if (first < n_units) w.fetch(min_u32(first + lane_id() / 16, n_units - 1));
    for (u32 block = first; block < n_units; block += N_WAVES * 4) {
        u32 unit = min_u32(block + lane_id() / 16, n_units - 1);
        bool inside = block + lane_id() / 16 < n_units;
        u32x4 n[4][N_BLOCKS];
        GRETA_UNROLL for (u32 s = 0; s < 4; s++) GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) n[s][j] =
            w.operand(unit, j, s);
        u32 next = block + N_WAVES * 4 < n_units ? block + N_WAVES * 4 : block;
        w.fetch(min_u32(next + lane_id() / 16, n_units - 1));
        GRETA_UNROLL for (u32 s = 0; s < 4; s++) {
            u32x4 m[M_BLOCKS];
            u32 column = unit * 32 + s * 8;
            /* A float type's last unit may be longer than x; what weights lie there is zero, and x is made so. */
            bool held = inside && column < a.n_cols;
            GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) {
                f32x4 lo = {0, 0, 0, 0}, hi = lo;
                if (held) {
                    lo = load<f32x4>(a.x, x_at[i] + column * 4);
                    hi = load<f32x4>(a.x, x_at[i] + column * 4 + 16);
                }
                m[i] = pack_piece(lo, hi);
                if (!inside) {
                    GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) n[s][j] = u32x4{0, 0, 0, 0};
                }
            }
            product.multiply(m, n[s]);
        }
    }
    product.write(a.y, tile.m * TOKENS, tile.n * ROWS, a.n_tok, a.n_rows);
}
GRETA_HIP_MATMUL_SPLIT(GRETA_INSTANCE)
