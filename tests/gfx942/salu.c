// Scalar arithmetic: SOP1, SOP2, SOPC, SOPK.
#include "internal.h"

static inline uint32_t s0(struct gfx_wave *w, const struct gfx_inst *i) {
    return gfx_scalar32(w, &i->src[0]);
}
static inline uint32_t s1(struct gfx_wave *w, const struct gfx_inst *i) {
    return gfx_scalar32(w, &i->src[1]);
}
static inline uint64_t d0(struct gfx_wave *w, const struct gfx_inst *i) {
    return gfx_scalar64(w, &i->src[0]);
}
static inline uint64_t d1(struct gfx_wave *w, const struct gfx_inst *i) {
    return gfx_scalar64(w, &i->src[1]);
}

uint32_t gfx_scalar32_special(struct gfx_wave *w, const struct gfx_operand *o) {
    switch (o->reg) {
    case GFX_VCCZ: return gfx_vcc(w) == 0;
    case GFX_EXECZ: return gfx_exec(w) == 0;
    case GFX_SCC: return w->scc;
    case GFX_SHARED_BASE: return (uint32_t)(GFX_APERTURE_SHARED >> 32);
    case GFX_PRIVATE_BASE: return (uint32_t)(GFX_APERTURE_PRIVATE >> 32);
    default: return UINT32_MAX;
    }
}

uint64_t gfx_scalar64_special(struct gfx_wave *w, const struct gfx_operand *o) {
    switch (o->reg) {
    case GFX_SHARED_BASE: return GFX_APERTURE_SHARED;
    case GFX_SHARED_LIMIT: return GFX_APERTURE_SHARED | UINT32_MAX;
    case GFX_PRIVATE_BASE: return GFX_APERTURE_PRIVATE;
    case GFX_PRIVATE_LIMIT: return GFX_APERTURE_PRIVATE | UINT32_MAX;
    default: return gfx_scalar32_special(w, o);
    }
}

// ---- X(name, statements): a = source 0, b = source 1, r = the result, w->scc
#define OP32(name, ...)                                               \
    static void name(struct gfx_wave *w, const struct gfx_inst *i) {  \
        const uint32_t a = s0(w, i), b = i->n_src > 1 ? s1(w, i) : 0; \
        uint32_t r;                                                   \
        (void)a, (void)b;                                             \
        __VA_ARGS__;                                                  \
        gfx_put_s32(w, &i->dst, r);                                   \
    }
#define OP64(name, bexpr, ...)                                       \
    static void name(struct gfx_wave *w, const struct gfx_inst *i) { \
        const uint64_t a = d0(w, i), b = i->n_src > 1 ? bexpr : 0;   \
        uint64_t r;                                                  \
        (void)a, (void)b;                                            \
        __VA_ARGS__;                                                 \
        gfx_put_s64(w, &i->dst, r);                                  \
    }
#define SET (w->scc = r != 0)

OP32(s_mov_b32, r = a)
OP64(s_mov_b64, 0, r = a)
OP32(s_cmov_b32, r = w->scc ? a : w->s[i->dst.reg])
OP64(s_cmov_b64, 0, r = w->scc ? a : w->s64[i->dst.reg / 2])
OP32(s_cselect_b32, r = w->scc ? a : b)
OP64(s_cselect_b64, d1(w, i), r = w->scc ? a : b)

