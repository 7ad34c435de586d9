/*
 * The rows of the HIP backend: hipkernels/<op>.hip with their constants, conditions and grids. In order of preference within each
 * op. A kernel is there for the constants that hipkernels/instances.h lists and for no others.
 */
#include "rows_hip.h"

#include <greta/layout.h>

#include "../hipkernels/instances.h"
#include "hip_images.h"

#include <string.h>

static const struct hip_instance instances[] = {GRETA_HIP_INSTANCES(HIP_INSTANCE)};

const char *hip_find_instance(const struct hip_instance *list, uint32_t n_list, const struct greta_variant *v,
                              const struct greta_call *call) {
    uint32_t wanted[1 + GRETA_OP_MAX_KEYS + VARIANT_MAX_TUNABLES] = {v->n_threads};
    uint32_t n_keys = greta_op_get_info(call->op)->n_keys, n = 1;
    for (uint32_t i = 0; i < n_keys; i++) wanted[n++] = variant_key_constant(v, i, call->keys[i]);
    for (uint32_t i = 0; i < v->n_tunables; i++) wanted[n++] = v->tunables[i];
    for (uint32_t i = 0; i < n_list; i++)
        if (list[i].n == n && !memcmp(list[i].constants, wanted, n * sizeof *wanted) &&
            !strcmp(list[i].entry, v->entry))
            return NULL;
    return "no kernel was built for these keys";
}

/* ---- conditions ---- */

/* Many rows fill the device by themselves, and a small workgroup has less to wait for. */
static const char *wide_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    if (call->scalars.u32[0] > 2 * limits->n_compute_units)
        return "n_rows is large enough for small workgroups";
    return call->scalars.u32[1] < v->n_threads * 4 ? "n_cols is too small to fill its workgroups" : NULL;
}

static const char *built(const struct greta_variant *v, const struct greta_limits *limits,
                         const struct greta_call *call) {
    (void)limits;
    return hip_find_instance(instances, sizeof instances / sizeof *instances, v, call);
}

static const char *rope_kv_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                   const struct greta_call *call) {
    if (call->scalars.rope_kv.head_dim > GRETA_HIP_HEAD_MAX) return "head_dim is more than 512";
    return built(v, limits, call);
}

/* The tunable of the matvecs: rows of a group of lanes, of each weight. */
enum { MATVEC_ROWS };

/* Of matvec and the fused ones: the last scalar that is a number of columns. */
static uint32_t matvec_cols(const struct greta_call *call) {
    return call->op == GRETA_OP_MATVEC_QKV   ? call->scalars.matvec_qkv.n_cols
           : call->op == GRETA_OP_MATVEC_GLU ? call->scalars.matvec_glu.n_cols
                                             : call->scalars.matvec.n_cols;
}

/* Groups of lanes of a workgroup that reads a weight of this type (common/matvec.h). */
static uint32_t matvec_teams(const struct greta_variant *v, const struct greta_limits *limits, uint32_t type,
                             const struct greta_call *call) {
    return v->n_threads / GRETA_HIP_ROW_LANES(type, matvec_cols(call), limits->subgroup_max);
}

static const char *matvec_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    unsigned n_weights = call->op == GRETA_OP_MATVEC_QKV ? 3 : call->op == GRETA_OP_MATVEC_GLU ? 2 : 1;
    for (unsigned i = 0; i < n_weights; i++)
        if (!is_aligned(call, i, 16)) return "a weight does not begin at a multiple of 16 bytes";
    if (call->op == GRETA_OP_MATVEC_QKV && call->scalars.matvec_qkv.head_dim % 2) return "head_dim is odd";
    return built(v, limits, call);
}

static const char *weight_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    return is_aligned(call, 0, 16) ? built(v, limits, call)
                                   : "the weight does not begin at a multiple of 16 bytes";
}

/* The tunable of attention: queries of one KV head that a workgroup serves. */
enum { ATTN_SLOTS };

static const char *attn_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    (void)limits;
    const union greta_scalars *s = &call->scalars;
    uint64_t n = call->op == GRETA_OP_ATTN ? (uint64_t)s->attn.n_tok * (s->attn.n_head / s->attn.n_head_kv)
                                           : s->attn_split.n_head / s->attn_split.n_head_kv;
    uint32_t slots = v->tunables[ATTN_SLOTS];
    if (n < slots && slots > 4) return "there are fewer queries of a KV head than it serves";
    return slots == 1 && n > 1 ? "it serves one query of a KV head" : NULL;
}

