/*
 * The codebook and ternary types by vectors: the same values as codebook.c, one unit of 32 elements at a time, as signed bytes
 * and the factors of their halves. An entry's codes of 2 or 3 bits are spread over bytes by pdep and looked up there.
 */
#ifndef KERNELS_CPU_VEC_CODEBOOK_H
#define KERNELS_CPU_VEC_CODEBOOK_H

#include "blocks.h"
#include "simd.h"

/* Element c is d[c / 16] * w[c]. */
struct codebook_unit {
    __m256i w;
    float d[2];
};

SIMD_INLINE uint32_t codebook_u16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

SIMD_INLINE uint32_t codebook_u32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

SIMD_INLINE float codebook_f16(uint32_t bits) {
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128((int)bits)));
}

/* -w where bit i of `bits` is set. */
SIMD_INLINE __m256i codebook_signed(__m256i w, uint32_t bits) {
#ifdef __AVX512BW__
    return _mm256_mask_sub_epi8(w, bits, _mm256_setzero_si256(), w);
#else
    __m256i v = _mm256_set1_epi32((int)bits), one = _mm256_set1_epi64x((long long)0x8040201008040201);
    v = _mm256_shuffle_epi8(
        v, _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
    v = _mm256_cmpeq_epi8(_mm256_and_si256(v, one), one);
    return _mm256_sign_epi8(w, _mm256_or_si256(v, _mm256_set1_epi8(1)));
#endif
}

/* Four times seven signs in the low 28 bits; the eighth of each makes their number even. */
SIMD_INLINE uint32_t codebook_signs(uint32_t word) {
    uint32_t v = _pdep_u32(word, 0x7F7F7F7F), p = v ^ v >> 4;
    p ^= p >> 2;
    p ^= p >> 1;
    return v | (p & 0x01010101) << 7;
}

/* The values of four entries of eight codes of two bits. */
SIMD_INLINE __m256i codebook_of_twos(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t values) {
    const uint64_t spread = 0x0303030303030303;
    __m256i codes = _mm256_setr_epi64x((long long)_pdep_u64(a, spread), (long long)_pdep_u64(b, spread),
                                       (long long)_pdep_u64(c, spread), (long long)_pdep_u64(d, spread));
    return _mm256_shuffle_epi8(_mm256_set1_epi32((int)values), codes);
}

/* The values of eight entries of four codes of three bits. */
SIMD_INLINE __m256i codebook_of_threes(const uint16_t *book, const uint32_t index[8], uint64_t values) {
    uint64_t codes[4];
    for (int i = 0; i < 4; i++)
        codes[i] = _pdep_u64(book[index[2 * i]] | (uint64_t)book[index[2 * i + 1]] << 12, 0x0707070707070707);
    return _mm256_shuffle_epi8(_mm256_set1_epi64x((long long)values),
                               _mm256_setr_epi64x((long long)codes[0], (long long)codes[1],
                                                  (long long)codes[2], (long long)codes[3]));
}

#define IQ2_CODES UINT32_C(0x002B1908)             /* 8, 25, 43 */
#define IQ1_CODES UINT32_C(0x00100800)             /* eight times 0, 1, 2 */
#define IQ3_XXS_CODES UINT64_C(0x3E342C241C140C04) /* 4, 12, 20 .. 44, 52, 62 */
#define IQ3_S_CODES UINT64_C(0x0F0D0B0907050301)   /* 1, 3 .. 15 */

SIMD_INLINE void codebook_iq2_scales(const uint8_t *b, uint32_t byte, struct codebook_unit *out) {
    float d = codebook_f16(codebook_u16(b));
    out->d[0] = d * (0.5f + (float)(byte & 15)) * 0.25f;
    out->d[1] = d * (0.5f + (float)(byte >> 4)) * 0.25f;
}

SIMD_INLINE void codebook_read_iq2_xxs(const uint8_t *b, size_t u, struct codebook_unit *out) {
    const uint8_t *p = b + 2 + 8 * u;
    const uint16_t *book = codebook_iq2_xxs;
    uint32_t word = codebook_u32(p + 4);
    out->d[0] = out->d[1] = codebook_f16(codebook_u16(b)) * (0.5f + (float)(word >> 28)) * 0.25f;
    out->w = codebook_signed(codebook_of_twos(book[p[0]], book[p[1]], book[p[2]], book[p[3]], IQ2_CODES),
                             codebook_signs(word));
}

SIMD_INLINE void codebook_read_iq2_xs(const uint8_t *b, size_t u, struct codebook_unit *out) {
    const uint16_t *book = codebook_iq2_xs;
    uint32_t q[4], signs = 0;
    for (size_t i = 0; i < 4; i++) {
        q[i] = codebook_u16(b + 2 + 8 * u + 2 * i);
        signs |= q[i] >> 9 << 7 * i;
    }
    codebook_iq2_scales(b, b[66 + u], out);
    out->w = codebook_signed(
        codebook_of_twos(book[q[0] & 511], book[q[1] & 511], book[q[2] & 511], book[q[3] & 511], IQ2_CODES),
        codebook_signs(signs));
}

SIMD_INLINE void codebook_read_iq2_s(const uint8_t *b, size_t u, struct codebook_unit *out) {
    const uint8_t *p = b + 2 + 4 * u;
    const uint16_t *book = codebook_iq2_s;
    uint32_t high = (uint32_t)b[66 + u] << 8;
    codebook_iq2_scales(b, b[74 + u], out);
    out->w = codebook_of_twos(book[p[0] | (high & 0x300)], book[p[1] | (high >> 2 & 0x300)],
                              book[p[2] | (high >> 4 & 0x300)], book[p[3] | (high >> 6 & 0x300)], IQ2_CODES);
    out->w = codebook_signed(out->w, codebook_u32(b + 34 + 4 * u));
}

SIMD_INLINE void codebook_read_iq3_xxs(const uint8_t *b, size_t u, struct codebook_unit *out) {
    const uint8_t *p = b + 2 + 8 * u;
    uint32_t word = codebook_u32(b + 66 + 4 * u), index[8];
    for (int i = 0; i < 8; i++) index[i] = p[i];
    out->d[0] = out->d[1] = codebook_f16(codebook_u16(b)) * (0.5f + (float)(word >> 28)) * 0.5f;
    out->w =
        codebook_signed(codebook_of_threes(codebook_iq3_xxs, index, IQ3_XXS_CODES), codebook_signs(word));
}

SIMD_INLINE void codebook_read_iq3_s(const uint8_t *b, size_t u, struct codebook_unit *out) {
    const uint8_t *p = b + 2 + 8 * u;
    uint32_t high = b[66 + u], index[8];
    for (int i = 0; i < 8; i++) index[i] = p[i] | (high >> i & 1) << 8;
    out->d[0] = out->d[1] =
        codebook_f16(codebook_u16(b)) * (float)(1 + 2 * (b[106 + u / 2] >> 4 * (u % 2) & 15));
    out->w =
        codebook_signed(codebook_of_threes(codebook_iq3_s, index, IQ3_S_CODES), codebook_u32(b + 74 + 4 * u));
}

/* Eight times (code - 1), and the eighth that is added or taken off: whole numbers from -9 to 9. */
SIMD_INLINE void codebook_read_iq1_s(const uint8_t *b, size_t u, struct codebook_unit *out) {
    const uint8_t *p = b + 2 + 4 * u;
    const uint16_t *book = codebook_iq1;
    uint32_t high = codebook_u16(b + 34 + 2 * u);
    out->d[0] = out->d[1] = codebook_f16(codebook_u16(b)) * (float)(2 * (high >> 12 & 7) + 1) * 0.125f;
    out->w =
        codebook_of_twos(book[p[0] | (high & 7) << 8], book[p[1] | (high >> 3 & 7) << 8],
                         book[p[2] | (high >> 6 & 7) << 8], book[p[3] | (high >> 9 & 7) << 8], IQ1_CODES);
    out->w = _mm256_sub_epi8(out->w, _mm256_set1_epi8(high >> 15 ? 9 : 7));
}

SIMD_INLINE void codebook_read_iq1_m(const uint8_t *b, size_t u, struct codebook_unit *out) {
    const uint8_t *p = b + 4 * u, *s = b + 48;
    const uint16_t *book = codebook_iq1;
    uint32_t high = codebook_u16(b + 32 + 2 * u), scales = codebook_u16(s + u / 2 * 2) >> 6 * (u % 2);
    uint32_t d_bits =
        s[1] >> 4 | (uint32_t)(s[3] & 0xF0) | (uint32_t)(s[5] >> 4) << 8 | (uint32_t)(s[7] >> 4) << 12;
    float d = codebook_f16(d_bits) * 0.125f;
    out->d[0] = d * (float)(2 * (scales & 7) + 1);
    out->d[1] = d * (float)(2 * (scales >> 3 & 7) + 1);
    out->w =
        codebook_of_twos(book[p[0] | (high & 7) << 8], book[p[1] | (high >> 4 & 7) << 8],
                         book[p[2] | (high >> 8 & 7) << 8], book[p[3] | (high >> 12 & 7) << 8], IQ1_CODES);
    /* 7 or 9 for each eight: 7 plus twice bit 3 of each nibble. */
    uint64_t off = 0x0707070707070707;
    __m256i minus = _mm256_setr_epi64x((long long)(off + (high >> 3 & 1) * 0x0202020202020202),
                                       (long long)(off + (high >> 7 & 1) * 0x0202020202020202),
                                       (long long)(off + (high >> 11 & 1) * 0x0202020202020202),
                                       (long long)(off + (high >> 15 & 1) * 0x0202020202020202));
    out->w = _mm256_sub_epi8(out->w, minus);
}

SIMD_INLINE __m256i codebook_triple(__m256i q) {
    return _mm256_add_epi8(_mm256_add_epi8(q, q), q);
}

/* -1, 0, 1: three times q / 256 is below 1, below 2, or not. */
SIMD_INLINE __m256i codebook_ternary(__m256i q) {
    __m256i one = _mm256_cmpeq_epi8(_mm256_max_epu8(q, _mm256_set1_epi8(86)), q);
    __m256i two = _mm256_cmpeq_epi8(_mm256_max_epu8(q, _mm256_set1_epi8((char)171)), q);
    return _mm256_sub_epi8(_mm256_sub_epi8(_mm256_set1_epi8(-1), one), two);
}

/* Halves of different digits of the same 16 bytes: the second is one digit further. */
SIMD_INLINE __m256i codebook_two_digits(const uint8_t *p, size_t digit) {
    __m256i q = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
    for (size_t i = 0; i < digit; i++) q = codebook_triple(q);
    return _mm256_blend_epi32(q, codebook_triple(q), 0xF0);
}

SIMD_INLINE void codebook_read_tq1_0(const uint8_t *b, size_t u, struct codebook_unit *out) {
    __m256i q;
    if (u < 5) {
        q = _mm256_loadu_si256((const __m256i *)b);
        for (size_t i = 0; i < u; i++) q = codebook_triple(q);
    } else {
        q = codebook_two_digits(b + 32, u == 5 ? 0 : u == 6 ? 2 : 4);
    }
    if (u == 7) { /* the last 16: four digits of four bytes */
        __m256i first = _mm256_set1_epi32((int)codebook_u32(b + 48)), second = codebook_triple(first),
                third = codebook_triple(second);
        __m256i pairs = _mm256_blend_epi32(_mm256_blend_epi32(first, second, 0xAA),
                                           _mm256_blend_epi32(third, codebook_triple(third), 0xAA), 0xCC);
        q = _mm256_blend_epi32(q, pairs, 0xF0);
    }
    out->d[0] = out->d[1] = codebook_f16(codebook_u16(b + 52));
    out->w = codebook_ternary(q);
}

SIMD_INLINE void codebook_read_tq2_0(const uint8_t *b, size_t u, struct codebook_unit *out) {
    __m256i all = _mm256_loadu_si256((const __m256i *)(b + u / 4 * 32));
    all = _mm256_and_si256(_mm256_srl_epi16(all, _mm_cvtsi32_si128((int)(u % 4 * 2))), _mm256_set1_epi8(3));
    out->d[0] = out->d[1] = codebook_f16(codebook_u16(b + 64));
    out->w = _mm256_sub_epi8(all, _mm256_set1_epi8(1));
}

/* Unit u of the block at b, u < 8; `type` is known to the compiler. */
SIMD_INLINE void codebook_read(uint32_t type, const uint8_t *b, size_t u, struct codebook_unit *out) {
    switch (type) {
    case GRETA_TYPE_IQ1_S: codebook_read_iq1_s(b, u, out); break;
    case GRETA_TYPE_IQ1_M: codebook_read_iq1_m(b, u, out); break;
    case GRETA_TYPE_IQ2_XXS: codebook_read_iq2_xxs(b, u, out); break;
    case GRETA_TYPE_IQ2_XS: codebook_read_iq2_xs(b, u, out); break;
    case GRETA_TYPE_IQ2_S: codebook_read_iq2_s(b, u, out); break;
    case GRETA_TYPE_IQ3_XXS: codebook_read_iq3_xxs(b, u, out); break;
    case GRETA_TYPE_IQ3_S: codebook_read_iq3_s(b, u, out); break;
    case GRETA_TYPE_TQ1_0: codebook_read_tq1_0(b, u, out); break;
    default: codebook_read_tq2_0(b, u, out); break;
    }
}

/* Sums of four products in each lane: at most 2 * 62 * 127 in 16 bits. */
SIMD_INLINE __m256i codebook_dot(__m256i w, __m256i x) {
    __m256i size = _mm256_abs_epi8(w), by = _mm256_sign_epi8(x, w);
#ifdef __AVX512VNNI__
    return _mm256_dpbusd_epi32(_mm256_setzero_si256(), size, by);
#else
    return _mm256_madd_epi16(_mm256_maddubs_epi16(size, by), _mm256_set1_epi16(1));
#endif
}

/* A row times activations of type Q8A: xq and their scales xd, a unit each. */
SIMD_INLINE float codebook_row_dot(uint32_t type, const uint8_t *row, const int8_t *xq, const float *xd,
                                   size_t n_units) {
    __m256 acc[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    size_t bytes = block_row_bytes(type, 256);
    for (size_t u0 = 0; u0 < n_units; u0 += 8, row += bytes)
#pragma GCC unroll 8
        for (size_t u = 0; u < 8; u++) {
            struct codebook_unit unit;
            codebook_read(type, row, u, &unit);
            __m256 d =
                _mm256_set_m128(_mm_set1_ps(unit.d[1] * xd[u0 + u]), _mm_set1_ps(unit.d[0] * xd[u0 + u]));
            __m256i dot = codebook_dot(unit.w, _mm256_loadu_si256((const __m256i *)(xq + (u0 + u) * 32)));
            acc[u & 1] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), d, acc[u & 1]);
        }
    return v8_sum(_mm256_add_ps(acc[0], acc[1]));
}

