// Global, flat, buffer and scratch memory: addresses, bounds, visibility, counts.
#include "atomic.h"
#include "internal.h"
#include "narrow.h"

#define EACH_ACTIVE(lanes) for (uint64_t lanes_ = (lanes); lanes_; lanes_ &= lanes_ - 1)
#define ACTIVE __builtin_ctzll(lanes_)

enum how { LOAD = 1, STORE = 2, ATOMIC = 3 };

struct access {
    uint64_t at[GFX_LANES], lanes;
    uint32_t bytes;
    enum how how;
};

static void count_lines(struct gfx_wave *w, const struct access *a) {
    struct gfx_stats *s = gfx_stats_of(w);
    uint64_t seen[256] = {0};
    unsigned lines = 0;
    EACH_ACTIVE(a->lanes) {
        uint64_t first = a->at[ACTIVE] / 128, last = (a->at[ACTIVE] + a->bytes - 1) / 128;
        for (uint64_t line = first; line <= last; line++) {
            unsigned slot = (unsigned)line & 255;
            while (seen[slot] && seen[slot] != line + 1) slot = (slot + 1) & 255;
            lines += !seen[slot];
            seen[slot] = line + 1;
        }
    }
    uint64_t bytes = (uint64_t)__builtin_popcountll(a->lanes) * a->bytes;
    if (a->how & STORE)
        s->bytes_stored += bytes, s->lines_stored += lines;
    else
        s->bytes_loaded += bytes, s->lines_loaded += lines;
}

// The usual load: all lanes in the allocation of the last access, in which this launch has stored nothing.
static bool quiet_load(struct gfx_wave *w, const struct access *a) {
    const struct gfx_mem *mem = w->issue->near;
    const struct gfx_run *run = w->group->run;
    if (!mem || !a->lanes ||
        (run->track && atomic_load_explicit(&mem->stored_epoch, memory_order_relaxed) >= run->first_epoch))
        return false;
    uint64_t low = UINT64_MAX, high = 0;
    EACH_ACTIVE(a->lanes) {
        uint64_t at = a->at[ACTIVE];
        low = at < low ? at : low;
        high = at > high ? at : high;
    }
    return low >= mem->base && high < mem->end && a->bytes <= mem->end - high;
}

// Every byte of every lane in an allocation, and seen or noted by the caches.
static bool reach(struct gfx_wave *w, const struct gfx_inst *i, const struct access *a) {
    struct gfx_issue *q = w->issue;
    struct gfx_machine *m = w->group->m;
    bool track = w->group->run->track, sc1 = i->flags & GFX_I_SC1;
    if (a->how == LOAD && quiet_load(w, a)) {
        if (m->options.stats) count_lines(w, a);
        return true;
    }
    EACH_ACTIVE(a->lanes) {
        int l = ACTIVE;
        uintptr_t at = (uintptr_t)a->at[l];
        struct gfx_mem *mem = q->near;
        if (!mem || at < mem->base || at >= mem->end || a->bytes > mem->end - at) {
            mem = gfx_mem_find(m, at, a->bytes);
            if (!mem || (mem->readonly && a->how != LOAD)) {
                char text[200];
                gfx_mem_describe(m, at, a->bytes, text, sizeof text);
                gfx_fault(w, "%s outside of what this kernel may %s: lane %d: %s",
                          a->how == LOAD ? "load" : "store", a->how == LOAD ? "read" : "write", l, text);
                return false;
            }
            q->near = mem;
        }
        if (!track) continue;
        if (a->how == LOAD && !gfx_mem_loaded(w, mem, at, a->bytes, sc1)) return false;
        if (a->how & STORE) gfx_mem_stored(w, mem, at, a->bytes, a->how == ATOMIC || sc1);
    }
    if (m->options.stats) count_lines(w, a);
    return true;
}

