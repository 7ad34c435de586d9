/*
 * How the bytes of weights and of 8-bit activations lie on a device, for C, GLSL and HIP: only macros of plain integer
 * arithmetic here. In C pass uint64_t sizes; in shaders uint is enough, because one tensor has less than 4 GiB.
 *
 * PACKED. A weight of n_rows x n_cols is decoded in UNITS of 32 elements of one row. Its bytes lie in up to four planes, one
 * behind another, each starting at a multiple of 16 bytes. Planes 0, 1 and 2 hold a RECORD for each unit, plane 3 one for each
 * superblock of eight units; row r's record i lies at
 *
 *     GRETA_PACKED_OFFSET_p(type, n_rows, n_cols) + (r * GRETA_PACKED_RECORDS_p(type, n_cols) + i) * GRETA_PACKED_BYTES_p(type)
 *
 * What a record holds is said in weight_formats.h, for each type and as it is decoded. Nothing lies behind the last plane: a reader
 * must not pass the end. Only float types may have a row that is no multiple of 32 (256 for types with a superblock): it is padded with
 * zeros to whole units.
 */
#ifndef GRETA_LAYOUT_H
#define GRETA_LAYOUT_H

#include "greta/weight_formats.h"

#define GRETA_UNIT_ELEMENTS 32u

/* To whole records / up to a multiple of 16 bytes, in the type of the argument. */
#define GRETA_DIV_UP(n, d) (((n) + ((d)-1u)) / (d))
#define GRETA_PAD16(n) (((n) + 15u) / 16u * 16u)

/* Bytes of a record; 0: the type has no such plane. */
#define GRETA_PACKED_BYTES_0(type) (4u * GRETA_FORMAT_LOW(GRETA_WEIGHT_FORMAT(type)))
#define GRETA_PACKED_BYTES_1(type) (4u * GRETA_FORMAT_HIGH(GRETA_WEIGHT_FORMAT(type)))
#define GRETA_PACKED_BYTES_2(type) GRETA_FORMAT_UNIT_BYTES(GRETA_WEIGHT_FORMAT(type))
#define GRETA_PACKED_BYTES_3(type) GRETA_FORMAT_SUPER_BYTES(GRETA_WEIGHT_FORMAT(type))

/* Elements of a record. */
#define GRETA_PACKED_ELEMENTS_0(type) 32u
#define GRETA_PACKED_ELEMENTS_1(type) 32u
#define GRETA_PACKED_ELEMENTS_2(type) 32u
#define GRETA_PACKED_ELEMENTS_3(type) 256u

/* Records of a row. */
#define GRETA_PACKED_RECORDS_0(type, n_cols) GRETA_DIV_UP(n_cols, GRETA_PACKED_ELEMENTS_0(type))
#define GRETA_PACKED_RECORDS_1(type, n_cols) GRETA_DIV_UP(n_cols, GRETA_PACKED_ELEMENTS_1(type))
#define GRETA_PACKED_RECORDS_2(type, n_cols) GRETA_DIV_UP(n_cols, GRETA_PACKED_ELEMENTS_2(type))
#define GRETA_PACKED_RECORDS_3(type, n_cols) GRETA_DIV_UP(n_cols, GRETA_PACKED_ELEMENTS_3(type))

/* Where each plane begins, in bytes from the tensor's start, and the tensor's size. */
#define GRETA_PACKED_OFFSET_0(type, n_rows, n_cols) 0u
#define GRETA_PACKED_OFFSET_1(type, n_rows, n_cols) \
    GRETA_PAD16((n_rows)*GRETA_PACKED_RECORDS_0(type, n_cols) * GRETA_PACKED_BYTES_0(type))
#define GRETA_PACKED_OFFSET_2(type, n_rows, n_cols) \
    (GRETA_PACKED_OFFSET_1(type, n_rows, n_cols) +  \
     GRETA_PAD16((n_rows)*GRETA_PACKED_RECORDS_1(type, n_cols) * GRETA_PACKED_BYTES_1(type)))
#define GRETA_PACKED_OFFSET_3(type, n_rows, n_cols) \
    (GRETA_PACKED_OFFSET_2(type, n_rows, n_cols) +  \
     GRETA_PAD16((n_rows)*GRETA_PACKED_RECORDS_2(type, n_cols) * GRETA_PACKED_BYTES_2(type)))
#define GRETA_PACKED_SIZE(type, n_rows, n_cols)    \
    (GRETA_PACKED_OFFSET_3(type, n_rows, n_cols) + \
     GRETA_PAD16((n_rows)*GRETA_PACKED_RECORDS_3(type, n_cols) * GRETA_PACKED_BYTES_3(type)))

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
