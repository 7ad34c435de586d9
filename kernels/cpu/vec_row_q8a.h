/*
 * One row of quantized weights times a row of activations of type Q8A. What counts is the number of instructions that a unit of 32
 * elements costs beside its decoding and its products.
 *
 * With VNNI a product is eight sums already, so a unit is a conversion and a multiply-add by its factor, which comes out of memory
 * in all lanes for nothing: the factors of the whole row are made first. Types of which 16 bytes are a unit fill a vector of 512
 * bits with four, so that their factors come by one permutation. Without it the products of eight units, pairs of 16 bits,
 * are merged step by step, half as many vectors after each, until lane u is unit u's own sum: then one conversion and one
 * multiply-add by the vector of factors serve all eight.
 */
#ifndef KERNELS_CPU_VEC_ROW_Q8A_H
#define KERNELS_CPU_VEC_ROW_Q8A_H

#include "vec_blocks.h"

/* Columns are taken in chunks of this many units. */
enum { CHUNK = 256 };

/* A chunk of the activations. d, s and what is computed from x are zeros past n_units, up to a whole batch. */
struct chunk {
    const int8_t *q;
    size_t n_units, ahead;                      /* ahead: of the weights, see simd_prefetch_ahead */
    float d[CHUNK], s[CHUNK], half_s[2][CHUNK]; /* half_s: s of the halves of a unit */
    /* What the offset of wide weights adds to each lane of a unit, or of a pair of units (with VNNI): see init_slot. */
    _Alignas(64) int32_t init[CHUNK][8];
    /* For pair_dot: first halves of two units, last halves of two units, at pair_slot; and their magnitudes. */
    _Alignas(64) int8_t pairs[CHUNK][32], sizes[CHUNK][32];
};

/*
 * Types of which 16 bytes are the 32 nibbles of one unit, the second half in the high ones, with one factor for both; above them, of some
 * types, a bit. Not if two products could not be added: see pair_dot.
 */
SIMD_INLINE bool is_split(uint32_t type) {
    const struct greta_block b = greta_block_of(type);
    return batch_has_format(type) && b.low_is == GRETA_CODES_HALVES &&
           (GRETA_FORMAT_HIGH(b.format) == 0 || b.high_is == GRETA_CODES_WORD) && !batch_has_halves(type) &&
           (batch_is_wide(type) || batch_adds(batch_max(type)) >= 2);
}

/* Offsets of wide weights are whole numbers in the dot product (only with VNNI), others a part of the row's rest. */
SIMD_INLINE bool has_init(uint32_t type) {
    return batch_is_wide(type) && batch_needs_init(type);
}
SIMD_INLINE int rest_offset(uint32_t type) {
    return batch_is_wide(type) ? 0 : batch_offset(type);
}

SIMD_INLINE bool needs_half_sums(uint32_t type) {
    return batch_has_min_halves(type) || (batch_has_halves(type) && rest_offset(type));
}

/* Where the first (0) or last (1) halves of the pair of units from u on lie; with VNNI two pairs' first halves lie together. */
SIMD_INLINE size_t pair_slot(size_t u, size_t half) {
#ifdef __AVX512VNNI__
    return u / 4 * 4 + u % 4 / 2 + 2 * half;
#else
    return u + half;
#endif
}
SIMD_INLINE size_t init_slot(uint32_t type, size_t u) {
    return is_split(type) ? u / 2 : u;
}

/* ---- two units of a split type: lanes 0 .. 3 are the first's, 4 .. 7 the second's ---- */

struct split_place {
    size_t nibbles, stride, bits,
        bits_stride; /* where the first unit's are, and how far further the next one's */
    bool has_bits;
};

SIMD_INLINE struct split_place split_place_of(uint32_t type) {
    const struct greta_block b = greta_block_of(type);
    const bool whole = batch_is_block(type), has_bits = GRETA_FORMAT_HIGH(b.format) != 0;
    return (struct split_place){b.low_at, whole ? 16 : b.bytes, b.high_at, whole ? 4 : b.bytes, has_bits};
}

