/*
 * Every kernel that is built, once: I(<op>_<schedule>, constants ...) with the constants of a row in order (the workgroup's size,
 * the op's keys, the tunables). hipkernels/ instantiates its templates from these lists; kernels/rows_hip.c knows from them which
 * constants a row may ask for. C and HIP include this file; it holds only macros.
 */
#ifndef HIPKERNELS_INSTANCES_H
#define HIPKERNELS_INSTANCES_H

#include "greta/op_args.h"

/* greta_<entry>_<constant>_<constant>...: what the HIP backend asks of a module. */
#define GRETA_FIRST(first, ...) first
#define GRETA_COUNT(...) GRETA_COUNT_OF(__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define GRETA_COUNT_OF(a, b, c, d, e, f, g, h, i, j, k, l, n, ...) n
#define GRETA_SYMBOL(entry, ...) GRETA_SYMBOL_PICK(GRETA_COUNT(__VA_ARGS__))(greta_##entry, __VA_ARGS__)
#define GRETA_SYMBOL_PICK(n) GRETA_SYMBOL_PICK_N(n)
#define GRETA_SYMBOL_PICK_N(n) GRETA_SYMBOL_##n
#define GRETA_SYMBOL_1(x, a) x##_##a
#define GRETA_SYMBOL_2(x, a, b) x##_##a##_##b
#define GRETA_SYMBOL_3(x, a, b, c) x##_##a##_##b##_##c
#define GRETA_SYMBOL_4(x, a, b, c, d) x##_##a##_##b##_##c##_##d
#define GRETA_SYMBOL_5(x, a, b, c, d, e) x##_##a##_##b##_##c##_##d##_##e
#define GRETA_SYMBOL_6(x, a, b, c, d, e, f) x##_##a##_##b##_##c##_##d##_##e##_##f
#define GRETA_SYMBOL_7(x, a, b, c, d, e, f, g) x##_##a##_##b##_##c##_##d##_##e##_##f##_##g
#define GRETA_SYMBOL_8(x, a, b, c, d, e, f, g, h) x##_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h
#define GRETA_SYMBOL_9(x, a, b, c, d, e, f, g, h, i) x##_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h##_##i
#define GRETA_SYMBOL_10(x, a, b, c, d, e, f, g, h, i, j)                                                     \
    x##_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h##_##i##_##j
#define GRETA_SYMBOL_11(x, a, b, c, d, e, f, g, h, i, j, k)                                                  \
    x##_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h##_##i##_##j##_##k
#define GRETA_SYMBOL_12(x, a, b, c, d, e, f, g, h, i, j, k, l)                                               \
    x##_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h##_##i##_##j##_##k##_##l

/* F(I, type) for the types of weights with a PACKED layout. */
#define GRETA_EACH_FLOAT(F, I) F(I, GRETA_TYPE_F32) F(I, GRETA_TYPE_F16) F(I, GRETA_TYPE_BF16)
#define GRETA_EACH_QUANT(F, I)                                                                               \
    F(I, GRETA_TYPE_Q8_0) F(I, GRETA_TYPE_Q4_0) F(I, GRETA_TYPE_Q4_1) F(I, GRETA_TYPE_Q4_K)                  \
    F(I, GRETA_TYPE_Q6_K) F(I, GRETA_TYPE_Q5_0) F(I, GRETA_TYPE_Q5_1) F(I, GRETA_TYPE_Q5_K)                  \
    F(I, GRETA_TYPE_Q2_K) F(I, GRETA_TYPE_Q3_K) F(I, GRETA_TYPE_IQ4_NL) F(I, GRETA_TYPE_IQ4_XS)
#define GRETA_EACH_WEIGHT(F, I) GRETA_EACH_FLOAT(F, I) GRETA_EACH_QUANT(F, I)

/* ---- shapes that kernels and rows agree on ---- */

/* Elements of a weight that a lane of matvec reads at once (common/decode.h). */
#define GRETA_HIP_PIECE(type) ((type) <= GRETA_TYPE_BF16 ? 8u : (type) == GRETA_TYPE_Q8_0 ? 16u : 32u)
/* The lanes that share a row of n_cols: the largest power of two of at most a wave and a row's pieces. */
#define GRETA_HIP_ROW_LANES(type, n_cols, wave)                                                              \
    ((n_cols) >= GRETA_HIP_PIECE(type) * (wave) ? (wave)                                                     \
     : (n_cols) < GRETA_HIP_PIECE(type)                                                                      \
         ? 1u                                                                                                \
         : 1u << (31 - __builtin_clz((n_cols) / GRETA_HIP_PIECE(type))))

/* ---- elements ---- */

#define GRETA_HIP_FILL(I) I(fill_simple, 256)
#define GRETA_HIP_COPY(I) I(copy_simple, 256)
#define GRETA_HIP_ADD(I) I(add_simple, 256)
#define GRETA_HIP_CAST_TO(I, type)                                                                           \
    I(cast_simple, 256, GRETA_TYPE_F32, type)                                                                \
    I(cast_simple, 256, GRETA_TYPE_F16, type)                                                                \
    I(cast_simple, 256, GRETA_TYPE_BF16, type)
#define GRETA_HIP_CAST(I) GRETA_EACH_FLOAT(GRETA_HIP_CAST_TO, I)

/* ---- the lists of all ops ---- */

#define GRETA_HIP_INSTANCES(I)                                                                               \
    GRETA_HIP_FILL(I)                                                                                        \
    GRETA_HIP_COPY(I)                                                                                        \
    GRETA_HIP_ADD(I)                                                                                         \
    GRETA_HIP_CAST(I)

#endif
