// Branches, calls, waits, barriers, hardware registers, scalar memory.
#include "internal.h"

static void jump(struct gfx_wave *w, const struct gfx_inst *i, bool taken) {
    if (!taken) return;
    if (i->target)
        w->pc = i->target;
    else
        gfx_fault(w, "a branch to where no instruction begins");
}

#define BRANCH(name, condition)                                      \
    static void name(struct gfx_wave *w, const struct gfx_inst *i) { \
        jump(w, i, condition);                                       \
    }
BRANCH(s_branch, true)
BRANCH(s_cbranch_scc0, !w->scc)
BRANCH(s_cbranch_scc1, w->scc)
BRANCH(s_cbranch_vccz, gfx_vcc(w) == 0)
BRANCH(s_cbranch_vccnz, gfx_vcc(w) != 0)
BRANCH(s_cbranch_execz, gfx_exec(w) == 0)
BRANCH(s_cbranch_execnz, gfx_exec(w) != 0)

// ---- Program counter
static uint64_t address_after(const struct gfx_wave *w, const struct gfx_inst *i) {
    return (uint64_t)(uintptr_t)w->group->run->kernel->object->image + i->offset_in_text + 4 * i->n_words;
}

static void go(struct gfx_wave *w, uint64_t address) {
    struct gfx_object *o = w->group->run->kernel->object;
    const struct gfx_inst *to = gfx_inst_at(o, address - (uint64_t)(uintptr_t)o->image);
    if (to)
        w->pc = to;
    else
        gfx_fault(w, "a jump to %#llx, where no instruction begins", (unsigned long long)address);
}

static void s_getpc(struct gfx_wave *w, const struct gfx_inst *i) {
    gfx_put_s64(w, &i->dst, address_after(w, i));
}

static void s_setpc(struct gfx_wave *w, const struct gfx_inst *i) {
    go(w, gfx_scalar64(w, &i->src[0]));
}

static void s_swappc(struct gfx_wave *w, const struct gfx_inst *i) {
    uint64_t to = gfx_scalar64(w, &i->src[0]);
    gfx_put_s64(w, &i->dst, address_after(w, i));
    go(w, to);
}

static void s_call(struct gfx_wave *w, const struct gfx_inst *i) {
    uint64_t next = address_after(w, i);
    gfx_put_s64(w, &i->dst, next);
    go(w, next + (uint64_t)(4 * (int64_t)(int16_t)i->imm));
}

// ---- Waits and ends
static void s_waitcnt(struct gfx_wave *w, const struct gfx_inst *i) {
    gfx_stats_of(w)->waits++;
    gfx_wait(w, (i->imm & 15) | (i->imm >> 14 & 3) << 4, i->imm >> 8 & 15);
}

static void s_nothing(struct gfx_wave *w, const struct gfx_inst *i) {
    (void)w, (void)i;
}

static void s_barrier(struct gfx_wave *w, const struct gfx_inst *i) {
    (void)i;
    gfx_stats_of(w)->barriers++;
    if (w->group->n_waves > 1) w->state = GFX_AT_BARRIER;
}

static void s_endpgm(struct gfx_wave *w, const struct gfx_inst *i) {
    (void)i;
    w->state = GFX_ENDED;
}

static void s_sleep(struct gfx_wave *w, const struct gfx_inst *i) {
    (void)i;
    w->group->yielded = true;
}

static void s_trap(struct gfx_wave *w, const struct gfx_inst *i) {
    gfx_fault(w, "s_trap %u", i->imm & 255);
}

// ---- Hardware registers
enum { HW_MODE = 1, HW_STATUS = 2, HW_ID = 4, HW_XCC_ID = 20 };

