#include "half.h"

/* Two values a lane in one instruction (VOP3P) other than f16: 16-bit integers, pairs of f32, dot products, and the
   fused multiply-add of mixed precision. op_sel chooses what the low result is made of, op_sel_hi the high one. */

typedef int32_t word;
#define U16(x) ((word)((x)&0xffff))
#define I16(x) ((word)(int16_t)(x))

static inline word within(word x, word lo, word hi) {
    return x < lo ? lo : x > hi ? hi : x;
}

#define PK_LOOP(expr, lo_end, hi_end)                    \
    ROW_OF(d);                                           \
    ROW_OF(h);                                           \
    if (i->clamp) {                                      \
        HALF_LOOP(d, lo, within((expr), lo_end, hi_end)) \
        HALF_LOOP(h, hi, within((expr), lo_end, hi_end)) \
    } else {                                             \
        HALF_LOOP(d, lo, expr)                           \
        HALF_LOOP(h, hi, expr)                           \
    }                                                    \
    FOR_LANES d[l] |= h[l] << 16;                        \
    gfx_put_reg(w, i->dst.reg, d)

#define PK_I(name, lo_end, hi_end, expr)           \
    HANDLER(name) {                                \
        SRC_HALVES(a, 0);                          \
        SRC_HALVES(b, 1);                          \
        const uint32_t *c_lo = a_lo, *c_hi = a_hi; \
        PK_LOOP(expr, lo_end, hi_end);             \
    }
PK_I(pk_add_u16, 0, 65535, U16(x) + U16(y))
PK_I(pk_sub_u16, 0, 65535, U16(x) - U16(y))
PK_I(pk_add_i16, -32768, 32767, I16(x) + I16(y))
PK_I(pk_sub_i16, -32768, 32767, I16(x) - I16(y))
PK_I(pk_mul_lo_u16, 0, 65535, (word)(U16(x) * (uint32_t)U16(y) & 0xffff))
PK_I(pk_lshlrev_b16, 0, 65535, (word)(y << (x & 15) & 0xffff))
PK_I(pk_lshrrev_b16, 0, 65535, (word)(y >> (x & 15)))
PK_I(pk_ashrrev_i16, -32768, 32767, I16(y) >> (x & 15))
PK_I(pk_max_i16, -32768, 32767, I16(x) > I16(y) ? I16(x) : I16(y))
PK_I(pk_min_i16, -32768, 32767, I16(x) < I16(y) ? I16(x) : I16(y))
PK_I(pk_max_u16, 0, 65535, U16(x) > U16(y) ? U16(x) : U16(y))
PK_I(pk_min_u16, 0, 65535, U16(x) < U16(y) ? U16(x) : U16(y))
HANDLER(pk_mad_i16) {
    SRC_HALVES(a, 0);
    SRC_HALVES(b, 1);
    SRC_HALVES(c, 2);
    PK_LOOP(I16(x) * I16(y) + I16(z), -32768, 32767);
}
static inline word mad_u16(uint32_t x, uint32_t y, uint32_t z, bool clamp) {
    uint32_t r = x * y + z; /* below 2^32 */
    return (word)(clamp && r > 65535 ? 65535 : r & 0xffff);
}
HANDLER(pk_mad_u16) {
    SRC_HALVES(a, 0);
    SRC_HALVES(b, 1);
    SRC_HALVES(c, 2);
    PK_LOOP(mad_u16(x, y, z, i->clamp), 0, 65535);
}