// ---- Addresses
static void global_address(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_operand *v,
                           const struct gfx_operand *s, struct access *a) {
    uint64_t offset = (uint64_t)(int64_t)i->offset;
    a->lanes = gfx_exec(w);
    if (s && s->kind == GFX_K_SGPR) {
        uint64_t base = w->s64[s->reg / 2] + offset;
        for (int l = 0; l < GFX_LANES; l++) a->at[l] = base + (v->kind == GFX_K_VGPR ? w->v[v->reg][l] : 0);
        return;
    }
    const uint32_t *lo = w->v[v->reg], *hi = w->v[v->reg + 1];
    for (int l = 0; l < GFX_LANES; l++) a->at[l] = (lo[l] | (uint64_t)hi[l] << 32) + offset;
}

// A lane's private bytes lie together here; the hardware interleaves them, which no instruction can see.
static bool scratch_address(struct gfx_wave *w, const struct gfx_inst *i, const uint64_t *offset,
                            struct access *a) {
    struct gfx_group *g = w->group;
    uint32_t size = g->run->kernel->scratch_bytes;
    EACH_ACTIVE(gfx_exec(w)) {
        int l = ACTIVE;
        if (offset[l] >= size || a->bytes > size - offset[l]) {
            gfx_fault(w, "lane %d accesses %u bytes at %lld of its scratch of %u bytes", l, a->bytes,
                      (long long)offset[l], size);
            return false;
        }
        a->at[l] =
            (uint64_t)(uintptr_t)g->scratch + ((uint64_t)w->id * GFX_LANES + (unsigned)l) * size + offset[l];
    }
    (void)i;
    a->lanes = gfx_exec(w);
    return true;
}

static bool scratch_operands(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_operand *v,
                             const struct gfx_operand *s, struct access *a) {
    uint64_t offset[GFX_LANES];
    uint32_t base = (uint32_t)i->offset + (s->kind == GFX_K_SGPR ? w->s[s->reg] : 0);
    for (int l = 0; l < GFX_LANES; l++)
        offset[l] = (uint32_t)(base + (v->kind == GFX_K_VGPR ? w->v[v->reg][l] : 0));
    return scratch_address(w, i, offset, a);
}

enum where { GLOBAL, SHARED, PRIVATE, MIXED };

// Flat addresses: the apertures of LDS and scratch are taken off, `at` becomes offsets in them.
static enum where flat_where(struct gfx_wave *w, struct access *a) {
    enum where all = MIXED;
    EACH_ACTIVE(gfx_exec(w)) {
        uint64_t top = a->at[ACTIVE] >> 32;
        enum where x = top == GFX_APERTURE_SHARED >> 32    ? SHARED
                       : top == GFX_APERTURE_PRIVATE >> 32 ? PRIVATE
                                                           : GLOBAL;
        if (all != MIXED && x != all) return MIXED;
        all = x;
    }
    if (all != GLOBAL)
        for (int l = 0; l < GFX_LANES; l++) a->at[l] &= UINT32_MAX;
    return a->lanes ? all : GLOBAL;
}

// Buffers: bytes past num_records read as 0 and are not written; the rest obeys the same bounds as any access.
static bool buffer_address(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_operand *v,
                           const struct gfx_operand *r, const struct gfx_operand *s, struct access *a) {
    const uint32_t *d = &w->s[r->reg];
    uint64_t base = (d[0] | (uint64_t)d[1] << 32) & 0xffffffffffff;
    uint32_t stride = d[1] >> 16 & 0x3fff, records = d[2], soffset = gfx_scalar32(w, s);
    if (d[1] >> 31 || d[3] >> 23 & 1) {
        gfx_fault(w, "a buffer that swizzles or adds the lane's number, which this machine does not do");
        return false;
    }
    bool offen = i->flags & GFX_I_OFFEN, idxen = i->flags & GFX_I_IDXEN;
    a->lanes = 0;
    EACH_ACTIVE(gfx_exec(w)) {
        int l = ACTIVE;
        uint32_t index = idxen ? w->v[v->reg][l] : 0, offset = offen ? w->v[v->reg + idxen][l] : 0;
        uint64_t in = (uint64_t)offset + (uint32_t)i->offset;
        bool out = stride ? index >= records : in + soffset + a->bytes > records;
        a->at[l] = base + (uint64_t)index * stride + in + soffset;
        if (!out) a->lanes |= UINT64_C(1) << l;
    }
    return true;
}

