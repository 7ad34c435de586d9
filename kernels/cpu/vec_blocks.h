/*
 * Weights in file order, decoded by vectors: the same contract as blocks.h, eight units (256 elements) at a time. `p` is a
 * multiple of eight units from the row's start; of the _K types that is a superblock, of the others up to eight blocks.
 */
#ifndef KERNELS_CPU_VEC_BLOCKS_H
#define KERNELS_CPU_VEC_BLOCKS_H

#include "vec_batch.h"
#include "vec_codebook.h"

SIMD_INLINE size_t batch_bytes(uint32_t type) {
    return block_row_bytes(type, 256);
}

SIMD_INLINE int batch_offset(uint32_t type) {
    switch (type) {
    case GRETA_TYPE_Q8_0:
    case GRETA_TYPE_IQ4_NL:
    case GRETA_TYPE_IQ4_XS: return 128;
    case GRETA_TYPE_Q6_K: return 32;
    case GRETA_TYPE_Q5_0: return 16;
    case GRETA_TYPE_Q4_0: return 8;
    case GRETA_TYPE_Q3_K: return 4;
    default: return codebook_offset(type);
    }
}
/* Elements of eight bits: without VNNI pairs of their products would not fit into 16 bits. */
SIMD_INLINE bool batch_is_wide(uint32_t type) {
    return batch_offset(type) == 128;
}
/* Blocks of 256: a batch is one. */
SIMD_INLINE bool batch_is_block(uint32_t type) {
    return type == GRETA_TYPE_Q4_K || type == GRETA_TYPE_Q5_K || type == GRETA_TYPE_Q6_K ||
           type == GRETA_TYPE_Q2_K || type == GRETA_TYPE_Q3_K || type == GRETA_TYPE_IQ4_XS ||
           type >= GRETA_N_PACKED_TYPES;
}
SIMD_INLINE bool batch_has_min(uint32_t type) {
    return type == GRETA_TYPE_Q4_1 || type == GRETA_TYPE_Q4_K || type == GRETA_TYPE_Q5_1 ||
           type == GRETA_TYPE_Q5_K || type == GRETA_TYPE_Q2_K || type == GRETA_TYPE_IQ1_S;
}
/* Whether the halves of a unit differ in their factors / in what is added. */
SIMD_INLINE bool batch_has_halves(uint32_t type) {
    return type == GRETA_TYPE_Q6_K || type == GRETA_TYPE_Q2_K || type == GRETA_TYPE_Q3_K ||
           codebook_has_halves(type);
}
SIMD_INLINE bool batch_has_min_halves(uint32_t type) {
    return type == GRETA_TYPE_Q2_K;
}

/* The 16 bits at the start of n blocks; `stride` is known to the compiler. */
SIMD_INLINE __m128i halves_read(const uint8_t *p, size_t stride, size_t n) {
#ifdef __AVX512BW__
    if (n == BATCH && stride == Q4_0_BYTES) { /* four in each of two vectors, 9 words apart */
        __m512i a = _mm512_loadu_si512(p), b = _mm512_loadu_si512(p + 4 * Q4_0_BYTES);
        __m512i from = _mm512_castsi128_si512(_mm_setr_epi16(0, 9, 18, 27, 32, 41, 50, 59));
        return _mm512_castsi512_si128(_mm512_permutex2var_epi16(a, from, b));
    }
    if (n == BATCH && stride == Q8_0_BYTES) {
        /* Two in each of four vectors, 17 words apart; the last vector ends within the last block. */
        __m512i v[4], from = _mm512_castsi128_si512(_mm_setr_epi16(0, 17, 32, 49, 0, 0, 0, 0));
        for (size_t i = 0; i < 4; i++) v[i] = _mm512_loadu_si512(p + 2 * i * Q8_0_BYTES);
        return _mm_unpacklo_epi64(_mm512_castsi512_si128(_mm512_permutex2var_epi16(v[0], from, v[1])),
                                  _mm512_castsi512_si128(_mm512_permutex2var_epi16(v[2], from, v[3])));
    }
#endif
    if (n == BATCH)
        return _mm_setr_epi16((short)block_u16(p), (short)block_u16(p + stride),
                              (short)block_u16(p + 2 * stride), (short)block_u16(p + 3 * stride),
                              (short)block_u16(p + 4 * stride), (short)block_u16(p + 5 * stride),
                              (short)block_u16(p + 6 * stride), (short)block_u16(p + 7 * stride));
    uint16_t all[BATCH] = {0};
    for (size_t i = 0; i < n; i++) all[i] = block_u16(p + i * stride);
    return _mm_loadu_si128((const __m128i *)all);
}

