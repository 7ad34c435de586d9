/*
 * The rows of the Vulkan backend: shaders/<op>_<schedule>.comp with their constants, conditions and grids. In order of
 * preference within each op; the last row of an op takes every shape.
 */
#include "rows_vulkan.h"

#include <greta/layout.h>

#include "spirv_images.h"

enum {
    ALL_WEIGHTS = (1 << (GRETA_TYPE_IQ4_XS + 1)) - 1,
    ATTN_EXTRAS = EXTRA_WINDOW | EXTRA_SOFTCAP | EXTRA_KV_Q8_0,
    PLAIN_WEIGHTS = 1 << GRETA_TYPE_F32 | 1 << GRETA_TYPE_F16 | 1 << GRETA_TYPE_BF16
};

/* ---- conditions ---- */

static const char no_16bit[] = "the device cannot store 16-bit values";

static const char *needs_16bit(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    (void)v, (void)call;
    return limits->has_16bit_storage ? NULL : no_16bit;
}

/* A Q8_0 cache is written and read in words. */
static const char *kv_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                              const struct greta_call *call) {
    uint32_t i = call->op == GRETA_OP_KV_UPDATE ? 2 : 8;
    if (op_extras(call) & EXTRA_KV_Q8_0 && !(is_aligned(call, i, 16) && is_aligned(call, i + 1, 16)))
        return "a cache does not begin at a multiple of 16 bytes";
    return needs_16bit(v, limits, call);
}

static const char *rope_kv_heads_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                         const struct greta_call *call) {
    return call->scalars.rope_kv.head_dim > 256 ? "head_dim is more than 256" : kv_refusal(v, limits, call);
}

static const char *weight_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    (void)v;
    if (!limits->has_16bit_storage) return no_16bit;
    return is_aligned(call, 0, 16) ? NULL : "the weight does not begin at a multiple of 16 bytes";
}

/* Tunables of matvec_rows.comp: rows of a workgroup, chunks under way, x aligned. */
enum { MATVEC_ROWS, MATVEC_STEPS, MATVEC_ALIGNED };

/* Of matvec and the fused ones. */
static uint32_t matvec_cols(const struct greta_call *call) {
    return call->op == GRETA_OP_MATVEC_QKV ? call->scalars.matvec_qkv.n_cols : call->scalars.matvec.n_cols;
}

static const char *matvec_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    unsigned n_weights = call->op == GRETA_OP_MATVEC_QKV ? 3 : call->op == GRETA_OP_MATVEC_GLU ? 2 : 1;
    if (v->tunables[MATVEC_ALIGNED]) {
        if (matvec_cols(call) % 8) return "n_cols is no multiple of 8";
        if (!is_aligned(call, n_weights, 16)) return "x does not begin at a multiple of 16 bytes";
        if (op_extras(call) & EXTRA_NORM && !is_aligned(call, n_weights + 1, 16))
            return "norm does not begin at a multiple of 16 bytes";
    }
    for (unsigned i = 1; i < n_weights; i++)
        if (!is_aligned(call, i, 16)) return "a weight does not begin at a multiple of 16 bytes";
    return weight_refusal(v, limits, call);
}

/* Rows with a large workgroup are for rows that fill it. */
static const char *matvec_wide_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                      const struct greta_call *call) {
    (void)limits;
    return matvec_cols(call) < 16 * v->n_threads ? "n_cols is too small to fill its workgroups" : NULL;
}

/*
 * The norm inside a fused matvec saves a dispatch, but every workgroup sums the squares and reads the norm's weights again: on a large
 * GPU, with its thousands of workgroups, that costs more than it saves (docs/tried.md).
 */
static const char *fused_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    (void)v;
    return op_extras(call) & EXTRA_NORM && limits->n_compute_units > 32
               ? "the norm is faster on its own on a GPU of this size"
               : NULL;
}

static const char *fused_wide_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                     const struct greta_call *call) {
    const char *unwise = fused_unwise(v, limits, call);
    return unwise ? unwise : matvec_wide_unwise(v, limits, call);
}

