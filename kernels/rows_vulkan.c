/*
 * The rows of the Vulkan backend: shaders/<op>_<schedule>.comp with their constants, conditions and grids. In order of
 * preference within each op; the last row of an op takes every shape.
 */
#include "variant.h"

#include <greta/layout.h>

#include "spirv_images.h"

enum { ALL_WEIGHTS = (1 << (GRETA_TYPE_Q6_K + 1)) - 1 };

static uint64_t div_up(uint64_t n, uint64_t d) {
    return (n + d - 1) / d;
}

/* ---- conditions ---- */

static const char no_16bit[] = "the device cannot store 16-bit values";

static const char *needs_16bit(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    (void)v, (void)call;
    return limits->has_16bit_storage ? NULL : no_16bit;
}

/* Bindings may be empty where only shapes are asked about. */
static bool is_aligned(const struct greta_call *call, unsigned i_binding, uint64_t alignment) {
    const struct greta_binding *b = &call->bindings[i_binding];
    return !b->buf || b->offset_bytes % alignment == 0;
}

static const char *weight_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    (void)v;
    if (!limits->has_16bit_storage) return no_16bit;
    return is_aligned(call, 0, 16) ? NULL : "the weight does not begin at a multiple of 16 bytes";
}

/* Tunables of matvec_rows.comp: rows of a workgroup, chunks under way, x aligned. */
enum { MATVEC_ROWS, MATVEC_STEPS, MATVEC_ALIGNED };

static const char *matvec_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    if (v->tunables[MATVEC_ALIGNED]) {
        if (call->scalars.matvec.n_cols % 8) return "n_cols is no multiple of 8";
        if (!is_aligned(call, 1, 16)) return "x does not begin at a multiple of 16 bytes";
    }
    return weight_refusal(v, limits, call);
}

/* Rows with a large workgroup are for rows that fill it. */
static const char *matvec_wide_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                       const struct greta_call *call) {
    if (call->scalars.matvec.n_cols < 16 * v->n_threads) return "n_cols is too small to fill its workgroups";
    return matvec_refusal(v, limits, call);
}

enum { SPLIT_HEADS, SPLIT_PIECE };

static uint32_t split_lds_bytes(const struct greta_variant *v, uint32_t head_dim) {
    uint32_t heads = v->tunables[SPLIT_HEADS], pieces = head_dim / v->tunables[SPLIT_PIECE];
    uint32_t parallel = v->n_threads / pieces;
    uint32_t dots = 4 * parallel * heads * (pieces + 1), sums = parallel * head_dim;
    uint32_t words = heads * (head_dim + GRETA_ATTN_CHUNK) + (dots > sums ? dots : sums) + v->n_threads / 4;
    return 4 * words;
}

static const char *attn_split_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                      const struct greta_call *call) {
    uint32_t head_dim = call->keys[1], piece = v->tunables[SPLIT_PIECE];
    const struct greta_scalars_attn_split *s = &call->scalars.attn_split;
    if (!limits->has_16bit_storage) return no_16bit;
    if (head_dim > 256) return "head_dim is more than 256";
    if (head_dim % piece) return "head_dim is no multiple of 8";
    if (piece > 1 && !(is_aligned(call, 1, 16) && is_aligned(call, 2, 16)))
        return "k or v does not begin at a multiple of 16 bytes";
    if (v->tunables[SPLIT_HEADS] == 1 && piece > 1 && s->n_head != s->n_head_kv)
        return "it is for one query head a KV head";
    return split_lds_bytes(v, head_dim) > limits->max_lds_bytes ? "it needs more LDS than the device has"
                                                                : NULL;
}

static const char *attn_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    if (call->keys[1] > 256) return "head_dim is more than 256";
    return needs_16bit(v, limits, call);
}

/* ---- grids ---- */

#define GROUPS(name, count)                                                                \
    static uint64_t name(const struct greta_variant *v, const struct greta_limits *limits, \
                         const struct greta_call *call) {                                  \
        const union greta_scalars *s = &call->scalars;                                     \
        (void)v, (void)limits, (void)s;                                                    \
        return count;                                                                      \
    }

