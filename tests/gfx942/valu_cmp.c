#include "half.h"

/* Comparisons: a bit a lane, 0 in inactive ones; v_cmpx writes exec too. */
static inline void put_result(struct gfx_wave *w, const struct gfx_inst *i, const uint8_t *flag) {
    uint64_t mask = mask_of_bytes(flag) & w->wmask;
    gfx_put_s64(w, &i->dst, mask);
    if (i->op->flags & GFX_F_CMPX) w->s64[GFX_EXEC / 2] = mask;
}

#define CMP(name, src, type, of, expr)       \
    HANDLER(name) {                          \
        src(a, 0);                           \
        src(b, 1);                           \
        uint8_t flag[LANES];                 \
        FOR_LANES {                          \
            type x = of(a[l]), y = of(b[l]); \
            (void)x, (void)y;                \
            flag[l] = (expr);                \
        }                                    \
        put_result(w, i, flag);              \
    }

#define I32(u) ((int32_t)(u))
#define U32(u) (u)
#define I16(u) ((int16_t)(u))
#define U16(u) ((uint16_t)(u))
#define I64(u) ((int64_t)(u))
#define U64(u) (u)
#define F16(u) f32_of_f16(in16(u, w->mode))

/* x and y are unordered where one is a NaN: every comparison is then false, and its negation true. */
#define FLOAT_CMPS(t, src, type, of)                  \
    CMP(f_##t, src, type, of, 0)                      \
    CMP(lt_##t, src, type, of, x < y)                 \
    CMP(eq_##t, src, type, of, x == y)                \
    CMP(le_##t, src, type, of, x <= y)                \
    CMP(gt_##t, src, type, of, x > y)                 \
    CMP(lg_##t, src, type, of, (x < y) | (x > y))     \
    CMP(ge_##t, src, type, of, x >= y)                \
    CMP(o_##t, src, type, of, (x == x) & (y == y))    \
    CMP(u_##t, src, type, of, (x != x) | (y != y))    \
    CMP(nge_##t, src, type, of, !(x >= y))            \
    CMP(nlg_##t, src, type, of, !((x < y) | (x > y))) \
    CMP(ngt_##t, src, type, of, !(x > y))             \
    CMP(nle_##t, src, type, of, !(x <= y))            \
    CMP(neq_##t, src, type, of, !(x == y))            \
    CMP(nlt_##t, src, type, of, !(x < y))             \
    CMP(tru_##t, src, type, of, 1)

#define INT_CMPS(t, src, type, of)     \
    CMP(f_##t, src, type, of, 0)       \
    CMP(lt_##t, src, type, of, x < y)  \
    CMP(eq_##t, src, type, of, x == y) \
    CMP(le_##t, src, type, of, x <= y) \
    CMP(gt_##t, src, type, of, x > y)  \
    CMP(ne_##t, src, type, of, x != y) \
    CMP(ge_##t, src, type, of, x >= y) \
    CMP(t_##t, src, type, of, 1)

FLOAT_CMPS(f16, SRC32, float, F16)
FLOAT_CMPS(f32, SRCF32, float, f32_of)
FLOAT_CMPS(f64, SRCF64, double, f64_of)
INT_CMPS(i16, SRC32, int16_t, I16)
INT_CMPS(u16, SRC32, uint16_t, U16)
INT_CMPS(i32, SRC32, int32_t, I32)
INT_CMPS(u32, SRC32, uint32_t, U32)
INT_CMPS(i64, SRC64, int64_t, I64)
INT_CMPS(u64, SRC64, uint64_t, U64)

/* The class of x as one of ten bits: signalling NaN, quiet NaN, then from -inf up to +inf: -inf, -normal, -denormal,
   -0, +0, +denormal, +normal, +inf. Bits are judged, whatever MODE says of denormals. */
static inline uint32_t class_bit(bool sign, bool nan, bool quiet, bool inf, bool normal, bool zero) {
    if (nan) return quiet ? 1 : 0;
    uint32_t of_size = inf ? 0 : normal ? 1 : zero ? 3 : 2;
    return sign ? 2 + of_size : 9 - of_size;
}
static inline bool in_class32(uint32_t u, uint32_t set) {
    uint32_t m = u & 0x7fffffff;
    return set >> class_bit(u >> 31, m > 0x7f800000, u >> 22 & 1, m == 0x7f800000, m >= 0x800000, m == 0) & 1;
}
static inline bool in_class16(uint32_t u, uint32_t set) {
    uint32_t m = u & 0x7fff;
    return set >> class_bit(u >> 15 & 1, m > 0x7c00, u >> 9 & 1, m == 0x7c00, m >= 0x400, m == 0) & 1;
}
static inline bool in_class64(uint64_t u, uint32_t set) {
    uint64_t m = u & INT64_MAX, inf = 0x7ffull << 52;
    return set >> class_bit(u >> 63, m > inf, u >> 51 & 1, m == inf, m >= 1ull << 52, m == 0) & 1;
}
#define CLASS(name, src, fn)                \
    HANDLER(name) {                         \
        src(a, 0);                          \
        SRC32(b, 1);                        \
        uint8_t flag[LANES];                \
        FOR_LANES flag[l] = fn(a[l], b[l]); \
        put_result(w, i, flag);             \
    }
CLASS(class_f16, SRC32, in_class16)
CLASS(class_f32, SRC32, in_class32)
CLASS(class_f64, SRC64, in_class64)

#define ROWS_OF(name, fn, t) \
    VALU("v_cmp_" name, fn, 0, MASK, t, t), VALU("v_cmpx_" name, fn, GFX_F_CMPX, MASK, t, t)
#define FLOAT_ROWS(t, T)                                                                                \
    ROWS_OF("f_" #t, f_##t, T), ROWS_OF("lt_" #t, lt_##t, T), ROWS_OF("eq_" #t, eq_##t, T),             \
        ROWS_OF("le_" #t, le_##t, T), ROWS_OF("gt_" #t, gt_##t, T), ROWS_OF("lg_" #t, lg_##t, T),       \
        ROWS_OF("ge_" #t, ge_##t, T), ROWS_OF("o_" #t, o_##t, T), ROWS_OF("u_" #t, u_##t, T),           \
        ROWS_OF("nge_" #t, nge_##t, T), ROWS_OF("nlg_" #t, nlg_##t, T), ROWS_OF("ngt_" #t, ngt_##t, T), \
        ROWS_OF("nle_" #t, nle_##t, T), ROWS_OF("neq_" #t, neq_##t, T), ROWS_OF("nlt_" #t, nlt_##t, T), \
        ROWS_OF("tru_" #t, tru_##t, T)
#define INT_ROWS(t, T)                                                                            \
    ROWS_OF("f_" #t, f_##t, T), ROWS_OF("lt_" #t, lt_##t, T), ROWS_OF("eq_" #t, eq_##t, T),       \
        ROWS_OF("le_" #t, le_##t, T), ROWS_OF("gt_" #t, gt_##t, T), ROWS_OF("ne_" #t, ne_##t, T), \
        ROWS_OF("ge_" #t, ge_##t, T), ROWS_OF("t_" #t, t_##t, T)
#define CLASS_ROWS(t, T)                                 \
    VALU("v_cmp_class_" #t, class_##t, 0, MASK, T, B32), \
        VALU("v_cmpx_class_" #t, class_##t, GFX_F_CMPX, MASK, T, B32)

GFX_TABLE(valu_cmp) = {
    FLOAT_ROWS(f16, F16),
    FLOAT_ROWS(f32, F32),
    FLOAT_ROWS(f64, F64),
    INT_ROWS(i16, B16),
    INT_ROWS(u16, B16),
    INT_ROWS(i32, B32),
    INT_ROWS(u32, B32),
    INT_ROWS(i64, B64),
    INT_ROWS(u64, B64),
    CLASS_ROWS(f16, F16),
    CLASS_ROWS(f32, F32),
    CLASS_ROWS(f64, F64),
    {0},
};
