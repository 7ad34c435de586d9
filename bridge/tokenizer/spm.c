#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const char space_mark[] = "\xe2\x96\x81"; /* U+2581, which the vocabulary has in place of a space */
enum { MARK_LEN = sizeof space_mark - 1 };

/* Control, unknown and byte tokens are never made of plain text. */
static bool can_merge(const struct token *token) {
    return token->type != TOKEN_CONTROL && token->type != TOKEN_UNKNOWN && token->type != TOKEN_BYTE;
}

static bool find_pair(const struct greta_tokenizer *t, const char *text, const struct symbol *left,
                      const struct symbol *right, double *priority, uint32_t *token) {
    size_t len = (size_t)left->len + right->len;
    if (len > t->longest_text) return false;
    *token = vocab_find(t, text + left->offset, len);
    if (*token == TOKEN_NONE || !can_merge(&t->tokens[*token])) return false;
    *priority = -(double)t->tokens[*token].score;
    return true;
}

/* Spaces become marks; one more goes in front where it is asked for. */
static char *mark_spaces(const char *text, size_t len, bool space_prefix, size_t *out_len) {
    size_t n_spaces = space_prefix;
    for (size_t i = 0; i < len; i++) n_spaces += text[i] == ' ';
    char *out = malloc(len + n_spaces * MARK_LEN + 1), *p = out;
    if (!out) return NULL;
    for (size_t i = 0; i < len + space_prefix; i++) {
        char c = i < space_prefix ? ' ' : text[i - space_prefix];
        if (c == ' ') {
            memcpy(p, space_mark, MARK_LEN);
            p += MARK_LEN;
        } else {
            *p++ = c;
        }
    }
    *out_len = (size_t)(p - out);
    return out;
}

static bool add_characters(struct merger *m, const struct greta_tokenizer *t, const char *text, size_t len) {
    int32_t code;
    for (size_t i = 0, n; i < len; i += n) {
        n = utf8_next(text + i, len - i, &code);
        uint32_t id = code < 0 ? TOKEN_NONE : vocab_find(t, text + i, n);
        if (id != TOKEN_NONE && !can_merge(&t->tokens[id])) id = TOKEN_NONE;
        if (!merger_add(m, (uint32_t)i, (uint32_t)n, id)) return false;
    }
    return true;
}

/* A character that is no token goes byte by byte. */
static bool push_bytes(const struct greta_tokenizer *t, const char *text, size_t len, struct id_list *out) {
    for (size_t i = 0; i < len; i++) {
        uint32_t id = t->byte_tokens[(unsigned char)text[i]];
        if (id == TOKEN_NONE) id = t->unk;
        if (id != TOKEN_NONE && !id_push(out, id)) return false;
    }
    return true;
}

greta_status spm_encode(const struct greta_tokenizer *t, const char *raw, size_t raw_len, bool space_prefix,
                        struct id_list *out) {
    size_t len = 0;
    struct merger m = {0};
    char *text = mark_spaces(raw, raw_len, space_prefix, &len);
    bool ok = text && add_characters(&m, t, text, len) && merger_run(&m, t, text, find_pair);
    for (uint32_t i = m.n_symbols ? 0 : TOKEN_NONE; ok && i != TOKEN_NONE; i = m.symbols[i].next) {
        const struct symbol *s = &m.symbols[i];
        ok = s->token != TOKEN_NONE ? id_push(out, s->token) : push_bytes(t, text + s->offset, s->len, out);
    }
    merger_free(&m);
    free(text);
    return ok ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}