/* Tunables of matmul_tiled.comp. */
enum { TILED_TILE, TILED_ALIGNED };

static const char *matmul_tiled_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                        const struct greta_call *call) {
    const struct greta_scalars_matmul *s = &call->scalars.matmul;
    if (v->tunables[TILED_ALIGNED]) {
        if (s->n_cols % 8) return "n_cols is no multiple of 8";
        if (!is_aligned(call, 1, 16)) return "x does not begin at a multiple of 16 bytes";
    }
    return weight_refusal(v, limits, call);
}

static const char *matmul_tiled_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                       const struct greta_call *call) {
    (void)limits;
    return call->scalars.matmul.n_tok <= v->tunables[TILED_TILE] / 4 ? "n_tok is too small to fill its tiles"
                                                                     : NULL;
}

/* Tunables of matmul_coopmat.comp. */
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

/* The unit multiplies f16 with f32 sums. */
static const char *unit_refusal(const struct greta_limits *limits, const uint32_t mnk[3]) {
    bool found = false;
    for (uint32_t i = 0; i < limits->n_matrix_ops; i++) {
        const struct greta_matrix_op *op = &limits->matrix_ops[i];
        found |= op->m == mnk[0] && op->n == mnk[1] && op->k == mnk[2] &&
                 op->type_ab == GRETA_COMPONENT_F16 && op->type_cd == GRETA_COMPONENT_F32;
    }
    if (!found) return "the device has no matrix unit of its size for f16 with f32 sums";
    if (!limits->has_f16) return "the device has no f16 arithmetic";
    return NULL;
}

static uint64_t coopmat_tiles(const struct greta_variant *v, const struct greta_call *call) {
    return div_up(call->scalars.matmul.n_rows, v->tunables[COOPMAT_TILE_ROWS]) *
           div_up(call->scalars.matmul.n_tok, v->tunables[COOPMAT_TILE_TOKENS]);
}

static const char *matmul_coopmat_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                          const struct greta_call *call) {
    const struct greta_scalars_matmul *s = &call->scalars.matmul;
    const uint32_t *t = v->tunables;
    const char *refusal = unit_refusal(limits, t);
    if (refusal) return refusal;
    uint32_t lds =
        t[COOPMAT_BUFFERS] * (t[COOPMAT_TILE_ROWS] + t[COOPMAT_TILE_TOKENS]) * (t[COOPMAT_STEP] + 8) * 2;
    if (lds > limits->max_lds_bytes) return "it needs more LDS than the device has";
    if (limits->max_matrix_sums &&
        t[COOPMAT_SUB_ROWS] / t[COOPMAT_M] * (t[COOPMAT_SUB_TOKENS] / t[COOPMAT_N]) > limits->max_matrix_sums)
        return "its sums would not stay in registers";
    if (s->n_cols % t[COOPMAT_STEP]) return "n_cols is no multiple of its step";
    if (s->n_rows % 4) return "n_rows is no multiple of 4";
    if (!is_aligned(call, 1, 16) || !is_aligned(call, 2, 16))
        return "x or y does not begin at a multiple of 16 bytes";
    return weight_refusal(v, limits, call);
}

/* Large tiles are for matrices that fill them, and the device with them. */
static const char *matmul_coopmat_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                         const struct greta_call *call) {
    bool plain = PLAIN_WEIGHTS >> call->keys[0] & 1;
    if (v->tunables[COOPMAT_SLICES] > 1 && !plain)
        return "quantized weights are faster with one subgroup for a piece";
    if (v->tunables[COOPMAT_TILE_TOKENS] <= 32) return NULL;
    if (call->scalars.matmul.n_tok <= v->tunables[COOPMAT_TILE_TOKENS] / 2)
        return "n_tok is too small to fill its tiles";
    return coopmat_tiles(v, call) < limits->n_compute_units / 2 ? "its tiles are too few to fill the device"
                                                                : NULL;
}

