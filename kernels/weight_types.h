/*
 * The types of weights, a row for each: name, ggml's number, elements of a block, its bytes in a file. Names, sizes, bits of rows and the
 * switches of the cpu's kernels come from here; numbers, which shaders share, are in op_args.h, the PACKED layout in layout.h. The
 * formats of the blocks are GGUF's.
 *
 * WEIGHT_..._LIST(Y, X): Y(X, name, ggml number, elements, bytes) for each.
 */
#ifndef KERNELS_WEIGHT_TYPES_H
#define KERNELS_WEIGHT_TYPES_H

#include <greta/op_args.h>

/* clang-format off */
#define WEIGHT_FLOAT_LIST(Y, X) \
    Y(X, F32,      0,   1,   4) \
    Y(X, F16,      1,   1,   2) \
    Y(X, BF16,    30,   1,   2)

/* Small integers by a scale; some less a minimum. */
#define WEIGHT_INTEGER_LIST(Y, X) \
    Y(X, Q8_0,     8,  32,  34) /* f16 d, int8 q[32] */ \
    Y(X, Q4_0,     2,  32,  18) /* f16 d, q[16]: byte j holds element j low, j + 16 high */ \
    Y(X, Q4_1,     3,  32,  20) /* f16 d, f16 m, q[16] */ \
    Y(X, Q4_K,    12, 256, 144) /* f16 d, f16 dmin, scales[12], q[128]: units 2i and 2i+1 in 32 bytes, low and high */ \
    Y(X, Q6_K,    14, 256, 210) /* low[128], high[64], int8 scales[16], f16 d */ \
    Y(X, Q5_0,     6,  32,  22) /* f16 d, bits[4]: bit c of them is element c's, q[16] */ \
    Y(X, Q5_1,     7,  32,  24) /* f16 d, f16 m, bits[4], q[16] */ \
    Y(X, Q5_K,    13, 256, 176) /* as Q4_K, but between scales and q: bits[32], bit u of byte c is element c's of unit u */ \
    Y(X, Q2_K,    10, 256,  84) /* scales[16]: minimum in the high half, q[64], f16 d, f16 dmin */ \
    Y(X, Q3_K,    11, 256, 110) /* bits[32] as in Q5_K, q[64] as in Q2_K, scales[12], f16 d */

/* Integers that stand for one of GRETA_IQ4_VALUES, by a scale. */
#define WEIGHT_VALUE_LIST(Y, X) \
    Y(X, IQ4_NL,  20,  32,  18) /* as Q4_0 */ \
    Y(X, IQ4_XS,  23, 256, 136) /* f16 d, scales: 8 x 2 high bits, 8 x 4 low bits, 8 x q[16] */

/* Entries of codebooks, and ternary ones: decoded by the cpu alone (codebook.c). */
#define WEIGHT_CODEBOOK_LIST(Y, X) \
    Y(X, IQ1_S,   19, 256,  50) \
    Y(X, IQ1_M,   29, 256,  56) \
    Y(X, IQ2_XXS, 16, 256,  66) \
    Y(X, IQ2_XS,  17, 256,  74) \
    Y(X, IQ2_S,   22, 256,  82) \
    Y(X, IQ3_XXS, 18, 256,  98) \
    Y(X, IQ3_S,   21, 256, 110) \
    Y(X, TQ1_0,   34, 256,  54) \
    Y(X, TQ2_0,   35, 256,  66)
/* clang-format on */

#define WEIGHT_PACKED_LIST(Y, X) WEIGHT_FLOAT_LIST(Y, X) WEIGHT_INTEGER_LIST(Y, X) WEIGHT_VALUE_LIST(Y, X)
#define WEIGHT_TYPE_LIST(Y, X) WEIGHT_PACKED_LIST(Y, X) WEIGHT_CODEBOOK_LIST(Y, X)

/* X(name) for each of a list. */
#define WEIGHT_NAME(X, name, ggml, elements, bytes) X(name)

/* As rows name what they read. */
#define WEIGHT_BIT(X, name, ggml, elements, bytes) | 1u << GRETA_TYPE_##name
enum {
    WEIGHT_FLOATS = 0 WEIGHT_FLOAT_LIST(WEIGHT_BIT, -),
    WEIGHT_INTEGERS = 0 WEIGHT_INTEGER_LIST(WEIGHT_BIT, -),
    WEIGHT_VALUES = 0 WEIGHT_VALUE_LIST(WEIGHT_BIT, -),
    WEIGHT_CODEBOOKS = 0 WEIGHT_CODEBOOK_LIST(WEIGHT_BIT, -)
};

/* Q4_0_BYTES: of a block. */
#define WEIGHT_BYTES(X, name, ggml, elements, bytes) name##_BYTES = bytes,
enum { WEIGHT_TYPE_LIST(WEIGHT_BYTES, -) };

#endif