#define LOGIC(name, e)                           \
    OP32(s_##name##_b32, r = (uint32_t)(e); SET) \
    OP64(s_##name##_b64, d1(w, i), r = (e); SET)
LOGIC(and, a &b)
LOGIC(or, a | b)
LOGIC(xor, a ^ b)
LOGIC(andn2, a & ~b)
LOGIC(orn2, a | ~b)
LOGIC(nand, ~(a &b))
LOGIC(nor, ~(a | b))
LOGIC(xnor, ~(a ^ b))
LOGIC(not, ~a)

// Every group of four bits: all ones where any is set.
static uint64_t wqm(uint64_t x) {
    uint64_t any = (x | x >> 1 | x >> 2 | x >> 3) & UINT64_C(0x1111111111111111);
    return any * 15;
}
LOGIC(wqm, wqm(a))

static uint64_t quads(uint64_t x) {
    uint64_t any = (x | x >> 1 | x >> 2 | x >> 3) & UINT64_C(0x1111111111111111), r = 0;
    for (int k = 0; k < 16; k++) r |= (any >> 4 * k & 1) << k;
    return r;
}
LOGIC(quadmask, quads(a))

OP32(s_add_u32, r = a + b; w->scc = r < a)
OP32(s_sub_u32, r = a - b; w->scc = a < b)
OP32(s_add_i32, r = a + b; w->scc = ((a ^ r) & (b ^ r)) >> 31)
OP32(s_sub_i32, r = a - b; w->scc = ((a ^ b) & (a ^ r)) >> 31)
OP32(s_addc_u32, uint64_t t = (uint64_t)a + b + w->scc; r = (uint32_t)t; w->scc = t >> 32 != 0)
OP32(s_subb_u32, uint64_t t = (uint64_t)a - b - w->scc; r = (uint32_t)t; w->scc = t >> 32 != 0)
OP32(s_min_i32, w->scc = (int32_t)a < (int32_t)b; r = w->scc ? a : b)
OP32(s_min_u32, w->scc = a < b; r = w->scc ? a : b)
OP32(s_max_i32, w->scc = (int32_t)a > (int32_t)b; r = w->scc ? a : b)
OP32(s_max_u32, w->scc = a > b; r = w->scc ? a : b)
OP32(s_mul_i32, r = a * b)
OP32(s_mul_hi_u32, r = (uint32_t)((uint64_t)a * b >> 32))
OP32(s_mul_hi_i32, r = (uint32_t)((int64_t)(int32_t)a * (int32_t)b >> 32))
OP32(s_absdiff_i32, int64_t t = (int64_t)(int32_t)a - (int32_t)b; r = (uint32_t)(t < 0 ? -t : t); SET)
OP32(s_abs_i32, r = (int32_t)a < 0 ? 0 - a : a; SET)
#define LSHL_ADD(n) \
    OP32(s_lshl##n##_add_u32, uint64_t t = ((uint64_t)a << n) + b; r = (uint32_t)t; w->scc = t >> 32 != 0)
LSHL_ADD(1)
LSHL_ADD(2)
LSHL_ADD(3)
LSHL_ADD(4)

OP32(s_lshl_b32, r = a << (b & 31); SET)
OP32(s_lshr_b32, r = a >> (b & 31); SET)
OP32(s_ashr_i32, r = (uint32_t)((int32_t)a >> (b & 31)); SET)
OP64(s_lshl_b64, s1(w, i), r = a << (b & 63); SET)
OP64(s_lshr_b64, s1(w, i), r = a >> (b & 63); SET)
OP64(s_ashr_i64, s1(w, i), r = (uint64_t)((int64_t)a >> (b & 63)); SET)
OP32(s_bfm_b32, r = ((1u << (a & 31)) - 1) << (b & 31))
static void s_bfm_b64(struct gfx_wave *w, const struct gfx_inst *i) {
    gfx_put_s64(w, &i->dst, ((UINT64_C(1) << (s0(w, i) & 63)) - 1) << (s1(w, i) & 63));
}

static uint64_t field(uint64_t x, unsigned offset, unsigned width, unsigned size, bool sign) {
    if (width == 0) return 0;
    x = offset < size ? x >> offset : 0;
    if (width >= size)
        return sign && offset < size && offset
                   ? (uint64_t)((int64_t)(x << (64 - size + offset)) >> (64 - size + offset))
                   : x;
    unsigned have = size - offset < width ? size - offset : width;
    x &= (UINT64_C(1) << width) - 1;
    return sign ? (uint64_t)((int64_t)(x << (64 - have)) >> (64 - have)) : x;
}
OP32(s_bfe_u32, r = (uint32_t)field(a, b & 31, b >> 16 & 127, 32, false); SET)
OP32(s_bfe_i32, r = (uint32_t)field(a, b & 31, b >> 16 & 127, 32, true); SET)
OP64(s_bfe_u64, s1(w, i), r = field(a, b & 63, b >> 16 & 127, 64, false); SET)
OP64(s_bfe_i64, s1(w, i), r = field(a, b & 63, b >> 16 & 127, 64, true); SET)

OP32(s_pack_ll_b32_b16, r = (a & 0xffff) | b << 16)
OP32(s_pack_lh_b32_b16, r = (a & 0xffff) | (b & 0xffff0000))
OP32(s_pack_hh_b32_b16, r = a >> 16 | (b & 0xffff0000))

static uint64_t reverse(uint64_t x) {
    uint64_t r = 0;
    for (int k = 0; k < 64; k++) r |= (x >> k & 1) << (63 - k);
    return r;
}
OP32(s_brev_b32, r = (uint32_t)(reverse(a) >> 32))
OP64(s_brev_b64, 0, r = reverse(a))
OP32(s_sext_i32_i8, r = (uint32_t)(int8_t)a)
OP32(s_sext_i32_i16, r = (uint32_t)(int16_t)a)
OP32(s_bitset0_b32, r = w->s[i->dst.reg] & ~(1u << (a & 31)))
OP32(s_bitset1_b32, r = w->s[i->dst.reg] | 1u << (a & 31))
static void s_bitset0_b64(struct gfx_wave *w, const struct gfx_inst *i) {
    w->s64[i->dst.reg / 2] &= ~(UINT64_C(1) << (s0(w, i) & 63));
}
static void s_bitset1_b64(struct gfx_wave *w, const struct gfx_inst *i) {
    w->s64[i->dst.reg / 2] |= UINT64_C(1) << (s0(w, i) & 63);
}
static void s_bitreplicate(struct gfx_wave *w, const struct gfx_inst *i) {
    uint64_t x = s0(w, i), r = 0;
    for (int k = 0; k < 32; k++) r |= (x >> k & 1) * 3 << 2 * k;
    gfx_put_s64(w, &i->dst, r);
}

// Counts of bits and first bits: -1 where there is none.
#define COUNT(name, e)                                                        \
    static void name(struct gfx_wave *w, const struct gfx_inst *i) {          \
        const uint64_t a = i->src[0].type == GFX_T_B64 ? d0(w, i) : s0(w, i); \
        const int size = i->src[0].type == GFX_T_B64 ? 64 : 32;               \
        uint32_t r = (uint32_t)(e);                                           \
        (void)size;                                                           \
        gfx_put_s32(w, &i->dst, r);                                           \
    }
static int sign_bits(uint64_t a, int size) {
    int64_t x = (int64_t)(a << (64 - size)) >> (64 - size);
    uint64_t y = (uint64_t)(x < 0 ? ~x : x);
    return y == 0 ? -1 : __builtin_clzll(y) - (64 - size);
}
COUNT(s_bcnt0, (w->scc = size != __builtin_popcountll(a), size - __builtin_popcountll(a)))
COUNT(s_bcnt1, (w->scc = a != 0, __builtin_popcountll(a)))
COUNT(s_ff1, a ? __builtin_ctzll(a) : -1)
COUNT(s_ff0, ~(size == 32 ? a | UINT64_C(0xffffffff00000000) : a)
                 ? __builtin_ctzll(~(size == 32 ? a | UINT64_C(0xffffffff00000000) : a))
                 : -1)
COUNT(s_flbit, a ? __builtin_clzll(a) - (64 - size) : -1)
COUNT(s_flbit_signed, sign_bits(a, size))

// ---- Exec
#define SAVEEXEC(name, e)                                                           \
    static void s_##name##_saveexec(struct gfx_wave *w, const struct gfx_inst *i) { \
        const uint64_t a = d0(w, i), x = gfx_exec(w), r = (e);                      \
        gfx_put_s64(w, &i->dst, x);                                                 \
        w->s64[GFX_EXEC / 2] = r;                                                   \
        SET;                                                                        \
    }
SAVEEXEC(and, a &x)
SAVEEXEC(or, a | x)
SAVEEXEC(xor, a ^ x)
SAVEEXEC(andn2, a & ~x)
SAVEEXEC(orn2, a | ~x)
SAVEEXEC(nand, ~(a &x))
SAVEEXEC(nor, ~(a | x))
SAVEEXEC(xnor, ~(a ^ x))
SAVEEXEC(andn1, ~a &x)
SAVEEXEC(orn1, ~a | x)
#define WREXEC(name, e)                                                           \
    static void s_##name##_wrexec(struct gfx_wave *w, const struct gfx_inst *i) { \
        const uint64_t a = d0(w, i), x = gfx_exec(w), r = (e);                    \
        w->s64[GFX_EXEC / 2] = r;                                                 \
        gfx_put_s64(w, &i->dst, r);                                               \
        SET;                                                                      \
    }
WREXEC(andn1, ~a &x)
WREXEC(andn2, a & ~x)

// ---- Compares
#define CMP(name, type, e)                                                   \
    static void s_cmp_##name(struct gfx_wave *w, const struct gfx_inst *i) { \
        const type a = (type)s0(w, i), b = (type)s1(w, i);                   \
        w->scc = (e);                                                        \
    }
