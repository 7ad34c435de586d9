#include "forward.h"

#include "clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static greta_status check_memory(const struct greta_model *m, const struct greta_session *s,
                                 const struct session_sizes *sizes) {
    uint64_t kv = sizes->kv * 2 * m->hp.n_layer, need = kv + sizes->readback;
    struct greta_mem_info mem;
    greta_status status = greta_dev_mem_info(m->dev, &mem);

    for (int i = 0; i < S_COUNT; i++) need += sizes->scratch[i];
    if (status || !mem.free_bytes || need <= mem.free_bytes) return status;
    return greta_fail(m->log, GRETA_ERR_NO_DEVICE_MEMORY,
                      "a context of %u tokens needs %" PRIu64 " MiB, and %s has %" PRIu64
                      " MiB free: use a smaller --ctx%s",
                      s->n_ctx, (need >> 20) + 1, greta_dev_get_info(m->dev)->name, mem.free_bytes >> 20,
                      s->kv_type == GRETA_TYPE_F32   ? " or --kv f16"
                      : s->kv_type == GRETA_TYPE_F16 ? " or --kv q8_0"
                                                     : "");
}

static greta_status create_scratch(struct greta_session *s, const struct session_sizes *sizes) {
    greta_status status = GRETA_OK;

    for (int i = 0; i < S_COUNT && !status; i++) {
        s->stats.scratch_bytes += sizes->scratch[i];
        if (sizes->scratch[i])
            status = greta_buf_create(s->m->dev, sizes->scratch[i], GRETA_MEM_DEVICE, &s->scratch[i]);
    }
    if (!status) status = greta_buf_create(s->m->dev, sizes->readback, GRETA_MEM_READBACK, &s->readback);
    if (!status && sizes->scratch[S_COUNTERS])
        status = greta_stream_fill(s->stream, s->scratch[S_COUNTERS], 0, sizes->scratch[S_COUNTERS], 0);
    return status;
}

/*
 * Keys and values begin undefined: attention lets nothing of the positions from n_kv on reach a result, not even
 * by a product with zero (tests/kernelcheck has NaN there). So a large context costs nothing until it is used.
 */
static greta_status create_kv(struct greta_session *s, const struct session_sizes *sizes) {
    uint32_t n = s->m->hp.n_layer;
    greta_status status = GRETA_OK;

    s->k = calloc(n, sizeof *s->k);
    s->v = calloc(n, sizeof *s->v);
    if (!s->k || !s->v) return greta_fail(s->m->log, GRETA_ERR_NO_MEMORY, "no memory for a session");
    for (uint32_t i = 0; i < 2 * n && !status; i++) {
        struct greta_buf **buf = i < n ? &s->k[i] : &s->v[i - n];
        status = greta_buf_create(s->m->dev, sizes->kv, GRETA_MEM_DEVICE, buf);
    }
    s->stats.kv_bytes = sizes->kv * 2 * n;
    return status;
}

/* RoPE's table for the positions below n_pos at least; it grows in steps of some milliseconds. */
static greta_status grow_rope(struct greta_session *s, uint32_t n_pos) {
    enum { STEP = 4096 };
    uint64_t row_bytes = (uint64_t)s->m->hp.n_rot * sizeof(float);
    greta_status status = GRETA_OK;
    float *table = NULL;

    if (n_pos > s->n_rope) table = malloc((size_t)(STEP * row_bytes));
    if (n_pos > s->n_rope && !table)
        return greta_fail(s->m->log, GRETA_ERR_NO_MEMORY, "no memory for a session");
    while (n_pos > s->n_rope && !status) {
        uint32_t n = s->n_ctx - s->n_rope < STEP ? s->n_ctx - s->n_rope : STEP;
        rope_table(s->m, s->n_ctx, s->n_rope, n, table);
        status =
            greta_stream_write(s->stream, s->scratch[S_ROPE], s->n_rope * row_bytes, table, n * row_bytes);
        if (!status) s->n_rope += n;
    }
    free(table);
    return status;
}

/* ---- kernels ahead of time ---- */

struct calls {
    struct greta_call *at;
    uint32_t n, capacity;
    bool failed;
};

