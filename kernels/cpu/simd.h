/*
 * The vector code is one source compiled once per instruction set (CPU_ISA: avx2 or avx512, given by the build with the
 * compiler's flags): vf is a vector of VF_LANES floats. Every function that is seen outside its file is CPU_FN(name).
 *
 * avx2 stands for AVX2 + FMA + F16C; avx512 for F + BW + DQ + VL + VNNI besides. Loads and stores of n lanes touch just these.
 */
#ifndef KERNELS_CPU_SIMD_H
#define KERNELS_CPU_SIMD_H

#include <greta/op_args.h>

#include <immintrin.h>

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CPU_JOIN3(a, b, c) a##b##_##c
#define CPU_JOIN2(a, b, c) CPU_JOIN3(a, b, c)
#define CPU_FN(name) CPU_JOIN2(cpu_, name, CPU_ISA)
#define SIMD_INLINE static inline __attribute__((always_inline, unused))

/*
 * How far before its use a matrix that is read once is asked for, in bytes; 0: not at all. Intel's own prefetching ends with a
 * page of 4 KiB, and a miss takes longer than the next rows keep a core busy. On AMD it gains nothing: docs/tried.md.
 */
SIMD_INLINE size_t simd_prefetch_ahead(void) {
    return __builtin_cpu_is("intel") ? 4096 : 0;
}

/* Asks for the lines of n bytes that lie `ahead` (see simd_prefetch_ahead) behind p. That may be past the matrix: nothing is read. */
SIMD_INLINE void simd_prefetch(const void *p, size_t n, size_t ahead) {
    if (!ahead) return;
    for (size_t i = 0; i < n; i += 64) _mm_prefetch((const char *)((uintptr_t)p + ahead + i), _MM_HINT_T0);
}

#ifdef __AVX512F__

typedef __m512 vf;
enum { VF_LANES = 16 };

SIMD_INLINE __mmask16 vf_mask(size_t n) {
    return (__mmask16)(0xFFFFu >> (16 - n));
}
SIMD_INLINE vf vf_zero(void) {
    return _mm512_setzero_ps();
}
SIMD_INLINE vf vf_set1(float a) {
    return _mm512_set1_ps(a);
}
SIMD_INLINE vf vf_load(const float *p) {
    return _mm512_loadu_ps(p);
}
SIMD_INLINE vf vf_load_n(const float *p, size_t n) {
    return _mm512_maskz_loadu_ps(vf_mask(n), p);
}
SIMD_INLINE void vf_store(float *p, vf a) {
    _mm512_storeu_ps(p, a);
}
SIMD_INLINE void vf_store_n(float *p, vf a, size_t n) {
    _mm512_mask_storeu_ps(p, vf_mask(n), a);
}
SIMD_INLINE vf vf_add(vf a, vf b) {
    return _mm512_add_ps(a, b);
}
SIMD_INLINE vf vf_sub(vf a, vf b) {
    return _mm512_sub_ps(a, b);
}
SIMD_INLINE vf vf_mul(vf a, vf b) {
    return _mm512_mul_ps(a, b);
}
SIMD_INLINE vf vf_div(vf a, vf b) {
    return _mm512_div_ps(a, b);
}
SIMD_INLINE vf vf_fma(vf a, vf b, vf c) {
    return _mm512_fmadd_ps(a, b, c);
}
/* Of max and min the second operand is the result where one is NaN. */
SIMD_INLINE vf vf_max(vf a, vf b) {
    return _mm512_max_ps(a, b);
}
SIMD_INLINE vf vf_min(vf a, vf b) {
    return _mm512_min_ps(a, b);
}
SIMD_INLINE vf vf_abs(vf a) {
    return _mm512_abs_ps(a);
}
SIMD_INLINE vf vf_load_f16(const uint16_t *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
SIMD_INLINE vf vf_load_f16_n(const uint16_t *p, size_t n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(vf_mask(n), p));
}
SIMD_INLINE void vf_store_f16(uint16_t *p, vf a) {
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(a, 0));
}
SIMD_INLINE void vf_store_f16_n(uint16_t *p, vf a, size_t n) {
    _mm256_mask_storeu_epi16(p, vf_mask(n), _mm512_cvtps_ph(a, 0));
}
SIMD_INLINE vf vf_load_i8(const int8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
SIMD_INLINE vf vf_of_bf16(__m256i h) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}
SIMD_INLINE vf vf_load_bf16(const uint16_t *p) {
    return vf_of_bf16(_mm256_loadu_si256((const __m256i *)p));
}
SIMD_INLINE vf vf_load_bf16_n(const uint16_t *p, size_t n) {
    return vf_of_bf16(_mm256_maskz_loadu_epi16(vf_mask(n), p));
}

