/* Caches of keys and values, row by row: see layout.h. n_cols: the elements of a row. */
#ifndef SHADERS_KV_GLSL
#define SHADERS_KV_GLSL

#include "greta/layout.h"

/* Where row `row` begins, and its element c where they are not in units. */
uint kv_row(uint type, uint row, uint n_cols) { return row * GRETA_KV_ROW_BYTES(type, n_cols); }

/* The scale of the unit of 32 that holds element c of the row at `row_at`. */
float kv_scale(uint64_t base, uint row_at, uint n_cols, uint c) {
    return IN_F16(base, row_at + GRETA_KV_SCALES_OFFSET(n_cols) + c / 32u * 2u);
}
/* Four codes, the first in the low byte. */
vec4 kv_codes(uint word) {
    int w = int(word);
    return vec4(bitfieldExtract(w, 0, 8), bitfieldExtract(w, 8, 8), bitfieldExtract(w, 16, 8), bitfieldExtract(w, 24, 8));
}

float kv_load(uint64_t base, uint row, uint n_cols, uint c, uint type) {
    if (type != GRETA_TYPE_Q8_0) return load_element(base, row * n_cols + c, type);
    uint at = kv_row(type, row, n_cols);
    int code = bitfieldExtract(int(IN_U32(base, at + (c & ~3u))), int(c & 3u) * 8, 8);
    return kv_scale(base, at, n_cols, c) * float(code);
}

/* Elements c .. c + 31 of a row of Q8_0; a scale that is no number tells of those that are none. */
void kv_store_unit(uint64_t base, uint row, uint n_cols, uint c, float x[32]) {
    uint at = kv_row(GRETA_TYPE_Q8_0, row, n_cols), scale_at = at + GRETA_KV_SCALES_OFFSET(n_cols) + c / 32u * 2u;
    float largest = 0.0, bad = 0.0;
    [[unroll]] for (uint i = 0; i < 32u; i++) {
        largest = max(largest, abs(x[i]));
        if (isnan(x[i]) || isinf(x[i])) bad = uintBitsToFloat(0x7FC00000u);
    }
    OUT_F16(base, scale_at, bad != 0.0 ? bad : largest / 127.0);
    float d = float(ref_f16(ADDRESS(base, scale_at)).v); /* as it was rounded */
    for (uint i = 0; i < 32u; i += 4u) {
        uint word = 0u;
        [[unroll]] for (uint k = 0; k < 4u; k++) {
            int q = d > 0.0 ? int(clamp(roundEven(x[i + k] / d), -127.0, 127.0)) : 0;
            word |= (uint(q) & 255u) << (8u * k);
        }
        OUT_U32(base, at + c + i, word);
    }
}

#endif