// ---- Data
// Whole words, `words` of them known to the compiler. Lanes of exec that are not in a->lanes read 0.
static inline __attribute__((always_inline)) void
get_words(struct gfx_wave *w, unsigned reg, const struct access *a, unsigned words, const uint8_t *shared) {
    static const uint8_t zeros[16];
    EACH_ACTIVE(gfx_exec(w)) {
        int l = ACTIVE;
        uint32_t x[4];
        const uint8_t *p = shared ? shared + a->at[l] : (const uint8_t *)(uintptr_t)a->at[l];
        memcpy(x, a->lanes >> l & 1 ? p : zeros, words * 4);
        for (unsigned k = 0; k < words; k++) w->v[reg + k][l] = x[k];
    }
}

static void get(struct gfx_wave *w, const struct gfx_inst *i, const struct access *a, enum narrow n,
                const uint8_t *shared) {
    unsigned reg = i->dst.reg;
    if (n == WORDS) switch (a->bytes) {
        case 4: get_words(w, reg, a, 1, shared); return;
        case 8: get_words(w, reg, a, 2, shared); return;
        case 12: get_words(w, reg, a, 3, shared); return;
        default: get_words(w, reg, a, 4, shared); return;
        }
    EACH_ACTIVE(gfx_exec(w)) {
        int l = ACTIVE;
        static const uint8_t zeros[4];
        const uint8_t *p = shared ? shared + a->at[l] : (const uint8_t *)(uintptr_t)a->at[l];
        w->v[reg][l] = narrow_load(n, a->lanes >> l & 1 ? p : zeros, w->v[reg][l]);
    }
}

static void put(struct gfx_wave *w, const struct gfx_operand *data, const struct access *a, unsigned shift,
                uint8_t *shared) {
    unsigned words = (a->bytes + 3) / 4;
    EACH_ACTIVE(a->lanes) {
        int l = ACTIVE;
        uint32_t x[4];
        for (unsigned k = 0; k < words; k++) x[k] = w->v[data->reg + k][l] >> shift;
        memcpy(shared ? shared + a->at[l] : (uint8_t *)(uintptr_t)a->at[l], x, a->bytes);
    }
}

static bool is_scratch(const struct gfx_inst *i) {
    return i->op->cls == GFX_C_SCRATCH;
}

static bool is_buffer(const struct gfx_inst *i) {
    return i->op->name[0] == 'b';
}

// Puts addresses into `a`, and does all checks; false after a fault. *shared: flat addresses in the LDS.
static bool address(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_operand *v, unsigned last,
                    struct access *a, uint8_t **shared) {
    *shared = NULL;
    if (is_buffer(i)) {
        if (!buffer_address(w, i, v, v + 1, v + 2, a)) return false;
        return reach(w, i, a);
    }
    if (is_scratch(i)) return scratch_operands(w, i, v, &i->src[last], a);
    if (i->op->cls != GFX_C_FLAT) {
        global_address(w, i, v, &i->src[last], a);
        return reach(w, i, a);
    }
    global_address(w, i, v, NULL, a);
    switch (flat_where(w, a)) {
    case GLOBAL: return reach(w, i, a);
    case SHARED: {
        uint32_t at[GFX_LANES];
        for (int l = 0; l < GFX_LANES; l++) at[l] = (uint32_t)a->at[l];
        *shared = w->group->lds.bytes;
        return gfx_lds_access(w, at, a->bytes, a->how == LOAD ? GFX_LDS_READ : GFX_LDS_WRITE);
    }
    case PRIVATE: {
        uint64_t offset[GFX_LANES];
        memcpy(offset, a->at, sizeof offset);
        return scratch_address(w, i, offset, a);
    }
    default:
        gfx_fault(w, "a flat access to memory, LDS and scratch at once, which this machine does not do");
        return false;
    }
}

static enum gfx_wait_kind wait_kind(const struct gfx_inst *i, bool load) {
    return i->op->cls == GFX_C_FLAT ? GFX_W_FLAT : load ? GFX_W_LOAD : GFX_W_STORE;
}

