/*
 * hipBLAS for greta bench gemm, opened at run time. It computes on matrices by columns; ours are by rows, which are the
 * transposed ones by columns: so c' = b' a' is asked for, with the operands in the other order.
 */
#include "hipblas_api.h"
#include "vendor.h"

#include <dl.h>

#include <greta/env.h>
#include <greta/op_args.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench_vendor {
    const struct greta_log *log;
    struct dl library;
    hipblasHandle_t handle;
    struct {
        hipblas_create_fn *create;
        hipblas_destroy_fn *destroy;
        hipblas_set_stream_fn *set_stream;
        hipblas_sgemm_fn *sgemm;
        hipblas_gemm_ex_fn *gemm_ex, *gemm_ex_v2;
    } fn;
};

#define SYMBOL(name, member, optional) \
    { name, offsetof(struct bench_vendor, fn.member), optional }
static const struct dl_symbol symbols[] = {
    SYMBOL("hipblasCreate", create, false),        SYMBOL("hipblasDestroy", destroy, false),
    SYMBOL("hipblasSetStream", set_stream, false), SYMBOL("hipblasSgemm", sgemm, false),
    SYMBOL("hipblasGemmEx", gemm_ex, true),        SYMBOL("hipblasGemmEx_v2", gemm_ex_v2, true),
};

static const char vendor_name[] = "hipblas";

bool bench_vendor_matches(const char *part) {
    return strstr(vendor_name, part) != NULL;
}

const char *bench_vendor_name(const struct greta_dev *dev) {
    return greta_dev_get_image_format(dev) == GRETA_IMAGE_AMDGPU ? vendor_name : NULL;
}

/* ---- opening ---- */

static greta_status open_library(struct bench_vendor *v, char *reason, size_t size) {
    static const char *const usual[] = {"libhipblas.so.3", "libhipblas.so.2", "/opt/rocm/lib/libhipblas.so.3",
                                        "/opt/rocm/lib/libhipblas.so.2", NULL};
    const char *name = greta_env_get(GRETA_ENV_HIPBLAS_LIBRARY);
    const char *const given[] = {name, NULL};
    if (dl_open(&v->library, name ? given : usual, v->log) != GRETA_OK) {
        snprintf(reason, size, "%s does not open%s", name ? name : "libhipblas.so.3 or .so.2",
                 name ? " (GRETA_HIPBLAS_LIBRARY)"
                      : " (it comes with ROCm; GRETA_HIPBLAS_LIBRARY names another)");
        return GRETA_ERR_UNAVAILABLE;
    }
    /* Never unloaded: the HIP library under it has threads and exit handlers. */
    (void)dlopen(v->library.name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    greta_status status = dl_load(&v->library, symbols, sizeof symbols / sizeof *symbols, v, v->log);
    if (!status && strstr(v->library.name, "libhipblas.so.2") && !v->fn.gemm_ex_v2) v->fn.gemm_ex = NULL;
    if (v->fn.gemm_ex_v2) v->fn.gemm_ex = v->fn.gemm_ex_v2;
    if (status) snprintf(reason, size, "%s lacks a function", v->library.name);
    return status;
}

static greta_status told(const struct bench_vendor *v, hipblasStatus_t status, const char *call) {
    if (status == HIPBLAS_STATUS_SUCCESS) return GRETA_OK;
    return greta_fail(v->log,
                      status == HIPBLAS_STATUS_NOT_SUPPORTED  ? GRETA_ERR_UNSUPPORTED
                      : status == HIPBLAS_STATUS_ALLOC_FAILED ? GRETA_ERR_NO_DEVICE_MEMORY
                                                              : GRETA_ERR_INTERNAL,
                      "%s: %s: hipblasStatus_t %d", v->library.name, call, status);
}

greta_status bench_vendor_open(struct greta_stream *stream, const struct greta_log *log,
                               struct bench_vendor **out, char *reason, size_t size) {
    struct bench_vendor *v = calloc(1, sizeof *v);
    hipStream_t native = greta_stream_native(stream); /* and makes the device the thread's current one */
    *out = NULL;
    if (!v) return GRETA_ERR_NO_MEMORY;
    v->log = log;
    greta_status status = open_library(v, reason, size);
    if (!status) {
        status = told(v, v->fn.create(&v->handle), "hipblasCreate");
        if (status) v->handle = NULL;
        if (!status) status = told(v, v->fn.set_stream(v->handle, native), "hipblasSetStream");
        if (status) snprintf(reason, size, "%s does not start", v->library.name);
    }
    if (status) bench_vendor_close(&v);
    *out = v;
    return status;
}

void bench_vendor_close(struct bench_vendor **vendor) {
    struct bench_vendor *v = *vendor;
    if (!v) return;
    *vendor = NULL;
    if (v->handle) (void)v->fn.destroy(v->handle);
    dl_close(&v->library);
    free(v);
}

/* ---- products ---- */

/* hipDataType of the operands; negative: it has none for this. */
static int type_of(uint32_t type) {
    switch (type) {
    case GRETA_TYPE_F32: return HIP_R_32F;
    case GRETA_TYPE_F16: return HIP_R_16F;
    case GRETA_TYPE_BF16: return HIP_R_16BF;
    case GRETA_TYPE_I8: return HIP_R_8I;
    default: return -1;
    }
}

bool bench_vendor_serves(const struct bench_vendor *v, const struct bench_vendor_gemm *g) {
    return type_of(g->type) >= 0 && (g->type == GRETA_TYPE_F32 || v->fn.gemm_ex);
}

static void *at(uint64_t address) {
    return (void *)(uintptr_t)address;
}

greta_status bench_vendor_gemm(struct bench_vendor *v, struct greta_stream *stream,
                               const struct bench_vendor_gemm *g) {
    static const float one = 1, zero = 0;
    static const int32_t one_i = 1, zero_i = 0;
    const int m = (int)g->m, n = (int)g->n, k = (int)g->k, type = type_of(g->type);
    /* By rows, k x n is n x k by columns; by columns it is turned. */
    const bool turn_b = g->b_order != GRETA_ORDER_ROW, turn_a = g->a_order != GRETA_ORDER_ROW;
    const int op_b = turn_b ? HIPBLAS_OP_T : HIPBLAS_OP_N, op_a = turn_a ? HIPBLAS_OP_T : HIPBLAS_OP_N;
    const int ldb = turn_b ? k : n, lda = turn_a ? m : k;
    const bool whole = g->type == GRETA_TYPE_I8;
    (void)greta_stream_native(stream); /* there is work on it */
    if (g->type == GRETA_TYPE_F32)
        return told(v,
                    v->fn.sgemm(v->handle, op_b, op_a, n, m, k, &one, at(g->b), ldb, at(g->a), lda, &zero,
                                at(g->c), n),
                    "hipblasSgemm");
    return told(v,
                v->fn.gemm_ex(v->handle, op_b, op_a, n, m, k, whole ? (const void *)&one_i : &one, at(g->b),
                              type, ldb, at(g->a), type, lda, whole ? (const void *)&zero_i : &zero, at(g->c),
                              whole ? HIP_R_32I : HIP_R_32F, n,
                              whole ? HIPBLAS_COMPUTE_32I : HIPBLAS_COMPUTE_32F, HIPBLAS_GEMM_DEFAULT),
                "hipblasGemmEx");
}
