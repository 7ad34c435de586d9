/* The Vulkan rows of matmul. In order of preference within each kind; the last row takes every shape. */
#include "rows_vulkan.h"

#include <greta/layout.h>

#include "spirv_images.h"
#include "weight_types.h"

#define BIT(name) (1u << GRETA_TYPE_##name)

/* ---- conditions ---- */

/* Tunables of matmul_tiled.comp. */
enum { TILED_TILE, TILED_ALIGNED };

static const char *matmul_tiled_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                        const struct greta_call *call) {
    const struct greta_scalars_matmul *s = &call->scalars.matmul;
    if (v->tunables[TILED_ALIGNED]) {
        if (s->n_cols % 8) return "n_cols is no multiple of 8";
        if (!is_aligned(call, 1, 16)) return "x does not begin at a multiple of 16 bytes";
    }
    return vulkan_weight_refusal(v, limits, call);
}

static const char *matmul_tiled_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                       const struct greta_call *call) {
    (void)limits;
    return call->scalars.matmul.n_tok <= v->tunables[TILED_TILE] / 4 ? "n_tok is too small to fill its tiles"
                                                                     : NULL;
}

/* Tunables of matmul_coopmat.glsl. */
enum {
    COOPMAT_M,
    COOPMAT_N,
    COOPMAT_K,
    COOPMAT_TILE_ROWS,
    COOPMAT_TILE_TOKENS,
    COOPMAT_STEP,
    COOPMAT_SUB_ROWS,
    COOPMAT_SUB_TOKENS,
    COOPMAT_BUFFERS,
    COOPMAT_SLICES
};

static uint64_t coopmat_tiles(const struct greta_variant *v, const struct greta_call *call) {
    return div_up(call->scalars.matmul.n_rows, v->tunables[COOPMAT_TILE_ROWS]) *
           div_up(call->scalars.matmul.n_tok, v->tunables[COOPMAT_TILE_TOKENS]);
}

/* Words of weights and activations that an invocation has under way, a chunk of eight elements at a time. */
static uint32_t coopmat_load_words(const struct greta_variant *v, uint32_t w_type) {
    const uint32_t *t = v->tunables, x_words = v->x_type == GRETA_TYPE_F32 ? 8 : 4;
    return (uint32_t)(div_up(t[COOPMAT_TILE_ROWS] * t[COOPMAT_STEP] / 8, v->n_threads) *
                          vulkan_chunk_words(w_type) +
                      div_up(t[COOPMAT_TILE_TOKENS] * t[COOPMAT_STEP] / 8, v->n_threads) * x_words);
}

static const char *matmul_coopmat_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                          const struct greta_call *call) {
    const struct greta_scalars_matmul *s = &call->scalars.matmul;
    const uint32_t *t = v->tunables;
    bool bf16 = v->image == &greta_spirv_matmul_bf16_coopmat;
    const char *refusal = vulkan_unit_refusal(limits, t, bf16 ? GRETA_COMPONENT_BF16 : GRETA_COMPONENT_F16);
    if (refusal) return refusal;
    uint32_t n_subs =
        t[COOPMAT_TILE_ROWS] / t[COOPMAT_SUB_ROWS] * (t[COOPMAT_TILE_TOKENS] / t[COOPMAT_SUB_TOKENS]);
    if (v->n_threads != n_subs * t[COOPMAT_SLICES] * v->subgroup_size)
        return "its subgroups are not those of its tile";
    /* Results at an edge, and those of slices, go through the weights' part of LDS. */
    uint32_t n_units = n_subs * (t[COOPMAT_SLICES] > 1 ? t[COOPMAT_SUB_ROWS] / t[COOPMAT_M] : 1),
             room = t[COOPMAT_BUFFERS] * t[COOPMAT_TILE_ROWS] * (t[COOPMAT_STEP] + 8) * 2;
    if (n_units * t[COOPMAT_M] * t[COOPMAT_N] * 4 > room) return "its results do not fit into its tile's LDS";
    uint32_t lds =
        t[COOPMAT_BUFFERS] * (t[COOPMAT_TILE_ROWS] + t[COOPMAT_TILE_TOKENS]) * (t[COOPMAT_STEP] + 8) * 2;
    if (lds > limits->max_lds_bytes) return "it needs more LDS than the device has";
    if (limits->max_matrix_sums &&
        t[COOPMAT_SUB_ROWS] / t[COOPMAT_M] * (t[COOPMAT_SUB_TOKENS] / t[COOPMAT_N]) > limits->max_matrix_sums)
        return "its sums would not stay in registers";
    if (!vulkan_matrix_loads_fit(limits, coopmat_load_words(v, call->keys[0]))) return vulkan_many_loads;
    if (s->n_cols % t[COOPMAT_STEP]) return "n_cols is no multiple of its step";
    if (s->n_rows % 4) return "n_rows is no multiple of 4";
    if (!is_aligned(call, 1, 16) || !is_aligned(call, 2, 16))
        return "x or y does not begin at a multiple of 16 bytes";
    return vulkan_weight_refusal(v, limits, call);
}

