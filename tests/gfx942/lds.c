// The LDS of a workgroup: its bytes, which of them were written, who touched them since the last barrier, and how many cycles an
// access takes.
#include "atomic.h"
#include "internal.h"
#include "narrow.h"

#define ATOMIC_BIT 32u
#define MANY 31u // several waves

void gfx_lds_begin(struct gfx_lds *l, uint32_t n_bytes, bool track) {
    l->n_bytes = n_bytes;
    l->track = track;
    memset(l->init, 0, ((size_t)n_bytes + 63) / 64 * 8);
    if (l->epoch == 0 || l->epoch >= 1000) {
        memset(l->wrote, 0, GFX_LDS_BYTES * sizeof *l->wrote);
        memset(l->read, 0, GFX_LDS_BYTES * sizeof *l->read);
        l->epoch = 0;
    }
    l->epoch++;
}

void gfx_lds_barrier(struct gfx_group *g) {
    struct gfx_lds *l = &g->lds;
    if (!l->track) return;
    if (++l->epoch < 1023) return;
    memset(l->wrote, 0, GFX_LDS_BYTES * sizeof *l->wrote);
    memset(l->read, 0, GFX_LDS_BYTES * sizeof *l->read);
    l->epoch = 1;
}

static bool dma_pending(struct gfx_wave *w, uint32_t at, uint32_t bytes) {
    const struct gfx_issue *q = w->issue;
    for (uint32_t k = 0; k < q->n_vm; k++) {
        const struct gfx_pending *p = &q->vm[k];
        if (p->kind != GFX_W_DMA || at >= p->hi || at + bytes <= p->lo) continue;
        gfx_fault(w,
                  "touches byte %u of LDS, which a load to LDS that was not waited for still writes "
                  "(s_waitcnt vmcnt)",
                  at);
        return true;
    }
    return false;
}

static bool race(struct gfx_wave *w, uint32_t at, unsigned other, const char *mine, const char *theirs) {
    char who[32] = "another wave";
    if ((other & 31) != MANY) snprintf(who, sizeof who, "wave %u", other & 31);
    gfx_fault(w,
              "LDS race: this wave %s byte %u, which %s %s with no barrier between (an access counts until "
              "s_waitcnt lgkmcnt)",
              mine, at, who, theirs);
    return false;
}

// What one byte's two stamps become; false: a race.
static inline bool stamp(unsigned epoch, unsigned me, unsigned how, unsigned *wrote, unsigned *read) {
    const unsigned x = *wrote, r = *read;
    const bool theirs = x >> 6 == epoch && (x & 31) != me, also_read = r >> 6 == epoch && (r & 31) != me;
    if (theirs && !(how & GFX_LDS_ATOMIC && x & ATOMIC_BIT)) return false;
    if (!(how & GFX_LDS_WRITE)) {
        *read = epoch << 6 | (also_read ? MANY : me);
        return true;
    }
    if (also_read) return false;
    *wrote = epoch << 6 | (how & GFX_LDS_ATOMIC ? ATOMIC_BIT : 0) | (theirs ? MANY : me);
    return true;
}

// A read that changes no stamp: nobody else has written the bytes since the last barrier, and this wave, or several, have read them.
// Tiles are read many times over, so most reads are of this kind.
static bool settled(const struct gfx_lds *l, uint32_t at, uint32_t bytes, unsigned me) {
    const uint64_t ones = UINT64_C(0x0001000100010001);
    const uint64_t mine = (l->epoch << 6 | me) * ones, many = (l->epoch << 6 | MANY) * ones;
    for (uint32_t b = 0; b < bytes; b += 4) {
        uint64_t x4, r4;
        memcpy(&x4, l->wrote + at + b, 8);
        memcpy(&r4, l->read + at + b, 8);
        unsigned x = x4 & 0xffff;
        if (x4 != x * ones || (r4 != mine && r4 != many) || (x >> 6 == l->epoch && (x & 31) != me))
            return false;
    }
    return true;
}

