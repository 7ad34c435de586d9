#include "check.h"

#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int is_zero(const unsigned char *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (p[i]) return 0;
    return 1;
}

/* Sizes around those of a block, each filled with its own byte: none may be moved or written by another. */
static void many(struct arena *a) {
    enum { N = 3000 };
    static unsigned char *p[N];
    static size_t size[N];
    for (size_t i = 0; i < N; i++) {
        size[i] = i % 97 == 0 ? 60000 + i : i % 251;
        p[i] = arena_alloc(a, size[i]);
        CHECK(p[i] && (uintptr_t)p[i] % 16 == 0 && is_zero(p[i], size[i]));
        if (p[i]) memset(p[i], (int)(i & 255) | 1, size[i]);
    }
    int intact = 1;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; p[i] && j < size[i]; j++) intact &= p[i][j] == ((i & 255) | 1);
    CHECK(intact);
}

int main(void) {
    struct arena a = {0};
    void *x = arena_alloc(&a, 0), *y = arena_alloc(&a, 0);
    CHECK(x && y && x != y);
    many(&a);
    arena_free(&a);
    CHECK(!a.head);
    many(&a); /* usable again */

    char *s = arena_strndup(&a, "abcdef", 3);
    CHECK(s && strcmp(s, "abc") == 0);
    s = arena_strndup(&a, NULL, 0);
    CHECK(s && !*s);
    uint64_t *words = arena_array(&a, 1000, sizeof *words);
    CHECK(words && is_zero((unsigned char *)words, 1000 * sizeof *words));

    CHECK(!arena_alloc(&a, SIZE_MAX) && !arena_alloc(&a, SIZE_MAX - 15));
    CHECK(!arena_array(&a, SIZE_MAX / 8 + 2, 8));
    CHECK(arena_array(&a, SIZE_MAX, 0) != NULL);
    CHECK(!arena_strndup(&a, "x", SIZE_MAX));
    arena_free(&a);
    arena_free(&a);
    return check_done();
}