/* Tunables of attn_split_simple.comp. */
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
    if (!limits->has_16bit_storage) return no_16bit;
    if (head_dim > 256) return "head_dim is more than 256";
    if (head_dim % piece) return "head_dim is no multiple of 8";
    if (piece > 1 && !(is_aligned(call, 1, 16) && is_aligned(call, 2, 16)))
        return "k or v does not begin at a multiple of 16 bytes";
    return split_lds_bytes(v, head_dim) > limits->max_lds_bytes ? "it needs more LDS than the device has"
                                                                : NULL;
}

static const char one_head[] = "it reads K and V once for each query head";

static const char *attn_split_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                     const struct greta_call *call) {
    const struct greta_scalars_attn_split *s = &call->scalars.attn_split;
    (void)limits;
    bool one = v->tunables[SPLIT_HEADS] == 1 && v->tunables[SPLIT_PIECE] > 1;
    return one && s->n_head != s->n_head_kv ? one_head : NULL;
}

static const char *attn_one_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                   const struct greta_call *call) {
    const struct greta_scalars_attn *s = &call->scalars.attn;
    (void)limits;
    return v->tunables[SPLIT_HEADS] == 1 && s->n_head != s->n_head_kv ? one_head : NULL;
}

static const char *attn_one_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                    const struct greta_call *call) {
    const struct greta_scalars_attn *s = &call->scalars.attn;
    uint32_t head_dim = call->keys[1];
    if (s->n_tok != 1 || s->n_ctx > GRETA_ATTN_CHUNK) return "it is for one token and a short context";
    if (!limits->has_16bit_storage) return no_16bit;
    if (head_dim > 256 || head_dim % v->tunables[SPLIT_PIECE])
        return "head_dim is more than 256 or no multiple of 8";
    if (!is_aligned(call, 1, 16) || !is_aligned(call, 2, 16))
        return "k or v does not begin at a multiple of 16 bytes";
    return split_lds_bytes(v, head_dim) > limits->max_lds_bytes ? "it needs more LDS than the device has"
                                                                : NULL;
}

/* Drivers that run shaders on the CPU (llvmpipe) end a shader's loops after 65,535 turns in all. */
static bool loops_too_long(const struct greta_limits *limits, uint64_t n_turns) {
    return limits->is_cpu && n_turns > 65000;
}
static const char loop_limit[] = "n_ctx is too large for a driver that runs shaders on the CPU";

static bool attn_is_aligned(const struct greta_call *call) {
    return is_aligned(call, 0, 16) && is_aligned(call, 1, 16) && is_aligned(call, 2, 16);
}

static const char *attn_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    uint64_t head_dim = call->keys[1], n_blocks = div_up(call->scalars.attn.n_ctx, v->n_threads);
    if (head_dim > 256) return "head_dim is more than 256";
    if (op_extras(call) & EXTRA_KV_Q8_0 && !(is_aligned(call, 1, 16) && is_aligned(call, 2, 16)))
        return "k or v does not begin at a multiple of 16 bytes";
    if (loops_too_long(limits, n_blocks * (head_dim + v->n_threads * div_up(head_dim, v->n_threads))))
        return loop_limit;
    return needs_16bit(v, limits, call);
}

/* Tunables of attn_tiled.comp. */
enum { TILED_QUERIES, TILED_KEYS };

static const char *attn_tiled_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                      const struct greta_call *call) {
    uint32_t head_dim = call->keys[1], queries = v->tunables[TILED_QUERIES], keys = v->tunables[TILED_KEYS];
    uint32_t pieces = head_dim / 4, lds = 16 * (queries + keys) * (pieces + 1) + 4 * queries * (keys + 3);
    if (!limits->has_16bit_storage) return no_16bit;
    if (head_dim > 256 || head_dim % 8) return "head_dim is more than 256 or no multiple of 8";
    if (lds > limits->max_lds_bytes) return "it needs more LDS than the device has";
    if (!attn_is_aligned(call)) return "q, k or v does not begin at a multiple of 16 bytes";
    uint64_t n_blocks = div_up(call->scalars.attn.n_ctx, keys);
    return loops_too_long(limits, n_blocks * (2 * keys * pieces / v->n_threads + pieces + 3 * keys + 8))
               ? loop_limit
               : NULL;
}

