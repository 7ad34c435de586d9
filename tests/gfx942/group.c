// One workgroup: its waves' registers at the start, their interleaving, barriers, and the loop over instructions.
#include <stdarg.h>
#include <stdlib.h>

#include "internal.h"

#define QUANTUM 64 // the most instructions of one wave before another may run

struct gfx_group *gfx_group_new(struct gfx_worker *worker) {
    struct gfx_group *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->worker = worker;
    g->m = worker->m;
    g->lds.bytes = calloc(1, GFX_LDS_BYTES + 64);
    g->lds.init = calloc(GFX_LDS_BYTES / 64 + 1, sizeof *g->lds.init);
    g->lds.wrote = calloc(GFX_LDS_BYTES + 64, sizeof *g->lds.wrote);
    g->lds.read = calloc(GFX_LDS_BYTES + 64, sizeof *g->lds.read);
    if (g->lds.bytes && g->lds.init && g->lds.wrote && g->lds.read) return g;
    gfx_group_delete(g);
    return NULL;
}

void gfx_group_delete(struct gfx_group *g) {
    if (!g) return;
    for (unsigned k = 0; k < GFX_MAX_WAVES; k++) {
        if (g->waves[k]) free(g->waves[k]->issue);
        free(g->waves[k]);
    }
    free(g->lds.bytes);
    free(g->lds.init);
    free(g->lds.wrote);
    free(g->lds.read);
    free(g->scratch);
    free(g);
}

static struct gfx_wave *wave_new(void) {
    struct gfx_wave *w = aligned_alloc(64, (sizeof *w + 63) / 64 * 64);
    if (!w) return NULL;
    memset(w, 0, offsetof(struct gfx_wave, v));
    w->issue = calloc(1, sizeof *w->issue);
    if (w->issue) return w;
    free(w);
    return NULL;
}

// ---- The state at a wave's first instruction, by the kernel's descriptor
static void give(struct gfx_wave *w, unsigned *at, uint32_t x) {
    w->s[*at] = x;
    w->sinit[*at >> 6] |= UINT64_C(1) << (*at & 63);
    ++*at;
}

static void give64(struct gfx_wave *w, unsigned *at, uint64_t x) {
    give(w, at, (uint32_t)x);
    give(w, at, (uint32_t)(x >> 32));
}

static void scalars(struct gfx_wave *w, const struct gfx_group *g) {
    const struct gfx_run *run = g->run;
    const struct gfx_kernel *k = run->kernel;
    unsigned at = 0, user = k->rsrc2 >> 1 & 31;
    if (k->properties & 1)
        at += 4; // the scratch buffer's descriptor: with architected scratch nobody reads it
    if (k->properties & 2) give64(w, &at, run->packet);
    if (k->properties & 4) give64(w, &at, 0);
    if (k->properties & 8) give64(w, &at, run->kernarg);
    if (k->properties & 16) give64(w, &at, 0);
    if (k->properties & 32) give64(w, &at, 0);
    if (k->properties & 64) give(w, &at, k->scratch_bytes);
    const uint32_t *args = (const uint32_t *)(uintptr_t)run->kernarg + (k->preload >> 7);
    for (unsigned n = k->preload & 127; n > 0; n--) give(w, &at, *args++);
    at = user;
    for (unsigned d = 0; d < 3; d++)
        if (k->rsrc2 >> (7 + d) & 1) give(w, &at, g->at[d]);
    if (k->rsrc2 >> 10 & 1) give(w, &at, 0);
    at = GFX_FLAT_SCRATCH;
    give64(w, &at, GFX_APERTURE_PRIVATE);
    at = GFX_XNACK;
    give64(w, &at, 0);
}

