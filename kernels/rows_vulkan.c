/*
 * The rows of the Vulkan backend: shaders/<op>_<schedule>.comp with their constants, conditions and grids. In order of
 * preference within each op; the last row of an op takes every shape. Here: weights times a vector, positions, caches, elements; in
 * the other rows_vulkan_*.c: matmul, attention, norms and reductions, GEMM, products of bytes.
 */
#include "rows_vulkan.h"

#include <greta/layout.h>

#include "spirv_images.h"
#include "weight_types.h"

/* ---- conditions ---- */

const char vulkan_no_16bit[] = "the device cannot store 16-bit values";

const char *vulkan_needs_16bit(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    (void)v, (void)call;
    return limits->has_16bit_storage ? NULL : vulkan_no_16bit;
}

/* A Q8_0 cache is written and read in words. */
static const char *kv_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                              const struct greta_call *call) {
    uint32_t i = call->op == GRETA_OP_KV_UPDATE ? 2 : 8;
    if (op_extras(call) & EXTRA_KV_Q8_0 && !(is_aligned(call, i, 16) && is_aligned(call, i + 1, 16)))
        return "a cache does not begin at a multiple of 16 bytes";
    return vulkan_needs_16bit(v, limits, call);
}

static const char *rope_kv_heads_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                         const struct greta_call *call) {
    return call->scalars.rope_kv.head_dim > 256 ? "head_dim is more than 256" : kv_refusal(v, limits, call);
}

const char *vulkan_weight_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    (void)v;
    if (!limits->has_16bit_storage) return vulkan_no_16bit;
    return is_aligned(call, 0, 16) ? NULL : "the weight does not begin at a multiple of 16 bytes";
}

/*
 * Of the 128 registers that RADV of Mesa 22.3 gives an invocation on RDNA3, by docs/en/rdna3.md, addresses and what is being decoded take
 * up to 16.
 */
enum { LOAD_REGISTERS = 128 - 16 };
const char vulkan_many_loads[] =
    "it has more loaded at once than registers hold on RDNA3, and what goes to memory is slow";

/* Of packed_scale in decode.glsl. */
static uint32_t scale_words(uint32_t format) {
    uint32_t unit_bytes = GRETA_FORMAT_UNIT_BYTES(format), super_bytes = GRETA_FORMAT_SUPER_BYTES(format);
    return (unit_bytes > 0) + (unit_bytes == 1 && !super_bytes) + (super_bytes + 3) / 4;
}

/* Of packed_chunk: LOW bytes of it, at least a word, and a word that has its high bits. */
uint32_t vulkan_chunk_words(uint32_t type) {
    uint32_t format = GRETA_WEIGHT_FORMAT(type);
    return (GRETA_FORMAT_LOW(format) + 3) / 4 + (GRETA_FORMAT_HIGH(format) > 0) + scale_words(format);
}

bool vulkan_loads_fit(uint32_t type, uint32_t n_rows, uint32_t n_steps, uint32_t x_words) {
    return n_steps * (n_rows * vulkan_chunk_words(type) + x_words) + n_rows <= LOAD_REGISTERS;
}

/*
 * Where a driver limits the sums, which is RADV: of the 256 registers that Mesa 25.0 gives, 64 are eight sums, as many may be pieces of the
 * operands, and what is decoded at once takes the most of the rest.
 */
bool vulkan_matrix_loads_fit(const struct greta_limits *limits, uint32_t n_words) {
    enum { MATRIX_LOAD_REGISTERS = 52 };
    return !limits->max_matrix_sums || n_words <= MATRIX_LOAD_REGISTERS;
}

/* By whole units (decode_unit.glsl): besides its sum a row has a product of half of a unit. x comes from LDS, by eights. */
static bool units_fit(uint32_t type, uint32_t n_rows) {
    uint32_t format = GRETA_WEIGHT_FORMAT(type),
             words = GRETA_FORMAT_LOW(format) + GRETA_FORMAT_HIGH(format) + scale_words(format);
    return n_rows * (words + 2) + 8 <= LOAD_REGISTERS;
}