/* Its head's size is its last key. */
static const char *attn_any_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                    const struct greta_call *call) {
    uint32_t head_dim = call->keys[greta_op_get_info(call->op)->n_keys - 1];
    if (head_dim > GRETA_HIP_ANY_HEAD_MAX) return "head_dim is more than 256";
    return built(v, limits, call);
}

/* ---- grids ---- */

#define GROUPS(name, count)                                                                \
    static uint64_t name(const struct greta_variant *v, const struct greta_limits *limits, \
                         const struct greta_call *call) {                                  \
        const union greta_scalars *s = &call->scalars;                                     \
        (void)v, (void)limits;                                                             \
        return count;                                                                      \
    }
GROUPS(row_groups, s->u32[0]) /* n_rows or n_ids comes first */
GROUPS(element_groups, div_up(s->u32[0], v->n_threads))
GROUPS(bias_add_groups, div_up((uint64_t)s->bias_add.n_rows * s->bias_add.n_cols, v->n_threads))
GROUPS(rope_groups, div_up((uint64_t)s->rope.n_tok * s->rope.n_head * (s->rope.n_rot / 2), v->n_threads))
GROUPS(kv_update_groups, div_up((uint64_t)s->kv_update.n_tok *div_up(s->kv_update.n_cols, 4), v->n_threads))
GROUPS(rope_kv_groups, (uint64_t)s->rope_kv.n_tok *(s->rope_kv.n_head + 2 * s->rope_kv.n_head_kv))
GROUPS(quantize_groups,
       div_up((uint64_t)s->quantize.n_rows *div_up(s->quantize.n_cols, 32) * 8, v->n_threads))
GROUPS(matvec_groups,
       div_up(s->matvec.n_rows, matvec_teams(v, limits, call->keys[0], call) * v->tunables[MATVEC_ROWS]))
GROUPS(matvec_split_groups, div_up(s->matvec_split.n_rows,
                                   v->n_threads /
                                       GRETA_HIP_ROW_LANES(call->keys[0],
                                                           GRETA_HIP_SPLIT_COLUMNS(s->matvec_split.n_cols,
                                                                                   s->matvec_split.n_split),
                                                           limits->subgroup_max) *
                                       v->tunables[MATVEC_ROWS]) *
                                s->matvec_split.n_split)
GROUPS(matvec_glu_groups,
       div_up(s->matvec_glu.n_rows, matvec_teams(v, limits, call->keys[0], call) * v->tunables[MATVEC_ROWS]))
GROUPS(matmul_groups, div_up(s->matmul.n_rows, 128) * div_up(s->matmul.n_tok, 32))
GROUPS(attn_groups,
       div_up((uint64_t)s->attn.n_tok *(s->attn.n_head / s->attn.n_head_kv), v->tunables[ATTN_SLOTS]) *
           s->attn.n_head_kv)
GROUPS(attn_split_groups, (uint64_t)s->attn_split.n_split * s->attn_split.n_head_kv *
                              div_up(s->attn_split.n_head / s->attn_split.n_head_kv, v->tunables[ATTN_SLOTS]))
GROUPS(attn_any_groups, (uint64_t)s->attn.n_tok * s->attn.n_head)
GROUPS(attn_split_any_groups, (uint64_t)s->attn_split.n_split * s->attn_split.n_head)
GROUPS(attn_reduce_groups, s->attn_reduce.n_head)

/* A group of lanes makes a pair of one of the weights. */
static uint64_t matvec_qkv_groups(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    const struct greta_scalars_matvec_qkv *s = &call->scalars.matvec_qkv;
    uint64_t q = (uint64_t)s->n_head * s->head_dim / 2, kv = (uint64_t)s->n_head_kv * s->head_dim / 2;
    uint32_t teams = matvec_teams(v, limits, call->keys[0], call),
             teams_v = matvec_teams(v, limits, call->keys[1], call);
    return div_up(q, teams) + div_up(kv, teams) + div_up(kv, teams_v);
}

/* ---- the table ---- */

/* Which keys are served is what the instances say. */
enum { ALL_EXTRAS = 0xFFFF };