// Notes that this wave touches the bytes, and faults where another one did since the last barrier in a way that makes a race. Four bytes
// mostly have one history: they are done at once.
bool gfx_lds_note(struct gfx_wave *w, uint32_t at, uint32_t bytes, unsigned how) {
    struct gfx_lds *l = &w->group->lds;
    if (how == GFX_LDS_READ && bytes % 4 == 0 && settled(l, at, bytes, w->id)) return true;
    const unsigned epoch = l->epoch;
    const uint64_t ones = UINT64_C(0x0001000100010001);
    for (uint32_t b = 0; b < bytes;) {
        uint16_t *wrote = l->wrote + at + b, *read = l->read + at + b;
        uint64_t x4, r4;
        memcpy(&x4, wrote, 8);
        memcpy(&r4, read, 8);
        unsigned x = wrote[0], r = read[0];
        bool four = bytes - b >= 4 && x4 == x * ones && r4 == r * ones;
        if (!stamp(epoch, w->id, how, &x, &r))
            return race(w, at + b, x >> 6 == epoch && (x & 31) != w->id ? x : r,
                        how & GFX_LDS_WRITE ? "writes" : "reads",
                        x >> 6 == epoch && (x & 31) != w->id ? "wrote" : "read");
        if (four) {
            x4 = x * ones, r4 = r * ones;
            memcpy(wrote, &x4, 8);
            memcpy(read, &r4, 8);
            b += 4;
        } else {
            *wrote = (uint16_t)x;
            *read = (uint16_t)r;
            b++;
        }
    }
    return true;
}

// ---- An instruction's access: bounds, written bytes, races
static bool all_written(const struct gfx_lds *l, uint32_t at, uint32_t bytes) {
    uint64_t mask = (UINT64_C(1) << bytes) - 1;
    unsigned word = at >> 6, shift = at & 63;
    if ((l->init[word] & mask << shift) != mask << shift) return false;
    return shift + bytes <= 64 || (l->init[word + 1] & mask >> (64 - shift)) == mask >> (64 - shift);
}

static void set_written(struct gfx_lds *l, uint32_t at, uint32_t bytes) {
    uint64_t mask = (UINT64_C(1) << bytes) - 1;
    unsigned word = at >> 6, shift = at & 63;
    l->init[word] |= mask << shift;
    if (shift + bytes > 64) l->init[word + 1] |= mask >> (64 - shift);
}

static bool check_lane(struct gfx_wave *w, uint32_t at, uint32_t bytes, unsigned how, int lane) {
    struct gfx_lds *l = &w->group->lds;
    if (at > l->n_bytes || bytes > l->n_bytes - at) {
        gfx_fault(w, "lane %d accesses %u bytes of LDS at %u; the workgroup has %u bytes", lane, bytes, at,
                  l->n_bytes);
        return false;
    }
    if (how & (GFX_LDS_READ | GFX_LDS_ATOMIC) && !all_written(l, at, bytes)) {
        gfx_fault(w, "lane %d reads %u bytes of LDS at %u that were never written", lane, bytes, at);
        return false;
    }
    if (w->issue->n_dma && dma_pending(w, at, bytes)) return false;
    if (how & GFX_LDS_WRITE) set_written(l, at, bytes);
    return !l->track || gfx_lds_note(w, at, bytes, how);
}

// The lanes that the hardware serves together: as many as fill the 32 banks once. For 16-byte reads they are not neighbours.
static unsigned phase_of(unsigned lane, unsigned bytes, bool read) {
    static const uint8_t b128[16] = {0, 1, 2, 3, 1, 0, 3, 2, 4, 5, 6, 7, 5, 4, 7, 6};
    if (bytes <= 4) return lane / 32;
    if (bytes <= 8) return lane / 16;
    return read ? b128[lane / 4] : lane / 8;
}

static void count_banks(struct gfx_wave *w, const uint32_t *at, uint64_t lanes, unsigned bytes, bool read) {
    struct gfx_stats *s = gfx_stats_of(w);
    unsigned n_phases = bytes <= 4 ? 2 : bytes <= 8 ? 4 : 8, words = bytes <= 4 ? 1 : bytes / 4;
    for (unsigned phase = 0; phase < n_phases; phase++) {
        uint32_t seen[32][8], most = 0;
        uint8_t n[32] = {0};
        for (unsigned lane = 0; lane < GFX_LANES; lane++) {
            if (!(lanes >> lane & 1) || phase_of(lane, bytes, read) != phase) continue;
            for (unsigned k = 0; k < words; k++) {
                uint32_t word = at[lane] / 4 + k, bank = word & 31;
                unsigned i = 0;
                while (i < n[bank] && i < 8 && seen[bank][i] != word) i++;
                if (i < n[bank] && i < 8) continue;
                if (n[bank] < 8) seen[bank][n[bank]] = word;
                n[bank]++;
                if (n[bank] > most) most = n[bank];
            }
        }
        s->lds_cycles += most;
        if (most > 1) s->lds_conflict_cycles += most - 1;
    }
    s->lds_accesses++;
}