const char *vulkan_unit_refusal(const struct greta_limits *limits, const uint32_t mnk[3], uint8_t component) {
    bool found = false, bf16 = component == GRETA_COMPONENT_BF16;
    for (uint32_t i = 0; i < limits->n_matrix_ops; i++) {
        const struct greta_matrix_op *op = &limits->matrix_ops[i];
        found |= op->m == mnk[0] && op->n == mnk[1] && op->k == mnk[2] && op->type_ab == component &&
                 op->type_cd == GRETA_COMPONENT_F32;
    }
    if (!found)
        return bf16 ? "the device has no matrix unit of its size for bf16 with f32 sums"
                    : "the device has no matrix unit of its size for f16 with f32 sums";
    if (bf16 ? !limits->has_bf16 : !limits->has_f16)
        return bf16 ? "the device has no bf16 arithmetic" : "the device has no f16 arithmetic";
    return NULL;
}

/* Tunables of matvec_rows.comp: rows of a workgroup, chunks under way, x aligned, by whole units. */
enum { MATVEC_ROWS, MATVEC_STEPS, MATVEC_ALIGNED, MATVEC_UNITS };
/* That decode_unit.glsl reads. */
enum { UNIT_WEIGHTS = VULKAN_WEIGHTS & ~WEIGHT_FLOATS };

/* Of matvec and the fused ones. */
static uint32_t matvec_cols(const struct greta_call *call) {
    return call->op == GRETA_OP_MATVEC_QKV ? call->scalars.matvec_qkv.n_cols : call->scalars.matvec.n_cols;
}

/* Of the rows of n_weights weights; a norm's weights come beside x. */
static bool matvec_fits(const struct greta_variant *v, const struct greta_call *call, uint32_t n_weights,
                        uint32_t type) {
    uint32_t n_rows = n_weights * v->tunables[MATVEC_ROWS], x_words = op_extras(call) & EXTRA_NORM ? 16 : 8;
    return v->tunables[MATVEC_UNITS] ? units_fit(type, n_rows)
                                     : vulkan_loads_fit(type, n_rows, v->tunables[MATVEC_STEPS], x_words);
}

static const char *matvec_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    bool glu = call->op == GRETA_OP_MATVEC_GLU, qkv = call->op == GRETA_OP_MATVEC_QKV;
    unsigned n_weights = qkv ? 3 : glu ? 2 : 1;
    if (v->tunables[MATVEC_ALIGNED]) {
        if (matvec_cols(call) % 8) return "n_cols is no multiple of 8";
        if (!is_aligned(call, n_weights, 16)) return "x does not begin at a multiple of 16 bytes";
        if (op_extras(call) & EXTRA_NORM && !is_aligned(call, n_weights + 1, 16))
            return "norm does not begin at a multiple of 16 bytes";
    }
    if (v->tunables[MATVEC_UNITS] && qkv && !(UNIT_WEIGHTS >> call->keys[1] & 1))
        return "the weight of v is not quantized";
    /* A workgroup has rows of q, k or v alone. */
    if (!matvec_fits(v, call, glu ? 2 : 1, call->keys[0]) || (qkv && !matvec_fits(v, call, 1, call->keys[1])))
        return vulkan_many_loads;
    for (unsigned i = 1; i < n_weights; i++)
        if (!is_aligned(call, i, 16)) return "a weight does not begin at a multiple of 16 bytes";
    return vulkan_weight_refusal(v, limits, call);
}

/* Rows with a large workgroup are for pieces that fill it. */
static const char *split_wide_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                     const struct greta_call *call) {
    const struct greta_scalars_matvec_split *s = &call->scalars.matvec_split;
    (void)limits;
    return s->n_cols / s->n_split < 8 * v->n_threads ? "its pieces are too small to fill its workgroups"
                                                     : NULL;
}

/* Rows with a large workgroup are for rows that fill it. */
static const char *matvec_wide_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                      const struct greta_call *call) {
    (void)limits;
    return matvec_cols(call) < 16 * v->n_threads ? "n_cols is too small to fill its workgroups" : NULL;
}

/*
 * The norm inside a fused matvec saves a dispatch, but every workgroup sums the squares and reads the norm's weights again: on a large
 * GPU, with its thousands of workgroups, that costs more than it saves, and so on a CPU (docs/tried.md).
 */
static const char *fused_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    (void)v;
    return op_extras(call) & EXTRA_NORM && (limits->is_cpu || limits->n_compute_units > 32)
               ? "the norm is faster on its own on a device of this kind"
               : NULL;
}

