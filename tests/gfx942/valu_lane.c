#include "valu.h"

/* Instructions that move words between lanes, or between the two halves of the register file. */

HANDLER(nop) {
    (void)w, (void)i;
}

/* One lane of a VGPR to an SGPR, whatever exec is. */
static void lane_to_sgpr(struct gfx_wave *w, const struct gfx_inst *i, unsigned lane) {
    const struct gfx_operand *o = &i->src[0];
    uint32_t x;
    if (o->kind == GFX_K_VGPR) {
        if (!gfx_need_lanes(w, o->reg, UINT64_C(1) << lane)) return;
        x = w->v[o->reg][lane];
    } else {
        x = gfx_scalar32(w, o);
    }
    gfx_put_s32(w, &i->dst, x);
}
HANDLER(readfirstlane_b32) {
    uint64_t exec = gfx_exec(w);
    lane_to_sgpr(w, i, exec ? (unsigned)__builtin_ctzll(exec) : 0);
}
HANDLER(readlane_b32) {
    lane_to_sgpr(w, i, gfx_scalar32(w, &i->src[1]) & 63);
}

HANDLER(writelane_b32) {
    unsigned lane = gfx_scalar32(w, &i->src[1]) & 63;
    w->v[i->dst.reg][lane] = gfx_scalar32(w, &i->src[0]);
    w->wmask = UINT64_C(1) << lane;
}

HANDLER(swap_b32) {
    ROW_OF(old);
    memcpy(old, w->v[i->dst.reg], sizeof old);
    gfx_put_reg(w, i->dst.reg, w->v[i->src[0].reg]);
    gfx_put_reg(w, i->src[0].reg, old);
}

OP1(accvgpr, x)

#define ACC(name) VALU_ROW(name, accvgpr, GFX_C_ACC, 1, GFX_F_COPY, B32, B32)
GFX_TABLE(valu_lane) = {
    VALU_ROW("v_nop", nop, GFX_C_VALU, 0, 0, NONE, NONE),
    VALU_ROW("v_clrexcp", nop, GFX_C_VALU, 0, 0, NONE, NONE),
    VALU("v_readfirstlane_b32", readfirstlane_b32, GFX_F_RAW_SRC, B32, B32),
    VALU("v_readlane_b32", readlane_b32, GFX_F_RAW_SRC | GFX_F_LANE_SEL, B32, B32, B32),
    VALU("v_writelane_b32", writelane_b32, GFX_F_LANE_SEL, B32, B32, B32),
    VALU("v_swap_b32", swap_b32, GFX_F_READS_DST | GFX_F_SRC0_RW, B32, B32),
    ACC("v_accvgpr_read_b32"),
    ACC("v_accvgpr_write_b32"),
    ACC("v_accvgpr_mov_b32"),
    {0},
};