static void collect(void *user, const struct greta_call *call) {
    struct calls *calls = user;

    if (calls->n == calls->capacity) {
        uint32_t capacity = calls->capacity ? calls->capacity * 2 : 256;
        struct greta_call *grown = realloc(calls->at, capacity * sizeof *grown);
        if (!grown) {
            calls->failed = true;
            return;
        }
        calls->at = grown;
        calls->capacity = capacity;
    }
    calls->at[calls->n++] = *call;
}

/* Positions that the graphs of a bucket of the context see: a power of two, or all. */
static uint32_t bucket_n_kv(const struct greta_session *s, uint32_t bucket) {
    uint64_t n_kv = (uint64_t)GRETA_ATTN_CHUNK << bucket;
    return s->split_attn && n_kv < s->n_ctx ? (uint32_t)n_kv : s->n_ctx;
}

/*
 * Every kernel that prefill and decode will need, built in parallel before the first token waits for one of
 * them.
 */
static greta_status prepare(struct greta_session *s) {
    struct calls calls = {0};
    /* One token among few positions and among many: attention may differ. */
    const uint32_t n_toks[] = {1, 1, s->n_chunk}, n_kvs[] = {bucket_n_kv(s, 0), s->n_ctx, s->n_chunk};
    greta_status status = GRETA_OK;

    for (int i = 0; i < 3; i++) {
        struct forward f = {.s = s, .n_tok = n_toks[i], .n_kv = n_kvs[i], .collect = collect, .user = &calls};
        forward_body(&f);
        forward_head(&f, 0, 1, s->scratch[S_LOGITS]);
        forward_readback(&f, GRETA_WANT_ARGMAX);
    }
    if (calls.failed) status = greta_fail(s->m->log, GRETA_ERR_NO_MEMORY, "no memory for a session");
    if (!status) status = greta_plan_prepare(s->m->plan, calls.at, calls.n);
    free(calls.at);
    return status;
}

greta_status greta_session_each_call(struct greta_session *s, uint32_t n_tok, uint32_t n_kv,
                                     void (*fn)(void *user, const struct greta_call *call), void *user) {
    struct forward f = {.s = s, .n_tok = n_tok, .n_kv = n_kv, .collect = fn, .user = user};

    if (!n_tok || n_tok > s->n_chunk || n_kv < n_tok || n_kv > s->n_ctx)
        return greta_fail(s->m->log, GRETA_ERR_INVALID,
                          "%u tokens that see %u positions are no step of this session", n_tok, n_kv);
    forward_body(&f);
    forward_head(&f, n_tok - 1, 1, s->scratch[S_LOGITS]);
    forward_readback(&f, GRETA_WANT_ARGMAX);
    return f.status;
}

/* ---- life ---- */

static greta_status init(struct greta_session *s, const struct greta_session_params *params) {
    struct session_sizes sizes;
    greta_status status = session_plan(s->m, params, s, &sizes);

    if (!status) status = check_memory(s->m, s, &sizes);
    if (status) return status;
    if (s->n_ctx > s->m->hp.n_ctx_train)
        greta_logf(s->m->log, GRETA_LOG_WARN,
                   "a context of %u tokens is more than the %u that the model was trained for", s->n_ctx,
                   s->m->hp.n_ctx_train);
    s->stats.n_chunk = s->n_chunk;
    s->logits = malloc((size_t)s->m->hp.n_vocab * sizeof *s->logits);
    if (!s->logits) return greta_fail(s->m->log, GRETA_ERR_NO_MEMORY, "no memory for a session");
    status = greta_stream_create(s->m->dev, &s->stream);
    if (!status) status = create_scratch(s, &sizes);
    if (!status) status = create_kv(s, &sizes);
    if (!status) status = grow_rope(s, 1);
    if (!status) status = prepare(s);
    return status;
}

greta_status greta_session_create(struct greta_model *model, const struct greta_session_params *params,
                                  struct greta_session **out) {
    struct greta_session *s = calloc(1, sizeof *s);
    greta_status status;

    *out = NULL;
    if (!s) return greta_fail(model->log, GRETA_ERR_NO_MEMORY, "no memory for a session");
    s->m = model;
    status = init(s, params);
    if (status) greta_session_destroy(&s);
    *out = s;
    return status;
}

