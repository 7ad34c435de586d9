/* The live handles: a table of pointers with their kinds, open addressing. A handle that was destroyed, or that is another kind's, is not
 * found. */
#include "hip.h"

#include <stdlib.h>

struct slot {
    const void *p;
    enum handle_kind kind; /* HANDLE_NONE with a pointer: removed */
};
static struct slot *slots;
static size_t n_slots, n_used;

static size_t home(const void *p) {
    return (size_t)(((uint64_t)(uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (n_slots - 1);
}

static struct slot *find(const void *p) {
    if (!n_slots || !p) return NULL;
    for (size_t i = home(p);; i = (i + 1) & (n_slots - 1)) {
        if (!slots[i].p) return NULL;
        if (slots[i].p == p && slots[i].kind != HANDLE_NONE) return &slots[i];
    }
}

static void put(const void *p, enum handle_kind kind) {
    size_t i = home(p);
    while (slots[i].p) i = (i + 1) & (n_slots - 1);
    slots[i] = (struct slot){p, kind};
    n_used++;
}

static bool grow(void) {
    struct slot *old = slots;
    size_t n_old = n_slots;
    struct slot *wider = calloc(n_old ? n_old * 2 : 256, sizeof *wider);
    if (!wider) return false;
    slots = wider;
    n_slots = n_old ? n_old * 2 : 256;
    n_used = 0;
    for (size_t i = 0; i < n_old; i++)
        if (old[i].kind != HANDLE_NONE) put(old[i].p, old[i].kind);
    free(old);
    return true;
}

bool handle_add(const void *p, enum handle_kind kind) {
    if (n_used * 2 >= n_slots && !grow()) return false;
    put(p, kind);
    return true;
}

bool handle_is(const void *p, enum handle_kind kind) {
    const struct slot *s = find(p);
    return s && s->kind == kind;
}

void handle_remove(const void *p) {
    struct slot *s = find(p);
    if (s) s->kind = HANDLE_NONE;
}