bool gfx_lds_access(struct gfx_wave *w, const uint32_t *at, uint32_t bytes, unsigned how) {
    struct gfx_issue *q = w->issue;
    uint64_t exec = gfx_exec(w);
    for (uint64_t lanes = exec; lanes; lanes &= lanes - 1) {
        int l = __builtin_ctzll(lanes);
        if (!check_lane(w, at[l], bytes, how, l)) return false;
    }
    if (w->group->lds.track) {
        struct gfx_lds_access *a = &q->lds_access[q->lds_next++ % GFX_LDS_ACCESSES];
        q->lds_new++;
        a->lanes = exec, a->bytes = (uint8_t)bytes, a->how = (uint8_t)how;
        memcpy(a->at, at, sizeof a->at);
    }
    if (w->group->m->options.stats) count_banks(w, at, exec, bytes, how == GFX_LDS_READ);
    return true;
}

// What this wave has not waited for may happen before a barrier or after it.
bool gfx_lds_renote(struct gfx_wave *w) {
    struct gfx_issue *q = w->issue;
    for (uint32_t k = 0; k < q->n_lgkm; k++) {
        for (uint32_t n = 1; n <= q->lgkm[k].n_access; n++) {
            const struct gfx_lds_access *a = &q->lds_access[(q->lgkm[k].access - n) % GFX_LDS_ACCESSES];
            for (uint64_t lanes = a->lanes; lanes; lanes &= lanes - 1)
                if (!gfx_lds_note(w, a->at[__builtin_ctzll(lanes)], a->bytes, a->how)) return false;
        }
    }
    for (uint32_t k = 0; k < q->n_vm; k++) {
        const struct gfx_pending *p = &q->vm[k];
        if (p->kind == GFX_W_DMA && !gfx_lds_note(w, p->lo, p->hi - p->lo, GFX_LDS_WRITE)) return false;
    }
    return true;
}

static void addresses(struct gfx_wave *w, const struct gfx_inst *i, int32_t offset, uint32_t *at) {
    const uint32_t *a = w->v[i->src[0].reg];
    for (int l = 0; l < GFX_LANES; l++) at[l] = a[l] + (uint32_t)offset;
}

#define EACH_ACTIVE(w) for (uint64_t lanes_ = gfx_exec(w); lanes_; lanes_ &= lanes_ - 1)
#define ACTIVE __builtin_ctzll(lanes_)

// ---- Reads and writes
static void read_words(struct gfx_wave *w, const struct gfx_inst *i, const uint32_t *at, unsigned reg,
                       unsigned words) {
    (void)i;
    const uint8_t *bytes = w->group->lds.bytes;
    EACH_ACTIVE(w) {
        int l = ACTIVE;
        uint32_t x[4];
        memcpy(x, bytes + at[l], 4 * words);
        for (unsigned k = 0; k < words; k++) w->v[reg + k][l] = x[k];
    }
}

static void write_words(struct gfx_wave *w, const uint32_t *at, unsigned reg, unsigned words) {
    uint8_t *bytes = w->group->lds.bytes;
    EACH_ACTIVE(w) {
        int l = ACTIVE;
        uint32_t x[4];
        for (unsigned k = 0; k < words; k++) x[k] = w->v[reg + k][l];
        memcpy(bytes + at[l], x, 4 * words);
    }
}

static void ds_read(struct gfx_wave *w, const struct gfx_inst *i) {
    uint32_t at[GFX_LANES];
    addresses(w, i, i->offset, at);
    if (!gfx_lds_access(w, at, i->op->size, GFX_LDS_READ)) return;
    read_words(w, i, at, i->dst.reg, i->op->size / 4);
    gfx_pend(w, GFX_W_LDS, i->dst.reg, i->dst.n);
}