// Loads whose data goes to LDS: at M0 + offset, a word a lane.
static void load_to_lds(struct gfx_wave *w, const struct gfx_inst *i, const struct access *a) {
    uint32_t at[GFX_LANES], lo = UINT32_MAX, hi = 0;
    for (int l = 0; l < GFX_LANES; l++)
        at[l] = (w->s[GFX_M0] & 0xffff) + (uint32_t)i->offset + 4 * (uint32_t)l;
    if (!gfx_lds_access(w, at, 4, GFX_LDS_WRITE)) return;
    EACH_ACTIVE(gfx_exec(w)) {
        int l = ACTIVE;
        uint32_t x = 0;
        const char *name = i->op->name;
        if (a->lanes >> l & 1) memcpy(&x, (void *)(uintptr_t)a->at[l], a->bytes);
        if (strstr(name, "sbyte")) x = (uint32_t)(int8_t)x;
        if (strstr(name, "sshort")) x = (uint32_t)(int16_t)x;
        memcpy(w->group->lds.bytes + at[l], &x, 4);
        if (at[l] < lo) lo = at[l];
        if (at[l] + 4 > hi) hi = at[l] + 4;
    }
    if (lo < hi) gfx_pend_dma(w, lo, hi);
}

static void load(struct gfx_wave *w, const struct gfx_inst *i, enum narrow n) {
    struct access a = {.bytes = i->op->size, .how = LOAD};
    uint8_t *shared;
    if (!address(w, i, &i->src[0], 1, &a, &shared)) return;
    if (i->dst.kind == GFX_K_NONE) {
        load_to_lds(w, i, &a);
        return;
    }
    get(w, i, &a, n, shared);
    gfx_pend(w, wait_kind(i, true), i->dst.reg, i->dst.n);
    // Who reads memory past the caches again and again waits for another workgroup.
    if (i->flags & GFX_I_SC1 && ++w->group->polls % 32 == 0) w->group->yielded = true;
}

static void store(struct gfx_wave *w, const struct gfx_inst *i, unsigned shift) {
    bool buffer = is_buffer(i);
    struct access a = {.bytes = i->op->size, .how = STORE};
    uint8_t *shared;
    if (!address(w, i, &i->src[buffer ? 1 : 0], 2, &a, &shared)) return;
    put(w, &i->src[buffer ? 0 : 1], &a, shift, shared);
    gfx_pend(w, wait_kind(i, false), 0, 0);
}

