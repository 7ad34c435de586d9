/*
 * hipBLAS by hand, for the tests of greta bench gemm: the few functions that are used, computed on the host in double precision, over
 * the memory and the streams of the emulated libamdhip64 that it is linked with. HIPBLAS_2: its names are those of version 2, where
 * hipblasGemmEx is an older interface, which refuses. FAKE_HIPBLAS=wrong: results are transposed; =refuses: products are not supported.
 */
#include "../../backends/hip/bench/hipblas_api.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

hipError_t hipEventCreateWithFlags(hipEvent_t *event, unsigned flags);
hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream);
hipError_t hipEventSynchronize(hipEvent_t event);
hipError_t hipEventDestroy(hipEvent_t event);
hipError_t hipHostMalloc(void **p, size_t bytes, unsigned flags);
hipError_t hipHostFree(void *p);
hipError_t hipMemcpyAsync(void *dst, const void *src, size_t bytes, hipMemcpyKind kind, hipStream_t stream);

hipblas_create_fn hipblasCreate;
hipblas_destroy_fn hipblasDestroy;
hipblas_set_stream_fn hipblasSetStream;
hipblas_sgemm_fn hipblasSgemm;
hipblas_gemm_ex_fn hipblasGemmEx, hipblasGemmEx_v2;

enum { NOT_INITIALIZED = 1, EXECUTION_FAILED = 5, INVALID_ENUM = 10 };

struct handle {
    hipStream_t stream;
};

EXPORT hipblasStatus_t hipblasCreate(hipblasHandle_t *handle) {
    *handle = calloc(1, sizeof(struct handle));
    return *handle ? HIPBLAS_STATUS_SUCCESS : HIPBLAS_STATUS_ALLOC_FAILED;
}

EXPORT hipblasStatus_t hipblasDestroy(hipblasHandle_t handle) {
    free(handle);
    return handle ? HIPBLAS_STATUS_SUCCESS : NOT_INITIALIZED;
}

EXPORT hipblasStatus_t hipblasSetStream(hipblasHandle_t handle, hipStream_t stream) {
    if (!handle || !stream) return NOT_INITIALIZED;
    ((struct handle *)handle)->stream = stream;
    return HIPBLAS_STATUS_SUCCESS;
}

/* Pinned memory: the emulated library copies to and from no other. */
static void *make(size_t bytes) {
    void *p = NULL;
    return hipHostMalloc(&p, bytes, 0) == hipSuccess ? p : NULL;
}

static void drop(void *p) {
    if (p) (void)hipHostFree(p);
}

/* Waits for what is on the stream so far. */
static int settle(hipStream_t stream) {
    hipEvent_t event;
    if (hipEventCreateWithFlags(&event, 0) != hipSuccess) return -1;
    int failed = hipEventRecord(event, stream) != hipSuccess || hipEventSynchronize(event) != hipSuccess;
    (void)hipEventDestroy(event);
    return failed;
}

static size_t size_of(int type) {
    return type == HIP_R_8I ? 1 : type == HIP_R_16F || type == HIP_R_16BF ? 2 : 4;
}

static double f16(uint16_t h) {
    int exponent = h >> 10 & 31, mantissa = h & 1023;
    double x = exponent == 31 ? (mantissa ? NAN : INFINITY)
               : exponent     ? ldexp(mantissa | 1024, exponent - 25)
                              : ldexp(mantissa, -24);
    return h >> 15 ? -x : x;
}

static double value(const unsigned char *data, int type, size_t i) {
    uint16_t half;
    uint32_t bits;
    float x;
    if (type == HIP_R_8I) return (int8_t)data[i];
    if (type == HIP_R_32F) {
        memcpy(&x, data + 4 * i, 4);
        return x;
    }
    memcpy(&half, data + 2 * i, 2);
    if (type == HIP_R_16F) return f16(half);
    bits = (uint32_t)half << 16;
    memcpy(&x, &bits, 4);
    return x;
}

struct operand {
    unsigned char *data; /* a copy */
    int type, op, ld;
};

/* Rows x columns as the product takes it, by columns. */
static int operand_make(struct operand *o, const void *device, int rows, int cols, hipStream_t stream) {
    size_t bytes = (size_t)o->ld * (size_t)(o->op == HIPBLAS_OP_N ? cols : rows) * size_of(o->type);
    o->data = make(bytes);
    return !o->data || hipMemcpyAsync(o->data, device, bytes, hipMemcpyDefault, stream) != hipSuccess;
}

static double element(const struct operand *o, int row, int col) {
    int r = o->op == HIPBLAS_OP_N ? row : col, c = o->op == HIPBLAS_OP_N ? col : row;
    return value(o->data, o->type, (size_t)c * (size_t)o->ld + (size_t)r);
}