#define CMPS(op, e) CMP(op##_i32, int32_t, e) CMP(op##_u32, uint32_t, e)
CMPS(eq, a == b)
CMPS(lg, a != b)
CMPS(gt, a > b)
CMPS(ge, a >= b)
CMPS(lt, a < b)
CMPS(le, a <= b)
static void s_cmp_eq_u64(struct gfx_wave *w, const struct gfx_inst *i) {
    w->scc = d0(w, i) == d1(w, i);
}
static void s_cmp_lg_u64(struct gfx_wave *w, const struct gfx_inst *i) {
    w->scc = d0(w, i) != d1(w, i);
}
CMP(bit0, uint32_t, !(a >> (b & 31) & 1))
CMP(bit1, uint32_t, a >> (b & 31) & 1)
static void s_bitcmp0_b64(struct gfx_wave *w, const struct gfx_inst *i) {
    w->scc = !(d0(w, i) >> (s1(w, i) & 63) & 1);
}
static void s_bitcmp1_b64(struct gfx_wave *w, const struct gfx_inst *i) {
    w->scc = d0(w, i) >> (s1(w, i) & 63) & 1;
}

// ---- SOPK: the constant is in the encoding. Signed, but for unsigned compares.
static void s_movk_i32(struct gfx_wave *w, const struct gfx_inst *i) {
    gfx_put_s32(w, &i->dst, (uint32_t)(int16_t)i->imm);
}
static void s_cmovk_i32(struct gfx_wave *w, const struct gfx_inst *i) {
    if (w->scc) gfx_put_s32(w, &i->dst, (uint32_t)(int16_t)i->imm);
}
static void s_addk_i32(struct gfx_wave *w, const struct gfx_inst *i) {
    uint32_t a = w->s[i->dst.reg], b = (uint32_t)(int16_t)i->imm, r = a + b;
    w->scc = ((a ^ r) & (b ^ r)) >> 31;
    gfx_put_s32(w, &i->dst, r);
}
static void s_mulk_i32(struct gfx_wave *w, const struct gfx_inst *i) {
    gfx_put_s32(w, &i->dst, w->s[i->dst.reg] * (uint32_t)(int16_t)i->imm);
}
#define CMPK(name, e)                                                               \
    static void s_cmpk_##name##_i32(struct gfx_wave *w, const struct gfx_inst *i) { \
        const int32_t a = (int32_t)s0(w, i), b = (int16_t)i->imm;                   \
        w->scc = (e);                                                               \
    }                                                                               \
    static void s_cmpk_##name##_u32(struct gfx_wave *w, const struct gfx_inst *i) { \
        const uint32_t a = s0(w, i), b = (uint16_t)i->imm;                          \
        w->scc = (e);                                                               \
    }