void greta_session_destroy(struct greta_session **session) {
    struct greta_session *s = *session;

    if (!s) return;
    *session = NULL;
    greta_stream_destroy(&s->stream); /* waits: nothing below is in use then */
    for (int w = 0; w < LLM_N_WANTS; w++)
        for (int b = 0; b < LLM_MAX_BUCKETS; b++) greta_graph_destroy(&s->graphs[w][b]);
    for (int i = 0; i < S_COUNT; i++) greta_buf_destroy(&s->scratch[i]);
    for (uint32_t i = 0; i < s->m->hp.n_layer; i++) {
        if (s->k) greta_buf_destroy(&s->k[i]);
        if (s->v) greta_buf_destroy(&s->v[i]);
    }
    greta_buf_destroy(&s->readback);
    greta_buf_destroy(&s->many);
    free(s->k);
    free(s->v);
    free(s->logits);
    free(s);
}

/* ---- one token: replay a graph ---- */

/*
 * Which graph serves n_kv positions: one for all, unless attention's grid depends on it; then one per power
 * of two.
 */
static uint32_t bucket_of(const struct greta_session *s, uint32_t n_kv) {
    uint32_t bucket = 0;

    if (!s->split_attn) return 0;
    while (((uint64_t)GRETA_ATTN_CHUNK << bucket) < n_kv) bucket++;
    return bucket;
}

static greta_status build_graph(struct greta_session *s, enum greta_want want, uint32_t bucket) {
    struct forward f = {.s = s, .n_tok = 1, .n_kv = bucket_n_kv(s, bucket), .in_graph = true};
    struct greta_graph *graph;
    greta_status status = greta_graph_begin(s->stream);

    if (status) return status;
    f.state_only = want == GRETA_WANT_NOTHING;
    forward_body(&f);
    if (want != GRETA_WANT_NOTHING) forward_head(&f, 0, 1, s->scratch[S_LOGITS]);
    forward_readback(&f, want);
    status = greta_graph_end(s->stream, &graph);
    if (f.status) {
        if (!status) greta_graph_destroy(&graph);
        return f.status;
    }
    if (!status) s->graphs[want][bucket] = graph;
    return status;
}

/* The graphs for this step and for all longer contexts: later steps build nothing. */
static greta_status build_graphs(struct greta_session *s, enum greta_want want, uint32_t bucket) {
    uint32_t last = bucket_of(s, s->n_ctx);
    greta_status status = GRETA_OK;

    for (uint32_t b = bucket; b <= last && !status; b++)
        if (!s->graphs[want][b]) status = build_graph(s, want, b);
    return status;
}

static greta_status read_back(struct greta_session *s, enum greta_want want) {
    greta_status status = GRETA_OK;

    if (want == GRETA_WANT_LOGITS)
        status = greta_stream_read(s->stream, s->readback, 0, s->logits, (uint64_t)s->m->hp.n_vocab * 4);
    else if (want == GRETA_WANT_ARGMAX)
        status = greta_stream_read(s->stream, s->readback, 0, &s->best, 4);
    if (!status) s->have = want;
    return status;
}

static greta_status write_step(struct greta_session *s, uint32_t token, uint32_t n_tok) {
    const struct weight *embd = &s->m->embd;
    struct step_block block = {.token = token, .pos = s->n_past, .n_kv = s->n_past + n_tok};
    greta_status status = grow_rope(s, s->n_past + n_tok);

    if (status) return status;
    for (uint32_t p = 1; p < embd->n_parts; p++) block.part_token[p - 1] = token - embd->parts[p].row_begin;
    return greta_stream_update(s->stream, s->scratch[S_STEP], 0, &block, 16 + 4 * (embd->n_parts - 1));
}

static greta_status decode(struct greta_session *s, uint32_t token, enum greta_want want) {
    uint32_t bucket = bucket_of(s, s->n_past + 1);
    greta_status status = GRETA_OK;

    if (!s->graphs[want][bucket]) status = build_graphs(s, want, bucket);
    if (!status) status = write_step(s, token, 1);
    if (!status) status = greta_graph_launch(s->stream, s->graphs[want][bucket]);
    if (!status && want == GRETA_WANT_NOTHING) status = greta_stream_flush(s->stream);
    if (!status) s->n_past++;
    return status;
}

/* ---- several tokens ---- */

/*
 * How many tokens the next chunk may have: attention over many positions costs more, and one dispatch cannot
 * be split.
 */
static uint32_t chunk_at(const struct greta_session *s, uint32_t pos) {
    double per_token = 4.0 * (pos + s->n_chunk) * s->m->hp.n_head * s->m->hp.head_dim;
    double most = s->pace.dispatch_s * s->pace.flops_per_s / per_token;

    if (!s->pace.dispatch_s || most >= s->n_chunk) return s->n_chunk;
    return most < 8 ? (s->n_chunk < 8 ? s->n_chunk : 8) : (uint32_t)most;
}