static const char few_queries[] = "n_tok is too small to fill its tiles";

static const char *attn_tiled_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                     const struct greta_call *call) {
    (void)v, (void)limits;
    return call->scalars.attn.n_tok < 4 ? few_queries : NULL;
}

/* Tunables of attn_coopmat.comp. */
enum { FLASH_M, FLASH_N, FLASH_K, FLASH_QUERIES, FLASH_KEYS };

static uint32_t flash_lds_bytes(const struct greta_variant *v, uint32_t head_dim) {
    uint32_t queries = v->tunables[FLASH_QUERIES], keys = v->tunables[FLASH_KEYS], line = head_dim / 8 + 1;
    uint32_t tile = (queries > 2 * keys ? queries : 2 * keys) * line;
    return 16 * (tile + queries * (keys / 4 + 1 + keys / 8 + 1 + v->tunables[FLASH_N] / 4));
}

static const char *attn_coopmat_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                        const struct greta_call *call) {
    const uint32_t *t = v->tunables, head_dim = call->keys[1];
    const char *refusal = unit_refusal(limits, t);
    if (refusal) return refusal;
    if (!limits->has_16bit_storage) return no_16bit;
    if (head_dim > 256 || head_dim % 16) return "head_dim is more than 256 or no multiple of 16";
    if (flash_lds_bytes(v, head_dim) > limits->max_lds_bytes) return "it needs more LDS than the device has";
    return attn_is_aligned(call) && is_aligned(call, 4, 16)
               ? NULL
               : "q, k, v or y does not begin at a multiple of 16 bytes";
}

static const char *attn_coopmat_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                       const struct greta_call *call) {
    (void)limits;
    return call->scalars.attn.n_tok < v->tunables[FLASH_M] ? few_queries : NULL;
}

/* ---- grids ---- */

GROUPS(row_lookup_groups, s->row_lookup.n_ids)
GROUPS(rope_groups, div_up((uint64_t)s->rope.n_tok * s->rope.n_head * (s->rope.n_rot / 2), v->n_threads))
GROUPS(kv_update_groups, div_up((uint64_t)s->kv_update.n_tok * s->kv_update.n_cols,
                                (uint64_t)v->n_threads *(call->keys[0] == GRETA_TYPE_Q8_0 ? 32 : 1)))
GROUPS(rope_kv_heads_groups, s->rope_kv.n_tok *(s->rope_kv.n_head + 2 * (uint64_t)s->rope_kv.n_head_kv))
GROUPS(rope_kv_groups, div_up(div_up(s->rope_kv.head_dim, 2) * s->rope_kv.n_tok *
                                  (s->rope_kv.n_head + 2 * (uint64_t)s->rope_kv.n_head_kv),
                              v->n_threads))
GROUPS(matvec_groups, div_up(s->matvec.n_rows, v->tunables[MATVEC_ROWS]))
GROUPS(matvec_glu_groups, div_up(s->matvec_glu.n_rows, v->tunables[MATVEC_ROWS]))
GROUPS(matvec_qkv_groups,
       div_up((uint64_t)s->matvec_qkv.n_head * s->matvec_qkv.head_dim, v->tunables[MATVEC_ROWS]) +
           2 * div_up((uint64_t)s->matvec_qkv.n_head_kv * s->matvec_qkv.head_dim, v->tunables[MATVEC_ROWS]))
GROUPS(matmul_simple_groups, div_up((uint64_t)s->matmul.n_tok * s->matmul.n_rows, v->n_threads))
GROUPS(matmul_tiled_groups,
       div_up(s->matmul.n_tok, v->tunables[TILED_TILE]) * div_up(s->matmul.n_rows, v->tunables[TILED_TILE]))
GROUPS(matmul_coopmat_groups, coopmat_tiles(v, call))
GROUPS(attn_groups, (uint64_t)s->attn.n_tok * s->attn.n_head)
GROUPS(attn_tiled_groups, div_up(s->attn.n_tok, v->tunables[TILED_QUERIES]) * s->attn.n_head)
GROUPS(attn_coopmat_groups, div_up(s->attn.n_tok, v->tunables[FLASH_QUERIES]) * s->attn.n_head)
GROUPS(attn_one_groups,
       (uint64_t)s->attn.n_head_kv *div_up(s->attn.n_head / s->attn.n_head_kv, v->tunables[SPLIT_HEADS]))
