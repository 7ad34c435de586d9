/*
 * The Vulkan rows of the norms and of the reductions of rows: shaders/<op>_rows.comp, each in two forms. simple: a small
 * workgroup a row, single elements; any shape. tiled: a large workgroup a row, loads of 16 bytes, several of them under way
 * in an invocation.
 */
#include "rows_vulkan.h"

#include "spirv_images.h"

#include <string.h>

/* Tunables of all of these: elements of a piece, pieces of an invocation. */
enum { WIDTH, OWN };

/* The scalars begin with n_rows and n_cols. */
static const char *tiled_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    (void)v, (void)limits;
    if (call->scalars.u32[1] % 4) return "n_cols is no multiple of 4";
    for (uint32_t i = 0; i < info->n_bindings; i++) {
        /* One element a row: those are written alone. */
        bool single = i > 0 && (call->op == GRETA_OP_ROW_SUM || call->op == GRETA_OP_ROW_MAX ||
                                call->op == GRETA_OP_ARGMAX || call->op == GRETA_OP_TOP_K);
        if (!single && !is_aligned(call, i, 16)) return "a binding does not begin at a multiple of 16 bytes";
    }
    return NULL;
}

/* Many rows fill the device by themselves, and a small workgroup has less to wait for. */
static const char *tiled_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    if (limits->is_cpu) return "on a CPU its barriers cost more than its loads";
    return call->scalars.u32[1] < v->n_threads * 4 ? "n_cols is too small to fill its workgroups" : NULL;
}

static const char *wide_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    if (call->scalars.u32[0] > 2 * limits->n_compute_units)
        return "n_rows is large enough for small workgroups";
    return tiled_unwise(v, limits, call);
}

/* A row that stays in its registers; between those of the tiled and of the wide one (docs/tried.md). */
static const char *half_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    if (call->scalars.u32[1] > v->n_threads * v->tunables[WIDTH] * v->tunables[OWN])
        return "n_cols is more than its registers hold";
    return wide_unwise(v, limits, call);
}

GROUPS(row_groups, s->u32[0])

static const struct variant_param params[] = {{"threads", VARIANT_PARAM_THREADS, {64, 128, 256, 512, 1024}},
                                              {"pieces", OWN, {1, 2, 4, 8}}};

#define ROW(OP_, op_, name_, threads_, width_, own_, refusal_, unwise_)                                     \
    {                                                                                                       \
        .name = name_, .op = GRETA_OP_##OP_, .format = GRETA_IMAGE_SPIRV,                                   \
        .image = &greta_spirv_##op_##_rows, .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, \
        .n_groups = row_groups, .layout = GRETA_LAYOUT_PACKED, .refusal = refusal_, .unwise = unwise_,      \
        .n_params = 2, .params = params, .n_tunables = 2, .tunables = {                                     \
            width_,                                                                                         \
            own_                                                                                            \
        }                                                                                                   \
    }
/* Four pieces of an invocation hold 1,024 columns in a simple row, 4,096 in a tiled one, 16,384 in a wide one. */
#define ROWS(OP_, op_)                                                        \
    ROW(OP_, op_, #op_ "_wide", 1024, 4, 4, tiled_refusal, wide_unwise),      \
        ROW(OP_, op_, #op_ "_tiled", 256, 4, 4, tiled_refusal, tiled_unwise), \
        ROW(OP_, op_, #op_ "_simple", 128, 1, 8, NULL, NULL)

static const struct greta_variant rows[] = {
    ROW(RMS_NORM, rms_norm, "rms_norm_half", 512, 4, 2, tiled_refusal, half_unwise),
    ROWS(RMS_NORM, rms_norm),
    ROW(ADD_RMS_NORM, add_rms_norm, "add_rms_norm_half", 512, 4, 2, tiled_refusal, half_unwise),
    ROWS(ADD_RMS_NORM, add_rms_norm),
    ROWS(LAYER_NORM, layer_norm),
    ROWS(LAYER_RMS_NORM, layer_rms_norm),
    ROWS(SOFTMAX, softmax),
    ROWS(ROW_SUM, row_sum),
    ROWS(ROW_MAX, row_max),
    ROWS(ARGMAX, argmax),
    ROWS(TOP_K, top_k),
    ROW(CAUSAL_MASK, causal_mask, "causal_mask_tiled", 256, 4, 4, tiled_refusal, tiled_unwise),
    ROW(CAUSAL_MASK, causal_mask, "causal_mask_simple", 64, 1, 4, NULL, NULL),
};

struct variant_rows variant_rows_vulkan_norms(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
