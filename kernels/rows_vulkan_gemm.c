/* The Vulkan rows of GEMM. In order of preference; the last takes every shape, type and order. */
#include "rows_vulkan.h"

#include "spirv_images.h"

static const char *naive_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    (void)v, (void)call;
    if (!limits->has_16bit_storage || !limits->has_8bit_storage || !limits->has_i8)
        return "the device cannot read 16-bit and 8-bit values";
    return NULL;
}

/* Drivers that run shaders on the CPU (llvmpipe) end a shader's loops after 65,535 turns in all. */
static const char *naive_loops(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    if (limits->is_cpu && call->scalars.gemm.k > 65000)
        return "k is too large for a driver that runs shaders on the CPU";
    return naive_refusal(v, limits, call);
}

GROUPS(naive_groups, div_up((uint64_t)s->gemm.m * s->gemm.n, v->n_threads))

static const struct greta_variant rows[] = {
    {.name = "gemm_naive",
     .op = GRETA_OP_GEMM,
     .format = GRETA_IMAGE_SPIRV,
     .image = &greta_spirv_gemm_naive,
     .entry = "main",
     .flags = VARIANT_EXACT,
     .n_threads = 64,
     .n_groups = naive_groups,
     .layout = GRETA_LAYOUT_PACKED,
     .refusal = naive_loops},
};

struct variant_rows variant_rows_vulkan_gemm(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
