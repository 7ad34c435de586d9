/* The two 8-bit floats of gfx942, FNUZ: no infinity, no -0; the code 0x80 is the only NaN.
   fp8: 4 bits of exponent (bias 8), 3 of mantissa, up to 240. bf8: 5 (bias 16), 2, up to 57344. */
#ifndef GFX942_FP8_H
#define GFX942_FP8_H

#include "lane.h"

#include <math.h>

struct fp8_format {
    int man, bias;
    float max;
};
static const struct fp8_format fp8_format = {3, 8, 240}, bf8_format = {2, 16, 57344};

static inline float f32_of_fp8(uint32_t code, struct fp8_format f) {
    int e = (int)(code >> f.man & (0x7fu >> f.man)), m = (int)(code & ((1u << f.man) - 1));
    if ((code & 0xff) == 0x80) return f32_of(0x7fc00000);
    float x = e ? ldexpf((float)(m | 1 << f.man), e - f.bias - f.man) : ldexpf((float)m, 1 - f.bias - f.man);
    return code & 0x80 ? -x : x;
}

/* Nearest even, or toward zero. Where a finite number is too large, or x is infinite: the largest number if
   `saturate` (MODE's FP16_OVFL), else NaN. */
static inline uint32_t fp8_of_f32(float x, struct fp8_format f, bool saturate, bool to_zero) {
    if (x != x) return 0x80;
    uint32_t u = bits_of(x) & 0x7fffffff, sign = bits_of(x) >> 31 << 7, code;
    int e = (int)(u >> 23) - 127, low = 1 - f.bias;
    e = e < low ? low : e;
    float steps = u >= 0x7f800000 ? f.max * 2 : ldexpf(f32_of(u), f.man - e);
    float n = to_zero ? truncf(steps) : rintf(steps), value = u >= 0x7f800000 ? steps : ldexpf(n, e - f.man);
    if (value > f.max) {
        if (!saturate) return 0x80;
        value = f.max;
    }
    if (value < ldexpf(1, low))
        code = (uint32_t)ldexpf(value, f.man - low);
    else
        code = (bits_of(value) >> (23 - f.man)) - ((127u - (unsigned)f.bias) << f.man);
    return code ? code | sign : 0;
}

/* Stochastic: the top bits of `random` are added below the last bit that stays, and the rest is cut off. */
static inline uint32_t fp8_of_f32_sr(float x, struct fp8_format f, bool saturate, uint32_t random) {
    uint32_t u = bits_of(x);
    if ((u & 0x7fffffff) < 0x7f800000) u += random >> (9 + f.man);
    return fp8_of_f32(f32_of(u), f, saturate, true);
}

#endif
