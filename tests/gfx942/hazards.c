// Wait states: what the hardware does not hold back and the compiler must (the table of manually inserted wait states, section 4.5,
// and the dependency table of the matrix instructions, section 7, of AMD's CDNA3 ISA document). Every instruction is one state, s_nop N
// is N + 1. The distance between two is the number of states that lie between them.
#include "internal.h"

enum {
    H_VALU = 1 << 0,     // reads VGPRs or SGPRs as a VALU instruction
    H_SGPR = 1 << 1,     // VALU that reads an SGPR: 2 after a VALU that wrote it
    H_DPP = 1 << 2,      // 2 after a VALU that wrote the register, 5 after one that wrote exec
    H_VMEM = 1 << 3,     // 5 after a VALU wrote an SGPR that it reads
    H_DIV_FMAS = 1 << 4, // 4 after a VALU wrote VCC
    H_LANE_SEL = 1 << 5, // 4 after a VALU wrote the SGPR that selects the lane
    H_LANE =
        1 << 6,     // readlane, readfirstlane: 1 after a VALU wrote the register; with writelane 4 after exec
    H_MAT = 1 << 7, // matrix product: 2 after a VALU wrote a source
    H_M0 = 1 << 8,  // 1 after SALU wrote M0
    H_MODE = 1 << 9,      // s_getreg, s_setreg: 2 after s_setreg of the same register
    H_FMA64 = 1 << 10,    // 2 after a matrix product of f64
    H_WRITES_V = 1 << 11, // VALU that writes VGPRs
    H_DOT = 1 << 12,
};

static bool starts(const char *s, const char *with) {
    return strncmp(s, with, strlen(with)) == 0;
}

static bool is_valu(const struct gfx_inst *i) {
    unsigned c = i->op->cls;
    return c == GFX_C_VALU || c == GFX_C_TRANS || c == GFX_C_ACC || c == GFX_C_MFMA;
}

static bool is_vmem(const struct gfx_inst *i) {
    unsigned c = i->op->cls;
    return c == GFX_C_LOAD || c == GFX_C_STORE || c == GFX_C_ATOMIC || c == GFX_C_FLAT || c == GFX_C_SCRATCH;
}

void gfx_hazard_note(struct gfx_inst *i) {
    const char *name = i->op->name;
    unsigned h = 0;
    if (is_valu(i)) {
        h |= H_VALU;
        for (unsigned k = 0; k < i->n_uses; k++) {
            if (i->uses[k].reg >= 512 && i->uses[k].how & 1) h |= H_SGPR;
            if (i->uses[k].reg < 512 && i->uses[k].how & 2) h |= H_WRITES_V;
        }
    }
    if (is_vmem(i)) h |= H_VMEM;
    if (i->flags & GFX_I_DPP) h |= H_DPP;
    if (starts(name, "v_div_fmas")) h |= H_DIV_FMAS;
    if (starts(name, "v_readlane") || starts(name, "v_writelane")) h |= H_LANE_SEL | H_LANE;
    if (starts(name, "v_readfirstlane")) h |= H_LANE;
    if (i->op->cls == GFX_C_MFMA) h |= H_MAT;
    if (starts(name, "s_sendmsg") || (is_vmem(i) && (i->flags & GFX_I_LDS || strstr(name, "_lds_"))))
        h |= H_M0;
    if (starts(name, "s_getreg") || starts(name, "s_setreg")) h |= H_MODE;
    if (starts(name, "v_fma_f64") || starts(name, "v_fmac_f64")) h |= H_FMA64;
    if (starts(name, "v_dot")) h |= H_DOT;
    i->hazards = (uint16_t)h;
}

static bool overlap(const struct gfx_use *a, unsigned reg, unsigned n) {
    return a->reg < reg + n && reg < a->reg + (unsigned)a->n;
}

static bool writes(const struct gfx_inst *i, unsigned reg, unsigned n) {
    for (unsigned k = 0; k < i->n_uses; k++)
        if (i->uses[k].how & 2 && overlap(&i->uses[k], reg, n)) return true;
    return (i->op->flags & GFX_F_CMPX) && reg < 512 + GFX_EXEC + 2 && 512 + GFX_EXEC < reg + n;
}

