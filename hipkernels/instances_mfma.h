/*
 * The kernels for matrix units and what goes with them, as in instances.h. Those of GRETA_HIP_..._MFMA are built for CDNA alone, those of
 * GRETA_HIP_..._FP8 for gfx942.
 */
#ifndef HIPKERNELS_INSTANCES_MFMA_H
#define HIPKERNELS_INSTANCES_MFMA_H

#include "instances.h"

/* ---- gemm: threads, type, order of a, of b; tile_m, tile_n, wave_m, wave_n ---- */

#define GRETA_EACH_ORDER(F, I, type) F(I, type, 0, 0) F(I, type, 0, 1) F(I, type, 1, 0) F(I, type, 1, 1)
#define GRETA_HIP_GEMM_SIMPLE_OF(I, type, a, b) I(gemm_simple, 256, type, a, b)
#define GRETA_HIP_GEMM_SIMPLE(I)                                   \
    GRETA_EACH_ORDER(GRETA_HIP_GEMM_SIMPLE_OF, I, GRETA_TYPE_F32)  \
    GRETA_EACH_ORDER(GRETA_HIP_GEMM_SIMPLE_OF, I, GRETA_TYPE_F16)  \
    GRETA_EACH_ORDER(GRETA_HIP_GEMM_SIMPLE_OF, I, GRETA_TYPE_BF16) \
    GRETA_EACH_ORDER(GRETA_HIP_GEMM_SIMPLE_OF, I, GRETA_TYPE_I8)   \
    GRETA_EACH_ORDER(GRETA_HIP_GEMM_SIMPLE_OF, I, GRETA_TYPE_FP8)

#define GRETA_HIP_GEMM_TILES(I, type, a, b)         \
    I(gemm_mfma, 512, type, a, b, 256, 128, 64, 64) \
    I(gemm_mfma, 256, type, a, b, 128, 128, 64, 64) \
    I(gemm_mfma, 256, type, a, b, 64, 64, 32, 32)
#define GRETA_HIP_GEMM_LARGE(I, type, a, b) I(gemm_mfma, 512, type, a, b, 256, 256, 128, 64)
/* 19 x 16 tiles of 256 x 216 make 4096 x 4096, one for each compute unit of an MI300X, with next to nothing beyond the edge
 * (common/mfma_pair.h). */
#define GRETA_HIP_GEMM_PAIR_OF(I, type) I(gemm_pair, 512, type, 0, 1, 256, 216, 64, 108)
#define GRETA_HIP_GEMM_PAIR(I)                 \
    GRETA_HIP_GEMM_PAIR_OF(I, GRETA_TYPE_F16)  \
    GRETA_HIP_GEMM_PAIR_OF(I, GRETA_TYPE_BF16) \
    GRETA_HIP_GEMM_PAIR_OF(I, GRETA_TYPE_I8)
#define GRETA_HIP_GEMM_PAIR_FP8(I) GRETA_HIP_GEMM_PAIR_OF(I, GRETA_TYPE_FP8)
/* Products of f32 take so long that small tiles wait for nothing, and they fill the device more evenly. */
#define GRETA_HIP_GEMM_SMALL(I, type, a, b) I(gemm_mfma, 256, type, a, b, 64, 32, 32, 16)
/* Pieces of 2 bytes that are to be turned leave no registers for the largest tiles. */
#define GRETA_HIP_GEMM_MFMA(I)                                 \
    GRETA_EACH_ORDER(GRETA_HIP_GEMM_SMALL, I, GRETA_TYPE_F32)  \
    GRETA_EACH_ORDER(GRETA_HIP_GEMM_TILES, I, GRETA_TYPE_F32)  \
    GRETA_HIP_GEMM_LARGE(I, GRETA_TYPE_F16, 0, 1)              \
    GRETA_EACH_ORDER(GRETA_HIP_GEMM_TILES, I, GRETA_TYPE_F16)  \
    GRETA_HIP_GEMM_LARGE(I, GRETA_TYPE_BF16, 0, 1)             \
    GRETA_EACH_ORDER(GRETA_HIP_GEMM_TILES, I, GRETA_TYPE_BF16) \
    GRETA_HIP_GEMM_LARGE(I, GRETA_TYPE_I8, 0, 1)               \
    GRETA_HIP_GEMM_TILES(I, GRETA_TYPE_I8, 0, 1)