/* Pairs of f32: the low or the high register of each source. */
struct pair {
    _Alignas(64) uint32_t tmp[2][LANES];
    const uint32_t *at[2]; /* what the low and the high result read */
};
static inline void pair_of(struct gfx_wave *w, const struct gfx_inst *i, unsigned k, struct pair *p) {
    const struct gfx_operand *o = &i->src[k];
    const uint32_t *row[2];
    if (o->kind == GFX_K_VGPR) {
        row[0] = w->v[o->reg], row[1] = w->v[o->reg + 1];
    } else {
        uint64_t x = gfx_scalar64(w, (struct gfx_operand *)o);
        FOR_LANES p->tmp[0][l] = (uint32_t)x, p->tmp[1][l] = (uint32_t)(x >> 32);
        row[0] = p->tmp[0], row[1] = p->tmp[1];
    }
    p->at[0] = row[i->op_sel >> k & 1], p->at[1] = row[i->op_sel_hi >> k & 1];
}
/* neg_lo, neg_hi and MODE's denormals: copies only where there is something to change. */
static inline const uint32_t *pair_in(struct gfx_wave *w, const struct gfx_inst *i, unsigned k, unsigned half,
                                      const struct pair *p, uint32_t *tmp) {
    uint32_t neg = (uint32_t)((half ? i->neg_hi : i->neg_lo) >> k & 1) << 31;
    bool keep = w->mode & MODE_IN32;
    if (keep && !neg) return p->at[half];
    FOR_LANES tmp[l] = (keep ? p->at[half][l] : flushed32(p->at[half][l])) ^ neg;
    return tmp;
}
static inline void pk_out32(struct gfx_wave *w, const struct gfx_inst *i, uint32_t (*d)[LANES]) {
    for (unsigned n = 0; n < 2; n++) {
        if (!(w->mode & MODE_OUT32)) FOR_LANES d[n][l] = flushed32(d[n][l]);
        if (i->clamp) FOR_LANES d[n][l] = clamped32(d[n][l], w->mode);
        gfx_put_reg(w, i->dst.reg + n, d[n]);
    }
}
#define PK_F32(name, n_src, expr)                                                                \
    HANDLER(name) {                                                                              \
        struct pair pa, pb, pc;                                                                  \
        pair_of(w, i, 0, &pa);                                                                   \
        pair_of(w, i, 1, &pb);                                                                   \
        if (n_src == 3) pair_of(w, i, 2, &pc);                                                   \
        ROW_OF(both[2]);                                                                         \
        for (unsigned n = 0; n < 2; n++) {                                                       \
            ROW_OF(ta);                                                                          \
            ROW_OF(tb);                                                                          \
            ROW_OF(tc);                                                                          \
            const uint32_t *a = pair_in(w, i, 0, n, &pa, ta), *b = pair_in(w, i, 1, n, &pb, tb); \
            const uint32_t *c = n_src == 3 ? pair_in(w, i, 2, n, &pc, tc) : a;                   \
            F32_LOOP(expr);                                                                      \
            memcpy(both[n], d, sizeof d);                                                        \
        }                                                                                        \
        pk_out32(w, i, both);                                                                    \
    }
PK_F32(pk_add_f32, 2, x + y)
PK_F32(pk_mul_f32, 2, x *y)
PK_F32(pk_fma_f32, 3, fmaf(x, y, z))

/* The low result is a register of source 0, the high one of source 1, chosen by op_sel. */
HANDLER(pk_mov_b32) {
    struct pair pa, pb;
    pair_of(w, i, 0, &pa);
    pair_of(w, i, 1, &pb);
    ROW_OF(d[2]);
    memcpy(d[0], pa.at[0], sizeof d[0]);
    memcpy(d[1], pb.at[0], sizeof d[1]);
    for (unsigned n = 0; n < 2; n++) gfx_put_reg(w, i->dst.reg + n, d[n]);
}

/* Dot products of integers, summed exactly; clamp saturates the sum. */
static inline int64_t dot_i(uint32_t x, uint32_t y, int bits) {
    int64_t sum = 0;
    for (int at = 0; at < 32; at += bits) {
        int up = 32 - bits - at;
        sum += (int64_t)((int32_t)(x << up) >> (32 - bits)) * ((int32_t)(y << up) >> (32 - bits));
    }
    return sum;
}
static inline int64_t dot_u(uint32_t x, uint32_t y, int bits) {
    int64_t sum = 0;
    for (int at = 0; at < 32; at += bits)
        sum += (int64_t)(x >> at & ((1u << bits) - 1)) * (int64_t)(y >> at & ((1u << bits) - 1));
    return sum;
}
#define DOT_LOOP(product, top, bottom, of)                                                   \
    ROW_OF(d);                                                                               \
    FOR_LANES {                                                                              \
        int64_t r = (product) + (int64_t)(of)c[l];                                           \
        d[l] = (uint32_t)(i->clamp ? (r > (top) ? (top) : r < (bottom) ? (bottom) : r) : r); \
    }                                                                                        \
    gfx_put_reg(w, i->dst.reg, d)
#define DOT(name, product, top, bottom, of) \
    HANDLER(name) {                         \
        SRC32(a, 0);                        \
        SRC32(b, 1);                        \
        SRC32(c, 2);                        \
        DOT_LOOP(product, top, bottom, of); \
    }
#define DOTC(name, product)                               \
    HANDLER(name) {                                       \
        SRC32(a, 0);                                      \
        SRC32(b, 1);                                      \
        const uint32_t *c = w->v[i->dst.reg];             \
        DOT_LOOP(product, INT32_MAX, INT32_MIN, int32_t); \
    }
