/* One row on one case: run twice between canaries, everything read back and compared. */
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MARGIN = 256, CANARY = 0xFF };

/* A binding's memory: margin, data, margin; with a guard page the data ends where the mapping does. */
struct slot {
    struct greta_buf *buf;
    uint8_t *before, *after; /* the whole buffer, before and after a run */
    uint64_t size, offset, need;
    void *map;
    size_t map_bytes;
};

struct run {
    struct kc_env *env;
    const struct greta_variant *row;
    struct kc_prepared *p;
    struct greta_call call;
    const struct greta_op_info *info;
    struct slot slots[GRETA_OP_MAX_BINDINGS];
    char *message;
    size_t message_size;
};

static bool complain(struct run *r, const char *text) {
    snprintf(r->message, r->message_size, "%s", text);
    return false;
}

static bool complain_status(struct run *r, const char *what, greta_status status) {
    snprintf(r->message, r->message_size, "%s: %s", what, greta_status_name(status));
    return false;
}

/* ---- memory ---- */

/* Weights, caches, partials, 8-bit activations and the step block begin on 16 bytes; all else on 4. */
static bool on_16(const struct greta_call *call, const struct greta_op_info *info, uint32_t i) {
    static const char *const names[] = {"k", "v", "k_cache", "v_cache", "partials", "step"};
    if (call->op == GRETA_OP_KV_UPDATE && i < 2) return false;
    if (call->op == GRETA_OP_ROPE_KV && i < 6) return false;
    for (unsigned k = 0; k < sizeof names / sizeof *names; k++)
        if (!strcmp(info->binding_names[i], names[k])) return true;
    if (kc_weight_rows(call, i)) return true;
    if (!strcmp(info->binding_names[i], "x") && kc_is_product(call->op))
        return kc_x_type(call) == GRETA_TYPE_Q8A;
    if (call->op == GRETA_OP_ADD_RMS_NORM_QUANTIZE) return i == 3;
    return call->op == GRETA_OP_QUANTIZE && i == 1;
}

static uint64_t page_up(uint64_t n) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return (n + page - 1) / page * page;
}

static greta_status slot_map(struct run *r, struct slot *s, uint64_t alignment) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), tail = (alignment - s->need % alignment) % alignment;
    s->size = page_up(MARGIN + s->need + tail);
    s->offset = s->size - tail - s->need;
    s->map_bytes = (size_t)(s->size + page);
    s->map = mmap(NULL, s->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s->map == MAP_FAILED) {
        s->map = NULL;
        return GRETA_ERR_NO_MEMORY;
    }
    if (mprotect((uint8_t *)s->map + s->size, (size_t)page, PROT_NONE)) return GRETA_ERR_INTERNAL;
    return greta_buf_wrap(r->env->dev, s->map, s->size, &s->buf);
}

static greta_status slot_make(struct run *r, uint32_t i) {
    struct slot *s = &r->slots[i];
    bool unaligned = r->p->c->place == KC_UNALIGNED;
    uint64_t step = on_16(&r->call, r->info, i) ? 16 : 4;
    greta_status status;
    s->need = greta_op_binding_bytes(&r->call, i);
    if (s->need < r->p->data.sizes[i] && !strcmp(r->info->binding_names[i], "table"))
        s->need = r->p->data.sizes[i];
    if (!s->need) s->need = 4; /* off: NaN, which must not reach a result */
    if (r->env->guard) {
        status = slot_map(r, s, unaligned ? step : 64);
    } else {
        s->offset = MARGIN + (unaligned ? step : 0);
        s->size = (s->offset + s->need + MARGIN + 3) / 4 * 4;
        status = greta_buf_create(r->env->dev, s->size, GRETA_MEM_DEVICE, &s->buf);
    }
    if (status) return status;
    s->before = malloc((size_t)s->size);
    s->after = malloc((size_t)s->size);
    if (!s->before || !s->after) return GRETA_ERR_NO_MEMORY;
    memset(s->before, CANARY, (size_t)s->size);
    uint64_t n_rows = kc_weight_rows(&r->call, i), n_cols = kc_weight_cols(&r->call);
    if (!n_rows) {
        memcpy(s->before + s->offset, r->p->data.bytes[i], (size_t)r->p->data.sizes[i]);
        return GRETA_OK;
    }
    return greta_layout_pack(r->call.layout, kc_weight_type(&r->call, i), n_rows, n_cols, 0, n_rows,
                             r->p->data.bytes[i], s->before + s->offset);
}

static void slots_free(struct run *r) {
    for (uint32_t i = 0; i < GRETA_OP_MAX_BINDINGS; i++) {
        struct slot *s = &r->slots[i];
        greta_buf_destroy(&s->buf);
        if (s->map) munmap(s->map, s->map_bytes);
        free(s->before);
        free(s->after);
    }
}

/* ---- the run ---- */

static bool is_alias(const struct run *r, uint32_t i) {
    return r->p->c->alias && i + 1 == r->info->n_bindings;
}

static void bind(struct run *r) {
    for (uint32_t i = 0; i < r->info->n_bindings; i++) {
        const struct slot *s = &r->slots[is_alias(r, i) ? 0 : i];
        r->call.bindings[i] = (struct greta_binding){s->buf, s->offset, s->need, 0};
    }
}