#define GRETA_HIP_GEMM_FP8(I)                     \
    GRETA_HIP_GEMM_LARGE(I, GRETA_TYPE_FP8, 0, 1) \
    GRETA_HIP_GEMM_TILES(I, GRETA_TYPE_FP8, 0, 1)

/* gemm_split: threads, type, orders; tile_m, tile_n. */
#define GRETA_HIP_GEMM_SPLIT_OF(I, type, a, b) \
    I(gemm_split, 512, type, a, b, 16, 16)     \
    I(gemm_split, 256, type, a, b, 32, 32)
#define GRETA_HIP_GEMM_SPLIT(I)                                  \
    GRETA_EACH_ORDER(GRETA_HIP_GEMM_SPLIT_OF, I, GRETA_TYPE_F32) \
    GRETA_HIP_GEMM_SPLIT_OF(I, GRETA_TYPE_F16, 0, 1)             \
    GRETA_HIP_GEMM_SPLIT_OF(I, GRETA_TYPE_BF16, 0, 1)            \
    GRETA_HIP_GEMM_SPLIT_OF(I, GRETA_TYPE_I8, 0, 1)
#define GRETA_HIP_GEMM_SPLIT_FP8(I) GRETA_HIP_GEMM_SPLIT_OF(I, GRETA_TYPE_FP8, 0, 1)

/* ---- matmul: threads, w_type, x_type; tile and wave: tokens, rows ---- */

#define GRETA_HIP_MATMUL_MFMA_OF(I, type)                       \
    I(matmul_mfma, 512, type, GRETA_TYPE_F32, 128, 256, 64, 64) \
    I(matmul_mfma, 256, type, GRETA_TYPE_F32, 128, 128, 64, 64) \
    I(matmul_mfma, 256, type, GRETA_TYPE_F32, 64, 64, 32, 32)
#define GRETA_HIP_MATMUL_MFMA(I) GRETA_EACH_WEIGHT(GRETA_HIP_MATMUL_MFMA_OF, I)

/* matmul_split: threads, w_type, x_type; tokens and rows of a workgroup. */
#define GRETA_HIP_MATMUL_SPLIT_OF(I, type)             \
    I(matmul_split, 512, type, GRETA_TYPE_F32, 16, 16) \
    I(matmul_split, 512, type, GRETA_TYPE_F32, 32, 16) \
    I(matmul_split, 512, type, GRETA_TYPE_F32, 64, 16)
#define GRETA_HIP_MATMUL_SPLIT(I) GRETA_EACH_WEIGHT(GRETA_HIP_MATMUL_SPLIT_OF, I)

/* ---- attn: threads, kv_type, head_dim; blocks of 16 queries a wave, keys of a block ---- */

#define GRETA_HIP_ATTN_MFMA_OF(I, kv, head_dim, keys) \
    I(attn_mfma, 256, kv, head_dim, 2, keys) I(attn_mfma, 256, kv, head_dim, 1, keys)
#define GRETA_HIP_ATTN_MFMA(I)                          \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_F16, 64, 64)   \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_F16, 80, 64)   \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_F16, 96, 64)   \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_F16, 128, 64)  \
    I(attn_mfma, 256, GRETA_TYPE_F16, 256, 1, 32)       \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_Q8_0, 64, 64)  \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_Q8_0, 96, 64)  \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_Q8_0, 128, 64) \
    I(attn_mfma, 256, GRETA_TYPE_Q8_0, 256, 1, 32)      \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_F32, 64, 32)   \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_F32, 80, 32)   \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_F32, 96, 32)   \
    GRETA_HIP_ATTN_MFMA_OF(I, GRETA_TYPE_F32, 128, 32)  \
    I(attn_mfma, 256, GRETA_TYPE_F32, 256, 1, 32)

#define GRETA_HIP_MFMA_INSTANCES(I) \
    GRETA_HIP_GEMM_SIMPLE(I)        \
    GRETA_HIP_GEMM_MFMA(I)          \
    GRETA_HIP_GEMM_FP8(I)           \
    GRETA_HIP_GEMM_PAIR(I)          \
    GRETA_HIP_GEMM_PAIR_FP8(I)      \
    GRETA_HIP_GEMM_SPLIT(I)         \
    GRETA_HIP_GEMM_SPLIT_FP8(I)     \
    GRETA_HIP_MATMUL_MFMA(I)        \
    GRETA_HIP_MATMUL_SPLIT(I)       \
    GRETA_HIP_ATTN_MFMA(I)

#endif
