/* Which row serves a call, and what a plan tells of its choices before there is a call. */
#include "plan.h"
#include "shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct greta_variant *plan_candidate(const struct greta_plan *plan, enum greta_op op, uint32_t i) {
    if (plan->n_forced[op]) return i < plan->n_forced[op] ? plan->forced[op][i] : NULL;
    uint32_t at = plan->first_row[op] + i;
    return at < plan->first_row[op + 1] ? plan->rows[at] : NULL;
}

const char *plan_refusal(const struct greta_plan *plan, const struct greta_variant *v,
                         const struct greta_call *call) {
    if (v->format != plan->format) return "its code is for another kind of device";
    if (plan->policy == GRETA_POLICY_EXACT && !(v->flags & VARIANT_EXACT))
        return "it is not exact, and the plan is";
    return greta_variant_refusal(v, plan->limits, call);
}

const struct greta_variant *plan_first(const struct greta_plan *plan, const struct greta_call *call) {
    const struct greta_variant *v, *unwise = NULL;
    for (uint32_t i = 0; (v = plan_candidate(plan, call->op, i)); i++) {
        if (plan_refusal(plan, v, call)) continue;
        if (plan->n_forced[call->op] || !v->unwise || !v->unwise(v, plan->limits, call)) return v;
        if (!unwise) unwise = v;
    }
    return unwise;
}

/* ---- the message where no row serves a call ---- */

struct text {
    char bytes[960];
    size_t used;
};

GRETA_PRINTF(2, 3) static void add(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->bytes + t->used, sizeof t->bytes - t->used, format, args);
    va_end(args);
    if (n > 0) t->used = t->used + (size_t)n < sizeof t->bytes ? t->used + (size_t)n : sizeof t->bytes - 1;
}

/* "matvec (n_rows 43, n_cols 64, w_type Q4_0, x_type F32, packed weight)" */
static void add_call(struct text *t, const struct greta_call *call) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    const char *before = " (";
    add(t, "%s", info->name);
    for (uint32_t i = 0; i < info->n_scalars; i++, before = ", ") {
        float f;
        memcpy(&f, &call->scalars.u32[i], sizeof f);
        if (info->scalar_is_f32[i])
            add(t, "%s%s %g", before, info->scalar_names[i], (double)f);
        else
            add(t, "%s%s %u", before, info->scalar_names[i], call->scalars.u32[i]);
    }
    for (uint32_t i = 0; i < info->n_keys; i++, before = ", ") {
        const struct greta_type_info *type = greta_type_get_info(call->keys[i]);
        if (type && strstr(info->key_names[i], "type"))
            add(t, "%s%s %s", before, info->key_names[i], type->name);
        else
            add(t, "%s%s %u", before, info->key_names[i], call->keys[i]);
    }
    if (info->n_keys && !strcmp(info->key_names[0], "w_type"))
        add(t, ", %s weight", call->layout == GRETA_LAYOUT_PACKED ? "packed" : "unpacked");
    add(t, ")");
}

static greta_status no_row(const struct greta_plan *plan, const struct greta_call *call) {
    bool forced = plan->n_forced[call->op] > 0, any = false;
    struct text t = {.used = 0};
    add(&t, forced ? "the row asked for does not serve " : "no row serves ");
    add_call(&t, call);
    const struct greta_variant *v;
    for (uint32_t i = 0; (v = plan_candidate(plan, call->op, i)); i++, any = true)
        add(&t, "%s%s: %s", any ? "; " : ": ", v->name, plan_refusal(plan, v, call));
    if (!any) add(&t, ": there is none for this device");
    return greta_fail(plan->log, forced ? GRETA_ERR_INVALID : GRETA_ERR_UNSUPPORTED, "%s", t.bytes);
}

/* What the caller knows to be best, where it serves the call and nothing is forced. */
static const struct greta_variant *tuned(struct greta_plan *plan, const struct greta_call *call) {
    char row[192];
    if (!plan->tuned || plan->n_forced[call->op] || !plan->tuned(plan->tuned_user, call, row, sizeof row))
        return NULL;
    const struct greta_variant *v = plan_find_row(plan, call->op, row, strlen(row));
    return v && !plan_refusal(plan, v, call) ? v : NULL;
}