SIMD_INLINE __m256 vf_fold(vf a) {
    return _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
}
SIMD_INLINE __m256 vf_fold_max(vf a) {
    return _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
}

SIMD_INLINE vf vf_round(vf a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* a * 2^n of an integral n. */
SIMD_INLINE vf vf_scale(vf a, vf n) {
    return _mm512_scalef_ps(a, n);
}

#else

typedef __m256 vf;
enum { VF_LANES = 8 };

SIMD_INLINE __m256i vf_mask(size_t n) {
    static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(ones + 8 - n));
}
SIMD_INLINE vf vf_zero(void) {
    return _mm256_setzero_ps();
}
SIMD_INLINE vf vf_set1(float a) {
    return _mm256_set1_ps(a);
}
SIMD_INLINE vf vf_load(const float *p) {
    return _mm256_loadu_ps(p);
}
SIMD_INLINE vf vf_load_n(const float *p, size_t n) {
    return _mm256_maskload_ps(p, vf_mask(n));
}
SIMD_INLINE void vf_store(float *p, vf a) {
    _mm256_storeu_ps(p, a);
}
SIMD_INLINE void vf_store_n(float *p, vf a, size_t n) {
    _mm256_maskstore_ps(p, vf_mask(n), a);
}
SIMD_INLINE vf vf_add(vf a, vf b) {
    return _mm256_add_ps(a, b);
}
SIMD_INLINE vf vf_sub(vf a, vf b) {
    return _mm256_sub_ps(a, b);
}
SIMD_INLINE vf vf_mul(vf a, vf b) {
    return _mm256_mul_ps(a, b);
}
SIMD_INLINE vf vf_div(vf a, vf b) {
    return _mm256_div_ps(a, b);
}
SIMD_INLINE vf vf_fma(vf a, vf b, vf c) {
    return _mm256_fmadd_ps(a, b, c);
}
SIMD_INLINE vf vf_max(vf a, vf b) {
    return _mm256_max_ps(a, b);
}
SIMD_INLINE vf vf_min(vf a, vf b) {
    return _mm256_min_ps(a, b);
}
SIMD_INLINE vf vf_abs(vf a) {
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}
/* n < 8 halves, by copies of fixed sizes: a call to memcpy in a loop would cost the loop all its vector registers. */
SIMD_INLINE void vf_copy_16(void *to, const void *from, size_t n) {
    char *d = to;
    const char *s = from;
    if (n & 4) memcpy(d, s, 8), d += 8, s += 8;
    if (n & 2) memcpy(d, s, 4), d += 4, s += 4;
    if (n & 1) memcpy(d, s, 2);
}
SIMD_INLINE __m128i vf_load_16_n(const void *p, size_t n) {
    uint16_t all[8] = {0};
    if (n >= 8) return _mm_loadu_si128(p);
    vf_copy_16(all, p, n);
    return _mm_loadu_si128((const __m128i *)all);
}
SIMD_INLINE vf vf_load_f16(const uint16_t *p) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
SIMD_INLINE vf vf_load_f16_n(const uint16_t *p, size_t n) {
    return _mm256_cvtph_ps(vf_load_16_n(p, n));
}
SIMD_INLINE void vf_store_f16(uint16_t *p, vf a) {
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(a, 0));
}
SIMD_INLINE void vf_store_f16_n(uint16_t *p, vf a, size_t n) {
    uint16_t all[8];
    vf_store_f16(all, a);
    if (n >= 8)
        memcpy(p, all, sizeof all);
    else
        vf_copy_16(p, all, n);
}
SIMD_INLINE vf vf_load_i8(const int8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
SIMD_INLINE vf vf_of_bf16(__m128i h) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}
SIMD_INLINE vf vf_load_bf16(const uint16_t *p) {
    return vf_of_bf16(_mm_loadu_si128((const __m128i *)p));
}
SIMD_INLINE vf vf_load_bf16_n(const uint16_t *p, size_t n) {
    return vf_of_bf16(vf_load_16_n(p, n));
}