SIMD_INLINE void scales_q4_1(const uint8_t *p, size_t stride, size_t n, struct batch_scales *out) {
    const __m128i low = _mm_set1_epi32(0xFFFF);
    __m128i a, b;
#ifdef __AVX512F__
    if (n == BATCH &&
        stride == Q4_1_BYTES) { /* 5 words of 32 bits apart; the second vector ends with the last block */
        __m128i from = _mm_setr_epi32(0, 5, 10, 15);
        a = _mm512_castsi512_si128(
            _mm512_permutexvar_epi32(_mm512_castsi128_si512(from), _mm512_loadu_si512(p)));
        b = _mm512_castsi512_si128(
            _mm512_permutexvar_epi32(_mm512_castsi128_si512(from), _mm512_loadu_si512(p + 4 * Q4_1_BYTES)));
    } else
#endif
    {
        uint32_t v[BATCH] = {0};
        for (size_t i = 0; i < n; i++) v[i] = read_u32(p + i * stride);
        a = _mm_setr_epi32((int)v[0], (int)v[1], (int)v[2], (int)v[3]);
        b = _mm_setr_epi32((int)v[4], (int)v[5], (int)v[6], (int)v[7]);
    }
    out->d[0] = out->d[1] = v8_f16(_mm_packus_epi32(_mm_and_si128(a, low), _mm_and_si128(b, low)));
    out->m[0] = out->m[1] = v8_f16(_mm_packus_epi32(_mm_srli_epi32(a, 16), _mm_srli_epi32(b, 16)));
}

/* Six bits each, see block_q4_k_scale: words 0, 1 of `both` become the scales of units 0 .. 3, 4 .. 7, words 2, 3 the minima. */
SIMD_INLINE void scales_q4_k(const uint8_t *p, struct batch_scales *out) {
    __m128i all = _mm_loadu_si128((const __m128i *)p); /* d, dmin, twelve bytes */
    __m128i low =
        _mm_shuffle_epi8(all, _mm_setr_epi8(4, 5, 6, 7, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
    __m128i high =
        _mm_shuffle_epi8(all, _mm_setr_epi8(-1, -1, -1, -1, 4, 5, 6, 7, -1, -1, -1, -1, 8, 9, 10, 11));
    low = _mm_and_si128(_mm_srlv_epi32(low, _mm_setr_epi32(0, 0, 0, 4)),
                        _mm_setr_epi32(0x3F3F3F3F, 0x0F0F0F0F, 0x3F3F3F3F, 0x0F0F0F0F));
    high = _mm_and_si128(_mm_srli_epi16(high, 2), _mm_set1_epi8(0x30));
    __m128i both = _mm_or_si128(low, high);
    __m128 d = _mm_cvtph_ps(all);
    __m256 by[2] = {_mm256_broadcastss_ps(d), _mm256_broadcastss_ps(_mm_movehdup_ps(d))};
    out->d[0] = out->d[1] = _mm256_mul_ps(by[0], _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(both)));
    __m256 min = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_unpackhi_epi64(both, both)));
    out->m[0] = out->m[1] = _mm256_mul_ps(_mm256_xor_ps(by[1], _mm256_set1_ps(-0.0f)), min);
}

/* Sixteen signed bytes, one for each half of a unit, times d. */
SIMD_INLINE void halves_multiply(__m128i s, float d, __m256 out[2]) {
    s = _mm_shuffle_epi8(s, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
    out[0] = _mm256_mul_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(s)));
    out[1] =
        _mm256_mul_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(s, s))));
}

SIMD_INLINE void scales_q6_k(const uint8_t *p, struct batch_scales *out) {
    halves_multiply(_mm_loadu_si128((const __m128i *)(p + 192)), scalar_f16(p + 208), out->d);
}

