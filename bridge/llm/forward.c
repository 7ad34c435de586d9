/*
 * The forward pass, as a list of calls. forward_body below is the specification: prefill records it for a chunk of
 * tokens, decode for one token inside a graph, and both read the same weights, keys and values. What an architecture
 * has besides llama's is a vector that is there or a number that is not neutral (arch.h).
 */
#include "session.h"

#include <math.h>

/* ---- recording ---- */

static struct greta_binding bytes_of(struct greta_buf *buf, uint64_t offset_bytes, uint64_t size_bytes) {
    return (struct greta_binding){.buf = buf, .offset_bytes = offset_bytes, .size_bytes = size_bytes};
}

/* Rows [row, row + n_rows) of scratch memory whose rows are n_cols floats. */
static struct greta_binding rows_of(const struct forward *f, enum scratch id, uint64_t row, uint64_t n_rows,
                                    uint64_t n_cols) {
    return bytes_of(f->s->scratch[id], row * n_cols * 4, n_rows * n_cols * 4);
}

static struct greta_binding all_of(struct greta_buf *buf) {
    return bytes_of(buf, 0, greta_buf_size(buf));
}

/* Keeps submits short on devices whose driver resets a queue that runs for seconds. */
static void bound_submit(struct forward *f, double flops, double bytes) {
    const struct pace *pace = &f->s->pace;
    double seconds;

    if (!pace->budget_s || f->collect) return;
    seconds = fmax(flops / pace->flops_per_s, bytes / pace->bytes_per_s);
    if (f->pending_s > 0 && f->pending_s + seconds > pace->budget_s) {
        f->status = f->in_graph ? greta_graph_split(f->s->stream) : greta_stream_flush(f->s->stream);
        f->pending_s = 0;
    }
    f->pending_s += seconds;
}

/* Records one call. flops and bytes are what it will cost, where that counts. */
static void record(struct forward *f, const struct greta_call *call, double flops, double bytes) {
    if (f->status) return;
    if (f->collect) {
        f->collect(f->user, call);
        return;
    }
    bound_submit(f, flops, bytes);
    if (!f->status) f->status = greta_op_record(f->s->m->plan, f->s->stream, call);
}

static void copy(struct forward *f, struct greta_buf *dst, uint64_t dst_offset, struct greta_buf *src,
                 uint64_t src_offset, uint64_t n) {
    if (!f->status && !f->collect)
        f->status = greta_stream_copy(f->s->stream, dst, dst_offset, src, src_offset, n);
}

/* ---- matrices ---- */

/* Rows of activations that matrices read: as f32, and rounded to 8 bits or to f16 where a plan asked for it. */
struct operand {
    struct greta_binding f32, q8, f16;
    uint32_t n_rows, n_cols;
};

static uint32_t x_type(const struct forward *f, const struct weight *w, uint32_t n_rows) {
    return greta_plan_x_type(f->s->m->plan, w->type, n_rows, w->n_rows, w->n_cols);
}

/* The operand for up to three matrices that read the same rows. */
static struct operand operand(struct forward *f, struct greta_binding x, uint32_t n_rows,
                              const struct weight *a, const struct weight *b, const struct weight *c) {
    const struct weight *weights[] = {a, b, c};
    struct operand op = {.f32 = x, .n_rows = n_rows, .n_cols = a->n_cols};
    uint64_t q8_bytes = n_rows * greta_activation_row_bytes(GRETA_TYPE_Q8A, op.n_cols);
    bool wants_q8 = false, wants_f16 = false;

    for (int i = 0; i < 3; i++) {
        if (weights[i] && x_type(f, weights[i], n_rows) == GRETA_TYPE_Q8A) wants_q8 = true;
        if (weights[i] && x_type(f, weights[i], n_rows) == GRETA_TYPE_F16) wants_f16 = true;
    }
    if (wants_f16) {
        uint32_t n = n_rows * op.n_cols; /* behind the others, should two of the three differ */
        op.f16 = bytes_of(f->s->scratch[S_X8], (q8_bytes + 255) / 256 * 256, (uint64_t)n * 2);
        record(f,
               &(struct greta_call){.op = GRETA_OP_CAST,
                                    .bindings = {x, op.f16},
                                    .keys = {GRETA_TYPE_F32, GRETA_TYPE_F16},
                                    .scalars.cast = {.n = n}},
               0, 0);
    }
    if (!wants_q8) return op;
    op.q8 = bytes_of(f->s->scratch[S_X8], 0, q8_bytes);
    record(f,
           &(struct greta_call){.op = GRETA_OP_QUANTIZE,
                                .bindings = {x, op.q8},
                                .scalars.quantize = {.n_rows = n_rows, .n_cols = op.n_cols}},
           0, 0);
    return op;
}

