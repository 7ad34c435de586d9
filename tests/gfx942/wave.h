// One wave of gfx942 and one decoded instruction: all that a handler, the meaning of one mnemonic, may see.
//
// A handler is a pure function of the wave: it reads its sources by the accessors below, computes 64 lanes, and writes its destination
// by gfx_put*. The machine (issue.c) has done the checks before it is called, once per instruction and not per lane: every register
// that an operand names exists, was written in the lanes that are read, and waits for no load and no matrix result. After the call the
// machine marks the destination as written in the lanes of `wmask`. So a handler checks nothing; where an operand is special (readlane
// reads one lane, whatever exec is), its row carries a flag for it.
//
// Files that contribute rows are compiled twice, for any x86-64 and for x86-64-v3; the loader takes the one that this CPU runs. Their
// functions are static, and the only symbol is the table: GFX_TABLE(valu1) = { {"v_add_f32", add_f32, ...}, ..., {0} }; see ops.c.
#ifndef GFX942_WAVE_H
#define GFX942_WAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GFX_LANES 64
#define GFX_ALL (~UINT64_C(0))
#define GFX_ACC 256 // v[GFX_ACC + n] is a[n]

// Scalar registers by their number in the encoding.
enum gfx_sreg {
    GFX_FLAT_SCRATCH = 102,
    GFX_XNACK = 104,
    GFX_VCC = 106,
    GFX_TTMP = 108,
    GFX_M0 = 124,
    GFX_EXEC = 126,
};

// What the bits of an operand mean. It gives inline constants their bits and neg / abs their sign bit, and it is checked against the
// number of registers that the disassembler shows.
enum gfx_type {
    GFX_T_NONE,
    GFX_T_B16, // 16-bit integer or raw bits, low half
    GFX_T_B32,
    GFX_T_B64,
    GFX_T_F16,
    GFX_T_BF16,
    GFX_T_F32,
    GFX_T_F64,
    GFX_T_PK16,  // two 16-bit integers
    GFX_T_PKF16, // two f16: a float constant fills the low half, the high half is 0
    GFX_T_PKBF16,
    GFX_T_PKF32, // two f32 in two registers: a constant is the low one; see gfx_v64
    GFX_T_PKB32,
    GFX_T_MASK, // one bit per lane, in a pair of SGPRs
    GFX_T_MAT,  // a matrix operand: as many registers as the text names; a float constant is f32
    GFX_T_MATI, // the same of int32
    GFX_T_MATD, // the same of f64
};

enum gfx_kind { GFX_K_NONE, GFX_K_VGPR, GFX_K_SGPR, GFX_K_CONST, GFX_K_SPECIAL, GFX_K_OFF };

// Numbers of the encoding that no array holds: operand.reg where the kind is GFX_K_SPECIAL.
enum gfx_special {
    GFX_SHARED_BASE = 235,
    GFX_SHARED_LIMIT = 236,
    GFX_PRIVATE_BASE = 237,
    GFX_PRIVATE_LIMIT = 238,
    GFX_VCCZ = 251,
    GFX_EXECZ = 252,
    GFX_SCC = 253,
};

enum { GFX_NEG = 1, GFX_ABS = 2, GFX_SEXT = 4 };
enum gfx_sel { GFX_BYTE_0, GFX_BYTE_1, GFX_BYTE_2, GFX_BYTE_3, GFX_WORD_0, GFX_WORD_1, GFX_DWORD };
enum gfx_unused { GFX_UNUSED_PAD, GFX_UNUSED_SEXT, GFX_UNUSED_PRESERVE };

struct gfx_operand {
    uint8_t kind;  // enum gfx_kind
    uint8_t n;     // registers, as the text names them
    uint8_t type;  // enum gfx_type, from the op's row
    uint8_t mods;  // GFX_NEG | GFX_ABS | GFX_SEXT: -v0, |v0|, sext(v0)
    uint8_t sel;   // SDWA: enum gfx_sel; GFX_DWORD elsewhere
    bool plain;    // a VGPR with no modifier, DPP, SDWA or op_sel: it may be read in place
    uint16_t reg;  // VGPR: index into v (AGPRs from GFX_ACC); SGPR: number; SPECIAL: enum gfx_special
    uint64_t bits; // CONST: the bits, by type
};

struct gfx_wave;
struct gfx_inst;
struct gfx_group;
typedef void (*gfx_fn)(struct gfx_wave *w, const struct gfx_inst *i);