static void ds_write(struct gfx_wave *w, const struct gfx_inst *i) {
    uint32_t at[GFX_LANES];
    addresses(w, i, i->offset, at);
    if (!gfx_lds_access(w, at, i->op->size, GFX_LDS_WRITE)) return;
    write_words(w, at, i->src[1].reg, i->op->size / 4);
    gfx_pend(w, GFX_W_LDS, 0, 0);
}

// The two-address forms: size is that of one element, offsets count elements (or 64 of them).
static int32_t element(const struct gfx_inst *i) {
    return (int32_t)i->op->size * (strstr(i->op->name, "st64") ? 64 : 1);
}

static void ds_read2(struct gfx_wave *w, const struct gfx_inst *i) {
    uint32_t at[GFX_LANES];
    for (unsigned k = 0; k < 2; k++) {
        addresses(w, i, (k ? i->offset1 : i->offset) * element(i), at);
        if (!gfx_lds_access(w, at, i->op->size, GFX_LDS_READ)) return;
        if (k == 0 && i->src[0].reg >= i->dst.reg && i->src[0].reg < i->dst.reg + i->dst.n) {
            // The address register is overwritten by the first half.
            uint32_t second[GFX_LANES];
            addresses(w, i, i->offset1 * element(i), second);
            read_words(w, i, at, i->dst.reg, i->op->size / 4);
            if (!gfx_lds_access(w, second, i->op->size, GFX_LDS_READ)) return;
            read_words(w, i, second, i->dst.reg + i->op->size / 4u, i->op->size / 4);
            break;
        }
        read_words(w, i, at, i->dst.reg + k * (i->op->size / 4), i->op->size / 4);
    }
    gfx_pend(w, GFX_W_LDS, i->dst.reg, i->dst.n);
}

static void ds_write2(struct gfx_wave *w, const struct gfx_inst *i) {
    uint32_t at[GFX_LANES];
    for (unsigned k = 0; k < 2; k++) {
        addresses(w, i, (k ? i->offset1 : i->offset) * element(i), at);
        if (!gfx_lds_access(w, at, i->op->size, GFX_LDS_WRITE)) return;
        write_words(w, at, i->src[1 + k].reg, i->op->size / 4);
    }
    gfx_pend(w, GFX_W_LDS, 0, 0);
}

static void ds_read_narrow(struct gfx_wave *w, const struct gfx_inst *i, enum narrow n) {
    uint32_t at[GFX_LANES], *d = w->v[i->dst.reg];
    addresses(w, i, i->offset, at);
    if (!gfx_lds_access(w, at, i->op->size, GFX_LDS_READ)) return;
    EACH_ACTIVE(w) {
        int l = ACTIVE;
        d[l] = narrow_load(n, w->group->lds.bytes + at[l], d[l]);
    }
    gfx_pend(w, GFX_W_LDS, i->dst.reg, 1);
}

#define NARROW(name, kind)                                                     \
    static void ds_read_##name(struct gfx_wave *w, const struct gfx_inst *i) { \
        ds_read_narrow(w, i, kind);                                            \
    }
NARROW(u8, U8)
NARROW(i8, I8)
NARROW(u16, U16)
NARROW(i16, I16)
NARROW(u8_d16, D16_U8)
NARROW(i8_d16, D16_I8)
NARROW(u16_d16, D16)
NARROW(u8_d16_hi, D16HI_U8)
NARROW(i8_d16_hi, D16HI_I8)
NARROW(u16_d16_hi, D16HI)

static void write_narrow(struct gfx_wave *w, const struct gfx_inst *i, unsigned shift) {
    uint32_t at[GFX_LANES];
    addresses(w, i, i->offset, at);
    if (!gfx_lds_access(w, at, i->op->size, GFX_LDS_WRITE)) return;
    EACH_ACTIVE(w) {
        int l = ACTIVE;
        uint32_t x = w->v[i->src[1].reg][l] >> shift;
        memcpy(w->group->lds.bytes + at[l], &x, i->op->size);
    }
    gfx_pend(w, GFX_W_LDS, 0, 0);
}

static void ds_write_narrow(struct gfx_wave *w, const struct gfx_inst *i) {
    write_narrow(w, i, 0);
}