static greta_status execute(struct run *r) {
    struct greta_stream *stream = r->env->stream;
    greta_status status = GRETA_OK;
    for (uint32_t i = 0; !status && i < r->info->n_bindings; i++)
        status = greta_stream_write(stream, r->slots[i].buf, 0, r->slots[i].before, r->slots[i].size);
    if (!status) status = greta_op_record_variant(r->env->plan, stream, r->row, &r->call);
    for (uint32_t i = 0; !status && i < r->info->n_bindings; i++)
        status = greta_stream_read(stream, r->slots[i].buf, 0, r->slots[i].after, r->slots[i].size);
    return status;
}

static bool all_canary(const uint8_t *p, uint64_t n) {
    for (uint64_t i = 0; i < n; i++)
        if (p[i] != CANARY) return false;
    return true;
}

static bool untouched_elsewhere(struct run *r, uint32_t i) {
    const struct slot *s = &r->slots[i];
    char text[96];
    uint64_t end = s->offset + s->need;
    const char *where = !all_canary(s->after, s->offset)             ? "before"
                        : !all_canary(s->after + end, s->size - end) ? "behind"
                                                                     : NULL;
    snprintf(text, sizeof text, "it wrote %s the binding %s", where ? where : "", r->info->binding_names[i]);
    if (where) return complain(r, text);
    bool input = r->info->access[i] == GRETA_READ && !(i == 0 && r->p->c->alias);
    snprintf(text, sizeof text, "it changed its input %s", r->info->binding_names[i]);
    return !input || !memcmp(s->before, s->after, (size_t)s->size) || complain(r, text);
}

static bool judge_output(struct run *r, uint32_t i, double *worst) {
    const struct slot *s = &r->slots[is_alias(r, i) ? 0 : i];
    struct ref_output *want = &r->p->outputs[i];
    struct ref_verdict v;
    bool product = r->call.op == GRETA_OP_MATVEC || r->call.op == GRETA_OP_MATVEC_SPLIT ||
                   r->call.op == GRETA_OP_MATMUL || r->call.op == GRETA_OP_GEMM;
    for (uint64_t k = 0; product && r->p->c->style == KC_INTEGERS && k < want->n; k++) want->bound[k] = 0;
    ref_compare(want, s->after + s->offset, s->before + s->offset, &v);
    if (v.worst > *worst) *worst = v.worst;
    if (!v.n_wrong) return true;
    snprintf(r->message, r->message_size,
             "%s[%llu] is %.9g, should be %.9g within %.3g (%.3g bounds off); %llu wrong",
             r->info->binding_names[i], (unsigned long long)v.i_worst, v.got, v.want, v.bound, v.worst,
             (unsigned long long)v.n_wrong);
    return false;
}

/* The reference depends on what the row rounds its operands to. */
static greta_status reference(struct run *r) {
    struct kc_prepared *p = r->p;
    const void *data[GRETA_OP_MAX_BINDINGS];
    if (p->operand_eps >= 0 && p->operand_eps == r->row->operand_eps) return GRETA_OK;
    ref_free(p->outputs);
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) data[i] = p->data.bytes[i];
    p->operand_eps = r->row->operand_eps;
    return ref_run(&r->call, data, r->row->operand_eps, p->outputs);
}

static bool second_differs(struct run *r, uint8_t **first) {
    for (uint32_t i = 0; i < r->info->n_bindings; i++)
        if (memcmp(first[i], r->slots[i].after, (size_t)r->slots[i].size)) return true;
    return false;
}

static bool run_twice(struct run *r) {
    uint8_t *first[GRETA_OP_MAX_BINDINGS] = {NULL};
    greta_status status = execute(r);
    for (uint32_t i = 0; !status && i < r->info->n_bindings; i++) {
        first[i] = malloc((size_t)r->slots[i].size);
        if (!first[i])
            status = GRETA_ERR_NO_MEMORY;
        else
            memcpy(first[i], r->slots[i].after, (size_t)r->slots[i].size);
    }
    if (!status) status = execute(r);
    bool ok = status ? complain_status(r, "the run failed", status)
                     : !second_differs(r, first) || complain(r, "two runs gave different bytes");
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) free(first[i]);
    return ok;
}

static bool checked(struct run *r, double *worst) {
    greta_status status = reference(r);
    if (status) return complain_status(r, "the reference failed", status);
    bool same = run_twice(r);
    if (strstr(r->message, "failed")) return false;
    for (uint32_t i = 0; i < r->info->n_bindings; i++)
        if (!untouched_elsewhere(r, i)) return false;
    for (uint32_t i = 0; i < r->info->n_bindings; i++)
        if (r->p->outputs[i].kind != REF_NOTHING && !judge_output(r, i, worst)) return false;
    return same;
}

const char *kc_check(struct kc_env *env, const struct greta_variant *row, struct kc_prepared *p,
                     double *worst, char *message, size_t message_size) {
    struct run r = {
        .env = env, .row = row, .p = p, .call = p->c->call, .message = message, .message_size = message_size};
    const char *refusal = NULL;
    greta_status status = GRETA_OK;
    r.info = greta_op_get_info(r.call.op);
    r.call.layout = row->layout;
    message[0] = 0;
    if (env->announce) env->announce(row, p->c);
    for (uint32_t i = 0; !status && i < r.info->n_bindings; i++) status = slot_make(&r, i);
    bind(&r);
    if (status)
        complain_status(&r, "no buffer", status);
    else if (!(refusal = greta_variant_refusal(row, env->limits, &r.call)))
        checked(&r, worst);
    slots_free(&r);
    return refusal;
}
