/* A growing arena: many small allocations with one lifetime, freed together. Not thread-safe. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_block *head; /* zero is an empty arena */
};

/* `size` bytes, zeroed, 16-byte aligned; NULL when memory is out. A size of 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* An array of n elements; NULL where n * size overflows or memory is out. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* A copy of `len` bytes with a zero byte behind them. */
char *arena_strndup(struct arena *a, const char *s, size_t len);
/* Frees all of it; the arena is empty and usable again. */
void arena_free(struct arena *a);

#endif
