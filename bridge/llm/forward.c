/*
 * The forward pass, as a list of calls. forward_body below is the specification: prefill records it for a chunk of
 * tokens, decode for one token inside a graph, and both read the same weights, keys and values. What an architecture
 * has besides llama's is a vector that is there or a number that is not neutral (arch.h).
 */
#include "forward.h"

/* ---- the embedding ---- */

/* x *= factor, of n elements. */
static void scale(struct forward *f, struct greta_binding x, uint32_t n, float factor) {
    forward_record(f,
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
        forward_record(
            f,
            &(struct greta_call){
                .op = GRETA_OP_ROW_LOOKUP,
                .bindings = {bytes_of(part->buf, part->offset_bytes, part->size_bytes), ids, y},
                .scalars.row_lookup = {.n_ids = f->n_tok, .n_rows = part->n_rows, .n_cols = n_embd},
                .keys = {w->type},
                .layout = w->layout},
            0, (double)n * 4);
        if (p)
            forward_record(
                f, &(struct greta_call){.op = GRETA_OP_ADD, .bindings = {x, y, x}, .scalars.add = {.n = n}},
                0, 0);
    }
    if (f->s->m->hp.embd_scale != 1)
        scale(f, rows_of(f, S_X, 0, f->n_tok, n_embd), n, f->s->m->hp.embd_scale);
}

/* ---- the forward pass ---- */

void forward_body(struct forward *f) {
    const struct greta_model *m = f->s->m;
    uint32_t n = m->hp.n_layer;

    embed(f);
    for (uint32_t i = 0; i < n; i++) {
        forward_queries_keys_values(f, i);
        if (f->state_only && i + 1 == n) return; /* keys and values are all that later tokens see */
        forward_attend(f, i);
        forward_feed_forward(f, i, i + 1 < n ? &m->layers[i + 1].q : &m->output);
    }
}

/* ---- the output ---- */

/* x = cap * tanh(x / cap), of n elements. */
static void softcap(struct forward *f, struct greta_buf *buf, uint32_t n, float cap) {
    struct greta_binding x = bytes_of(buf, 0, (uint64_t)n * 4);

    forward_record(f,
                   &(struct greta_call){
                       .op = GRETA_OP_SOFTCAP, .bindings = {x, x}, .scalars.softcap = {.n = n, .cap = cap}},
                   0, 0);
}

void forward_head(struct forward *f, uint32_t row, uint32_t n_rows, struct greta_buf *logits) {
    const struct greta_model *m = f->s->m;
    struct operand x = forward_normed(f, m->output_norm, row, n_rows, &m->output, NULL, NULL);

    forward_linear(f, &m->output, &x, logits);
    if (m->hp.final_softcap > 0) softcap(f, logits, n_rows * m->hp.n_vocab, m->hp.final_softcap);
}

void forward_readback(struct forward *f, enum greta_want want) {
    struct greta_session *s = f->s;
    uint32_t n_vocab = s->m->hp.n_vocab;

    if (want == GRETA_WANT_LOGITS)
        forward_copy(f, s->readback, 0, s->scratch[S_LOGITS], 0, (uint64_t)n_vocab * 4);
    if (want != GRETA_WANT_ARGMAX) return;
    forward_record(f,
                   &(struct greta_call){
                       .op = GRETA_OP_ARGMAX,
                       .bindings = {rows_of(f, S_LOGITS, 0, 1, n_vocab), bytes_of(s->scratch[S_BEST], 0, 4)},
                       .scalars.argmax = {.n_rows = 1, .n_cols = n_vocab}},
                   0, 0);
    forward_copy(f, s->readback, 0, s->scratch[S_BEST], 0, 4);
}