GROUPS(attn_split_groups,
       (uint64_t)s->attn_split.n_split * s->attn_split.n_head_kv *
           div_up(s->attn_split.n_head / s->attn_split.n_head_kv, v->tunables[SPLIT_HEADS]))
GROUPS(attn_reduce_groups, s->attn_reduce.n_head)
GROUPS(act_mul_groups, div_up(s->act_mul.n, v->n_threads))
GROUPS(add_groups, div_up(s->add.n, v->n_threads))
GROUPS(bias_add_groups, div_up((uint64_t)s->bias_add.n_rows * s->bias_add.n_cols, v->n_threads))
GROUPS(scale_groups, div_up(s->scale.n, v->n_threads))
GROUPS(softcap_groups, div_up(s->softcap.n, v->n_threads))
GROUPS(fill_groups, div_up(s->fill.n, v->n_threads))
GROUPS(copy_groups, div_up(s->copy.n, v->n_threads))
GROUPS(cast_groups, div_up(s->cast.n, v->n_threads))

/* ---- the table ---- */

#define ROW_X(op_, name_, extras_, threads_, groups_, refusal_)                                           \
    {                                                                                                     \
        .name = #name_, .op = GRETA_OP_##op_, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_##name_, \
        .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, .n_groups = groups_,              \
        .layout = GRETA_LAYOUT_PACKED, .extras = extras_, .refusal = refusal_                             \
    }
#define ROW(op_, name_, threads_, groups_, refusal_) ROW_X(op_, name_, 0, threads_, groups_, refusal_)
#define WEIGHT_ROW(op_, name_, threads_, groups_)                                                         \
    {                                                                                                     \
        .name = #name_, .op = GRETA_OP_##op_, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_##name_, \
        .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, .n_groups = groups_,              \
        .layout = GRETA_LAYOUT_PACKED, .w_types = ALL_WEIGHTS, .x_type = GRETA_TYPE_F32,                  \
        .refusal = weight_refusal                                                                         \
    }
#define MATVEC_LIKE(OP_, op_, params_, extras_, name_, flags_, types_, threads_, rows_, steps_, aligned_,  \
                    unwise_)                                                                               \
    {                                                                                                      \
        .name = name_, .op = GRETA_OP_##OP_, .format = GRETA_IMAGE_SPIRV,                                  \
        .image = &greta_spirv_##op_##_rows, .entry = "main", .flags = VARIANT_EXACT | flags_,              \
        .n_threads = threads_, .n_groups = op_##_groups, .layout = GRETA_LAYOUT_PACKED, .w_types = types_, \
        .extras = extras_, .x_type = GRETA_TYPE_F32, .refusal = matvec_refusal, .unwise = unwise_,         \
        PARAMS(params_), .n_tunables = 3, .tunables = {                                                    \
            rows_,                                                                                         \
            steps_,                                                                                        \
            aligned_                                                                                       \
        }                                                                                                  \
    }
#define MATVEC(...) MATVEC_LIKE(MATVEC, matvec, matvec_params, EXTRA_ADD, __VA_ARGS__)
#define MATVEC_GLU(...) \
    MATVEC_LIKE(MATVEC_GLU, matvec_glu, matvec_params, EXTRA_GELU | EXTRA_NORM, __VA_ARGS__)
#define MATVEC_QKV(...)                                    \
    MATVEC_LIKE(MATVEC_QKV, matvec_qkv, matvec_qkv_params, \
                EXTRA_NORM | EXTRA_BIAS | EXTRA_HALVES | EXTRA_V_TYPE, __VA_ARGS__)