/* The one of large steps with one buffer and no slices, for many tiles. */
static bool is_step_64(const struct greta_variant *v) {
    const uint32_t *t = v->tunables;
    return v->x_type == GRETA_TYPE_F16 && t[COOPMAT_STEP] == 64 && t[COOPMAT_SLICES] == 1;
}

/* Large tiles are for matrices that fill them, and the device with them. */
static const char *matmul_coopmat_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                         const struct greta_call *call) {
    bool plain = WEIGHT_FLOATS >> call->keys[0] & 1;
    if (v->tunables[COOPMAT_SLICES] > 1 && !plain)
        return "quantized weights are faster with one subgroup for a piece";
    if (v->tunables[COOPMAT_TILE_TOKENS] <= 32) return NULL;
    if (is_step_64(v) && (!plain || 2 * coopmat_tiles(v, call) < 3 * (uint64_t)limits->n_compute_units))
        return "one subgroup for a piece needs more tiles to hide its loads";
    if (call->scalars.matmul.n_tok <= v->tunables[COOPMAT_TILE_TOKENS] / 2)
        return "n_tok is too small to fill its tiles";
    return coopmat_tiles(v, call) < limits->n_compute_units / 2 ? "its tiles are too few to fill the device"
                                                                : NULL;
}

/* ---- grids ---- */

GROUPS(matmul_simple_groups, div_up((uint64_t)s->matmul.n_tok * s->matmul.n_rows, v->n_threads))
GROUPS(matmul_tiled_groups,
       div_up(s->matmul.n_tok, v->tunables[TILED_TILE]) * div_up(s->matmul.n_rows, v->tunables[TILED_TILE]))
GROUPS(matmul_coopmat_groups, coopmat_tiles(v, call))

/* ---- the table ---- */

#define MATMUL_TILED(name_, threads_, tile_, aligned_)                                                      \
    {                                                                                                       \
        .name = name_, .op = GRETA_OP_MATMUL, .format = GRETA_IMAGE_SPIRV,                                  \
        .image = &greta_spirv_matmul_tiled, .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, \
        .n_groups = matmul_tiled_groups, .layout = GRETA_LAYOUT_PACKED, .w_types = VULKAN_WEIGHTS,          \
        .x_type = GRETA_TYPE_F32, .refusal = matmul_tiled_refusal, .unwise = matmul_tiled_unwise,           \
        .n_tunables = 2, .tunables = {                                                                      \
            tile_,                                                                                          \
            aligned_                                                                                        \
        }                                                                                                   \
    }
#define COOPMAT_OF(n_params_, params_, image_, types_, x_, eps_, name_, flags_, threads_, lanes_, ...)     \
    {                                                                                                      \
        .name = name_, .op = GRETA_OP_MATMUL, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_##image_, \
        .entry = "main", .flags = flags_, .n_threads = threads_, .subgroup_size = lanes_,                  \
        .n_groups = matmul_coopmat_groups, .layout = GRETA_LAYOUT_PACKED, .w_types = types_, .x_type = x_, \
        .operand_eps = eps_, .refusal = matmul_coopmat_refusal, .unwise = matmul_coopmat_unwise,           \
        .n_params = n_params_, .params = params_, .n_tunables = 10, .tunables = {                          \
            __VA_ARGS__                                                                                    \
        }                                                                                                  \
    }
