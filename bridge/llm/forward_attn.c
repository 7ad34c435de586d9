/* The first half of a layer: queries, keys and values, attention, its output. */
#include "arch.h"
#include "step.h"

static void rope(struct forward *f, enum scratch x, uint32_t n_head) {
    const struct hparams *hp = &f->s->m->hp;

    forward_record(
        f,
        &(struct greta_call){.op = GRETA_OP_ROPE,
                             .bindings = {rows_of(f, x, 0, f->n_tok, (uint64_t)n_head * hp->head_dim),
                                          all_of(f->s->scratch[S_ROPE]), step(f)},
                             .scalars.rope = {.n_tok = f->n_tok,
                                              .n_head = n_head,
                                              .head_dim = hp->head_dim,
                                              .n_rot = hp->n_rot},
                             .keys = {f->s->m->arch->rope_mode}},
        0, 0);
}

static struct greta_call rope_kv_call(const struct forward *f, uint32_t i_layer) {
    const struct hparams *hp = &f->s->m->hp;
    const struct layer *l = &f->s->m->layers[i_layer];
    uint32_t n_kv = hp->n_head_kv * hp->head_dim;

    return (struct greta_call){
        .op = GRETA_OP_ROPE_KV,
        .bindings = {rows_of(f, S_Q, 0, f->n_tok, (uint64_t)hp->n_head * hp->head_dim),
                     rows_of(f, S_K, 0, f->n_tok, n_kv), rows_of(f, S_V, 0, f->n_tok, n_kv),
                     vector(f, l->q_norm), vector(f, l->k_norm), vector(f, l->qkv_bias),
                     all_of(f->s->scratch[S_ROPE]), step(f), all_of(f->s->k[i_layer]),
                     all_of(f->s->v[i_layer])},
        .scalars.rope_kv = {.n_tok = f->n_tok,
                            .n_head = hp->n_head,
                            .n_head_kv = hp->n_head_kv,
                            .head_dim = hp->head_dim,
                            .n_rot = hp->n_rot,
                            .n_ctx = f->s->n_ctx,
                            .eps = hp->rms_eps},
        .keys = {f->s->m->arch->rope_mode, f->s->kv_type, l->q_norm != NULL, l->qkv_bias != NULL}};
}

static void kv_update(struct forward *f, uint32_t i_layer) {
    uint32_t n_cols = f->s->m->hp.n_head_kv * f->s->m->hp.head_dim;

    forward_record(
        f,
        &(struct greta_call){.op = GRETA_OP_KV_UPDATE,
                             .bindings = {rows_of(f, S_K, 0, f->n_tok, n_cols),
                                          rows_of(f, S_V, 0, f->n_tok, n_cols), all_of(f->s->k[i_layer]),
                                          all_of(f->s->v[i_layer]), step(f)},
                             .scalars.kv_update = {.n_tok = f->n_tok, .n_cols = n_cols, .n_ctx = f->s->n_ctx},
                             .keys = {f->s->kv_type}},
        0, 0);
}

/* The vector holds what is added to queries, to keys and to values. */
static void add_biases(struct forward *f, struct greta_buf *bias) {
    const struct hparams *hp = &f->s->m->hp;
    const enum scratch to[] = {S_Q, S_K, S_V};
    uint64_t begin = 0;

    for (int i = 0; i < 3; i++) {
        uint32_t n_cols = (i ? hp->n_head_kv : hp->n_head) * hp->head_dim;
        forward_record(f,
                       &(struct greta_call){.op = GRETA_OP_BIAS_ADD,
                                            .bindings = {rows_of(f, to[i], 0, f->n_tok, n_cols),
                                                         bytes_of(bias, begin * 4, (uint64_t)n_cols * 4)},
                                            .scalars.bias_add = {.n_rows = f->n_tok, .n_cols = n_cols}},
                       0, 0);
        begin += n_cols;
    }
}

