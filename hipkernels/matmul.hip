/*
 * Without matrix units: a workgroup makes a tile of 128 rows x 32 tokens, a thread 4 x 4 of it. Each step decodes a unit of 32 columns
 * of the rows into LDS, beside as many of the tokens' activations. Any shape and alignment.
 */
#include "common/decode.h"
#include "common/row.h"

GRETA_ARGS_BLOCK(MATMUL);

constexpr u32 TILE_ROWS = 128, TILE_TOKENS = 32, STEP = 32;
constexpr u32 LINE_ROWS = TILE_ROWS + 4, LINE_TOKENS = TILE_TOKENS + 4; /* of LDS, in floats: a column each */

template <u32 N_THREADS, u32 W_TYPE, u32 X_TYPE> GRETA_DEVICE void matmul_tiled(const args_block &a) {
    static_assert(X_TYPE == GRETA_TYPE_F32 && N_THREADS == TILE_ROWS / 4 * TILE_TOKENS / 4);
    constexpr u32 PIECE = piece_elements(W_TYPE), PIECES = TILE_ROWS * STEP / PIECE;
    GRETA_LDS static f32x4 w_words[STEP * LINE_ROWS / 4], x_words[STEP * LINE_TOKENS / 4];
    float *w_lds = (float *)w_words, *x_lds = (float *)x_words;
    u32 tiles_rows = GRETA_DIV_UP(a.n_rows, TILE_ROWS), id = group_id<N_THREADS>();
    u32 row_0 = id % tiles_rows * TILE_ROWS, token_0 = id / tiles_rows * TILE_TOKENS;
    if (token_0 >= a.n_tok) return;
    packed_weight w = packed_open<W_TYPE>(a.w, a.n_rows, a.n_cols);
    u32 n_pieces = GRETA_DIV_UP(a.n_cols, PIECE), me = thread_id(), my_row = me % (TILE_ROWS / 4) * 4,
        my_token = me / (TILE_ROWS / 4) * 4;
    f32x4 sums[4] = {};
    GRETA_NO_UNROLL for (u32 begin = 0; begin < a.n_cols; begin += STEP) {
        barrier(); /* the last step's have been read */
        GRETA_NO_UNROLL for (u32 i = me; i < PIECES; i += N_THREADS) {
            u32 row = i % TILE_ROWS, c = i / TILE_ROWS * PIECE, piece = (begin + c) / PIECE;
            packed_piece<W_TYPE> p =
                load_piece<W_TYPE>(w, min_u32(row_0 + row, a.n_rows - 1), min_u32(piece, n_pieces - 1));
            GRETA_UNROLL for (u32 j = 0; j < PIECE / 4; j++) {
                f32x4 v = piece_values<W_TYPE>(p, piece, j);
                GRETA_UNROLL for (u32 e = 0; e < 4; e++) w_lds[(c + j * 4 + e) * LINE_ROWS + row] =
                    begin + c + j * 4 + e < a.n_cols ? v[e] : 0;
            }
        }
        {
            u32 token = me % TILE_TOKENS, c = me / TILE_TOKENS * 4;
            u32 at = min_u32(token_0 + token, a.n_tok - 1) * a.n_cols + begin + c;
            f32x4 v = row_load(a.x, at * 4, begin + c, a.n_cols);
            GRETA_UNROLL for (u32 e = 0; e < 4; e++) x_lds[(c + e) * LINE_TOKENS + token] = v[e];
        }
        barrier();
        GRETA_UNROLL_BY(8) for (u32 k = 0; k < STEP; k++) {
            f32x4 rows = w_words[(k * LINE_ROWS + my_row) / 4],
                  tokens = x_words[(k * LINE_TOKENS + my_token) / 4];
            GRETA_UNROLL for (u32 t = 0; t < 4; t++) sums[t] += rows * tokens[t];
        }
    }
    GRETA_UNROLL for (u32 t = 0; t < 4; t++) {
        u32 token = token_0 + my_token + t, row = row_0 + my_row;
        if (token < a.n_tok) row_store(a.y, (token * a.n_rows + row) * 4, row, a.n_rows, sums[t]);
    }
}

GRETA_HIP_MATMUL(GRETA_INSTANCE)
