/*
 * The codebook and ternary types by vectors: the same values as codebook.c, by the contract of vec_blocks.h: unsigned bytes, of up to
 * 62, less an offset; but of IQ2 and IQ3 the signs are bits apart. A block is a batch: eight units of 32 elements.
 */
#ifndef KERNELS_CPU_VEC_CODEBOOK_H
#define KERNELS_CPU_VEC_CODEBOOK_H

#include "codebook_bytes.h"
#include "vec_batch.h"

/* ---- what holds of a type; it is known to the compiler ---- */

SIMD_INLINE int codebook_offset(uint32_t type) {
    return type == GRETA_TYPE_IQ1_M ? 9 : type == GRETA_TYPE_TQ1_0 || type == GRETA_TYPE_TQ2_0 ? 1 : 0;
}
/* The largest byte of codebook_read. */
SIMD_INLINE int codebook_max(uint32_t type) {
    switch (type) {
    case GRETA_TYPE_IQ1_S: return 16;
    case GRETA_TYPE_IQ1_M: return 18;
    case GRETA_TYPE_IQ2_XXS:
    case GRETA_TYPE_IQ2_XS:
    case GRETA_TYPE_IQ2_S: return 43;
    case GRETA_TYPE_IQ3_XXS: return 62;
    case GRETA_TYPE_IQ3_S: return 15;
    default: return 2;
    }
}
SIMD_INLINE bool codebook_has_min(uint32_t type) {
    return type == GRETA_TYPE_IQ1_S;
}
SIMD_INLINE bool codebook_has_halves(uint32_t type) {
    return type == GRETA_TYPE_IQ1_M || type == GRETA_TYPE_IQ2_XS || type == GRETA_TYPE_IQ2_S;
}
SIMD_INLINE bool codebook_has_signs(uint32_t type) {
    return type == GRETA_TYPE_IQ2_XXS || type == GRETA_TYPE_IQ2_XS || type == GRETA_TYPE_IQ2_S ||
           type == GRETA_TYPE_IQ3_XXS || type == GRETA_TYPE_IQ3_S;
}

/* ---- factors ---- */

/* d (2 v + 1) */
SIMD_INLINE __m256 codebook_odd(float d, __m256i v) {
    return v8_scaled(d, _mm256_add_epi32(_mm256_add_epi32(v, v), _mm256_set1_epi32(1)));
}

/* d (v + 1/2) */
SIMD_INLINE __m256 codebook_half(float d, __m256i v) {
    return codebook_odd(0.5f * d, v);
}

SIMD_INLINE void codebook_scales_iq1_s(const uint8_t *p, struct batch_scales *out) {
    __m256i v = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p + 34)));
    out->d[0] = codebook_odd(scalar_f16(p) * 0.125f,
                             _mm256_and_si256(_mm256_srli_epi32(v, 12), _mm256_set1_epi32(7)));
    /* Eight times the value is 8 more than it should be, and an eighth is added or taken off. */
    __m256i off = _mm256_add_epi32(_mm256_srli_epi32(v, 15), _mm256_srli_epi32(v, 15));
    off = _mm256_sub_epi32(_mm256_set1_epi32(-7), off);
    out->m[0] = out->m[1] = _mm256_mul_ps(out->d[0], _mm256_cvtepi32_ps(off));
    out->d[1] = out->d[0];
}

SIMD_INLINE void codebook_scales_iq1_m(const uint8_t *p, struct batch_scales *out) {
    const uint8_t *s = p + 48;
    uint8_t d_bits[2] = {(uint8_t)(s[1] >> 4 | (s[3] & 0xF0)), (uint8_t)(s[5] >> 4 | (s[7] & 0xF0))};
    float d = scalar_f16(d_bits) * 0.125f;
    __m256i v = _mm256_castsi128_si256(
        _mm_cvtepu16_epi32(_mm_loadl_epi64((const __m128i *)s))); /* of two units each */
    v = _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
    v = _mm256_srlv_epi32(v, _mm256_setr_epi32(0, 6, 0, 6, 0, 6, 0, 6));
    out->d[0] = codebook_odd(d, _mm256_and_si256(v, _mm256_set1_epi32(7)));
    out->d[1] = codebook_odd(d, _mm256_and_si256(_mm256_srli_epi32(v, 3), _mm256_set1_epi32(7)));
}