static const char *fused_wide_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                     const struct greta_call *call) {
    const char *unwise = fused_unwise(v, limits, call);
    return unwise ? unwise : matvec_wide_unwise(v, limits, call);
}

/*
 * Whole units are for GPUs with invocations to spare, and for matrices that fill them: measured on an H200 (docs/tried.md). There a norm
 * costs them less than a dispatch of its own, because x passes through LDS anyway; chunks of Q8_0 are wide loads already.
 */
static const char *unit_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    if (limits->is_cpu || limits->n_compute_units <= 32) return "whole units are for larger GPUs";
    if (call->keys[0] == GRETA_TYPE_Q8_0 && call->op != GRETA_OP_MATVEC_QKV)
        return "its chunks are wide loads already";
    if (matvec_cols(call) < 32 * v->n_threads) return "n_cols is too small to fill its workgroups";
    return v->n_groups(v, limits, call) < 2 * (uint64_t)limits->n_compute_units
               ? "n_rows is too small to fill the device"
               : NULL;
}

enum { UNPACK_ALIGNED }; /* the tunable of unpack_simple.comp */

static const char *unpack_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    if (v->tunables[UNPACK_ALIGNED] && !is_aligned(call, 1, 16))
        return "y does not begin at a multiple of 16 bytes";
    return vulkan_weight_refusal(v, limits, call);
}

/* Memory goes to and fro three times for what matrix units save: only where both are fast. */
static const char *unpack_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    (void)v, (void)call;
    return limits->is_cpu || !limits->n_matrix_ops || limits->n_compute_units <= 32
               ? "products that decode weights are faster on a GPU of this size"
               : NULL;
}

/* ---- grids ---- */

GROUPS(row_lookup_groups, s->row_lookup.n_ids)
GROUPS(unpack_groups, div_up((uint64_t)s->unpack.n_rows *(s->unpack.n_cols / 8), v->n_threads))
GROUPS(rope_groups, div_up((uint64_t)s->rope.n_tok * s->rope.n_head * (s->rope.n_rot / 2), v->n_threads))
GROUPS(kv_update_groups, div_up((uint64_t)s->kv_update.n_tok * s->kv_update.n_cols,
                                (uint64_t)v->n_threads *(call->keys[0] == GRETA_TYPE_Q8_0 ? 32 : 1)))
GROUPS(rope_kv_heads_groups, s->rope_kv.n_tok *(s->rope_kv.n_head + 2 * (uint64_t)s->rope_kv.n_head_kv))
GROUPS(rope_kv_groups, div_up(div_up(s->rope_kv.head_dim, 2) * s->rope_kv.n_tok *
                                  (s->rope_kv.n_head + 2 * (uint64_t)s->rope_kv.n_head_kv),
                              v->n_threads))
GROUPS(matvec_groups, div_up(s->matvec.n_rows, v->tunables[MATVEC_ROWS]))
GROUPS(matvec_split_groups,
       div_up(s->matvec_split.n_rows, v->tunables[MATVEC_ROWS]) * s->matvec_split.n_split)
GROUPS(matvec_glu_groups, div_up(s->matvec_glu.n_rows, v->tunables[MATVEC_ROWS]))
GROUPS(matvec_qkv_groups,
       div_up((uint64_t)s->matvec_qkv.n_head * s->matvec_qkv.head_dim, v->tunables[MATVEC_ROWS]) +
           2 * div_up((uint64_t)s->matvec_qkv.n_head_kv * s->matvec_qkv.head_dim, v->tunables[MATVEC_ROWS]))
GROUPS(act_mul_groups, div_up(s->act_mul.n, v->n_threads))
GROUPS(add_groups, div_up(s->add.n, v->n_threads))
GROUPS(bias_add_groups, div_up((uint64_t)s->bias_add.n_rows * s->bias_add.n_cols, v->n_threads))
GROUPS(scale_groups, div_up(s->scale.n, v->n_threads))
GROUPS(softcap_groups, div_up(s->softcap.n, v->n_threads))
GROUPS(fill_groups, div_up(s->fill.n, v->n_threads))
GROUPS(copy_groups, div_up(s->copy.n, v->n_threads))
GROUPS(cast_groups, div_up(s->cast.n, v->n_threads))

/* ---- the table ---- */