/* Bits 0 .. 15 (or 16 .. 31) of each half's word as 16 in its bytes. */
SIMD_INLINE __m256i split_bits(__m256i words, bool last) {
    const __m256i one = _mm256_set1_epi64x((long long)0x8040201008040201);
    const long long a = last ? 0x0202020202020202 : 0, b = last ? 0x0303030303030303 : 0x0101010101010101;
    __m256i v = _mm256_shuffle_epi8(words, _mm256_setr_epi64x(a, b, a, b));
#ifdef __AVX512BW__
    return _mm256_maskz_mov_epi8(_mm256_test_epi8_mask(v, one), _mm256_set1_epi8(16));
#else
    v = _mm256_cmpeq_epi8(_mm256_and_si256(v, one), one);
    return _mm256_and_si256(v, _mm256_set1_epi8(16));
#endif
}

/* w[0]: the first halves of units u and v, w[1]: the last. Wide ones are signed without VNNI; else as batch_unit_read. */
SIMD_INLINE void split_read(uint32_t type, const uint8_t *p, size_t u, size_t v, __m256i w[2]) {
    const struct split_place at = split_place_of(type);
    const uint8_t *pu = p + u * at.stride, *pv = p + v * at.stride;
    __m256i both =
        _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(pu + at.nibbles))),
                                _mm_loadu_si128((const __m128i *)(pv + at.nibbles)), 1);
    w[0] = _mm256_and_si256(both, _mm256_set1_epi8(15));
    w[1] = _mm256_and_si256(_mm256_srli_epi16(both, 4), _mm256_set1_epi8(15));
    if (at.has_bits) {
        pu = p + u * at.bits_stride, pv = p + v * at.bits_stride;
        __m256i words = _mm256_blend_epi32(_mm256_set1_epi32((int)read_u32(pu + at.bits)),
                                           _mm256_set1_epi32((int)read_u32(pv + at.bits)), 0xF0);
        for (int i = 0; i < 2; i++) w[i] = _mm256_or_si256(w[i], split_bits(words, i));
    }
    if (batch_has_values(type)) {
        __m128i values = batch_values(type);
        if (batch_is_wide(type) && !has_init(type)) values = _mm_xor_si128(values, _mm_set1_epi8(-128));
        for (int i = 0; i < 2; i++) w[i] = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), w[i]);
    }
}

/* `at`: u's index in the chunk, even. Wide values are above -128, so they can take the activations' signs. */
SIMD_INLINE __m256i pair_dot(uint32_t type, const __m256i w[2], const struct chunk *c, size_t at) {
    __m256i x[2];
    for (size_t i = 0; i < 2; i++) x[i] = _mm256_load_si256((const __m256i *)c->pairs[pair_slot(at, i)]);
#ifdef __AVX512VNNI__
    __m256i init = has_init(type) ? _mm256_load_si256((const __m256i *)c->init[init_slot(type, at)])
                                  : _mm256_setzero_si256();
    return _mm256_dpbusd_epi32(_mm256_dpbusd_epi32(init, w[0], x[0]), w[1], x[1]);
#else
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i products[2];
    for (size_t i = 0; i < 2; i++) {
        __m256i size = _mm256_load_si256((const __m256i *)c->sizes[pair_slot(at, i)]);
        products[i] = batch_is_wide(type) ? _mm256_maddubs_epi16(size, _mm256_sign_epi8(w[i], x[i]))
                                          : _mm256_maddubs_epi16(w[i], x[i]);
    }
    if (batch_is_wide(type))
        return _mm256_add_epi32(_mm256_madd_epi16(products[0], ones), _mm256_madd_epi16(products[1], ones));
    return _mm256_madd_epi16(_mm256_add_epi16(products[0], products[1]), ones);
#endif
}

/* ---- a chunk of activations ---- */

SIMD_INLINE void chunk_half_sums(struct chunk *c) {
    const __m256i ones = _mm256_set1_epi8(1);
    for (size_t u = 0; u < c->n_units; u++) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(c->q + u * 32));
        __m256i v = batch_dot(false, _mm256_setzero_si256(), ones, x);
        v = _mm256_hadd_epi32(v, v);
        v = _mm256_hadd_epi32(v, v);
        c->half_s[0][u] = c->d[u] * (float)_mm256_extract_epi32(v, 0);
        c->half_s[1][u] = c->d[u] * (float)_mm256_extract_epi32(v, 4);
    }
}

