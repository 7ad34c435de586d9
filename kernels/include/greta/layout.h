/*
 * How the bytes of weights and of 8-bit activations lie on a device, for C, GLSL and HIP: only macros of plain integer
 * arithmetic here. In C pass uint64_t sizes; in shaders uint is enough, because one tensor has less than 4 GiB.
 *
 * PACKED. A weight of n_rows x n_cols is decoded in UNITS of 32 elements of one row. Its bytes lie in up to four planes, one
 * behind another, each starting at a multiple of 16 bytes. Plane p holds one RECORD per GRETA_PACKED_ELEMENTS_p elements (32:
 * a unit, 256: a superblock of 8 units); row r's record i lies at
 *
 *     GRETA_PACKED_OFFSET_p(type, n_rows, n_cols) + (r * GRETA_PACKED_RECORDS_p(type, n_cols) + i) * GRETA_PACKED_BYTES_p(type)
 *
 * with i = element / GRETA_PACKED_ELEMENTS_p. Values are little-endian. Nothing lies behind the last plane: a reader must not
 * pass the end. Only float types may have a row that is no multiple of 32 (256 for _K): it is padded with zeros to whole units.
 *
 *   type  plane 0       plane 1             plane 2      plane 3      element c of the unit; (256): a superblock
 *   F32   32 f32        -                   -            -            v[c]
 *   F16   32 f16        -                   -            -            v[c]
 *   BF16  32 bf16       -                   -            -            v[c]
 *   Q8_0  32 int8       f16 d               -            -            d * q[c]
 *   Q4_0  16 B nibbles  f16 d               -            -            d * (q[c] - 8)
 *   Q4_1  16 B nibbles  f16 d, f16 m        -            -            d * q[c] + m
 *   Q4_K  16 B nibbles  16 B (256)          -            -            d * scale[u] * q[c] - dmin * min[u]
 *   Q6_K  16 B nibbles  8 B bit pairs       2 int8 s     f16 d (256)  d * s[c / 16] * ((q[c] | pair[c] << 4) - 32)
 *   Q5_0  16 B nibbles  f16 d               4 B bits     -            d * ((q[c] | bit[c] << 4) - 16)
 *   Q5_1  16 B nibbles  f16 d, f16 m        4 B bits     -            d * (q[c] | bit[c] << 4) + m
 *   Q5_K  16 B nibbles  16 B (256), Q4_K's  4 B bits     -            d * scale[u] * (q[c] | bit[c] << 4) - dmin * min[u]
 *   Q2_K  8 B bit pairs 2 B sm              -            4 B (256)    d * (sm[c / 16] & 15) * q[c] - dmin * (sm[c / 16] >> 4)
 *   Q3_K  8 B bit pairs 4 B bits            2 int8 s     f16 d (256)  d * s[c / 16] * ((q[c] | bit[c] << 2) - 4)
 *   IQ4_NL 16 B nibbles f16 d               -            -            d * GRETA_IQ4_VALUES[q[c]]
 *   IQ4_XS 16 B nibbles int8 s              -            f16 d (256)  d * s * GRETA_IQ4_VALUES[q[c]]
 *
 * NIBBLES: four 32-bit words. Word i holds the elements 8i .. 8i+7: the low nibble of its byte j is element 8i+j, the high
 * nibble element 8i+4+j. So (w >> 4 * h) & 0x0F0F0F0F is the bytes of the elements 8i+4h .. 8i+4h+3, in order.
 *
 * BIT PAIRS: two 32-bit words. Word k holds the elements 16k .. 16k+15: bits 2j, 2j+1 of its byte b belong to element
 * 16k+4j+b. So for the nibble word i, half h (j = 2 * (i % 2) + h, k = i / 2): ((p[k] >> 2 * j) & 0x03030303) << 4 is
 * added to the nibbles' four bytes.
 *
 * SINGLE BITS: one 32-bit word; bit j of its byte b belongs to element 4j+b. So for the nibble word i, half h:
 * ((p >> (2i + h)) & 0x01010101) << 4 is added to the nibbles' four bytes.
 *
 * Q2_K's plane 3: f16 d, f16 dmin.
 *
 * Q4_K's plane 1: word 0: f16 d in the low half, f16 dmin in the high one. Byte 4 + u: scale[u] in bits 0 .. 5, the low two
 * bits of min[u] in bits 6, 7. Word 3: min[u] >> 2 in bits 4u .. 4u+3. See GRETA_Q4_K_SCALE and GRETA_Q4_K_MIN.
 *
 * A further type is a line in each macro here, a case in the pack function and a decode function for a unit.
 */