static void multiply(const struct operand *a, const struct operand *b, int m, int n, int k, int ldc,
                     int c_type, unsigned char *c) {
    const char *fake = getenv("FAKE_HIPBLAS");
    const int wrong = fake && !strcmp(fake, "wrong") && m == n;
    for (int col = 0; col < n; col++)
        for (int row = 0; row < m; row++) {
            double sum = 0;
            for (int i = 0; i < k; i++) sum += element(a, row, i) * element(b, i, col);
            float x = (float)sum;
            int32_t whole = (int32_t)sum;
            size_t at = 4 * (wrong ? (size_t)row * (size_t)ldc + (size_t)col
                                   : (size_t)col * (size_t)ldc + (size_t)row);
            memcpy(c + at, c_type == HIP_R_32I ? (void *)&whole : (void *)&x, 4);
        }
}

static hipblasStatus_t product(hipblasHandle_t handle, struct operand a, struct operand b, int m, int n,
                               int k, const void *device_a, const void *device_b, void *device_c, int c_type,
                               int ldc) {
    const char *fake = getenv("FAKE_HIPBLAS");
    if (!handle || !((struct handle *)handle)->stream) return NOT_INITIALIZED;
    if (fake && !strcmp(fake, "refuses")) return HIPBLAS_STATUS_NOT_SUPPORTED;
    if (a.ld < (a.op == HIPBLAS_OP_N ? m : k) || b.ld < (b.op == HIPBLAS_OP_N ? k : n) || ldc < m)
        return 3; /* as hipBLAS */
    hipStream_t stream = ((struct handle *)handle)->stream;
    size_t bytes = (size_t)ldc * (size_t)n * 4;
    unsigned char *c = make(bytes);
    int failed = !c || operand_make(&a, device_a, m, k, stream) || operand_make(&b, device_b, k, n, stream) ||
                 settle(stream);
    if (!failed) {
        multiply(&a, &b, m, n, k, ldc, c_type, c);
        failed = hipMemcpyAsync(device_c, c, bytes, hipMemcpyDefault, stream) != hipSuccess || settle(stream);
    }
    drop(a.data);
    drop(b.data);
    drop(c);
    return failed ? EXECUTION_FAILED : HIPBLAS_STATUS_SUCCESS;
}

EXPORT hipblasStatus_t hipblasSgemm(hipblasHandle_t handle, int trans_a, int trans_b, int m, int n, int k,
                                    const float *alpha, const float *a, int lda, const float *b, int ldb,
                                    const float *beta, float *c, int ldc) {
    if (*alpha != 1 || *beta != 0) return HIPBLAS_STATUS_NOT_SUPPORTED;
    return product(handle, (struct operand){NULL, HIP_R_32F, trans_a, lda},
                   (struct operand){NULL, HIP_R_32F, trans_b, ldb}, m, n, k, a, b, c, HIP_R_32F, ldc);
}

static hipblasStatus_t gemm_ex(hipblasHandle_t handle, int trans_a, int trans_b, int m, int n, int k,
                               const void *alpha, const void *a, int a_type, int lda, const void *b,
                               int b_type, int ldb, const void *beta, void *c, int c_type, int ldc,
                               int compute_type, int algo) {
    static const int32_t one = 1;
    static const float one_f = 1, zero = 0;
    const int whole = a_type == HIP_R_8I;
    if (algo != HIPBLAS_GEMM_DEFAULT || a_type != b_type || c_type != (whole ? HIP_R_32I : HIP_R_32F) ||
        compute_type != (whole ? HIPBLAS_COMPUTE_32I : HIPBLAS_COMPUTE_32F))
        return HIPBLAS_STATUS_NOT_SUPPORTED;
    if (memcmp(alpha, whole ? (const void *)&one : &one_f, 4) != 0 || memcmp(beta, &zero, 4) != 0)
        return HIPBLAS_STATUS_NOT_SUPPORTED;
    return product(handle, (struct operand){NULL, a_type, trans_a, lda},
                   (struct operand){NULL, b_type, trans_b, ldb}, m, n, k, a, b, c, c_type, ldc);
}

#ifdef HIPBLAS_2
#define GEMM_EX hipblasGemmEx_v2
EXPORT hipblasStatus_t hipblasGemmEx(hipblasHandle_t handle, int trans_a, int trans_b, int m, int n, int k,
                                     const void *alpha, const void *a, int a_type, int lda, const void *b,
                                     int b_type, int ldb, const void *beta, void *c, int c_type, int ldc,
                                     int compute_type, int algo) {
    (void)handle, (void)trans_a, (void)trans_b, (void)m, (void)n, (void)k, (void)alpha, (void)a, (void)a_type,
        (void)lda;
    (void)b, (void)b_type, (void)ldb, (void)beta, (void)c, (void)c_type, (void)ldc, (void)compute_type,
        (void)algo;
    return INVALID_ENUM;
}
#else
#define GEMM_EX hipblasGemmEx
#endif
EXPORT hipblasStatus_t GEMM_EX(hipblasHandle_t handle, int trans_a, int trans_b, int m, int n, int k,
                               const void *alpha, const void *a, int a_type, int lda, const void *b,
                               int b_type, int ldb, const void *beta, void *c, int c_type, int ldc,
                               int compute_type, int algo) {
    return gemm_ex(handle, trans_a, trans_b, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type,
                   ldc, compute_type, algo);
}
