/*
 * What the bits of each type of weights mean: its number, its FORMAT, its block in a file; below, how a format is decoded, once for C,
 * GLSL and HIP, and how blocks are read. A type whose parts are all known is a section here and a row in weights.h; a type with a new
 * part (an arrangement, a scale, values) has that here as well.
 *
 * An element is scale * (code - BIAS) + offset, or scale * (VALUES[code] - BIAS) + offset. A code is of LOW bits and above them HIGH
 * bits. 32 elements of a row are a UNIT: what scale and offset come from is stored for a unit or for eight units, a superblock. On
 * devices (PACKED, see layout.h) a tensor is four planes:
 *
 *   plane 0  a unit's low bits      4 * LOW bytes
 *   plane 1  a unit's high bits     4 * HIGH bytes
 *   plane 2  of a unit's scales     bytes by the SCALE
 *   plane 3  of a superblock's      bytes by the SCALE
 *
 * Bits of a unit, as little-endian 32-bit words. Element c, with j = c / 4 and b = c % 4, is
 *   8 bits   byte b of word j, signed
 *   4 bits   in byte b of word j / 2: its low nibble for an even j, its high one for an odd j
 *   2 bits   in byte b of word j / 4: bits 2 (j % 4), 2 (j % 4) + 1
 *   1 bit    in byte b: bit j
 * so that a shift and a mask make four elements, in order, four bytes of a word.
 *
 *   SCALE    plane 2             plane 3                     scale                 offset
 *   D        f16 d               -                           d                     -
 *   DM       f16 d, f16 m        -                           d                     m
 *   SIXES    -                   f16 d, f16 dmin, 12 bytes   d * six[u]            -dmin * six_min[u]
 *   S2       2 int8 s            f16 d                       d * s[c / 16]         -
 *   SM2      2 x 4 + 4 bits      f16 d, f16 dmin             d * low[c / 16]       -dmin * high[c / 16]
 *   S1       int8 s              f16 d                       d * s                 -
 *   E8M0     uint8 e             -                           2^(e - 128)           -
 *
 * SIXES, unit u of eight: byte 4 + u holds six[u] in bits 0 .. 5 and the low two bits of six_min[u] in bits 6, 7; the last word holds
 * six_min[u] >> 2 in bits 4u .. 4u + 3.
 */
#ifndef GRETA_WEIGHT_FORMATS_H
#define GRETA_WEIGHT_FORMATS_H

#include "greta/weights.h"

/*
 * A format in one word; scale_: one of those below, values_: GRETA_VALUES_. Floats have LOW 32 or 16, the bits of their exponent in BIAS's
 * place, and GRETA_SCALE_NONE.
 */
#define GRETA_FORMAT(low_, high_, bias_, values_, scale_) \
    ((low_) | (high_) << 6 | (bias_) << 8 | (values_) << 16 | (scale_) << 18)

/* Number, bytes of plane 2, bytes of plane 3; 1 where there is an offset; 1 where the halves of a unit have a scale (and an offset) each. */
#define GRETA_SCALE_OF(number, unit_bytes, super_bytes, offset, halves)                                      \
    ((number) | (unit_bytes) << 4 | (super_bytes) << 7 | (offset) << 12 | (halves) << 13)
#define GRETA_SCALE_NONE 0u
#define GRETA_SCALE_D GRETA_SCALE_OF(1u, 2u, 0u, 0u, 0u)
#define GRETA_SCALE_DM GRETA_SCALE_OF(2u, 4u, 0u, 1u, 0u)
#define GRETA_SCALE_SIXES GRETA_SCALE_OF(3u, 0u, 16u, 1u, 0u)
#define GRETA_SCALE_S2 GRETA_SCALE_OF(4u, 2u, 2u, 0u, 1u)
#define GRETA_SCALE_SM2 GRETA_SCALE_OF(5u, 2u, 4u, 1u, 1u)
#define GRETA_SCALE_S1 GRETA_SCALE_OF(6u, 1u, 2u, 0u, 0u)
#define GRETA_SCALE_E8M0 GRETA_SCALE_OF(7u, 1u, 0u, 0u, 0u)

