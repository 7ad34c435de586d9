/* What the rows of both kinds of matrix units have in common (rows_hip_mfma.c, rows_hip_wmma.c): their kernels bring sides alike. */
#include "rows_hip.h"

static const char *unit_refusal(const struct greta_limits *limits, uint32_t type) {
    enum greta_component ab = type == GRETA_TYPE_F32    ? GRETA_COMPONENT_F32
                              : type == GRETA_TYPE_BF16 ? GRETA_COMPONENT_BF16
                              : type == GRETA_TYPE_I8   ? GRETA_COMPONENT_S8
                              : type == GRETA_TYPE_FP8  ? GRETA_COMPONENT_FP8
                                                        : GRETA_COMPONENT_F16;
    for (uint32_t i = 0; i < limits->n_matrix_ops; i++) {
        const struct greta_matrix_op *op = &limits->matrix_ops[i];
        if (op->m == 16 && op->n == 16 && op->type_ab == ab) return NULL;
    }
    return "the device has no matrix unit for the type";
}

/* bindings: a bit each. */
static const char *alignment_refusal(const struct greta_call *call, uint32_t bindings, const char *what) {
    for (unsigned i = 0; i < 8; i++)
        if (bindings >> i & 1 && !is_aligned(call, i, 16)) return what;
    return NULL;
}

const char *hip_gemm_refusal(const struct greta_limits *limits, const struct greta_call *call) {
    enum { TYPE, ORDER_A, ORDER_B };
    const struct greta_scalars_gemm *s = &call->scalars.gemm;
    uint32_t type = call->keys[TYPE];
    uint64_t bytes = type == GRETA_TYPE_F32 ? 4 : type == GRETA_TYPE_F16 || type == GRETA_TYPE_BF16 ? 2 : 1;
    const char *refusal = unit_refusal(limits, type);
    if (refusal) return refusal;
    if ((call->keys[ORDER_A] == GRETA_ORDER_ROW ? s->k : s->m) * bytes % 16)
        return "a's lines are no multiple of 16 bytes long";
    if ((call->keys[ORDER_B] == GRETA_ORDER_ROW ? s->n : s->k) * bytes % 16)
        return "b's lines are no multiple of 16 bytes long";
    return alignment_refusal(call, 7, "a, b or c does not begin at a multiple of 16 bytes");
}

const char *hip_matmul_refusal(const struct greta_limits *limits, const struct greta_call *call) {
    const char *refusal = unit_refusal(limits, GRETA_TYPE_F16);
    if (refusal) return refusal;
    if (call->scalars.matmul.n_cols % 8) return "n_cols is no multiple of 8";
    return alignment_refusal(call, 7, "w, x or y does not begin at a multiple of 16 bytes");
}

const char *hip_attn_refusal(const struct greta_limits *limits, const struct greta_call *call) {
    const char *refusal = unit_refusal(limits, GRETA_TYPE_F16);
    if (refusal) return refusal;
    /* q, k, v, y; binding 3 is the step's block */
    return alignment_refusal(call, 0x17, "q, k, v or y does not begin at a multiple of 16 bytes");
}

const char *hip_tile_unwise(struct variant_rows rows, hip_tile_cost *cost, const struct greta_variant *v,
                            const struct greta_limits *limits, const struct greta_call *call, uint64_t m,
                            uint64_t n) {
    double own = cost(v, limits, call, m, n);
    for (uint32_t i = 0; i < rows.n; i++) {
        const struct greta_variant *r = &rows.rows[i];
        if (r == v || r->op != v->op || r->unwise != v->unwise || r->refusal(r, limits, call)) continue;
        if (cost(r, limits, call, m, n) < own) return "another tile fills the device better";
    }
    return NULL;
}

static uint64_t tiles(const struct greta_variant *v, uint64_t m, uint64_t n) {
    return div_up(m, v->tunables[0]) * div_up(n, v->tunables[1]);
}

uint64_t hip_gemm_groups(const struct greta_variant *v, const struct greta_limits *limits,
                         const struct greta_call *call) {
    (void)limits;
    return tiles(v, call->scalars.gemm.m, call->scalars.gemm.n);
}

uint64_t hip_matmul_groups(const struct greta_variant *v, const struct greta_limits *limits,
                           const struct greta_call *call) {
    (void)limits;
    return tiles(v, call->scalars.matmul.n_tok, call->scalars.matmul.n_rows);
}

uint64_t hip_attn_groups(const struct greta_call *call, uint32_t n_queries) {
    return div_up(call->scalars.attn.n_tok, n_queries) * call->scalars.attn.n_head;
}