CMPK(eq, a == b)
CMPK(lg, a != b)
CMPK(gt, a > b)
CMPK(ge, a >= b)
CMPK(lt, a < b)
CMPK(le, a <= b)

#define C GFX_C_SALU
#define B32 GFX_T_B32
#define B64 GFX_T_B64
#define D32(name, fn, flags)           \
    {                                  \
        name, fn, C, 1, 0, 0, flags, { \
            B32, B32, B32              \
        }                              \
    }
#define D64(name, fn, flags)           \
    {                                  \
        name, fn, C, 1, 0, 0, flags, { \
            B64, B64, B64              \
        }                              \
    }
#define TWO(name) D32("s_" #name "_b32", s_##name##_b32, 0), D64("s_" #name "_b64", s_##name##_b64, 0)
#define ONE(name) D32(#name, name, 0)
#define COUNTS(name, fn, s)        \
    {                              \
        name, fn, C, 1, 0, 0, 0, { \
            B32, s                 \
        }                          \
    }
#define SAVE(name)                                                        \
    {                                                                     \
        "s_" #name "_saveexec_b64", s_##name##_saveexec, C, 1, 0, 0, 0, { \
            B64, B64                                                      \
        }                                                                 \
    }
#define NOD(name, fn, a, b)        \
    {                              \
        name, fn, C, 0, 0, 0, 0, { \
            0, a, b                \
        }                          \
    }
