#include "shape.h"
#include "variant.h"

#include <greta/layout.h>

/* A product that stays at UINT64_MAX once it has overflowed. */
static uint64_t mul(uint64_t a, uint64_t b) {
    uint64_t product;
    return a == UINT64_MAX || b == UINT64_MAX || __builtin_mul_overflow(a, b, &product) ? UINT64_MAX
                                                                                        : product;
}

static uint64_t mul3(uint64_t a, uint64_t b, uint64_t c) {
    return mul(mul(a, b), c);
}

/* Bytes of an element of a plain (not quantized) type, UINT64_MAX for any other. */
static uint64_t element_bytes(uint32_t type) {
    const struct greta_type_info *t = greta_type_get_info(type);
    return t && !t->quantized ? t->block_bytes : UINT64_MAX;
}

static uint64_t weight_bytes(const struct greta_call *call, uint32_t type, uint64_t n_rows, uint64_t n_cols) {
    uint64_t bytes = greta_layout_bytes(call->layout, type, n_rows, n_cols);
    return bytes || !n_rows || !n_cols ? bytes : UINT64_MAX;
}

static uint64_t activation_bytes(uint32_t x_type, uint64_t n_rows, uint64_t n_cols) {
    uint64_t row = greta_activation_row_bytes(x_type, n_cols);
    return row || !n_cols ? mul(row, n_rows) : UINT64_MAX;
}

/* A cache of n_ctx rows. */
static uint64_t kv_bytes(uint32_t type, uint64_t n_ctx, uint64_t n_cols) {
    if (n_cols > UINT32_MAX || (type != GRETA_TYPE_Q8_0 && element_bytes(type) == UINT64_MAX))
        return UINT64_MAX;
    return mul(n_ctx, GRETA_KV_ROW_BYTES(type, n_cols));
}

/* The bindings of each op, in its order; `i` is one of them. */
static uint64_t matrix_bytes(const struct greta_call *call, uint32_t i, uint64_t n_tok, uint64_t n_rows,
                             uint64_t n_cols) {
    if (i == 0) return weight_bytes(call, call->keys[0], n_rows, n_cols);
    return i == 1 ? activation_bytes(call->keys[1], n_tok, n_cols) : mul3(n_tok, n_rows, 4);
}

static uint64_t matvec_split_bytes(const struct greta_call *call, uint32_t i) {
    const struct greta_scalars_matvec_split *s = &call->scalars.matvec_split;
    if (i >= 3) return mul3(s->n_rows, i == 3 ? 1 : s->n_split, 4);
    return matrix_bytes(call, i, 1, s->n_rows, s->n_cols);
}

static uint64_t attn_bytes(const struct greta_call *call, uint32_t i) {
    const struct greta_scalars_attn *s = &call->scalars.attn;
    if (i == 1 || i == 2) return kv_bytes(call->keys[0], s->n_ctx, mul(s->n_head_kv, call->keys[1]));
    return i == 3 ? 16 : mul(mul3(s->n_tok, s->n_head, call->keys[1]), 4);
}

static uint64_t attn_split_bytes(const struct greta_call *call, uint32_t i) {
    const struct greta_scalars_attn_split *s = &call->scalars.attn_split;
    if (i == 0) return mul3(s->n_head, call->keys[1], 4);
    if (i <= 2) return kv_bytes(call->keys[0], s->n_ctx, mul(s->n_head_kv, call->keys[1]));
    return i == 3 ? 16 : mul(mul3(s->n_head, s->n_split, 2 + (uint64_t)call->keys[1]), 4);
}

static uint64_t attn_reduce_bytes(const struct greta_call *call, uint32_t i) {
    const struct greta_scalars_attn_reduce *s = &call->scalars.attn_reduce;
    if (i == 0) return mul(mul3(s->n_head, s->n_split, 2 + (uint64_t)call->keys[0]), 4);
    return i == 1 ? 16 : mul3(s->n_head, call->keys[0], 4);
}