static void threads(struct gfx_wave *w, const struct gfx_group *g) {
    const uint32_t *n = g->run->launch->threads;
    unsigned dims = g->run->kernel->rsrc2 >> 11 & 3;
    uint64_t exec = 0;
    for (unsigned l = 0; l < GFX_LANES; l++) {
        uint32_t t = w->id * GFX_LANES + l, x = t % n[0], y = t / n[0] % n[1], z = t / n[0] / n[1];
        if (t >= g->n_threads) continue;
        exec |= UINT64_C(1) << l;
        w->v[0][l] = x | (dims > 0 ? y << 10 : 0) | (dims > 1 ? z << 20 : 0);
    }
    unsigned at = GFX_EXEC;
    give64(w, &at, exec);
    w->vinit[0] = exec;
}

static void wave_begin(struct gfx_wave *w, struct gfx_group *g, unsigned id) {
    const struct gfx_kernel *k = g->run->kernel;
    uint32_t total = ((k->rsrc1 & 63) + 1) * 8;
    w->group = g;
    w->id = id;
    w->n_vgpr = k->accum_offset < total ? k->accum_offset : total;
    w->n_agpr = total - w->n_vgpr;
    memset(w->vinit, 0, sizeof w->vinit);
    w->sinit[0] = w->sinit[1] = 0;
    w->scc = 0;
    w->mode = (k->rsrc1 >> 12 & 0xff) | (k->rsrc1 >> 21 & 1) << 8 | (k->rsrc1 >> 23 & 1) << 9 |
              (k->rsrc1 >> 26 & 1) << 23;
    w->state = GFX_READY;
    w->fault = 0;
    w->wmask = 0;
    w->lanes_of = 0;
    memset(w->lanes, 0, sizeof w->lanes);
    gfx_issue_reset(w->issue);
    scalars(w, g);
    threads(w, g);
    w->pc = g->run->entry;
}