/* What the tuner may set, on one row of each kind of activations. */
static const struct variant_param coopmat_params[] = {
    {"rows", COOPMAT_TILE_ROWS, {64, 128, 256}},
    {"tokens", COOPMAT_TILE_TOKENS, {32, 64, 128, 256}},
    {"step", COOPMAT_STEP, {32, 64}},
    {"sub_rows", COOPMAT_SUB_ROWS, {32, 64}},
    {"sub_tokens", COOPMAT_SUB_TOKENS, {32, 64}},
    {"buffers", COOPMAT_BUFFERS, {1, 2}},
    {"slices", COOPMAT_SLICES, {1, 2}},
    {"threads", VARIANT_PARAM_THREADS, {64, 128, 256, 512}}};

#define MATMUL_COOPMAT_PARAMS(x_, ...) \
    COOPMAT_OF(8, coopmat_params, matmul_coopmat, VULKAN_WEIGHTS, x_, 0x1p-11, __VA_ARGS__)
#define MATMUL_COOPMAT(...) \
    COOPMAT_OF(0, NULL, matmul_coopmat, VULKAN_WEIGHTS, GRETA_TYPE_F32, 0x1p-11, __VA_ARGS__)
#define MATMUL_COOPMAT_F16(...) \
    COOPMAT_OF(0, NULL, matmul_coopmat, VULKAN_WEIGHTS, GRETA_TYPE_F16, 0x1p-11, __VA_ARGS__)
#define MATMUL_COOPMAT_BF16(name_, ...)                                                                     \
    COOPMAT_OF(0, NULL, matmul_bf16_coopmat, BIT(BF16), GRETA_TYPE_F32, 0x1p-8, name_, VARIANT_FORCED_ONLY, \
               __VA_ARGS__)

