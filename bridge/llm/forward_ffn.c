/* The second half of a layer: gate and up, activation, down. */
#include "arch.h"
#include "step.h"

static void act_mul(struct forward *f) {
    uint32_t n_ff = f->s->m->hp.n_ff, n = f->n_tok * n_ff;

    forward_record(f,
                   &(struct greta_call){.op = GRETA_OP_ACT_MUL,
                                        .bindings = {rows_of(f, S_GATE, 0, f->n_tok, n_ff),
                                                     rows_of(f, S_UP, 0, f->n_tok, n_ff),
                                                     rows_of(f, S_ACT, 0, f->n_tok, n_ff)},
                                        .scalars.act_mul = {.n = n},
                                        .keys = {f->s->m->arch->act}},
                   0, 0);
}

/* The norm; then act = activation(gate x) * (up x). */
static void gate_and_up(struct forward *f, const struct layer *l) {
    const struct weight *w = &l->gate;
    bool fusible = f->n_tok == 1 && w->type == l->up.type && forward_alike(f, w, &l->up);
    struct greta_call fused = {
        .op = GRETA_OP_MATVEC_GLU,
        .bindings = {whole(w), whole(&l->up), off(f), off(f), rows_of(f, S_ACT, 0, 1, w->n_rows)},
        .scalars.matvec_glu = {.n_rows = w->n_rows, .n_cols = w->n_cols, .eps = f->s->m->hp.rms_eps},
        .keys = {w->type, forward_x_type(f, w, 1), f->s->m->arch->act},
        .layout = w->layout};
    struct operand x;

    if (!fusible || !forward_takes_norm(f, &fused, 2, 3, l->ffn_norm)) {
        x = forward_normed(f, l->ffn_norm, 0, f->n_tok, w, &l->up, NULL);
        f->residual = false;
        fused.bindings[2] = fused.keys[1] == GRETA_TYPE_Q8A ? x.q8 : x.f32;
        fusible = fusible && greta_plan_fuses(f->s->m->plan, &fused);
    }
    if (fusible) {
        forward_record(f, &fused, 4.0 * w->n_rows * w->n_cols, 2.0 * (double)w->parts[0].size_bytes);
        return;
    }
    forward_linear(f, w, &x, f->s->scratch[S_GATE]);
    forward_linear(f, &l->up, &x, f->s->scratch[S_UP]);
    act_mul(f);
}

void forward_feed_forward(struct forward *f, uint32_t i_layer, const struct weight *next) {
    const struct layer *l = &f->s->m->layers[i_layer];
    struct operand x;

    gate_and_up(f, l);
    x = forward_operand(f, rows_of(f, S_ACT, 0, f->n_tok, f->s->m->hp.n_ff), f->n_tok, &l->down, NULL, NULL);
    forward_linear_residual(f, &l->down, &x, l->post_ffn_norm, next);
    if (l->post_ffn_norm) forward_post_norm(f, l->post_ffn_norm);
}