#ifndef GRETA_LAYOUT_H
#define GRETA_LAYOUT_H

#define GRETA_UNIT_ELEMENTS 32u

/* To whole records / up to a multiple of 16 bytes, in the type of the argument. */
#define GRETA_DIV_UP(n, d) (((n) + ((d)-1u)) / (d))
#define GRETA_PAD16(n) (((n) + 15u) / 16u * 16u)

/* Bytes of a record; 0: the type has no such plane. `type` is below GRETA_N_PACKED_TYPES. */
#define GRETA_PACKED_BYTES_0(type)                                   \
    ((type) == GRETA_TYPE_F32                                 ? 128u \
     : (type) == GRETA_TYPE_F16 || (type) == GRETA_TYPE_BF16  ? 64u  \
     : (type) == GRETA_TYPE_Q8_0                              ? 32u  \
     : (type) == GRETA_TYPE_Q2_K || (type) == GRETA_TYPE_Q3_K ? 8u   \
                                                              : 16u)
#define GRETA_PACKED_BYTES_1(type)                                                               \
    ((type) == GRETA_TYPE_Q8_0 || (type) == GRETA_TYPE_Q4_0 || (type) == GRETA_TYPE_Q5_0 ||      \
             (type) == GRETA_TYPE_Q2_K || (type) == GRETA_TYPE_IQ4_NL                            \
         ? 2u                                                                                    \
     : (type) == GRETA_TYPE_Q4_1 || (type) == GRETA_TYPE_Q5_1 || (type) == GRETA_TYPE_Q3_K ? 4u  \
     : (type) == GRETA_TYPE_IQ4_XS                                                         ? 1u  \
     : (type) == GRETA_TYPE_Q4_K || (type) == GRETA_TYPE_Q5_K                              ? 16u \
     : (type) == GRETA_TYPE_Q6_K                                                           ? 8u  \
                                                                                           : 0u)
#define GRETA_PACKED_BYTES_2(type)                                                              \
    ((type) == GRETA_TYPE_Q6_K || (type) == GRETA_TYPE_Q3_K                                ? 2u \
     : (type) == GRETA_TYPE_Q5_0 || (type) == GRETA_TYPE_Q5_1 || (type) == GRETA_TYPE_Q5_K ? 4u \
                                                                                           : 0u)
#define GRETA_PACKED_BYTES_3(type)                                                              \
    ((type) == GRETA_TYPE_Q6_K || (type) == GRETA_TYPE_Q3_K || (type) == GRETA_TYPE_IQ4_XS ? 2u \
     : (type) == GRETA_TYPE_Q2_K                                                           ? 4u \
                                                                                           : 0u)

/* Elements of a record. */
#define GRETA_PACKED_ELEMENTS_0(type) 32u
#define GRETA_PACKED_ELEMENTS_1(type) ((type) == GRETA_TYPE_Q4_K || (type) == GRETA_TYPE_Q5_K ? 256u : 32u)
#define GRETA_PACKED_ELEMENTS_2(type) 32u
#define GRETA_PACKED_ELEMENTS_3(type) 256u

/* Records of a row. */
#define GRETA_PACKED_RECORDS_0(type, n_cols) GRETA_DIV_UP(n_cols, GRETA_PACKED_ELEMENTS_0(type))
#define GRETA_PACKED_RECORDS_1(type, n_cols) GRETA_DIV_UP(n_cols, GRETA_PACKED_ELEMENTS_1(type))
#define GRETA_PACKED_RECORDS_2(type, n_cols) GRETA_DIV_UP(n_cols, GRETA_PACKED_ELEMENTS_2(type))
#define GRETA_PACKED_RECORDS_3(type, n_cols) GRETA_DIV_UP(n_cols, GRETA_PACKED_ELEMENTS_3(type))

/* Where each plane begins, in bytes from the tensor's start, and the tensor's size. */
#define GRETA_PACKED_OFFSET_0(type, n_rows, n_cols) 0u
#define GRETA_PACKED_OFFSET_1(type, n_rows, n_cols)                                                          \
    GRETA_PAD16((n_rows)*GRETA_PACKED_RECORDS_0(type, n_cols) * GRETA_PACKED_BYTES_0(type))
