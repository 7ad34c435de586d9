/* The cpu backend's rows of the ops without quantized weights that are not of a language model's step alone. See rows.c. */
#include "cpu.h"

#define ENTRY(op, suffix) \
    { #op "_" #suffix, cpu_##op##_##suffix }
#ifdef CPU_X86
#define VECTOR_ENTRIES(isa)                                                                       \
    ENTRY(layer_norm, isa), ENTRY(layer_rms_norm, isa), ENTRY(softmax, isa), ENTRY(row_sum, isa), \
        ENTRY(row_max, isa), ENTRY(gemm, isa),
#else
#define VECTOR_ENTRIES(isa)
#endif
static const struct greta_host_entry entries[] = {
    VECTOR_ENTRIES(avx512) VECTOR_ENTRIES(avx2) /* */
    ENTRY(layer_norm, plain),
    ENTRY(layer_rms_norm, plain),
    ENTRY(softmax, plain),
    ENTRY(causal_mask, plain),
    ENTRY(row_sum, plain),
    ENTRY(row_max, plain),
    ENTRY(gemm, plain),
};
static const struct greta_image image = {GRETA_IMAGE_HOST, entries, sizeof entries, "cpu kernels, dense"};

static uint64_t row_groups(const struct greta_variant *v, const struct greta_limits *limits,
                           const struct greta_call *call) {
    (void)v;
    return cpu_groups_for(limits, (uint64_t)call->scalars.u32[0] * call->scalars.u32[1],
                          call->scalars.u32[0]);
}

static uint64_t gemm_groups(const struct greta_variant *v, const struct greta_limits *limits,
                            const struct greta_call *call) {
    const struct greta_scalars_gemm *s = &call->scalars.gemm;
    (void)v;
    return cpu_groups_for(limits, (uint64_t)s->m * s->n * s->k, GRETA_DIV_UP((uint64_t)s->n, 16));
}

static const char *refuse_fp8(const struct greta_call *call) {
    return call->op == GRETA_OP_GEMM && call->keys[0] == GRETA_TYPE_FP8 ? "it does not read FP8" : NULL;
}

#ifdef CPU_X86
static const char *refuse_avx2(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    (void)v, (void)limits;
    return cpu_has_avx2() ? refuse_fp8(call) : "this CPU lacks AVX2 or FMA";
}

static const char *refuse_avx512(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    (void)v, (void)limits;
    return cpu_has_avx512() ? refuse_fp8(call) : "this CPU lacks AVX-512 F, BW, DQ, VL or VNNI";
}
#endif

#define ROW(NAME, entry_name, refuse, groups)                                                         \
    {                                                                                                 \
        .name = #entry_name, .op = GRETA_OP_##NAME, .format = GRETA_IMAGE_HOST, .image = &image,      \
        .entry = #entry_name, .flags = VARIANT_EXACT, .layout = GRETA_LAYOUT_ROWS, .refusal = refuse, \
        .n_groups = groups                                                                            \
    }
#ifdef CPU_X86
#define VECTOR(NAME, name, groups) \
    ROW(NAME, name##_avx512, refuse_avx512, groups), ROW(NAME, name##_avx2, refuse_avx2, groups),
#else
#define VECTOR(NAME, name, groups)
#endif
#define ROWS(NAME, name, groups) VECTOR(NAME, name, groups) ROW(NAME, name##_plain, NULL, groups)

static const struct greta_variant rows[] = {
    ROWS(LAYER_NORM, layer_norm, row_groups),
    ROWS(LAYER_RMS_NORM, layer_rms_norm, row_groups),
    ROWS(SOFTMAX, softmax, row_groups),
    ROW(CAUSAL_MASK, causal_mask_plain, NULL, row_groups),
    ROWS(ROW_SUM, row_sum, row_groups),
    ROWS(ROW_MAX, row_max, row_groups),
    ROWS(GEMM, gemm, gemm_groups),
};

struct variant_rows variant_rows_cpu_dense(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