SIMD_INLINE void chunk_pairs(uint32_t type, struct chunk *c) {
    for (size_t u = 0; u < c->n_units; u += 2) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(c->q + u * 32)), b = _mm256_setzero_si256();
        if (u + 1 < c->n_units) b = _mm256_loadu_si256((const __m256i *)(c->q + u * 32 + 32));
        __m256i x[2] = {_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31)};
        for (size_t i = 0; i < 2; i++) {
            _mm256_store_si256((__m256i *)c->pairs[pair_slot(u, i)], x[i]);
            if (batch_is_wide(type))
                _mm256_store_si256((__m256i *)c->sizes[pair_slot(u, i)], _mm256_abs_epi8(x[i]));
        }
    }
}

SIMD_INLINE void chunk_inits(uint32_t type, struct chunk *c) {
    const __m256i offset = _mm256_set1_epi8((char)batch_offset(type)), zero = _mm256_setzero_si256();
    const __m256i offsets[2] = {offset, offset};
    for (size_t u = 0; u < c->n_units; u += is_split(type) ? 2 : 1) {
        _mm256_store_si256((__m256i *)c->init[init_slot(type, u)], zero);
        __m256i x = is_split(type) ? zero : _mm256_loadu_si256((const __m256i *)(c->q + u * 32));
        __m256i dot =
            is_split(type) ? pair_dot(type, offsets, c, u) : batch_dot(batch_is_wide(type), zero, offset, x);
        _mm256_store_si256((__m256i *)c->init[init_slot(type, u)], _mm256_sub_epi32(zero, dot));
    }
}

/* Units [first, + n_units) of a row of activations. */
SIMD_INLINE void chunk_make(uint32_t type, const uint8_t *x, size_t n_cols, size_t first, struct chunk *c) {
    size_t n = n_cols / 32 - first;
    c->n_units = n = n < CHUNK ? n : CHUNK;
    c->ahead = simd_prefetch_ahead();
    c->q = (const int8_t *)x + first * 32;
    memcpy(c->d, x + GRETA_Q8A_D_OFFSET(n_cols) + first * 4, n * 4);
    memcpy(c->s, x + GRETA_Q8A_S_OFFSET(n_cols) + first * 4, n * 4);
    for (; n % BATCH; n++) c->d[n] = c->s[n] = 0;
    if (needs_half_sums(type)) chunk_half_sums(c);
    if (is_split(type)) chunk_pairs(type, c);
    if (has_init(type)) chunk_inits(type, c);
}

/* ---- the factors of n units, up to eight ---- */

/* s times the activations' scales; what minima or offsets add goes to rest (offsets: see rest_factor). */
SIMD_INLINE void factors_make(uint32_t type, const uint8_t *p, size_t n, const struct chunk *c, size_t at,
                              struct batch_scales *s, __m256 *rest) {
    batch_scales_read(type, p, n, s);
    const __m256 *by = rest_offset(type) ? s->d : s->m;
    if (needs_half_sums(type)) {
        *rest = _mm256_fmadd_ps(by[0], _mm256_loadu_ps(c->half_s[0] + at), *rest);
        *rest = _mm256_fmadd_ps(by[1], _mm256_loadu_ps(c->half_s[1] + at), *rest);
    } else if (batch_has_min(type) || rest_offset(type)) {
        *rest = _mm256_fmadd_ps(by[0], _mm256_loadu_ps(c->s + at), *rest);
    }
    __m256 xd = _mm256_loadu_ps(c->d + at);
    s->d[0] = _mm256_mul_ps(s->d[0], xd);
    if (batch_has_halves(type)) s->d[1] = _mm256_mul_ps(s->d[1], xd);
}

/* What the sum of all rests is multiplied by. */
SIMD_INLINE float rest_factor(uint32_t type) {
    return rest_offset(type) ? (float)-rest_offset(type) : 1;
}