/* Four bits each in the second of every two words. */
SIMD_INLINE void codebook_scales_iq2_xxs(const uint8_t *p, struct batch_scales *out) {
    __m256 a = _mm256_loadu_ps((const float *)(const void *)(p + 2)),
           b = _mm256_loadu_ps((const float *)(const void *)(p + 34));
    __m256i v = _mm256_permute4x64_epi64(_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xDD)), 0xD8);
    out->d[0] = out->d[1] = codebook_half(scalar_f16(p) * 0.25f, _mm256_srli_epi32(v, 28));
}

/* Four bits each for the halves of a unit. */
SIMD_INLINE void codebook_scales_iq2(const uint8_t *p, const uint8_t *scales, struct batch_scales *out) {
    __m256i v = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)scales));
    float d = scalar_f16(p) * 0.25f;
    out->d[0] = codebook_half(d, _mm256_and_si256(v, _mm256_set1_epi32(15)));
    out->d[1] = codebook_half(d, _mm256_srli_epi32(v, 4));
}

SIMD_INLINE void codebook_scales_iq3_xxs(const uint8_t *p, struct batch_scales *out) {
    __m256i v = _mm256_loadu_si256((const __m256i *)(p + 66));
    out->d[0] = out->d[1] = codebook_half(scalar_f16(p) * 0.5f, _mm256_srli_epi32(v, 28));
}