SIMD_INLINE __m256 vf_fold(vf a) {
    return a;
}
SIMD_INLINE __m256 vf_fold_max(vf a) {
    return a;
}

SIMD_INLINE vf vf_round(vf a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* In two factors, so that results below 2^-126 and above 2^127 come out as they should; |n| < 250. */
SIMD_INLINE vf vf_scale(vf a, vf n) {
    __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1),
            rest = _mm256_sub_epi32(whole, half);
    __m256i bias = _mm256_set1_epi32(127);
    a = _mm256_mul_ps(a, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23)));
    return _mm256_mul_ps(a, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23)));
}

#endif

/* Sums and maxima over lanes, always in the same tree. */
SIMD_INLINE float v8_sum(__m256 a) {
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}
SIMD_INLINE float v8_max(__m256 a) {
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}
SIMD_INLINE float vf_sum(vf a) {
    return v8_sum(vf_fold(a));
}
SIMD_INLINE float vf_hmax(vf a) {
    return v8_max(vf_fold_max(a));
}

/* Lane i: the sum of v[i]; eight vectors at a time, so that it costs three instructions each. */
SIMD_INLINE __m256 v8_sums(const __m256 v[8]) {
    __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
    __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(v[4], v[5]), _mm256_hadd_ps(v[6], v[7]));
    return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}

/*
 * exp within 2 ulp for every input whose result is normal (4 ulp of the smallest normal below it); NaN stays NaN.
 * exp(x) = 2^n exp(r), |r| <= ln 2 / 2; ln 2 in two parts of which n times the first is exact. The polynomial is the Taylor
 * series up to r^7, whose rest is below 6e-9 relative.
 */
SIMD_INLINE vf vf_exp(vf x) {
    x = vf_max(vf_set1(-104.0f), vf_min(vf_set1(89.0f), x));
    vf n = vf_round(vf_mul(x, vf_set1(1.44269504088896341f)));
    vf r = vf_fma(n, vf_set1(-0.693359375f), x);
    r = vf_fma(n, vf_set1(2.12194440e-4f), r);
    vf p = vf_fma(vf_set1(1.0f / 5040), r, vf_set1(1.0f / 720));
    p = vf_fma(p, r, vf_set1(1.0f / 120));
    p = vf_fma(p, r, vf_set1(1.0f / 24));
    p = vf_fma(p, r, vf_set1(1.0f / 6));
    p = vf_fma(p, r, vf_set1(0.5f));
    p = vf_fma(vf_mul(p, r), r, r);
    return vf_scale(vf_add(p, vf_set1(1.0f)), n);
}

/* Lanes of `below` where |x| < limit, else of `above`. */
SIMD_INLINE vf vf_choose(vf x, float limit, vf below, vf above) {
#ifdef __AVX512F__
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(vf_abs(x), vf_set1(limit), _CMP_LT_OQ), above, below);
#else
    return _mm256_blendv_ps(above, below, _mm256_cmp_ps(vf_abs(x), vf_set1(limit), _CMP_LT_OQ));
#endif
}

/* cap * tanh(x / cap): 1 - 2 / (exp(2z) + 1); near 0 the series, whose next term is below 1e-8 of the result. */
SIMD_INLINE vf vf_softcap(vf x, float cap) {
    vf z = vf_div(x, vf_set1(cap)), s = vf_mul(z, z), one = vf_set1(1);
    vf p = vf_fma(vf_set1(62.0f / 2835), s, vf_set1(-17.0f / 315));
    p = vf_fma(p, s, vf_set1(2.0f / 15));
    p = vf_fma(p, s, vf_set1(-1.0f / 3));
    p = vf_fma(vf_mul(p, s), z, z);
    vf far = vf_sub(one, vf_div(vf_set1(2), vf_add(vf_exp(vf_add(z, z)), one)));
    return vf_mul(vf_set1(cap), vf_choose(z, 0.25f, p, far));
}

/* See cpu_act. */
SIMD_INLINE vf vf_act(uint32_t act, vf g) {
    vf x = g;
    if (act == GRETA_ACT_GELU) {
        vf cube = vf_mul(vf_mul(g, g), g);
        x = vf_mul(vf_set1(1.5957691216f), vf_fma(vf_set1(0.044715f), cube, g));
    }
    return vf_div(g, vf_add(vf_set1(1), vf_exp(vf_sub(vf_zero(), x))));
}

#endif
