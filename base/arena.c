#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t used, size; /* bytes of data[] */
    _Alignas(16) unsigned char data[];
};

enum { BLOCK_BYTES = 64 * 1024 };

void *arena_alloc(struct arena *a, size_t size) {
    if (size > SIZE_MAX - sizeof(struct arena_block) - BLOCK_BYTES) return NULL;
    size = (size ? size + 15 : 16) & ~(size_t)15;
    struct arena_block *b = a->head;
    if (!b || b->size - b->used < size) {
        size_t bytes = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        struct arena_block *fresh = malloc(sizeof *fresh + bytes);
        if (!fresh) return NULL;
        *fresh = (struct arena_block){.next = b, .size = bytes};
        a->head = b = fresh;
    }
    void *p = b->data + b->used;
    b->used += size;
    return memset(p, 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size) {
    if (size && n > SIZE_MAX / size) return NULL;
    return arena_alloc(a, n * size);
}

char *arena_strndup(struct arena *a, const char *s, size_t len) {
    char *p = len < SIZE_MAX ? arena_alloc(a, len + 1) : NULL;
    if (p && len) memcpy(p, s, len);
    return p;
}

void arena_free(struct arena *a) {
    while (a->head) {
        struct arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
}