SIMD_INLINE void scales_q2_k(const uint8_t *p, struct batch_scales *out) {
    __m128i both = _mm_loadu_si128((const __m128i *)p), low = _mm_set1_epi8(15);
    halves_multiply(_mm_and_si128(both, low), scalar_f16(p + 80), out->d);
    halves_multiply(_mm_and_si128(_mm_srli_epi16(both, 4), low), -scalar_f16(p + 82), out->m);
}

SIMD_INLINE void scales_q3_k(const uint8_t *p, struct batch_scales *out) {
    uint32_t a = read_u32(p + 96), b = read_u32(p + 100), c = read_u32(p + 104), low = 0x0F0F0F0F,
             two = 0x03030303;
    __m128i s = _mm_setr_epi32((int)((a & low) | (c & two) << 4), (int)((b & low) | (c >> 2 & two) << 4),
                               (int)((a >> 4 & low) | (c >> 4 & two) << 4),
                               (int)((b >> 4 & low) | (c >> 6 & two) << 4));
    halves_multiply(_mm_sub_epi8(s, _mm_set1_epi8(32)), scalar_f16(p + 108), out->d);
}

SIMD_INLINE void scales_iq4_xs(const uint8_t *p, struct batch_scales *out) {
    __m256i low = _mm256_set1_epi32((int)read_u32(p + 4)), high = _mm256_set1_epi32(block_u16(p + 2));
    low = _mm256_and_si256(_mm256_srlv_epi32(low, _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28)),
                           _mm256_set1_epi32(15));
    high = _mm256_and_si256(_mm256_srlv_epi32(high, _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14)),
                            _mm256_set1_epi32(3));
    __m256i s = _mm256_sub_epi32(_mm256_or_si256(low, _mm256_slli_epi32(high, 4)), _mm256_set1_epi32(32));
    out->d[0] = out->d[1] = _mm256_mul_ps(_mm256_set1_ps(scalar_f16(p)), _mm256_cvtepi32_ps(s));
}

