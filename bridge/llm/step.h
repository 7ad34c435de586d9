/* A step while it is recorded, and what the files that record it share: bindings, operands of matrices, norms. */
#ifndef LLM_STEP_H
#define LLM_STEP_H

#include "session.h"

/*
 * One forward pass. Calls are recorded on the session's stream, or handed to `collect` where one is given.
 * Sticky: after an error nothing more is recorded.
 */
struct forward {
    struct greta_session *s;
    uint32_t n_tok;      /* of this step, at positions n_past .. */
    uint32_t n_kv;       /* the most positions that attention will see: its grid and its cost */
    bool state_only;     /* nothing is wanted but keys and values */
    bool in_graph;       /* inside greta_graph_begin .. end: token ids come from the step block */
    bool residual;       /* S_R holds what is still to be added to S_X */
    uint32_t i_pieces;   /* the next one of S_PIECES */
    uint32_t i_unpacked; /* the next one of S_UNPACKED */
    void (*collect)(void *user, const struct greta_call *call);
    void *user;
    double pending_s; /* predicted time of what this submit holds so far */
    greta_status status;
};

/* ---- bindings ---- */

static inline struct greta_binding bytes_of(struct greta_buf *buf, uint64_t offset_bytes,
                                            uint64_t size_bytes) {
    return (struct greta_binding){.buf = buf, .offset_bytes = offset_bytes, .size_bytes = size_bytes};
}

/* Rows [row, row + n_rows) of scratch memory whose rows are n_cols floats. */
static inline struct greta_binding rows_of(const struct forward *f, enum scratch id, uint64_t row,
                                           uint64_t n_rows, uint64_t n_cols) {
    return bytes_of(f->s->scratch[id], row * n_cols * 4, n_rows * n_cols * 4);
}

static inline struct greta_binding all_of(struct greta_buf *buf) {
    return bytes_of(buf, 0, greta_buf_size(buf));
}

/* In the place of a binding that its op does not read. */
static inline struct greta_binding off(const struct forward *f) {
    return bytes_of(f->s->scratch[S_STEP], 0, 16);
}

static inline struct greta_binding step(const struct forward *f) {
    return bytes_of(f->s->scratch[S_STEP], 0, 16);
}

/* A vector, or what stands in its place where the architecture has none. */
static inline struct greta_binding vector(const struct forward *f, struct greta_buf *buf) {
    return buf ? all_of(buf) : off(f);
}

/* One weight in one part, as a binding. */
static inline struct greta_binding whole(const struct weight *w) {
    return bytes_of(w->parts[0].buf, w->parts[0].offset_bytes, w->parts[0].size_bytes);
}

/* ---- recording: forward_record.c ---- */

/* Records one call. flops and bytes are what it will cost, where that counts. */
void forward_record(struct forward *f, const struct greta_call *call, double flops, double bytes);
void forward_copy(struct forward *f, struct greta_buf *dst, uint64_t dst_offset, struct greta_buf *src,
                  uint64_t src_offset, uint64_t n);

/* ---- matrices: forward_matrix.c ---- */

/* Rows of activations that matrices read: as f32, and rounded to 8 bits or to f16 where a plan asked for it. */
struct operand {
    struct greta_binding f32, q8, f16;
    uint32_t n_rows, n_cols;
};

uint32_t forward_x_type(const struct forward *f, const struct weight *w, uint32_t n_rows);
/* The operand for up to three matrices that read the same rows. */
struct operand forward_operand(struct forward *f, struct greta_binding x, uint32_t n_rows,
                               const struct weight *a, const struct weight *b, const struct weight *c);
/* y[t] = w x[t]; y has rows of w->n_rows floats. */
void forward_linear(struct forward *f, const struct weight *w, const struct operand *x, struct greta_buf *y);
/*
 * What a layer's half gives to the residual stream: added at once, or left in S_R, which the next norm adds. That is better where the
 * norm rounds to 8 bits, too (`next` reads those), and needed where there is a norm before.
 */
void forward_linear_residual(struct forward *f, const struct weight *w, const struct operand *x, bool normed,
                             const struct weight *next);
/* Whether a fused op may read both: each in one part, of one layout, with the same activations. */
bool forward_alike(const struct forward *f, const struct weight *a, const struct weight *b);

/* Of S_PIECES, for a product of one token: 0 where it is not cut. */
uint64_t forward_pieces_bytes(const struct greta_model *m, const struct greta_call *call);
/* Of S_UNPACKED, for products of n_tok tokens: 0 where they decode the weight. */
uint64_t forward_unpacked_bytes(const struct greta_model *m, const struct weight *w, uint32_t n_tok);

/* ---- norms: forward_norm.c ---- */

void forward_rms_norm(struct forward *f, struct greta_binding x, struct greta_buf *weight,
                      struct greta_binding y, uint32_t n_rows, uint32_t n_cols);
/* r = norm(xn), of what a layer gives before it is added. */
void forward_post_norm(struct forward *f, struct greta_buf *weight);
/* norm(x) of rows from `row` on, and what up to three matrices read of it. */
struct operand forward_normed(struct forward *f, struct greta_buf *weight, uint32_t row, uint32_t n_rows,
                              const struct weight *a, const struct weight *b, const struct weight *c);
/*
 * Makes a fused call for one token take the norm along: x is the residual stream then, which must be complete, and norm_key's key
 * is set. Its bindings i_x and i_x + 1 are x and the norm's weights.
 */
bool forward_takes_norm(const struct forward *f, struct greta_call *call, uint32_t i_x, uint32_t norm_key,
                        struct greta_buf *weight);

/* ---- a layer's halves ---- */

/* forward_attn.c. The norm; then queries, rotated; keys, rotated, and values, into the cache. */
void forward_queries_keys_values(struct forward *f, uint32_t i_layer);
/* Attention and its output matrix, onto the residual stream. */
void forward_attend(struct forward *f, uint32_t i_layer);
/* forward_ffn.c. The norm, gate and up, down, onto the residual stream. `next`: the first that reads the stream after it. */
void forward_feed_forward(struct forward *f, uint32_t i_layer, const struct weight *next);

#endif