#define MATVEC_LIKE(OP_, op_, params_, extras_, units_, name_, flags_, types_, threads_, rows_, steps_,    \
                    aligned_, unwise_)                                                                     \
    {                                                                                                      \
        .name = name_, .op = GRETA_OP_##OP_, .format = GRETA_IMAGE_SPIRV,                                  \
        .image = &greta_spirv_##op_##_rows, .entry = "main", .flags = VARIANT_EXACT | flags_,              \
        .n_threads = threads_, .n_groups = op_##_groups, .layout = GRETA_LAYOUT_PACKED, .w_types = types_, \
        .extras = extras_, .x_type = GRETA_TYPE_F32, .refusal = matvec_refusal, .unwise = unwise_,         \
        PARAMS(params_), .n_tunables = 4, .tunables = {                                                    \
            rows_,                                                                                         \
            steps_,                                                                                        \
            aligned_,                                                                                      \
            units_                                                                                         \
        }                                                                                                  \
    }
enum {
    GLU_EXTRAS = EXTRA_GELU | EXTRA_NORM,
    QKV_EXTRAS = EXTRA_NORM | EXTRA_BIAS | EXTRA_HALVES | EXTRA_V_TYPE
};
#define MATVEC(...) MATVEC_LIKE(MATVEC, matvec, matvec_params, EXTRA_ADD, 0, __VA_ARGS__)
#define MATVEC_SPLIT(...) MATVEC_LIKE(MATVEC_SPLIT, matvec_split, matvec_params, EXTRA_ADD, 0, __VA_ARGS__)
#define MATVEC_GLU(...) MATVEC_LIKE(MATVEC_GLU, matvec_glu, matvec_params, GLU_EXTRAS, 0, __VA_ARGS__)
#define MATVEC_QKV(...) MATVEC_LIKE(MATVEC_QKV, matvec_qkv, matvec_qkv_params, QKV_EXTRAS, 0, __VA_ARGS__)
#define UNITS(OP_, op_, extras_, threads_, rows_)                                                         \
    MATVEC_LIKE(OP_, op_, unit_params, extras_, 1, #op_ "_units", 0, UNIT_WEIGHTS, threads_, rows_, 1, 1, \
                unit_unwise)
