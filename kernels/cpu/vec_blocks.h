/*
 * Weights in file order, decoded by vectors: the same contract as blocks.h, eight units (256 elements) at a time. `p` is a
 * multiple of eight units from the row's start; of the _K types that is a superblock, of the others up to eight blocks.
 */
#ifndef KERNELS_CPU_VEC_BLOCKS_H
#define KERNELS_CPU_VEC_BLOCKS_H

#include "blocks.h"
#include "simd.h"

enum { BATCH = 8 };

/* Of each unit: factor of its first and last 16 elements, and what is added. Units past n have zeros. */
struct batch_scales {
    __m256 d[2], m;
};

SIMD_INLINE size_t batch_bytes(uint32_t type) {
    return block_row_bytes(type, 256);
}

SIMD_INLINE int batch_offset(uint32_t type) {
    return type == GRETA_TYPE_Q8_0 ? 128 : type == GRETA_TYPE_Q4_0 ? 8 : type == GRETA_TYPE_Q6_K ? 32 : 0;
}
SIMD_INLINE bool batch_has_min(uint32_t type) {
    return type == GRETA_TYPE_Q4_1 || type == GRETA_TYPE_Q4_K;
}
SIMD_INLINE bool batch_has_halves(uint32_t type) {
    return type == GRETA_TYPE_Q6_K;
}

SIMD_INLINE __m256 v8_f16(__m128i h) {
    return _mm256_cvtph_ps(h);
}
SIMD_INLINE float scalar_f16(const uint8_t *p) {
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(block_u16(p))));
}

/* The 16 bits at the start of n blocks. */
SIMD_INLINE __m128i halves_read(const uint8_t *p, size_t stride, size_t n) {
    if (n == BATCH)
        return _mm_setr_epi16((short)block_u16(p), (short)block_u16(p + stride),
                              (short)block_u16(p + 2 * stride), (short)block_u16(p + 3 * stride),
                              (short)block_u16(p + 4 * stride), (short)block_u16(p + 5 * stride),
                              (short)block_u16(p + 6 * stride), (short)block_u16(p + 7 * stride));
    uint16_t all[BATCH] = {0};
    for (size_t i = 0; i < n; i++) all[i] = block_u16(p + i * stride);
    return _mm_loadu_si128((const __m128i *)all);
}

SIMD_INLINE uint32_t read_u32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

SIMD_INLINE void scales_q4_1(const uint8_t *p, size_t n, struct batch_scales *out) {
    uint32_t v[BATCH] = {0};
    for (size_t i = 0; i < n; i++) v[i] = read_u32(p + i * Q4_1_BYTES);
    __m128i a = _mm_setr_epi32((int)v[0], (int)v[1], (int)v[2], (int)v[3]);
    __m128i b = _mm_setr_epi32((int)v[4], (int)v[5], (int)v[6], (int)v[7]), low = _mm_set1_epi32(0xFFFF);
    out->d[0] = out->d[1] = v8_f16(_mm_packus_epi32(_mm_and_si128(a, low), _mm_and_si128(b, low)));
    out->m = v8_f16(_mm_packus_epi32(_mm_srli_epi32(a, 16), _mm_srli_epi32(b, 16)));
}

SIMD_INLINE void scales_q4_k(const uint8_t *p, struct batch_scales *out) {
    uint32_t a = read_u32(p + 4), b = read_u32(p + 8), c = read_u32(p + 12);
    uint32_t scale_high = (c & 0x0F0F0F0Fu) | (a >> 6 & 0x03030303u) << 4;
    uint32_t min_high = (c >> 4 & 0x0F0F0F0Fu) | (b >> 6 & 0x03030303u) << 4;
    __m128i scales = _mm_setr_epi32((int)(a & 0x3F3F3F3Fu), (int)scale_high, 0, 0);
    __m128i mins = _mm_setr_epi32((int)(b & 0x3F3F3F3Fu), (int)min_high, 0, 0);
    out->d[0] = out->d[1] =
        _mm256_mul_ps(_mm256_set1_ps(scalar_f16(p)), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(scales)));
    out->m =
        _mm256_mul_ps(_mm256_set1_ps(-scalar_f16(p + 2)), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(mins)));
}