static void ds_write_narrow_hi(struct gfx_wave *w, const struct gfx_inst *i) {
    write_narrow(w, i, 16);
}

// ---- Atomics: lane after lane; atomic.h has the operations.
static void ds_atomic(struct gfx_wave *w, const struct gfx_inst *i, gfx_atomic_fn fn) {
    uint32_t at[GFX_LANES];
    bool wide = i->op->size == 8, two = strstr(i->op->name, "cmpst") != NULL, back = i->op->n_dst > 0;
    addresses(w, i, i->offset, at);
    if (!gfx_lds_access(w, at, i->op->size, GFX_LDS_READ | GFX_LDS_WRITE | GFX_LDS_ATOMIC)) return;
    EACH_ACTIVE(w) {
        int l = ACTIVE;
        uint64_t old = 0, x = w->v[i->src[1].reg][l], y = 0;
        if (wide) x |= (uint64_t)w->v[i->src[1].reg + 1][l] << 32;
        if (two) {
            y = w->v[i->src[2].reg][l];
            if (wide) y |= (uint64_t)w->v[i->src[2].reg + 1][l] << 32;
        }
        uint8_t *p = w->group->lds.bytes + at[l];
        memcpy(&old, p, i->op->size);
        // The instruction gives the comparison first and the new value second; the function takes them the other way round.
        uint64_t new = two ? fn(old, y, x) : fn(old, x, 0);
        memcpy(p, &new, i->op->size);
        if (back) w->v[i->dst.reg][l] = (uint32_t)old;
        if (back && wide) w->v[i->dst.reg + 1][l] = (uint32_t)(old >> 32);
    }
    gfx_pend(w, GFX_W_LDS, back ? i->dst.reg : 0, back ? i->dst.n : 0);
}

#define ATOMIC(name, fn)                                                  \
    static void ds_##name(struct gfx_wave *w, const struct gfx_inst *i) { \
        ds_atomic(w, i, gfx_atomic_##fn);                                 \
    }
#define BOTH(op) ATOMIC(op##_32, op##_32) ATOMIC(op##_64, op##_64)
BOTH(add)
BOTH(sub)
BOTH(rsub)
BOTH(inc)
BOTH(dec)
BOTH(smin)
BOTH(smax)
BOTH(umin)
BOTH(umax)
BOTH(and)
BOTH(or)
BOTH(xor)
BOTH(swap)
BOTH(cmpswap)
BOTH(fadd)
BOTH(fmin)
BOTH(fmax)
ATOMIC(pk_add_f16, pk_add_f16)
ATOMIC(pk_add_bf16, pk_add_bf16)

// ---- Lane exchange through the LDS hardware; no LDS is touched. Lanes that are off neither read nor write; a read from one gives 0.
static void ds_bpermute(struct gfx_wave *w, const struct gfx_inst *i) {
    uint64_t exec = gfx_exec(w);
    const uint32_t *at = w->v[i->src[0].reg], *x = w->v[i->src[1].reg];
    if (!gfx_need_lanes(w, i->src[0].reg, exec)) return;
    uint32_t out[GFX_LANES] = {0};
    uint64_t read = 0;
    EACH_ACTIVE(w) {
        int l = ACTIVE;
        unsigned from = (at[l] + (uint32_t)i->offset) / 4 % GFX_LANES;
        if (!(exec >> from & 1)) continue;
        read |= UINT64_C(1) << from;
        out[l] = x[from];
    }
    if (!gfx_need_lanes(w, i->src[1].reg, read)) return;
    gfx_put_reg(w, i->dst.reg, out);
    gfx_pend(w, GFX_W_LDS, i->dst.reg, 1);
}

static void ds_permute(struct gfx_wave *w, const struct gfx_inst *i) {
    const uint32_t *at = w->v[i->src[0].reg], *x = w->v[i->src[1].reg];
    uint32_t out[GFX_LANES] = {0};
    EACH_ACTIVE(w) {
        int l = ACTIVE;
        out[(at[l] + (uint32_t)i->offset) / 4 % GFX_LANES] = x[l];
    }
    gfx_put_reg(w, i->dst.reg, out);
    gfx_pend(w, GFX_W_LDS, i->dst.reg, 1);
}