/* Of q, k and v. */
static uint64_t bias_bytes(uint64_t n_head, uint64_t n_head_kv, uint64_t head_dim) {
    return mul3(n_head + 2 * n_head_kv, head_dim, 4);
}

static uint64_t rope_kv_bytes(const struct greta_call *call, uint32_t i) {
    const struct greta_scalars_rope_kv *s = &call->scalars.rope_kv;
    switch (i) {
    case 0: return mul(mul3(s->n_tok, s->n_head, s->head_dim), 4);
    case 1:
    case 2: return mul(mul3(s->n_tok, s->n_head_kv, s->head_dim), 4);
    case 3:
    case 4: return call->keys[2] ? mul(s->head_dim, 4) : 0;
    case 5: return call->keys[3] ? bias_bytes(s->n_head, s->n_head_kv, s->head_dim) : 0;
    case 6: return mul3(s->n_tok, s->n_rot / 2, 8);
    case 7: return 16;
    default: return kv_bytes(call->keys[1], s->n_ctx, mul(s->n_head_kv, s->head_dim));
    }
}

static uint64_t matvec_qkv_bytes(const struct greta_call *call, uint32_t i) {
    const struct greta_scalars_matvec_qkv *s = &call->scalars.matvec_qkv;
    uint64_t n_q = mul(s->n_head, s->head_dim), n_kv = mul(s->n_head_kv, s->head_dim);
    switch (i) {
    case 0:
    case 1: return weight_bytes(call, call->keys[0], i ? n_kv : n_q, s->n_cols);
    case 2: return weight_bytes(call, call->keys[1], n_kv, s->n_cols);
    case 3: return activation_bytes(call->keys[2], 1, s->n_cols);
    case 4: return call->keys[5] ? mul(s->n_cols, 4) : 0;
    case 5: return call->keys[6] ? bias_bytes(s->n_head, s->n_head_kv, s->head_dim) : 0;
    case 6: return mul(s->n_rot / 2, 8);
    case 7: return 16;
    case 8: return mul(n_q, 4);
    default: return kv_bytes(call->keys[3], s->n_ctx, n_kv);
    }
}

static uint64_t matvec_glu_bytes(const struct greta_call *call, uint32_t i) {
    const struct greta_scalars_matvec_glu *s = &call->scalars.matvec_glu;
    if (i <= 1) return weight_bytes(call, call->keys[0], s->n_rows, s->n_cols);
    if (i == 3) return call->keys[3] ? mul(s->n_cols, 4) : 0;
    return i == 2 ? activation_bytes(call->keys[1], 1, s->n_cols) : mul(s->n_rows, 4);
}

