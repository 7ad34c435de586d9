/*
 * The types of weights: the table. A row for each: its name, ggml's number, elements of a block, its bytes in a file. What its bits mean
 * is said in weight_formats.h; names, sizes, rows of kernels and lists of instances come from here. C, GLSL and HIP include this file;
 * it holds only macros.
 *
 * GRETA_WEIGHT_..._LIST(Y, X): Y(X, name, ggml number, elements, bytes) for each. Kernels that multiply bytes take the lists of integers.
 */
#ifndef GRETA_WEIGHTS_H
#define GRETA_WEIGHTS_H

/* clang-format off */
#define GRETA_WEIGHT_FLOAT_LIST(Y, X) \
    Y(X, F32,      0,   1,   4) \
    Y(X, F16,      1,   1,   2) \
    Y(X, BF16,    30,   1,   2)

/* Integers by a scale, some less a minimum: of eight bits, of fewer. */
#define GRETA_WEIGHT_BYTE_LIST(Y, X) \
    Y(X, Q8_0,     8,  32,  34)
#define GRETA_WEIGHT_SMALL_LIST(Y, X) \
    Y(X, Q4_0,     2,  32,  18) \
    Y(X, Q4_1,     3,  32,  20) \
    Y(X, Q4_K,    12, 256, 144) \
    Y(X, Q6_K,    14, 256, 210) \
    Y(X, Q5_0,     6,  32,  22) \
    Y(X, Q5_1,     7,  32,  24) \
    Y(X, Q5_K,    13, 256, 176) \
    Y(X, Q2_K,    10, 256,  84) \
    Y(X, Q3_K,    11, 256, 110)

/* Four bits that stand for one of sixteen values, by a scale. */
#define GRETA_WEIGHT_VALUE_LIST(Y, X) \
    Y(X, IQ4_NL,  20,  32,  18) \
    Y(X, IQ4_XS,  23, 256, 136) \
    Y(X, MXFP4,   39,  32,  17)

/* Entries of codebooks, and ternary ones: decoded by the cpu alone (kernels/codebook.h), F16 on other devices. */
#define GRETA_WEIGHT_CODEBOOK_LIST(Y, X) \
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

#define GRETA_WEIGHT_INTEGER_LIST(Y, X) GRETA_WEIGHT_BYTE_LIST(Y, X) GRETA_WEIGHT_SMALL_LIST(Y, X)
#define GRETA_WEIGHT_QUANT_LIST(Y, X) GRETA_WEIGHT_INTEGER_LIST(Y, X) GRETA_WEIGHT_VALUE_LIST(Y, X)
/* Those with a PACKED layout (layout.h); all. */
#define GRETA_WEIGHT_PACKED_LIST(Y, X) GRETA_WEIGHT_FLOAT_LIST(Y, X) GRETA_WEIGHT_QUANT_LIST(Y, X)
#define GRETA_WEIGHT_LIST(Y, X) GRETA_WEIGHT_PACKED_LIST(Y, X) GRETA_WEIGHT_CODEBOOK_LIST(Y, X)

/* How many types there are: their numbers are 0, 1 .. below it. */
#define GRETA_WEIGHT_ONE(X, name, ggml, elements, bytes) +1
#define GRETA_N_WEIGHT_TYPES (0 GRETA_WEIGHT_LIST(GRETA_WEIGHT_ONE, -))

#endif