SIMD_INLINE void scales_q6_k(const uint8_t *p, struct batch_scales *out) {
    __m128i s = _mm_loadu_si128((const __m128i *)(p + 192));
    s = _mm_shuffle_epi8(s, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
    __m256 d = _mm256_set1_ps(scalar_f16(p + 208));
    out->d[0] = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(s)));
    out->d[1] = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(s, s))));
    out->m = _mm256_setzero_ps();
}

SIMD_INLINE void batch_scales_read(uint32_t type, const uint8_t *p, size_t n, struct batch_scales *out) {
    if (type == GRETA_TYPE_Q4_1) {
        scales_q4_1(p, n, out);
    } else if (type == GRETA_TYPE_Q4_K) {
        scales_q4_k(p, out);
    } else if (type == GRETA_TYPE_Q6_K) {
        scales_q6_k(p, out);
    } else {
        out->d[0] = out->d[1] = v8_f16(halves_read(p, type == GRETA_TYPE_Q8_0 ? Q8_0_BYTES : Q4_0_BYTES, n));
        out->m = _mm256_setzero_ps();
    }
}

SIMD_INLINE __m256i nibbles_read(const uint8_t *p) {
    __m256i both = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
    both = _mm256_srlv_epi32(both, _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4));
    return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

SIMD_INLINE __m256i q6_k_read(const uint8_t *p, size_t u) {
    __m256i low = _mm256_loadu_si256((const __m256i *)(p + u / 4 * 64 + (u & 1) * 32));
    __m256i high = _mm256_loadu_si256((const __m256i *)(p + 128 + u / 4 * 32));
    low = _mm256_and_si256(_mm256_srl_epi16(low, _mm_cvtsi32_si128((int)(u % 4 / 2 * 4))),
                           _mm256_set1_epi8(15));
    /* To bits 4, 5: up for the first two of four units, down for the last. */
    if (u % 4 < 3)
        high = _mm256_sll_epi16(high, _mm_cvtsi32_si128((int)(4 - u % 4 * 2)));
    else
        high = _mm256_srli_epi16(high, 2);
    return _mm256_or_si256(low, _mm256_and_si256(high, _mm256_set1_epi8(0x30)));
}

/* The 32 elements of unit u of a batch, plus batch_offset: unsigned bytes. */
SIMD_INLINE __m256i batch_unit_read(uint32_t type, const uint8_t *p, size_t u) {
    switch (type) {
    case GRETA_TYPE_Q8_0:
        return _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(p + u * Q8_0_BYTES + 2)),
                                _mm256_set1_epi8(-128));
    case GRETA_TYPE_Q4_0: return nibbles_read(p + u * Q4_0_BYTES + 2);
    case GRETA_TYPE_Q4_1: return nibbles_read(p + u * Q4_1_BYTES + 4);
    case GRETA_TYPE_Q4_K: {
        __m256i both = _mm256_loadu_si256((const __m256i *)(p + 16 + u / 2 * 32));
        if (u & 1) both = _mm256_srli_epi16(both, 4);
        return _mm256_and_si256(both, _mm256_set1_epi8(15));
    }
    default: return q6_k_read(p, u);
    }
}

/*
 * sum over 4 elements in each lane, plus init: unsigned weights by signed activations. Without VNNI the products are first
 * added in pairs of 16 bits: weights of up to 7 bits cannot pass them (2 * 63 * 127), Q8_0 takes the sign of its weight to
 * the activation instead of an offset (2 * 128 * 127 < 2^15).
 */
SIMD_INLINE __m256i batch_dot(uint32_t type, __m256i init, __m256i w, __m256i x) {
#ifdef __AVX512VNNI__
    (void)type;
    return _mm256_dpbusd_epi32(init, w, x);
#else
    const __m256i ones = _mm256_set1_epi16(1);
    if (type == GRETA_TYPE_Q8_0) {
        w = _mm256_xor_si256(w, _mm256_set1_epi8(-128));
        return _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w)), ones);
    }
    return _mm256_add_epi32(init, _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), ones));
#endif
}

/* Whether batch_dot wants init to take batch_offset's part off. */
SIMD_INLINE bool batch_needs_init(uint32_t type) {
#ifdef __AVX512VNNI__
    return batch_offset(type) != 0;
#else
    return batch_offset(type) != 0 && type != GRETA_TYPE_Q8_0;
#endif
}

#endif
