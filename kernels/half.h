/* Conversions between f32 and the 16-bit floats, by integers: right for denormals, infinities and NaN on
 * every CPU. */
#ifndef KERNELS_HALF_H
#define KERNELS_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t half_f32_bits(float f) {
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline float half_f32_from_bits(uint32_t u) {
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline float half_f16_to_f32(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = (h >> 10) & 31u, mantissa = h & 0x3FFu;
    if (exponent == 31) return half_f32_from_bits(sign | 0x7F800000u | mantissa << 13);
    if (exponent) return half_f32_from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
    float f = (float)mantissa * 0x1p-24f; /* zero and denormals: exact */
    return half_f32_from_bits(sign | half_f32_bits(f));
}

/* Round to nearest even; past 65504 + half a step to infinity; NaN stays NaN (made quiet). */
static inline uint16_t half_f32_to_f16(float f) {
    uint32_t u = half_f32_bits(f), sign = u >> 16 & 0x8000u, a = u & 0x7FFFFFFFu;
    if (a > 0x7F800000u) return (uint16_t)(sign | 0x7E00u | (a >> 13 & 0x3FFu));
    if (a >= 0x477FF000u) return (uint16_t)(sign | 0x7C00u);
    if (a < 0x38800000u) {
        /* Below 2^-14 the step is 2^-24: adding 0.5 leaves just these bits of the sum's mantissa, rounded to
         * nearest even. */
        float sum = half_f32_from_bits(a) + 0.5f;
        return (uint16_t)(sign | (half_f32_bits(sum) - 0x3F000000u));
    }
    a += 0xFFFu + (a >> 13 & 1u);
    return (uint16_t)(sign | ((a - 0x38000000u) >> 13));
}

static inline float half_bf16_to_f32(uint16_t h) {
    return half_f32_from_bits((uint32_t)h << 16);
}

/* Round to nearest even; NaN stays NaN (made quiet). */
static inline uint16_t half_f32_to_bf16(float f) {
    uint32_t u = half_f32_bits(f);
    if ((u & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(u >> 16 | 0x40u);
    return (uint16_t)((u + 0x7FFFu + (u >> 16 & 1u)) >> 16);
}

#endif
