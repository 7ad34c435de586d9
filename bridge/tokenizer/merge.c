#include "internal.h"

#include <stdlib.h>

/* A pair of neighbours that could merge. It is stale once either has grown, which its size tells. */
struct candidate {
    double priority;
    uint32_t left, right, size, token;
};

static bool before(const struct candidate *a, const struct candidate *b) {
    return a->priority < b->priority || (a->priority == b->priority && a->left < b->left);
}

static bool heap_push(struct merger *m, struct candidate c) {
    if (m->n_heap == m->heap_room) {
        size_t room = m->heap_room ? m->heap_room * 2 : 64;
        struct candidate *p = realloc(m->heap, room * sizeof *p);
        if (!p) return false;
        m->heap = p;
        m->heap_room = room;
    }
    size_t i = m->n_heap++;
    for (size_t up; i > 0 && before(&c, &m->heap[up = (i - 1) / 2]); i = up) m->heap[i] = m->heap[up];
    m->heap[i] = c;
    return true;
}

static struct candidate heap_pop(struct merger *m) {
    struct candidate top = m->heap[0], last = m->heap[--m->n_heap];
    size_t i = 0;
    for (size_t down; (down = 2 * i + 1) < m->n_heap; i = down) {
        if (down + 1 < m->n_heap && before(&m->heap[down + 1], &m->heap[down])) down++;
        if (!before(&m->heap[down], &last)) break;
        m->heap[i] = m->heap[down];
    }
    if (m->n_heap) m->heap[i] = last;
    return top;
}

bool merger_add(struct merger *m, uint32_t offset, uint32_t len, uint32_t token) {
    if (m->n_symbols == m->symbols_room) {
        size_t room = m->symbols_room ? m->symbols_room * 2 : 64;
        struct symbol *p = realloc(m->symbols, room * sizeof *p);
        if (!p) return false;
        m->symbols = p;
        m->symbols_room = room;
    }
    uint32_t i = m->n_symbols++;
    m->symbols[i] = (struct symbol){
        .offset = offset, .len = len, .token = token, .prev = i ? i - 1 : TOKEN_NONE, .next = TOKEN_NONE};
    if (i) m->symbols[i - 1].next = i;
    return true;
}

static bool consider(struct merger *m, const struct greta_tokenizer *t, const char *text, merge_find_fn *find,
                     uint32_t left, uint32_t right) {
    if (left == TOKEN_NONE || right == TOKEN_NONE) return true;
    const struct symbol *l = &m->symbols[left], *r = &m->symbols[right];
    struct candidate c = {.left = left, .right = right, .size = l->len + r->len};
    return !find(t, text, l, r, &c.priority, &c.token) || heap_push(m, c);
}

bool merger_run(struct merger *m, const struct greta_tokenizer *t, const char *text, merge_find_fn *find) {
    m->n_heap = 0;
    for (uint32_t i = 1; i < m->n_symbols; i++)
        if (!consider(m, t, text, find, i - 1, i)) return false;
    while (m->n_heap) {
        struct candidate c = heap_pop(m);
        struct symbol *l = &m->symbols[c.left], *r = &m->symbols[c.right];
        if (!l->len || !r->len || l->len + r->len != c.size) continue;
        l->len = c.size;
        l->token = c.token;
        l->next = r->next;
        r->len = 0;
        if (l->next != TOKEN_NONE) m->symbols[l->next].prev = c.left;
        if (!consider(m, t, text, find, l->prev, c.left) || !consider(m, t, text, find, c.left, l->next))
            return false;
    }
    return true;
}

void merger_free(struct merger *m) {
    free(m->symbols);
    free(m->heap);
    *m = (struct merger){0};
}
