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

/* ---- what holds of a type; it is known to the compiler, and so is all that follows from its format ---- */

SIMD_INLINE bool batch_has_format(uint32_t type) {
    return GRETA_TYPE_IS_PACKED(type);
}
SIMD_INLINE int batch_offset(uint32_t type) {
    return batch_has_format(type) ? (int)GRETA_FORMAT_BIAS(GRETA_WEIGHT_FORMAT(type)) : codebook_offset(type);
}
/* Elements of eight bits: without VNNI pairs of their products would not fit into 16 bits. */
SIMD_INLINE bool batch_is_wide(uint32_t type) {
    return batch_offset(type) == 128;
}
/* Blocks of 256: a batch is one. */
SIMD_INLINE bool batch_is_block(uint32_t type) {
    return !batch_has_format(type) || greta_block_of(type).elements == 256;
}
SIMD_INLINE bool batch_has_min(uint32_t type) {
    return GRETA_FORMAT_HAS_OFFSET(GRETA_WEIGHT_FORMAT(type)) || codebook_has_min(type);
}
/* Whether the halves of a unit differ in their factors / in what is added. */
SIMD_INLINE bool batch_has_halves(uint32_t type) {
    return GRETA_FORMAT_HAS_HALVES(GRETA_WEIGHT_FORMAT(type)) || codebook_has_halves(type);
}
SIMD_INLINE bool batch_has_min_halves(uint32_t type) {
    return GRETA_FORMAT_HAS_HALVES(GRETA_WEIGHT_FORMAT(type)) &&
           GRETA_FORMAT_HAS_OFFSET(GRETA_WEIGHT_FORMAT(type));
}
SIMD_INLINE bool batch_has_values(uint32_t type) {
    return GRETA_FORMAT_VALUES(GRETA_WEIGHT_FORMAT(type)) != GRETA_VALUES_NONE;
}

/* What codes stand for, plus batch_offset: bytes. */
SIMD_INLINE __m128i batch_values(uint32_t type) {
    const uint32_t format = GRETA_WEIGHT_FORMAT(type);
    return _mm_setr_epi32((int)GRETA_VALUES_WORD(format, 0), (int)GRETA_VALUES_WORD(format, 1),
                          (int)GRETA_VALUES_WORD(format, 2), (int)GRETA_VALUES_WORD(format, 3));
}

