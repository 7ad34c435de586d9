// Before and after every instruction: registers that exist, were written, and wait for nothing.
#include "internal.h"

void gfx_issue_reset(struct gfx_issue *q) {
    memset(q->busy, 0, sizeof q->busy);
    q->n_vm = q->n_lgkm = q->n_mats = q->n_hist = 0;
    q->now = 64;
    q->last_mat = q->last_dot = 0;
    q->lds_next = q->lds_new = q->n_dma = 0;
    q->near = NULL;
}

static bool any_busy(const struct gfx_issue *q, unsigned reg, unsigned n) {
    uint64_t mask = n >= 64 ? GFX_ALL : (UINT64_C(1) << n) - 1;
    unsigned word = reg >> 6, shift = reg & 63;
    if (q->busy[word] & mask << shift) return true;
    return shift + n > 64 && q->busy[word + 1] & mask >> (64 - shift);
}

static void set_busy(struct gfx_issue *q, unsigned reg, unsigned n) {
    for (unsigned r = reg; r < reg + n; r++) q->busy[r >> 6] |= UINT64_C(1) << (r & 63);
}

static const struct gfx_pending *pending_on(const struct gfx_issue *q, const struct gfx_use *u,
                                            const char **counter) {
    for (unsigned k = 0; k < 2; k++) {
        const struct gfx_pending *list = k ? q->lgkm : q->vm;
        for (uint32_t i = 0; i < (k ? q->n_lgkm : q->n_vm); i++)
            if (list[i].n && list[i].reg < u->reg + u->n && u->reg < list[i].reg + list[i].n) {
                *counter = k ? "lgkmcnt" : "vmcnt";
                return &list[i];
            }
    }
    return NULL;
}

static bool fault_busy(struct gfx_wave *w, const struct gfx_use *u) {
    const char *counter = "vmcnt";
    const struct gfx_pending *p = pending_on(w->issue, u, &counter);
    char text[16];
    gfx_reg_name(p && p->reg > u->reg ? p->reg : u->reg, text);
    gfx_fault(w, "%s %s, which a load that was not waited for still writes (s_waitcnt %s)",
              u->how & 1 ? "reads" : "writes", text, counter);
    return false;
}

static bool fault_unwritten(struct gfx_wave *w, const struct gfx_use *u, uint64_t need) {
    char text[16];
    for (unsigned r = u->reg; r < u->reg + (unsigned)u->n; r++) {
        if (u->reg >= 512) {
            if (w->sinit[(r - 512) >> 6] >> ((r - 512) & 63) & 1) continue;
            gfx_fault(w, "reads %s, which was never written", gfx_reg_name(r, text));
            return false;
        }
        uint64_t missing = need & ~w->vinit[r];
        if (!missing) continue;
        gfx_fault(w, "reads %s, which was never written in lane %d (lanes %#llx)", gfx_reg_name(r, text),
                  __builtin_ctzll(missing), (unsigned long long)missing);
        return false;
    }
    return true;
}

// Loads come back in order: one may have the destination of another that is under way.
static bool load_after_load(const struct gfx_issue *q, const struct gfx_inst *i, const struct gfx_use *u) {
    if (u->how & 1 || i->op->cls != GFX_C_LOAD) return false;
    for (uint32_t k = 0; k < q->n_lgkm; k++)
        if (q->lgkm[k].n && q->lgkm[k].reg < u->reg + u->n && u->reg < q->lgkm[k].reg + q->lgkm[k].n)
            return false;
    return true;
}

// Of a pair of which an instruction reads one half, or a sum's upper half that may be anything: the register that counts.
static struct gfx_use must_be_written(const struct gfx_use *u) {
    struct gfx_use read = *u;
    if (u->how & (GFX_U_LOW | GFX_U_HIGH))
        read.reg = (uint16_t)(u->reg + (u->how & GFX_U_HIGH ? 1 : 0)), read.n = 1;
    return read;
}