greta_status greta_plan_choose(struct greta_plan *plan, const struct greta_call *call,
                               const struct greta_variant **out) {
    *out = NULL;
    if ((unsigned)call->op >= GRETA_N_OPS)
        return greta_fail(plan->log, GRETA_ERR_INVALID, "a call of op number %d, which is none",
                          (int)call->op);
    const char *fault = shape_fault(call);
    if (fault) {
        struct text t = {.used = 0};
        add_call(&t, call);
        return greta_fail(plan->log, GRETA_ERR_INVALID, "%s: %s", t.bytes, fault);
    }
    *out = tuned(plan, call);
    if (!*out) *out = plan_first(plan, call);
    return *out ? GRETA_OK : no_row(plan, call);
}

/* ---- what a plan wants, before there is a call ---- */

/* A call of a size that every row must serve: 256 is a multiple of every block. */
static struct greta_call weight_probe(enum greta_op op, uint32_t w_type, uint32_t x_type,
                                      enum greta_layout layout) {
    struct greta_call call = {.op = op, .keys = {w_type, x_type}, .layout = layout};
    if (op == GRETA_OP_MATVEC) call.scalars.matvec = (struct greta_scalars_matvec){256, 256};
    if (op == GRETA_OP_MATMUL) call.scalars.matmul = (struct greta_scalars_matmul){32, 256, 256};
    if (op == GRETA_OP_ROW_LOOKUP) call.scalars.row_lookup = (struct greta_scalars_row_lookup){1, 256, 256};
    return call;
}

/* Does any row of the op read this type in this layout, whatever its activations are? */
static bool reads(const struct greta_plan *plan, enum greta_op op, uint32_t type, enum greta_layout layout) {
    struct greta_call f32 = weight_probe(op, type, GRETA_TYPE_F32, layout);
    struct greta_call q8a = weight_probe(op, type, GRETA_TYPE_Q8A, layout);
    struct greta_call f16 = weight_probe(op, type, GRETA_TYPE_F16, layout);
    return plan_first(plan, &f32) || (op != GRETA_OP_ROW_LOOKUP && plan_first(plan, &q8a)) ||
           (op == GRETA_OP_MATMUL && plan_first(plan, &f16));
}

/* The layout of the most preferred matvec row that matmul and row_lookup have a row for, too. */
static bool layout_search(const struct greta_plan *plan, uint32_t type, enum greta_layout *out) {
    const struct greta_variant *v;
    for (uint32_t i = 0; (v = plan_candidate(plan, GRETA_OP_MATVEC, i)); i++) {
        if (!reads(plan, GRETA_OP_MATVEC, type, v->layout) ||
            !reads(plan, GRETA_OP_MATMUL, type, v->layout) ||
            !reads(plan, GRETA_OP_ROW_LOOKUP, type, v->layout))
            continue;
        *out = v->layout;
        return true;
    }
    return false;
}

/* The same, kept: it is asked for every product of a step. */
static bool layout_find(struct greta_plan *plan, uint32_t type, enum greta_layout *out) {
    unsigned known =
        type < GRETA_N_WEIGHT_TYPES ? atomic_load_explicit(&plan->layouts[type], memory_order_relaxed) : 1;
    if (!known) {
        known = layout_search(plan, type, out) ? 2 + (unsigned)*out : 1;
        atomic_store_explicit(&plan->layouts[type], known, memory_order_relaxed);
    }
    if (known >= 2) *out = (enum greta_layout)(known - 2);
    return known >= 2;
}

greta_status greta_plan_weight_layout(struct greta_plan *plan, uint32_t type, enum greta_layout *out) {
    *out = GRETA_LAYOUT_ROWS;
    const struct greta_type_info *t = type < GRETA_N_WEIGHT_TYPES ? greta_type_get_info(type) : NULL;
    if (!t) return greta_fail(plan->log, GRETA_ERR_INVALID, "type number %u is no weight type", type);
    if (layout_find(plan, type, out)) return GRETA_OK;
    return greta_fail(
        plan->log, GRETA_ERR_UNSUPPORTED,
        "no layout of %s weights in which matvec, matmul and row_lookup all have a row for this device",
        t->name);
}