/* What a code stands for: itself, or byte `code` of four words (the values plus BIAS), see GRETA_VALUES_WORD. */
#define GRETA_VALUES_NONE 0u
#define GRETA_VALUES_IQ4 1u
#define GRETA_VALUES_IQ4_0 \
    0x3F2D1801u /* -127 -104 -83 -65 -49 -35 -22 -10 1 13 25 38 53 69 89 113, plus 128 */
#define GRETA_VALUES_IQ4_1 0x766A5D4Fu
#define GRETA_VALUES_IQ4_2 0xA6998D81u
#define GRETA_VALUES_IQ4_3 0xF1D9C5B5u
#define GRETA_VALUES_FP4 2u /* E2M1, twice: 0 1 2 3 4 6 8 12, then the same negated, plus 12 */
#define GRETA_VALUES_FP4_0 0x0F0E0D0Cu
#define GRETA_VALUES_FP4_1 0x18141210u
#define GRETA_VALUES_FP4_2 0x090A0B0Cu
#define GRETA_VALUES_FP4_3 0x00040608u

/*
 * A block in a file: GRETA_CODES_ of the low bits and where they begin, of the high bits and where (0, 0: none), GRETA_SCALES_ and where
 * what goes to plane 2 begins, where what goes to plane 3 begins. p: where they begin, u: the unit of the block, i: its element.
 */
#define GRETA_CODES_BYTES 1  /* p[32u + i] */
#define GRETA_CODES_HALVES 2 /* p[16u + i % 16]: 0 .. 15 are low nibbles, 16 .. 31 high ones */
#define GRETA_CODES_PAIRS 3  /* p[32 (u / 2) + i]: even units are low nibbles, odd ones high */
#define GRETA_CODES_FOURS \
    4 /* p[64 (u / 4) + 32 (u % 2) + i]: units 0, 1 of four are low nibbles, 2, 3 high */
#define GRETA_CODES_QUARTERS 5  /* p[32 (u / 4) + i]: bits 2 (u % 4), 2 (u % 4) + 1 */
#define GRETA_CODES_WORD 6      /* p[4u + i / 8]: bit i % 8 */
#define GRETA_CODES_EIGHTHS 7   /* p[i]: bit u */
#define GRETA_SCALES_RAW 1      /* as in the planes */
#define GRETA_SCALES_SIXES 2    /* f16 d, f16 dmin, 12 bytes: Q4_K's order of six and six_min */
#define GRETA_SCALES_SIXES_16 3 /* s + 32 of 16 halves in 12 bytes: low nibbles, then pairs of bits */
#define GRETA_SCALES_SIXES_8 4  /* s + 32 of 8 units: 2 bytes of high pairs, 4 of low nibbles */

/* ---- the types. The numbers are in tuning databases and in the names of HIP kernels: never renumber ---- */

/* clang-format off */
#define GRETA_TYPE_F32 0
#define GRETA_FORMAT_F32 GRETA_FORMAT(32u, 0u, 8u, GRETA_VALUES_NONE, GRETA_SCALE_NONE)

#define GRETA_TYPE_F16 1
#define GRETA_FORMAT_F16 GRETA_FORMAT(16u, 0u, 5u, GRETA_VALUES_NONE, GRETA_SCALE_NONE)

#define GRETA_TYPE_BF16 2
#define GRETA_FORMAT_BF16 GRETA_FORMAT(16u, 0u, 8u, GRETA_VALUES_NONE, GRETA_SCALE_NONE)

/* f16 d, int8 q[32] */
#define GRETA_TYPE_Q8_0 3
#define GRETA_FORMAT_Q8_0 GRETA_FORMAT(8u, 0u, 128u, GRETA_VALUES_NONE, GRETA_SCALE_D)
#define GRETA_BLOCK_Q8_0 GRETA_CODES_BYTES, 2, 0, 0, GRETA_SCALES_RAW, 0, 0

/* f16 d, q[16] */
#define GRETA_TYPE_Q4_0 4
#define GRETA_FORMAT_Q4_0 GRETA_FORMAT(4u, 0u, 8u, GRETA_VALUES_NONE, GRETA_SCALE_D)
#define GRETA_BLOCK_Q4_0 GRETA_CODES_HALVES, 2, 0, 0, GRETA_SCALES_RAW, 0, 0