GROUPS(row_lookup_groups, s->row_lookup.n_ids)
GROUPS(rms_norm_groups, s->rms_norm.n_rows)
GROUPS(add_rms_norm_groups, s->add_rms_norm.n_rows)
GROUPS(rope_groups, div_up((uint64_t)s->rope.n_tok * s->rope.n_head * (s->rope.n_rot / 2), v->n_threads))
GROUPS(kv_update_groups, div_up((uint64_t)s->kv_update.n_tok * s->kv_update.n_cols, v->n_threads))
GROUPS(matvec_groups, div_up(s->matvec.n_rows, v->tunables[MATVEC_ROWS]))
GROUPS(matmul_simple_groups, div_up((uint64_t)s->matmul.n_tok * s->matmul.n_rows, v->n_threads))
GROUPS(attn_groups, (uint64_t)s->attn.n_tok * s->attn.n_head)
GROUPS(attn_split_groups, (uint64_t)s->attn_split.n_split * s->attn_split.n_head_kv)
GROUPS(attn_reduce_groups, s->attn_reduce.n_head)
GROUPS(silu_mul_groups, div_up(s->silu_mul.n, v->n_threads))
GROUPS(add_groups, div_up(s->add.n, v->n_threads))
GROUPS(argmax_groups, s->argmax.n_rows)
GROUPS(top_k_groups, s->top_k.n_rows)
GROUPS(fill_groups, div_up(s->fill.n, v->n_threads))
GROUPS(copy_groups, div_up(s->copy.n, v->n_threads))
GROUPS(cast_groups, div_up(s->cast.n, v->n_threads))

/* ---- the table ---- */

#define ROW(op_, name_, threads_, groups_, ...)                                                           \
    {                                                                                                     \
        .name = #name_, .op = GRETA_OP_##op_, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_##name_, \
        .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, .n_groups = groups_,              \
        .layout = GRETA_LAYOUT_PACKED, __VA_ARGS__                                                        \
    }
#define MATVEC(name_, threads_, rows_, steps_, aligned_, refusal_)                                         \
    {                                                                                                      \
        .name = name_, .op = GRETA_OP_MATVEC, .format = GRETA_IMAGE_SPIRV,                                 \
        .image = &greta_spirv_matvec_rows, .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, \
        .n_groups = matvec_groups, .layout = GRETA_LAYOUT_PACKED, .w_types = ALL_WEIGHTS,                  \
        .x_type = GRETA_TYPE_F32, .refusal = refusal_, .n_tunables = 3, .tunables = {                      \
            rows_,                                                                                         \
            steps_,                                                                                        \
            aligned_                                                                                       \
        }                                                                                                  \
    }
#define ATTN_SPLIT(name_, heads_, piece_)                                                                   \
    {                                                                                                       \
        .name = name_, .op = GRETA_OP_ATTN_SPLIT, .format = GRETA_IMAGE_SPIRV,                              \
        .image = &greta_spirv_attn_split_simple, .entry = "main", .flags = VARIANT_EXACT, .n_threads = 256, \
        .n_groups = attn_split_groups, .layout = GRETA_LAYOUT_PACKED, .refusal = attn_split_refusal,        \
        .n_tunables = 2, .tunables = {                                                                      \
            heads_,                                                                                         \
            piece_                                                                                          \
        }                                                                                                   \
    }

static const struct greta_variant rows[] = {
    ROW(ROW_LOOKUP, row_lookup_simple, 64, row_lookup_groups, .w_types = ALL_WEIGHTS,
        .refusal = weight_refusal),
    ROW(RMS_NORM, rms_norm_simple, 256, rms_norm_groups),
    ROW(ADD_RMS_NORM, add_rms_norm_simple, 256, add_rms_norm_groups),
    ROW(ROPE, rope_simple, 64, rope_groups),
    ROW(KV_UPDATE, kv_update_simple, 64, kv_update_groups, .refusal = needs_16bit),
    MATVEC("matvec_wide", 128, 4, 2, 1, matvec_wide_refusal),
    MATVEC("matvec_narrow", 64, 2, 1, 1, matvec_refusal),
    MATVEC("matvec_any", 64, 2, 1, 0, matvec_refusal),
    ROW(MATMUL, matmul_simple, 64, matmul_simple_groups, .w_types = ALL_WEIGHTS, .x_type = GRETA_TYPE_F32,
        .refusal = weight_refusal),
    ROW(ATTN, attn_simple, 128, attn_groups, .refusal = attn_refusal),
    ATTN_SPLIT("attn_split_one", 1, 8),
    ATTN_SPLIT("attn_split_grouped", 4, 8),
    ATTN_SPLIT("attn_split_any", 1, 1),
    ROW(ATTN_REDUCE, attn_reduce_simple, 128, attn_reduce_groups),
    ROW(SILU_MUL, silu_mul_simple, 256, silu_mul_groups),
    ROW(ADD, add_simple, 256, add_groups),
    ROW(ARGMAX, argmax_simple, 512, argmax_groups),
    ROW(TOP_K, top_k_radix, 256, top_k_groups),
    ROW(FILL, fill_simple, 256, fill_groups),
    ROW(COPY, copy_simple, 256, copy_groups),
    ROW(CAST, cast_simple, 256, cast_groups, .refusal = needs_16bit),
};

struct variant_rows variant_rows_vulkan(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