enum gfx_class {
    GFX_C_SALU,
    GFX_C_SMEM,
    GFX_C_BRANCH,
    GFX_C_WAIT, // waits, nops, barriers, sleeps
    GFX_C_VALU,
    GFX_C_TRANS, // exp, log, rcp, rsq, sqrt, sin, cos: a result of these needs one instruction before another VALU reads it
    GFX_C_MFMA,
    GFX_C_ACC, // v_accvgpr_read, _write, _mov
    GFX_C_LDS,
    GFX_C_LOAD, // global, buffer
    GFX_C_STORE,
    GFX_C_ATOMIC,
    GFX_C_FLAT,
    GFX_C_SCRATCH,
    GFX_C_CACHE, // buffer_wbl2, buffer_inv
    GFX_N_CLASSES,
};

// Flags of a row.
enum gfx_op_flag {
    GFX_F_READS_DST = 1 << 0, // the destination is a source too: fmac, dot2c, writelane, swap
    GFX_F_COPY =
        1
        << 1, // moves bits: an unwritten lane of the source makes an unwritten lane of the destination, no error
    GFX_F_RAW_SRC = 1 << 2, // the handler itself calls gfx_need_lanes (readlane, readfirstlane, ds_bpermute)
    GFX_F_ALL_LANES = 1 << 3, // reads and writes all lanes whatever exec is (MFMA, accvgpr of a matrix)
    GFX_F_PACKED = 1 << 4,    // op_sel_hi is all ones where the text does not say
    GFX_F_VCC_IN = 1 << 5,    // reads VCC without naming it (div_fmas)
    GFX_F_SCC_IN = 1 << 6,
    GFX_F_SRC0_RW = 1 << 7,   // swap: source 0 is written too
    GFX_F_F64 = 1 << 8,       // a double-precision matrix product (hazards)
    GFX_F_F32MAT = 1 << 9,    // a matrix product that is not of the XDL unit: f32 (hazards)
    GFX_F_CMPX = 1 << 10,     // writes exec
    GFX_F_LANE_SEL = 1 << 11, // readlane, writelane: source 1 chooses the lane
    GFX_F_BRANCH = 1 << 12,   // the constant is a distance in words: inst.target
    GFX_F_ATOMIC = 1 << 13,   // has a destination only with sc0
    GFX_F_TWO_OFFSETS = 1 << 14,
    GFX_F_SELECT = 1 << 15, // with GFX_F_COPY: source 2 is a mask that chooses source 1, else source 0
};

// One mnemonic without its _e32, _e64, _dpp, _sdwa ending. type[0] is the destination's, type[1..4] those of the sources in the text's
// order. n_dst: 0, 1, or 2 (the second is a mask or carry in SGPRs: v_add_co_u32, v_div_scale_f32).
struct gfx_op {
    const char *name;
    gfx_fn fn;
    uint8_t cls; // enum gfx_class
    uint8_t n_dst;
    uint8_t passes; // MFMA: 4 cycles each, as the ISA document counts: 2, 4, 8, 16
    uint8_t size;   // memory: bytes a lane moves
    uint32_t flags; // enum gfx_op_flag
    uint8_t type[5];
};

enum gfx_inst_flag {
    GFX_I_DPP = 1 << 0,
    GFX_I_SDWA = 1 << 1,
    GFX_I_OUTMOD = 1 << 2, // clamp or omod
    GFX_I_OP_SEL = 1 << 3, // op_sel, op_sel_hi, neg_lo or neg_hi are not the defaults
    GFX_I_SC0 = 1 << 4,
    GFX_I_SC1 = 1 << 5,
    GFX_I_NT = 1 << 6,
    GFX_I_LDS = 1 << 7, // buffer / global load to LDS
    GFX_I_OFFEN = 1 << 8,
    GFX_I_IDXEN = 1 << 9,
};

#define GFX_MAX_USES 8
enum gfx_use_how {
    GFX_U_READ = 1,
    GFX_U_WRITE = 2,
    GFX_U_MAT_C = 4, // the C operand of a matrix product
    GFX_U_MAT_AB = 8,
    GFX_U_LOW = 16, // of the two registers only the lower one need be written
    GFX_U_HIGH = 32,
};
// A range of registers that the instruction reads or writes; made by the decoder for the checks.
struct gfx_use {
    uint16_t reg; // 0..511 VGPR, 512 + n SGPR
    uint8_t n;
    uint8_t how; // enum gfx_use_how
};