/* f16 d, f16 m, q[16] */
#define GRETA_TYPE_Q4_1 5
#define GRETA_FORMAT_Q4_1 GRETA_FORMAT(4u, 0u, 0u, GRETA_VALUES_NONE, GRETA_SCALE_DM)
#define GRETA_BLOCK_Q4_1 GRETA_CODES_HALVES, 4, 0, 0, GRETA_SCALES_RAW, 0, 0

/* f16 d, f16 dmin, scales[12], q[128] */
#define GRETA_TYPE_Q4_K 6
#define GRETA_FORMAT_Q4_K GRETA_FORMAT(4u, 0u, 0u, GRETA_VALUES_NONE, GRETA_SCALE_SIXES)
#define GRETA_BLOCK_Q4_K GRETA_CODES_PAIRS, 16, 0, 0, GRETA_SCALES_SIXES, 0, 0

/* low[128], high[64], int8 s[16], f16 d */
#define GRETA_TYPE_Q6_K 7
#define GRETA_FORMAT_Q6_K GRETA_FORMAT(4u, 2u, 32u, GRETA_VALUES_NONE, GRETA_SCALE_S2)
#define GRETA_BLOCK_Q6_K GRETA_CODES_FOURS, 0, GRETA_CODES_QUARTERS, 128, GRETA_SCALES_RAW, 192, 208

/* f16 d, bits[4], q[16] */
#define GRETA_TYPE_Q5_0 8
#define GRETA_FORMAT_Q5_0 GRETA_FORMAT(4u, 1u, 16u, GRETA_VALUES_NONE, GRETA_SCALE_D)
#define GRETA_BLOCK_Q5_0 GRETA_CODES_HALVES, 6, GRETA_CODES_WORD, 2, GRETA_SCALES_RAW, 0, 0

/* f16 d, f16 m, bits[4], q[16] */
#define GRETA_TYPE_Q5_1 9
#define GRETA_FORMAT_Q5_1 GRETA_FORMAT(4u, 1u, 0u, GRETA_VALUES_NONE, GRETA_SCALE_DM)
#define GRETA_BLOCK_Q5_1 GRETA_CODES_HALVES, 8, GRETA_CODES_WORD, 4, GRETA_SCALES_RAW, 0, 0

/* f16 d, f16 dmin, scales[12], bits[32], q[128] */
#define GRETA_TYPE_Q5_K 10
#define GRETA_FORMAT_Q5_K GRETA_FORMAT(4u, 1u, 0u, GRETA_VALUES_NONE, GRETA_SCALE_SIXES)
#define GRETA_BLOCK_Q5_K GRETA_CODES_PAIRS, 48, GRETA_CODES_EIGHTHS, 16, GRETA_SCALES_SIXES, 0, 0

/* scales[16] with the minimum in the high half, q[64], f16 d, f16 dmin */
#define GRETA_TYPE_Q2_K 11
#define GRETA_FORMAT_Q2_K GRETA_FORMAT(2u, 0u, 0u, GRETA_VALUES_NONE, GRETA_SCALE_SM2)
#define GRETA_BLOCK_Q2_K GRETA_CODES_QUARTERS, 16, 0, 0, GRETA_SCALES_RAW, 0, 80

/* bits[32], q[64], scales[12], f16 d */
#define GRETA_TYPE_Q3_K 12
#define GRETA_FORMAT_Q3_K GRETA_FORMAT(2u, 1u, 4u, GRETA_VALUES_NONE, GRETA_SCALE_S2)
#define GRETA_BLOCK_Q3_K GRETA_CODES_QUARTERS, 32, GRETA_CODES_EIGHTHS, 0, GRETA_SCALES_SIXES_16, 96, 108

/* f16 d, q[16] */
#define GRETA_TYPE_IQ4_NL 13
#define GRETA_FORMAT_IQ4_NL GRETA_FORMAT(4u, 0u, 128u, GRETA_VALUES_IQ4, GRETA_SCALE_D)
#define GRETA_BLOCK_IQ4_NL GRETA_CODES_HALVES, 2, 0, 0, GRETA_SCALES_RAW, 0, 0