uint64_t greta_op_binding_bytes(const struct greta_call *call, uint32_t i) {
    const union greta_scalars *s = &call->scalars;
    switch (call->op) {
    case GRETA_OP_ROW_LOOKUP:
        if (i == 0) return weight_bytes(call, call->keys[0], s->row_lookup.n_rows, s->row_lookup.n_cols);
        return i == 1 ? mul(s->row_lookup.n_ids, 4) : mul3(s->row_lookup.n_ids, s->row_lookup.n_cols, 4);
    case GRETA_OP_RMS_NORM:
        return i == 1 ? mul(s->rms_norm.n_cols, 4) : mul3(s->rms_norm.n_rows, s->rms_norm.n_cols, 4);
    case GRETA_OP_ADD_RMS_NORM:
        return i == 2 ? mul(s->add_rms_norm.n_cols, 4)
                      : mul3(s->add_rms_norm.n_rows, s->add_rms_norm.n_cols, 4);
    case GRETA_OP_ROPE:
        if (i == 0) return mul(mul3(s->rope.n_tok, s->rope.n_head, s->rope.head_dim), 4);
        return i == 2 ? 16 : mul3(s->rope.n_tok, s->rope.n_rot / 2, 8);
    case GRETA_OP_KV_UPDATE:
        if (i < 2) return mul3(s->kv_update.n_tok, s->kv_update.n_cols, 4);
        return i == 4 ? 16 : kv_bytes(call->keys[0], s->kv_update.n_ctx, s->kv_update.n_cols);
    case GRETA_OP_ROPE_KV: return rope_kv_bytes(call, i);
    case GRETA_OP_MATVEC: return matrix_bytes(call, i, 1, s->matvec.n_rows, s->matvec.n_cols);
    case GRETA_OP_MATVEC_SPLIT: return matvec_split_bytes(call, i);
    case GRETA_OP_MATVEC_GLU: return matvec_glu_bytes(call, i);
    case GRETA_OP_MATVEC_QKV: return matvec_qkv_bytes(call, i);
    case GRETA_OP_MATMUL: return matrix_bytes(call, i, s->matmul.n_tok, s->matmul.n_rows, s->matmul.n_cols);
    case GRETA_OP_ATTN: return attn_bytes(call, i);
    case GRETA_OP_ATTN_SPLIT: return attn_split_bytes(call, i);
    case GRETA_OP_ATTN_REDUCE: return attn_reduce_bytes(call, i);
    case GRETA_OP_ACT_MUL: return mul(s->act_mul.n, 4);
    case GRETA_OP_ADD: return mul(s->add.n, 4);
    case GRETA_OP_ARGMAX: return i ? mul(s->argmax.n_rows, 4) : mul3(s->argmax.n_rows, s->argmax.n_cols, 4);
    case GRETA_OP_TOP_K: return mul3(s->top_k.n_rows, i ? s->top_k.k : s->top_k.n_cols, 4);
    case GRETA_OP_FILL: return mul(s->fill.n, 4);
    case GRETA_OP_COPY: return mul(s->copy.n, 4);
    case GRETA_OP_CAST: return mul(s->cast.n, element_bytes(call->keys[i]));
    case GRETA_OP_UNPACK:
        if (i == 0) return weight_bytes(call, call->keys[0], s->unpack.n_rows, s->unpack.n_cols);
        return mul3(s->unpack.n_rows, s->unpack.n_cols, 2);
    case GRETA_OP_ADD_RMS_NORM_QUANTIZE:
        if (i == 2) return mul(s->add_rms_norm_quantize.n_cols, 4);
        return activation_bytes(i == 3 ? GRETA_TYPE_Q8A : GRETA_TYPE_F32, s->add_rms_norm_quantize.n_rows,
                                s->add_rms_norm_quantize.n_cols);
    case GRETA_OP_BIAS_ADD: return mul3(i ? 1 : s->bias_add.n_rows, s->bias_add.n_cols, 4);
    case GRETA_OP_SCALE: return mul(s->scale.n, 4);
    case GRETA_OP_SOFTCAP: return mul(s->softcap.n, 4);
    case GRETA_OP_QUANTIZE:
        return activation_bytes(i ? GRETA_TYPE_Q8A : GRETA_TYPE_F32, s->quantize.n_rows, s->quantize.n_cols);
    case GRETA_OP_LAYER_NORM:
    case GRETA_OP_LAYER_RMS_NORM: /* the same scalars */
        return i == 0 || greta_op_get_info(call->op)->access[i] == GRETA_WRITE
                   ? mul3(s->layer_norm.n_rows, s->layer_norm.n_cols, 4)
                   : mul(s->layer_norm.n_cols, 4);
    case GRETA_OP_SOFTMAX: return mul3(s->softmax.n_rows, s->softmax.n_cols, 4);
    case GRETA_OP_CAUSAL_MASK: return mul3(s->causal_mask.n_rows, s->causal_mask.n_cols, 4);
    case GRETA_OP_ROW_SUM:
    case GRETA_OP_ROW_MAX:
        return i ? mul(s->row_sum.n_rows, 4) : mul3(s->row_sum.n_rows, s->row_sum.n_cols, 4);
    case GRETA_OP_GEMM:
        if (i == 2) return mul3(s->gemm.m, s->gemm.n, 4);
        return mul3(i ? s->gemm.n : s->gemm.m, s->gemm.k, element_bytes(call->keys[0]));
    default: return UINT64_MAX;
    }
}