SIMD_INLINE void batch_scales_read(uint32_t type, const uint8_t *p, size_t n, struct batch_scales *out) {
    if (!batch_has_min(type)) out->m[0] = out->m[1] = _mm256_setzero_ps();
    switch (type) {
    case GRETA_TYPE_Q4_1:
    case GRETA_TYPE_Q5_1: scales_q4_1(p, block_row_bytes(type, 32), n, out); break;
    case GRETA_TYPE_Q4_K:
    case GRETA_TYPE_Q5_K: scales_q4_k(p, out); break;
    case GRETA_TYPE_Q6_K: scales_q6_k(p, out); break;
    case GRETA_TYPE_Q2_K: scales_q2_k(p, out); break;
    case GRETA_TYPE_Q3_K: scales_q3_k(p, out); break;
    case GRETA_TYPE_IQ4_XS: scales_iq4_xs(p, out); break;
    case GRETA_TYPE_Q8_0:
    case GRETA_TYPE_Q4_0:
    case GRETA_TYPE_Q5_0:
    case GRETA_TYPE_IQ4_NL:
        out->d[0] = out->d[1] = v8_f16(halves_read(p, block_row_bytes(type, 32), n));
        break;
    default: codebook_scales_read(type, p, out); break;
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

/* Bit i of `bits` as 16 in byte i. */
SIMD_INLINE __m256i fifth_bits(uint32_t bits) {
#ifdef __AVX512BW__
    return _mm256_maskz_mov_epi8(bits, _mm256_set1_epi8(16));
#else
    return _mm256_and_si256(bits_spread(bits), _mm256_set1_epi8(16));
#endif
}

/* Bit u of the 32 bytes at p, as bit `to` of each byte. */
SIMD_INLINE __m256i unit_bits(const uint8_t *p, size_t u, size_t to) {
    __m256i v = _mm256_loadu_si256((const __m256i *)p);
    v = u > to ? _mm256_srl_epi16(v, _mm_cvtsi32_si128((int)(u - to)))
               : _mm256_sll_epi16(v, _mm_cvtsi32_si128((int)(to - u)));
    return _mm256_and_si256(v, _mm256_set1_epi8((char)(1 << to)));
}

/* Nibbles of units 2i and 2i + 1 lie in the same 32 bytes. */
SIMD_INLINE __m256i pair_read(const uint8_t *p, size_t u) {
    __m256i both = _mm256_loadu_si256((const __m256i *)(p + u / 2 * 32));
    if (u & 1) both = _mm256_srli_epi16(both, 4);
    return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

/* Two bits each: four units in the same 32 bytes. */
SIMD_INLINE __m256i quarters_read(const uint8_t *p, size_t u) {
    __m256i all = _mm256_loadu_si256((const __m256i *)(p + u / 4 * 32));
    return _mm256_and_si256(_mm256_srl_epi16(all, _mm_cvtsi32_si128((int)(u % 4 * 2))), _mm256_set1_epi8(3));
}

SIMD_INLINE __m256i iq4_read(const uint8_t *p) {
    __m128i values = _mm_xor_si128(_mm_setr_epi8(GRETA_IQ4_VALUES), _mm_set1_epi8(-128));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), nibbles_read(p));
}

/* The 32 elements of unit u of a batch, plus batch_offset: unsigned bytes; signs of codebooks are apart. */
SIMD_INLINE __m256i batch_unit_read(uint32_t type, const uint8_t *p, size_t u) {
    switch (type) {
    case GRETA_TYPE_Q8_0:
        return _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(p + u * Q8_0_BYTES + 2)),
                                _mm256_set1_epi8(-128));
    case GRETA_TYPE_Q4_0: return nibbles_read(p + u * Q4_0_BYTES + 2);
    case GRETA_TYPE_Q4_1: return nibbles_read(p + u * Q4_1_BYTES + 4);
    case GRETA_TYPE_Q5_0:
        p += u * Q5_0_BYTES;
        return _mm256_or_si256(nibbles_read(p + 6), fifth_bits(read_u32(p + 2)));
    case GRETA_TYPE_Q5_1:
        p += u * Q5_1_BYTES;
        return _mm256_or_si256(nibbles_read(p + 8), fifth_bits(read_u32(p + 4)));
    case GRETA_TYPE_IQ4_NL: return iq4_read(p + u * IQ4_NL_BYTES + 2);
    case GRETA_TYPE_IQ4_XS: return iq4_read(p + u * 16 + 8);
    case GRETA_TYPE_Q4_K: return pair_read(p + 16, u);
    case GRETA_TYPE_Q5_K: return _mm256_or_si256(pair_read(p + 48, u), unit_bits(p + 16, u, 4));
    case GRETA_TYPE_Q2_K: return quarters_read(p + 16, u);
    case GRETA_TYPE_Q3_K: return _mm256_or_si256(quarters_read(p + 32, u), unit_bits(p, u, 2));
    case GRETA_TYPE_Q6_K: return q6_k_read(p, u);
    default: return codebook_read(type, p, u);
    }
}

/* The same as signed bytes, complete. */
SIMD_INLINE __m256i batch_unit_signed(uint32_t type, const uint8_t *p, size_t u) {
    __m256i w = batch_unit_read(type, p, u);
    if (codebook_has_signs(type)) return bits_negate(w, codebook_signs(type, p, u));
    return batch_offset(type) ? _mm256_sub_epi8(w, _mm256_set1_epi8((char)batch_offset(type))) : w;
}

/*
 * sum over 4 elements in each lane, plus init: unsigned weights by signed activations. Without VNNI the products are first
 * added in pairs of 16 bits: weights of up to 7 bits cannot pass them (2 * 63 * 127), wide ones take their sign to
 * the activation instead of an offset (2 * 128 * 127 < 2^15).
 */
SIMD_INLINE __m256i batch_dot(uint32_t type, __m256i init, __m256i w, __m256i x) {
#ifdef __AVX512VNNI__
    (void)type;
    return _mm256_dpbusd_epi32(init, w, x);
#else
    const __m256i ones = _mm256_set1_epi16(1);
    if (batch_is_wide(type)) {
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
    return batch_offset(type) != 0 && !batch_is_wide(type);
#endif
}

#endif