#define SCMP(op) \
    NOD("s_cmp_" #op "_i32", s_cmp_##op##_i32, B32, B32), NOD("s_cmp_" #op "_u32", s_cmp_##op##_u32, B32, B32)
#define KCMP(op)                                            \
    NOD("s_cmpk_" #op "_i32", s_cmpk_##op##_i32, B32, B32), \
        NOD("s_cmpk_" #op "_u32", s_cmpk_##op##_u32, B32, B32)

GFX_TABLE(salu) = {
    D32("s_mov_b32", s_mov_b32, GFX_F_COPY),
    D64("s_mov_b64", s_mov_b64, GFX_F_COPY),
    D32("s_cmov_b32", s_cmov_b32, GFX_F_READS_DST),
    D64("s_cmov_b64", s_cmov_b64, GFX_F_READS_DST),
    D32("s_cselect_b32", s_cselect_b32, GFX_F_COPY | GFX_F_SELECT),
    D64("s_cselect_b64", s_cselect_b64, GFX_F_COPY | GFX_F_SELECT),
    TWO(and),
    TWO(or),
    TWO(xor),
    TWO(andn2),
    TWO(orn2),
    TWO(nand),
    TWO(nor),
    TWO(xnor),
    TWO(not ),
    TWO(wqm),
    TWO(quadmask),
    TWO(brev),
    ONE(s_add_u32),
    ONE(s_sub_u32),
    ONE(s_add_i32),
    ONE(s_sub_i32),
    ONE(s_addc_u32),
    ONE(s_subb_u32),
    ONE(s_min_i32),
    ONE(s_min_u32),
    ONE(s_max_i32),
    ONE(s_max_u32),
    ONE(s_mul_i32),
    ONE(s_mul_hi_u32),
    ONE(s_mul_hi_i32),
    ONE(s_absdiff_i32),
    ONE(s_abs_i32),
    ONE(s_lshl1_add_u32),
    ONE(s_lshl2_add_u32),
    ONE(s_lshl3_add_u32),
    ONE(s_lshl4_add_u32),
    ONE(s_lshl_b32),
    ONE(s_lshr_b32),
    ONE(s_ashr_i32),
    {"s_lshl_b64", s_lshl_b64, C, 1, 0, 0, 0, {B64, B64, B32}},
    {"s_lshr_b64", s_lshr_b64, C, 1, 0, 0, 0, {B64, B64, B32}},
    {"s_ashr_i64", s_ashr_i64, C, 1, 0, 0, 0, {B64, B64, B32}},
    ONE(s_bfm_b32),
    {"s_bfm_b64", s_bfm_b64, C, 1, 0, 0, 0, {B64, B32, B32}},
    ONE(s_bfe_u32),
    ONE(s_bfe_i32),
    {"s_bfe_u64", s_bfe_u64, C, 1, 0, 0, 0, {B64, B64, B32}},
    {"s_bfe_i64", s_bfe_i64, C, 1, 0, 0, 0, {B64, B64, B32}},
    ONE(s_pack_ll_b32_b16),
    ONE(s_pack_lh_b32_b16),
    ONE(s_pack_hh_b32_b16),
    ONE(s_sext_i32_i8),
    ONE(s_sext_i32_i16),
    D32("s_bitset0_b32", s_bitset0_b32, GFX_F_READS_DST),
    D32("s_bitset1_b32", s_bitset1_b32, GFX_F_READS_DST),
    {"s_bitset0_b64", s_bitset0_b64, C, 1, 0, 0, GFX_F_READS_DST, {B64, B32}},
    {"s_bitset1_b64", s_bitset1_b64, C, 1, 0, 0, GFX_F_READS_DST, {B64, B32}},
    {"s_bitreplicate_b64_b32", s_bitreplicate, C, 1, 0, 0, 0, {B64, B32}},
    COUNTS("s_bcnt0_i32_b32", s_bcnt0, B32),
    COUNTS("s_bcnt0_i32_b64", s_bcnt0, B64),
    COUNTS("s_bcnt1_i32_b32", s_bcnt1, B32),
    COUNTS("s_bcnt1_i32_b64", s_bcnt1, B64),
    COUNTS("s_ff0_i32_b32", s_ff0, B32),
    COUNTS("s_ff0_i32_b64", s_ff0, B64),
    COUNTS("s_ff1_i32_b32", s_ff1, B32),
    COUNTS("s_ff1_i32_b64", s_ff1, B64),
    COUNTS("s_flbit_i32_b32", s_flbit, B32),
    COUNTS("s_flbit_i32_b64", s_flbit, B64),
    COUNTS("s_flbit_i32", s_flbit_signed, B32),
    COUNTS("s_flbit_i32_i64", s_flbit_signed, B64),
    SAVE(and),
    SAVE(or),
    SAVE(xor),
    SAVE(andn2),
    SAVE(orn2),
    SAVE(nand),
    SAVE(nor),
    SAVE(xnor),
    SAVE(andn1),
    SAVE(orn1),
    D64("s_andn1_wrexec_b64", s_andn1_wrexec, 0),
    D64("s_andn2_wrexec_b64", s_andn2_wrexec, 0),
    SCMP(eq),
    SCMP(lg),
    SCMP(gt),
    SCMP(ge),
    SCMP(lt),
    SCMP(le),
    NOD("s_cmp_eq_u64", s_cmp_eq_u64, B64, B64),
    NOD("s_cmp_lg_u64", s_cmp_lg_u64, B64, B64),
    NOD("s_bitcmp0_b32", s_cmp_bit0, B32, B32),
    NOD("s_bitcmp1_b32", s_cmp_bit1, B32, B32),
    NOD("s_bitcmp0_b64", s_bitcmp0_b64, B64, B32),
    NOD("s_bitcmp1_b64", s_bitcmp1_b64, B64, B32),
    D32("s_movk_i32", s_movk_i32, 0),
    D32("s_cmovk_i32", s_cmovk_i32, GFX_F_READS_DST),
    D32("s_addk_i32", s_addk_i32, GFX_F_READS_DST),
    D32("s_mulk_i32", s_mulk_i32, GFX_F_READS_DST),
    KCMP(eq),
    KCMP(lg),
    KCMP(gt),
    KCMP(ge),
    KCMP(lt),
    KCMP(le),
    {0},
};