/* The activations of unit u of the batch at p, with the signs that a codebook keeps apart. */
SIMD_INLINE __m256i unit_x(uint32_t type, const uint8_t *p, size_t u, const struct chunk *c, size_t at) {
    __m256i x = _mm256_loadu_si256((const __m256i *)(c->q + at * 32));
    return codebook_has_signs(type) ? bits_negate(x, codebook_signs(type, p, u)) : x;
}

/* A unit's sums in eight lanes, or those of a unit of a split type and of its neighbour (itself if it is the last). */
SIMD_INLINE __m256 unit_dot(uint32_t type, const uint8_t *p, size_t u, bool last, const struct chunk *c,
                            size_t at) {
    if (is_split(type)) {
        __m256i w[2];
        split_read(type, p, u, last ? u : u + 1, w);
        return _mm256_cvtepi32_ps(pair_dot(type, w, c, at));
    }
    __m256i init = _mm256_setzero_si256();
    if (has_init(type)) init = _mm256_load_si256((const __m256i *)c->init[init_slot(type, at)]);
    return _mm256_cvtepi32_ps(
        batch_dot(batch_is_wide(type), init, batch_unit_read(type, p, u), unit_x(type, p, u, c, at)));
}

/* The first lanes only, two numbers. */
SIMD_INLINE __m256 two_load(const float *p) {
    return _mm256_zextps128_ps256(_mm_castpd_ps(_mm_load_sd((const double *)(const void *)p)));
}

/* The last units of a type of blocks of 32, fewer than eight. */
SIMD_INLINE __m256 tail_add_any(uint32_t type, const uint8_t *p, const struct chunk *c, size_t at, __m256 acc,
                                __m256 *rest) {
    const size_t n = c->n_units - at;
    struct batch_scales s;
    float d[2][BATCH];
    if (n == 0) return acc;
    factors_make(type, p, n, c, at, &s, rest);
    for (size_t half = 0; half < 2; half++) _mm256_storeu_ps(d[half], s.d[half]);
    for (size_t u = 0; u < n; u += is_split(type) ? 2 : 1) {
        __m256 scale = _mm256_set1_ps(d[0][u]);
        if (is_split(type)) /* 0 of a unit that is none */
            scale = _mm256_blend_ps(scale, _mm256_set1_ps(d[0][u + 1]), 0xF0);
        else if (batch_has_halves(type))
            scale = _mm256_blend_ps(scale, _mm256_set1_ps(d[1][u]), 0xF0);
        acc = _mm256_fmadd_ps(unit_dot(type, p, u, u + 1 == n, c, at + u), scale, acc);
    }
    return acc;
}

/* Whether d or dm are four bytes of a block that can be read at once. */
SIMD_INLINE bool tail_is_dm(uint32_t type) {
    const struct greta_block b = greta_block_of(type);
    return (batch_has_d(type) || batch_has_dm(type)) && b.unit_at + 4u <= b.bytes;
}

/*
 * The same where d and, of some types, m are next to each other: in pairs. (Lanes 4 and up of dm are zeros; the others may be no numbers
 * where there is no m.)
 */