#define ROW(op_, name_, source_, threads_, groups_)                                                     \
    {                                                                                                   \
        HIP_ROW(op_, #name_, source_, name_, threads_, groups_), .flags = VARIANT_EXACT,                \
                                                                 .extras = ALL_EXTRAS, .refusal = built \
    }
#define ROWS_OF(op_, name_, source_, entry_, threads_, unwise_)                                         \
    {                                                                                                   \
        HIP_ROW(op_, name_, source_, entry_, threads_, row_groups),                                     \
            .flags = VARIANT_EXACT, .refusal = built, .unwise = unwise_, .n_tunables = 1, .tunables = { \
                4                                                                                       \
            }                                                                                           \
    }
/* A thread keeps four pieces of four elements: 16,384 columns in a wide row, 4,096 in a simple one. */
#define ROWS(op_, source_)                                                      \
    ROWS_OF(op_, #source_ "_wide", source_, source_##_rows, 1024, wide_unwise), \
        ROWS_OF(op_, #source_ "_simple", source_, source_##_rows, 256, NULL)

#define WEIGHTS(op_, name_, source_, entry_, threads_, groups_, x_type_, n_tunables_, rows_, refusal_) \
    {                                                                                                  \
        HIP_ROW(op_, name_, source_, entry_, threads_, groups_),                                       \
            .flags = x_type_ == GRETA_TYPE_F32 ? VARIANT_EXACT : 0, .w_types = HIP_ALL_WEIGHTS,        \
            .x_type = x_type_, .extras = ALL_EXTRAS, .refusal = refusal_, .n_tunables = n_tunables_,   \
            .tunables = {                                                                              \
                rows_                                                                                  \
            }                                                                                          \
    }
/* Built for waves of 64. */
#define MATVEC_SPLIT(name_, x_type_)                                                             \
    {                                                                                            \
        HIP_ROW(MATVEC_SPLIT, name_, matvec, matvec_split_rows, 256, matvec_split_groups),       \
            .flags = x_type_ == GRETA_TYPE_F32 ? VARIANT_EXACT : 0, .w_types = HIP_ALL_WEIGHTS,  \
            .x_type = x_type_, .extras = ALL_EXTRAS, .refusal = weight_refusal, .n_tunables = 1, \
            .subgroup_size = 64, .tunables = {                                                   \
                2                                                                                \
            }                                                                                    \
    }
#define ATTN(op_, name_, source_, groups_, slots_)                                                 \
    {                                                                                              \
        HIP_ROW(op_, name_, source_, source_##_slots, 256, groups_),                               \
            .flags = VARIANT_EXACT, .extras = ALL_EXTRAS, .refusal = built, .unwise = attn_unwise, \
            .n_tunables = 1, .tunables = {                                                         \
                slots_                                                                             \
            }                                                                                      \
    }
/* For the sizes of heads that the rows before it have no instance for; the call says the size, key i_key_. */
#define ATTN_ANY(op_, source_, i_key_, threads_, groups_)                                 \
    {                                                                                     \
        HIP_ROW(op_, #source_, source_, source_, threads_, groups_),                      \
            .flags = VARIANT_EXACT, .extras = ALL_EXTRAS, .keys_by_call = 1u << (i_key_), \
            .refusal = attn_any_refusal                                                   \
    }

static const struct greta_variant rows[] = {
    WEIGHTS(ROW_LOOKUP, "row_lookup_pieces", row_lookup, row_lookup_pieces, 128, row_groups, GRETA_TYPE_F32,
            0, 0, weight_refusal),
    WEIGHTS(MATVEC, "matvec_rows", matvec, matvec_rows, 256, matvec_groups, GRETA_TYPE_F32, 1, 2,
            matvec_refusal),
    WEIGHTS(MATVEC, "matvec_rows_q8a", matvec, matvec_rows, 256, matvec_groups, GRETA_TYPE_Q8A, 1, 2,
            matvec_refusal),
    MATVEC_SPLIT("matvec_split_rows", GRETA_TYPE_F32),
    MATVEC_SPLIT("matvec_split_rows_q8a", GRETA_TYPE_Q8A),
    WEIGHTS(MATVEC_GLU, "matvec_glu_rows", matvec_glu, matvec_glu_rows, 256, matvec_glu_groups,
            GRETA_TYPE_F32, 1, 1, matvec_refusal),
    WEIGHTS(MATVEC_GLU, "matvec_glu_rows_q8a", matvec_glu, matvec_glu_rows, 256, matvec_glu_groups,
            GRETA_TYPE_Q8A, 1, 1, matvec_refusal),
    WEIGHTS(MATVEC_QKV, "matvec_qkv_pairs", matvec_qkv, matvec_qkv_pairs, 256, matvec_qkv_groups,
            GRETA_TYPE_F32, 0, 0, matvec_refusal),
    WEIGHTS(MATVEC_QKV, "matvec_qkv_pairs_q8a", matvec_qkv, matvec_qkv_pairs, 256, matvec_qkv_groups,
            GRETA_TYPE_Q8A, 0, 0, matvec_refusal),
    /* By name: no product of many tokens has been shown to gain from it there. */
    {HIP_ROW(UNPACK, "unpack_pieces", unpack, unpack_pieces, 128, row_groups), .flags = VARIANT_FORCED_ONLY,
     .w_types = WEIGHT_QUANTS, .refusal = weight_refusal},
    WEIGHTS(MATMUL, "matmul_tiled", matmul, matmul_tiled, 256, matmul_groups, GRETA_TYPE_F32, 0, 0,
            weight_refusal),
    ATTN(ATTN, "attn_one", attn, attn_groups, 1),
    ATTN(ATTN, "attn_eight", attn, attn_groups, 8),
    ATTN(ATTN, "attn_four", attn, attn_groups, 4),
    ATTN_ANY(ATTN, attn_any, 1, 256, attn_any_groups),
    ATTN(ATTN_SPLIT, "attn_split_one", attn_split, attn_split_groups, 1),
    ATTN(ATTN_SPLIT, "attn_split_eight", attn_split, attn_split_groups, 8),
    ATTN(ATTN_SPLIT, "attn_split_four", attn_split, attn_split_groups, 4),
    ATTN_ANY(ATTN_SPLIT, attn_split_any, 1, 256, attn_split_any_groups),
    ROWS(RMS_NORM, rms_norm),
    ROWS(ADD_RMS_NORM, add_rms_norm),
    ROWS(ADD_RMS_NORM_QUANTIZE, add_rms_norm_quantize),
    ROWS(LAYER_NORM, layer_norm),
    ROWS(LAYER_RMS_NORM, layer_rms_norm),
    ROWS(SOFTMAX, softmax),
    ROWS(ROW_SUM, row_sum),
    ROWS(ROW_MAX, row_max),
    ROW(CAUSAL_MASK, causal_mask_rows, causal_mask, 256, row_groups),
    ROW(ARGMAX, argmax_rows, argmax, 1024, row_groups),
    ROW(TOP_K, top_k_radix, top_k, 1024, row_groups),
    ROW(QUANTIZE, quantize_simple, quantize, 256, quantize_groups),
    ROW(ROPE, rope_simple, rope, 256, rope_groups),
    ROW(KV_UPDATE, kv_update_simple, kv_update, 256, kv_update_groups),
    {HIP_ROW(ROPE_KV, "rope_kv_heads", rope_kv, rope_kv_heads, 64, rope_kv_groups), .flags = VARIANT_EXACT,
     .extras = ALL_EXTRAS, .refusal = rope_kv_refusal},
    ROW(ATTN_REDUCE, attn_reduce_simple, attn_reduce, 128, attn_reduce_groups),
    ATTN_ANY(ATTN_REDUCE, attn_reduce_any, 0, 128, attn_reduce_groups),
    ROW(ACT_MUL, act_mul_simple, act_mul, 256, element_groups),
    ROW(ADD, add_simple, add, 256, element_groups),
    ROW(BIAS_ADD, bias_add_simple, bias_add, 256, bias_add_groups),
    ROW(SCALE, scale_simple, scale, 256, element_groups),
    ROW(SOFTCAP, softcap_simple, softcap, 256, element_groups),
    ROW(FILL, fill_simple, fill, 256, element_groups),
    ROW(COPY, copy_simple, copy, 256, element_groups),
    ROW(CAST, cast_simple, cast, 256, element_groups),
};

struct variant_rows variant_rows_hip(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