struct gfx_inst {
    gfx_fn fn;
    const struct gfx_op *op;
    uint32_t flags; // enum gfx_inst_flag
    uint32_t offset_in_text;
    uint8_t n_words, n_src, n_uses;
    uint16_t hazards; // hazards.c: which kinds to look for
    struct gfx_operand dst, sdst, src[4];
    uint8_t op_sel, op_sel_hi, neg_lo, neg_hi; // bit k: source k; op_sel bit 3: the destination
    uint8_t clamp, omod;                       // omod: 0, 1 = * 2, 2 = * 4, 3 = / 2
    uint16_t dpp_ctrl; // as encoded: quad_perm 0..0xff, row_shl 0x101.., row_newbcast 0x150..
    uint8_t row_mask, bank_mask,
        bound_ctrl;              // bound_ctrl: a lane out of range reads 0 (else it is not written)
    uint8_t dst_sel, dst_unused; // SDWA
    uint8_t cbsz, abid, blgp;    // MFMA; blgp is the neg mask of the f64 forms
    int32_t offset;              // memory; for two-address LDS forms the first, in elements
    int32_t offset1;
    uint32_t imm;                  // SOPP, SOPK: the 16 bits
    uint32_t flops;                // MFMA: 2 for each product that is summed
    const struct gfx_inst *target; // a branch's
    struct gfx_use uses[GFX_MAX_USES];
    uint32_t words[2];
};

struct gfx_wave {
    union {
        uint32_t s[128]; // by number: 0..101, VCC 106, M0 124, EXEC 126
        uint64_t s64[64];
    };
    uint32_t scc;
    uint32_t
        mode; // 3:0 rounding (1:0 f32, 3:2 f64 and f16), 7:4 denormals (5:4 f32, 7:6), 8 dx10_clamp, 9 ieee, 23 fp16_ovfl
    uint64_t wmask; // lanes that this instruction writes: exec, fewer by DPP; a handler may set it
    uint64_t lanes_of;
    _Alignas(64) uint32_t lanes[GFX_LANES]; // ~0 or 0: lanes_of, spread
    const struct gfx_inst *pc;              // the next instruction; a branch sets it
    struct gfx_group *group;                // its workgroup, for LDS and barriers
    struct gfx_issue *issue;                // waits and hazards: issue.h
    uint32_t id, n_vgpr, n_agpr;            // in the workgroup; allocated registers
    uint8_t state, fault;
    uint64_t sinit[2];                // SGPRs that were written
    _Alignas(64) uint64_t vinit[512]; // lanes that were written
    _Alignas(64) uint32_t v[512][GFX_LANES];
};

static inline uint64_t gfx_exec(const struct gfx_wave *w) {
    return w->s64[GFX_EXEC / 2];
}

static inline uint64_t gfx_vcc(const struct gfx_wave *w) {
    return w->s64[GFX_VCC / 2];
}