static void s_getreg(struct gfx_wave *w, const struct gfx_inst *i) {
    unsigned id = i->imm & 63, offset = i->imm >> 6 & 31, size = (i->imm >> 11 & 31) + 1;
    uint32_t x;
    switch (id) {
    case HW_MODE: x = w->mode; break;
    case HW_STATUS: x = w->scc | (gfx_exec(w) == 0) << 9 | (gfx_vcc(w) == 0) << 10 | 1u << 16; break;
    case HW_ID: x = w->id & 15; break;
    case HW_XCC_ID: x = w->group->xcd; break;
    default: gfx_fault(w, "s_getreg of hardware register %u, which this machine does not have", id); return;
    }
    gfx_put_s32(w, &i->dst, size == 32 ? x >> offset : x >> offset & ((1u << size) - 1));
}

static void set_hwreg(struct gfx_wave *w, const struct gfx_inst *i, uint32_t x) {
    unsigned id = i->imm & 63, offset = i->imm >> 6 & 31, size = (i->imm >> 11 & 31) + 1;
    uint32_t mask = (size == 32 ? UINT32_MAX : (1u << size) - 1) << offset;
    if (id != HW_MODE) gfx_fault(w, "s_setreg of hardware register %u, which this machine does not have", id);
    w->mode = (w->mode & ~mask) | (x << offset & mask);
}

static void s_setreg(struct gfx_wave *w, const struct gfx_inst *i) {
    set_hwreg(w, i, gfx_scalar32(w, &i->src[0]));
}

static void s_setreg_imm32(struct gfx_wave *w, const struct gfx_inst *i) {
    set_hwreg(w, i, i->words[1]);
}

// ---- Scalar memory
static bool smem_reach(struct gfx_wave *w, uint64_t at, uint32_t bytes) {
    struct gfx_machine *m = w->group->m;
    struct gfx_mem *mem = gfx_mem_find(m, (uintptr_t)at, bytes);
    if (!mem) {
        char text[200];
        gfx_mem_describe(m, (uintptr_t)at, bytes, text, sizeof text);
        gfx_fault(w, "scalar load outside of what this kernel may read: %s", text);
        return false;
    }
    return gfx_mem_loaded(w, mem, (uintptr_t)at, bytes, false);
}

static void s_load(struct gfx_wave *w, const struct gfx_inst *i) {
    uint64_t offset =
        i->src[1].kind == GFX_K_SGPR ? w->s[i->src[1].reg] : (uint64_t)(int64_t)(int32_t)i->src[1].bits;
    uint64_t at = (w->s64[i->src[0].reg / 2] + offset + (uint64_t)(int64_t)i->offset) & ~UINT64_C(3);
    if (!smem_reach(w, at, i->op->size)) return;
    memcpy(&w->s[i->dst.reg], (const void *)(uintptr_t)at, i->op->size);
    gfx_pend(w, GFX_W_SMEM, 512u + i->dst.reg, i->dst.n);
}

static void s_buffer_load(struct gfx_wave *w, const struct gfx_inst *i) {
    const uint32_t *d = &w->s[i->src[0].reg];
    uint64_t base = (d[0] | (uint64_t)d[1] << 32) & 0xffffffffffff;
    uint64_t offset = i->src[1].kind == GFX_K_SGPR ? w->s[i->src[1].reg] : (uint32_t)i->src[1].bits;
    uint32_t x[16] = {0}, words = i->op->size / 4, stride = d[1] >> 16 & 0x3fff;
    uint64_t limit = stride ? (uint64_t)stride * d[2] : d[2];
    offset = (offset + (uint64_t)(int64_t)i->offset) & ~UINT64_C(3);
    for (unsigned k = 0; k < words; k++) {
        if (offset + 4 * k + 4 > limit) continue;
        if (!smem_reach(w, base + offset + 4 * k, 4)) return;
        memcpy(&x[k], (const void *)(uintptr_t)(base + offset + 4 * k), 4);
    }
    memcpy(&w->s[i->dst.reg], x, i->op->size);
    gfx_pend(w, GFX_W_SMEM, 512u + i->dst.reg, i->dst.n);
}