static greta_status write_ids(struct greta_session *s, const uint32_t *tokens, uint32_t n) {
    const struct weight *embd = &s->m->embd;
    greta_status status = GRETA_OK;

    for (uint32_t p = 0; p < embd->n_parts && !status; p++) {
        uint64_t offset = (uint64_t)p * s->n_chunk * 4;
        if (p == 0) {
            status = greta_stream_write(s->stream, s->scratch[S_IDS], offset, tokens, (uint64_t)n * 4);
            continue;
        }
        for (uint32_t at = 0; at < n && !status; at += 64) {
            uint32_t ids[64], k = n - at < 64 ? n - at : 64;
            for (uint32_t i = 0; i < k; i++) ids[i] = tokens[at + i] - embd->parts[p].row_begin;
            status = greta_stream_update(s->stream, s->scratch[S_IDS], offset + (uint64_t)at * 4, ids, k * 4);
        }
    }
    return status;
}

/* Records the layers for a chunk; *f goes on to the head. */
static greta_status body(struct greta_session *s, struct forward *f, const uint32_t *tokens, uint32_t n,
                         bool state_only) {
    greta_status status = write_step(s, tokens[0], n);

    if (!status) status = write_ids(s, tokens, n);
    *f = (struct forward){
        .s = s, .n_tok = n, .n_kv = s->n_past + n, .state_only = state_only, .status = status};
    forward_body(f);
    return f->status;
}

static greta_status prefill(struct greta_session *s, const uint32_t *tokens, uint32_t n,
                            enum greta_want want) {
    struct forward f;
    greta_status status = body(s, &f, tokens, n, want == GRETA_WANT_NOTHING);

    if (status) return status;
    if (want != GRETA_WANT_NOTHING) {
        forward_head(&f, n - 1, 1, s->scratch[S_LOGITS]);
        forward_readback(&f, want);
        if (f.status) return f.status;
    }
    s->n_past += n;
    /* One chunk at a time: progress is true, and the queue stays short. */
    return greta_stream_wait(s->stream);
}

/* Logits of all rows of the chunk, as many at once as `many` holds. */
static greta_status chunk_each(struct greta_session *s, const uint32_t *tokens, uint32_t n, uint32_t i_token,
                               bool (*each)(void *, uint32_t, const float *), void *user, float *host,
                               bool *stop) {
    size_t n_vocab = s->m->hp.n_vocab;
    struct forward f;
    greta_status status = body(s, &f, tokens, n, false);

    for (uint32_t row = 0; row < n && !status; row += s->n_many) {
        uint32_t k = n - row < s->n_many ? n - row : s->n_many;
        forward_head(&f, row, k, s->many);
        status = f.status;
        if (!status) status = greta_stream_read(s->stream, s->many, 0, host, k * n_vocab * 4);
        for (uint32_t i = 0; i < k && !status && !*stop; i++)
            *stop = !each(user, i_token + row + i, host + i * n_vocab);
        if (*stop) break;
    }
    if (!status) s->n_past += n;
    return status;
}

/* ---- the calls ---- */

static greta_status check_tokens(const struct greta_session *s, const uint32_t *tokens, uint32_t n) {
    if (n < 1) return greta_fail(s->m->log, GRETA_ERR_INVALID, "no tokens to evaluate");
    if (n > s->n_ctx - s->n_past)
        return greta_fail(s->m->log, GRETA_ERR_INVALID,
                          "%u tokens do not fit: the context holds %u, and %u are in it", n, s->n_ctx,
                          s->n_past);
    for (uint32_t i = 0; i < n; i++)
        if (tokens[i] >= s->m->hp.n_vocab)
            return greta_fail(s->m->log, GRETA_ERR_INVALID,
                              "the token %u is not in the model's vocabulary of %u", tokens[i],
                              s->m->hp.n_vocab);
    return GRETA_OK;
}

static void count(struct greta_session *s, uint32_t n, uint64_t start_ns) {
    if (n == 1) {
        s->stats.n_decode++;
        s->stats.decode_ns += clock_ns() - start_ns;
    } else {
        s->stats.n_prefill += n;
        s->stats.prefill_ns += clock_ns() - start_ns;
    }
}

