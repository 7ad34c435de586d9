/* The kernels for the matrix units of RDNA 3, as in instances.h: built for gfx11 alone. */
#ifndef HIPKERNELS_INSTANCES_WMMA_H
#define HIPKERNELS_INSTANCES_WMMA_H

#include "instances.h"

/* gemm: threads, type, order of a, of b; tile_m, tile_n, wave_m, wave_n */
#define GRETA_HIP_GEMM_WMMA_LARGE(I, type, a, b) I(gemm_wmma, 256, type, a, b, 128, 128, 32, 64)
#define GRETA_HIP_GEMM_WMMA_SMALL(I, type, a, b) I(gemm_wmma, 128, type, a, b, 64, 64, 32, 32)
#define GRETA_HIP_GEMM_WMMA_ORDER(I, type, a, b) \
    GRETA_HIP_GEMM_WMMA_LARGE(I, type, a, b) GRETA_HIP_GEMM_WMMA_SMALL(I, type, a, b)
#define GRETA_HIP_GEMM_WMMA_OF(I, type)      \
    GRETA_HIP_GEMM_WMMA_ORDER(I, type, 0, 0) \
    GRETA_HIP_GEMM_WMMA_ORDER(I, type, 0, 1) \
    GRETA_HIP_GEMM_WMMA_ORDER(I, type, 1, 0) \
    GRETA_HIP_GEMM_WMMA_ORDER(I, type, 1, 1)
#define GRETA_HIP_GEMM_WMMA(I)                 \
    GRETA_HIP_GEMM_WMMA_OF(I, GRETA_TYPE_F16)  \
    GRETA_HIP_GEMM_WMMA_OF(I, GRETA_TYPE_BF16) \
    GRETA_HIP_GEMM_WMMA_ORDER(I, GRETA_TYPE_I8, 0, 1)

/*
 * matmul: threads, w_type, x_type; tile and wave: tokens, rows. A thread decodes one piece of a row a stage: of 32 elements for most types,
 * so that there are as many rows as threads; of 8 or 16 for the float types and those of eight bits.
 */
#define GRETA_HIP_MATMUL_WMMA_SHORT(I, type)                    \
    I(matmul_wmma, 256, type, GRETA_TYPE_F32, 128, 128, 32, 64) \
    I(matmul_wmma, 128, type, GRETA_TYPE_F32, 64, 64, 32, 32)   \
    I(matmul_wmma, 128, type, GRETA_TYPE_F32, 32, 64, 32, 16)
#define GRETA_HIP_MATMUL_WMMA_UNIT(I, type)                    \
    I(matmul_wmma, 256, type, GRETA_TYPE_F32, 64, 256, 32, 64) \
    I(matmul_wmma, 128, type, GRETA_TYPE_F32, 64, 128, 32, 64) \
    I(matmul_wmma, 64, type, GRETA_TYPE_F32, 32, 64, 32, 32)
#define GRETA_HIP_MATMUL_WMMA(I)                     \
    GRETA_EACH_FLOAT(GRETA_HIP_MATMUL_WMMA_SHORT, I) \
    GRETA_EACH_BYTE(GRETA_HIP_MATMUL_WMMA_SHORT, I)  \
    GRETA_EACH_SMALL(GRETA_HIP_MATMUL_WMMA_UNIT, I)  \
    GRETA_EACH_VALUE(GRETA_HIP_MATMUL_WMMA_UNIT, I)

/* attn: threads, kv_type, head_dim; keys of a block. A wave has 16 queries. */
#define GRETA_HIP_ATTN_WMMA_LARGE(I, kv, head_dim) I(attn_wmma, 256, kv, head_dim, 32)
#define GRETA_HIP_ATTN_WMMA_SMALL(I, kv, head_dim) I(attn_wmma, 128, kv, head_dim, 32)
#define GRETA_HIP_ATTN_WMMA_OF(I, kv, head_dim) \
    GRETA_HIP_ATTN_WMMA_LARGE(I, kv, head_dim)  \
    GRETA_HIP_ATTN_WMMA_SMALL(I, kv, head_dim)
#define GRETA_HIP_ATTN_WMMA(I)                      \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_F16, 64)   \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_F16, 80)   \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_F16, 96)   \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_F16, 128)  \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_Q8_0, 64)  \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_Q8_0, 96)  \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_Q8_0, 128) \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_F32, 64)   \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_F32, 80)   \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_F32, 96)   \
    GRETA_HIP_ATTN_WMMA_OF(I, GRETA_TYPE_F32, 128)

#define GRETA_HIP_WMMA_INSTANCES(I) \
    GRETA_HIP_GEMM_WMMA(I)          \
    GRETA_HIP_MATMUL_WMMA(I)        \
    GRETA_HIP_ATTN_WMMA(I)

#endif
