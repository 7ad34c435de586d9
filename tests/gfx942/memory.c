// Allocations, their bounds, and what the L2 of one XCD may not know of the others.
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "internal.h"

#define ALIGN 256
#define HUGE_PAGE ((size_t)2 << 20)

enum gfx_status gfx_fail(struct gfx_machine *m, enum gfx_status status, const char *format, ...) {
    pthread_mutex_lock(&m->error_lock);
    va_list args;
    va_start(args, format);
    m->status = status;
    vsnprintf(m->error, sizeof m->error, format, args);
    va_end(args);
    pthread_mutex_unlock(&m->error_lock);
    return status;
}

const char *gfx_error(const struct gfx_machine *m) {
    return m->error;
}

// The index of the first allocation that begins after `at`.
static size_t after(const struct gfx_machine *m, uintptr_t at) {
    size_t lo = 0, hi = m->n_mems;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (m->mems[mid]->base <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct gfx_mem *gfx_mem_find(struct gfx_machine *m, uintptr_t at, size_t bytes) {
    size_t i = after(m, at);
    if (i == 0) return NULL;
    struct gfx_mem *a = m->mems[i - 1];
    return at < a->end && bytes <= a->end - at ? a : NULL;
}

struct gfx_mem *gfx_mem_add(struct gfx_machine *m, void *p, size_t bytes) {
    if (m->n_mems == m->cap_mems) {
        size_t cap = m->cap_mems ? 2 * m->cap_mems : 64;
        struct gfx_mem **mems = realloc(m->mems, cap * sizeof *mems);
        if (!mems) return NULL;
        m->mems = mems, m->cap_mems = cap;
    }
    struct gfx_mem *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    a->base = (uintptr_t)p;
    a->end = a->base + bytes;
    size_t i = after(m, a->base);
    memmove(m->mems + i + 1, m->mems + i, (m->n_mems - i) * sizeof *m->mems);
    m->mems[i] = a;
    m->n_mems++;
    return a;
}

void *gfx_mem_new(struct gfx_machine *m, size_t bytes, bool hidden) {
    size_t rounded = bytes / ALIGN * ALIGN + (bytes % ALIGN || !bytes ? ALIGN : 0);
    if (bytes > SIZE_MAX - ALIGN || (!hidden && rounded > m->options.memory_bytes - m->used)) return NULL;
    /* All of it is written below: in small pages that is most of the time of a large allocation. */
    bool large = rounded >= 2 * HUGE_PAGE;
    void *p = NULL;
    if (posix_memalign(&p, large ? HUGE_PAGE : ALIGN, rounded)) return NULL;
    if (large) madvise(p, rounded / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    struct gfx_mem *a = gfx_mem_add(m, p, bytes);
    if (!a) {
        free(p);
        return NULL;
    }
    a->hidden = hidden;
    if (!hidden) m->used += rounded;
    memset(p, m->options.poison && !hidden ? 0xff : 0, rounded);
    return p;
}

void *gfx_alloc(struct gfx_machine *m, size_t bytes) {
    return gfx_mem_new(m, bytes, false);
}

static bool forget(struct gfx_machine *m, const void *p, bool mapped) {
    size_t i = after(m, (uintptr_t)p);
    if (i == 0) return false;
    struct gfx_mem *a = m->mems[i - 1];
    if (a->base != (uintptr_t)p || a->mapped != mapped) return false;
    if (!mapped) {
        size_t bytes = a->end - a->base;
        if (!a->hidden) m->used -= bytes / ALIGN * ALIGN + (bytes % ALIGN || !bytes ? ALIGN : 0);
        free((void *)a->base);
    }
    free(atomic_load(&a->stamps));
    free(a);
    memmove(m->mems + i - 1, m->mems + i, (m->n_mems - i) * sizeof *m->mems);
    m->n_mems--;
    return true;
}

bool gfx_free(struct gfx_machine *m, void *p) {
    return forget(m, p, false);
}

bool gfx_map(struct gfx_machine *m, void *p, size_t bytes) {
    size_t i = after(m, (uintptr_t)p);
    if (bytes == 0 || (i > 0 && m->mems[i - 1]->end > (uintptr_t)p)) return false;
    if (i < m->n_mems && m->mems[i]->base - (uintptr_t)p < bytes) return false;
    struct gfx_mem *a = gfx_mem_add(m, p, bytes);
    if (a) a->mapped = true;
    return a != NULL;
}

bool gfx_unmap(struct gfx_machine *m, void *p) {
    return forget(m, p, true);
}

bool gfx_find(struct gfx_machine *m, const void *p, void **base, size_t *bytes) {
    struct gfx_mem *a = gfx_mem_find(m, (uintptr_t)p, 1);
    if (!a || a->hidden) return false;
    if (base) *base = (void *)a->base;
    if (bytes) *bytes = a->end - a->base;
    return true;
}

uint64_t gfx_memory_used(const struct gfx_machine *m) {
    return m->used;
}

void gfx_mem_describe(struct gfx_machine *m, uintptr_t at, size_t bytes, char *text, size_t n_text) {
    size_t i = after(m, at);
    const struct gfx_mem *below = i > 0 ? m->mems[i - 1] : NULL, *above = i < m->n_mems ? m->mems[i] : NULL;
    if (below && (!above || at - below->end <= above->base - at - bytes || at < below->end))
        snprintf(text, n_text,
                 "%zu bytes at %#zx end %zu bytes past the end of an allocation of %zu bytes at %#zx", bytes,
                 (size_t)at, (size_t)(at + bytes - below->end), (size_t)(below->end - below->base),
                 (size_t)below->base);
    else if (above)
        snprintf(text, n_text, "%zu bytes at %#zx begin %zu bytes before an allocation of %zu bytes at %#zx",
                 bytes, (size_t)at, (size_t)(above->base - at), (size_t)(above->end - above->base),
                 (size_t)above->base);
    else
        snprintf(text, n_text, "%zu bytes at %#zx lie in no allocation", bytes, (size_t)at);
}

// ---- Visibility. A store is known to its own group. Another group sees it once the writer's group has written its L2 back
// (buffer_wbl2 sc1, waited for) and, after that, its own has thrown away what it holds (buffer_inv sc1); on the same XCD the second is
// enough, the L2 is shared and only the L1 is not. A load that cannot see a store of this launch is an error here: on the hardware it
// may return the old bytes or the new ones. Loads with sc1 read the point of coherence: the first is enough for them.

static struct gfx_stamp *stamps_of(struct gfx_mem *a) {
    struct gfx_stamp *s = atomic_load_explicit(&a->stamps, memory_order_acquire);
    if (s) return s;
    s = calloc((a->end - a->base + 3) / 4 + 1, sizeof *s);
    struct gfx_stamp *none = NULL;
    if (s && !atomic_compare_exchange_strong(&a->stamps, &none, s)) {
        free(s);
        s = none;
    }
    return s;
}

void gfx_mem_stored(struct gfx_wave *w, struct gfx_mem *a, uintptr_t at, uint32_t bytes, bool coherent) {
    struct gfx_run *run = w->group->run;
    if (!run->track) return;
    struct gfx_stamp *s = stamps_of(a);
    if (!s) return;
    uint32_t epoch = atomic_load_explicit(&run->m->epoch, memory_order_relaxed);
    if (atomic_load_explicit(&a->stored_epoch, memory_order_relaxed) < epoch)
        atomic_store_explicit(&a->stored_epoch, epoch, memory_order_relaxed);
    struct gfx_stamp stamp = {epoch,
                              (w->group->id + 1) | w->id << GFX_WRITER_BITS | (coherent ? GFX_COHERENT : 0)};
    for (size_t i = (at - a->base) / 4; i <= (at + bytes - 1 - a->base) / 4; i++) s[i] = stamp;
}

// When the bytes that a wave of the group stored at `epoch` were in memory; UINT32_MAX: they are not yet.
static uint32_t written_back(const struct gfx_sync *s, unsigned wave, uint32_t epoch) {
    for (uint32_t k = 0; k < s->n_wb; k++)
        if (epoch < s->wb[k].covers[wave] && s->wb[k].done != UINT32_MAX) return s->wb[k].done;
    return UINT32_MAX;
}

uint32_t gfx_sync_epoch(struct gfx_wave *w) {
    return atomic_fetch_add(&w->group->m->epoch, 1) + 1;
}

// Stores of the wave itself are ahead of its write-back; those of its group's other waves only once they were waited for.
static void cover(const struct gfx_group *g, const struct gfx_wave *w, uint32_t now,
                  struct gfx_write_back *b) {
    for (unsigned k = 0; k < g->n_waves; k++) {
        const struct gfx_issue *q = g->waves[k]->issue;
        b->covers[k] = now;
        for (uint32_t i = 0; g->waves[k] != w && i < q->n_vm; i++)
            if (q->vm[i].kind == GFX_W_STORE && q->vm[i].epoch < b->covers[k]) b->covers[k] = q->vm[i].epoch;
    }
}

uint32_t gfx_sync_write_back(struct gfx_wave *w) {
    struct gfx_run *run = w->group->run;
    if (!run->track) return 0;
    struct gfx_sync *s = &run->sync[w->group->id];
    uint32_t now = gfx_sync_epoch(w);
    pthread_mutex_lock(&run->m->sync_lock);
    if (s->n_wb == s->cap_wb) {
        uint32_t cap = s->cap_wb ? 2 * s->cap_wb : 8;
        struct gfx_write_back *wb = realloc(s->wb, cap * sizeof *wb);
        if (wb) s->wb = wb, s->cap_wb = cap;
    }
    uint32_t at = s->n_wb < s->cap_wb ? s->n_wb++ : UINT32_MAX;
    if (at != UINT32_MAX) {
        s->wb[at].done = UINT32_MAX;
        cover(w->group, w, now, &s->wb[at]);
    }
    pthread_mutex_unlock(&run->m->sync_lock);
    return at;
}

void gfx_sync_written_back(struct gfx_wave *w, uint32_t at) {
    struct gfx_run *run = w->group->run;
    atomic_thread_fence(memory_order_seq_cst);
    if (!run->track || at == UINT32_MAX) return;
    pthread_mutex_lock(&run->m->sync_lock);
    run->sync[w->group->id].wb[at].done = gfx_sync_epoch(w);
    pthread_mutex_unlock(&run->m->sync_lock);
}

void gfx_sync_invalidated(struct gfx_wave *w) {
    struct gfx_run *run = w->group->run;
    uint32_t epoch = gfx_sync_epoch(w);
    atomic_thread_fence(memory_order_seq_cst);
    if (run->track) run->sync[w->group->id].last_inv = epoch;
}

static bool stale(struct gfx_wave *w, struct gfx_stamp s, bool sc1) {
    struct gfx_run *run = w->group->run;
    uint32_t writer = (s.writer & GFX_WRITER) - 1, seen = s.epoch, wave = s.writer >> GFX_WRITER_BITS & 15;
    const struct gfx_sync *mine = &run->sync[w->group->id];
    if (!(s.writer & GFX_COHERENT) && (sc1 || writer % GFX_XCDS != w->group->xcd)) {
        // The writer's list may grow under another thread's hands: a lock, as this is rare.
        pthread_mutex_lock(&run->m->sync_lock);
        seen = writer % GFX_XCDS == w->group->xcd ? s.epoch : written_back(&run->sync[writer], wave, s.epoch);
        pthread_mutex_unlock(&run->m->sync_lock);
    }
    if (seen == UINT32_MAX) {
        gfx_fault(w,
                  "reads what wave %u of workgroup %u, on XCD %u, stored: its L2 was not written back after "
                  "it (no buffer_wbl2 "
                  "sc1 that was waited for, or another wave's while the store was under way); this is XCD %u",
                  wave, writer, writer % GFX_XCDS, w->group->xcd);
        return true;
    }
    if (!sc1 && mine->last_inv <= seen) {
        gfx_fault(
            w, "reads what workgroup %u, on XCD %u, stored, with no buffer_inv sc1 after it; this is XCD %u",
            writer, writer % GFX_XCDS, w->group->xcd);
        return true;
    }
    return false;
}

bool gfx_mem_loaded(struct gfx_wave *w, struct gfx_mem *a, uintptr_t at, uint32_t bytes, bool sc1) {
    struct gfx_run *run = w->group->run;
    if (!run->track || atomic_load_explicit(&a->stored_epoch, memory_order_relaxed) < run->first_epoch)
        return true;
    const struct gfx_stamp *s = atomic_load_explicit(&a->stamps, memory_order_acquire);
    if (!s) return true;
    for (size_t i = (at - a->base) / 4; i <= (at + bytes - 1 - a->base) / 4; i++) {
        if (s[i].epoch < run->first_epoch || (s[i].writer & GFX_WRITER) == w->group->id + 1) continue;
        if (stale(w, s[i], sc1)) return false;
    }
    return true;
}