/* The largest byte of batch_unit_read, or a little more: of values 2^n - 1. Above 127 only where batch_is_wide. */
SIMD_INLINE int batch_max(uint32_t type) {
    const uint32_t format = GRETA_WEIGHT_FORMAT(type);
    if (!batch_has_format(type)) return codebook_max(type);
    if (!batch_has_values(type)) return (1 << (GRETA_FORMAT_LOW(format) + GRETA_FORMAT_HIGH(format))) - 1;
    uint32_t any = GRETA_VALUES_WORD(format, 0) | GRETA_VALUES_WORD(format, 1) |
                   GRETA_VALUES_WORD(format, 2) | GRETA_VALUES_WORD(format, 3);
    any |= any >> 16;
    return (int)((any | any >> 8) & 255);
}
#define BATCH_FITS(X, name, ggml, elements, bytes)                                                       \
    _Static_assert(                                                                                      \
        GRETA_FORMAT_BIAS(GRETA_FORMAT_##name) == 128 ||                                                 \
            (GRETA_FORMAT_LOW(GRETA_FORMAT_##name) + GRETA_FORMAT_HIGH(GRETA_FORMAT_##name) < 8 &&       \
             (GRETA_FORMAT_VALUES(GRETA_FORMAT_##name) == GRETA_VALUES_NONE ||                           \
              ((GRETA_VALUES_WORD(GRETA_FORMAT_##name, 0) | GRETA_VALUES_WORD(GRETA_FORMAT_##name, 1) |  \
                GRETA_VALUES_WORD(GRETA_FORMAT_##name, 2) | GRETA_VALUES_WORD(GRETA_FORMAT_##name, 3)) & \
               0x80808080u) == 0)),                                                                      \
        #name ": bytes above 127 have a BIAS of 128");
GRETA_WEIGHT_QUANT_LIST(BATCH_FITS, -)
#undef BATCH_FITS

/* How many sums of two products by weights of up to `max` can be added and still be of 16 bits: 2 * 8 * 15 * 127 < 2^15. */
SIMD_INLINE int batch_adds(int max) {
    return max <= 15 ? 8 : max <= 31 ? 4 : max <= 63 ? 2 : max <= 127 ? 1 : 0;
}

/* d, or d and m, of f16 for each block of 32. */
SIMD_INLINE bool batch_has_d(uint32_t type) {
    const struct greta_block b = greta_block_of(type);
    return GRETA_FORMAT_SCALE(b.format) == GRETA_SCALE_D && b.scales_are == GRETA_SCALES_RAW &&
           b.elements == 32;
}
SIMD_INLINE bool batch_has_dm(uint32_t type) {
    const struct greta_block b = greta_block_of(type);
    return GRETA_FORMAT_SCALE(b.format) == GRETA_SCALE_DM && b.scales_are == GRETA_SCALES_RAW &&
           b.elements == 32;
}

/* ---- factors ---- */

/* The 16 bits at `at` in n blocks; `at` and `stride` are known to the compiler. */
SIMD_INLINE __m128i halves_read(const uint8_t *p, size_t at, size_t stride, size_t n) {
#ifdef __AVX512BW__
    if (n == BATCH && at == 0 && stride == 18) { /* four in each of two vectors, 9 words apart */
        __m512i a = _mm512_loadu_si512(p), b = _mm512_loadu_si512(p + 4 * stride);
        __m512i from = _mm512_castsi128_si512(_mm_setr_epi16(0, 9, 18, 27, 32, 41, 50, 59));
        return _mm512_castsi512_si128(_mm512_permutex2var_epi16(a, from, b));
    }
    if (n == BATCH && at == 0 && stride == 34) {
        /* Two in each of four vectors, 17 words apart; the last vector ends within the last block. */
        __m512i v[4], from = _mm512_castsi128_si512(_mm_setr_epi16(0, 17, 32, 49, 0, 0, 0, 0));
        for (size_t i = 0; i < 4; i++) v[i] = _mm512_loadu_si512(p + 2 * i * stride);
        return _mm_unpacklo_epi64(_mm512_castsi512_si128(_mm512_permutex2var_epi16(v[0], from, v[1])),
                                  _mm512_castsi512_si128(_mm512_permutex2var_epi16(v[2], from, v[3])));
    }
#endif
    p += at;
    if (n == BATCH)
        return _mm_setr_epi16((short)block_u16(p), (short)block_u16(p + stride),
                              (short)block_u16(p + 2 * stride), (short)block_u16(p + 3 * stride),
                              (short)block_u16(p + 4 * stride), (short)block_u16(p + 5 * stride),
                              (short)block_u16(p + 6 * stride), (short)block_u16(p + 7 * stride));
    uint16_t all[BATCH] = {0};
    for (size_t i = 0; i < n; i++) all[i] = block_u16(p + i * stride);
    return _mm_loadu_si128((const __m128i *)all);
}

/* The same of 32 bits: d and m. */
SIMD_INLINE void scales_dm(const uint8_t *p, size_t at, size_t stride, size_t n, struct batch_scales *out) {
    const __m128i low = _mm_set1_epi32(0xFFFF);
    __m128i a, b;
#ifdef __AVX512F__
    if (n == BATCH && at == 0 && stride == 20) {
        /* 5 words of 32 bits apart; the second vector ends with the last block */
        __m128i from = _mm_setr_epi32(0, 5, 10, 15);
        a = _mm512_castsi512_si128(
            _mm512_permutexvar_epi32(_mm512_castsi128_si512(from), _mm512_loadu_si512(p)));
        b = _mm512_castsi512_si128(
            _mm512_permutexvar_epi32(_mm512_castsi128_si512(from), _mm512_loadu_si512(p + 4 * stride)));
    } else
#endif
    {
        uint32_t v[BATCH] = {0};
        for (size_t i = 0; i < n; i++) v[i] = read_u32(p + at + i * stride);
        a = _mm_setr_epi32((int)v[0], (int)v[1], (int)v[2], (int)v[3]);
        b = _mm_setr_epi32((int)v[4], (int)v[5], (int)v[6], (int)v[7]);
    }
    out->d[0] = out->d[1] = v8_f16(_mm_packus_epi32(_mm_and_si128(a, low), _mm_and_si128(b, low)));
    out->m[0] = out->m[1] = v8_f16(_mm_packus_epi32(_mm_srli_epi32(a, 16), _mm_srli_epi32(b, 16)));
}

/* Six bits each, see greta_sixes_scale: words 0, 1 of `both` become the scales of units 0 .. 3, 4 .. 7, words 2, 3 the minima. */
SIMD_INLINE void scales_sixes(const uint8_t *p, struct batch_scales *out) {
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

/* s: what plane 2 is made of, d: what plane 3 is. */
SIMD_INLINE void scales_s2(const uint8_t *s, const uint8_t *d, struct batch_scales *out) {
    halves_multiply(_mm_loadu_si128((const __m128i *)s), scalar_f16(d), out->d);
}

SIMD_INLINE void scales_sm2(const uint8_t *s, const uint8_t *d, struct batch_scales *out) {
    __m128i both = _mm_loadu_si128((const __m128i *)s), low = _mm_set1_epi8(15);
    halves_multiply(_mm_and_si128(both, low), scalar_f16(d), out->d);
    halves_multiply(_mm_and_si128(_mm_srli_epi16(both, 4), low), -scalar_f16(d + 2), out->m);
}

SIMD_INLINE void scales_sixes_16(const uint8_t *s, const uint8_t *d, struct batch_scales *out) {
    uint32_t a = read_u32(s), b = read_u32(s + 4), c = read_u32(s + 8), low = 0x0F0F0F0F, two = 0x03030303;
    __m128i six = _mm_setr_epi32((int)((a & low) | (c & two) << 4), (int)((b & low) | (c >> 2 & two) << 4),
                                 (int)((a >> 4 & low) | (c >> 4 & two) << 4),
                                 (int)((b >> 4 & low) | (c >> 6 & two) << 4));
    halves_multiply(_mm_sub_epi8(six, _mm_set1_epi8(32)), scalar_f16(d), out->d);
}

SIMD_INLINE void scales_sixes_8(const uint8_t *s, const uint8_t *d, struct batch_scales *out) {
    __m256i low = _mm256_set1_epi32((int)read_u32(s + 2)), high = _mm256_set1_epi32(block_u16(s));
    low = _mm256_and_si256(_mm256_srlv_epi32(low, _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28)),
                           _mm256_set1_epi32(15));
    high = _mm256_and_si256(_mm256_srlv_epi32(high, _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14)),
                            _mm256_set1_epi32(3));
    __m256i six = _mm256_sub_epi32(_mm256_or_si256(low, _mm256_slli_epi32(high, 4)), _mm256_set1_epi32(32));
    out->d[0] = out->d[1] = v8_scaled(scalar_f16(d), six);
}

/* Any other kind or arrangement: read unit by unit, made factors of in loops that the compiler turns into vectors. */
SIMD_INLINE void scales_any(const struct greta_block *b, const uint8_t *p, size_t n,
                            struct batch_scales *out) {
    const unsigned n_units = b->elements / 32, n_halves = GRETA_FORMAT_HAS_HALVES(b->format) ? 2 : 1;
    uint32_t s[BATCH] = {0};
    weight_words d[BATCH] = {{0}};
    for (unsigned u = 0; u < n; u++)
        greta_block_scales(b, p + u / n_units * b->bytes, u % n_units, &s[u], &d[u]);
    for (unsigned half = 0; half < n_halves; half++) {
        float scale[BATCH], offset[BATCH];
#pragma GCC unroll 1
        for (unsigned u = 0; u < BATCH; u++) {
            float of = greta_weight_scale(b->format, s[u], d[u], u % n_units, half);
            scale[u] = u < n ? of : 0;
        }
#pragma GCC unroll 1
        for (unsigned u = 0; u < BATCH; u++) {
            float of = greta_weight_offset(b->format, s[u], d[u], u % n_units, half);
            offset[u] = u < n ? of : 0;
        }
        out->d[half] = _mm256_loadu_ps(scale);
        out->m[half] = _mm256_loadu_ps(offset);
    }
    if (n_halves == 1) out->d[1] = out->d[0], out->m[1] = out->m[0];
}

SIMD_INLINE void batch_scales_read(uint32_t type, const uint8_t *p, size_t n, struct batch_scales *out) {
    const struct greta_block b = greta_block_of(type);
    const uint32_t scale = GRETA_FORMAT_SCALE(b.format);
    const bool whole = b.elements == 256, raw = whole && b.scales_are == GRETA_SCALES_RAW;
    const uint8_t *units = p + b.unit_at, *super = p + b.super_at;
    if (!batch_has_min(type)) out->m[0] = out->m[1] = _mm256_setzero_ps();
    if (!batch_has_format(type))
        codebook_scales_read(type, p, out);
    else if (batch_has_d(type))
        out->d[0] = out->d[1] = v8_f16(halves_read(p, b.unit_at, b.bytes, n));
    else if (batch_has_dm(type))
        scales_dm(p, b.unit_at, b.bytes, n, out);
    else if (scale == GRETA_SCALE_SIXES && b.scales_are == GRETA_SCALES_SIXES && b.unit_at == b.super_at)
        scales_sixes(super, out);
    else if (scale == GRETA_SCALE_S2 && raw)
        scales_s2(units, super, out);
    else if (scale == GRETA_SCALE_SM2 && raw)
        scales_sm2(units, super, out);
    else if (scale == GRETA_SCALE_S2 && b.scales_are == GRETA_SCALES_SIXES_16)
        scales_sixes_16(units, super, out);
    else if (scale == GRETA_SCALE_S1 && b.scales_are == GRETA_SCALES_SIXES_8)
        scales_sixes_8(units, super, out);
    else
        scales_any(&b, p, n, out);
}

/* Of the first unit alone, into d[.][0] and m[.][0]. */
SIMD_INLINE void unit_scales_read(uint32_t type, const uint8_t *p, float d[2][BATCH], float m[2][BATCH]) {
    const struct greta_block b = greta_block_of(type);
    float scale[2] = {0}, offset[2] = {0};
    if (batch_has_d(type) || batch_has_dm(type)) {
        scale[0] = scale[1] = scalar_f16(p + b.unit_at);
        if (batch_has_dm(type)) offset[0] = offset[1] = scalar_f16(p + b.unit_at + 2);
    } else {
        greta_block_factors(&b, p, 0, scale, offset);
    }
    for (size_t half = 0; half < 2; half++) d[half][0] = scale[half], m[half][0] = offset[half];
}

/* ---- elements ---- */

SIMD_INLINE __m256i nibbles_read(const uint8_t *p) {
    __m256i both = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
    both = _mm256_srlv_epi32(both, _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4));
    return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

/* Bit i of `bits` as bit `to` of byte i. */
SIMD_INLINE __m256i word_bits(uint32_t bits, size_t to) {
    const __m256i one = _mm256_set1_epi8((char)(1 << to));
#ifdef __AVX512BW__
    return _mm256_maskz_mov_epi8(bits, one);
#else
    return _mm256_and_si256(bits_spread(bits), one);
#endif
}

/* The field of each byte that begins at bit `from`, of which `mask` are the bits, moved to bit `to`. */
SIMD_INLINE __m256i field_move(__m256i v, size_t from, size_t to, int mask) {
    v = to == 0 || from > to ? _mm256_srl_epi16(v, _mm_cvtsi32_si128((int)(from - to)))
                             : _mm256_sll_epi16(v, _mm_cvtsi32_si128((int)(to - from)));
    return _mm256_and_si256(v, _mm256_set1_epi8((char)(mask << to)));
}

SIMD_INLINE __m256i vector_read(const uint8_t *p) {
    return _mm256_loadu_si256((const __m256i *)p);
}

/* Nibbles of units 2i and 2i + 1 lie in the same 32 bytes. */
SIMD_INLINE __m256i pair_read(const uint8_t *p, size_t u) {
    __m256i both = vector_read(p + u / 2 * 32);
    if (u & 1) both = _mm256_srli_epi16(both, 4);
    return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

/* Two bits each: four units in the same 32 bytes. */
SIMD_INLINE __m256i quarters_read(const uint8_t *p, size_t i, size_t to) {
    __m256i all = vector_read(p);
    if (to == 0)
        all = _mm256_srl_epi16(all, _mm_cvtsi32_si128((int)(2 * i)));
    else if (i <= to / 2)
        all = _mm256_sll_epi16(all, _mm_cvtsi32_si128((int)(to - 2 * i)));
    else
        all = _mm256_srl_epi16(all, _mm_cvtsi32_si128((int)(2 * i - to)));
    return _mm256_and_si256(all, _mm256_set1_epi8((char)(3 << to)));
}

/* Any other arrangement: byte by byte. */
SIMD_INLINE __m256i codes_read_any(unsigned codes_are, unsigned n_bits, const uint8_t *p, size_t u,
                                   size_t to) {
    uint8_t q[32];
    for (unsigned i = 0; i < 32; i++) {
        unsigned shift, byte = greta_codes_place(codes_are, (unsigned)u, i, &shift);
        q[i] = (uint8_t)((p[byte] >> shift & ((1u << n_bits) - 1)) << to);
    }
    return vector_read(q);
}

/* n_bits of each element of unit u, as GRETA_CODES_ from p on, at bit `to` of its byte; unsigned. */
SIMD_INLINE __m256i codes_read(unsigned codes_are, unsigned n_bits, const uint8_t *p, size_t u, size_t to) {
    if (codes_are == GRETA_CODES_WORD) return word_bits(read_u32(p + 4 * u), to);
    if (codes_are == GRETA_CODES_EIGHTHS) return field_move(vector_read(p), u, to, 1);
    if (codes_are == GRETA_CODES_QUARTERS) return quarters_read(p + u / 4 * 32, u % 4, to);
    if (to) return codes_read_any(codes_are, n_bits, p, u, to);
    switch (codes_are) {
    case GRETA_CODES_BYTES: return _mm256_xor_si256(vector_read(p + 32 * u), _mm256_set1_epi8(-128));
    case GRETA_CODES_HALVES: return nibbles_read(p + 16 * u);
    case GRETA_CODES_PAIRS: return pair_read(p, u);
    case GRETA_CODES_FOURS:
        return field_move(vector_read(p + u / 4 * 64 + (u & 1) * 32), u % 4 / 2 * 4, 0, 15);
    default: return codes_read_any(codes_are, n_bits, p, u, to);
    }
}

/* The 32 elements of unit u of a batch, plus batch_offset: unsigned bytes; signs of codebooks are apart. */
SIMD_INLINE __m256i batch_unit_read(uint32_t type, const uint8_t *p, size_t u) {
    const struct greta_block b = greta_block_of(type);
    const unsigned low = GRETA_FORMAT_LOW(b.format), high = GRETA_FORMAT_HIGH(b.format);
    if (!batch_has_format(type)) return codebook_read(type, p, u);
    if (!batch_is_block(type)) p += u * b.bytes, u = 0;
    __m256i q = codes_read(b.low_is, low, p + b.low_at, u, 0);
    if (high) q = _mm256_or_si256(q, codes_read(b.high_is, high, p + b.high_at, u, low));
    return batch_has_values(type) ? _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(batch_values(type)), q)
                                  : q;
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
SIMD_INLINE __m256i batch_dot(bool wide, __m256i init, __m256i w, __m256i x) {
#ifdef __AVX512VNNI__
    (void)wide;
    return _mm256_dpbusd_epi32(init, w, x);
#else
    const __m256i ones = _mm256_set1_epi16(1);
    if (wide) {
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
