#include "internal.h"

#include <stdlib.h>
#include <string.h>

static bool find_pair(const struct greta_tokenizer *t, const char *text, const struct symbol *left,
                      const struct symbol *right, double *priority, uint32_t *token) {
    (void)text;
    if (left->token == TOKEN_NONE || right->token == TOKEN_NONE) return false;
    uint32_t pair[2] = {left->token, right->token};
    const struct merge_table *table = &t->merges;
    for (size_t i = hash_bytes(t->by_text.seed, pair, sizeof pair) & table->mask;;
         i = (i + 1) & table->mask) {
        const struct merge *m = &table->slots[i];
        if (m->left == TOKEN_NONE) return false;
        if (m->left != pair[0] || m->right != pair[1]) continue;
        *priority = m->rank;
        *token = m->result;
        return true;
    }
}

/*
 * The token that is the whole word, where there is one. `scratch` holds longest_text bytes and one
 * character.
 */
static uint32_t whole_word(const struct greta_tokenizer *t, const char *word, size_t len, char *scratch) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (n > t->longest_text) return TOKEN_NONE;
        n += utf8_put(scratch + n, bpe_char_of_byte((unsigned char)word[i]));
    }
    uint32_t id = vocab_find(t, scratch, n);
    return id != TOKEN_NONE && t->tokens[id].type != TOKEN_CONTROL ? id : TOKEN_NONE;
}

/* One job's memory, kept from word to word. */
struct bpe {
    const struct greta_tokenizer *t;
    const char *text;
    struct character *characters;
    size_t n_characters;
    char *scratch;
    struct merger merger;
    struct id_list *out;
};

static bool encode_word(struct bpe *b, size_t offset, size_t len) {
    const struct greta_tokenizer *t = b->t;
    uint32_t id = t->pre->whole_words ? whole_word(t, b->text + offset, len, b->scratch) : TOKEN_NONE;
    if (id != TOKEN_NONE) return id_push(b->out, id);
    struct merger *m = &b->merger;
    m->n_symbols = 0;
    for (size_t i = 0; i < len; i++)
        if (!merger_add(m, (uint32_t)i, 1, t->byte_tokens[(unsigned char)b->text[offset + i]])) return false;
    if (!merger_run(m, t, b->text, find_pair)) return false;
    for (uint32_t i = 0; i != TOKEN_NONE; i = m->symbols[i].next) {
        id = m->symbols[i].token != TOKEN_NONE ? m->symbols[i].token : t->unk; /* a byte without a token */
        if (id != TOKEN_NONE && !id_push(b->out, id)) return false;
    }
    return true;
}

/* Stage after stage splits [pos, end) further; what the last one leaves are the words. */
static bool split(struct bpe *b, size_t i_stage, size_t pos, size_t end) {
    pre_stage *stage = b->t->pre->stages[i_stage];
    const struct character *c = b->characters;
    if (!stage) return encode_word(b, c[pos].offset, c[end].offset - c[pos].offset);
    while (pos < end) {
        size_t next = stage(c, pos, end);
        if (!split(b, i_stage + 1, pos, next)) return false;
        pos = next;
    }
    return true;
}

static bool classify(struct bpe *b, size_t len) {
    b->characters = malloc((len + 1) * sizeof *b->characters);
    if (!b->characters) return false;
    size_t i = 0, n = 0;
    while (i < len) {
        struct character *c = &b->characters[n++];
        c->offset = (uint32_t)i;
        i += utf8_next(b->text + i, len - i, &c->code);
        c->class = unicode_class(c->code);
    }
    b->characters[n] = (struct character){.offset = (uint32_t)len, .code = -1};
    b->n_characters = n;
    return true;
}

greta_status bpe_encode(const struct greta_tokenizer *t, const char *text, size_t len, struct id_list *out) {
    struct bpe b = {.t = t, .text = text, .out = out, .scratch = malloc(t->longest_text + 4)};
    bool ok = b.scratch && classify(&b, len) && (b.n_characters == 0 || split(&b, 0, 0, b.n_characters));
    merger_free(&b.merger);
    free(b.scratch);
    free(b.characters);
    return ok ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}
