/* A cache of keys or values (greta/layout.h): F32, F16, or Q8_0 with a scale for each 32 elements. */
#ifndef HIPKERNELS_COMMON_KV_H
#define HIPKERNELS_COMMON_KV_H

#include "row.h"

/*
 * Writes four elements at column c of row p; eight neighbouring lanes hold a block of 32, all of them active, where TYPE is Q8_0.
 * Past n_cols nothing is written.
 */
template <u32 TYPE> GRETA_DEVICE void kv_store_4(global_out cache, u32 p, u32 n_cols, u32 c, f32x4 v) {
    u32 row = p * GRETA_KV_ROW_BYTES(TYPE, n_cols);
    if (TYPE == GRETA_TYPE_F32) {
        row_store(cache, row + c * 4, c, n_cols, v);
    } else if (TYPE == GRETA_TYPE_F16) {
        GRETA_UNROLL for (u32 i = 0; i < 4; i++) if (c + i < n_cols)
            out<f16>(cache, row + (c + i) * 2, (f16)v[i]);
    } else {
        f32x4 m = __builtin_elementwise_abs(v);
        f32x4 bad = v * 0.0f; /* NaN where an element is not finite: so becomes d */
        float largest = reduce_row<max_of, 8>(max_f32(max_f32(m.x, m.y), max_f32(m.z, m.w)));
        float nan = reduce_row<sum_of, 8>((bad.x + bad.y) + (bad.z + bad.w));
        f16 d = (f16)(largest / 127 + nan);
        u32 word = 0;
        GRETA_UNROLL for (u32 i = 0; i < 4; i++) {
            float r = (float)d > 0 ? __builtin_rintf(v[i] / (float)d) : 0;
            word |= ((u32)(int)__builtin_fminf(__builtin_fmaxf(r, -127), 127) & 255) << 8 * i;
        }
        if (c >= n_cols) return;
        out<u32>(cache, row + c, word);
        if (c % 32 == 0) out<f16>(cache, row + GRETA_KV_SCALES_OFFSET(n_cols) + c / 32 * 2, d);
    }
}

#endif