// A clock that only goes forward: instructions of this wave.
static void s_memtime(struct gfx_wave *w, const struct gfx_inst *i) {
    gfx_put_s64(w, &i->dst, w->issue->now);
    gfx_pend(w, GFX_W_SMEM, 512u + i->dst.reg, 2);
}

#define B32 GFX_T_B32
#define B64 GFX_T_B64
#define JUMP(name)                                          \
    {                                                       \
#name, name, GFX_C_BRANCH, 0, 0, 0, GFX_F_BRANCH, { \
            0                                               \
        }                                                   \
    }
#define WAIT(name, fn)                      \
    {                                       \
        name, fn, GFX_C_WAIT, 0, 0, 0, 0, { \
            0                               \
        }                                   \
    }
#define LOAD(name, fn, bytes)                   \
    {                                           \
        name, fn, GFX_C_SMEM, 1, 0, bytes, 0, { \
            0, 0, B32                           \
        }                                       \
    }

GFX_TABLE(control) = {
    JUMP(s_branch),
    JUMP(s_cbranch_scc0),
    JUMP(s_cbranch_scc1),
    JUMP(s_cbranch_vccz),
    JUMP(s_cbranch_vccnz),
    JUMP(s_cbranch_execz),
    JUMP(s_cbranch_execnz),
    {"s_getpc_b64", s_getpc, GFX_C_BRANCH, 1, 0, 0, 0, {B64}},
    {"s_setpc_b64", s_setpc, GFX_C_BRANCH, 0, 0, 0, 0, {0, B64}},
    {"s_swappc_b64", s_swappc, GFX_C_BRANCH, 1, 0, 0, 0, {B64, B64}},
    {"s_call_b64", s_call, GFX_C_BRANCH, 1, 0, 0, 0, {B64, B32}},
    {"s_endpgm", s_endpgm, GFX_C_BRANCH, 0, 0, 0, 0, {0}},
    WAIT("s_waitcnt", s_waitcnt),
    WAIT("s_nop", s_nothing),
    WAIT("s_setprio", s_nothing),
    WAIT("s_setkill", s_nothing),
    WAIT("s_sendmsg", s_nothing),
    WAIT("s_icache_inv", s_nothing),
    WAIT("s_incperflevel", s_nothing),
    WAIT("s_decperflevel", s_nothing),
    WAIT("s_ttracedata", s_nothing),
    WAIT("s_barrier", s_barrier),
    WAIT("s_sleep", s_sleep),
    WAIT("s_trap", s_trap),
    WAIT("s_dcache_inv", s_nothing),
    WAIT("s_dcache_wb", s_nothing),
    WAIT("s_dcache_inv_vol", s_nothing),
    WAIT("s_dcache_wb_vol", s_nothing),
    {"s_getreg_b32", s_getreg, GFX_C_SALU, 1, 0, 0, 0, {B32}},
    {"s_setreg_b32", s_setreg, GFX_C_SALU, 0, 0, 0, 0, {0, B32}},
    {"s_setreg_imm32_b32", s_setreg_imm32, GFX_C_SALU, 0, 0, 0, 0, {0, B32}},
    LOAD("s_load_dword", s_load, 4),
    LOAD("s_load_dwordx2", s_load, 8),
    LOAD("s_load_dwordx4", s_load, 16),
    LOAD("s_load_dwordx8", s_load, 32),
    LOAD("s_load_dwordx16", s_load, 64),
    LOAD("s_buffer_load_dword", s_buffer_load, 4),
    LOAD("s_buffer_load_dwordx2", s_buffer_load, 8),
    LOAD("s_buffer_load_dwordx4", s_buffer_load, 16),
    LOAD("s_buffer_load_dwordx8", s_buffer_load, 32),
    LOAD("s_buffer_load_dwordx16", s_buffer_load, 64),
    {"s_memtime", s_memtime, GFX_C_SMEM, 1, 0, 0, 0, {B64}},
    {"s_memrealtime", s_memtime, GFX_C_SMEM, 1, 0, 0, 0, {B64}},
    {0},
};