static struct greta_call product_call(const struct forward *f, const struct weight *w,
                                      const struct weight_part *part, const struct operand *x,
                                      struct greta_binding y) {
    uint32_t type = x_type(f, w, x->n_rows);
    struct greta_binding weights = bytes_of(part->buf, part->offset_bytes, part->size_bytes);
    struct greta_call call = {.op = x->n_rows == 1 ? GRETA_OP_MATVEC : GRETA_OP_MATMUL,
                              .bindings = {weights,
                                           type == GRETA_TYPE_Q8A   ? x->q8
                                           : type == GRETA_TYPE_F16 ? x->f16
                                                                    : x->f32,
                                           y},
                              .keys = {w->type, type},
                              .layout = w->layout};

    if (x->n_rows == 1)
        call.scalars.matvec = (struct greta_scalars_matvec){.n_rows = part->n_rows, .n_cols = w->n_cols};
    else
        call.scalars.matmul =
            (struct greta_scalars_matmul){.n_tok = x->n_rows, .n_rows = part->n_rows, .n_cols = w->n_cols};
    return call;
}

static void record_product(struct forward *f, const struct greta_call *call, const struct weight *w,
                           const struct weight_part *part, uint32_t n_tok) {
    record(f, call, 2.0 * n_tok * part->n_rows * w->n_cols, (double)part->size_bytes);
}

static void product(struct forward *f, const struct weight *w, const struct weight_part *part,
                    const struct operand *x, struct greta_binding y) {
    struct greta_call call = product_call(f, w, part, x, y);
    record_product(f, &call, w, part, x->n_rows);
}

/* y[t] = w x[t]; y has rows of w->n_rows floats. */
static void linear(struct forward *f, const struct weight *w, const struct operand *x, struct greta_buf *y) {
    for (uint32_t p = 0; p < w->n_parts; p++) {
        const struct weight_part *part = &w->parts[p];
        uint64_t width = (uint64_t)part->n_rows * 4, begin = (uint64_t)part->row_begin * 4,
                 stride = (uint64_t)w->n_rows * 4;

        if (w->n_parts == 1 || x->n_rows == 1) {
            product(f, w, part, x, bytes_of(y, begin, x->n_rows * width));
            continue;
        }
        product(f, w, part, x, bytes_of(f->s->scratch[S_PART], 0, x->n_rows * width));
        for (uint32_t t = 0; t < x->n_rows; t++)
            copy(f, y, t * stride + begin, f->s->scratch[S_PART], t * width, width);
    }
}

/* One token: the residual stream += w x, where every part has a row that adds. */
static bool linear_onto_stream(struct forward *f, const struct weight *w, const struct operand *x) {
    for (int pass = 0; x->n_rows == 1 && pass < 2; pass++)
        for (uint32_t p = 0; p < w->n_parts; p++) {
            const struct weight_part *part = &w->parts[p];
            struct greta_binding y =
                bytes_of(f->s->scratch[S_X], (uint64_t)part->row_begin * 4, (uint64_t)part->n_rows * 4);
            struct greta_call call = product_call(f, w, part, x, y);
            call.keys[2] = 1;
            if (pass)
                record_product(f, &call, w, part, 1);
            else if (!greta_plan_fuses(f->s->m->plan, &call))
                return false;
        }
    return x->n_rows == 1;
}

/*
 * What a layer's half gives to the residual stream: added at once, or left in S_R, which the next norm adds. That is better where the
 * norm rounds to 8 bits, too (`next` reads those), and needed where there is a norm before.
 */
static void linear_residual(struct forward *f, const struct weight *w, const struct operand *x, bool normed,
                            const struct weight *next) {
    bool rounds = x_type(f, next, 1) == GRETA_TYPE_Q8A;

    if (!normed && !rounds && linear_onto_stream(f, w, x)) return;
    linear(f, w, x, f->s->scratch[normed ? S_XN : S_R]);
    f->residual = true;
}

