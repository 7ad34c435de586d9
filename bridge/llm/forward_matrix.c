/* Weights times rows of activations, and what these are rounded to before. */
#include "step.h"

uint64_t forward_unpacked_bytes(const struct greta_model *m, const struct weight *w, uint32_t n_tok) {
    uint64_t most = 0;

    if (n_tok < 2 || w->layout != GRETA_LAYOUT_PACKED) return 0;
    for (uint32_t p = 0; p < w->n_parts; p++) {
        uint64_t bytes = (2 * (uint64_t)w->parts[p].n_rows * w->n_cols + 255) / 256 * 256;
        if (!greta_plan_unpacks(m->plan, w->type, n_tok, w->parts[p].n_rows, w->n_cols)) return 0;
        if (bytes > most) most = bytes;
    }
    return most;
}

static uint64_t unpacked_slot(const struct forward *f) {
    struct greta_buf *buf = f->s->scratch[S_UNPACKED];
    return buf ? greta_buf_size(buf) / N_UNPACKED / 256 * 256 : 0;
}

static bool unpacks(const struct forward *f, const struct weight *w, uint32_t n_rows) {
    uint64_t slot = unpacked_slot(f), bytes = slot ? forward_unpacked_bytes(f->s->m, w, n_rows) : 0;
    return bytes && bytes <= slot;
}

uint32_t forward_x_type(const struct forward *f, const struct weight *w, uint32_t n_rows) {
    uint32_t type = unpacks(f, w, n_rows) ? GRETA_TYPE_F16 : w->type;
    return greta_plan_x_type(f->s->m->plan, type, n_rows, w->n_rows, w->n_cols);
}

/* Of a product that reads the weight as f16: unpacks it and reads that. */
static void unpack(struct forward *f, struct greta_call *call, const struct weight *w,
                   const struct weight_part *part) {
    uint64_t slot = unpacked_slot(f), bytes = 2 * (uint64_t)part->n_rows * w->n_cols;
    struct greta_binding y = bytes_of(f->s->scratch[S_UNPACKED], f->i_unpacked++ % N_UNPACKED * slot, bytes);

    forward_record(f,
                   &(struct greta_call){.op = GRETA_OP_UNPACK,
                                        .bindings = {call->bindings[0], y},
                                        .keys = {w->type},
                                        .scalars.unpack = {.n_rows = part->n_rows, .n_cols = w->n_cols},
                                        .layout = w->layout},
                   0, (double)(part->size_bytes + bytes));
    call->bindings[0] = y;
    call->keys[0] = GRETA_TYPE_F16;
}

struct operand forward_operand(struct forward *f, struct greta_binding x, uint32_t n_rows,
                               const struct weight *a, const struct weight *b, const struct weight *c) {
    const struct weight *weights[] = {a, b, c};
    struct operand op = {.f32 = x, .n_rows = n_rows, .n_cols = a->n_cols};
    uint64_t q8_bytes = n_rows * greta_activation_row_bytes(GRETA_TYPE_Q8A, op.n_cols);
    bool wants_q8 = false, wants_f16 = false;

    for (int i = 0; i < 3; i++) {
        if (!weights[i]) continue;
        uint32_t type = forward_x_type(f, weights[i], n_rows);
        wants_q8 = wants_q8 || type == GRETA_TYPE_Q8A;
        wants_f16 = wants_f16 || type == GRETA_TYPE_F16;
    }
    if (wants_f16) {
        uint32_t n = n_rows * op.n_cols; /* behind the others, should two of the three differ */
        op.f16 = bytes_of(f->s->scratch[S_X8], (q8_bytes + 255) / 256 * 256, (uint64_t)n * 2);
        forward_record(f,
                       &(struct greta_call){.op = GRETA_OP_CAST,
                                            .bindings = {x, op.f16},
                                            .keys = {GRETA_TYPE_F32, GRETA_TYPE_F16},
                                            .scalars.cast = {.n = n}},
                       0, 0);
    }
    if (!wants_q8) return op;
    op.q8 = bytes_of(f->s->scratch[S_X8], 0, q8_bytes);
    forward_record(f,
                   &(struct greta_call){.op = GRETA_OP_QUANTIZE,
                                        .bindings = {x, op.q8},
                                        .scalars.quantize = {.n_rows = n_rows, .n_cols = op.n_cols}},
                   0, 0);
    return op;
}

static struct greta_call product_call(const struct forward *f, const struct weight *w,
                                      const struct weight_part *part, const struct operand *x,
                                      struct greta_binding y) {
    uint32_t type = forward_x_type(f, w, x->n_rows);
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

uint64_t forward_pieces_bytes(const struct greta_model *m, const struct greta_call *call) {
    uint32_t n_split = call->op == GRETA_OP_MATVEC ? greta_plan_split_matvec(m->plan, call) : 1;
    uint64_t bytes = 4 * (uint64_t)call->scalars.matvec.n_rows * n_split;
    return n_split > 1 ? (bytes + 255) / 256 * 256 : 0;
}

/*
 * One token, few rows: cut into pieces. Calls in a row have memory of their own, so that they need no barrier between them; counters lie
 * apart from pieces, since they are to be 0 whatever the shape of the call before was.
 */
static struct greta_call cut(struct forward *f, const struct greta_call *call) {
    uint64_t bytes = forward_pieces_bytes(f->s->m, call), slot = f->i_pieces % N_PIECES;
    struct greta_buf *counters = f->s->scratch[S_COUNTERS], *pieces = f->s->scratch[S_PIECES];
    uint64_t counters_bytes = counters ? greta_buf_size(counters) / N_PIECES : 0,
             pieces_bytes = pieces ? greta_buf_size(pieces) / N_PIECES : 0;

    if (!bytes || bytes > pieces_bytes) return *call;
    f->i_pieces++;
    return greta_matvec_split_call(call, greta_plan_split_matvec(f->s->m->plan, call),
                                   bytes_of(counters, slot * counters_bytes, counters_bytes),
                                   bytes_of(pieces, slot * pieces_bytes, pieces_bytes));
}

static void record_product(struct forward *f, const struct greta_call *call, const struct weight *w,
                           const struct weight_part *part, uint32_t n_tok) {
    struct greta_call cut_or_not = cut(f, call);
    forward_record(f, &cut_or_not, 2.0 * n_tok * part->n_rows * w->n_cols, (double)part->size_bytes);
}

static void product(struct forward *f, const struct weight *w, const struct weight_part *part,
                    const struct operand *x, struct greta_binding y) {
    struct greta_call call = product_call(f, w, part, x, y);
    if (unpacks(f, w, x->n_rows)) unpack(f, &call, w, part);
    record_product(f, &call, w, part, x->n_rows);
}

void forward_linear(struct forward *f, const struct weight *w, const struct operand *x, struct greta_buf *y) {
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
            forward_copy(f, y, t * stride + begin, f->s->scratch[S_PART], t * width, width);
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

void forward_linear_residual(struct forward *f, const struct weight *w, const struct operand *x, bool normed,
                             const struct weight *next) {
    bool rounds = forward_x_type(f, next, 1) == GRETA_TYPE_Q8A;

    if (!normed && !rounds && linear_onto_stream(f, w, x)) return;
    forward_linear(f, w, x, f->s->scratch[normed ? S_XN : S_R]);
    f->residual = true;
}

bool forward_alike(const struct forward *f, const struct weight *a, const struct weight *b) {
    return a->n_parts == 1 && b->n_parts == 1 && a->layout == b->layout &&
           forward_x_type(f, a, 1) == forward_x_type(f, b, 1);
}