/* Unit i_unit of a row as f32; `type` is known to the compiler. */
SIMD_INLINE void codebook_unit_floats(uint32_t type, const uint8_t *row, size_t i_unit, float out[32]) {
    struct codebook_unit unit;
    int8_t w[32];
    codebook_read(type, row + i_unit / 8 * block_row_bytes(type, 256), i_unit % 8, &unit);
    _mm256_storeu_si256((__m256i *)w, unit.w);
    for (size_t k = 0; k < 4; k++) {
        __m256i whole = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(w + 8 * k)));
        _mm256_storeu_ps(out + 8 * k,
                         _mm256_mul_ps(_mm256_cvtepi32_ps(whole), _mm256_set1_ps(unit.d[k / 2])));
    }
}

/* The same for a type that is known at run time only. */
static inline __attribute__((unused)) void codebook_unit_any(uint32_t type, const uint8_t *row, size_t i_unit,
                                                             float out[32]) {
    switch (type) {
#define OF_TYPE(name) \
    case GRETA_TYPE_##name: codebook_unit_floats(GRETA_TYPE_##name, row, i_unit, out); break;
        CODEBOOK_TYPE_LIST(OF_TYPE)
#undef OF_TYPE
    default: memset(out, 0, 32 * sizeof *out); break;
    }
}

#endif