static const char *reg_name(unsigned reg, char text[16]) {
    if (reg < GFX_ACC)
        snprintf(text, 16, "v%u", reg);
    else if (reg < 512)
        snprintf(text, 16, "a%u", reg - GFX_ACC);
    else if (reg - 512 == GFX_VCC)
        snprintf(text, 16, "vcc");
    else if (reg - 512 == GFX_EXEC)
        snprintf(text, 16, "exec");
    else if (reg - 512 == GFX_M0)
        snprintf(text, 16, "m0");
    else
        snprintf(text, 16, "s%u", reg - 512);
    return text;
}

const char *gfx_reg_name(unsigned reg, char text[16]) {
    return reg_name(reg, text);
}

typedef bool (*writer_fn)(const struct gfx_inst *def);

static bool legacy_valu(const struct gfx_inst *i) {
    return is_valu(i) && i->op->cls != GFX_C_MFMA && !(i->hazards & H_DOT);
}

static bool is_trans(const struct gfx_inst *i) {
    return i->op->cls == GFX_C_TRANS;
}

static bool half_writer(const struct gfx_inst *i) {
    if (!is_valu(i)) return false;
    return i->flags & GFX_I_SDWA ? i->dst_sel != GFX_DWORD : i->op_sel & 8 && !(i->op->flags & GFX_F_PACKED);
}

static bool is_salu(const struct gfx_inst *i) {
    return i->op->cls == GFX_C_SALU;
}

static bool is_wide_store(const struct gfx_inst *i) {
    return i->op->cls == GFX_C_STORE && i->op->size > 8;
}

// False, after a fault, where an instruction for which `who` holds touched the registers fewer than `need` states ago.
static bool far_enough(struct gfx_wave *w, unsigned reg, unsigned n, unsigned need, writer_fn who,
                       const char *why) {
    const struct gfx_issue *q = w->issue;
    for (uint32_t k = 1; k <= GFX_HISTORY && k <= q->n_hist; k++) {
        const struct gfx_inst *def = q->hist[(q->n_hist - k) % GFX_HISTORY].inst;
        uint32_t between = q->now - q->hist[(q->n_hist - k) % GFX_HISTORY].time - 1;
        if (between >= need) return true;
        if (!who(def) || !writes(def, reg, n)) continue;
        char text[16];
        gfx_fault(w, "%s %s needs %u wait states after %s: there are %u (s_nop or other instructions)", why,
                  reg_name(reg, text), need, def->op->name, between);
        return false;
    }
    return true;
}

// ---- Matrix results
static unsigned need_read_by_matrix(const struct gfx_mat *m, const struct gfx_inst *i,
                                    const struct gfx_use *u) {
    bool f64_small = m->kind == 2 && m->passes <= 4, xdl = !(i->op->flags & (GFX_F_F64 | GFX_F_F32MAT));
    if (!(u->how & 4)) return m->kind == 2 ? (f64_small ? 6u : 11u) : m->passes + (m->kind == 0 ? 3u : 2u);
    if (m->dst == u->reg && m->n_dst == u->n) {
        if (f64_small && i->op->flags & GFX_F_F64 && i->op->passes <= 4) return 4;
        return m->passes == 2 ? 2 : 0;
    }
    if (m->kind == 2) return xdl ? 0 : f64_small ? 4 : 9;
    if (xdl && m->kind == 1) return 0;
    return m->passes + (m->kind == 0 ? 1u : 0u);
}

static unsigned need_by_others(const struct gfx_mat *m, bool mem) {
    bool small = m->passes <= 4;
    if (m->kind == 2) return mem ? (small ? 9 : 18) : (small ? 6 : 11);
    return m->passes + (m->kind == 0 ? 3u : 2u);
}

