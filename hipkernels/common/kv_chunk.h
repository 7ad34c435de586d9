/* Eight elements of a cache of keys or values, as it lies in memory until `piece` makes them f16: the caches' types have one form. */
#ifndef HIPKERNELS_COMMON_KV_CHUNK_H
#define HIPKERNELS_COMMON_KV_CHUNK_H

#include "common/tile_sides.h"

template <u32 TYPE> struct kv_chunk {
    u32x4 bits;
    GRETA_METHOD void fetch(global_in base, u32 key, u32 column, u32 n_cols) {
        bits = load<u32x4>(base, (key * n_cols + column) * 2);
    }
    GRETA_METHOD u32x4 piece() const { return bits; }
    GRETA_METHOD void clear() { bits = u32x4{0, 0, 0, 0}; }
};
template <> struct kv_chunk<GRETA_TYPE_F32> {
    f32x4 lo, hi;
    GRETA_METHOD void fetch(global_in base, u32 key, u32 column, u32 n_cols) {
        u32 at = (key * n_cols + column) * 4;
        lo = load<f32x4>(base, at);
        hi = load<f32x4>(base, at + 16);
    }
    GRETA_METHOD u32x4 piece() const { return pack_piece(lo, hi); }
    GRETA_METHOD void clear() { lo = hi = f32x4{0, 0, 0, 0}; }
};
template <> struct kv_chunk<GRETA_TYPE_Q8_0> {
    u32x2 codes;
    u32 scale;
    GRETA_METHOD void fetch(global_in base, u32 key, u32 column, u32 n_cols) {
        u32 row = key * GRETA_KV_ROW_BYTES(GRETA_TYPE_Q8_0, n_cols);
        codes = load<u32x2>(base, row + column);
        scale = load<u16>(base, row + GRETA_KV_SCALES_OFFSET(n_cols) + column / 32 * 2);
    }
    GRETA_METHOD u32x4 piece() const {
        float d = f16_to_f32(scale);
        f32x4 lo, hi;
        GRETA_UNROLL for (u32 i = 0; i < 4; i++) {
            lo[i] = signed_byte_to_f32(codes.x, i) * d;
            hi[i] = signed_byte_to_f32(codes.y, i) * d;
        }
        return pack_piece(lo, hi);
    }
    GRETA_METHOD void clear() {
        codes = u32x2{0, 0};
        scale = 0;
    }
};

#endif