DOT(dot2_i32_i16, dot_i(a[l], b[l], 16), INT32_MAX, INT32_MIN, int32_t)
DOT(dot2_u32_u16, dot_u(a[l], b[l], 16), UINT32_MAX, 0, uint32_t)
DOT(dot8_i32_i4, dot_i(a[l], b[l], 4), INT32_MAX, INT32_MIN, int32_t)
DOT(dot8_u32_u4, dot_u(a[l], b[l], 4), UINT32_MAX, 0, uint32_t)
DOT(dot4_u32_u8, dot_u(a[l], b[l], 8), UINT32_MAX, 0, uint32_t)
DOT(dot4_i32_i8_clamped, dot_i(a[l], b[l], 8), INT32_MAX, INT32_MIN, int32_t)
DOTC(dot2c_i32_i16, dot_i(a[l], b[l], 16))
DOTC(dot4c_i32_i8, dot_i(a[l], b[l], 8))
DOTC(dot8c_i32_i4, dot_i(a[l], b[l], 4))

/* The one that kernels are full of: 32-bit sums without saturation. */
HANDLER(dot4_i32_i8) {
    if (i->clamp) {
        dot4_i32_i8_clamped(w, i);
        return;
    }
    SRC32(a, 0);
    SRC32(b, 1);
    SRC32(c, 2);
    ROW_OF(d);
    FOR_LANES {
        uint32_t x = a[l], y = b[l];
        int32_t sum = ((int32_t)x >> 24) * ((int32_t)y >> 24);
        sum += ((int32_t)(x << 8) >> 24) * ((int32_t)(y << 8) >> 24);
        sum += ((int32_t)(x << 16) >> 24) * ((int32_t)(y << 16) >> 24);
        sum += ((int32_t)(x << 24) >> 24) * ((int32_t)(y << 24) >> 24);
        d[l] = (uint32_t)sum + c[l];
    }
    gfx_put_reg(w, i->dst.reg, d);
}

/* Dot product of f16: products are exact in f32, each sum is rounded to f32. */
static inline uint32_t dot_f16(uint32_t x0, uint32_t x1, uint32_t y0, uint32_t y1, uint32_t z) {
    float r = f32_of(z) + f32_of_f16(x0) * f32_of_f16(y0);
    return bits_of(r + f32_of_f16(x1) * f32_of_f16(y1));
}
HANDLER(dot2_f32_f16) {
    SRC32(a, 0);
    SRC32(b, 1);
    SRC32(c, 2);
    ROW_OF(d);
    unsigned neg = i->neg_lo, neh = i->neg_hi, s = i->op_sel, h = i->op_sel_hi;
    FOR_LANES {
        uint32_t x0 = a[l] >> (s & 1) * 16, x1 = a[l] >> (h & 1) * 16;
        uint32_t y0 = b[l] >> (s >> 1 & 1) * 16, y1 = b[l] >> (h >> 1 & 1) * 16;
        x0 ^= (neg & 1) << 15, x1 ^= (neh & 1) << 15;
        y0 ^= (neg >> 1 & 1) << 15, y1 ^= (neh >> 1 & 1) << 15;
        d[l] = dot_f16(x0, x1, y0, y1, c[l] ^ (neg >> 2 & 1) << 31);
        d[l] = is_nan32(d[l]) ? d[l] & 0x7fffffff : d[l];
    }
    out32(w, i, d);
}
HANDLER(dot2c_f32_f16) {
    SRC32(a, 0);
    SRC32(b, 1);
    const uint32_t *c = w->v[i->dst.reg];
    ROW_OF(d);
    FOR_LANES {
        d[l] = dot_f16(a[l], a[l] >> 16, b[l], b[l] >> 16, c[l]);
        d[l] = is_nan32(d[l]) ? d[l] & 0x7fffffff : d[l];
    }
    out32(w, i, d);
}

/* Each source is an f32, or where op_sel_hi says so the half of it that op_sel names, as f16. neg_hi is abs. */
static inline const uint32_t *mix_in(struct gfx_wave *w, const struct gfx_inst *i, unsigned k,
                                     uint32_t *tmp) {
    const struct gfx_operand *o = &i->src[k];
    const uint32_t *x = tmp;
    if (o->kind == GFX_K_VGPR)
        x = w->v[o->reg];
    else {
        uint32_t s = gfx_scalar32(w, (struct gfx_operand *)o);
        FOR_LANES tmp[l] = s;
    }
    uint32_t neg = (uint32_t)(i->neg_lo >> k & 1) << 31 | (o->mods & GFX_NEG ? 0x80000000 : 0);
    uint32_t keep = (i->neg_hi >> k & 1) || o->mods & GFX_ABS ? 0x7fffffff : 0xffffffff;
    unsigned shift = (i->op_sel >> k & 1) * 16;
    if (i->op_sel_hi >> k & 1)
        FOR_LANES tmp[l] = (bits_of(f32_of_f16(in16(x[l] >> shift, w->mode))) & keep) ^ neg;
    else
        FOR_LANES tmp[l] = ((w->mode & MODE_IN32 ? x[l] : flushed32(x[l])) & keep) ^ neg;
    return tmp;
}
#define MIX_LOOP                                                                                 \
    ROW_OF(ta);                                                                                  \
    ROW_OF(tb);                                                                                  \
    ROW_OF(tc);                                                                                  \
    const uint32_t *a = mix_in(w, i, 0, ta), *b = mix_in(w, i, 1, tb), *c = mix_in(w, i, 2, tc); \
    F32_LOOP(fmaf(x, y, z))

