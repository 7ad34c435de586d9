// The arithmetic of atomics, for LDS and memory: the new value from the old one and the instruction's data. In 32-bit forms the upper
// halves are ignored.
#ifndef GFX942_ATOMIC_H
#define GFX942_ATOMIC_H

#include "lane.h"

typedef uint64_t (*gfx_atomic_fn)(uint64_t old, uint64_t x, uint64_t y);

#define GFX_ATOMIC(name, type, expression)                                              \
    static inline uint64_t gfx_atomic_##name(uint64_t old_, uint64_t x_, uint64_t y_) { \
        type old = (type)old_, x = (type)x_;                                            \
        (void)y_, (void)old, (void)x;                                                   \
        return (uint64_t)(expression);                                                  \
    }
#define GFX_ATOMICS(bits)                                                     \
    GFX_ATOMIC(add_##bits, uint##bits##_t, old + x)                           \
    GFX_ATOMIC(sub_##bits, uint##bits##_t, old - x)                           \
    GFX_ATOMIC(rsub_##bits, uint##bits##_t, x - old)                          \
    GFX_ATOMIC(inc_##bits, uint##bits##_t, old >= x ? 0 : old + 1)            \
    GFX_ATOMIC(dec_##bits, uint##bits##_t, old == 0 || old > x ? x : old - 1) \
    GFX_ATOMIC(smin_##bits, int##bits##_t, old < x ? old : x)                 \
    GFX_ATOMIC(smax_##bits, int##bits##_t, old > x ? old : x)                 \
    GFX_ATOMIC(umin_##bits, uint##bits##_t, old < x ? old : x)                \
    GFX_ATOMIC(umax_##bits, uint##bits##_t, old > x ? old : x)                \
    GFX_ATOMIC(and_##bits, uint##bits##_t, old &x)                            \
    GFX_ATOMIC(or_##bits, uint##bits##_t, old | x)                            \
    GFX_ATOMIC(xor_##bits, uint##bits##_t, old ^ x)                           \
    GFX_ATOMIC(swap_##bits, uint##bits##_t, x)                                \
    GFX_ATOMIC(cmpswap_##bits, uint##bits##_t, old == (uint##bits##_t)y_ ? x : old)
GFX_ATOMICS(32)
GFX_ATOMICS(64)

// Of two NaNs and numbers: as the ISA's minNum and maxNum, a number wins over a quiet NaN; -0 is below +0.
static inline float gfx_min32(float a, float b) {
    if (a != a) return b;
    if (b != b) return a;
    return a < b || (a == b && bits_of(a) >> 31) ? a : b;
}

static inline float gfx_max32(float a, float b) {
    if (a != a) return b;
    if (b != b) return a;
    return a > b || (a == b && !(bits_of(a) >> 31)) ? a : b;
}

static inline double gfx_min64(double a, double b) {
    if (a != a) return b;
    if (b != b) return a;
    return a < b || (a == b && bits64_of(a) >> 63) ? a : b;
}

static inline double gfx_max64(double a, double b) {
    if (a != a) return b;
    if (b != b) return a;
    return a > b || (a == b && !(bits64_of(a) >> 63)) ? a : b;
}

GFX_ATOMIC(fadd_32, uint32_t, bits_of(f32_of(old) + f32_of(x)))
GFX_ATOMIC(fmin_32, uint32_t, bits_of(gfx_min32(f32_of(old), f32_of(x))))
GFX_ATOMIC(fmax_32, uint32_t, bits_of(gfx_max32(f32_of(old), f32_of(x))))
GFX_ATOMIC(fadd_64, uint64_t, bits64_of(f64_of(old) + f64_of(x)))
GFX_ATOMIC(fmin_64, uint64_t, bits64_of(gfx_min64(f64_of(old), f64_of(x))))
GFX_ATOMIC(fmax_64, uint64_t, bits64_of(gfx_max64(f64_of(old), f64_of(x))))

static inline uint32_t gfx_add_f16(uint32_t a, uint32_t b) {
    return f16_of_f32(f32_of_f16(a & 0xffff) + f32_of_f16(b & 0xffff));
}

static inline uint32_t gfx_add_bf16(uint32_t a, uint32_t b) {
    uint32_t u = bits_of(f32_of_bf16(a & 0xffff) + f32_of_bf16(b & 0xffff));
    if ((u & 0x7fffffff) > 0x7f800000) return u >> 16 | 0x40;
    return (u + 0x7fff + (u >> 16 & 1)) >> 16;
}

GFX_ATOMIC(pk_add_f16, uint32_t, gfx_add_f16(old, x) | gfx_add_f16(old >> 16, x >> 16) << 16)
GFX_ATOMIC(pk_add_bf16, uint32_t, gfx_add_bf16(old, x) | gfx_add_bf16(old >> 16, x >> 16) << 16)

#endif