SIMD_INLINE __m256 tail_add(uint32_t type, const uint8_t *p, const struct chunk *c, size_t at, __m256 acc,
                            __m256 *rest) {
    const size_t bytes = block_row_bytes(type, 32), dm_at = greta_block_of(type).unit_at;
    if (!tail_is_dm(type)) return tail_add_any(type, p, c, at, acc, rest);
    const __m256i first = _mm256_setr_epi32(0, 2, 4, 4, 4, 4, 4, 4);
    for (size_t u = 0; at < c->n_units; u += 2, at += 2) {
        bool last = at + 1 == c->n_units;
        const uint8_t *pu = p + u * bytes, *pv = last ? pu : pu + bytes;
        __m128i halves = _mm_unpacklo_epi32(_mm_cvtsi32_si128((int)read_u32(pu + dm_at)),
                                            _mm_cvtsi32_si128((int)read_u32(pv + dm_at)));
        __m256 dm = _mm256_zextps128_ps256(_mm_cvtph_ps(halves)), d = _mm256_permutevar8x32_ps(dm, first);
        __m256 by =
            rest_offset(type) ? d : _mm256_permutevar8x32_ps(dm, _mm256_setr_epi32(1, 3, 4, 4, 4, 4, 4, 4));
        if (batch_has_min(type) || rest_offset(type)) *rest = _mm256_fmadd_ps(by, two_load(c->s + at), *rest);
        d = _mm256_mul_ps(d, two_load(c->d + at)); /* 0 of a unit that is none */
        if (is_split(type)) {
            d = _mm256_permutevar8x32_ps(d, _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
            acc = _mm256_fmadd_ps(unit_dot(type, p, u, last, c, at), d, acc);
            continue;
        }
        acc = _mm256_fmadd_ps(unit_dot(type, p, u, last, c, at),
                              _mm256_broadcastss_ps(_mm256_castps256_ps128(d)), acc);
        if (last) continue;
        d = _mm256_permutevar8x32_ps(d, _mm256_set1_epi32(1));
        acc = _mm256_fmadd_ps(unit_dot(type, p, u + 1, true, c, at + 1), d, acc);
    }
    return acc;
}

/* ---- a row, with VNNI ---- */

#ifdef __AVX512VNNI__

/* Four units from u on: 16 bytes of each, and, of some types, each one's fifth bits. w as of split_read. */
SIMD_INLINE void split_read_four(uint32_t type, const uint8_t *p, size_t u, __m512i w[2]) {
    const struct split_place at = split_place_of(type);
    const __m512i low = _mm512_set1_epi8(15);
    __m256i pair[2];
    uint64_t bits[4];
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *n = p + at.nibbles + (u + 2 * i) * at.stride;
        const uint8_t *b = p + at.bits + (u + 2 * i) * at.bits_stride;
        pair[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)n)),
                                          _mm_loadu_si128((const __m128i *)(n + at.stride)), 1);
        bits[2 * i] = at.has_bits ? read_u32(b) : 0;
        bits[2 * i + 1] = at.has_bits ? read_u32(b + at.bits_stride) : 0;
    }
    __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(pair[0]), pair[1], 1);
    w[0] = _mm512_and_si512(both, low);
    w[1] = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
    if (at.has_bits) {
        uint64_t first =
            (bits[0] & 0xFFFF) | (bits[1] & 0xFFFF) << 16 | (bits[2] & 0xFFFF) << 32 | bits[3] << 48;
        uint64_t last = bits[0] >> 16 | (bits[1] & 0xFFFF0000) | bits[2] >> 16 << 32 | bits[3] >> 16 << 48;
        w[0] = _mm512_mask_add_epi8(w[0], first, w[0], _mm512_set1_epi8(16));
        w[1] = _mm512_mask_add_epi8(w[1], last, w[1], _mm512_set1_epi8(16));
    }
    if (batch_has_values(type)) {
        __m512i values = _mm512_broadcast_i32x4(batch_values(type));
        for (size_t i = 0; i < 2; i++) w[i] = _mm512_shuffle_epi8(values, w[i]);
    }
}

/* Of a split type: four units in a vector, four lanes each. */
SIMD_INLINE float row_dot_split(uint32_t type, const uint8_t *p, const struct chunk *c) {
    __m256 rest = _mm256_setzero_ps();
    __m512 acc[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    const __m512i lanes = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    size_t u0 = 0;
    for (; u0 + BATCH <= c->n_units; u0 += BATCH, p += batch_bytes(type)) {
        struct batch_scales s;
        simd_prefetch(p, batch_bytes(type), c->ahead);
        factors_make(type, p, BATCH, c, u0, &s, &rest);
#pragma GCC unroll 2
        for (size_t i = 0; i < 2; i++) {
            size_t u = u0 + 4 * i;
            __m512i w[2], dot = _mm512_setzero_si512();
            split_read_four(type, p, 4 * i, w);
            if (has_init(type)) dot = _mm512_load_si512(c->init[init_slot(type, u)]);
            for (size_t k = 0; k < 2; k++)
                dot = _mm512_dpbusd_epi32(dot, w[k], _mm512_load_si512(c->pairs[pair_slot(u, k)]));
            __m512i from = _mm512_add_epi32(lanes, _mm512_set1_epi32((int)(4 * i)));
            __m512 d = _mm512_permutexvar_ps(from, _mm512_castps256_ps512(s.d[0]));
            acc[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), d, acc[i]);
        }
    }
    __m256 sum = vf_fold(_mm512_add_ps(acc[0], acc[1]));
    if (!batch_is_block(type)) sum = tail_add(type, p, c, u0, sum, &rest);
    return v8_sum(_mm256_fmadd_ps(rest, _mm256_set1_ps(rest_factor(type)), sum));
}

