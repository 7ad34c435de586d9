/* A session comes to be: its memory, and every kernel that it will need. */
#include "forward.h"

#include <inttypes.h>
#include <stdlib.h>

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

/*
 * Every kernel that prefill and decode will need, built in parallel before the first token waits for one of
 * them.
 */
static greta_status prepare(struct greta_session *s) {
    struct calls calls = {0};
    /* One token among few positions and among many: attention may differ. */
    const uint32_t n_toks[] = {1, 1, s->n_chunk}, n_kvs[] = {session_bucket_n_kv(s, 0), s->n_ctx, s->n_chunk};
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
    if (!status) status = session_grow_rope(s, 1);
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
