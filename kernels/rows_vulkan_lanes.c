/*
 * The Vulkan rows for devices that are CPUs (Mesa's llvmpipe): an invocation has rows of the weight of its own (common/lanes.glsl). On a GPU
 * neighbouring invocations would read far apart.
 */
#include "rows_vulkan.h"

#include <greta/layout.h>

#include "spirv_images.h"

enum { LANES_ROWS, LANES_TOKENS, LANES_GROUPS }; /* tunables: what an invocation makes */
enum { THREADS = 8, ROWS = 2 };

/* Bindings before n_weights are weights, the next one is x. */
static const char *lanes_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call, unsigned n_weights, uint32_t n_cols) {
    if (limits->subgroup_min < THREADS) return "the device's subgroups are smaller than 8";
    if (n_cols % 32) return "n_cols is no multiple of 32";
    for (unsigned i = 1; i < n_weights; i++)
        if (!is_aligned(call, i, 16)) return "a weight does not begin at a multiple of 16 bytes";
    if (!is_aligned(call, n_weights, 8)) return "x does not begin at a multiple of 8 bytes";
    return vulkan_weight_refusal(v, limits, call);
}

static const char *matvec_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    return lanes_refusal(v, limits, call, 1, call->scalars.matvec.n_cols);
}

static const char *matmul_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    /* llvmpipe ends a shader's loops after 65,535 turns in all. */
    if ((uint64_t)call->scalars.matmul.n_cols / 32 * (3 + 2 * v->tunables[LANES_GROUPS]) > 65000)
        return "n_cols is too large for a driver that runs shaders on the CPU";
    return lanes_refusal(v, limits, call, 1, call->scalars.matmul.n_cols);
}

static const char *glu_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    return lanes_refusal(v, limits, call, 2, call->scalars.matvec_glu.n_cols);
}

static const char *qkv_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    return lanes_refusal(v, limits, call, 3, call->scalars.matvec_qkv.n_cols);
}

static const char *attn_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    uint32_t head_dim = call->keys[1];
    if (limits->subgroup_min < THREADS) return "the device's subgroups are smaller than 8";
    if (head_dim % 32 || head_dim > 128) return "head_dim is more than 128 or no multiple of 32";
    /* Lanes without a token cost as much: with fewer, the rows that share a token among invocations are faster. */
    if (call->scalars.attn.n_tok < THREADS / 2) return "it is for four tokens or more";
    /* A turn for each position. */
    if (call->scalars.attn.n_ctx > 65000) return "n_ctx is more than 65,000";
    if (!is_aligned(call, 0, 16) || !is_aligned(call, 1, 16) || !is_aligned(call, 2, 16))
        return "q, k or v does not begin at a multiple of 16 bytes";
    return vulkan_needs_16bit(v, limits, call);
}

static const char *unwise(const struct greta_variant *v, const struct greta_limits *limits,
                          const struct greta_call *call) {
    (void)v, (void)call;
    return limits->is_cpu ? NULL : "rows of its own for each invocation are for devices that are CPUs";
}

GROUPS(matvec_groups, div_up(s->matvec.n_rows, v->n_threads *(uint64_t)v->tunables[LANES_ROWS]))
GROUPS(matmul_groups, div_up(s->matmul.n_rows, v->n_threads *(uint64_t)v->tunables[LANES_ROWS]) *
                          div_up(s->matmul.n_tok, v->tunables[LANES_TOKENS] * v->tunables[LANES_GROUPS]))
GROUPS(attn_groups, div_up(s->attn.n_tok, v->n_threads) * s->attn.n_head)
GROUPS(glu_groups, div_up(s->matvec_glu.n_rows, v->n_threads))
GROUPS(qkv_groups,
       div_up((uint64_t)s->matvec_qkv.n_head * s->matvec_qkv.head_dim, v->n_threads *ROWS) +
           2 * div_up((uint64_t)s->matvec_qkv.n_head_kv * s->matvec_qkv.head_dim, v->n_threads *ROWS))

#define LANES(OP_, op_, name_, extras_, groups_, refusal_, n_, ...)                                         \
    {                                                                                                       \
        .name = name_, .op = GRETA_OP_##OP_, .format = GRETA_IMAGE_SPIRV,                                   \
        .image = &greta_spirv_##op_##_lanes, .entry = "main", .flags = VARIANT_EXACT, .n_threads = THREADS, \
        .n_groups = groups_, .layout = GRETA_LAYOUT_PACKED, .w_types = VULKAN_WEIGHTS, .extras = extras_,   \
        .x_type = GRETA_TYPE_F32, .refusal = refusal_, .unwise = unwise, .n_tunables = n_, .tunables = {    \
            __VA_ARGS__                                                                                     \
        }                                                                                                   \
    }

static const struct greta_variant rows[] = {
    LANES(MATVEC, matvec, "matvec_lanes", EXTRA_ADD, matvec_groups, matvec_refusal, 1, ROWS),
    LANES(MATVEC_GLU, matvec_glu, "matvec_glu_lanes", EXTRA_GELU, glu_groups, glu_refusal, 0, 0),
    LANES(MATVEC_QKV, matvec_qkv, "matvec_qkv_lanes", EXTRA_BIAS | EXTRA_HALVES | EXTRA_V_TYPE, qkv_groups,
          qkv_refusal, 0, 0),
    LANES(MATMUL, matmul, "matmul_lanes", 0, matmul_groups, matmul_refusal, 3, 8, 4, 3),
    {.name = "attn_lanes",
     .op = GRETA_OP_ATTN,
     .format = GRETA_IMAGE_SPIRV,
     .image = &greta_spirv_attn_lanes,
     .entry = "main",
     .flags = VARIANT_EXACT,
     .n_threads = THREADS,
     .n_groups = attn_groups,
     .layout = GRETA_LAYOUT_PACKED,
     .extras = EXTRA_WINDOW | EXTRA_SOFTCAP | EXTRA_KV_Q8_0,
     .refusal = attn_refusal,
     .unwise = unwise},
};

struct variant_rows variant_rows_vulkan_lanes(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
