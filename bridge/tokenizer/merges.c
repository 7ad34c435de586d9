#include "../gguf/quote.h"
#include "internal.h"

#include <inttypes.h>
#include <string.h>

static void insert(struct greta_tokenizer *t, struct merge merge) {
    struct merge_table *table = &t->merges;
    uint32_t pair[2] = {merge.left, merge.right};
    size_t i = hash_bytes(t->by_text.seed, pair, sizeof pair) & table->mask;
    for (; table->slots[i].left != TOKEN_NONE; i = (i + 1) & table->mask)
        if (table->slots[i].left == merge.left && table->slots[i].right == merge.right)
            return; /* the first one counts */
    table->slots[i] = merge;
}

/* "left right": both, and what they make together, must be tokens. */
static bool parse(const struct greta_tokenizer *t, struct greta_gguf_string s, char *scratch,
                  struct merge *out) {
    const char *space = s.len > 2 ? memchr(s.data + 1, ' ', s.len - 1) : NULL;
    if (!space) return false;
    size_t n = (size_t)(space - s.data);
    if (n == s.len - 1 || s.len - 1 > t->longest_text) return false;
    memcpy(scratch, s.data, n);
    memcpy(scratch + n, space + 1, s.len - 1 - n);
    out->left = vocab_find(t, s.data, n);
    out->right = vocab_find(t, space + 1, s.len - 1 - n);
    out->result = vocab_find(t, scratch, s.len - 1);
    return out->left != TOKEN_NONE && out->right != TOKEN_NONE && out->result != TOKEN_NONE;
}

greta_status merges_read(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    const struct greta_gguf_value *v = greta_gguf_key(gguf, "tokenizer.ggml.merges");
    if (!v || v->type != GRETA_GGUF_ARRAY || v->element_type != GRETA_GGUF_STRING || v->n >= UINT32_MAX / 4)
        return vocab_broken(t, gguf, "tokenizer.ggml.merges, a list of texts, is missing");
    struct merge_table *table = &t->merges;
    size_t size = table_size((size_t)v->n);
    table->slots = arena_array(&t->arena, size, sizeof *table->slots);
    char *scratch = arena_alloc(&t->arena, t->longest_text + 1);
    if (!table->slots || !scratch) return vocab_no_memory(t, gguf);
    table->mask = size - 1;
    for (size_t i = 0; i < size; i++) table->slots[i].left = TOKEN_NONE;
    const struct greta_gguf_string *strings = v->elements;
    for (uint32_t i = 0; i < v->n; i++) {
        struct quoted q;
        struct merge merge = {.rank = i};
        if (!parse(t, strings[i], scratch, &merge))
            return vocab_broken(t, gguf, "merge %" PRIu32 " (%s) does not join two tokens to a third", i,
                                quote(&q, strings[i].data, strings[i].len));
        insert(t, merge);
    }
    return GRETA_OK;
}