uint32_t greta_plan_x_type(struct greta_plan *plan, uint32_t w_type, uint32_t n_tok, uint32_t n_rows,
                           uint32_t n_cols) {
    struct greta_call call = {.op = n_tok == 1 ? GRETA_OP_MATVEC : GRETA_OP_MATMUL, .keys = {w_type}};
    if (n_tok == 1)
        call.scalars.matvec = (struct greta_scalars_matvec){n_rows, n_cols};
    else
        call.scalars.matmul = (struct greta_scalars_matmul){n_tok, n_rows, n_cols};
    struct greta_call quantize = {.op = GRETA_OP_QUANTIZE, .scalars.quantize = {n_tok, n_cols}};
    bool can_quantize = plan_first(plan, &quantize) != NULL;
    const struct greta_variant *v;
    uint32_t unwise = GRETA_TYPE_F32;
    bool any = false;
    if (!layout_find(plan, w_type, &call.layout)) return GRETA_TYPE_F32;
    for (uint32_t i = 0; (v = plan_candidate(plan, call.op, i)); i++) {
        call.keys[1] = v->x_type;
        if ((v->x_type == GRETA_TYPE_Q8A && !can_quantize) || plan_refusal(plan, v, &call)) continue;
        if (plan->n_forced[call.op] || !v->unwise || !v->unwise(v, plan->limits, &call)) return v->x_type;
        if (!any) unwise = v->x_type;
        any = true;
    }
    return unwise;
}

/*
 * One workgroup a head keeps a small GPU busy only where the context is short. A cpu has few cores and gains nothing from
 * more groups; it splits only where a row is forced.
 */
bool greta_plan_split_attn(struct greta_plan *plan, uint32_t head_dim, uint32_t n_ctx) {
    uint32_t n_split = n_ctx / GRETA_ATTN_CHUNK + (n_ctx % GRETA_ATTN_CHUNK != 0);
    bool forced = plan->n_forced[GRETA_OP_ATTN_SPLIT] > 0;
    if (!forced && (n_split < 2 || plan->limits->is_cpu || plan->n_forced[GRETA_OP_ATTN])) return false;
    struct greta_call split = {
        .op = GRETA_OP_ATTN_SPLIT,
        .keys = {GRETA_TYPE_F16, head_dim},
        .scalars.attn_split = {.n_head = 1, .n_head_kv = 1, .n_ctx = n_ctx, .n_split = n_split, .scale = 1}};
    struct greta_call reduce = {
        .op = GRETA_OP_ATTN_REDUCE, .keys = {head_dim}, .scalars.attn_reduce = {1, n_split}};
    return plan_first(plan, &split) && plan_first(plan, &reduce);
}

struct greta_call greta_matvec_split_call(const struct greta_call *matvec, uint32_t n_split,
                                          struct greta_binding counters, struct greta_binding parts) {
    struct greta_call split = *matvec;
    split.op = GRETA_OP_MATVEC_SPLIT;
    split.scalars.matvec_split = (struct greta_scalars_matvec_split){matvec->scalars.matvec.n_rows,
                                                                     matvec->scalars.matvec.n_cols, n_split};
    split.bindings[3] = counters;
    split.bindings[4] = parts;
    return split;
}

/*
 * A product that decodes a weight does so for each tile of its tokens; unpacked once, all tiles read it as it is. That is worth the memory
 * from three tiles of 128 tokens on (docs/tried.md).
 */