#define UNPACK(name_, aligned_)                                                                            \
    {                                                                                                      \
        .name = name_, .op = GRETA_OP_UNPACK, .format = GRETA_IMAGE_SPIRV,                                 \
        .image = &greta_spirv_unpack_simple, .entry = "main", .n_threads = 256, .n_groups = unpack_groups, \
        .layout = GRETA_LAYOUT_PACKED, .w_types = UNIT_WEIGHTS, .refusal = unpack_refusal,                 \
        .unwise = unpack_unwise, .n_tunables = 1, .tunables = {                                            \
            aligned_                                                                                       \
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

static const struct variant_param unit_params[] = {{"threads", VARIANT_PARAM_THREADS, {32, 64, 128}},
                                                   {"rows", MATVEC_ROWS, {2, 4, 8}}};

static const struct greta_variant rows[] = {
    WEIGHT_ROW(ROW_LOOKUP, row_lookup_simple, 64, row_lookup_groups),
    UNPACK("unpack_simple", 1),
    UNPACK("unpack_any", 0),
    PLAIN_ROW(ROPE, rope_simple, 64, rope_groups, NULL),
    PLAIN_ROW_X(KV_UPDATE, kv_update_simple, EXTRA_KV_Q8_0, 64, kv_update_groups, kv_refusal),
    PLAIN_ROW(ROPE_KV, rope_kv_simple, 64, rope_kv_groups, vulkan_needs_16bit),
    PLAIN_ROW_X(ROPE_KV, rope_kv_heads, EXTRA_NORM | EXTRA_BIAS | EXTRA_KV_Q8_0, 64, rope_kv_heads_groups,
                rope_kv_heads_refusal),
    /* The wide ones differ in threads, rows and steps; which is best was measured on an H200 (docs/tried.md). */
    MATVEC("matvec_wide_f16", 0, WEIGHT_FLOATS, 256, 2, 2, 1, matvec_wide_unwise),
    UNITS(MATVEC, matvec, EXTRA_ADD, 64, 8),
    MATVEC("matvec_wide", 0, VULKAN_WEIGHTS, 128, 2, 2, 1, matvec_wide_unwise),
    MATVEC("matvec_narrow", 0, VULKAN_WEIGHTS, 64, 2, 1, 1, NULL),
    MATVEC("matvec_any", 0, VULKAN_WEIGHTS, 64, 2, 1, 0, NULL),
    MATVEC("matvec_128_4_2", VARIANT_FORCED_ONLY, VULKAN_WEIGHTS, 128, 4, 2, 1, matvec_wide_unwise),
    MATVEC("matvec_128_8_1", VARIANT_FORCED_ONLY, VULKAN_WEIGHTS, 128, 8, 1, 1, matvec_wide_unwise),
    MATVEC("matvec_64_4_2", VARIANT_FORCED_ONLY, VULKAN_WEIGHTS, 64, 4, 2, 1, matvec_wide_unwise),
    MATVEC("matvec_256_4_1", VARIANT_FORCED_ONLY, VULKAN_WEIGHTS, 256, 4, 1, 1, matvec_wide_unwise),
    MATVEC_SPLIT("matvec_split_wide", 0, VULKAN_WEIGHTS, 128, 2, 2, 1, split_wide_unwise),
    MATVEC_SPLIT("matvec_split_narrow", 0, VULKAN_WEIGHTS, 64, 2, 1, 1, NULL),
    MATVEC_SPLIT("matvec_split_any", 0, VULKAN_WEIGHTS, 64, 2, 1, 0, NULL),
    /* Half the rows of each weight: as many loads under way as in the matvec that is best for the type. */
    MATVEC_GLU("matvec_glu_wide_f16", 0, WEIGHT_FLOATS, 256, 1, 2, 1, fused_wide_unwise),
    UNITS(MATVEC_GLU, matvec_glu, GLU_EXTRAS, 32, 4),
    MATVEC_GLU("matvec_glu_wide", 0, VULKAN_WEIGHTS, 128, 1, 2, 1, fused_wide_unwise),
    MATVEC_GLU("matvec_glu_narrow", 0, VULKAN_WEIGHTS, 64, 1, 1, 1, fused_unwise),
    MATVEC_GLU("matvec_glu_any", 0, VULKAN_WEIGHTS, 64, 1, 1, 0, fused_unwise),
    MATVEC_GLU("matvec_glu_128_2_2", VARIANT_FORCED_ONLY, VULKAN_WEIGHTS, 128, 2, 2, 1, fused_wide_unwise),
    MATVEC_GLU("matvec_glu_128_4_1", VARIANT_FORCED_ONLY, VULKAN_WEIGHTS, 128, 4, 1, 1, fused_wide_unwise),
    /* Rows are even in number: pairs are rotated. */
    MATVEC_QKV("matvec_qkv_wide_f16", 0, WEIGHT_FLOATS, 256, 2, 2, 1, fused_wide_unwise),
    UNITS(MATVEC_QKV, matvec_qkv, QKV_EXTRAS, 32, 8),
    MATVEC_QKV("matvec_qkv_wide", 0, VULKAN_WEIGHTS, 128, 2, 2, 1, fused_wide_unwise),
    MATVEC_QKV("matvec_qkv_narrow", 0, VULKAN_WEIGHTS, 64, 2, 1, 1, fused_unwise),
    MATVEC_QKV("matvec_qkv_any", 0, VULKAN_WEIGHTS, 64, 2, 1, 0, fused_unwise),
    MATVEC_QKV("matvec_qkv_128_4_2", VARIANT_FORCED_ONLY, VULKAN_WEIGHTS, 128, 4, 2, 1, fused_wide_unwise),
    PLAIN_ROW_X(ACT_MUL, act_mul_simple, EXTRA_GELU, 256, act_mul_groups, NULL),
    PLAIN_ROW(ADD, add_simple, 256, add_groups, NULL),
    PLAIN_ROW(BIAS_ADD, bias_add_simple, 256, bias_add_groups, NULL),
    PLAIN_ROW(SCALE, scale_simple, 256, scale_groups, NULL),
    PLAIN_ROW(SOFTCAP, softcap_simple, 256, softcap_groups, NULL),
    PLAIN_ROW(FILL, fill_simple, 256, fill_groups, NULL),
    PLAIN_ROW(COPY, copy_simple, 256, copy_groups, NULL),
    PLAIN_ROW(CAST, cast_simple, 256, cast_groups, vulkan_needs_16bit),
};

struct variant_rows variant_rows_vulkan(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
