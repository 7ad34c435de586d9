/* A session's memory and its forward pass, inside bridge/llm. */
#ifndef LLM_SESSION_H
#define LLM_SESSION_H

#include "model.h"

/* Tokens per part of a split embedding travel behind the step block, in one update of 256 bytes. */
enum { N_PIECES = 4, N_UNPACKED = 2, LLM_MAX_EMBD_PARTS = 60, LLM_MAX_BUCKETS = 32, LLM_N_WANTS = 3 };

/*
 * The step block as the kernels read it, and the token as each further part of a split embedding counts it.
 */
struct step_block {
    uint32_t token, pos, n_kv, seed;
    uint32_t part_token[LLM_MAX_EMBD_PARTS - 1];
};

/*
 * Scratch memory, each its own buffer, so that what does not depend on each other needs no barrier. Rows are
 * tokens.
 */
enum scratch {
    S_X,  /* the residual stream, n_embd */
    S_XN, /* normalized, n_embd */
    S_X8, /* what a matrix reads, rounded to 8 bits, and to f16 */
    S_Q,  /* n_head * head_dim */
    S_K,  /* n_head_kv * head_dim */
    S_V,
    S_ATT,  /* n_head * head_dim */
    S_R,    /* what is added to x next, n_embd */
    S_GATE, /* n_ff */
    S_UP,
    S_ACT,
    S_PART,     /* one part of a matrix that is split by rows; no buffer where none is */
    S_IDS,      /* token ids of a chunk, once per part of the embedding */
    S_PARTIALS, /* attention split over the KV length; no buffer where it is not */
    S_PIECES,   /* of products of few rows, N_PIECES in turn; no buffer where none is cut */
    S_COUNTERS, /* of them, 0 between calls */
    S_UNPACKED, /* weights as f16, two in turn; no buffer where products decode them */
    S_LOGITS,   /* n_vocab */
    S_BEST,     /* the most likely token */
    S_STEP,     /* the step block */
    S_ROPE,     /* cos and sin of every position */
    S_COUNT
};

/*
 * What the device is taken to do at the least, to keep each submit under budget_s and one dispatch of
 * attention, which cannot be split, under dispatch_s. All zero: no bound is needed.
 */
struct pace {
    double bytes_per_s, flops_per_s, budget_s, dispatch_s;
};

struct greta_session {
    struct greta_model *m;
    struct greta_stream *stream;
    uint32_t n_ctx, n_past, n_chunk, kv_type; /* GRETA_TYPE_* */
    uint32_t n_rope;                          /* positions that S_ROPE holds by now */
    bool split_attn;
    struct pace pace;
    bool (*progress)(void *user, uint32_t done, uint32_t total);
    void *user;
    struct greta_buf *scratch[S_COUNT];
    struct greta_buf **k, **v; /* per layer: [n_ctx][n_head_kv * head_dim] */
    struct greta_buf *readback,
        *many; /* logits for the host; logits of several tokens, made when first asked for */
    uint32_t n_many;
    float *logits;
    uint32_t best;
    enum greta_want have; /* what logits and best hold */
    struct greta_graph *graphs[LLM_N_WANTS][LLM_MAX_BUCKETS];
    struct greta_session_stats stats;
};

struct session_sizes {
    uint64_t scratch[S_COUNT], kv, readback; /* kv: of one layer's keys, or values */
};

/* The params made definite, and the bytes of every buffer. Errors are logged. */
GRETA_MUST_USE greta_status session_plan(const struct greta_model *m,
                                         const struct greta_session_params *params, struct greta_session *s,
                                         struct session_sizes *sizes);

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

/* Of S_PIECES, for a product of one token: 0 where it is not cut. */
uint64_t forward_pieces_bytes(const struct greta_model *m, const struct greta_call *call);
/* Of S_UNPACKED, for products of n_tok tokens: 0 where they decode the weight. */
uint64_t forward_unpacked_bytes(const struct greta_model *m, const struct weight *w, uint32_t n_tok);
/* From token ids to the residual stream after the last layer. */
void forward_body(struct forward *f);
/* Final norm and output matrix for rows [row, row + n_rows) of the residual stream. Logits go to `logits`. */
void forward_head(struct forward *f, uint32_t row, uint32_t n_rows, struct greta_buf *logits);
/* Brings what is wanted of S_LOGITS to the readback buffer. */
void forward_readback(struct forward *f, enum greta_want want);

#endif
