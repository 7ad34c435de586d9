/* Tokens through a session: one by a graph that is replayed, several in chunks. */
#include "forward.h"

#include "clock.h"

#include <stdlib.h>

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
    struct forward f = {.s = s, .n_tok = 1, .n_kv = session_bucket_n_kv(s, bucket), .in_graph = true};
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
    greta_status status = session_grow_rope(s, s->n_past + n_tok);

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