static const struct greta_variant rows[] = {
    /* Activations of f16 first: half the bytes to read. Two subgroups for each piece of the result fill the device with fewer tiles. */
    MATMUL_COOPMAT_F16("matmul_coopmat_f16_step_64", 0, 128, 32, 16, 16, 16, 128, 128, 64, 64, 64, 1, 1),
    MATMUL_COOPMAT_F16("matmul_coopmat_f16_slices", 0, 256, 32, 16, 16, 16, 128, 128, 64, 64, 64, 1, 2),
    MATMUL_COOPMAT_PARAMS(GRETA_TYPE_F16, "matmul_coopmat_f16_large_4", 0, 128, 32, 16, 16, 16, 128, 128, 32,
                          64, 64, 2, 1),
    MATMUL_COOPMAT_PARAMS(GRETA_TYPE_F32, "matmul_coopmat_large_4", 0, 128, 32, 16, 16, 16, 128, 128, 32, 64,
                          64, 2, 1),
    MATMUL_COOPMAT("matmul_coopmat_large", 0, 256, 32, 16, 16, 16, 128, 128, 32, 64, 32, 2, 1),
    MATMUL_COOPMAT("matmul_coopmat_medium", 0, 128, 32, 16, 16, 16, 64, 64, 32, 32, 32, 2, 1),
    MATMUL_COOPMAT("matmul_coopmat_small", 0, 128, 32, 16, 16, 16, 32, 32, 32, 16, 16, 2, 1),
    /* Other shapes of the large one, to be compared with it: tile, step, what a subgroup makes of it. */
    MATMUL_COOPMAT("matmul_coopmat_large_16", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 128, 128, 16, 64, 32,
                   2, 1),
    MATMUL_COOPMAT("matmul_coopmat_tall", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 256, 128, 16, 64, 64, 2,
                   1),
    MATMUL_COOPMAT("matmul_coopmat_wide", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 128, 256, 16, 64, 64, 2,
                   1),
    /* One buffer, which leaves room for larger tiles; two subgroups for each piece of the result, for few tokens. */
    MATMUL_COOPMAT("matmul_coopmat_large_1", VARIANT_FORCED_ONLY, 128, 32, 16, 16, 16, 128, 128, 32, 64, 64,
                   1, 1),
    MATMUL_COOPMAT("matmul_coopmat_tall_1", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 256, 128, 32, 64, 64, 1,
                   1),
    MATMUL_COOPMAT("matmul_coopmat_wide_1", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 128, 256, 32, 64, 64, 1,
                   1),
    MATMUL_COOPMAT("matmul_coopmat_slices", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 128, 128, 64, 64, 64, 1,
                   2),
    MATMUL_COOPMAT("matmul_coopmat_slices_64", VARIANT_FORCED_ONLY, 128, 32, 16, 16, 16, 64, 128, 64, 64, 64,
                   1, 2),
    MATMUL_COOPMAT("matmul_coopmat_64_128", VARIANT_FORCED_ONLY, 128, 32, 16, 16, 16, 64, 128, 32, 32, 64, 2,
                   1),
    MATMUL_COOPMAT_F16("matmul_coopmat_f16_large", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 128, 128, 32, 64,
                       32, 2, 1),
    MATMUL_COOPMAT_F16("matmul_coopmat_f16_tall_1", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 256, 128, 32,
                       64, 64, 1, 1),
    MATMUL_COOPMAT_F16("matmul_coopmat_f16_wide_1", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 128, 256, 32,
                       64, 64, 1, 1),
    MATMUL_COOPMAT_F16("matmul_coopmat_f16_small", VARIANT_FORCED_ONLY, 128, 32, 16, 16, 16, 32, 32, 32, 16,
                       16, 2, 1),
    /*
     * By name: activations keep 8 bits where f16 keeps 11, and f16 holds weights of bf16 exactly but for those below 2^-14 or past
     * 65504. These are for activations that f16 cannot hold.
     */
    MATMUL_COOPMAT_BF16("matmul_coopmat_bf16_slices", 256, 32, 16, 16, 16, 128, 128, 64, 64, 64, 1, 2),
    MATMUL_COOPMAT_BF16("matmul_coopmat_bf16_large_4", 128, 32, 16, 16, 16, 128, 128, 32, 64, 64, 2, 1),
    MATMUL_COOPMAT_BF16("matmul_coopmat_bf16_large", 256, 32, 16, 16, 16, 128, 128, 32, 64, 32, 2, 1),
    MATMUL_COOPMAT_BF16("matmul_coopmat_bf16_medium", 128, 32, 16, 16, 16, 64, 64, 32, 32, 32, 2, 1),
    MATMUL_COOPMAT_BF16("matmul_coopmat_bf16_small", 128, 32, 16, 16, 16, 32, 32, 32, 16, 16, 2, 1),
    MATMUL_TILED("matmul_tiled_large", 256, 64, 1),
    MATMUL_TILED("matmul_tiled_small", 64, 32, 1),
    MATMUL_TILED("matmul_tiled_any", 64, 32, 0),
    /* The unit of Mesa's llvmpipe: after the rows that are faster there, for the tests. */
    MATMUL_COOPMAT("matmul_coopmat_8", 0, 64, 8, 8, 8, 8, 64, 64, 32, 32, 16, 2, 1),
    MATMUL_COOPMAT("matmul_coopmat_8_slices", VARIANT_FORCED_ONLY, 64, 8, 8, 8, 8, 64, 64, 32, 32, 32, 1, 2),
    MATMUL_COOPMAT_F16("matmul_coopmat_8_f16", VARIANT_FORCED_ONLY, 64, 8, 8, 8, 8, 64, 64, 32, 32, 16, 2, 1),
    MATMUL_COOPMAT_BF16("matmul_coopmat_8_bf16", 64, 8, 8, 8, 8, 64, 64, 32, 32, 16, 2, 1),
    WEIGHT_ROW(MATMUL, matmul_simple, 64, matmul_simple_groups),
};

struct variant_rows variant_rows_vulkan_matmul(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