HANDLER(fma_mix_f32) {
    MIX_LOOP;
    if (!(w->mode & MODE_OUT32)) FOR_LANES d[l] = flushed32(d[l]);
    if (i->clamp) FOR_LANES d[l] = clamped32(d[l], w->mode);
    gfx_put_reg(w, i->dst.reg, d);
}
/* To one half of the destination: rounded to f32, and then to f16. */
static inline void mix_half(struct gfx_wave *w, const struct gfx_inst *i, uint32_t *d, unsigned at) {
    const uint32_t *old = w->v[i->dst.reg];
    FOR_LANES {
        uint32_t h = special16(w) ? out16_of(f32_of(d[l]), w->mode) : f16_of_f32(f32_of(d[l]));
        if (i->clamp) h = clamped16(h, w->mode);
        d[l] = (old[l] & ~(0xffffu << at)) | h << at;
    }
    gfx_put_reg(w, i->dst.reg, d);
}
HANDLER(fma_mixlo_f16) {
    MIX_LOOP;
    mix_half(w, i, d, 0);
}
HANDLER(fma_mixhi_f16) {
    MIX_LOOP;
    mix_half(w, i, d, 16);
}

#define PK_ROW(name, ...) VALU("v_" #name, name, GFX_F_PACKED, __VA_ARGS__)
GFX_TABLE(valu_packed) = {
    PK_ROW(pk_add_u16, PK16, PK16, PK16),
    PK_ROW(pk_sub_u16, PK16, PK16, PK16),
    PK_ROW(pk_add_i16, PK16, PK16, PK16),
    PK_ROW(pk_sub_i16, PK16, PK16, PK16),
    PK_ROW(pk_mul_lo_u16, PK16, PK16, PK16),
    PK_ROW(pk_lshlrev_b16, PK16, PK16, PK16),
    PK_ROW(pk_lshrrev_b16, PK16, PK16, PK16),
    PK_ROW(pk_ashrrev_i16, PK16, PK16, PK16),
    PK_ROW(pk_max_i16, PK16, PK16, PK16),
    PK_ROW(pk_min_i16, PK16, PK16, PK16),
    PK_ROW(pk_max_u16, PK16, PK16, PK16),
    PK_ROW(pk_min_u16, PK16, PK16, PK16),
    PK_ROW(pk_mad_i16, PK16, PK16, PK16, PK16),
    PK_ROW(pk_mad_u16, PK16, PK16, PK16, PK16),
    PK_ROW(pk_add_f32, PKF32, PKF32, PKF32),
    PK_ROW(pk_mul_f32, PKF32, PKF32, PKF32),
    PK_ROW(pk_fma_f32, PKF32, PKF32, PKF32, PKF32),
    VALU("v_pk_mov_b32", pk_mov_b32, GFX_F_PACKED | GFX_F_COPY, PKB32, PKB32, PKB32),
    PK_ROW(dot2_i32_i16, B32, PK16, PK16, B32),
    PK_ROW(dot2_u32_u16, B32, PK16, PK16, B32),
    PK_ROW(dot4_i32_i8, B32, B32, B32, B32),
    PK_ROW(dot4_u32_u8, B32, B32, B32, B32),
    PK_ROW(dot8_i32_i4, B32, B32, B32, B32),
    PK_ROW(dot8_u32_u4, B32, B32, B32, B32),
    PK_ROW(dot2_f32_f16, F32, PKF16, PKF16, F32),
    VALU("v_dot2c_i32_i16", dot2c_i32_i16, GFX_F_READS_DST, B32, B32, B32),
    VALU("v_dot4c_i32_i8", dot4c_i32_i8, GFX_F_READS_DST, B32, B32, B32),
    VALU("v_dot8c_i32_i4", dot8c_i32_i4, GFX_F_READS_DST, B32, B32, B32),
    VALU("v_dot2c_f32_f16", dot2c_f32_f16, GFX_F_READS_DST, F32, PKF16, PKF16),
    VALU("v_fma_mix_f32", fma_mix_f32, 0, F32, F32, F32, F32),
    VALU("v_fma_mixlo_f16", fma_mixlo_f16, 0, B32, F32, F32, F32),
    VALU("v_fma_mixhi_f16", fma_mixhi_f16, 0, B32, F32, F32, F32),
    {0},
};
