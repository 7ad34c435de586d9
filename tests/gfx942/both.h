/* Plain functions that test_both.c compiles for the host and both.hip for gfx942: the results must agree bit for bit.
   FUNCTION(name, body): uint64_t a, b, c to uint64_t; f32, f64, f16 read bits as floats and word_* give bits back, with
   one NaN for all. No contraction, one operation a statement where the type is narrower than the host's. */
#ifndef GFX942_BOTH_H
#define GFX942_BOTH_H

#include <stdint.h>

#ifdef __HIP__
#define BOTH_INLINE static inline __attribute__((device, always_inline))
#else
#define BOTH_INLINE static inline
#endif

BOTH_INLINE float f32(uint64_t u) {
    uint32_t w = (uint32_t)u;
    float f;
    __builtin_memcpy(&f, &w, 4);
    return f;
}
BOTH_INLINE double f64(uint64_t u) {
    double f;
    __builtin_memcpy(&f, &u, 8);
    return f;
}
BOTH_INLINE _Float16 f16(uint64_t u) {
    uint16_t w = (uint16_t)u;
    _Float16 f;
    __builtin_memcpy(&f, &w, 2);
    return f;
}
BOTH_INLINE uint64_t word_f32(float f) {
    uint32_t u;
    __builtin_memcpy(&u, &f, 4);
    return f != f ? 0x7fc00000 : u;
}
BOTH_INLINE uint64_t word_f64(double f) {
    uint64_t u;
    __builtin_memcpy(&u, &f, 8);
    return f != f ? 0x7ff8000000000000 : u;
}
BOTH_INLINE uint64_t word_f16(_Float16 f) {
    uint16_t u;
    __builtin_memcpy(&u, &f, 2);
    return f != f ? 0x7e00 : u;
}
/* What C leaves open: a float beyond the integer. */
BOTH_INLINE int within(double x, double lo, double hi) {
    return x >= lo && x <= hi;
}

#define I32(x) ((int32_t)(x))
#define U32(x) ((uint32_t)(x))
#define I64(x) ((int64_t)(x))