static bool check_mats(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_use *u) {
    const struct gfx_issue *q = w->issue;
    bool mat = i->op->cls == GFX_C_MFMA, mem = is_vmem(i) || i->op->cls == GFX_C_LDS;
    if (!mat && !mem && !is_valu(i)) return true;
    for (uint32_t k = 1; k <= GFX_MATS && k <= q->n_mats; k++) {
        const struct gfx_mat *m = &q->mats[(q->n_mats - k) % GFX_MATS];
        uint32_t between = q->now - m->time - 1;
        if (between >= 19) return true;
        bool hit = overlap(u, m->dst, m->n_dst);
        unsigned need = 0;
        const char *what = "reads";
        if (hit && u->how & 1)
            need = mat ? need_read_by_matrix(m, i, u) : need_by_others(m, mem);
        else if (hit && !mat)
            need = need_by_others(m, false), what = "overwrites";
        else if (!hit && !mat && u->how & 2 && m->kind == 0 && m->n_c && overlap(u, m->c, m->n_c))
            need = m->passes - 1u, what = "overwrites an operand of";
        if (between < need) {
            char text[16];
            gfx_fault(w, "%s %s %u wait states after %s; %u are needed (s_nop or independent instructions)",
                      what, reg_name(u->reg, text), between, m->inst->op->name, need);
            return false;
        }
        if (hit) return true; // only the newest write of a register counts
    }
    return true;
}

static void note_mat(struct gfx_issue *q, const struct gfx_inst *i) {
    struct gfx_mat *m = &q->mats[q->n_mats++ % GFX_MATS];
    const struct gfx_operand *c = &i->src[2];
    bool reg = c->kind == GFX_K_VGPR && i->n_src > 2;
    *m = (struct gfx_mat){q->now,
                          i->dst.reg,
                          reg ? c->reg : UINT16_MAX,
                          i->dst.n,
                          reg ? c->n : 0,
                          i->op->passes,
                          i->op->flags & GFX_F_F64      ? 2
                          : i->op->flags & GFX_F_F32MAT ? 1
                                                        : 0,
                          i};
    q->last_mat = q->now;
}

// ---- The checks before an instruction
static bool check_valu(struct gfx_wave *w, const struct gfx_inst *i, unsigned h) {
    for (unsigned k = 0; k < i->n_uses; k++) {
        const struct gfx_use *u = &i->uses[k];
        bool v = u->reg < 512;
        if (u->how & 1) {
            if (v && i->op->cls != GFX_C_TRANS &&
                !far_enough(w, u->reg, u->n, 1, is_trans, "a VALU that reads"))
                return false;
            if (v && !far_enough(w, u->reg, u->n, 1, half_writer, "a VALU that reads")) return false;
            if (!v && !far_enough(w, u->reg, u->n, 2, is_valu, "a VALU that reads")) return false;
            if (v && h & H_DPP && k == 0 && !far_enough(w, u->reg, u->n, 2, is_valu, "DPP of")) return false;
            if (v && h & H_MAT && !far_enough(w, u->reg, u->n, 2, legacy_valu, "a matrix product that reads"))
                return false;
            if (v && h & H_LANE && !far_enough(w, u->reg, u->n, 1, is_valu, "a lane read of")) return false;
            if (!v && h & H_LANE_SEL && !far_enough(w, u->reg, u->n, 4, is_valu, "a lane selected by"))
                return false;
        }
    }
    if (h & H_DIV_FMAS && !far_enough(w, 512 + GFX_VCC, 2, 4, is_valu, "v_div_fmas with")) return false;
    if (h & H_DPP && !far_enough(w, 512 + GFX_EXEC, 2, 5, is_valu, "DPP under")) return false;
    if (h & H_LANE && !far_enough(w, 512 + GFX_EXEC, 2, 4, is_valu, "a lane access under")) return false;
    return true;
}

// A store of more than 8 bytes a lane reads its data late.
static bool check_store_data(struct gfx_wave *w, const struct gfx_inst *i) {
    const struct gfx_issue *q = w->issue;
    for (uint32_t k = 1; k <= 2 && k <= q->n_hist; k++) {
        const struct gfx_inst *s = q->hist[(q->n_hist - k) % GFX_HISTORY].inst;
        uint32_t between = q->now - q->hist[(q->n_hist - k) % GFX_HISTORY].time - 1;
        if (between >= 2) return true;
        if (!is_wide_store(s)) continue;
        for (unsigned a = 0; a < i->n_uses; a++)
            for (unsigned b = 0; b < s->n_uses; b++)
                if (i->uses[a].how & 2 && i->uses[a].reg < 512 && s->uses[b].n > 2 && s->uses[b].reg < 512 &&
                    overlap(&i->uses[a], s->uses[b].reg, s->uses[b].n)) {
                    char text[16];
                    gfx_fault(w, "overwrites %s, data of %s, %u wait states after it; 2 are needed",
                              reg_name(s->uses[b].reg, text), s->op->name, between);
                    return false;
                }
    }
    return true;
}