greta_status greta_session_eval(struct greta_session *s, const uint32_t *tokens, uint32_t n,
                                enum greta_want want) {
    uint64_t start_ns = clock_ns();
    uint32_t done = 0;
    bool go_on = true;
    greta_status status;

    s->have = GRETA_WANT_NOTHING;
    status = check_tokens(s, tokens, n);
    if (status) return status;
    while (done < n && go_on && !status) {
        uint32_t chunk = chunk_at(s, s->n_past), k = n - done < chunk ? n - done : chunk;
        enum greta_want now = done + k == n ? want : GRETA_WANT_NOTHING;
        status = k == 1 ? decode(s, tokens[done], now) : prefill(s, tokens + done, k, now);
        if (!status) done += k;
        if (!status && n > 1 && s->progress) go_on = s->progress(s->user, done, n);
    }
    if (!status && done == n) status = read_back(s, want);
    count(s, n == 1 ? 1 : done, start_ns);
    return status;
}

/* The buffer of eval_each: some megabytes of logits. */
static greta_status create_many(struct greta_session *s) {
    uint64_t row = (uint64_t)s->m->hp.n_vocab * 4, limit = greta_dev_get_limits(s->m->dev)->max_buf_bytes,
             most = 32u << 20;

    if (s->many) return GRETA_OK;
    if (limit && limit < most) most = limit;
    s->n_many = (uint32_t)(most / row ? most / row : 1);
    if (s->n_many > s->n_chunk) s->n_many = s->n_chunk;
    return greta_buf_create(s->m->dev, s->n_many * row, GRETA_MEM_DEVICE, &s->many);
}

greta_status greta_session_eval_each(struct greta_session *s, const uint32_t *tokens, uint32_t n,
                                     bool (*each)(void *user, uint32_t i_token, const float *logits),
                                     void *user) {
    uint64_t start_ns = clock_ns();
    float *host = NULL;
    bool stop = false;
    greta_status status;

    s->have = GRETA_WANT_NOTHING;
    status = check_tokens(s, tokens, n);
    if (!status) status = create_many(s);
    if (!status && !(host = malloc((size_t)s->n_many * s->m->hp.n_vocab * sizeof *host)))
        status =
            greta_fail(s->m->log, GRETA_ERR_NO_MEMORY, "no memory for the logits of %u tokens", s->n_many);
    for (uint32_t done = 0; done < n && !stop && !status;) {
        uint32_t chunk = chunk_at(s, s->n_past), k = n - done < chunk ? n - done : chunk;
        status = chunk_each(s, tokens + done, k, done, each, user, host, &stop);
        done += k;
        if (!status && !stop && s->progress && !s->progress(s->user, done, n)) stop = true;
    }
    free(host);
    if (!status) count(s, n, start_ns);
    return status;
}

const float *greta_session_logits(const struct greta_session *session) {
    return session->have == GRETA_WANT_LOGITS ? session->logits : NULL;
}

greta_status greta_session_argmax(const struct greta_session *session, uint32_t *token) {
    *token = 0;
    if (session->have != GRETA_WANT_ARGMAX)
        return greta_fail(session->m->log, GRETA_ERR_INVALID,
                          "the last eval did not want the most likely token");
    if (session->best >= session->m->hp.n_vocab)
        return greta_fail(
            session->m->log, GRETA_ERR_INTERNAL,
            "the model gave no number for the next token: its weights or the device are broken");
    *token = session->best;
    return GRETA_OK;
}

greta_status greta_session_rewind(struct greta_session *session, uint32_t n_past) {
    if (n_past > session->n_past)
        return greta_fail(session->m->log, GRETA_ERR_INVALID, "cannot go back to token %u: there are %u",
                          n_past, session->n_past);
    session->n_past = n_past;
    session->have = GRETA_WANT_NOTHING;
    return GRETA_OK;
}

struct greta_model *greta_session_get_model(const struct greta_session *session) {
    return session->m;
}

struct greta_stream *greta_session_get_stream(const struct greta_session *session) {
    return session->stream;
}
uint32_t greta_session_n_past(const struct greta_session *session) {
    return session->n_past;
}
uint32_t greta_session_n_ctx(const struct greta_session *session) {
    return session->n_ctx;
}
struct greta_session_stats greta_session_get_stats(const struct greta_session *session) {
    return session->stats;
}
