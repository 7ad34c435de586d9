/* A session's memory, inside bridge/llm. */
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

/* RoPE's table for the positions below n_pos at least; it grows in steps of some milliseconds. */
GRETA_MUST_USE greta_status session_grow_rope(struct greta_session *s, uint32_t n_pos);
/* Positions that the graphs of a bucket of the context see: a power of two, or all. */
uint32_t session_bucket_n_kv(const struct greta_session *s, uint32_t bucket);

struct session_sizes {
    uint64_t scratch[S_COUNT], kv, readback; /* kv: of one layer's keys, or values */
};

/* The params made definite, and the bytes of every buffer. Errors are logged. */
GRETA_MUST_USE greta_status session_plan(const struct greta_model *m,
                                         const struct greta_session_params *params, struct greta_session *s,
                                         struct session_sizes *sizes);

#endif
