/*
 * Allocations that fail when a test says so: for one file of a program that is linked with --wrap for malloc, calloc and realloc, and for
 * what ALLOC_WRAPS_STRDUP and ALLOC_WRAPS_ALIGNED, defined before it, say.
 */
#ifndef TESTS_ALLOC_H
#define TESTS_ALLOC_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* Those since allocations_begin; the one that fails, from 1. 0: none fails, and none is counted. */
static atomic_ulong n_allocations, fail_at;
#define ALLOC_COUNT ULONG_MAX /* in place of fail_at: they are only counted */

static inline void allocations_begin(unsigned long fails_at) {
    atomic_store(&n_allocations, 0);
    atomic_store(&fail_at, fails_at);
}

static inline bool allocation_fails(void) {
    unsigned long at = atomic_load(&fail_at);
    return at && atomic_fetch_add(&n_allocations, 1) + 1 == at;
}

/* `declared` are a function's parameters, `passed` their names. */
#define ALLOC_WRAP(type, name, declared, passed)                 \
    type __real_##name declared;                                 \
    type __wrap_##name declared;                                 \
    type __wrap_##name declared {                                \
        return allocation_fails() ? NULL : __real_##name passed; \
    }

ALLOC_WRAP(void *, malloc, (size_t size), (size))
ALLOC_WRAP(void *, calloc, (size_t n, size_t size), (n, size))
ALLOC_WRAP(void *, realloc, (void *p, size_t size), (p, size))
#ifdef ALLOC_WRAPS_ALIGNED
ALLOC_WRAP(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
#endif
#ifdef ALLOC_WRAPS_STRDUP
ALLOC_WRAP(char *, strdup, (const char *s), (s))
#endif

#endif