bool gfx_group_begin(struct gfx_group *g, struct gfx_run *run, uint32_t id) {
    const uint32_t *n = run->launch->groups, *t = run->launch->threads;
    g->run = run;
    g->id = id;
    g->at[0] = id % n[0], g->at[1] = id / n[0] % n[1], g->at[2] = id / n[0] / n[1];
    g->xcd = id % GFX_XCDS;
    g->n_threads = t[0] * t[1] * t[2];
    g->n_waves = run->waves_per_group;
    g->polls = 0;
    g->yielded = false;
    g->rng = (run->m->options.seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + id * UINT64_C(0xd1342543de82ef95);
    size_t scratch = (size_t)run->kernel->scratch_bytes * g->n_waves * GFX_LANES;
    if (scratch > g->scratch_cap) {
        free(g->scratch);
        g->scratch = malloc(scratch);
        g->scratch_cap = g->scratch ? scratch : 0;
        if (!g->scratch) return false;
    }
    gfx_lds_begin(&g->lds, run->lds_bytes, g->n_waves > 1);
    for (unsigned k = 0; k < g->n_waves; k++) {
        if (!g->waves[k]) g->waves[k] = wave_new();
        if (!g->waves[k]) return false;
        wave_begin(g->waves[k], g, k);
    }
    struct gfx_stats *s = &g->worker->stats;
    s->groups++;
    s->waves += g->n_waves;
    return true;
}

// ---- Faults
void gfx_fault(struct gfx_wave *w, const char *format, ...) {
    struct gfx_run *run = w->group->run;
    char why[600], text[200] = "";
    if (w->fault) return;
    w->fault = 1;
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    if (atomic_exchange(&run->failed, true)) return;
    const struct gfx_inst *i = w->issue->current;
    const struct gfx_object *o = run->kernel->object;
    if (i && i->n_words)
        gfx_text(run->m, o->image + i->offset_in_text, o->image_bytes - i->offset_in_text, text, sizeof text);
    gfx_fail(run->m, GFX_FAULT, "%s, workgroup (%u,%u,%u), wave %u, pc %#llx, %s: %s", run->kernel->name,
             w->group->at[0], w->group->at[1], w->group->at[2], w->id,
             i ? (unsigned long long)(i->offset_in_text - run->kernel->entry) : 0, text[0] ? text : "(end)",
             why);
}

// ---- Running
static uint64_t next_random(struct gfx_group *g) {
    g->rng ^= g->rng << 13;
    g->rng ^= g->rng >> 7;
    g->rng ^= g->rng << 17;
    return g->rng >> 11;
}

static void count(struct gfx_stats *s, const struct gfx_inst *i) {
    s->instructions++;
    s->by_class[i->op->cls]++;
    s->mfma_flops += i->flops;
}

static bool step(struct gfx_wave *w) {
    const struct gfx_inst *i = w->pc;
    w->issue->current = i;
    w->wmask = i->op->flags & GFX_F_ALL_LANES ? GFX_ALL : gfx_exec(w);
    if (!gfx_issue_check(w, i)) return false;
    uint64_t good = gfx_copied_lanes(w, i);
    w->pc = i + 1;
    i->fn(w, i);
    if (w->fault) return false;
    gfx_issue_done(w, i, good);
    return true;
}

static uint64_t wave_run(struct gfx_wave *w, uint64_t n) {
    uint64_t k = 0;
    bool stats = w->group->m->options.stats;
    while (k < n && w->state == GFX_READY && !w->group->yielded) {
        if (stats) count(&w->group->worker->stats, w->pc);
        k++;
        if (!step(w)) break;
    }
    return k;
}

static bool release(struct gfx_group *g) {
    struct gfx_wave *waiting = NULL, *ended = NULL;
    for (unsigned k = 0; k < g->n_waves; k++) {
        if (g->waves[k]->state == GFX_AT_BARRIER)
            waiting = g->waves[k];
        else
            ended = g->waves[k];
    }
    if (ended) {
        gfx_fault(waiting, "a barrier that wave %u never reaches: it ended", ended->id);
        return false;
    }
    gfx_lds_barrier(g);
    if (g->run->track)
        gfx_sync_epoch(waiting); // what is stored from here on is younger than what was waited for
    for (unsigned k = 0; k < g->n_waves; k++) g->waves[k]->state = GFX_READY;
    for (unsigned k = 0; k < g->n_waves; k++)
        if (!gfx_lds_renote(g->waves[k])) return false;
    return true;
}

enum gfx_progress gfx_group_run(struct gfx_group *g, uint64_t budget) {
    uint64_t used = 0;
    g->yielded = false;
    while (used < budget && !g->yielded) {
        struct gfx_wave *ready[GFX_MAX_WAVES];
        unsigned n_ready = 0, n_waiting = 0;
        for (unsigned k = 0; k < g->n_waves; k++) {
            if (g->waves[k]->state == GFX_READY) ready[n_ready++] = g->waves[k];
            n_waiting += g->waves[k]->state == GFX_AT_BARRIER;
        }
        if (n_ready == 0 && n_waiting == 0) break;
        if (n_ready == 0) {
            if (!release(g)) return GFX_FAILED;
            continue;
        }
        uint64_t r = next_random(g);
        struct gfx_wave *w = ready[r % n_ready];
        used += wave_run(w, n_ready == 1 ? 4096 : 1 + r / 16 % QUANTUM);
        if (w->fault) break;
    }
    uint64_t total = atomic_fetch_add_explicit(&g->run->instructions, used, memory_order_relaxed) + used;
    if (total > g->m->options.max_instructions && !atomic_exchange(&g->run->failed, true))
        gfx_fail(g->m, GFX_TIMEOUT, "%s has not ended after %llu instructions", g->run->kernel->name,
                 (unsigned long long)total);
    if (atomic_load_explicit(&g->run->failed, memory_order_relaxed)) return GFX_FAILED;
    for (unsigned k = 0; k < g->n_waves; k++)
        if (g->waves[k]->state != GFX_ENDED) return GFX_YIELD;
    return GFX_DONE;
}
