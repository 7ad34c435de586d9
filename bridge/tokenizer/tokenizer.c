#include "internal.h"

#include <stdlib.h>
#include <string.h>

greta_status greta_tokenizer_create(const struct greta_gguf *gguf, const struct greta_log *log,
                                    struct greta_tokenizer **out) {
    *out = NULL;
    struct greta_tokenizer *t = calloc(1, sizeof *t);
    if (!t)
        return greta_fail(log, GRETA_ERR_NO_MEMORY, "%.500s: no memory for its tokenizer",
                          greta_gguf_path(gguf));
    if (log) t->log = *log;
    greta_status status = vocab_read(t, gguf);
    if (!status && !t->spm) status = merges_read(t, gguf);
    if (status) greta_tokenizer_destroy(&t);
    *out = t;
    return status;
}

void greta_tokenizer_destroy(struct greta_tokenizer **tokenizer) {
    if (!*tokenizer) return;
    arena_free(&(*tokenizer)->arena);
    free(*tokenizer);
    *tokenizer = NULL;
}

static greta_status encode_spans(const struct greta_tokenizer *t, const char *text,
                                 const struct span_list *spans, struct id_list *out) {
    bool after_special = true; /* the start counts as one */
    for (size_t i = 0; i < spans->n; i++) {
        const struct span *s = &spans->spans[i];
        greta_status status = GRETA_OK;
        if (s->id != TOKEN_NONE)
            status = id_push(out, s->id) ? GRETA_OK : GRETA_ERR_NO_MEMORY;
        else if (t->spm)
            status = spm_encode(t, text + s->offset, s->len, t->add_space_prefix && after_special, out);
        else
            status = bpe_encode(t, text + s->offset, s->len, out);
        if (status) return status;
        after_special = s->id != TOKEN_NONE;
    }
    return GRETA_OK;
}

greta_status greta_tokenizer_encode(const struct greta_tokenizer *t, const char *text, size_t len,
                                    unsigned flags, uint32_t **ids, size_t *n) {
    *ids = NULL;
    *n = 0;
    if (len > (size_t)1 << 30)
        return greta_fail(&t->log, GRETA_ERR_INVALID, "a text of %zu bytes is too long: 1 GiB is the most",
                          len);
    struct span_list spans = {0};
    struct id_list out = {.ids = malloc(64 * sizeof(uint32_t)), .room = 64};
    greta_status status = out.ids ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    if (!status) status = special_split(t, text, len, flags & GRETA_TOKENIZE_SPECIAL, &spans);
    if (!status && (flags & GRETA_TOKENIZE_BOS) && t->add_bos && !id_push(&out, t->bos))
        status = GRETA_ERR_NO_MEMORY;
    if (!status) status = encode_spans(t, text, &spans, &out);
    if (!status && (flags & GRETA_TOKENIZE_BOS) && t->add_eos && !id_push(&out, t->eos))
        status = GRETA_ERR_NO_MEMORY;
    free(spans.spans);
    if (status) {
        free(out.ids);
        return greta_fail(&t->log, status, "no memory to tokenize a text of %zu bytes", len);
    }
    *ids = out.ids;
    *n = out.n;
    return GRETA_OK;
}

struct greta_gguf_string greta_tokenizer_piece(const struct greta_tokenizer *t, uint32_t id, bool special) {
    static const struct greta_gguf_string none = {"", 0};
    if (id >= t->n_tokens) return none;
    const struct token *token = &t->tokens[id];
    bool hidden = token->type == TOKEN_CONTROL || token->type == TOKEN_UNKNOWN;
    return hidden && !special ? none : token->piece;
}

bool greta_tokenizer_strips_space(const struct greta_tokenizer *t) {
    return t->spm && t->add_space_prefix;
}

uint32_t greta_tokenizer_n_tokens(const struct greta_tokenizer *t) {
    return t->n_tokens;
}

bool greta_tokenizer_bos(const struct greta_tokenizer *t, uint32_t *id) {
    *id = t->bos;
    return t->bos != TOKEN_NONE;
}

bool greta_tokenizer_eos(const struct greta_tokenizer *t, uint32_t *id) {
    *id = t->eos;
    return t->eos != TOKEN_NONE;
}

bool greta_tokenizer_is_stop(const struct greta_tokenizer *t, uint32_t id) {
    return id < t->n_tokens && t->tokens[id].stop;
}

bool greta_tokenizer_find(const struct greta_tokenizer *t, const char *text, uint32_t *id) {
    *id = vocab_find(t, text, strlen(text));
    return *id != TOKEN_NONE;
}