/* ---- the smaller parts ---- */

/* x *= factor, of n elements. */
static void scale(struct forward *f, struct greta_binding x, uint32_t n, float factor) {
    record(f,
           &(struct greta_call){
               .op = GRETA_OP_SCALE, .bindings = {x, x}, .scalars.scale = {.n = n, .scale = factor}},
           0, 0);
}

/*
 * x = rows of the embedding. The rows of one part of a split embedding are zero for the tokens of the
 * others: add them up.
 */
static void embed(struct forward *f) {
    const struct weight *w = &f->s->m->embd;
    uint32_t n_embd = w->n_cols, n = f->n_tok * n_embd;

    for (uint32_t p = 0; p < w->n_parts; p++) {
        const struct weight_part *part = &w->parts[p];
        struct greta_binding ids =
            bytes_of(f->s->scratch[S_IDS], (uint64_t)p * f->s->n_chunk * 4, f->n_tok * 4);
        struct greta_binding x = rows_of(f, S_X, 0, f->n_tok, n_embd),
                             y = p ? rows_of(f, S_R, 0, f->n_tok, n_embd) : x;

        if (f->in_graph)
            ids = bytes_of(f->s->scratch[S_STEP], p ? offsetof(struct step_block, part_token[p - 1]) : 0, 4);
        record(f,
               &(struct greta_call){
                   .op = GRETA_OP_ROW_LOOKUP,
                   .bindings = {bytes_of(part->buf, part->offset_bytes, part->size_bytes), ids, y},
                   .scalars.row_lookup = {.n_ids = f->n_tok, .n_rows = part->n_rows, .n_cols = n_embd},
                   .keys = {w->type},
                   .layout = w->layout},
               0, (double)n * 4);
        if (p)
            record(f,
                   &(struct greta_call){.op = GRETA_OP_ADD, .bindings = {x, y, x}, .scalars.add = {.n = n}},
                   0, 0);
    }
    if (f->s->m->hp.embd_scale != 1)
        scale(f, rows_of(f, S_X, 0, f->n_tok, n_embd), n, f->s->m->hp.embd_scale);
}

static void rms_norm(struct forward *f, struct greta_binding x, struct greta_buf *weight,
                     struct greta_binding y, uint32_t n_rows, uint32_t n_cols) {
    record(f,
           &(struct greta_call){
               .op = GRETA_OP_RMS_NORM,
               .bindings = {x, all_of(weight), y},
               .scalars.rms_norm = {.n_rows = n_rows, .n_cols = n_cols, .eps = f->s->m->hp.rms_eps}},
           0, 0);
}

/* xn = norm(x) for rows from `row` on; first x += r, where r is still to be added. */
static void norm(struct forward *f, struct greta_buf *weight, uint32_t row, uint32_t n_rows) {
    uint32_t n = f->s->m->hp.n_embd;
    struct greta_binding x = rows_of(f, S_X, row, n_rows, n), r = rows_of(f, S_R, row, n_rows, n);
    struct greta_binding y = rows_of(f, S_XN, 0, n_rows, n);

    if (!f->residual) {
        rms_norm(f, x, weight, y, n_rows, n);
        return;
    }
    record(f,
           &(struct greta_call){
               .op = GRETA_OP_ADD_RMS_NORM,
               .bindings = {x, r, all_of(weight), y},
               .scalars.add_rms_norm = {.n_rows = n_rows, .n_cols = n, .eps = f->s->m->hp.rms_eps}},
           0, 0);
}

/* r = norm(xn), of what a layer gives before it is added. */
static void post_norm(struct forward *f, struct greta_buf *weight) {
    uint32_t n = f->s->m->hp.n_embd;
    rms_norm(f, rows_of(f, S_XN, 0, f->n_tok, n), weight, rows_of(f, S_R, 0, f->n_tok, n), f->n_tok, n);
}

/* In the place of a binding that its op does not read. */
static struct greta_binding off(const struct forward *f) {
    return bytes_of(f->s->scratch[S_STEP], 0, 16);
}

static struct greta_binding step(const struct forward *f) {
    return bytes_of(f->s->scratch[S_STEP], 0, 16);
}

