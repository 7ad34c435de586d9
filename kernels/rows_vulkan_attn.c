/* The Vulkan rows of attention. In order of preference within each op; the last row takes every shape. */
#include "rows_vulkan.h"

#include <greta/layout.h>

#include "spirv_images.h"

enum { ATTN_EXTRAS = EXTRA_WINDOW | EXTRA_SOFTCAP | EXTRA_KV_Q8_0 };

/* ---- conditions ---- */

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
    if (!limits->has_16bit_storage) return vulkan_no_16bit;
    if (head_dim > 256) return "head_dim is more than 256";
    if (head_dim % piece) return "head_dim is no multiple of 8";
    if (v->n_threads < head_dim / piece) return "its workgroup is smaller than a head";
    if (piece > 1 && !(is_aligned(call, 1, 16) && is_aligned(call, 2, 16)))
        return "k or v does not begin at a multiple of 16 bytes";
    return split_lds_bytes(v, head_dim) > limits->max_lds_bytes ? "it needs more LDS than the device has"
                                                                : NULL;
}

/*
 * Query heads that share K and V may be served together, which reads these once; but then there are fewer workgroups, each of which computes
 * more between two loads. A large GPU, whose L2 holds K and V for the heads that come after, was faster with one head at a time at any
 * context (docs/tried.md).
 */
static const char *heads_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call, uint32_t n_head, uint32_t n_head_kv) {
    if (v->tunables[SPLIT_HEADS] == 1) return NULL;
    if (n_head / n_head_kv <= v->tunables[SPLIT_HEADS] / 2)
        return "few heads share K and V: half of those that it takes at once would be idle";
    if (limits->n_compute_units > 32) return "one head at a time is faster on a GPU of this size";
    return v->n_groups(v, limits, call) < limits->n_compute_units
               ? "its workgroups are too few to fill the device"
               : NULL;
}

static const char *attn_split_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                     const struct greta_call *call) {
    const struct greta_scalars_attn_split *s = &call->scalars.attn_split;
    if (v->n_threads > 256 && limits->n_compute_units <= 32)
        return "smaller workgroups fill a GPU of this size"; /* not measured there */
    return heads_unwise(v, limits, call, s->n_head, s->n_head_kv);
}

static const char *attn_one_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                   const struct greta_call *call) {
    const struct greta_scalars_attn *s = &call->scalars.attn;
    return heads_unwise(v, limits, call, s->n_head, s->n_head_kv);
}

static const char *attn_one_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                    const struct greta_call *call) {
    const struct greta_scalars_attn *s = &call->scalars.attn;
    uint32_t head_dim = call->keys[1];
    if (s->n_tok != 1 || s->n_ctx > GRETA_ATTN_CHUNK) return "it is for one token and a short context";
    if (!limits->has_16bit_storage) return vulkan_no_16bit;
    if (head_dim > 256 || head_dim % v->tunables[SPLIT_PIECE])
        return "head_dim is more than 256 or no multiple of 8";
    if (v->n_threads < head_dim / v->tunables[SPLIT_PIECE]) return "its workgroup is smaller than a head";
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
    return vulkan_needs_16bit(v, limits, call);
}

/* Tunables of attn_tiled.comp. */
enum { TILED_QUERIES, TILED_KEYS, TILED_ROWS };

static const char *attn_tiled_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                      const struct greta_call *call) {
    uint32_t head_dim = call->keys[1], queries = v->tunables[TILED_QUERIES], keys = v->tunables[TILED_KEYS];
    uint32_t pieces = head_dim / 4, lds = 16 * (queries + keys) * (pieces + 1) + 4 * queries * (keys + 3);
    if (!limits->has_16bit_storage) return vulkan_no_16bit;
    uint32_t rows = v->tunables[TILED_ROWS], n_sums = rows * 4 * (uint32_t)div_up(pieces, keys / 4);
    if (v->n_threads != queries / rows * (keys / 4) || v->n_threads < queries)
        return "its invocations are not those of its tile";
    if (n_sums > 64) return "its sums would not stay in registers";
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
    const uint32_t n_tok = call->scalars.attn.n_tok, queries = v->tunables[TILED_QUERIES];
    /* A CPU computes queries that are not there as well. Its smallest tiles are for other heads. */
    if (limits->is_cpu && queries > 16 && n_tok <= queries / 2) return few_queries;
    return n_tok < 4 ? few_queries : NULL;
}

