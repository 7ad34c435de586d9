/* The two 8-bit floats of gfx942, FNUZ: no infinity, no -0; the code 0x80 is the only NaN.
   fp8: 4 bits of exponent (bias 8), 3 of mantissa, up to 240. bf8: 5 (bias 16), 2, up to 57344. */
#ifndef GFX942_FP8_H
#define GFX942_FP8_H

#include "lane.h"

struct fp8_format {
    int man, bias;
};
static const struct fp8_format fp8_format = {3, 8}, bf8_format = {2, 16};

/* The bits as those of an f32 of too small an exponent, which a factor puts right; exact, denormals included. */
static inline float f32_of_fp8(uint32_t code, struct fp8_format f) {
    float x = f32_of((code & 0x7f) << (23 - f.man)) * f32_of((uint32_t)(254 - f.bias) << 23);
    return (code & 0xff) == 0x80 ? f32_of(0x7fc00000) : code & 0x80 ? -x : x;
}

/* Nearest even, or toward zero. Where a finite number is too large, or x is infinite: the largest number if
   `saturate` (MODE's FP16_OVFL), else NaN. */
static inline uint32_t fp8_of_f32(float x, struct fp8_format f, bool saturate, bool to_zero) {
    uint32_t u = bits_of(x) & 0x7fffffff, sign = bits_of(x) >> 31 << 7;
    int low = 1 - f.bias, drop = 23 - f.man;                        /* 2^low is the least normal number */
    float magic = f32_of((uint32_t)(127 + low - f.man + 23) << 23); /* its last bit is the least denormal's */
    float steps = f32_of(u) * f32_of((uint32_t)(127 + f.man - low) << 23);
    uint32_t round = to_zero ? 0 : (1u << (drop - 1)) - 1 + (u >> drop & 1);
    uint32_t den =
        to_zero ? (uint32_t)(int32_t)(steps < 256 ? steps : 0) : bits_of(f32_of(u) + magic) - bits_of(magic);
    uint32_t code =
        u < (uint32_t)(127 + low) << 23 ? den : ((u + round) >> drop) - ((127u - (uint32_t)f.bias) << f.man);
    code = code > 0x7f ? (saturate ? 0x7f : 0x80) : code;
    return x != x || code == 0x80 ? 0x80 : code ? code | sign : 0;
}

/* Stochastic: the top bits of `random` are added below the last bit that stays, and the rest is cut off. */
static inline uint32_t fp8_of_f32_sr(float x, struct fp8_format f, bool saturate, uint32_t random) {
    uint32_t u = bits_of(x);
    if ((u & 0x7fffffff) < 0x7f800000) u += random >> (9 + f.man);
    return fp8_of_f32(f32_of(u), f, saturate, true);
}

#endif