// On the host's memory by compare and swap: workgroups may run on several threads.
static uint64_t host_atomic(void *p, unsigned bytes, gfx_atomic_fn fn, uint64_t x, uint64_t y) {
    if (bytes == 4) {
        uint32_t old = __atomic_load_n((uint32_t *)p, __ATOMIC_SEQ_CST);
        while (!__atomic_compare_exchange_n((uint32_t *)p, &old, (uint32_t)fn(old, x, y), false,
                                            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            ;
        return old;
    }
    uint64_t old = __atomic_load_n((uint64_t *)p, __ATOMIC_SEQ_CST);
    while (!__atomic_compare_exchange_n((uint64_t *)p, &old, fn(old, x, y), false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
        ;
    return old;
}

static uint64_t data_of(const struct gfx_wave *w, unsigned reg, unsigned bytes, int l) {
    return bytes == 8 ? w->v[reg][l] | (uint64_t)w->v[reg + 1][l] << 32 : w->v[reg][l];
}

static void atomic(struct gfx_wave *w, const struct gfx_inst *i, gfx_atomic_fn fn) {
    bool buffer = is_buffer(i), back = i->flags & GFX_I_SC0, two = strstr(i->op->name, "cmpswap") != NULL;
    unsigned bytes = i->op->size;
    // A buffer's data register is the destination too, and named once.
    const struct gfx_operand *data = !buffer ? &i->src[1] : back ? &i->dst : &i->src[0];
    const struct gfx_operand *v = !buffer || back ? &i->src[0] : &i->src[1];
    unsigned to = back ? i->dst.reg : 0;
    struct access a = {.bytes = bytes, .how = ATOMIC};
    uint8_t *shared;
    if (!address(w, i, v, 2, &a, &shared)) return;
    EACH_ACTIVE(a.lanes) {
        int l = ACTIVE;
        if (a.at[l] % bytes) {
            gfx_fault(w, "lane %d: an atomic at %#llx, which is not aligned to %u", l,
                      (unsigned long long)a.at[l], bytes);
            return;
        }
        uint64_t x = data_of(w, data->reg, bytes, l),
                 y = two ? data_of(w, data->reg + bytes / 4, bytes, l) : 0;
        void *p = shared ? shared + a.at[l] : (void *)(uintptr_t)a.at[l];
        uint64_t old = host_atomic(p, bytes, fn, x, y);
        if (!back) continue;
        w->v[to][l] = (uint32_t)old;
        if (bytes == 8) w->v[to + 1][l] = (uint32_t)(old >> 32);
    }
    gfx_pend(w, wait_kind(i, true), back ? to : 0, back ? bytes / 4 : 0);
}

// ---- Caches
static void wbl2(struct gfx_wave *w, const struct gfx_inst *i) {
    gfx_pend(w, i->flags & GFX_I_SC1 ? GFX_W_WB : GFX_W_STORE, 0, 0);
}

static void inv(struct gfx_wave *w, const struct gfx_inst *i) {
    if (i->flags & GFX_I_SC1) gfx_sync_invalidated(w);
}

#define LOADER(name, kind)                                                  \
    static void load_##name(struct gfx_wave *w, const struct gfx_inst *i) { \
        load(w, i, kind);                                                   \
    }
LOADER(words, WORDS)
LOADER(u8, U8)
LOADER(i8, I8)
LOADER(u16, U16)
LOADER(i16, I16)
LOADER(d16_u8, D16_U8)
LOADER(d16_i8, D16_I8)
LOADER(d16, D16)
LOADER(d16hi_u8, D16HI_U8)
LOADER(d16hi_i8, D16HI_I8)
LOADER(d16hi, D16HI)

static void store_low(struct gfx_wave *w, const struct gfx_inst *i) {
    store(w, i, 0);
}

static void store_high(struct gfx_wave *w, const struct gfx_inst *i) {
    store(w, i, 16);
}

#define ATOMIC_FN(name)                                                       \
    static void atomic_##name(struct gfx_wave *w, const struct gfx_inst *i) { \
        atomic(w, i, gfx_atomic_##name);                                      \
    }
#define ATOMIC_BOTH(name) ATOMIC_FN(name##_32) ATOMIC_FN(name##_64)
ATOMIC_BOTH(add)
ATOMIC_BOTH(sub)
ATOMIC_BOTH(inc)
ATOMIC_BOTH(dec)
ATOMIC_BOTH(smin)
ATOMIC_BOTH(smax)
ATOMIC_BOTH(umin)
ATOMIC_BOTH(umax)
ATOMIC_BOTH(and)
ATOMIC_BOTH(or)
ATOMIC_BOTH(xor)
ATOMIC_BOTH(swap)
ATOMIC_BOTH(cmpswap)
ATOMIC_FN(fadd_32)
ATOMIC_FN(fadd_64)
ATOMIC_FN(fmin_64)
ATOMIC_FN(fmax_64)
ATOMIC_FN(pk_add_f16)
ATOMIC_FN(pk_add_bf16)

#define LD(space, cls, name, fn, bytes)                 \
    {                                                   \
        space "_load_" name, fn, cls, 1, 0, bytes, 0, { \
            0                                           \
        }                                               \
    }
#define ST(space, cls, name, fn, bytes)                  \
    {                                                    \
        space "_store_" name, fn, cls, 0, 0, bytes, 0, { \
            0                                            \
        }                                                \
    }
#define AT(space, cls, name, fn, bytes)                              \
    {                                                                \
        space "_atomic_" name, fn, cls, 1, 0, bytes, GFX_F_ATOMIC, { \
            0                                                        \
        }                                                            \
    }
#define LOADS(space, cls)                                                                              \
    LD(space, cls, "ubyte", load_u8, 1), LD(space, cls, "sbyte", load_i8, 1),                          \
        LD(space, cls, "ushort", load_u16, 2), LD(space, cls, "sshort", load_i16, 2),                  \
        LD(space, cls, "dword", load_words, 4), LD(space, cls, "dwordx2", load_words, 8),              \
        LD(space, cls, "dwordx3", load_words, 12), LD(space, cls, "dwordx4", load_words, 16),          \
        LD(space, cls, "ubyte_d16", load_d16_u8, 1), LD(space, cls, "ubyte_d16_hi", load_d16hi_u8, 1), \
        LD(space, cls, "sbyte_d16", load_d16_i8, 1), LD(space, cls, "sbyte_d16_hi", load_d16hi_i8, 1), \
        LD(space, cls, "short_d16", load_d16, 2), LD(space, cls, "short_d16_hi", load_d16hi, 2)
#define STORES(space, cls)                                                                    \
    ST(space, cls, "byte", store_low, 1), ST(space, cls, "byte_d16_hi", store_high, 1),       \
        ST(space, cls, "short", store_low, 2), ST(space, cls, "short_d16_hi", store_high, 2), \
        ST(space, cls, "dword", store_low, 4), ST(space, cls, "dwordx2", store_low, 8),       \
        ST(space, cls, "dwordx3", store_low, 12), ST(space, cls, "dwordx4", store_low, 16)
#define INT(space, cls, name, fn) \
    AT(space, cls, name, atomic_##fn##_32, 4), AT(space, cls, name "_x2", atomic_##fn##_64, 8)
#define ATOMICS(space, cls)                                                                               \
    INT(space, cls, "add", add), INT(space, cls, "sub", sub), INT(space, cls, "inc", inc),                \
        INT(space, cls, "dec", dec), INT(space, cls, "smin", smin), INT(space, cls, "smax", smax),        \
        INT(space, cls, "umin", umin), INT(space, cls, "umax", umax), INT(space, cls, "and", and),        \
        INT(space, cls, "or", or), INT(space, cls, "xor", xor), INT(space, cls, "swap", swap),            \
        INT(space, cls, "cmpswap", cmpswap), AT(space, cls, "add_f32", atomic_fadd_32, 4),                \
        AT(space, cls, "add_f64", atomic_fadd_64, 8), AT(space, cls, "min_f64", atomic_fmin_64, 8),       \
        AT(space, cls, "max_f64", atomic_fmax_64, 8), AT(space, cls, "pk_add_f16", atomic_pk_add_f16, 4), \
        AT(space, cls, "pk_add_bf16", atomic_pk_add_bf16, 4)
#define TO_LDS(name, bytes)                                                \
    {                                                                      \
        "global_load_lds_" name, load_words, GFX_C_LOAD, 0, 0, bytes, 0, { \
            0                                                              \
        }                                                                  \
    }

GFX_TABLE(vmem) = {
    LOADS("global", GFX_C_LOAD),
    STORES("global", GFX_C_STORE),
    ATOMICS("global", GFX_C_ATOMIC),
    LOADS("flat", GFX_C_FLAT),
    STORES("flat", GFX_C_FLAT),
    ATOMICS("flat", GFX_C_FLAT),
    LOADS("buffer", GFX_C_LOAD),
    STORES("buffer", GFX_C_STORE),
    ATOMICS("buffer", GFX_C_ATOMIC),
    LOADS("scratch", GFX_C_SCRATCH),
    STORES("scratch", GFX_C_SCRATCH),
    TO_LDS("dword", 4),
    TO_LDS("ubyte", 1),
    TO_LDS("sbyte", 1),
    TO_LDS("ushort", 2),
    TO_LDS("sshort", 2),
    {"buffer_wbl2", wbl2, GFX_C_CACHE, 0, 0, 0, 0, {0}},
    {"buffer_inv", inv, GFX_C_CACHE, 0, 0, 0, 0, {0}},
    {0},
};