bool greta_plan_unpacks(struct greta_plan *plan, uint32_t w_type, uint32_t n_tok, uint32_t n_rows,
                        uint32_t n_cols) {
    enum { LEAST_TOKENS = 384 };
    bool forced = plan->n_forced[GRETA_OP_UNPACK] > 0;
    struct greta_call unpack = {.op = GRETA_OP_UNPACK,
                                .keys = {w_type},
                                .layout = GRETA_LAYOUT_PACKED,
                                .scalars.unpack = {n_rows, n_cols}};
    if (n_tok < 2 || (!forced && (n_tok < LEAST_TOKENS || plan->n_forced[GRETA_OP_MATMUL]))) return false;
    const struct greta_variant *v = plan_first(plan, &unpack);
    if (!v || (!forced && v->unwise && v->unwise(v, plan->limits, &unpack))) return false;
    struct greta_call matmul = {
        .op = GRETA_OP_MATMUL,
        .keys = {GRETA_TYPE_F16, greta_plan_x_type(plan, GRETA_TYPE_F16, n_tok, n_rows, n_cols)},
        .layout = GRETA_LAYOUT_PACKED,
        .scalars.matmul = {n_tok, n_rows, n_cols}};
    return plan_first(plan, &matmul);
}

/*
 * Where the row that would serve has fewer workgroups than the device has compute units, and pieces keep 3,072 columns: four workgroups for
 * each unit then. Measured on an H200 (docs/tried.md): with less to sum the joining costs more than it saves, and so it does for plain
 * types, whose rows have larger workgroups. A cpu gains nothing from it.
 */
uint32_t greta_plan_split_matvec(struct greta_plan *plan, const struct greta_call *matvec) {
    enum { PIECE = 3072 };
    const struct greta_limits *limits = plan->limits;
    const struct greta_type_info *type = greta_type_get_info(matvec->keys[0]);
    bool forced = plan->n_forced[GRETA_OP_MATVEC_SPLIT] > 0, quantized = type && type->quantized;
    uint32_t most = matvec->scalars.matvec.n_cols / PIECE, n_split = 4;
    if (!forced) {
        const struct greta_variant *v =
            plan->n_forced[GRETA_OP_MATVEC] || limits->is_cpu || !quantized || most < 2
                ? NULL
                : plan_first(plan, matvec);
        uint64_t n_groups = v ? v->n_groups(v, limits, matvec) : 0;
        if (!n_groups || n_groups >= limits->n_compute_units) return 1;
        uint64_t wanted = (4 * (uint64_t)limits->n_compute_units + n_groups - 1) / n_groups;
        n_split = wanted < most ? (uint32_t)wanted : most;
        if (n_split > GRETA_MATVEC_MAX_SPLIT) n_split = GRETA_MATVEC_MAX_SPLIT;
    }
    struct greta_call split =
        greta_matvec_split_call(matvec, n_split, (struct greta_binding){0}, (struct greta_binding){0});
    return plan_first(plan, &split) ? n_split : 1;
}

#define BIT(op) (UINT64_C(1) << GRETA_OP_##op)

/*
 * The ops that a call takes the place of, where it is made of several; else 0. A residual that a product adds is one that a norm need
 * not add.
 */
static uint64_t parts_of(const struct greta_call *call) {
    uint64_t norms = op_extras(call) & EXTRA_NORM ? BIT(RMS_NORM) | BIT(ADD_RMS_NORM) : 0;
    switch (call->op) {
    case GRETA_OP_MATVEC: return call->keys[2] ? BIT(ADD) | BIT(ADD_RMS_NORM) : 0;
    case GRETA_OP_ROPE_KV: return BIT(ROPE) | BIT(KV_UPDATE) | norms;
    case GRETA_OP_MATVEC_GLU: return BIT(MATVEC) | BIT(ACT_MUL) | norms;
    case GRETA_OP_MATVEC_QKV: return BIT(MATVEC) | BIT(ROPE) | BIT(KV_UPDATE) | BIT(ROPE_KV) | norms;
    case GRETA_OP_ADD_RMS_NORM_QUANTIZE: return BIT(ADD_RMS_NORM) | BIT(QUANTIZE);
    default: return 0;
    }
}

bool greta_plan_fuses(struct greta_plan *plan, const struct greta_call *call) {
    if ((unsigned)call->op >= GRETA_N_OPS || shape_fault(call)) return false;
    bool forced = plan->n_forced[call->op] > 0;
    for (int op = 0; !forced && op < GRETA_N_OPS; op++)
        if (parts_of(call) >> op & 1 && plan->n_forced[op]) return false;
    const struct greta_variant *v = plan_first(plan, call);
    return v && (forced || !v->unwise || !v->unwise(v, plan->limits, call));
}
