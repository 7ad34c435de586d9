/*
 * What is used of hipBLAS: its public interface, of versions 2 (ROCm 6) and 3 (ROCm 7). The product with types of its own is
 * hipblasGemmEx in version 3; in version 2 that name is an older interface, and this one is hipblasGemmEx_v2.
 */
#ifndef HIPBLAS_API_H
#define HIPBLAS_API_H

#include <stddef.h>
#include <stdint.h>

#include "../hip_api.h"

typedef void *hipblasHandle_t;
typedef int hipblasStatus_t; /* and all its enums */

enum { HIPBLAS_STATUS_SUCCESS = 0, HIPBLAS_STATUS_ALLOC_FAILED = 2, HIPBLAS_STATUS_NOT_SUPPORTED = 7 };
enum { HIPBLAS_OP_N = 111, HIPBLAS_OP_T = 112 };
enum { HIP_R_32F = 0, HIP_R_16F = 2, HIP_R_8I = 3, HIP_R_32I = 10, HIP_R_16BF = 14 };
enum { HIPBLAS_COMPUTE_32F = 2, HIPBLAS_COMPUTE_32I = 9 };
enum { HIPBLAS_GEMM_DEFAULT = 160 };

typedef hipblasStatus_t hipblas_create_fn(hipblasHandle_t *handle);
typedef hipblasStatus_t hipblas_destroy_fn(hipblasHandle_t handle);
typedef hipblasStatus_t hipblas_set_stream_fn(hipblasHandle_t handle, hipStream_t stream);
typedef hipblasStatus_t hipblas_sgemm_fn(hipblasHandle_t handle, int trans_a, int trans_b, int m, int n,
                                         int k, const float *alpha, const float *a, int lda, const float *b,
                                         int ldb, const float *beta, float *c, int ldc);
typedef hipblasStatus_t hipblas_gemm_ex_fn(hipblasHandle_t handle, int trans_a, int trans_b, int m, int n,
                                           int k, const void *alpha, const void *a, int a_type, int lda,
                                           const void *b, int b_type, int ldb, const void *beta, void *c,
                                           int c_type, int ldc, int compute_type, int algo);

#endif