#define FUNCTIONS(F)                                                                                    \
    F(add32, return U32(U32(a) + U32(b)))                                                               \
    F(sub64, return a - b)                                                                              \
    F(mul32, return U32(U32(a) * U32(b)))                                                               \
    F(mul64, return a * b)                                                                              \
    F(mulhi_u64, return (uint64_t)(((unsigned __int128)a * b) >> 64))                                   \
    F(mulhi_i32, return U32((I64(I32(a)) * I32(b)) >> 32))                                              \
    F(mad_wide, return (uint64_t)U32(a) * U32(b) + c)                                                   \
    F(mad_wide_signed, return (uint64_t)(I64(I32(a)) * I32(b) + (I64(c) >> 1)))                         \
    F(div_u32, return U32(b) ? U32(a) / U32(b) : 0)                                                     \
    F(rem_u32, return U32(b) ? U32(a) % U32(b) : 0)                                                     \
    F(div_i32, return I32(b) && I32(b) != -1 ? U32(I32(a) / I32(b)) : 0)                                \
    F(rem_i32, return I32(b) && I32(b) != -1 ? U32(I32(a) % I32(b)) : 0)                                \
    F(div_u64, return b ? a / b : 0)                                                                    \
    F(rem_u64, return b ? a % b : 0)                                                                    \
    F(div_i64, return b && I64(b) != -1 ? (uint64_t)(I64(a) / I64(b)) : 0)                              \
    F(div_by_7, return U32(a) / 7 + (a / 1000003) * 5)                                                  \
    F(shl32, return U32(U32(a) << (b & 31)))                                                            \
    F(shr32, return U32(a) >> (b & 31))                                                                 \
    F(sar32, return U32(I32(a) >> (b & 31)))                                                            \
    F(shl64, return a << (b & 63))                                                                      \
    F(shr64, return a >> (b & 63))                                                                      \
    F(sar64, return (uint64_t)(I64(a) >> (b & 63)))                                                     \
    F(rotate32, return U32(U32(a) << (b & 31) | U32(a) >> (-b & 31)))                                   \
    F(rotate64, return a << (b & 63) | a >> (-b & 63))                                                  \
    F(clz32, return U32(a) ? (uint64_t)__builtin_clz(U32(a)) : 32)                                      \
    F(ctz64, return a ? (uint64_t)__builtin_ctzll(a) : 64)                                              \
    F(popcount64, return (uint64_t)__builtin_popcountll(a))                                             \
    F(bswap64, return __builtin_bswap64(a))                                                             \
    F(select, return (I32(a) < I32(b) ? b : c) ^ (a < c ? a : b))                                       \
    F(clamp_i32, return U32(I32(a) < -1000 ? -1000 : I32(a) > 1000 ? 1000 : I32(a)))                    \
    F(bits, return (a & b) | (~a & c))                                                                  \
    F(field, return U32(a) >> 7 & 0x1ff)                                                                \
    F(field_signed, return U32(I32(U32(a) << 9) >> 21))                                                 \
    F(bytes, return U32((a >> 8 & 0xff) + (b >> 24 & 0xff) * (c & 0xff)))                               \
    F(dot4, {                                                                                           \
        int32_t sum = I32(c);                                                                           \
        for (int k = 0; k < 32; k += 8) sum = I32(U32(sum) + U32((int8_t)(a >> k) * (int8_t)(b >> k))); \
        return U32(sum);                                                                                \
    })                                                                                                  \
    F(halves_i16, return (uint16_t)((int16_t)a * (int16_t)b + (int16_t)c))                              \
    F(sat_add_u16, {                                                                                    \
        uint32_t sum = (uint16_t)a + (uint16_t)b;                                                       \
        return sum > 0xffff ? 0xffff : sum;                                                             \
    })                                                                                                  \
    F(gcd, {                                                                                            \
        uint32_t x = U32(a) >> 8;                                                                       \
        uint32_t y = U32(b) >> 8;                                                                       \
        while (y) {                                                                                     \
            uint32_t t = x % y;                                                                         \
            x = y;                                                                                      \
            y = t;                                                                                      \
        }                                                                                               \
        return x;                                                                                       \
    })                                                                                                  \
    F(collatz, {                                                                                        \
        uint64_t x = (a & 0xffff) + 1;                                                                  \
        uint64_t n = 0;                                                                                 \
        for (; x != 1 && n < 500; n++) x = x & 1 ? 3 * x + 1 : x >> 1;                                  \
        return n;                                                                                       \
    })                                                                                                  \
    F(early_out, {                                                                                      \
        uint64_t hash = c;                                                                              \
        for (int k = 0; k < 40; k++) {                                                                  \
            if ((a >> k & 7) == 5) break;                                                               \
            if (b >> k & 1) continue;                                                                   \
            hash = hash * 31 + (uint64_t)k;                                                             \
        }                                                                                               \
        return hash;                                                                                    \
    })                                                                                                  \
    F(add_f32, return word_f32(f32(a) + f32(b)))                                                        \
    F(sub_f32, return word_f32(f32(a) - f32(b)))                                                        \
    F(mul_f32, return word_f32(f32(a) * f32(b)))                                                        \
    F(div_f32, return word_f32(f32(a) / f32(b)))                                                        \
    /* of no denormal: clang 16 makes it v_sqrt_f32 alone, which knows none */                          \
    F(sqrt_f32, return word_f32(__builtin_sqrtf(__builtin_fabsf(f32(a)) < 0x1p-126f ? 1.0f : f32(a))))  \
    F(fma_f32, return word_f32(__builtin_fmaf(f32(a), f32(b), f32(c))))                                 \
    F(fma_chain_f32, {                                                                                  \
        float x = f32(a);                                                                               \
        for (int k = 0; k < 9; k++) x = __builtin_fmaf(x, f32(b), f32(c));                              \
        return word_f32(x);                                                                             \
    })                                                                                                  \
    F(min_f32, return word_f32(__builtin_fminf(f32(a) + 1.0f, f32(b) + 2.0f)))                          \
    F(max_f32, return word_f32(__builtin_fmaxf(f32(a) + 1.0f, f32(b) - 1.0f)))                          \
    F(floor_f32, return word_f32(__builtin_floorf(f32(a))))                                             \
    F(ceil_f32, return word_f32(__builtin_ceilf(f32(a))))                                               \
    F(trunc_f32, return word_f32(__builtin_truncf(f32(a))))                                             \
    F(rint_f32, return word_f32(__builtin_rintf(f32(a))))                                               \
    F(copysign_f32, return word_f32(__builtin_copysignf(f32(a), f32(b))))                               \
    F(abs_neg_f32, return word_f32(-__builtin_fabsf(f32(a)) * f32(b)))                                  \
    F(less_f32, return (uint64_t)(f32(a) < f32(b)) << 2 | (f32(a) <= f32(b)) << 1 | (f32(a) == f32(b))) \
    F(unordered_f32, return !(f32(a) < f32(b)) * 2u + (f32(a) != f32(b)))                               \
    F(isnan_f32, return (f32(a) != f32(a)) + 2u * (__builtin_fabsf(f32(b)) == __builtin_inff()))        \
    F(f32_of_i32, return word_f32((float)I32(a)))                                                       \
    F(f32_of_u32, return word_f32((float)U32(a)))                                                       \
    F(f32_of_i64, return word_f32((float)I64(a)))                                                       \
    F(f32_of_u64, return word_f32((float)a))                                                            \
    F(f64_of_i32, return word_f64((double)I32(a)))                                                      \
    F(f64_of_u64, return word_f64((double)a))                                                           \
    F(i32_of_f32, return within(f32(a), -2147483648.0, 2147483520.0) ? U32((int32_t)f32(a)) : 0)        \
    F(u32_of_f32, return within(f32(a), 0, 4294967040.0) ? (uint32_t)f32(a) : 0)                        \
    F(i64_of_f32, return within(f32(a), -0x1p63, 0x1.fffffep62) ? (uint64_t)(int64_t)f32(a) : 0)        \
    F(u64_of_f64, return within(f64(a), 0, 0x1.fffffffffffffp63) ? (uint64_t)f64(a) : 0)                \
    F(i32_of_f64, return within(f64(a), -2147483648.0, 2147483647.0) ? U32((int32_t)f64(a)) : 0)        \
    F(f32_of_f64, return word_f32((float)f64(a)))                                                       \
    F(f64_of_f32, return word_f64((double)f32(a)))                                                      \
    F(f16_of_f32, return word_f16((_Float16)f32(a)))                                                    \
    F(f32_of_f16, return word_f32((float)f16(a)))                                                       \
    F(f16_of_i16, return word_f16((_Float16)(int16_t)a))                                                \
    F(i16_of_f16, return within((float)f16(a), -32768, 32767) ? (uint16_t)(int16_t)(float)f16(a) : 0)   \
    F(add_f64, return word_f64(f64(a) + f64(b)))                                                        \
    F(mul_f64, return word_f64(f64(a) * f64(b)))                                                        \
    F(div_f64, return word_f64(f64(a) / f64(b)))                                                        \
    F(sqrt_f64, return word_f64(__builtin_sqrt(f64(a))))                                                \
    F(fma_f64, return word_f64(__builtin_fma(f64(a), f64(b), f64(c))))                                  \
    F(floor_f64, return word_f64(__builtin_floor(f64(a))))                                              \
    F(rint_f64, return word_f64(__builtin_rint(f64(a))))                                                \
    F(max_f64, return word_f64(__builtin_fmax(f64(a) + 1.0, f64(b) + 2.0)))                             \
    F(add_f16, {                                                                                        \
        _Float16 r = f16(a) + f16(b);                                                                   \
        return word_f16(r);                                                                             \
    })                                                                                                  \
    F(mul_f16, {                                                                                        \
        _Float16 r = f16(a) * f16(b);                                                                   \
        return word_f16(r);                                                                             \
    })                                                                                                  \
    F(div_f16, {                                                                                        \
        _Float16 r = f16(a) / f16(b);                                                                   \
        return word_f16(r);                                                                             \
    })                                                                                                  \
    F(less_f16, return (uint64_t)(f16(a) < f16(b)) | (uint64_t)(f16(b) >= f16(c)) << 1)                 \
    F(bf16_of_f32, {                                                                                    \
        uint32_t u = U32(word_f32(f32(a)));                                                             \
        return (u + 0x7fff + (u >> 16 & 1)) >> 16;                                                      \
    })                                                                                                  \
    F(polynomial, {                                                                                     \
        float x = f32(a);                                                                               \
        float y = x * 0.5f + 1.25f;                                                                     \
        y = y * x - 3.0f;                                                                               \
        y = y / (x * x + 1.0f);                                                                         \
        return word_f32(y);                                                                             \
    })

#endif