/* Of the others: first the factors of all units. */
SIMD_INLINE float row_dot_units(uint32_t type, const uint8_t *row, const struct chunk *c) {
    const size_t bytes = batch_bytes(type), n_whole = c->n_units / BATCH * BATCH;
    float d[2][CHUNK];
    __m256 rest = _mm256_setzero_ps(), acc[4] = {rest, rest, rest, rest};
    const uint8_t *p = row;
    for (size_t u = 0; u < n_whole; u += BATCH, p += bytes) {
        struct batch_scales s;
        factors_make(type, p, BATCH, c, u, &s, &rest);
        _mm256_storeu_ps(d[0] + u, s.d[0]);
        if (batch_has_halves(type)) _mm256_storeu_ps(d[1] + u, s.d[1]);
    }
    for (size_t u0 = 0; u0 < n_whole; u0 += BATCH, row += bytes) {
        simd_prefetch(row, bytes, c->ahead);
#pragma GCC unroll 8
        for (size_t u = 0; u < BATCH; u++) {
            __m256 scale = _mm256_set1_ps(d[0][u0 + u]), dot = unit_dot(type, row, u, false, c, u0 + u);
            if (batch_has_halves(type)) scale = _mm256_blend_ps(scale, _mm256_set1_ps(d[1][u0 + u]), 0xF0);
            acc[u % 4] = _mm256_fmadd_ps(dot, scale, acc[u % 4]);
        }
    }
    if (!batch_is_block(type)) acc[0] = tail_add(type, row, c, n_whole, acc[0], &rest);
    acc[0] = _mm256_add_ps(_mm256_add_ps(acc[0], acc[1]), _mm256_add_ps(acc[2], acc[3]));
    return v8_sum(_mm256_fmadd_ps(rest, _mm256_set1_ps(rest_factor(type)), acc[0]));
}

SIMD_INLINE float row_dot(uint32_t type, const uint8_t *row, const struct chunk *c) {
    return is_split(type) ? row_dot_split(type, row, c) : row_dot_units(type, row, c);
}

#else

/* ---- a row, without VNNI ---- */

/* How often sums of two products may be added to another such and still be of 16 bits. */
SIMD_INLINE int n_narrow_merges(uint32_t type) {
    const int adds = batch_is_wide(type) ? 0 : batch_adds(batch_max(type));
    return adds == 8 ? 3 : adds / 2;
}

/* Sums of the first and second, of the third and fourth of each of a's groups of four words; then the same of b. */
SIMD_INLINE __m256i merge_words(__m256i a, __m256i b, bool narrow) {
    __m256i low = _mm256_unpacklo_epi32(a, b), high = _mm256_unpackhi_epi32(a, b);
    return narrow ? _mm256_add_epi16(low, high) : _mm256_add_epi32(low, high);
}
SIMD_INLINE __m256i merge_pairs(__m256i a, __m256i b, bool narrow) {
    __m256i low = _mm256_unpacklo_epi64(a, b), high = _mm256_unpackhi_epi64(a, b);
    return narrow ? _mm256_add_epi16(low, high) : _mm256_add_epi32(low, high);
}

SIMD_INLINE __m256i widen(__m256i a) {
    return _mm256_madd_epi16(a, _mm256_set1_epi16(1));
}