#define ATTN_SPLIT(name_, heads_, piece_)                                                                   \
    {                                                                                                       \
        .name = name_, .op = GRETA_OP_ATTN_SPLIT, .format = GRETA_IMAGE_SPIRV,                              \
        .image = &greta_spirv_attn_split_simple, .entry = "main", .flags = VARIANT_EXACT, .n_threads = 256, \
        .n_groups = attn_split_groups, .layout = GRETA_LAYOUT_PACKED, .refusal = attn_split_refusal,        \
        .unwise = attn_split_unwise, .extras = ATTN_EXTRAS, .n_tunables = 2, .tunables = {                  \
            heads_,                                                                                         \
            piece_                                                                                          \
        }                                                                                                   \
    }
#define ATTN_ONE(name_, heads_)                                                                          \
    {                                                                                                    \
        .name = name_, .op = GRETA_OP_ATTN, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_attn_one, \
        .entry = "main", .flags = VARIANT_EXACT, .n_threads = 256, .n_groups = attn_one_groups,          \
        .extras = ATTN_EXTRAS, .layout = GRETA_LAYOUT_PACKED, .refusal = attn_one_refusal,               \
        .unwise = attn_one_unwise, .n_tunables = 2, .tunables = {                                        \
            heads_,                                                                                      \
            8                                                                                            \
        }                                                                                                \
    }
#define MATMUL_TILED(name_, threads_, tile_, aligned_)                                                      \
    {                                                                                                       \
        .name = name_, .op = GRETA_OP_MATMUL, .format = GRETA_IMAGE_SPIRV,                                  \
        .image = &greta_spirv_matmul_tiled, .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, \
        .n_groups = matmul_tiled_groups, .layout = GRETA_LAYOUT_PACKED, .w_types = ALL_WEIGHTS,             \
        .x_type = GRETA_TYPE_F32, .refusal = matmul_tiled_refusal, .unwise = matmul_tiled_unwise,           \
        .n_tunables = 2, .tunables = {                                                                      \
            tile_,                                                                                          \
            aligned_                                                                                        \
        }                                                                                                   \
    }
#define MATMUL_COOPMAT_OF(x_, name_, flags_, threads_, lanes_, ...)                                         \
    {                                                                                                       \
        .name = name_, .op = GRETA_OP_MATMUL, .format = GRETA_IMAGE_SPIRV,                                  \
        .image = &greta_spirv_matmul_coopmat, .entry = "main", .flags = flags_, .n_threads = threads_,      \
        .subgroup_size = lanes_, .n_groups = matmul_coopmat_groups, .layout = GRETA_LAYOUT_PACKED,          \
        .w_types = ALL_WEIGHTS, .x_type = GRETA_TYPE_##x_, .operand_eps = 0x1p-11,                          \
        .refusal = matmul_coopmat_refusal, .unwise = matmul_coopmat_unwise, .n_tunables = 10, .tunables = { \
            __VA_ARGS__                                                                                     \
        }                                                                                                   \
    }