/* Every head of x becomes its norm, by way of scratch memory that attention writes later. */
static void head_norms(struct forward *f, enum scratch x, uint32_t n_head, struct greta_buf *weight) {
    uint32_t n_cols = f->s->m->hp.head_dim, n_rows = f->n_tok * n_head;
    struct greta_binding y = rows_of(f, S_ATT, 0, n_rows, n_cols);

    forward_rms_norm(f, rows_of(f, x, 0, n_rows, n_cols), weight, y, n_rows, n_cols);
    forward_copy(f, f->s->scratch[x], 0, y.buf, 0, y.size_bytes);
}

/* Queries in place; keys and values into the cache. */
static void rotate_and_keep(struct forward *f, uint32_t i_layer) {
    const struct hparams *hp = &f->s->m->hp;
    const struct layer *l = &f->s->m->layers[i_layer];
    struct greta_call fused = rope_kv_call(f, i_layer);

    if (greta_plan_fuses(f->s->m->plan, &fused)) {
        forward_record(f, &fused, 0, 0);
        return;
    }
    if (l->qkv_bias) add_biases(f, l->qkv_bias);
    if (l->q_norm) head_norms(f, S_Q, hp->n_head, l->q_norm);
    if (l->k_norm) head_norms(f, S_K, hp->n_head_kv, l->k_norm);
    rope(f, S_Q, hp->n_head);
    rope(f, S_K, hp->n_head_kv);
    kv_update(f, i_layer);
}

static struct greta_call qkv_call(const struct forward *f, uint32_t i_layer) {
    const struct hparams *hp = &f->s->m->hp;
    const struct layer *l = &f->s->m->layers[i_layer];
    struct greta_buf **s = f->s->scratch;
    uint32_t n_q = hp->n_head * hp->head_dim;

    return (struct greta_call){.op = GRETA_OP_MATVEC_QKV,
                               .bindings = {whole(&l->q), whole(&l->k), whole(&l->v), off(f), off(f),
                                            vector(f, l->qkv_bias), all_of(s[S_ROPE]), step(f),
                                            rows_of(f, S_Q, 0, 1, n_q), all_of(f->s->k[i_layer]),
                                            all_of(f->s->v[i_layer])},
                               .scalars.matvec_qkv = {.n_head = hp->n_head,
                                                      .n_head_kv = hp->n_head_kv,
                                                      .head_dim = hp->head_dim,
                                                      .n_rot = hp->n_rot,
                                                      .n_ctx = f->s->n_ctx,
                                                      .n_cols = l->q.n_cols,
                                                      .eps = hp->rms_eps},
                               .keys = {l->q.type, l->v.type, forward_x_type(f, &l->q, 1), f->s->kv_type,
                                        f->s->m->arch->rope_mode, 0, l->qkv_bias != NULL},
                               .layout = l->q.layout};
}

void forward_queries_keys_values(struct forward *f, uint32_t i_layer) {
    const struct layer *l = &f->s->m->layers[i_layer];
    struct greta_buf **s = f->s->scratch;
    bool fusible = f->n_tok == 1 && !l->q_norm && l->q.type == l->k.type && forward_alike(f, &l->q, &l->k) &&
                   forward_alike(f, &l->q, &l->v);
    struct greta_call fused = {.op = GRETA_N_OPS};
    struct operand x;

    if (fusible) fused = qkv_call(f, i_layer);
    if (!fusible || !forward_takes_norm(f, &fused, 3, 5, l->attn_norm)) {
        x = forward_normed(f, l->attn_norm, 0, f->n_tok, &l->q, &l->k, &l->v);
        f->residual = false;
        fused.bindings[3] = fused.keys[2] == GRETA_TYPE_Q8A ? x.q8 : x.f32;
        fusible = fusible && greta_plan_fuses(f->s->m->plan, &fused);
    }
    if (fusible) {
        uint64_t bytes = l->q.parts[0].size_bytes + l->k.parts[0].size_bytes + l->v.parts[0].size_bytes;
        forward_record(f, &fused, 2.0 * l->q.n_cols * (l->q.n_rows + l->k.n_rows + l->v.n_rows),
                       (double)bytes);
        return;
    }
    forward_linear(f, &l->q, &x, s[S_Q]);
    forward_linear(f, &l->k, &x, s[S_K]);
    forward_linear(f, &l->v, &x, s[S_V]);
    rotate_and_keep(f, i_layer);
}

