/* Number formats of gfx942's vector unit as functions of one lane, branch-free where a loop over 64 lanes should
   become vector code. Everything here rounds to nearest even and keeps denormals unless its name says otherwise;
   what MODE changes is the caller's work (valu.c). */
#ifndef GFX942_LANE_H
#define GFX942_LANE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 64 };

static inline float f32_of(uint32_t u) {
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}
static inline uint32_t bits_of(float f) {
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}
static inline double f64_of(uint64_t u) {
    double f;
    memcpy(&f, &u, sizeof f);
    return f;
}
static inline uint64_t bits64_of(double f) {
    uint64_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline bool is_nan32(uint32_t u) {
    return (u & 0x7fffffff) > 0x7f800000;
}
static inline bool is_snan32(uint32_t u) {
    return is_nan32(u) && !(u & 0x400000);
}
static inline bool is_nan64(uint64_t u) {
    return (u & ~(1ull << 63)) > 0x7ffull << 52;
}
static inline bool is_snan64(uint64_t u) {
    return is_nan64(u) && !(u >> 51 & 1);
}
static inline bool is_nan16(uint32_t u) {
    return (u & 0x7fff) > 0x7c00;
}
static inline bool is_snan16(uint32_t u) {
    return is_nan16(u) && !(u & 0x200);
}

/* Exact; a signalling NaN becomes quiet. */
static inline float f32_of_f16(uint32_t h) {
    uint32_t mag = (h & 0x7fff) << 13, sign = (h & 0x8000) << 16;
    uint32_t num = bits_of(f32_of(mag) * 0x1p112f);
    uint32_t inf = mag | 0x7f800000 | (mag > 0x7c00u << 13 ? 0x400000 : 0);
    return f32_of((mag >= 0x7c00u << 13 ? inf : num) | sign);
}

/* Nearest even, denormals kept, a NaN quiet with the top of its payload. */
static inline uint32_t f16_of_f32(float x) {
    uint32_t u = bits_of(x), mag = u & 0x7fffffff, sign = u >> 16 & 0x8000;
    uint32_t num = (mag - 0x38000000 + 0xfff + (mag >> 13 & 1)) >> 13;
    uint32_t den = bits_of(f32_of(mag) + 0.5f) - 0x3f000000;
    uint32_t nan = 0x7e00 | (mag >> 13 & 0x3ff);
    uint32_t r = mag < 0x38800000 ? den : num;
    r = mag >= 0x477ff000 ? 0x7c00 : r;
    return (mag > 0x7f800000 ? nan : r) | sign;
}

/* Toward zero: a finite number too large stops at the largest one. */
static inline uint32_t f16_of_f32_rtz(float x) {
    uint32_t u = bits_of(x), mag = u & 0x7fffffff, sign = u >> 16 & 0x8000;
    uint32_t num = (mag - 0x38000000) >> 13;
    uint32_t den = ((mag & 0x7fffff) | 0x800000) >> ((126 - (mag >> 23)) & 31); /* in units of 2^-24 */
    den = mag < 0x33800000 ? 0 : den;
    uint32_t r = mag < 0x38800000 ? den : num;
    r = mag >= 0x47800000 ? 0x7bff : r;
    r = mag == 0x7f800000 ? 0x7c00 : r;
    return (mag > 0x7f800000 ? 0x7e00 | (mag >> 13 & 0x3ff) : r) | sign;
}

static inline float f32_of_bf16(uint32_t h) {
    return f32_of(h << 16);
}

/* Rounds |x| to the format of `man` mantissa bits whose smallest step is 2^step, in the direction rm of MODE
   (0 nearest even, 1 up, 2 down, 3 toward zero), exactly: x is scaled until a step is one. No overflow check. */
double round_to_format(double x, int man, int step, unsigned rm);

/* Any double to f16 in direction rm, rounded once. */
uint32_t f16_of_f64(double x, unsigned rm);

/* a + b or a * b + c rounded to odd: rounding the result again to any format of at most 51 bits is then as if the
   first one had not happened. */
double add_odd(double a, double b);
double fma_odd(double a, double b, double c);

#endif