static unsigned swizzle_source(unsigned l, unsigned pattern) {
    if (pattern & 0x8000 && (pattern & 0xf000) == 0x8000) return (l & ~3u) | (pattern >> 2 * (l & 3) & 3);
    if ((pattern & 0xe000) == 0xc000) { // rotate within a mask
        unsigned by = pattern >> 5 & 31, mask = pattern & 31, in = l & 31;
        unsigned to = pattern >> 10 & 1 ? in - by : in + by;
        return (l & ~31u) | (in & mask) | (to & ~mask & 31);
    }
    unsigned and = pattern & 31, or = pattern >> 5 & 31, xor = pattern >> 10 & 31;
    return (l & ~31u) | ((((l & 31) & and) | or) ^ xor);
}

static void ds_swizzle(struct gfx_wave *w, const struct gfx_inst *i) {
    uint64_t exec = gfx_exec(w), read = 0;
    const uint32_t *x = w->v[i->src[0].reg];
    uint32_t out[GFX_LANES] = {0};
    EACH_ACTIVE(w) {
        int l = ACTIVE;
        unsigned from = swizzle_source((unsigned)l, (unsigned)i->offset);
        if (!(exec >> from & 1)) continue;
        read |= UINT64_C(1) << from;
        out[l] = x[from];
    }
    if (!gfx_need_lanes(w, i->src[0].reg, read)) return;
    gfx_put_reg(w, i->dst.reg, out);
    gfx_pend(w, GFX_W_LDS, i->dst.reg, 1);
}

static void ds_nop(struct gfx_wave *w, const struct gfx_inst *i) {
    (void)w, (void)i;
}

#define C GFX_C_LDS
#define READ(name, fn, bytes, t)       \
    {                                  \
        name, fn, C, 1, 0, bytes, 0, { \
            t, GFX_T_B32               \
        }                              \
    }
#define WRITE(name, fn, bytes, t)      \
    {                                  \
        name, fn, C, 0, 0, bytes, 0, { \
            0, GFX_T_B32, t            \
        }                              \
    }
#define AT32(name, fn)                         \
    {                                          \
        "ds_" name, fn, C, 0, 0, 4, 0, {       \
            0, GFX_T_B32, GFX_T_B32, GFX_T_B32 \
        }                                      \
    }
#define AT32R(name, fn)                                \
    {                                                  \
        "ds_" name, fn, C, 1, 0, 4, 0, {               \
            GFX_T_B32, GFX_T_B32, GFX_T_B32, GFX_T_B32 \
        }                                              \
    }
#define AT64(name, fn)                         \
    {                                          \
        "ds_" name, fn, C, 0, 0, 8, 0, {       \
            0, GFX_T_B32, GFX_T_B64, GFX_T_B64 \
        }                                      \
    }
#define AT64R(name, fn)                                \
    {                                                  \
        "ds_" name, fn, C, 1, 0, 8, 0, {               \
            GFX_T_B64, GFX_T_B32, GFX_T_B64, GFX_T_B64 \
        }                                              \
    }