/* f16 d, scales: 8 x 2 high bits, 8 x 4 low bits, 8 x q[16] */
#define GRETA_TYPE_IQ4_XS 14
#define GRETA_FORMAT_IQ4_XS GRETA_FORMAT(4u, 0u, 128u, GRETA_VALUES_IQ4, GRETA_SCALE_S1)
#define GRETA_BLOCK_IQ4_XS GRETA_CODES_HALVES, 8, 0, 0, GRETA_SCALES_SIXES_8, 2, 0

/* e8m0 d, q[16]. OCP's microscaling format: d is 2^(e - 127) and the values halves, here half of it and whole */
#define GRETA_TYPE_MXFP4 24
#define GRETA_FORMAT_MXFP4 GRETA_FORMAT(4u, 0u, 12u, GRETA_VALUES_FP4, GRETA_SCALE_E8M0)
#define GRETA_BLOCK_MXFP4 GRETA_CODES_HALVES, 1, 0, 0, GRETA_SCALES_RAW, 0, 0

/* Decoded by the cpu alone: numbers only. */
#define GRETA_TYPE_IQ1_S 15
#define GRETA_TYPE_IQ1_M 16
#define GRETA_TYPE_IQ2_XXS 17
#define GRETA_TYPE_IQ2_XS 18
#define GRETA_TYPE_IQ2_S 19
#define GRETA_TYPE_IQ3_XXS 20
#define GRETA_TYPE_IQ3_S 21
#define GRETA_TYPE_TQ1_0 22
#define GRETA_TYPE_TQ2_0 23
/* clang-format on */

/* ---- what is known of a type, or of its format ---- */