/* Tunables of attn_coopmat.comp. */
enum { FLASH_M, FLASH_N, FLASH_K, FLASH_QUERIES, FLASH_KEYS };

static uint32_t flash_lds_bytes(const struct greta_variant *v, uint32_t head_dim) {
    uint32_t queries = v->tunables[FLASH_QUERIES], keys = v->tunables[FLASH_KEYS], line = head_dim / 8 + 1;
    uint32_t tile = (queries > 2 * keys ? queries : 2 * keys) * line;
    return 16 * (tile + queries * (keys / 4 + 1 + keys / 8 + 1 + v->tunables[FLASH_N] / 4));
}

/* Words of K and V that an invocation has under way, of f16. */
static uint32_t flash_load_words(const struct greta_variant *v, uint32_t head_dim) {
    return 2 * 4 * (uint32_t)div_up(v->tunables[FLASH_KEYS] * (head_dim / 8), v->n_threads);
}

static const char *attn_coopmat_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                        const struct greta_call *call) {
    const uint32_t *t = v->tunables, head_dim = call->keys[1];
    const char *refusal = vulkan_unit_refusal(limits, t, GRETA_COMPONENT_F16);
    if (v->n_threads != t[FLASH_QUERIES] / t[FLASH_M] * v->subgroup_size)
        return "its subgroups are not those of its tile";
    if (refusal) return refusal;
    if (!limits->has_16bit_storage) return vulkan_no_16bit;
    if (head_dim > 256 || head_dim % 16) return "head_dim is more than 256 or no multiple of 16";
    if (limits->max_matrix_sums && head_dim / t[FLASH_N] > limits->max_matrix_sums)
        return "its sums would not stay in registers";
    if (!vulkan_matrix_loads_fit(limits, flash_load_words(v, head_dim))) return vulkan_many_loads;
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

GROUPS(attn_groups, (uint64_t)s->attn.n_tok * s->attn.n_head)
GROUPS(attn_tiled_groups, div_up(s->attn.n_tok, v->tunables[TILED_QUERIES]) * s->attn.n_head)
GROUPS(attn_coopmat_groups, div_up(s->attn.n_tok, v->tunables[FLASH_QUERIES]) * s->attn.n_head)
GROUPS(attn_one_groups,
       (uint64_t)s->attn.n_head_kv *div_up(s->attn.n_head / s->attn.n_head_kv, v->tunables[SPLIT_HEADS]))
GROUPS(attn_split_groups,
       (uint64_t)s->attn_split.n_split * s->attn_split.n_head_kv *
           div_up(s->attn_split.n_head / s->attn_split.n_head_kv, v->tunables[SPLIT_HEADS]))
GROUPS(attn_reduce_groups, s->attn_reduce.n_head)

/* ---- the table ---- */

/* What the tuner may set; of prefill's, on one row of each kind. */
static const struct variant_param chunk_params[] = {{"heads", SPLIT_HEADS, {1, 2, 4, 8}},
                                                    {"threads", VARIANT_PARAM_THREADS, {64, 128, 256, 512}}};
static const struct variant_param tiled_params[] = {{"queries", TILED_QUERIES, {8, 16, 32, 64}},
                                                    {"keys", TILED_KEYS, {16, 32, 64}},
                                                    {"threads", VARIANT_PARAM_THREADS, {32, 64, 128, 256}}};
static const struct variant_param flash_params[] = {{"queries", FLASH_QUERIES, {32, 64, 128}},
                                                    {"keys", FLASH_KEYS, {16, 32, 64}},
                                                    {"threads", VARIANT_PARAM_THREADS, {64, 128, 256}}};

#define ATTN_SPLIT(name_, threads_, heads_, piece_)                                          \
    {                                                                                        \
        .name = name_, .op = GRETA_OP_ATTN_SPLIT, .format = GRETA_IMAGE_SPIRV,               \
        .image = &greta_spirv_attn_split_simple, .entry = "main", .flags = VARIANT_EXACT,    \
        .n_threads = threads_, .n_groups = attn_split_groups, .layout = GRETA_LAYOUT_PACKED, \
        .refusal = attn_split_refusal, .unwise = attn_split_unwise, .extras = ATTN_EXTRAS,   \
        PARAMS(chunk_params), .n_tunables = 2, .tunables = {                                 \
            heads_,                                                                          \
            piece_                                                                           \
        }                                                                                    \
    }
#define ATTN_ONE(name_, heads_)                                                                          \
    {                                                                                                    \
        .name = name_, .op = GRETA_OP_ATTN, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_attn_one, \
        .entry = "main", .flags = VARIANT_EXACT, .n_threads = 256, .n_groups = attn_one_groups,          \
        .extras = ATTN_EXTRAS, .layout = GRETA_LAYOUT_PACKED, .refusal = attn_one_refusal,               \
        .unwise = attn_one_unwise, PARAMS(chunk_params), .n_tunables = 2, .tunables = {                  \
            heads_,                                                                                      \
            8                                                                                            \
        }                                                                                                \
    }
#define ATTN_COOPMAT(name_, threads_, lanes_, ...)                                                           \
    {                                                                                                        \
        .name = name_, .op = GRETA_OP_ATTN, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_attn_coopmat, \
        .entry = "main", .n_threads = threads_, .subgroup_size = lanes_, .n_groups = attn_coopmat_groups,    \
        .layout = GRETA_LAYOUT_PACKED, .operand_eps = 0x1p-11, .refusal = attn_coopmat_refusal,              \
        .unwise = attn_coopmat_unwise, .extras = ATTN_EXTRAS, PARAMS(flash_params), .n_tunables = 5,         \
        .tunables = {                                                                                        \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
#define ATTN_TILED(name_, threads_, ...)                                                                   \
    {                                                                                                      \
        .name = name_, .op = GRETA_OP_ATTN, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_attn_tiled, \
        .entry = "main", .flags = VARIANT_EXACT, .n_threads = threads_, .n_groups = attn_tiled_groups,     \
        .layout = GRETA_LAYOUT_PACKED, .refusal = attn_tiled_refusal, .unwise = attn_tiled_unwise,         \
        .extras = ATTN_EXTRAS, PARAMS(tiled_params), .n_tunables = 3, .tunables = {                        \
            __VA_ARGS__                                                                                    \
        }                                                                                                  \
    }

static const struct greta_variant rows[] = {
    ATTN_ONE("attn_one_grouped", 4),
    ATTN_ONE("attn_one_pair", 2),
    ATTN_ONE("attn_one", 1),
    ATTN_COOPMAT("attn_coopmat_large", 128, 32, 16, 16, 16, 64, 32),
    ATTN_COOPMAT("attn_coopmat_small", 64, 32, 16, 16, 16, 32, 16),
    ATTN_TILED("attn_tiled_large", 64, 32, 32, 4),
    ATTN_TILED("attn_tiled_small", 32, 16, 32, 4),
    ATTN_TILED("attn_tiled_256", 32, 8, 32,
               2), /* for heads whose sums the others could not keep in registers */
    PLAIN_ROW_X(ATTN, attn_simple, ATTN_EXTRAS, 128, attn_groups, attn_refusal),
    /* The unit of Mesa's llvmpipe, as above. */
    ATTN_COOPMAT("attn_coopmat_8", 32, 8, 8, 8, 8, 32, 32),
    ATTN_SPLIT("attn_split_grouped", 256, 4, 8),
    ATTN_SPLIT("attn_split_pair", 256, 2, 8),
    ATTN_SPLIT("attn_split_one_512", 512, 1, 8),
    ATTN_SPLIT("attn_split_one", 256, 1, 8),
    ATTN_SPLIT("attn_split_any", 256, 1, 1),
    PLAIN_ROW(ATTN_REDUCE, attn_reduce_simple, 128, attn_reduce_groups, NULL),
};

struct variant_rows variant_rows_vulkan_attn(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