// A v_dot's result is forwarded only to the third operand of the same opcode.
static bool check_dot(struct gfx_wave *w, const struct gfx_inst *i) {
    const struct gfx_issue *q = w->issue;
    for (uint32_t k = 1; k <= 3 && k <= q->n_hist; k++) {
        const struct gfx_inst *def = q->hist[(q->n_hist - k) % GFX_HISTORY].inst;
        uint32_t between = q->now - q->hist[(q->n_hist - k) % GFX_HISTORY].time - 1;
        if (between >= 3) return true;
        if (!(def->hazards & H_DOT)) continue;
        for (unsigned a = 0; a < i->n_uses; a++) {
            const struct gfx_use *u = &i->uses[a];
            if (u->reg >= 512 || !overlap(u, def->dst.reg, def->dst.n)) continue;
            bool same = def->op == i->op, third = same && (a == 2 || !(u->how & 1) || u->how & 2);
            if (third) continue;
            char text[16];
            gfx_fault(w, "uses %s %u wait states after %s; 3 are needed", reg_name(u->reg, text), between,
                      def->op->name);
            return false;
        }
    }
    return true;
}

static bool check_setreg(struct gfx_wave *w, const struct gfx_inst *i) {
    const struct gfx_issue *q = w->issue;
    for (uint32_t k = 1; k <= 2 && k <= q->n_hist; k++) {
        const struct gfx_inst *s = q->hist[(q->n_hist - k) % GFX_HISTORY].inst;
        uint32_t between = q->now - q->hist[(q->n_hist - k) % GFX_HISTORY].time - 1;
        if (between >= 2) return true;
        if (!starts(s->op->name, "s_setreg") || (s->imm & 63) != (i->imm & 63)) continue;
        gfx_fault(w, "follows %s of the same register after %u wait states; 2 are needed", s->op->name,
                  between);
        return false;
    }
    return true;
}

bool gfx_hazard_check(struct gfx_wave *w, const struct gfx_inst *i) {
    struct gfx_issue *q = w->issue;
    unsigned h = i->hazards;
    if (q->n_mats && q->now - q->last_mat <= 19) {
        for (unsigned k = 0; k < i->n_uses; k++)
            if (i->uses[k].reg < 512 && !check_mats(w, i, &i->uses[k])) return false;
        if (h & H_FMA64 && q->now - q->last_mat - 1 < 2 && q->mats[(q->n_mats - 1) % GFX_MATS].kind == 2) {
            gfx_fault(w, "2 wait states are needed after a matrix product of f64");
            return false;
        }
    }
    if (h & H_VALU && !check_valu(w, i, h)) return false;
    if (h & H_WRITES_V && !check_store_data(w, i)) return false;
    if (i->n_uses && (h & H_VALU || is_vmem(i) || i->op->cls == GFX_C_LDS) && q->now - q->last_dot <= 3 &&
        !check_dot(w, i))
        return false;
    if (h & H_VMEM)
        for (unsigned k = 0; k < i->n_uses; k++)
            if (i->uses[k].reg >= 512 &&
                !far_enough(w, i->uses[k].reg, i->uses[k].n, 5, is_valu, "a memory access that reads"))
                return false;
    if (h & H_M0 && !far_enough(w, 512 + GFX_M0, 1, 1, is_salu, "an instruction that reads")) return false;
    if (h & H_MODE && !check_setreg(w, i)) return false;
    return true;
}

void gfx_hazard_done(struct gfx_wave *w, const struct gfx_inst *i) {
    struct gfx_issue *q = w->issue;
    if (i->op->cls == GFX_C_MFMA) note_mat(q, i);
    if (i->hazards & H_DOT) q->last_dot = q->now;
    q->hist[q->n_hist % GFX_HISTORY].time = q->now;
    q->hist[q->n_hist++ % GFX_HISTORY].inst = i;
    q->now += i->op->cls == GFX_C_WAIT && i->words[0] >> 16 == 0xbf80 ? (i->imm & 15) + 1 : 1;
}
