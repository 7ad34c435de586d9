/* The Vulkan rows that round activations to 8 bits, and those that multiply such ones, four bytes at once. */
#include "rows_vulkan.h"

#include <greta/layout.h>

#include "spirv_images.h"
#include "weight_types.h"

/* Tunables: of quantize_tiled.comp, matvec_dot8.comp, matmul_dot8.comp. */
enum { QUANTIZE_ALIGNED };
enum { MATVEC_ROWS, MATVEC_STEPS };
enum { MATMUL_TILE };

static const char *quantize_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                    const struct greta_call *call) {
    (void)limits;
    if (!is_aligned(call, 1, 4)) return "y does not begin at a multiple of 4 bytes";
    if (!v->tunables[QUANTIZE_ALIGNED]) return NULL;
    if (call->scalars.quantize.n_cols % 4) return "n_cols is no multiple of 4";
    return is_aligned(call, 0, 16) ? NULL : "x does not begin at a multiple of 16 bytes";
}

static const char *norm_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    (void)limits;
    if (!is_aligned(call, 3, 4)) return "y does not begin at a multiple of 4 bytes";
    if (!v->tunables[QUANTIZE_ALIGNED]) return NULL;
    if (call->scalars.add_rms_norm_quantize.n_cols % 4) return "n_cols is no multiple of 4";
    for (unsigned i = 0; i < 3; i++)
        if (!is_aligned(call, i, 16)) return "x, r or w does not begin at a multiple of 16 bytes";
    return NULL;
}

/* Weights and rows of Q8A begin at multiples of 16 bytes. */
static const char *dot8_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    if (!limits->has_int_dot) return "the device has no dot product of bytes";
    /* Two words of x, and their scale. */
    if (call->op == GRETA_OP_MATVEC &&
        !vulkan_loads_fit(call->keys[0], v->tunables[MATVEC_ROWS], v->tunables[MATVEC_STEPS], 3))
        return vulkan_many_loads;
    if (!limits->has_16bit_storage) return "the device cannot store 16-bit values";
    return is_aligned(call, 0, 16) && is_aligned(call, 1, 16)
               ? NULL
               : "w or x does not begin at a multiple of 16 bytes";
}

GROUPS(quantize_groups,
       div_up(s->quantize.n_rows *GRETA_Q8A_UNITS((uint64_t)s->quantize.n_cols), v->n_threads / 8))
GROUPS(norm_groups, s->add_rms_norm_quantize.n_rows)
GROUPS(matvec_groups, div_up(s->matvec.n_rows, v->tunables[MATVEC_ROWS]))
GROUPS(matmul_groups,
       div_up(s->matmul.n_tok, v->tunables[MATMUL_TILE]) * div_up(s->matmul.n_rows, v->tunables[MATMUL_TILE]))

static const struct variant_param matvec_params[] = {{"threads", VARIANT_PARAM_THREADS, {32, 64, 128, 256}},
                                                     {"rows", MATVEC_ROWS, {1, 2, 4, 8}},
                                                     {"steps", MATVEC_STEPS, {1, 2, 4}}};

#define QUANTIZE(name_, aligned_)                                                                        \
    {                                                                                                    \
        .name = name_, .op = GRETA_OP_QUANTIZE, .format = GRETA_IMAGE_SPIRV,                             \
        .image = &greta_spirv_quantize_tiled, .entry = "main", .flags = VARIANT_EXACT, .n_threads = 256, \
        .n_groups = quantize_groups, .layout = GRETA_LAYOUT_PACKED, .refusal = quantize_refusal,         \
        .n_tunables = 1, .tunables = {                                                                   \
            aligned_                                                                                     \
        }                                                                                                \
    }
#define NORM(name_, threads_, aligned_)                                                            \
    {                                                                                              \
        .name = name_, .op = GRETA_OP_ADD_RMS_NORM_QUANTIZE, .format = GRETA_IMAGE_SPIRV,          \
        .image = &greta_spirv_add_rms_norm_quantize_rows, .entry = "main", .flags = VARIANT_EXACT, \
        .n_threads = threads_, .n_groups = norm_groups, .layout = GRETA_LAYOUT_PACKED,             \
        .refusal = norm_refusal, .n_tunables = 1, .tunables = {                                    \
            aligned_                                                                               \
        }                                                                                          \
    }
#define DOT8(OP_, op_, name_, extras_, threads_, n_params_, params_, n_, ...)                             \
    {                                                                                                     \
        .name = name_, .op = GRETA_OP_##OP_, .format = GRETA_IMAGE_SPIRV,                                 \
        .image = &greta_spirv_##op_##_dot8, .entry = "main", .flags = VARIANT_FORCED_ONLY,                \
        .n_threads = threads_, .n_groups = op_##_groups, .layout = GRETA_LAYOUT_PACKED,                   \
        .w_types = WEIGHT_INTEGERS, .extras = extras_, .x_type = GRETA_TYPE_Q8A, .refusal = dot8_refusal, \
        .n_params = n_params_, .params = params_, .n_tunables = n_, .tunables = {                         \
            __VA_ARGS__                                                                                   \
        }                                                                                                 \
    }
#define MATVEC(name_, ...) DOT8(MATVEC, matvec, name_, EXTRA_ADD, __VA_ARGS__)

static const struct greta_variant rows[] = {
    QUANTIZE("quantize_tiled", 1),
    QUANTIZE("quantize_any", 0),
    NORM("add_rms_norm_quantize_tiled", 256, 1),
    NORM("add_rms_norm_quantize_any", 128, 0),
    /* By name only until they are measured: rounding costs a dispatch and some of the result's bits. */
    MATVEC("matvec_dot8", 128, 3, matvec_params, 2, 2, 2),
    MATVEC("matvec_dot8_4", 128, 3, matvec_params, 2, 4, 2),
    MATVEC("matvec_dot8_64", 64, 3, matvec_params, 2, 2, 2),
    DOT8(MATMUL, matmul, "matmul_dot8", 0, 256, 0, NULL, 1, 64),
    DOT8(MATMUL, matmul, "matmul_dot8_32", 0, 64, 0, NULL, 1, 32),
};

struct variant_rows variant_rows_vulkan_dot8(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
