/* One workgroup a row, one thread a piece of it. */
#include "common/decode.h"

GRETA_ARGS_BLOCK(UNPACK);

template <u32 N_THREADS, u32 W_TYPE> GRETA_DEVICE void unpack_pieces(const args_block &a) {
    constexpr u32 PIECE = piece_elements(W_TYPE);
    u32 row = group_id<N_THREADS>(), n = a.n_cols;
    if (row >= a.n_rows) return;
    packed_weight w = packed_open<W_TYPE>(a.w, a.n_rows, n);
    for (u32 piece = thread_id(); piece * PIECE < n; piece += N_THREADS) {
        packed_piece<W_TYPE> p = load_piece<W_TYPE>(w, row, piece);
        GRETA_UNROLL for (u32 j = 0; j < PIECE / 4; j++) {
            f32x4 v = piece_values<W_TYPE>(p, piece, j);
            f16x4 h = {(f16)v.x, (f16)v.y, (f16)v.z, (f16)v.w};
            out<u32x2_u>(a.y, (row * n + piece * PIECE + j * 4) * 2, __builtin_bit_cast(u32x2, h));
        }
    }
}

GRETA_HIP_UNPACK(GRETA_INSTANCE)
