#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_SPECIAL = 256 }; /* bounds the search in a text; real ones have some 30 bytes */

static bool is_special(const struct token *t) {
    return token_is_special(t) && t->text.len > 0 && t->text.len <= LONGEST_SPECIAL;
}

static int by_text(const void *a, const void *b) {
    const struct greta_gguf_string *x = &(*(const struct token *const *)a)->text;
    const struct greta_gguf_string *y = &(*(const struct token *const *)b)->text;
    int c = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    return c ? c : (x->len > y->len) - (x->len < y->len);
}

greta_status special_index(struct greta_tokenizer *t) {
    size_t n = 0;
    for (uint32_t i = 0; i < t->n_tokens; i++) n += is_special(&t->tokens[i]);
    t->specials = arena_array(&t->arena, n, sizeof *t->specials);
    if (!t->specials) return GRETA_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < t->n_tokens; i++) {
        if (!is_special(&t->tokens[i])) continue;
        t->specials[t->n_specials++] = &t->tokens[i];
        t->special_first[(unsigned char)t->tokens[i].text.data[0]] = true;
    }
    qsort(t->specials, n, sizeof *t->specials, by_text);
    return GRETA_OK;
}

/* The first of specials[low, high), which agree on `depth` bytes, whose next byte is `byte` or more. */
static size_t lower_bound(const struct greta_tokenizer *t, size_t low, size_t high, size_t depth,
                          unsigned byte) {
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct greta_gguf_string *s = &t->specials[middle]->text;
        if (s->len <= depth || (unsigned char)s->data[depth] < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Marks every special token that begins at text[0]. */
static void mark_found(const struct greta_tokenizer *t, const char *text, size_t len, bool *found) {
    size_t low = 0, high = t->n_specials;
    for (size_t depth = 0; depth < len && low < high; depth++) {
        unsigned byte = (unsigned char)text[depth];
        low = lower_bound(t, low, high, depth, byte);
        high = byte < 255 ? lower_bound(t, low, high, depth, byte + 1) : high;
        if (low < high && t->specials[low]->text.len == depth + 1) found[low] = true;
    }
}

static int longest_first(const void *a, const void *b) {
    const struct token *x = *(const struct token *const *)a, *y = *(const struct token *const *)b;
    if (x->text.len != y->text.len) return x->text.len > y->text.len ? -1 : 1;
    return (x > y) - (x < y);
}

/* The special tokens that occur in the text, in the order in which they are cut out. NULL: no memory. */
static const struct token **occurring(const struct greta_tokenizer *t, const char *text, size_t len,
                                      bool control, size_t *out_n) {
    bool *found = calloc(t->n_specials + 1, sizeof *found);
    const struct token **list = malloc((t->n_specials + 1) * sizeof(const struct token *));
    size_t n = 0;
    for (size_t i = 0; found && i < len; i++)
        if (t->special_first[(unsigned char)text[i]]) mark_found(t, text + i, len - i, found);
    for (size_t i = 0; found && list && i < t->n_specials; i++)
        if (found[i] && (control || t->specials[i]->type == TOKEN_USER_DEFINED)) list[n++] = t->specials[i];
    if (list) qsort(list, n, sizeof *list, longest_first);
    if (!found) {
        free(list);
        list = NULL;
    }
    free(found);
    *out_n = n;
    return list;
}

static bool span_push(struct span_list *list, uint32_t offset, uint32_t len, uint32_t id) {
    if (len == 0) return true;
    if (list->n == list->room) {
        size_t room = list->room ? list->room * 2 : 16;
        struct span *p = realloc(list->spans, room * sizeof *p);
        if (!p) return false;
        list->spans = p;
        list->room = room;
    }
    list->spans[list->n++] = (struct span){offset, len, id};
    return true;
}

static bool is_white(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cuts every occurrence of a token out of the plain text of `in`, leftmost first. */
static bool cut(const char *text, const struct span_list *in, const struct token *token, uint32_t id,
                struct span_list *out) {
    uint32_t token_len = (uint32_t)token->text.len;
    for (size_t i = 0; i < in->n; i++) {
        struct span s = in->spans[i];
        const char *hit;
        while (s.id == TOKEN_NONE && (hit = memmem(text + s.offset, s.len, token->text.data, token_len))) {
            uint32_t before = (uint32_t)(hit - (text + s.offset));
            if (!span_push(out, s.offset, before, TOKEN_NONE) ||
                !span_push(out, s.offset + before, token_len, id))
                return false;
            s.offset += before + token_len;
            s.len -= before + token_len;
            for (; token->strips && s.len && is_white(text[s.offset]); s.len--) s.offset++;
        }
        if (!span_push(out, s.offset, s.len, s.id)) return false;
    }
    return true;
}

greta_status special_split(const struct greta_tokenizer *t, const char *text, size_t len, bool control,
                           struct span_list *out) {
    size_t n = 0;
    *out = (struct span_list){0};
    const struct token **list = occurring(t, text, len, control, &n);
    bool ok = list && span_push(out, 0, (uint32_t)len, TOKEN_NONE);
    for (size_t i = 0; ok && i < n; i++) {
        struct span_list next = {0};
        uint32_t id = vocab_find(t, list[i]->text.data, list[i]->text.len);
        ok = cut(text, out, list[i], id, &next);
        free(out->spans);
        *out = next;
    }
    free(list);
    if (!ok) {
        free(out->spans);
        *out = (struct span_list){0};
    }
    return ok ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}