static const char *heads_fault(uint32_t n_head, uint32_t n_head_kv, uint32_t head_dim) {
    if (!head_dim) return "head_dim is 0";
    return !n_head_kv || n_head % n_head_kv ? "n_head is no multiple of n_head_kv" : NULL;
}

static const char *weight_fault(const struct greta_call *call, uint32_t type, uint32_t n_cols) {
    const struct greta_type_info *t = type < GRETA_N_WEIGHT_TYPES ? greta_type_get_info(type) : NULL;
    if (!t) return "a weight's type is none";
    if ((unsigned)call->layout >= GRETA_N_LAYOUTS) return "the weight's layout is none";
    return n_cols % t->block_elements ? "n_cols is no multiple of the weight type's block" : NULL;
}

static const char *matrix_fault(const struct greta_call *call, uint32_t x_type, uint32_t n_cols) {
    bool f16 = x_type == GRETA_TYPE_F16 && call->op == GRETA_OP_MATMUL;
    if (x_type != GRETA_TYPE_F32 && x_type != GRETA_TYPE_Q8A && !f16) return "x_type is neither F32 nor Q8A";
    return weight_fault(call, call->keys[0], n_cols);
}

/* `width`: of a head, or of a row where heads are not known. */
static const char *kv_fault(uint32_t type, uint32_t width) {
    if (type == GRETA_TYPE_Q8_0) return width % 32 ? "with a Q8_0 cache a head is a multiple of 32" : NULL;
    return type != GRETA_TYPE_F32 && type != GRETA_TYPE_F16 ? "kv_type is none of F32, F16 and Q8_0" : NULL;
}

/* Keys that are 0 or 1. */
static const char *flag_fault(const struct greta_call *call, const char *name) {
    uint32_t i = op_find_key(call->op, name);
    return i != UINT32_MAX && call->keys[i] > 1 ? "a key that switches is neither 0 nor 1" : NULL;
}

static const char *flags_fault(const struct greta_call *call) {
    static const char *const names[] = {"norm", "add", "bias", "act"};
    const char *fault = NULL;
    for (unsigned i = 0; !fault && i < sizeof names / sizeof *names; i++) fault = flag_fault(call, names[i]);
    return fault;
}

static const char *cast_fault(const uint32_t *keys) {
    return keys[0] > GRETA_TYPE_BF16 || keys[1] > GRETA_TYPE_BF16 ? "cast serves F32, F16 and BF16" : NULL;
}

static const char *rope_fault(uint32_t n_rot, uint32_t head_dim, uint32_t mode) {
    if (!n_rot || n_rot % 2 || n_rot > head_dim) return "n_rot is 0, odd or more than head_dim";
    return mode > 1 ? "mode is neither 0 nor 1" : NULL;
}

static const char *matvec_qkv_fault(const struct greta_call *call) {
    const struct greta_scalars_matvec_qkv *s = &call->scalars.matvec_qkv;
    const char *fault = matrix_fault(call, call->keys[2], s->n_cols);
    if (!fault) fault = weight_fault(call, call->keys[1], s->n_cols);
    if (!fault) fault = rope_fault(s->n_rot, s->head_dim, call->keys[4]);
    if (!fault) fault = kv_fault(call->keys[3], s->head_dim);
    if (!fault && call->keys[5] && call->keys[2] != GRETA_TYPE_F32) fault = "norm 1 is for x_type F32";
    return fault ? fault : s->head_dim % 2 ? "head_dim is odd" : NULL;
}