static bool check_vgpr(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_use *u, uint64_t exec) {
    unsigned end = u->reg + (unsigned)u->n;
    if (u->reg < GFX_ACC ? end > w->n_vgpr : end - GFX_ACC > w->n_agpr) {
        char text[16];
        gfx_fault(w, "%s is beyond the registers that the kernel's descriptor allocates (%u VGPRs, %u AGPRs)",
                  gfx_reg_name(end - 1, text), w->n_vgpr, w->n_agpr);
        return false;
    }
    if (any_busy(w->issue, u->reg, u->n) && !load_after_load(w->issue, i, u)) return fault_busy(w, u);
    if (!(u->how & 1) || i->op->flags & (GFX_F_COPY | GFX_F_RAW_SRC)) return true;
    uint64_t missing = 0;
    struct gfx_use read = must_be_written(u);
    for (unsigned r = read.reg; r < read.reg + (unsigned)read.n; r++) missing |= ~w->vinit[r];
    uint64_t need = i->op->flags & GFX_F_ALL_LANES ? GFX_ALL : exec;
    return !(missing & need) || fault_unwritten(w, &read, need);
}

static bool check_sgpr(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_use *u) {
    if (any_busy(w->issue, u->reg, u->n)) return fault_busy(w, u);
    if (!(u->how & 1) || i->op->flags & GFX_F_COPY) return true;
    struct gfx_use read = must_be_written(u);
    unsigned r = read.reg - 512u, word = r >> 6, shift = r & 63;
    uint64_t mask = read.n >= 64 ? GFX_ALL : (UINT64_C(1) << read.n) - 1;
    bool all = (w->sinit[word] & mask << shift) == mask << shift;
    if (all && shift + read.n > 64) all = (w->sinit[1] & mask >> (64 - shift)) == mask >> (64 - shift);
    return all || fault_unwritten(w, &read, 0);
}

bool gfx_issue_check(struct gfx_wave *w, const struct gfx_inst *i) {
    uint64_t exec = gfx_exec(w);
    for (unsigned k = 0; k < i->n_uses; k++) {
        const struct gfx_use *u = &i->uses[k];
        if (u->reg < 512 ? !check_vgpr(w, i, u, exec) : !check_sgpr(w, i, u)) return false;
    }
    return gfx_hazard_check(w, i);
}

bool gfx_need_lanes(struct gfx_wave *w, unsigned reg, uint64_t lanes) {
    if (!(lanes & ~w->vinit[reg])) return true;
    return fault_unwritten(w, &(struct gfx_use){(uint16_t)reg, 1, 1}, lanes);
}

// ---- After the instruction: what it wrote
static uint64_t source_lanes(struct gfx_wave *w, const struct gfx_inst *i) {
    uint64_t lanes[4] = {GFX_ALL, GFX_ALL, GFX_ALL, GFX_ALL}, all = GFX_ALL;
    for (unsigned k = 0; k < i->n_src; k++) {
        const struct gfx_operand *o = &i->src[k];
        for (unsigned r = 0; r < o->n; r++) {
            if (o->kind == GFX_K_VGPR)
                lanes[k] &= w->vinit[o->reg + r];
            else if (o->kind == GFX_K_SGPR && !(w->sinit[(o->reg + r) >> 6] >> ((o->reg + r) & 63) & 1))
                lanes[k] = 0;
        }
        all &= lanes[k];
    }
    if (!(i->op->flags & GFX_F_SELECT)) return all;
    if (i->n_src == 2) return w->scc ? lanes[0] : lanes[1]; // s_cselect
    uint64_t choice = gfx_mask(w, i, 2);
    return (lanes[1] & choice) | (lanes[0] & ~choice);
}

static void mark(struct gfx_wave *w, const struct gfx_use *u, uint64_t good) {
    if (u->reg < 512) {
        for (unsigned r = u->reg; r < u->reg + (unsigned)u->n; r++)
            w->vinit[r] = (w->vinit[r] & ~w->wmask) | (w->wmask & good) | (good == GFX_ALL ? w->vinit[r] : 0);
        return;
    }
    for (unsigned r = u->reg - 512u; r < u->reg - 512u + u->n; r++) {
        uint64_t bit = UINT64_C(1) << (r & 63);
        w->sinit[r >> 6] = good == GFX_ALL ? w->sinit[r >> 6] | bit : w->sinit[r >> 6] & ~bit;
    }
}

