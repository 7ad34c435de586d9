/* One workgroup a looked-up row, one thread a piece of it. */
#include "common/decode.h"
#include "common/row.h"

GRETA_ARGS_BLOCK(ROW_LOOKUP);

template <u32 N_THREADS, u32 W_TYPE> GRETA_DEVICE void row_lookup_pieces(const args_block &a) {
    constexpr u32 PIECE = piece_elements(W_TYPE);
    u32 i = group_id<N_THREADS>(), n = a.n_cols;
    if (i >= a.n_ids) return;
    u32 row = in<u32>(a.ids, i * 4);
    packed_weight w = packed_open<W_TYPE>(a.w, a.n_rows, n);
    for (u32 piece = thread_id(); piece * PIECE < n; piece += N_THREADS) {
        packed_piece<W_TYPE> p = {};
        if (row < a.n_rows) p = load_piece<W_TYPE>(w, row, piece);
        GRETA_UNROLL for (u32 j = 0; j < PIECE / 4; j++) {
            u32 c = piece * PIECE + j * 4;
            f32x4 v = piece_values<W_TYPE>(p, piece, j);
            if (row >= a.n_rows) v = f32x4{0, 0, 0, 0};
            row_store(a.y, (i * n + c) * 4, c, n, v);
        }
    }
}

GRETA_HIP_ROW_LOOKUP(GRETA_INSTANCE)