/* The format of `type`; 0: it has no PACKED layout. In shaders and templates a constant: all but one term are dropped. */
#define GRETA_FORMAT_OF_ROW(type, name, ggml, elements, bytes) \
    +((type) == GRETA_TYPE_##name ? GRETA_FORMAT_##name : 0u)
#define GRETA_WEIGHT_FORMAT(type) (0u GRETA_WEIGHT_PACKED_LIST(GRETA_FORMAT_OF_ROW, type))

#define GRETA_TYPE_IS_PACKED(type) (GRETA_WEIGHT_FORMAT(type) != 0u)

#define GRETA_FORMAT_LOW(format) ((format)&63u)
#define GRETA_FORMAT_HIGH(format) ((format) >> 6 & 3u)
#define GRETA_FORMAT_BIAS(format) ((format) >> 8 & 255u)
#define GRETA_FORMAT_VALUES(format) ((format) >> 16 & 3u)
#define GRETA_FORMAT_SCALE(format) ((format) >> 18)
#define GRETA_FORMAT_UNIT_BYTES(format) ((format) >> 22 & 7u)   /* of plane 2 */
#define GRETA_FORMAT_SUPER_BYTES(format) ((format) >> 25 & 31u) /* of plane 3 */

/* Bits, not comparisons: a || b of these would be control flow in SPIR-V, which NVIDIA's driver did not fold (docs/tried.md). */
#define GRETA_FORMAT_HAS_OFFSET(format) (((format) >> 30 & 1u) != 0u)
#define GRETA_FORMAT_HAS_HALVES(format) (((format) >> 31 & 1u) != 0u)

/* Word i of VALUES, i of 0 .. 3. */
#define GRETA_VALUES_WORD(format, i) \
    (GRETA_FORMAT_VALUES(format) == GRETA_VALUES_FP4 ? GRETA_VALUES_FP4_##i : GRETA_VALUES_IQ4_##i)

#endif

/*
 * ---- decoding ----
 * For whoever defines the language's words: GRETA_WEIGHT_FN, what functions begin with; GRETA_U32, GRETA_U32X4 (four of them, x y z w);
 * GRETA_F32(x), of a small integer; GRETA_FROM_BITS(w), the float of 32 bits; GRETA_F16(w), GRETA_F16_HIGH(w), of 16 bits of w;
 * GRETA_SIGNED(w, i), of byte i.
 */
#if defined(GRETA_WEIGHT_FN) && !defined(GRETA_WEIGHT_DECODE)
#define GRETA_WEIGHT_DECODE

/*
 * The codes of four elements, one a byte, bytes of 8 bits as they are (signed). `low`, `high`: the words of plane 0 and plane 1 that hold
 * element 4j and further ones, shifted right or not so that i = j - (the first j in it), and i is a constant. Of 8 and 4 bits
 * `low` holds one or two groups of four: of i its parity counts; of 2 bits four.
 */
GRETA_WEIGHT_FN GRETA_U32 greta_weight_codes(GRETA_U32 format, GRETA_U32 low, GRETA_U32 high, GRETA_U32 i) {
    GRETA_U32 n_low = GRETA_FORMAT_LOW(format), n_high = GRETA_FORMAT_HIGH(format), codes = low;
    if (n_low == 4u) codes = low >> 4u * (i & 1u) & 0x0F0F0F0Fu;
    if (n_low == 2u) codes = low >> 2u * (i & 3u) & 0x03030303u;
    if (n_high != 0u) {
        GRETA_U32 at = n_high == 2u ? 2u * (i & 3u) : i & 7u;
        GRETA_U32 bits = at < n_low ? high << (n_low - at) : high >> (at - n_low);
        codes |= bits & ((n_high == 2u ? 0x03030303u : 0x01010101u) << n_low);
    }
    return codes;
}

/*
 * `s`: what plane 2 has of a unit (bits above that are anything), `d`: what plane 3 has of its superblock, u: which unit of it, half: of
 * the unit, 0 or 1.
 */
GRETA_WEIGHT_FN float greta_weight_scale(GRETA_U32 format, GRETA_U32 s, GRETA_U32X4 d, GRETA_U32 u,
                                         GRETA_U32 half_) {
    GRETA_U32 scale = GRETA_FORMAT_SCALE(format);
    float v = GRETA_F32(1u);
    if (scale == GRETA_SCALE_D || scale == GRETA_SCALE_DM) {
        v = GRETA_F16(s);
    } else if (scale == GRETA_SCALE_SIXES) {
        v = GRETA_F16(d.x) * GRETA_F32((u < 4u ? d.y : d.z) >> (u & 3u) * 8u & 63u);
    } else if (scale == GRETA_SCALE_S2) {
        v = GRETA_F16(d.x) * GRETA_SIGNED(s, half_);
    } else if (scale == GRETA_SCALE_SM2) {
        v = GRETA_F16(d.x) * GRETA_F32(s >> 8u * half_ & 15u);
    } else if (scale == GRETA_SCALE_S1) {
        v = GRETA_F16(d.x) * GRETA_SIGNED(s, 0u);
    } else if (scale == GRETA_SCALE_E8M0) {
        GRETA_U32 e = s & 255u; /* below 2 a denormal */
        v = GRETA_FROM_BITS(e < 2u ? 0x00200000u << e : (e - 1u) << 23u);
    }
    return v;
}

GRETA_WEIGHT_FN float greta_weight_offset(GRETA_U32 format, GRETA_U32 s, GRETA_U32X4 d, GRETA_U32 u,
                                          GRETA_U32 half_) {
    GRETA_U32 scale = GRETA_FORMAT_SCALE(format);
    float v = GRETA_F32(0u);
    if (scale == GRETA_SCALE_DM) {
        v = GRETA_F16_HIGH(s);
    } else if (scale == GRETA_SCALE_SIXES) {
        GRETA_U32 min = ((u < 4u ? d.y : d.z) >> ((u & 3u) * 8u + 6u) & 3u) | (d.w >> u * 4u & 15u) << 2u;
        v = -GRETA_F16_HIGH(d.x) * GRETA_F32(min);
    } else if (scale == GRETA_SCALE_SM2) {
        v = -GRETA_F16_HIGH(d.x) * GRETA_F32(s >> 8u * half_ >> 4u & 15u);
    }
    return v;
}

#endif

/*
 * ---- blocks of a file, for C ----
 * Scalar: what kernels/quant.c and the cpu's vectors do faster for the arrangements that they know, and do by this for others.
 */
#if defined(GRETA_WEIGHT_BLOCKS) && !defined(GRETA_WEIGHT_BLOCKS_READ)
#define GRETA_WEIGHT_BLOCKS_READ

#include <stdint.h>
#include <string.h>

struct greta_block {
    uint32_t format, elements, bytes;
    uint8_t low_is;
    uint16_t low_at;
    uint8_t high_is;
    uint16_t high_at;
    uint8_t scales_are;
    uint16_t unit_at, super_at;
};

/* Of a quantized type with a PACKED layout; of others .format is 0. */
GRETA_WEIGHT_FN struct greta_block greta_block_of(uint32_t type) {
    switch (type) {
#define GRETA_BLOCK_CASE(X, name, ggml, elements, bytes) \
    case GRETA_TYPE_##name:                              \
        return (struct greta_block){GRETA_FORMAT_##name, elements, bytes, GRETA_BLOCK_##name};
        GRETA_WEIGHT_QUANT_LIST(GRETA_BLOCK_CASE, -)
#undef GRETA_BLOCK_CASE
    default: return (struct greta_block){0};
    }
}

/* Where bits of element i of unit u lie: shifted left by *shift in the byte that is returned. */
GRETA_WEIGHT_FN unsigned greta_codes_place(unsigned codes_are, unsigned u, unsigned i, unsigned *shift) {
    switch (codes_are) {
    case GRETA_CODES_HALVES: *shift = i / 16 * 4; return 16 * u + i % 16;
    case GRETA_CODES_PAIRS: *shift = u % 2 * 4; return u / 2 * 32 + i;
    case GRETA_CODES_FOURS: *shift = u % 4 / 2 * 4; return u / 4 * 64 + u % 2 * 32 + i;
    case GRETA_CODES_QUARTERS: *shift = u % 4 * 2; return u / 4 * 32 + i;
    case GRETA_CODES_WORD: *shift = i % 8; return 4 * u + i / 8;
    case GRETA_CODES_EIGHTHS: *shift = u; return i;
    default: *shift = 0; return 32 * u + i; /* BYTES */
    }
}

/* Codes of half a unit, `bits` of each, into bits `to` and up of q. The half is known to the compiler, so that it finds vectors. */
GRETA_WEIGHT_FN void greta_codes_add(unsigned codes_are, unsigned bits, const uint8_t *p, unsigned u,
                                     unsigned half, unsigned to, uint8_t q[16]) {
    const unsigned flip = bits == 8 ? 128 : 0;
    uint8_t codes[16];
    for (unsigned i = 0; i < 2 && codes_are == GRETA_CODES_WORD; i++) { /* eight bits to eight bytes */
        /* GLSL's preprocessor refuses longer literals even where it skips. */
        const uint64_t ones = (uint64_t)0x01010101 << 32 | 0x01010101, each = (uint64_t)0x80402010 << 32 | 0x08040201;
        const uint64_t set = (p[4 * u + 2 * half + i] * ones & each) + 0x7F * ones;
        const uint64_t eight = (set >> 7 & ones) << to;
        memcpy(codes + 8 * i, &eight, sizeof eight);
    }
    for (unsigned i = 0; i < 16 && codes_are != GRETA_CODES_WORD; i++) {
        unsigned shift, byte = greta_codes_place(codes_are, u, 16 * half + i, &shift);
        codes[i] = (uint8_t)(((p[byte] >> shift & ((1u << bits) - 1)) << to) ^ flip);
    }
    for (unsigned i = 0; i < 16; i++) q[i] = to ? q[i] | codes[i] : codes[i];
}

/* The codes of unit u of a block, unsigned: those of 8 bits plus 128. */
GRETA_WEIGHT_FN void greta_block_codes(const struct greta_block *b, const uint8_t *block, unsigned u,
                                       uint8_t q[32]) {
    const unsigned low = GRETA_FORMAT_LOW(b->format), high = GRETA_FORMAT_HIGH(b->format);
    for (unsigned half = 0; half < 2; half++) {
        greta_codes_add(b->low_is, low, block + b->low_at, u, half, 0, q + 16 * half);
        if (high) greta_codes_add(b->high_is, high, block + b->high_at, u, half, low, q + 16 * half);
    }
}

/* Six bits each: scale and minimum of unit u of Q4_K's 12 bytes, see GRETA_SCALES_SIXES. */
GRETA_WEIGHT_FN unsigned greta_sixes_scale(const uint8_t *q, unsigned u) {
    return u < 4 ? q[u] & 63u : (q[u + 4] & 15u) | (unsigned)(q[u - 4] >> 6) << 4;
}
GRETA_WEIGHT_FN unsigned greta_sixes_min(const uint8_t *q, unsigned u) {
    return u < 4 ? q[u + 4] & 63u : (unsigned)(q[u + 4] >> 4) | (unsigned)(q[u] >> 6) << 4;
}

/* n bytes, up to four, as the low ones of a word. (Not by memcpy of n: the word would be read back before its parts are written.) */
GRETA_WEIGHT_FN uint32_t greta_bytes_word(const uint8_t *p, int n) {
    uint32_t w = 0;
    uint16_t half;
    if (n < 2) return n < 1 ? 0 : p[0];
    memcpy(&half, p, sizeof half);
    if (n < 4) return half | (n == 3 ? (uint32_t)p[2] << 16 : 0);
    memcpy(&w, p, sizeof w);
    return w;
}

/* What planes 2 and 3 hold of unit u and its superblock, in the low bytes; bits of d that only other units need are 0. */
GRETA_WEIGHT_FN void greta_block_scales(const struct greta_block *b, const uint8_t *block, unsigned u,
                                        uint32_t *s, GRETA_U32X4 *d) {
    const uint8_t *q = block + b->unit_at;
    const int unit_bytes = GRETA_FORMAT_UNIT_BYTES(b->format);
    const int super_bytes = GRETA_FORMAT_SUPER_BYTES(b->format);
    uint32_t words[4];
    for (int i = 0; i < 4; i++) words[i] = greta_bytes_word(block + b->super_at + 4 * i, super_bytes - 4 * i);
    *s = 0;
    switch (b->scales_are) {
    case GRETA_SCALES_SIXES: { /* after d and dmin */
        const uint32_t scale = greta_sixes_scale(q + 4, u), min = greta_sixes_min(q + 4, u);
        const uint32_t six = (scale | (min & 3) << 6) << u % 4 * 8;
        words[1] = u < 4 ? six : 0;
        words[2] = u < 4 ? 0 : six;
        words[3] = min >> 2 << 4 * u;
        break;
    }
    case GRETA_SCALES_SIXES_16:
        for (unsigned i = 0, j = 2 * u; i < 2; i++, j++) {
            const unsigned six = (q[j % 8] >> j / 8 * 4 & 15u) | (q[8 + j % 4] >> j / 4 * 2 & 3u) << 4;
            *s |= (uint32_t)(uint8_t)(six - 32) << 8 * i;
        }
        break;
    case GRETA_SCALES_SIXES_8:
        *s = (uint8_t)(((q[2 + u / 2] >> u % 2 * 4 & 15u) | (q[u / 4] >> u % 4 * 2 & 3u) << 4) - 32);
        break;
    default: *s = greta_bytes_word(q + u * (unsigned)unit_bytes, unit_bytes);
    }
    *d = (GRETA_U32X4){words[0], words[1], words[2], words[3]};
}

/* The records of planes 2 and 3 of a block of n units. */
GRETA_WEIGHT_FN void greta_block_scale_records(const struct greta_block *b, const uint8_t *block, unsigned n,
                                               uint8_t *units, uint8_t *super) {
    const size_t unit_bytes = GRETA_FORMAT_UNIT_BYTES(b->format);
    uint32_t words[4] = {0};
    for (unsigned u = 0; u < n; u++) {
        uint32_t s;
        GRETA_U32X4 d;
        greta_block_scales(b, block, u, &s, &d);
        memcpy(units + unit_bytes * u, &s, unit_bytes);
        words[0] |= d.x, words[1] |= d.y, words[2] |= d.z, words[3] |= d.w;
    }
    memcpy(super, words, GRETA_FORMAT_SUPER_BYTES(b->format));
}

/* Of the two halves of unit u. */
GRETA_WEIGHT_FN void greta_block_factors(const struct greta_block *b, const uint8_t *block, unsigned u,
                                         float scale[2], float offset[2]) {
    uint32_t s;
    GRETA_U32X4 d;
    greta_block_scales(b, block, u, &s, &d);
    for (unsigned half = 0; half < (GRETA_FORMAT_HAS_HALVES(b->format) ? 2 : 1); half++) {
        scale[half] = greta_weight_scale(b->format, s, d, u % 8, half);
        offset[half] = greta_weight_offset(b->format, s, d, u % 8, half);
    }
    if (!GRETA_FORMAT_HAS_HALVES(b->format)) scale[1] = scale[0], offset[1] = offset[0];
}

#endif
