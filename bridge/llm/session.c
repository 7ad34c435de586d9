#include "session.h"

#include <stdlib.h>

greta_status session_grow_rope(struct greta_session *s, uint32_t n_pos) {
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

uint32_t session_bucket_n_kv(const struct greta_session *s, uint32_t bucket) {
    uint64_t n_kv = (uint64_t)GRETA_ATTN_CHUNK << bucket;
    return s->split_attn && n_kv < s->n_ctx ? (uint32_t)n_kv : s->n_ctx;
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