static const char *top_k_fault(const struct greta_scalars_top_k *s) {
    return s->k < 1 || s->k > 128 || s->k > s->n_cols ? "k is not in 1 .. 128 and at most n_cols" : NULL;
}

static const char *gemm_fault(const struct greta_call *call) {
    uint32_t type = call->keys[0];
    if (type > GRETA_TYPE_BF16 && type != GRETA_TYPE_I8 && type != GRETA_TYPE_FP8)
        return "type is none of F32, F16, BF16, I8, FP8";
    if (call->keys[1] > GRETA_ORDER_COL || call->keys[2] > GRETA_ORDER_COL)
        return "an order is neither 0 (rows) nor 1 (columns)";
    return type == GRETA_TYPE_I8 && call->scalars.gemm.k >= 1 << 17 ? "k is 2^17 or more: sums of I8 overflow"
                                                                    : NULL;
}

const char *shape_fault(const struct greta_call *call) {
    const union greta_scalars *s = &call->scalars;
    const char *fault = (unsigned)call->op < GRETA_N_OPS ? flags_fault(call) : NULL;
    if (fault) return fault;
    switch (call->op) {
    case GRETA_OP_ROW_LOOKUP: return weight_fault(call, call->keys[0], s->row_lookup.n_cols);
    case GRETA_OP_UNPACK:
        if (call->keys[0] < GRETA_N_WEIGHT_TYPES && !greta_type_get_info(call->keys[0])->quantized)
            return "unpack serves quantized weights";
        return weight_fault(call, call->keys[0], s->unpack.n_cols);
    case GRETA_OP_ROPE: return rope_fault(s->rope.n_rot, s->rope.head_dim, call->keys[0]);
    case GRETA_OP_ROPE_KV:
        fault = rope_fault(s->rope_kv.n_rot, s->rope_kv.head_dim, call->keys[0]);
        return fault ? fault : kv_fault(call->keys[1], s->rope_kv.head_dim);
    case GRETA_OP_KV_UPDATE: return kv_fault(call->keys[0], s->kv_update.n_cols);
    case GRETA_OP_MATVEC: return matrix_fault(call, call->keys[1], s->matvec.n_cols);
    case GRETA_OP_MATVEC_SPLIT:
        if (s->matvec_split.n_split - 1 >= GRETA_MATVEC_MAX_SPLIT) return "n_split is not in 1 .. 32";
        return matrix_fault(call, call->keys[1], s->matvec_split.n_cols);
    case GRETA_OP_MATVEC_GLU:
        if (call->keys[3] && call->keys[1] != GRETA_TYPE_F32) return "norm 1 is for x_type F32";
        return matrix_fault(call, call->keys[1], s->matvec_glu.n_cols);
    case GRETA_OP_MATVEC_QKV: return matvec_qkv_fault(call);
    case GRETA_OP_MATMUL: return matrix_fault(call, call->keys[1], s->matmul.n_cols);
    case GRETA_OP_ATTN:
        fault = heads_fault(s->attn.n_head, s->attn.n_head_kv, call->keys[1]);
        return fault ? fault : kv_fault(call->keys[0], call->keys[1]);
    case GRETA_OP_ATTN_SPLIT:
        fault = heads_fault(s->attn_split.n_head, s->attn_split.n_head_kv, call->keys[1]);
        return fault ? fault : kv_fault(call->keys[0], call->keys[1]);
    case GRETA_OP_ATTN_REDUCE: return call->keys[0] ? NULL : "head_dim is 0";
    case GRETA_OP_TOP_K: return top_k_fault(&s->top_k);
    case GRETA_OP_ARGMAX: return s->argmax.n_cols ? NULL : "n_cols is 0";
    case GRETA_OP_CAST: return cast_fault(call->keys);
    case GRETA_OP_GEMM: return gemm_fault(call);
    default: return NULL;
    }
}
