/* The norms of the residual stream, on their own, with the rounding of what reads them, or inside it. */
#include "step.h"

void forward_rms_norm(struct forward *f, struct greta_binding x, struct greta_buf *weight,
                      struct greta_binding y, uint32_t n_rows, uint32_t n_cols) {
    forward_record(f,
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
        forward_rms_norm(f, x, weight, y, n_rows, n);
        return;
    }
    forward_record(f,
                   &(struct greta_call){
                       .op = GRETA_OP_ADD_RMS_NORM,
                       .bindings = {x, r, all_of(weight), y},
                       .scalars.add_rms_norm = {.n_rows = n_rows, .n_cols = n, .eps = f->s->m->hp.rms_eps}},
                   0, 0);
}

void forward_post_norm(struct forward *f, struct greta_buf *weight) {
    uint32_t n = f->s->m->hp.n_embd;
    forward_rms_norm(f, rows_of(f, S_XN, 0, f->n_tok, n), weight, rows_of(f, S_R, 0, f->n_tok, n), f->n_tok,
                     n);
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
        if (weights[i] && forward_x_type(f, weights[i], n_rows) != GRETA_TYPE_Q8A) return false;
    if (!f->residual || !greta_plan_fuses(f->s->m->plan, &call)) return false;
    forward_record(f, &call, 0, 0);
    *out = (struct operand){.q8 = y, .n_rows = n_rows, .n_cols = n};
    return true;
}

struct operand forward_normed(struct forward *f, struct greta_buf *weight, uint32_t row, uint32_t n_rows,
                              const struct weight *a, const struct weight *b, const struct weight *c) {
    struct operand x;

    if (normed_q8(f, weight, row, n_rows, (const struct weight *const[3]){a, b, c}, &x)) return x;
    norm(f, weight, row, n_rows);
    return forward_operand(f, rows_of(f, S_XN, 0, n_rows, f->s->m->hp.n_embd), n_rows, a, b, c);
}

bool forward_takes_norm(const struct forward *f, struct greta_call *call, uint32_t i_x, uint32_t norm_key,
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
