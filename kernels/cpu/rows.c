/*
 * The cpu backend's rows: which host function serves which op and type, and into how many groups a dispatch
 * is cut.
 */
#include "../codebook.h"
#include "cpu.h"

#include <stddef.h>

#define ENTRY(op, suffix) \
    { #op "_" #suffix, cpu_##op##_##suffix }
#ifdef CPU_X86
#define VECTOR_ENTRIES(isa)                                                                                \
    ENTRY(matvec, isa), ENTRY(matvec_q8a, isa), ENTRY(matmul, isa), ENTRY(matmul_q8a, isa),                \
        ENTRY(attn, isa), ENTRY(attn_split, isa), ENTRY(rms_norm, isa), ENTRY(add_rms_norm, isa),          \
        ENTRY(rope, isa), ENTRY(kv_update, isa), ENTRY(act_mul, isa), ENTRY(add, isa), ENTRY(argmax, isa), \
        ENTRY(cast, isa), ENTRY(quantize, isa), ENTRY(top_k, isa), ENTRY(rope_kv, isa),                    \
        ENTRY(matvec_glu, isa), ENTRY(matvec_glu_q8a, isa), ENTRY(matvec_qkv, isa),                        \
        ENTRY(matvec_qkv_q8a, isa), ENTRY(add_rms_norm_quantize, isa), ENTRY(softcap, isa),
#else
#define VECTOR_ENTRIES(isa)
#endif
static const struct greta_host_entry entries[] = {
    VECTOR_ENTRIES(avx512) VECTOR_ENTRIES(avx2) /* */
    ENTRY(row_lookup, plain),
    ENTRY(rms_norm, plain),
    ENTRY(add_rms_norm, plain),
    ENTRY(rope, plain),
    ENTRY(kv_update, plain),
    ENTRY(matvec, plain),
    ENTRY(matvec_q8a, plain),
    ENTRY(matmul, plain),
    ENTRY(matmul_q8a, plain),
    ENTRY(attn, plain),
    ENTRY(attn_split, plain),
    ENTRY(attn_reduce, plain),
    ENTRY(act_mul, plain),
    ENTRY(add, plain),
    ENTRY(argmax, plain),
    ENTRY(top_k, plain),
    ENTRY(fill, plain),
    ENTRY(copy, plain),
    ENTRY(cast, plain),
    ENTRY(quantize, plain),
    ENTRY(rope_kv, plain),
    ENTRY(matvec_glu, plain),
    ENTRY(matvec_glu_q8a, plain),
    ENTRY(matvec_qkv, plain),
    ENTRY(matvec_qkv_q8a, plain),
    ENTRY(add_rms_norm_quantize, plain),
    ENTRY(bias_add, plain),
    ENTRY(scale, plain),
    ENTRY(softcap, plain),
};
static const struct greta_image image = {GRETA_IMAGE_HOST, entries, sizeof entries, "cpu kernels"};

/* ---- groups ---- */

static uint64_t matvec_groups(const struct greta_variant *v, const struct greta_limits *limits,
                              const struct greta_call *call) {
    const struct greta_scalars_matvec *s = &call->scalars.matvec;
    (void)v;
    return cpu_groups_for(limits, (uint64_t)s->n_rows * s->n_cols, GRETA_DIV_UP((uint64_t)s->n_rows, 16));
}

static uint64_t matvec_glu_groups(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    const struct greta_scalars_matvec_glu *s = &call->scalars.matvec_glu;
    (void)v;
    return cpu_groups_for(limits, 2 * (uint64_t)s->n_rows * s->n_cols, GRETA_DIV_UP((uint64_t)s->n_rows, 16));
}

static uint64_t matvec_qkv_groups(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    const struct greta_scalars_matvec_qkv *s = &call->scalars.matvec_qkv;
    uint64_t n_rows = ((uint64_t)s->n_head + 2 * (uint64_t)s->n_head_kv) * s->head_dim;
    (void)v;
    return cpu_groups_for(limits, n_rows * s->n_cols, GRETA_DIV_UP(n_rows, 16));
}

static uint64_t matmul_groups(const struct greta_variant *v, const struct greta_limits *limits,
                              const struct greta_call *call) {
    const struct greta_scalars_matmul *s = &call->scalars.matmul;
    (void)v;
    return cpu_groups_for(limits, (uint64_t)s->n_tok * s->n_rows * s->n_cols,
                          GRETA_DIV_UP((uint64_t)s->n_rows, 16));
}

/*
 * The count must serve every position up to n_ctx. In decode the heads that share keys should stay together: one group per
 * thread.
 */
static uint64_t attn_groups(const struct greta_variant *v, const struct greta_limits *limits,
                            const struct greta_call *call) {
    const struct greta_scalars_attn *s = &call->scalars.attn;
    (void)v;
    uint64_t n_items = (uint64_t)s->n_tok * s->n_head, n_threads = limits->n_compute_units;
    uint64_t n = cpu_groups_for(limits, n_items * s->n_ctx * call->keys[1], n_items);
    return s->n_tok == 1 && n > n_threads && n_threads ? n_threads : n;
}

static uint64_t attn_split_groups(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    const struct greta_scalars_attn_split *s = &call->scalars.attn_split;
    (void)v;
    uint64_t n_items = (uint64_t)s->n_head * s->n_split;
    return cpu_groups_for(limits, n_items * GRETA_ATTN_CHUNK * call->keys[1], n_items);
}

static uint64_t attn_reduce_groups(const struct greta_variant *v, const struct greta_limits *limits,
                                   const struct greta_call *call) {
    const struct greta_scalars_attn_reduce *s = &call->scalars.attn_reduce;
    (void)v;
    return cpu_groups_for(limits, (uint64_t)s->n_head * s->n_split * call->keys[0], s->n_head);
}

/* Rows of activations, one pass over each. The scalars of these ops differ: `n_rows` and `n_cols` by op. */
static uint64_t row_groups(const struct greta_variant *v, const struct greta_limits *limits,
                           const struct greta_call *call) {
    const union greta_scalars *s = &call->scalars;
    uint64_t n_rows, n_cols;
    switch (v->op) {
    case GRETA_OP_ROW_LOOKUP: n_rows = s->row_lookup.n_ids, n_cols = s->row_lookup.n_cols; break;
    case GRETA_OP_ROPE: n_rows = (uint64_t)s->rope.n_tok * s->rope.n_head, n_cols = s->rope.head_dim; break;
    case GRETA_OP_ROPE_KV:
        n_rows = s->rope_kv.n_tok * ((uint64_t)s->rope_kv.n_head + 2 * (uint64_t)s->rope_kv.n_head_kv);
        n_cols = s->rope_kv.head_dim;
        break;
    case GRETA_OP_KV_UPDATE: n_rows = s->kv_update.n_tok, n_cols = s->kv_update.n_cols; break;
    default:
        n_rows = s->u32[0], n_cols = s->u32[1];
        break; /* rms_norm and the like, argmax, top_k, quantize, bias_add */
    }
    return cpu_groups_for(limits, n_rows * n_cols, n_rows);
}

static uint64_t element_groups(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    uint64_t n = call->scalars.u32[0];
    (void)v;
    return cpu_groups_for(limits, n, GRETA_DIV_UP(n, 16));
}

/* ---- conditions ---- */

static bool is_float_type(uint32_t type) {
    return type == GRETA_TYPE_F32 || type == GRETA_TYPE_F16 || type == GRETA_TYPE_BF16;
}

/* Rows of quantized weights are whole blocks. */
static const char *refuse_cols(const struct greta_call *call, uint32_t n_cols) {
    const struct greta_type_info *info = greta_type_get_info(call->keys[0]);
    return info && n_cols % info->block_elements ? "n_cols is no multiple of the weight type's block" : NULL;
}

static const char *refuse_plain(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    const union greta_scalars *s = &call->scalars;
    (void)limits;
    switch (v->op) {
    case GRETA_OP_ROW_LOOKUP: return refuse_cols(call, s->row_lookup.n_cols);
    case GRETA_OP_MATVEC: return refuse_cols(call, s->matvec.n_cols);
    case GRETA_OP_MATVEC_GLU: return refuse_cols(call, s->matvec_glu.n_cols);
    case GRETA_OP_MATVEC_QKV:
        if (call->keys[4] == 1 && s->matvec_qkv.head_dim > CPU_MAX_HEAD_DIM)
            return "head_dim is more than 256";
        return refuse_cols(call, s->matvec_qkv.n_cols);
    case GRETA_OP_MATMUL: return refuse_cols(call, s->matmul.n_cols);
    case GRETA_OP_ROPE:
        if (s->rope.n_rot > s->rope.head_dim || s->rope.n_rot % 2)
            return "n_rot is odd or more than head_dim";
        return call->keys[0] > 1 ? "mode is neither 0 nor 1" : NULL;
    case GRETA_OP_ROPE_KV: return s->rope_kv.head_dim > CPU_MAX_HEAD_DIM ? "head_dim is more than 256" : NULL;
    case GRETA_OP_ATTN:
    case GRETA_OP_ATTN_SPLIT: return call->keys[1] > CPU_MAX_HEAD_DIM ? "head_dim is more than 256" : NULL;
    case GRETA_OP_ATTN_REDUCE: return call->keys[0] > CPU_MAX_HEAD_DIM ? "head_dim is more than 256" : NULL;
    case GRETA_OP_CAST:
        return is_float_type(call->keys[0]) && is_float_type(call->keys[1])
                   ? NULL
                   : "x_type or y_type is none of F32, F16, BF16";
    case GRETA_OP_TOP_K: return s->top_k.k > s->top_k.n_cols ? "k is more than n_cols" : NULL;
    default: return NULL;
    }
}

#ifdef CPU_X86

static const char *refuse_avx2(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    return cpu_has_avx2() ? refuse_plain(v, limits, call) : "this CPU lacks AVX2 or FMA";
}

static const char *refuse_avx512(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    return cpu_has_avx512() ? refuse_plain(v, limits, call) : "this CPU lacks AVX-512 F, BW, DQ, VL or VNNI";
}

#endif

/* ---- rows ---- */

enum {
    INTEGER_DOTS = WEIGHT_QUANTS | WEIGHT_CODEBOOKS, /* times activations of 8 bits */
    ALL_TYPES = (1 << GRETA_N_WEIGHT_TYPES) - 1
};

/* Named <op>[_q8a]_<isa>, as its entry. */
#define ROW(NAME, entry_name, flag_bits, types, extra_bits, activations, refuse, groups)         \
    {                                                                                            \
        .name = #entry_name, .op = GRETA_OP_##NAME, .format = GRETA_IMAGE_HOST, .image = &image, \
        .entry = #entry_name, .flags = flag_bits, .w_types = types, .x_type = activations,       \
        .extras = extra_bits, .layout = GRETA_LAYOUT_ROWS, .refusal = refuse, .n_groups = groups \
    }
#ifdef CPU_X86
#define VECTOR(NAME, name, flag_bits, types, extra_bits, activations, groups)                   \
    ROW(NAME, name##_avx512, flag_bits, types, extra_bits, activations, refuse_avx512, groups), \
        ROW(NAME, name##_avx2, flag_bits, types, extra_bits, activations, refuse_avx2, groups),
#else
#define VECTOR(NAME, name, flag_bits, types, extra_bits, activations, groups)
#endif
/* The best first: wide vectors, narrow ones, plain C. */
#define ROWS_X(NAME, name, flag_bits, types, extra_bits, activations, groups) \
    VECTOR(NAME, name, flag_bits, types, extra_bits, activations, groups)     \
    ROW(NAME, name##_plain, flag_bits, types, extra_bits, activations, refuse_plain, groups)
#define ROWS(NAME, name, flag_bits, types, activations, groups) \
    ROWS_X(NAME, name, flag_bits, types, 0, activations, groups)
#define PLAIN(NAME, name, types, groups) \
    ROW(NAME, name##_plain, VARIANT_EXACT, types, 0, GRETA_TYPE_F32, refuse_plain, groups)

/* Of the fused ops none norms its activations: every group would do it again. */
enum {
    QKV_EXTRAS = EXTRA_BIAS | EXTRA_HALVES | EXTRA_V_TYPE | EXTRA_KV_Q8_0,
    ATTN_EXTRAS = EXTRA_WINDOW | EXTRA_SOFTCAP | EXTRA_KV_Q8_0
};

static const struct greta_variant rows[] = {
    PLAIN(ROW_LOOKUP, row_lookup, ALL_TYPES, row_groups),
    ROWS(RMS_NORM, rms_norm, VARIANT_EXACT, 0, GRETA_TYPE_F32, row_groups),
    ROWS(ADD_RMS_NORM, add_rms_norm, VARIANT_EXACT, 0, GRETA_TYPE_F32, row_groups),
    ROWS(ROPE, rope, VARIANT_EXACT, 0, GRETA_TYPE_F32, row_groups),
    ROWS_X(KV_UPDATE, kv_update, VARIANT_EXACT, 0, EXTRA_KV_Q8_0, GRETA_TYPE_F32, row_groups),
    ROWS_X(MATVEC, matvec_q8a, 0, INTEGER_DOTS, EXTRA_ADD, GRETA_TYPE_Q8A, matvec_groups),
    ROWS_X(MATVEC, matvec, VARIANT_EXACT, ALL_TYPES, EXTRA_ADD, GRETA_TYPE_F32, matvec_groups),
    ROWS(MATMUL, matmul_q8a, 0, INTEGER_DOTS, GRETA_TYPE_Q8A, matmul_groups),
    ROWS(MATMUL, matmul, VARIANT_EXACT, ALL_TYPES, GRETA_TYPE_F32, matmul_groups),
    ROWS_X(ATTN, attn, VARIANT_EXACT, 0, ATTN_EXTRAS, GRETA_TYPE_F32, attn_groups),
    ROWS_X(ATTN_SPLIT, attn_split, VARIANT_EXACT, 0, ATTN_EXTRAS, GRETA_TYPE_F32, attn_split_groups),
    PLAIN(ATTN_REDUCE, attn_reduce, 0, attn_reduce_groups),
    ROWS_X(ACT_MUL, act_mul, VARIANT_EXACT, 0, EXTRA_GELU, GRETA_TYPE_F32, element_groups),
    ROWS(ADD, add, VARIANT_EXACT, 0, GRETA_TYPE_F32, element_groups),
    ROWS(ARGMAX, argmax, VARIANT_EXACT, 0, GRETA_TYPE_F32, row_groups),
    ROWS(TOP_K, top_k, VARIANT_EXACT, 0, GRETA_TYPE_F32, row_groups),
    PLAIN(FILL, fill, 0, element_groups),
    PLAIN(COPY, copy, 0, element_groups),
    ROWS(CAST, cast, VARIANT_EXACT, 0, GRETA_TYPE_F32, element_groups),
    ROWS(QUANTIZE, quantize, VARIANT_EXACT, 0, GRETA_TYPE_F32, row_groups),
    ROWS_X(MATVEC_GLU, matvec_glu_q8a, 0, INTEGER_DOTS, EXTRA_GELU, GRETA_TYPE_Q8A, matvec_glu_groups),
    ROWS_X(MATVEC_GLU, matvec_glu, VARIANT_EXACT, ALL_TYPES, EXTRA_GELU, GRETA_TYPE_F32, matvec_glu_groups),
    ROWS_X(MATVEC_QKV, matvec_qkv_q8a, 0, INTEGER_DOTS, QKV_EXTRAS, GRETA_TYPE_Q8A, matvec_qkv_groups),
    ROWS_X(MATVEC_QKV, matvec_qkv, VARIANT_EXACT, ALL_TYPES, QKV_EXTRAS, GRETA_TYPE_F32, matvec_qkv_groups),
    ROWS_X(ROPE_KV, rope_kv, VARIANT_EXACT, 0, EXTRA_NORM | EXTRA_BIAS | EXTRA_KV_Q8_0, GRETA_TYPE_F32,
           row_groups),
    ROWS(ADD_RMS_NORM_QUANTIZE, add_rms_norm_quantize, VARIANT_EXACT, 0, GRETA_TYPE_F32, row_groups),
    PLAIN(BIAS_ADD, bias_add, 0, row_groups),
    PLAIN(SCALE, scale, 0, element_groups),
    ROWS(SOFTCAP, softcap, VARIANT_EXACT, 0, GRETA_TYPE_F32, element_groups),
};

struct variant_rows variant_rows_cpu(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