/* Of four vectors of products, of `adds` products already: lane i of each half is the sum of v[i]'s half. */
SIMD_INLINE __m256i merge_four(uint32_t type, const __m256i v[4], int n_done) {
    const int n = n_narrow_merges(type) - n_done;
    __m256i a = n < 1 ? merge_words(widen(v[0]), widen(v[1]), false) : merge_words(v[0], v[1], true);
    __m256i b = n < 1 ? merge_words(widen(v[2]), widen(v[3]), false) : merge_words(v[2], v[3], true);
    if (n < 1) return merge_pairs(a, b, false);
    return n < 2 ? merge_pairs(widen(a), widen(b), false) : widen(merge_pairs(a, b, true));
}

/* Unit u's products in pairs. (Wide weights are read once: read twice, each time across lines, they cost more.) */
SIMD_INLINE __m256i unit_products(uint32_t type, const uint8_t *p, size_t u, const struct chunk *c,
                                  size_t at) {
    __m256i w = batch_unit_read(type, p, u), x = unit_x(type, p, u, c, at);
    if (!batch_is_wide(type)) return _mm256_maddubs_epi16(w, x);
    w = _mm256_xor_si256(w, _mm256_set1_epi8(-128));
    __asm__("" : "+x"(w));
    return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
}

/* Eight units of a split type: lanes are units 0, 2, 4, 6, 1, 3, 5, 7. */
SIMD_INLINE __m256i split_sums(uint32_t type, const uint8_t *p, const struct chunk *c, size_t at) {
    __m256i v[4];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        __m256i w[2];
        split_read(type, p, 2 * i, 2 * i + 1, w);
        if (batch_is_wide(type)) {
            v[i] = pair_dot(type, w, c, at + 2 * i);
            continue;
        }
        for (size_t k = 0; k < 2; k++)
            w[k] = _mm256_maddubs_epi16(
                w[k], _mm256_load_si256((const __m256i *)c->pairs[pair_slot(at + 2 * i, k)]));
        v[i] = _mm256_add_epi16(w[0], w[1]);
    }
    if (batch_is_wide(type))
        return merge_pairs(merge_words(v[0], v[1], false), merge_words(v[2], v[3], false), false);
    return merge_four(type, v, 1);
}

/* Adds eight units from `at` on. */
SIMD_INLINE __m256 batch_add(uint32_t type, const uint8_t *p, const struct chunk *c, size_t at, __m256 acc,
                             __m256 *rest) {
    struct batch_scales s;
    factors_make(type, p, BATCH, c, at, &s, rest);
    if (is_split(type)) {
        __m256 d = _mm256_permutevar8x32_ps(s.d[0], _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
        return _mm256_fmadd_ps(_mm256_cvtepi32_ps(split_sums(type, p, c, at)), d, acc);
    }
    __m256i sums[2];
#pragma GCC unroll 2
    for (size_t i = 0; i < 2; i++) {
        __m256i v[4];
#pragma GCC unroll 4
        for (size_t u = 0; u < 4; u++) v[u] = unit_products(type, p, 4 * i + u, c, at + 4 * i + u);
        sums[i] = merge_four(type, v, 0);
    }
    if (batch_has_halves(type)) {
        acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[0]), _mm256_permute2f128_ps(s.d[0], s.d[1], 0x20), acc);
        return _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[1]), _mm256_permute2f128_ps(s.d[0], s.d[1], 0x31),
                               acc);
    }
    __m256i sum = _mm256_add_epi32(_mm256_permute2x128_si256(sums[0], sums[1], 0x20),
                                   _mm256_permute2x128_si256(sums[0], sums[1], 0x31));
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), s.d[0], acc);
}

SIMD_INLINE float row_dot(uint32_t type, const uint8_t *row, const struct chunk *c) {
    const size_t bytes = batch_bytes(type);
    __m256 acc = _mm256_setzero_ps(), rest = _mm256_setzero_ps();
    size_t u = 0;
    for (; u + BATCH <= c->n_units; u += BATCH, row += bytes) {
        simd_prefetch(row, bytes, c->ahead);
        acc = batch_add(type, row, c, u, acc, &rest);
    }
    if (!batch_is_block(type)) acc = tail_add(type, row, c, u, acc, &rest);
    return v8_sum(_mm256_fmadd_ps(rest, _mm256_set1_ps(rest_factor(type)), acc));
}

#endif

#endif