SIMD_INLINE void codebook_scales_iq3_s(const uint8_t *p, struct batch_scales *out) {
    __m256i v = _mm256_srlv_epi32(_mm256_set1_epi32((int)read_u32(p + 106)),
                                  _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
    out->d[0] = out->d[1] = codebook_odd(scalar_f16(p), _mm256_and_si256(v, _mm256_set1_epi32(15)));
}

/* m is set for IQ1_S only. */
SIMD_INLINE void codebook_scales_read(uint32_t type, const uint8_t *p, struct batch_scales *out) {
    switch (type) {
    case GRETA_TYPE_IQ1_S: codebook_scales_iq1_s(p, out); break;
    case GRETA_TYPE_IQ1_M: codebook_scales_iq1_m(p, out); break;
    case GRETA_TYPE_IQ2_XXS: codebook_scales_iq2_xxs(p, out); break;
    case GRETA_TYPE_IQ2_XS: codebook_scales_iq2(p, p + 66, out); break;
    case GRETA_TYPE_IQ2_S: codebook_scales_iq2(p, p + 74, out); break;
    case GRETA_TYPE_IQ3_XXS: codebook_scales_iq3_xxs(p, out); break;
    case GRETA_TYPE_IQ3_S: codebook_scales_iq3_s(p, out); break;
    default:
        out->d[0] = out->d[1] = _mm256_set1_ps(scalar_f16(p + (type == GRETA_TYPE_TQ1_0 ? 52 : 64)));
        break;
    }
}

/* ---- signs ---- */

/* Four times seven signs in the low 28 bits; the eighth of each makes their number even. */
SIMD_INLINE uint32_t codebook_even_signs(uint32_t word) {
    uint32_t v = _pdep_u32(word, 0x7F7F7F7F), p = v ^ v >> 4;
    p ^= p >> 2;
    p ^= p >> 1;
    return v | (p & 0x01010101) << 7;
}

/* Bit i: element i of the unit is negative. */
SIMD_INLINE uint32_t codebook_signs(uint32_t type, const uint8_t *p, size_t u) {
    uint64_t all;
    switch (type) {
    case GRETA_TYPE_IQ2_XXS: return codebook_even_signs(read_u32(p + 6 + 8 * u));
    case GRETA_TYPE_IQ2_XS: /* seven bits above nine of each index */
        memcpy(&all, p + 2 + 8 * u, sizeof all);
        return codebook_even_signs((uint32_t)_pext_u64(all, 0xFE00FE00FE00FE00));
    case GRETA_TYPE_IQ2_S: return read_u32(p + 34 + 4 * u);
    case GRETA_TYPE_IQ3_XXS: return codebook_even_signs(read_u32(p + 66 + 4 * u));
    case GRETA_TYPE_IQ3_S: return read_u32(p + 74 + 4 * u);
    default: return 0;
    }
}

/* ---- elements ---- */

SIMD_INLINE __m256i codebook_eights(const uint64_t *book, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    return _mm256_setr_epi64x((long long)book[a], (long long)book[b], (long long)book[c], (long long)book[d]);
}

SIMD_INLINE __m256i codebook_read_iq1_s(const uint8_t *b, size_t u) {
    const uint8_t *p = b + 2 + 4 * u;
    uint32_t high = block_u16(b + 34 + 2 * u);
    return codebook_eights(cpu_iq1_bytes, p[0] | (high & 7) << 8, p[1] | (high >> 3 & 7) << 8,
                           p[2] | (high >> 6 & 7) << 8, p[3] | (high >> 9 & 7) << 8);
}

/* 2 more where an eighth is added. */
SIMD_INLINE __m256i codebook_read_iq1_m(const uint8_t *b, size_t u) {
    const uint8_t *p = b + 4 * u;
    uint32_t high = block_u16(b + 32 + 2 * u);
    __m256i w = codebook_eights(cpu_iq1_bytes, p[0] | (high & 7) << 8, p[1] | (high >> 4 & 7) << 8,
                                p[2] | (high >> 8 & 7) << 8, p[3] | (high >> 12 & 7) << 8);
    __m256i bit = _mm256_srlv_epi64(_mm256_set1_epi64x((long long)~high), _mm256_setr_epi64x(2, 6, 10, 14));
    bit = _mm256_shuffle_epi8(bit, _mm256_setr_epi64x(0, 0x0808080808080808, 0, 0x0808080808080808));
    return _mm256_add_epi8(w, _mm256_and_si256(bit, _mm256_set1_epi8(2)));
}

SIMD_INLINE __m256i codebook_read_iq2_xs(const uint8_t *b, size_t u) {
    const uint8_t *p = b + 2 + 8 * u;
    return codebook_eights(cpu_iq2_xs_bytes, block_u16(p) & 511u, block_u16(p + 2) & 511u,
                           block_u16(p + 4) & 511u, block_u16(p + 6) & 511u);
}

SIMD_INLINE __m256i codebook_read_iq2_s(const uint8_t *b, size_t u) {
    const uint8_t *p = b + 2 + 4 * u;
    uint32_t high = (uint32_t)b[66 + u] << 8;
    return codebook_eights(cpu_iq2_s_bytes, p[0] | (high & 0x300), p[1] | (high >> 2 & 0x300),
                           p[2] | (high >> 4 & 0x300), p[3] | (high >> 6 & 0x300));
}

SIMD_INLINE __m256i codebook_read_iq3_xxs(const uint8_t *b, size_t u) {
    const uint8_t *p = b + 2 + 8 * u;
    const uint32_t *book = cpu_iq3_xxs_bytes;
    return _mm256_setr_epi32((int)book[p[0]], (int)book[p[1]], (int)book[p[2]], (int)book[p[3]],
                             (int)book[p[4]], (int)book[p[5]], (int)book[p[6]], (int)book[p[7]]);
}

SIMD_INLINE __m256i codebook_read_iq3_s(const uint8_t *b, size_t u) {
    const uint8_t *p = b + 2 + 8 * u;
    const uint32_t *book = cpu_iq3_s_bytes;
    uint32_t high = (uint32_t)b[66 + u] << 8;
    return _mm256_setr_epi32((int)book[p[0] | (high & 256)], (int)book[p[1] | (high >> 1 & 256)],
                             (int)book[p[2] | (high >> 2 & 256)], (int)book[p[3] | (high >> 3 & 256)],
                             (int)book[p[4] | (high >> 4 & 256)], (int)book[p[5] | (high >> 5 & 256)],
                             (int)book[p[6] | (high >> 6 & 256)], (int)book[p[7] | (high >> 7 & 256)]);
}

SIMD_INLINE __m256i codebook_triple(__m256i q) {
    return _mm256_add_epi8(_mm256_add_epi8(q, q), q);
}

/* 0, 1, 2: three times q / 256 is below 1, below 2, or not. */
SIMD_INLINE __m256i codebook_ternary(__m256i q) {
    __m256i below_one = _mm256_cmpeq_epi8(_mm256_min_epu8(q, _mm256_set1_epi8(85)), q);
    __m256i below_two = _mm256_cmpeq_epi8(_mm256_min_epu8(q, _mm256_set1_epi8((char)170)), q);
    return _mm256_add_epi8(_mm256_add_epi8(_mm256_set1_epi8(2), below_one), below_two);
}

/* Halves of different digits of the same 16 bytes: the second is one digit further. */
SIMD_INLINE __m256i codebook_two_digits(const uint8_t *p, size_t digit) {
    __m256i q = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
    for (size_t i = 0; i < digit; i++) q = codebook_triple(q);
    return _mm256_blend_epi32(q, codebook_triple(q), 0xF0);
}

SIMD_INLINE __m256i codebook_read_tq1_0(const uint8_t *b, size_t u) {
    __m256i q;
    if (u < 5) {
        q = _mm256_loadu_si256((const __m256i *)b);
        for (size_t i = 0; i < u; i++) q = codebook_triple(q);
    } else {
        q = codebook_two_digits(b + 32, u == 5 ? 0 : u == 6 ? 2 : 4);
    }
    if (u == 7) { /* the last 16: four digits of four bytes */
        __m256i first = _mm256_set1_epi32((int)read_u32(b + 48)), second = codebook_triple(first),
                third = codebook_triple(second);
        __m256i pairs = _mm256_blend_epi32(_mm256_blend_epi32(first, second, 0xAA),
                                           _mm256_blend_epi32(third, codebook_triple(third), 0xAA), 0xCC);
        q = _mm256_blend_epi32(q, pairs, 0xF0);
    }
    return codebook_ternary(q);
}

SIMD_INLINE __m256i codebook_read_tq2_0(const uint8_t *b, size_t u) {
    __m256i all = _mm256_loadu_si256((const __m256i *)(b + u / 4 * 32));
    return _mm256_and_si256(_mm256_srl_epi16(all, _mm_cvtsi32_si128((int)(u % 4 * 2))), _mm256_set1_epi8(3));
}

/* Unit u of the block at b, u < 8, without its signs and plus codebook_offset. */
SIMD_INLINE __m256i codebook_read(uint32_t type, const uint8_t *b, size_t u) {
    const uint8_t *p = b + 2 + 8 * u;
    switch (type) {
    case GRETA_TYPE_IQ1_S: return codebook_read_iq1_s(b, u);
    case GRETA_TYPE_IQ1_M: return codebook_read_iq1_m(b, u);
    case GRETA_TYPE_IQ2_XXS: return codebook_eights(cpu_iq2_xxs_bytes, p[0], p[1], p[2], p[3]);
    case GRETA_TYPE_IQ2_XS: return codebook_read_iq2_xs(b, u);
    case GRETA_TYPE_IQ2_S: return codebook_read_iq2_s(b, u);
    case GRETA_TYPE_IQ3_XXS: return codebook_read_iq3_xxs(b, u);
    case GRETA_TYPE_IQ3_S: return codebook_read_iq3_s(b, u);
    case GRETA_TYPE_TQ1_0: return codebook_read_tq1_0(b, u);
    default: return codebook_read_tq2_0(b, u);
    }
}

#endif