/* Of this layer; 0 where it sees all that the session can hold. */
static uint32_t window(const struct forward *f, uint32_t i_layer) {
    uint32_t n = f->s->m->hp.window;
    bool slides = f->s->m->arch->window_layers != WINDOW_EVEN || i_layer % 2 == 0;
    return slides && n < f->s->n_ctx ? n : 0;
}

static void attend_split(struct forward *f, uint32_t i_layer, struct greta_binding q,
                         struct greta_binding y) {
    const struct hparams *hp = &f->s->m->hp;
    uint32_t n_split = (f->n_kv + GRETA_ATTN_CHUNK - 1) / GRETA_ATTN_CHUNK;
    uint64_t bytes = (uint64_t)hp->n_head * n_split * (2 + hp->head_dim) * 4;
    struct greta_binding partials = bytes_of(f->s->scratch[S_PARTIALS], 0, bytes);

    forward_record(f,
                   &(struct greta_call){
                       .op = GRETA_OP_ATTN_SPLIT,
                       .bindings = {q, all_of(f->s->k[i_layer]), all_of(f->s->v[i_layer]), step(f), partials},
                       .scalars.attn_split = {.n_head = hp->n_head,
                                              .n_head_kv = hp->n_head_kv,
                                              .n_ctx = f->s->n_ctx,
                                              .n_split = n_split,
                                              .window = window(f, i_layer),
                                              .scale = hp->attn_scale,
                                              .softcap = hp->attn_softcap},
                       .keys = {f->s->kv_type, hp->head_dim}},
                   0, 4.0 * f->n_kv * hp->n_head_kv * hp->head_dim);
    forward_record(f,
                   &(struct greta_call){.op = GRETA_OP_ATTN_REDUCE,
                                        .bindings = {partials, step(f), y},
                                        .scalars.attn_reduce = {.n_head = hp->n_head, .n_split = n_split},
                                        .keys = {hp->head_dim}},
                   0, 0);
}

static void attention(struct forward *f, uint32_t i_layer) {
    const struct hparams *hp = &f->s->m->hp;
    uint32_t n_cols = hp->n_head * hp->head_dim, n_ctx = f->s->n_ctx;
    struct greta_binding q = rows_of(f, S_Q, 0, f->n_tok, n_cols), y = rows_of(f, S_ATT, 0, f->n_tok, n_cols);

    /* A graph for few positions does without splits, and shows attention no more of the cache than that. */
    if (f->n_tok == 1) n_ctx = f->n_kv;
    if (f->n_tok == 1 && f->s->split_attn && greta_plan_split_attn(f->s->m->plan, hp->head_dim, f->n_kv)) {
        attend_split(f, i_layer, q, y);
        return;
    }
    forward_record(
        f,
        &(struct greta_call){.op = GRETA_OP_ATTN,
                             .bindings = {q, all_of(f->s->k[i_layer]), all_of(f->s->v[i_layer]), step(f), y},
                             .scalars.attn = {.n_tok = f->n_tok,
                                              .n_head = hp->n_head,
                                              .n_head_kv = hp->n_head_kv,
                                              .n_ctx = n_ctx,
                                              .window = window(f, i_layer),
                                              .scale = hp->attn_scale,
                                              .softcap = hp->attn_softcap},
                             .keys = {f->s->kv_type, hp->head_dim}},
        4.0 * f->n_tok * f->n_kv * n_cols, 4.0 * f->n_kv * hp->n_head_kv * hp->head_dim);
}

void forward_attend(struct forward *f, uint32_t i_layer) {
    const struct hparams *hp = &f->s->m->hp;
    const struct layer *l = &f->s->m->layers[i_layer];
    struct operand x;

    attention(f, i_layer);
    x = forward_operand(f, rows_of(f, S_ATT, 0, f->n_tok, (uint64_t)hp->n_head * hp->head_dim), f->n_tok,
                        &l->o, NULL, NULL);
    forward_linear_residual(f, &l->o, &x, l->post_attn_norm, &l->gate);
    if (l->post_attn_norm) forward_post_norm(f, l->post_attn_norm);
}