#define GRETA_PACKED_OFFSET_2(type, n_rows, n_cols)                                                          \
    (GRETA_PACKED_OFFSET_1(type, n_rows, n_cols) +                                                           \
     GRETA_PAD16((n_rows)*GRETA_PACKED_RECORDS_1(type, n_cols) * GRETA_PACKED_BYTES_1(type)))
#define GRETA_PACKED_OFFSET_3(type, n_rows, n_cols)                                                          \
    (GRETA_PACKED_OFFSET_2(type, n_rows, n_cols) +                                                           \
     GRETA_PAD16((n_rows)*GRETA_PACKED_RECORDS_2(type, n_cols) * GRETA_PACKED_BYTES_2(type)))
#define GRETA_PACKED_SIZE(type, n_rows, n_cols)                                                              \
    (GRETA_PACKED_OFFSET_3(type, n_rows, n_cols) +                                                           \
     GRETA_PAD16((n_rows)*GRETA_PACKED_RECORDS_3(type, n_cols) * GRETA_PACKED_BYTES_3(type)))

/* Of the four 32-bit words of a Q4_K superblock's record: `byte_word` is word 1 + u / 4, `word_3` is word 3; u of 0 .. 7. */
#define GRETA_Q4_K_SCALE(byte_word, u) (((byte_word) >> (((u)&3u) * 8u)) & 63u)
#define GRETA_Q4_K_MIN(byte_word, word_3, u)                                                                 \
    ((((byte_word) >> (((u)&3u) * 8u + 6u)) & 3u) | ((((word_3) >> ((u)*4u)) & 15u) << 2u))

/* What the nibbles of IQ4_NL and IQ4_XS stand for, ascending; and the same, plus 128, four bytes to a word. */
#define GRETA_IQ4_VALUES -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
#define GRETA_IQ4_WORD_0 0x3F2D1801u
#define GRETA_IQ4_WORD_1 0x766A5D4Fu
#define GRETA_IQ4_WORD_2 0xA6998D81u
#define GRETA_IQ4_WORD_3 0xF1D9C5B5u

/*
 * Q8A: activations rounded to 8 bits, as the op quantize writes them. One row of n_cols is three planes, each padded to 16
 * bytes, in units of 32 elements; n_cols need not be a multiple of 32, what is missing counts as 0 (q = 0):
 *
 *     int8 q[32 * n_units]     q = round to nearest even (x / d), |q| <= 127
 *     f32  d[n_units]          d = max |x| / 127 over the unit
 *     f32  s[n_units]          s = d * (sum of the unit's q): what multiplies a weight's minimum or offset
 *
 * x is d * q. A unit of zeros has d = 0, s = 0, q = 0. The bytes between a plane's end and the next multiple of 16 are
 * undefined. Row r begins at r * GRETA_Q8A_ROW_BYTES.
 */
#define GRETA_Q8A_UNITS(n_cols) GRETA_DIV_UP(n_cols, 32u)
#define GRETA_Q8A_D_OFFSET(n_cols) (GRETA_Q8A_UNITS(n_cols) * 32u)
#define GRETA_Q8A_S_OFFSET(n_cols) (GRETA_Q8A_D_OFFSET(n_cols) + GRETA_PAD16(GRETA_Q8A_UNITS(n_cols) * 4u))
#define GRETA_Q8A_ROW_BYTES(n_cols) (GRETA_Q8A_S_OFFSET(n_cols) + GRETA_PAD16(GRETA_Q8A_UNITS(n_cols) * 4u))

/*
 * A cache of keys or values: a row of n_cols = n_head_kv * head_dim elements for each position, at position * GRETA_KV_ROW_BYTES.
 * F32, F16: the elements. Q8_0, where head_dim (in kv_update: n_cols) is a multiple of 32:
 *
 *     int8 q[n_cols]           q = round to nearest (x / d), |q| <= 127; 0 where d is 0
 *     f16  d[n_cols / 32]      d = max |x| / 127 over 32 elements, rounded to f16
 *
 * and undefined bytes up to a multiple of 16. x is d * q. Where an x of the 32 is not finite, or d overflows, d is not finite either,
 * and q is undefined.
 */
#define GRETA_KV_SCALES_OFFSET(n_cols) (n_cols)
#define GRETA_KV_ROW_BYTES(type, n_cols)                                                            \
    ((type) == GRETA_TYPE_Q8_0  ? GRETA_PAD16(GRETA_KV_SCALES_OFFSET(n_cols) + (n_cols) / 32u * 2u) \
     : (type) == GRETA_TYPE_F32 ? (n_cols)*4u                                                       \
                                : (n_cols)*2u)

#endif