#define MATMUL_COOPMAT(...) MATMUL_COOPMAT_OF(F32, __VA_ARGS__)
#define MATMUL_COOPMAT_F16(...) MATMUL_COOPMAT_OF(F16, __VA_ARGS__)
#define ATTN_COOPMAT(name_, threads_, lanes_, ...)                                                           \
    {                                                                                                        \
        .name = name_, .op = GRETA_OP_ATTN, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_attn_coopmat, \
        .entry = "main", .n_threads = threads_, .subgroup_size = lanes_, .n_groups = attn_coopmat_groups,    \
        .layout = GRETA_LAYOUT_PACKED, .operand_eps = 0x1p-11, .refusal = attn_coopmat_refusal,              \
        .unwise = attn_coopmat_unwise, .extras = ATTN_EXTRAS, .n_tunables = 5, .tunables = {                 \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
#define ATTN_TILED(name_, threads_, ...)                                                                   \
    {                                                                                                      \
        .name = name_, .op = GRETA_OP_ATTN, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_attn_tiled, \
        .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, .n_groups = attn_tiled_groups,     \
        .layout = GRETA_LAYOUT_PACKED, .refusal = attn_tiled_refusal, .unwise = attn_tiled_unwise,         \
        .extras = ATTN_EXTRAS, .n_tunables = 2, .tunables = {                                              \
            __VA_ARGS__                                                                                    \
        }                                                                                                  \
    }

/* What the tuner may set. */
static const struct variant_param matvec_params[] = {{"threads", VARIANT_PARAM_THREADS, {32, 64, 128, 256}},
                                                     {"rows", MATVEC_ROWS, {1, 2, 4, 8}},
                                                     {"steps", MATVEC_STEPS, {1, 2, 4}}};
static const struct variant_param matvec_qkv_params[] = {
    {"threads", VARIANT_PARAM_THREADS, {32, 64, 128, 256}},
    {"rows", MATVEC_ROWS, {2, 4, 8}},
    {"steps", MATVEC_STEPS, {1, 2, 4}}};
#define PARAMS(of) .n_params = sizeof(of) / sizeof *(of), .params = of

static const struct greta_variant rows[] = {
    WEIGHT_ROW(ROW_LOOKUP, row_lookup_simple, 64, row_lookup_groups),
    ROW(ROPE, rope_simple, 64, rope_groups, NULL),
    ROW_X(KV_UPDATE, kv_update_simple, EXTRA_KV_Q8_0, 64, kv_update_groups, kv_refusal),
    ROW(ROPE_KV, rope_kv_simple, 64, rope_kv_groups, needs_16bit),
    ROW_X(ROPE_KV, rope_kv_heads, EXTRA_NORM | EXTRA_BIAS | EXTRA_KV_Q8_0, 64, rope_kv_heads_groups,
          rope_kv_heads_refusal),
    /* The wide ones differ in threads, rows and steps; which is best was measured on an H200 (docs/tried.md). */
    MATVEC("matvec_wide_f16", 0, PLAIN_WEIGHTS, 256, 2, 2, 1, matvec_wide_unwise),
    MATVEC("matvec_wide", 0, ALL_WEIGHTS, 128, 2, 2, 1, matvec_wide_unwise),
    MATVEC("matvec_narrow", 0, ALL_WEIGHTS, 64, 2, 1, 1, NULL),
    MATVEC("matvec_any", 0, ALL_WEIGHTS, 64, 2, 1, 0, NULL),
    MATVEC("matvec_128_4_2", VARIANT_FORCED_ONLY, ALL_WEIGHTS, 128, 4, 2, 1, matvec_wide_unwise),
    MATVEC("matvec_128_8_1", VARIANT_FORCED_ONLY, ALL_WEIGHTS, 128, 8, 1, 1, matvec_wide_unwise),
    MATVEC("matvec_64_4_2", VARIANT_FORCED_ONLY, ALL_WEIGHTS, 64, 4, 2, 1, matvec_wide_unwise),
    MATVEC("matvec_256_4_1", VARIANT_FORCED_ONLY, ALL_WEIGHTS, 256, 4, 1, 1, matvec_wide_unwise),
    /* Half the rows of each weight: as many loads under way as in the matvec that is best for the type. */
    MATVEC_GLU("matvec_glu_wide_f16", 0, PLAIN_WEIGHTS, 256, 1, 2, 1, fused_wide_unwise),
    MATVEC_GLU("matvec_glu_wide", 0, ALL_WEIGHTS, 128, 1, 2, 1, fused_wide_unwise),
    MATVEC_GLU("matvec_glu_narrow", 0, ALL_WEIGHTS, 64, 1, 1, 1, fused_unwise),
    MATVEC_GLU("matvec_glu_any", 0, ALL_WEIGHTS, 64, 1, 1, 0, fused_unwise),
    MATVEC_GLU("matvec_glu_128_2_2", VARIANT_FORCED_ONLY, ALL_WEIGHTS, 128, 2, 2, 1, fused_wide_unwise),
    MATVEC_GLU("matvec_glu_128_4_1", VARIANT_FORCED_ONLY, ALL_WEIGHTS, 128, 4, 1, 1, fused_wide_unwise),
    /* Rows are even in number: pairs are rotated. */
    MATVEC_QKV("matvec_qkv_wide_f16", 0, PLAIN_WEIGHTS, 256, 2, 2, 1, fused_wide_unwise),
    MATVEC_QKV("matvec_qkv_wide", 0, ALL_WEIGHTS, 128, 2, 2, 1, fused_wide_unwise),
    MATVEC_QKV("matvec_qkv_narrow", 0, ALL_WEIGHTS, 64, 2, 1, 1, fused_unwise),
    MATVEC_QKV("matvec_qkv_any", 0, ALL_WEIGHTS, 64, 2, 1, 0, fused_unwise),
    MATVEC_QKV("matvec_qkv_128_4_2", VARIANT_FORCED_ONLY, ALL_WEIGHTS, 128, 4, 2, 1, fused_wide_unwise),
    /* Activations of f16 first: half the bytes to read. Two subgroups for each piece of the result fill the device with fewer tiles. */
    MATMUL_COOPMAT_F16("matmul_coopmat_f16_slices", 0, 256, 32, 16, 16, 16, 128, 128, 64, 64, 64, 1, 2),
    MATMUL_COOPMAT_F16("matmul_coopmat_f16_large_4", 0, 128, 32, 16, 16, 16, 128, 128, 32, 64, 64, 2, 1),
    MATMUL_COOPMAT("matmul_coopmat_large_4", 0, 128, 32, 16, 16, 16, 128, 128, 32, 64, 64, 2, 1),
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
    MATMUL_TILED("matmul_tiled_large", 256, 64, 1),
    MATMUL_TILED("matmul_tiled_small", 64, 32, 1),
    MATMUL_TILED("matmul_tiled_any", 64, 32, 0),
    /* The unit of Mesa's llvmpipe: after the rows that are faster there, for the tests. */
    MATMUL_COOPMAT("matmul_coopmat_8", 0, 64, 8, 8, 8, 8, 64, 64, 32, 32, 16, 2, 1),
    MATMUL_COOPMAT("matmul_coopmat_8_slices", VARIANT_FORCED_ONLY, 128, 8, 8, 8, 8, 64, 64, 32, 32, 16, 1, 2),
    MATMUL_COOPMAT_F16("matmul_coopmat_8_f16", VARIANT_FORCED_ONLY, 64, 8, 8, 8, 8, 64, 64, 32, 32, 16, 2, 1),
    WEIGHT_ROW(MATMUL, matmul_simple, 64, matmul_simple_groups),
    ATTN_ONE("attn_one", 1),
    ATTN_ONE("attn_one_grouped", 4),
    ATTN_COOPMAT("attn_coopmat_large", 128, 32, 16, 16, 16, 64, 32),
    ATTN_COOPMAT("attn_coopmat_small", 64, 32, 16, 16, 16, 32, 16),
    ATTN_TILED("attn_tiled_large", 64, 32, 32),
    ATTN_TILED("attn_tiled_small", 32, 16, 32),
    ROW_X(ATTN, attn_simple, ATTN_EXTRAS, 128, attn_groups, attn_refusal),
    /* The unit of Mesa's llvmpipe, as above. */
    ATTN_COOPMAT("attn_coopmat_8", 32, 8, 8, 8, 8, 32, 32),
    ATTN_SPLIT("attn_split_one", 1, 8),
    ATTN_SPLIT("attn_split_grouped", 4, 8),
    ATTN_SPLIT("attn_split_any", 1, 1),
    ROW(ATTN_REDUCE, attn_reduce_simple, 128, attn_reduce_groups, NULL),
    ROW_X(ACT_MUL, act_mul_simple, EXTRA_GELU, 256, act_mul_groups, NULL),
    ROW(ADD, add_simple, 256, add_groups, NULL),
    ROW(BIAS_ADD, bias_add_simple, 256, bias_add_groups, NULL),
    ROW(SCALE, scale_simple, 256, scale_groups, NULL),
    ROW(SOFTCAP, softcap_simple, 256, softcap_groups, NULL),
    ROW(FILL, fill_simple, 256, fill_groups, NULL),
    ROW(COPY, copy_simple, 256, copy_groups, NULL),
    ROW(CAST, cast_simple, 256, cast_groups, needs_16bit),
};

struct variant_rows variant_rows_vulkan(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