void gfx_issue_done(struct gfx_wave *w, const struct gfx_inst *i, uint64_t good) {
    for (unsigned k = 0; k < i->n_uses; k++)
        if (i->uses[k].how & 2) mark(w, &i->uses[k], good);
    gfx_hazard_done(w, i);
}

uint64_t gfx_copied_lanes(struct gfx_wave *w, const struct gfx_inst *i) {
    return i->op->flags & GFX_F_COPY ? source_lanes(w, i) : GFX_ALL;
}

// ---- Outstanding memory instructions
static void retire(struct gfx_wave *w, const struct gfx_pending *p) {
    if (p->kind == GFX_W_WB) gfx_sync_written_back(w, p->epoch);
    if (p->kind == GFX_W_DMA) w->issue->n_dma--;
}

static void rebuild(struct gfx_issue *q) {
    memset(q->busy, 0, sizeof q->busy);
    for (uint32_t k = 0; k < q->n_vm; k++) set_busy(q, q->vm[k].reg, q->vm[k].n);
    for (uint32_t k = 0; k < q->n_lgkm; k++) set_busy(q, q->lgkm[k].reg, q->lgkm[k].n);
}

void gfx_wait(struct gfx_wave *w, unsigned vm, unsigned lgkm) {
    struct gfx_issue *q = w->issue;
    bool changed = false;
    if (q->n_vm > vm) { // in order
        uint32_t n = q->n_vm - vm;
        for (uint32_t k = 0; k < n; k++) retire(w, &q->vm[k]);
        memmove(q->vm, q->vm + n, vm * sizeof *q->vm);
        q->n_vm = vm;
        changed = true;
    }
    // LDS is in order with itself, scalar loads with nothing: with n still out, an LDS access is done once n later ones exist.
    if (q->n_lgkm > lgkm) {
        uint32_t later = 0, keep = q->n_lgkm;
        for (uint32_t k = q->n_lgkm; k-- > 0;) {
            bool lds = q->lgkm[k].kind == GFX_W_LDS;
            bool stays = lgkm > 0 && (!lds || later < lgkm);
            later += lds;
            if (stays) q->lgkm[--keep] = q->lgkm[k];
        }
        q->n_lgkm -= keep;
        memmove(q->lgkm, q->lgkm + keep, q->n_lgkm * sizeof *q->lgkm);
        changed = true;
    }
    if (changed) rebuild(q);
}

static void push(struct gfx_wave *w, struct gfx_pending *list, uint32_t *n, const struct gfx_pending *p,
                 bool vm) {
    // The counters hold 63 and 15: the hardware waits rather than count on.
    if (vm && *n == 63) gfx_wait(w, 62, GFX_MAX_PENDING);
    if (!vm && *n == 15) {
        gfx_wait(w, GFX_MAX_PENDING, 14);
        if (*n == 15) gfx_wait(w, GFX_MAX_PENDING, 0);
    }
    list[(*n)++] = *p;
    set_busy(w->issue, p->reg, p->n);
}

void gfx_pend(struct gfx_wave *w, enum gfx_wait_kind kind, unsigned reg, unsigned n) {
    struct gfx_issue *q = w->issue;
    struct gfx_pending p = {.kind = (uint8_t)kind, .n = (uint8_t)n, .reg = (uint16_t)reg};
    if (kind == GFX_W_WB) p.epoch = gfx_sync_write_back(w);
    if (kind == GFX_W_STORE) p.epoch = atomic_load_explicit(&w->group->m->epoch, memory_order_relaxed);
    if (kind == GFX_W_LDS) p.access = q->lds_next, p.n_access = q->lds_new;
    q->lds_new = 0;
    if (kind == GFX_W_LDS || kind == GFX_W_SMEM || kind == GFX_W_FLAT)
        push(w, q->lgkm, &q->n_lgkm, &p, false);
    if (kind != GFX_W_LDS && kind != GFX_W_SMEM) push(w, q->vm, &q->n_vm, &p, true);
}

void gfx_pend_dma(struct gfx_wave *w, uint32_t lo, uint32_t hi) {
    struct gfx_issue *q = w->issue;
    struct gfx_pending p = {.kind = GFX_W_DMA, .lo = lo, .hi = hi};
    q->lds_new = 0;
    push(w, q->vm, &q->n_vm, &p, true);
    q->n_dma++;
}
