/* What the decoders of weights share (vec_blocks.h, vec_codebook.h): the factors of eight units, reads of a few bytes. */
#ifndef KERNELS_CPU_VEC_BATCH_H
#define KERNELS_CPU_VEC_BATCH_H

#include "blocks.h"
#include "simd.h"

enum { BATCH = 8 };

/* Of each unit: factor of its first and last 16 elements, and what is added to them. Units past n have zeros. */
struct batch_scales {
    __m256 d[2], m[2];
};

SIMD_INLINE __m256 v8_f16(__m128i h) {
    return _mm256_cvtph_ps(h);
}
SIMD_INLINE float scalar_f16(const uint8_t *p) {
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(block_u16(p))));
}

SIMD_INLINE uint32_t read_u32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* a * (float)v */
SIMD_INLINE __m256 v8_scaled(float a, __m256i v) {
    return _mm256_mul_ps(_mm256_set1_ps(a), _mm256_cvtepi32_ps(v));
}

/* All ones in byte i where bit i of `bits` is set. */
SIMD_INLINE __m256i bits_spread(uint32_t bits) {
#ifdef __AVX512BW__
    return _mm256_movm_epi8(bits);
#else
    __m256i v = _mm256_set1_epi32((int)bits); /* byte i / 8 of them to byte i, then its bit i % 8 */
    v = _mm256_shuffle_epi8(
        v, _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
    __m256i one = _mm256_set1_epi64x((long long)0x8040201008040201);
    return _mm256_cmpeq_epi8(_mm256_and_si256(v, one), one);
#endif
}

/* -x where bit i of `bits` is set. */
SIMD_INLINE __m256i bits_negate(__m256i x, uint32_t bits) {
#ifdef __AVX512BW__
    return _mm256_mask_sub_epi8(x, bits, _mm256_setzero_si256(), x);
#else
    __m256i v = bits_spread(bits);
    return _mm256_sub_epi8(_mm256_xor_si256(x, v), v);
#endif
}

#endif
