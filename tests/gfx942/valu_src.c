// Sources and destinations that are not a plain register: scalars, neg and abs, DPP, SDWA, op_sel of 16-bit operands.
#include "wave.h"

static bool is16(unsigned type) {
    return type == GFX_T_B16 || type == GFX_T_F16 || type == GFX_T_BF16;
}

// The lane that lane l reads, -1 where there is none (section 4.8 of the ISA document).
static int dpp_source(unsigned ctrl, int l) {
    int row = l & ~15, in = l & 15, n = (int)ctrl & 15;
    if (ctrl <= 0xff) return (l & ~3) | (int)(ctrl >> 2 * (l & 3) & 3);
    switch (ctrl >> 4) {
    case 0x10: return in + n <= 15 ? l + n : -1;
    case 0x11: return in >= n ? l - n : -1;
    case 0x12: return row | ((in - n) & 15);
    case 0x15: return row | n;
    default: break;
    }
    switch (ctrl) {
    case 0x130: return l < 63 ? l + 1 : -1;
    case 0x134: return (l + 1) & 63;
    case 0x138: return l - 1;
    case 0x13c: return (l - 1) & 63;
    case 0x140: return row | (15 - in);
    case 0x141: return (l & ~7) | (7 - (l & 7));
    case 0x142: return row - 1;
    case 0x143: return l >= 32 ? 31 : -1;
    default: return -2;
    }
}

// The same for all lanes, by control: made once, as DPP is what reductions are made of.
static struct dpp_map {
    int8_t from[GFX_LANES];
    uint64_t reads; // lanes that have a source
} dpp_maps[512];

__attribute__((constructor)) static void fill_dpp_maps(void) {
    for (unsigned ctrl = 0; ctrl < 512; ctrl++)
        for (int l = 0; l < GFX_LANES; l++) {
            int s = dpp_source(ctrl, l);
            dpp_maps[ctrl].from[l] = (int8_t)s;
            dpp_maps[ctrl].reads |= (uint64_t)(s >= 0) << l;
        }
}

// Lanes of the rows and banks (quarters of a row) that the masks name.
static uint64_t dpp_mask(unsigned rows, unsigned banks) {
    if (rows == 15 && banks == 15) return GFX_ALL;
    uint64_t mask = 0;
    for (unsigned l = 0; l < GFX_LANES; l++) mask |= (uint64_t)(rows >> l / 16 & banks >> l / 4 % 4 & 1) << l;
    return mask;
}

// Which lane each lane reads, -1: the value 0. Lanes that are not to be written leave wmask.
static bool dpp_lanes(struct gfx_wave *w, const struct gfx_inst *i, int8_t *from) {
    const struct dpp_map *map = &dpp_maps[i->dpp_ctrl & 511];
    uint64_t exec = gfx_exec(w), reads = map->reads;
    if (map->from[0] == -2) {
        gfx_fault(w, "DPP control %#x, which gfx942 does not have", i->dpp_ctrl);
        return false;
    }
    memcpy(from, map->from, sizeof map->from);
    if (exec != GFX_ALL)
        for (int l = 0; l < GFX_LANES; l++)
            if (from[l] >= 0 && !(exec >> from[l] & 1)) {
                from[l] = -1;
                reads &= ~(UINT64_C(1) << l);
            }
    w->wmask &= dpp_mask(i->row_mask, i->bank_mask) & (i->bound_ctrl ? GFX_ALL : reads);
    return true;
}

static uint32_t select(uint32_t x, unsigned sel, bool sign) {
    switch (sel) {
    case GFX_BYTE_0:
    case GFX_BYTE_1:
    case GFX_BYTE_2:
    case GFX_BYTE_3: x = x >> 8 * sel & 0xff; return sign ? (uint32_t)(int8_t)x : x;
    case GFX_WORD_0: x &= 0xffff; return sign ? (uint32_t)(int16_t)x : x;
    case GFX_WORD_1: x >>= 16; return sign ? (uint32_t)(int16_t)x : x;
    default: return x;
    }
}

static uint32_t sign_bit(const struct gfx_operand *o) {
    return is16(o->type) ? 0x8000 : 0x80000000;
}