static void rope(struct forward *f, enum scratch x, uint32_t n_head) {
    const struct hparams *hp = &f->s->m->hp;

    record(f,
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

/* A vector, or what stands in its place where the architecture has none. */
static struct greta_binding vector(const struct forward *f, struct greta_buf *buf) {
    return buf ? all_of(buf) : off(f);
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

    record(f,
           &(struct greta_call){
               .op = GRETA_OP_KV_UPDATE,
               .bindings = {rows_of(f, S_K, 0, f->n_tok, n_cols), rows_of(f, S_V, 0, f->n_tok, n_cols),
                            all_of(f->s->k[i_layer]), all_of(f->s->v[i_layer]), step(f)},
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
        record(f,
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

    rms_norm(f, rows_of(f, x, 0, n_rows, n_cols), weight, y, n_rows, n_cols);
    copy(f, f->s->scratch[x], 0, y.buf, 0, y.size_bytes);
}

/* Queries in place; keys and values into the cache. */
static void rotate_and_keep(struct forward *f, uint32_t i_layer) {
    const struct hparams *hp = &f->s->m->hp;
    const struct layer *l = &f->s->m->layers[i_layer];
    struct greta_call fused = rope_kv_call(f, i_layer);

    if (greta_plan_fuses(f->s->m->plan, &fused)) {
        record(f, &fused, 0, 0);
        return;
    }
    if (l->qkv_bias) add_biases(f, l->qkv_bias);
    if (l->q_norm) head_norms(f, S_Q, hp->n_head, l->q_norm);
    if (l->k_norm) head_norms(f, S_K, hp->n_head_kv, l->k_norm);
    rope(f, S_Q, hp->n_head);
    rope(f, S_K, hp->n_head_kv);
    kv_update(f, i_layer);
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

    record(f,
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
    record(f,
           &(struct greta_call){.op = GRETA_OP_ATTN_REDUCE,
                                .bindings = {partials, step(f), y},
                                .scalars.attn_reduce = {.n_head = hp->n_head, .n_split = n_split},
                                .keys = {hp->head_dim}},
           0, 0);
}

static void attend(struct forward *f, uint32_t i_layer) {
    const struct hparams *hp = &f->s->m->hp;
    uint32_t n_cols = hp->n_head * hp->head_dim, n_ctx = f->s->n_ctx;
    struct greta_binding q = rows_of(f, S_Q, 0, f->n_tok, n_cols), y = rows_of(f, S_ATT, 0, f->n_tok, n_cols);

    /* A graph for few positions does without splits, and shows attention no more of the cache than that. */
    if (f->n_tok == 1) n_ctx = f->n_kv;
    if (f->n_tok == 1 && f->s->split_attn && greta_plan_split_attn(f->s->m->plan, hp->head_dim, f->n_kv)) {
        attend_split(f, i_layer, q, y);
        return;
    }
    record(
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

static void act_mul(struct forward *f) {
    uint32_t n_ff = f->s->m->hp.n_ff, n = f->n_tok * n_ff;

    record(f,
           &(struct greta_call){.op = GRETA_OP_ACT_MUL,
                                .bindings = {rows_of(f, S_GATE, 0, f->n_tok, n_ff),
                                             rows_of(f, S_UP, 0, f->n_tok, n_ff),
                                             rows_of(f, S_ACT, 0, f->n_tok, n_ff)},
                                .scalars.act_mul = {.n = n},
                                .keys = {f->s->m->arch->act}},
           0, 0);
}

/* One weight in one part, as a binding. */
static struct greta_binding whole(const struct weight *w) {
    return bytes_of(w->parts[0].buf, w->parts[0].offset_bytes, w->parts[0].size_bytes);
}

/* Whether a fused op may read both: each in one part, of one layout, with the same activations. */
static bool alike(const struct forward *f, const struct weight *a, const struct weight *b) {
    return a->n_parts == 1 && b->n_parts == 1 && a->layout == b->layout && x_type(f, a, 1) == x_type(f, b, 1);
}

/* Norm and rounding at once, where all that reads the rows wants them in 8 bits. */
static bool normed_q8(struct forward *f, struct greta_buf *weight, uint32_t row, uint32_t n_rows,
                      const struct weight *const weights[3], struct operand *out) {
    uint32_t n = f->s->m->hp.n_embd;
    struct greta_binding y =
        bytes_of(f->s->scratch[S_X8], 0, n_rows * greta_activation_row_bytes(GRETA_TYPE_Q8A, n));
    struct greta_call call = {
        .op = GRETA_OP_ADD_RMS_NORM_QUANTIZE,
        .bindings = {rows_of(f, S_X, row, n_rows, n), rows_of(f, S_R, row, n_rows, n), all_of(weight), y},
        .scalars.add_rms_norm_quantize = {.n_rows = n_rows, .n_cols = n, .eps = f->s->m->hp.rms_eps}};

    for (int i = 0; i < 3; i++)
        if (weights[i] && x_type(f, weights[i], n_rows) != GRETA_TYPE_Q8A) return false;
    if (!f->residual || !greta_plan_fuses(f->s->m->plan, &call)) return false;
    record(f, &call, 0, 0);
    *out = (struct operand){.q8 = y, .n_rows = n_rows, .n_cols = n};
    return true;
}

/* norm(x) of rows from `row` on, and what up to three matrices read of it. */
static struct operand normed(struct forward *f, struct greta_buf *weight, uint32_t row, uint32_t n_rows,
                             const struct weight *a, const struct weight *b, const struct weight *c) {
    struct operand x;

    if (normed_q8(f, weight, row, n_rows, (const struct weight *const[3]){a, b, c}, &x)) return x;
    norm(f, weight, row, n_rows);
    return operand(f, rows_of(f, S_XN, 0, n_rows, f->s->m->hp.n_embd), n_rows, a, b, c);
}

/*
 * Makes a fused call for one token take the norm along: x is the residual stream then, which must be complete, and norm_key's key
 * is set. Its bindings i_x and i_x + 1 are x and the norm's weights.
 */
static bool takes_norm(const struct forward *f, struct greta_call *call, uint32_t i_x, uint32_t norm_key,
                       struct greta_buf *weight) {
    struct greta_call with = *call;

    if (f->residual) return false;
    with.bindings[i_x] = rows_of(f, S_X, 0, 1, f->s->m->hp.n_embd);
    with.bindings[i_x + 1] = all_of(weight);
    with.keys[norm_key] = 1;
    if (!greta_plan_fuses(f->s->m->plan, &with)) return false;
    *call = with;
    return true;
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
                               .keys = {l->q.type, l->v.type, x_type(f, &l->q, 1), f->s->kv_type,
                                        f->s->m->arch->rope_mode, 0, l->qkv_bias != NULL},
                               .layout = l->q.layout};
}

/* The norm; then queries, rotated; keys, rotated, and values, into the cache. */
static void queries_keys_values(struct forward *f, uint32_t i_layer) {
    const struct layer *l = &f->s->m->layers[i_layer];
    struct greta_buf **s = f->s->scratch;
    bool fusible = f->n_tok == 1 && !l->q_norm && l->q.type == l->k.type && alike(f, &l->q, &l->k) &&
                   alike(f, &l->q, &l->v);
    struct greta_call fused = {.op = GRETA_N_OPS};
    struct operand x;

    if (fusible) fused = qkv_call(f, i_layer);
    if (!fusible || !takes_norm(f, &fused, 3, 5, l->attn_norm)) {
        x = normed(f, l->attn_norm, 0, f->n_tok, &l->q, &l->k, &l->v);
        f->residual = false;
        fused.bindings[3] = fused.keys[2] == GRETA_TYPE_Q8A ? x.q8 : x.f32;
        fusible = fusible && greta_plan_fuses(f->s->m->plan, &fused);
    }
    if (fusible) {
        uint64_t bytes = l->q.parts[0].size_bytes + l->k.parts[0].size_bytes + l->v.parts[0].size_bytes;
        record(f, &fused, 2.0 * l->q.n_cols * (l->q.n_rows + l->k.n_rows + l->v.n_rows), (double)bytes);
        return;
    }
    linear(f, &l->q, &x, s[S_Q]);
    linear(f, &l->k, &x, s[S_K]);
    linear(f, &l->v, &x, s[S_V]);
    rotate_and_keep(f, i_layer);
}

/* The norm; then act = activation(gate x) * (up x). */
static void gate_and_up(struct forward *f, const struct layer *l) {
    const struct weight *w = &l->gate;
    bool fusible = f->n_tok == 1 && w->type == l->up.type && alike(f, w, &l->up);
    struct greta_call fused = {
        .op = GRETA_OP_MATVEC_GLU,
        .bindings = {whole(w), whole(&l->up), off(f), off(f), rows_of(f, S_ACT, 0, 1, w->n_rows)},
        .scalars.matvec_glu = {.n_rows = w->n_rows, .n_cols = w->n_cols, .eps = f->s->m->hp.rms_eps},
        .keys = {w->type, x_type(f, w, 1), f->s->m->arch->act},
        .layout = w->layout};
    struct operand x;

    if (!fusible || !takes_norm(f, &fused, 2, 3, l->ffn_norm)) {
        x = normed(f, l->ffn_norm, 0, f->n_tok, w, &l->up, NULL);
        f->residual = false;
        fused.bindings[2] = fused.keys[1] == GRETA_TYPE_Q8A ? x.q8 : x.f32;
        fusible = fusible && greta_plan_fuses(f->s->m->plan, &fused);
    }
    if (fusible) {
        record(f, &fused, 4.0 * w->n_rows * w->n_cols, 2.0 * (double)w->parts[0].size_bytes);
        return;
    }
    linear(f, w, &x, f->s->scratch[S_GATE]);
    linear(f, &l->up, &x, f->s->scratch[S_UP]);
    act_mul(f);
}

/* ---- the forward pass ---- */

void forward_body(struct forward *f) {
    const struct hparams *hp = &f->s->m->hp;
    uint32_t n_q = hp->n_head * hp->head_dim;
    struct operand x;

    embed(f);
    for (uint32_t i = 0; i < hp->n_layer; i++) {
        const struct layer *l = &f->s->m->layers[i];
        const struct weight *next = i + 1 < hp->n_layer ? &l[1].q : &f->s->m->output;

        queries_keys_values(f, i);
        if (f->state_only && i + 1 == hp->n_layer) return; /* keys and values are all that later tokens see */
        attend(f, i);
        x = operand(f, rows_of(f, S_ATT, 0, f->n_tok, n_q), f->n_tok, &l->o, NULL, NULL);
        linear_residual(f, &l->o, &x, l->post_attn_norm, &l->gate);
        if (l->post_attn_norm) post_norm(f, l->post_attn_norm);

        gate_and_up(f, l);
        x = operand(f, rows_of(f, S_ACT, 0, f->n_tok, hp->n_ff), f->n_tok, &l->down, NULL, NULL);
        linear_residual(f, &l->down, &x, l->post_ffn_norm, next);
        if (l->post_ffn_norm) post_norm(f, l->post_ffn_norm);
    }
}

/* x = cap * tanh(x / cap), of n elements. */
static void softcap(struct forward *f, struct greta_buf *buf, uint32_t n, float cap) {
    struct greta_binding x = bytes_of(buf, 0, (uint64_t)n * 4);

    record(f,
           &(struct greta_call){
               .op = GRETA_OP_SOFTCAP, .bindings = {x, x}, .scalars.softcap = {.n = n, .cap = cap}},
           0, 0);
}

void forward_head(struct forward *f, uint32_t row, uint32_t n_rows, struct greta_buf *logits) {
    const struct greta_model *m = f->s->m;
    struct operand x = normed(f, m->output_norm, row, n_rows, &m->output, NULL, NULL);

    linear(f, &m->output, &x, logits);
    if (m->hp.final_softcap > 0) softcap(f, logits, n_rows * m->hp.n_vocab, m->hp.final_softcap);
}

void forward_readback(struct forward *f, enum greta_want want) {
    struct greta_session *s = f->s;
    uint32_t n_vocab = s->m->hp.n_vocab;

    if (want == GRETA_WANT_LOGITS) copy(f, s->readback, 0, s->scratch[S_LOGITS], 0, (uint64_t)n_vocab * 4);
    if (want != GRETA_WANT_ARGMAX) return;
    record(f,
           &(struct greta_call){
               .op = GRETA_OP_ARGMAX,
               .bindings = {rows_of(f, S_LOGITS, 0, 1, n_vocab), bytes_of(s->scratch[S_BEST], 0, 4)},
               .scalars.argmax = {.n_rows = 1, .n_cols = n_vocab}},
           0, 0);
    copy(f, s->readback, 0, s->scratch[S_BEST], 0, 4);
}