#define INT(op, a32, a64, fn)                                                                            \
    AT32(op "_" a32, ds_##fn##_32), AT32R(op "_rtn_" a32, ds_##fn##_32), AT64(op "_" a64, ds_##fn##_64), \
        AT64R(op "_rtn_" a64, ds_##fn##_64)

GFX_TABLE(lds) = {
    READ("ds_read_b32", ds_read, 4, GFX_T_B32),
    READ("ds_read_b64", ds_read, 8, GFX_T_B64),
    READ("ds_read_b96", ds_read, 12, GFX_T_NONE),
    READ("ds_read_b128", ds_read, 16, GFX_T_NONE),
    READ("ds_read_u8", ds_read_u8, 1, GFX_T_B32),
    READ("ds_read_i8", ds_read_i8, 1, GFX_T_B32),
    READ("ds_read_u16", ds_read_u16, 2, GFX_T_B32),
    READ("ds_read_i16", ds_read_i16, 2, GFX_T_B32),
    READ("ds_read_u8_d16", ds_read_u8_d16, 1, GFX_T_B32),
    READ("ds_read_i8_d16", ds_read_i8_d16, 1, GFX_T_B32),
    READ("ds_read_u16_d16", ds_read_u16_d16, 2, GFX_T_B32),
    READ("ds_read_u8_d16_hi", ds_read_u8_d16_hi, 1, GFX_T_B32),
    READ("ds_read_i8_d16_hi", ds_read_i8_d16_hi, 1, GFX_T_B32),
    READ("ds_read_u16_d16_hi", ds_read_u16_d16_hi, 2, GFX_T_B32),
    WRITE("ds_write_b32", ds_write, 4, GFX_T_B32),
    WRITE("ds_write_b64", ds_write, 8, GFX_T_B64),
    WRITE("ds_write_b96", ds_write, 12, GFX_T_NONE),
    WRITE("ds_write_b128", ds_write, 16, GFX_T_NONE),
    WRITE("ds_write_b8", ds_write_narrow, 1, GFX_T_B32),
    WRITE("ds_write_b16", ds_write_narrow, 2, GFX_T_B32),
    WRITE("ds_write_b8_d16_hi", ds_write_narrow_hi, 1, GFX_T_B32),
    WRITE("ds_write_b16_d16_hi", ds_write_narrow_hi, 2, GFX_T_B32),
    {"ds_read2_b32", ds_read2, C, 1, 0, 4, GFX_F_TWO_OFFSETS, {GFX_T_B64, GFX_T_B32}},
    {"ds_read2st64_b32", ds_read2, C, 1, 0, 4, GFX_F_TWO_OFFSETS, {GFX_T_B64, GFX_T_B32}},
    {"ds_read2_b64", ds_read2, C, 1, 0, 8, GFX_F_TWO_OFFSETS, {0, GFX_T_B32}},
    {"ds_read2st64_b64", ds_read2, C, 1, 0, 8, GFX_F_TWO_OFFSETS, {0, GFX_T_B32}},
    {"ds_write2_b32", ds_write2, C, 0, 0, 4, GFX_F_TWO_OFFSETS, {0, GFX_T_B32, GFX_T_B32, GFX_T_B32}},
    {"ds_write2st64_b32", ds_write2, C, 0, 0, 4, GFX_F_TWO_OFFSETS, {0, GFX_T_B32, GFX_T_B32, GFX_T_B32}},
    {"ds_write2_b64", ds_write2, C, 0, 0, 8, GFX_F_TWO_OFFSETS, {0, GFX_T_B32, GFX_T_B64, GFX_T_B64}},
    {"ds_write2st64_b64", ds_write2, C, 0, 0, 8, GFX_F_TWO_OFFSETS, {0, GFX_T_B32, GFX_T_B64, GFX_T_B64}},
    INT("add", "u32", "u64", add),
    INT("sub", "u32", "u64", sub),
    INT("rsub", "u32", "u64", rsub),
    INT("inc", "u32", "u64", inc),
    INT("dec", "u32", "u64", dec),
    INT("min", "i32", "i64", smin),
    INT("max", "i32", "i64", smax),
    INT("min", "u32", "u64", umin),
    INT("max", "u32", "u64", umax),
    INT("and", "b32", "b64", and),
    INT("or", "b32", "b64", or),
    INT("xor", "b32", "b64", xor),
    AT32R("wrxchg_rtn_b32", ds_swap_32),
    AT64R("wrxchg_rtn_b64", ds_swap_64),
    INT("cmpst", "b32", "b64", cmpswap),
    INT("add", "f32", "f64", fadd),
    INT("min", "f32", "f64", fmin),
    INT("max", "f32", "f64", fmax),
    AT32("pk_add_f16", ds_pk_add_f16),
    AT32R("pk_add_rtn_f16", ds_pk_add_f16),
    AT32("pk_add_bf16", ds_pk_add_bf16),
    AT32R("pk_add_rtn_bf16", ds_pk_add_bf16),
    {"ds_bpermute_b32", ds_bpermute, C, 1, 0, 0, GFX_F_RAW_SRC, {GFX_T_B32, GFX_T_B32, GFX_T_B32}},
    {"ds_permute_b32", ds_permute, C, 1, 0, 0, 0, {GFX_T_B32, GFX_T_B32, GFX_T_B32}},
    {"ds_swizzle_b32", ds_swizzle, C, 1, 0, 0, GFX_F_RAW_SRC, {GFX_T_B32, GFX_T_B32}},
    {"ds_nop", ds_nop, C, 0, 0, 0, 0, {0}},
    {0},
};
