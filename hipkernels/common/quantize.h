/* Activations to 8 bits (type Q8A of greta/layout.h). Eight neighbouring lanes hold a unit of 32, four elements each. */
#ifndef HIPKERNELS_COMMON_QUANTIZE_H
#define HIPKERNELS_COMMON_QUANTIZE_H

#include "device.h"

/* Four codes in a word, and their sum. d is the division's result, not a reciprocal's. Where it is 0 or NaN the codes are 0. */
GRETA_DEVICE u32 quantize_4(f32x4 v, float d, int *sum) {
    u32 word = 0;
    *sum = 0;
    GRETA_UNROLL for (u32 i = 0; i < 4; i++) {
        float r = d > 0 ? __builtin_rintf(v[i] / d) : 0;
        int q = (int)__builtin_fminf(__builtin_fmaxf(r, -127), 127);
        *sum += q;
        word |= ((u32)q & 255) << 8 * i;
    }
    return word;
}

/* d of the unit: NaN where an element is infinite or a NaN, so that it does not pass for a number. */
GRETA_DEVICE float unit_scale(f32x4 v) {
    f32x4 a = __builtin_elementwise_abs(v), bad = v * 0.0f;
    float largest = max_f32(max_f32(a.x, a.y), max_f32(a.z, a.w));
    return reduce_row<max_of, 8>(largest) / 127 + reduce_row<sum_of, 8>((bad.x + bad.y) + (bad.z + bad.w));
}

/* Writes the piece at column c, which lies in `row` of Q8A at y; every lane of the unit is active. v is 0 past the end. */
GRETA_DEVICE void quantize_piece(global_out y, u32 row, u32 n_cols, u32 c, f32x4 v) {
    float d = unit_scale(v);
    int sum;
    u32 codes = quantize_4(v, d, &sum);
    float total = reduce_row<sum_of, 8>((float)sum);
    if (c / 32 >= GRETA_Q8A_UNITS(n_cols)) return;
    u32 begin = row * GRETA_Q8A_ROW_BYTES(n_cols);
    out<u32>(y, begin + c, codes);
    if (c % 32 == 0) {
        out<float>(y, begin + GRETA_Q8A_D_OFFSET(n_cols) + c / 32 * 4, d);
        out<float>(y, begin + GRETA_Q8A_S_OFFSET(n_cols) + c / 32 * 4, d * total);
    }
}

#endif