void gfx_v32_slow(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_operand *o, unsigned k,
                  uint32_t *tmp) {
    if (o->kind != GFX_K_VGPR) {
        uint32_t x = gfx_scalar32(w, o);
        for (int l = 0; l < GFX_LANES; l++) tmp[l] = x;
    } else if (i->flags & GFX_I_DPP && k == 0) {
        int8_t from[GFX_LANES];
        if (!dpp_lanes(w, i, from)) return;
        for (int l = 0; l < GFX_LANES; l++) tmp[l] = from[l] < 0 ? 0 : w->v[o->reg][(int)from[l]];
    } else {
        memcpy(tmp, w->v[o->reg], sizeof w->v[0]);
    }
    if (o->sel != GFX_DWORD)
        for (int l = 0; l < GFX_LANES; l++) tmp[l] = select(tmp[l], o->sel, o->mods & GFX_SEXT);
    if (is16(o->type) && i->op_sel >> k & 1)
        for (int l = 0; l < GFX_LANES; l++) tmp[l] >>= 16;
    uint32_t sign = sign_bit(o), keep = o->mods & GFX_ABS ? ~sign : UINT32_MAX,
             flip = o->mods & GFX_NEG ? sign : 0;
    if (keep != UINT32_MAX || flip)
        for (int l = 0; l < GFX_LANES; l++) tmp[l] = (tmp[l] & keep) ^ flip;
}

void gfx_v64_slow(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_operand *o, unsigned k,
                  uint64_t *tmp) {
    if (o->kind != GFX_K_VGPR) {
        uint64_t x = gfx_scalar64(w, o);
        for (int l = 0; l < GFX_LANES; l++) tmp[l] = x;
    } else if (i->flags & GFX_I_DPP && k == 0) {
        int8_t from[GFX_LANES];
        if (!dpp_lanes(w, i, from)) return;
        for (int l = 0; l < GFX_LANES; l++) {
            int s = from[l];
            tmp[l] = s < 0 ? 0 : w->v[o->reg][s] | (uint64_t)w->v[o->reg + 1][s] << 32;
        }
    } else {
        for (int l = 0; l < GFX_LANES; l++) tmp[l] = w->v[o->reg][l] | (uint64_t)w->v[o->reg + 1][l] << 32;
    }
    const uint64_t sign = UINT64_C(1) << 63;
    uint64_t keep = o->mods & GFX_ABS ? ~sign : GFX_ALL, flip = o->mods & GFX_NEG ? sign : 0;
    if (keep != GFX_ALL || flip)
        for (int l = 0; l < GFX_LANES; l++) tmp[l] = (tmp[l] & keep) ^ flip;
}

static uint32_t place(uint32_t x, uint32_t old, unsigned sel, unsigned unused) {
    unsigned shift = sel <= GFX_BYTE_3   ? 8 * sel
                     : sel == GFX_WORD_1 ? 16
                                         : 0,
             bits = sel <= GFX_BYTE_3 ? 8 : 16;
    uint32_t mask = ((1u << bits) - 1) << shift, in = x << shift & mask;
    if (unused == GFX_UNUSED_PRESERVE) return in | (old & ~mask);
    if (unused == GFX_UNUSED_SEXT && x >> (bits - 1) & 1 && shift + bits < 32)
        in |= UINT32_MAX << (shift + bits);
    return in;
}

void gfx_put32_slow(struct gfx_wave *w, const struct gfx_inst *i, const uint32_t *x) {
    uint32_t out[GFX_LANES];
    const uint32_t *old = w->v[i->dst.reg];
    if (i->flags & GFX_I_SDWA && i->dst_sel != GFX_DWORD) {
        for (int l = 0; l < GFX_LANES; l++) out[l] = place(x[l], old[l], i->dst_sel, i->dst_unused);
        x = out;
    } else if (is16(i->dst.type) && !(i->flags & GFX_I_SDWA)) {
        bool high = i->op_sel & 8;
        for (int l = 0; l < GFX_LANES; l++)
            out[l] = high ? x[l] << 16 | (old[l] & 0xffff) : (x[l] & 0xffff) | (old[l] & 0xffff0000);
        x = out;
    }
    gfx_put_reg(w, i->dst.reg, x);
}