// Stops the wave: the machine adds kernel, pc and instruction to the text. A handler returns after it.
void gfx_fault(struct gfx_wave *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

// For GFX_F_RAW_SRC: faults, and returns false, where a lane of `lanes` of register `reg` was never written.
bool gfx_need_lanes(struct gfx_wave *w, unsigned reg, uint64_t lanes);

// A scalar source, SGPR, constant or special.
uint32_t gfx_scalar32_special(struct gfx_wave *w, const struct gfx_operand *o);
uint64_t gfx_scalar64_special(struct gfx_wave *w, const struct gfx_operand *o);

static inline uint32_t gfx_scalar32(struct gfx_wave *w, const struct gfx_operand *o) {
    return o->kind == GFX_K_SGPR    ? w->s[o->reg]
           : o->kind == GFX_K_CONST ? (uint32_t)o->bits
                                    : gfx_scalar32_special(w, o);
}

static inline uint64_t gfx_scalar64(struct gfx_wave *w, const struct gfx_operand *o) {
    return o->kind == GFX_K_SGPR    ? w->s64[o->reg / 2]
           : o->kind == GFX_K_CONST ? o->bits
                                    : gfx_scalar64_special(w, o);
}

static inline void gfx_put_s32(struct gfx_wave *w, const struct gfx_operand *o, uint32_t x) {
    w->s[o->reg] = x;
}

static inline void gfx_put_s64(struct gfx_wave *w, const struct gfx_operand *o, uint64_t x) {
    w->s64[o->reg / 2] = x;
}

// ---- Vector sources. The slow forms (modifiers, DPP, SDWA, scalars) are in valu_src.c.
// Each returns 64 values: the register itself where the operand is plain, otherwise `tmp` filled. Modifiers (neg, abs, sext, SDWA
// selects, DPP, and op_sel for 16-bit types that are not packed) have been applied; packed ops read whole registers and apply op_sel,
// op_sel_hi, neg_lo and neg_hi themselves.
void gfx_v32_slow(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_operand *o, unsigned k,
                  uint32_t *tmp);
void gfx_v64_slow(struct gfx_wave *w, const struct gfx_inst *i, const struct gfx_operand *o, unsigned k,
                  uint64_t *tmp);

static inline const uint32_t *gfx_v32(struct gfx_wave *w, const struct gfx_inst *i, unsigned k,
                                      uint32_t *tmp) {
    const struct gfx_operand *o = &i->src[k];
    if (o->plain) return w->v[o->reg];
    gfx_v32_slow(w, i, o, k, tmp);
    return tmp;
}

// Two registers as one value a lane. A constant of GFX_T_PKF32 / PKB32 fills the low half; op_sel is the handler's.
static inline const uint64_t *gfx_v64(struct gfx_wave *w, const struct gfx_inst *i, unsigned k,
                                      uint64_t *tmp) {
    const struct gfx_operand *o = &i->src[k];
    if (o->plain) {
        const uint32_t *lo = w->v[o->reg], *hi = w->v[o->reg + 1];
        for (int l = 0; l < GFX_LANES; l++) tmp[l] = lo[l] | (uint64_t)hi[l] << 32;
    } else {
        gfx_v64_slow(w, i, o, k, tmp);
    }
    return tmp;
}

// A lane mask (VCC, an SGPR pair, a constant): the carry in, the choice of v_cndmask.
static inline uint64_t gfx_mask(struct gfx_wave *w, const struct gfx_inst *i, unsigned k) {
    return gfx_scalar64(w, &i->src[k]);
}

// wmask spread over 64 words of ~0 or 0.
static inline const uint32_t *gfx_lanes(struct gfx_wave *w) {
    if (w->lanes_of != w->wmask) {
        w->lanes_of = w->wmask;
        for (int l = 0; l < GFX_LANES; l++) w->lanes[l] = (uint32_t)(0 - (w->wmask >> l & 1));
    }
    return w->lanes;
}

// ---- Vector destinations. Clamp and omod are the handler's (its type's own: gfx_out_f32 and so on, valu_src.h); SDWA dst_sel and the
// op_sel of a 16-bit destination are applied here.
void gfx_put32_slow(struct gfx_wave *w, const struct gfx_inst *i, const uint32_t *x);

static inline void gfx_put_reg(struct gfx_wave *w, unsigned reg, const uint32_t *x) {
    uint32_t *d = w->v[reg];
    if (w->wmask == GFX_ALL) {
        memcpy(d, x, sizeof w->v[0]);
        return;
    }
    const uint32_t *m = gfx_lanes(w);
    for (int l = 0; l < GFX_LANES; l++) d[l] = (x[l] & m[l]) | (d[l] & ~m[l]);
}

static inline void gfx_put32(struct gfx_wave *w, const struct gfx_inst *i, const uint32_t *x) {
    if (i->flags & (GFX_I_SDWA | GFX_I_OP_SEL))
        gfx_put32_slow(w, i, x);
    else
        gfx_put_reg(w, i->dst.reg, x);
}

static inline void gfx_put64(struct gfx_wave *w, const struct gfx_inst *i, const uint64_t *x) {
    uint32_t lo[GFX_LANES], hi[GFX_LANES];
    for (int l = 0; l < GFX_LANES; l++) lo[l] = (uint32_t)x[l], hi[l] = (uint32_t)(x[l] >> 32);
    gfx_put_reg(w, i->dst.reg, lo);
    gfx_put_reg(w, i->dst.reg + 1u, hi);
}

// A compare's result or a carry out, in SGPRs: inactive lanes are 0.
static inline void gfx_put_mask(struct gfx_wave *w, const struct gfx_operand *o, uint64_t x) {
    gfx_put_s64(w, o, x & w->wmask);
}

// ---- Tables
#define GFX_CAT_(a, b) a##_##b
#define GFX_CAT(a, b) GFX_CAT_(a, b)
#ifndef GFX_VARIANT // base or v3, by the build
#define GFX_VARIANT base
#endif
#define GFX_TABLE(file) const struct gfx_op GFX_CAT(gfx_ops_##file, GFX_VARIANT)[]

#endif
