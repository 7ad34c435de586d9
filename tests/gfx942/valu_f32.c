#include "valu_float.h"

/* Single precision: arithmetic. */
F32_2(add_f32, x + y)
F32_2(sub_f32, x - y)
F32_2(subrev_f32, y - x)
F32_2(mul_f32, x *y)
F32_2(mul_legacy_f32, x == 0 || y == 0 ? 0.0f : x * y)
F32_3(fma_f32, fmaf(x, y, z))

/* Whole numbers: exact, so outside of MODE's rounding (the host's floor may be made of additions). */
#define WHOLE(name, fn)                                                                \
    HANDLER(name) {                                                                    \
        SRCF32(a, 0);                                                                  \
        ROW_OF(d);                                                                     \
        FOR_LANES d[l] = is_nan32(a[l]) ? a[l] | 0x400000 : bits_of(fn(f32_of(a[l]))); \
        out32(w, i, d);                                                                \
    }
static inline float nearest_even(float x) {
    float m = fabsf(x), r = m < 0x1p23f ? (m + 0x1p23f) - 0x1p23f : m;
    return copysignf(r, x);
}
WHOLE(trunc_f32, truncf)
WHOLE(ceil_f32, ceilf)
WHOLE(floor_f32, floorf)
WHOLE(rndne_f32, nearest_even)

/* x - floor(x), never 1: of a small negative x the difference is rounded to that. */
HANDLER(fract_f32) {
    SRCF32(a, 0);
    ROW_OF(whole);
    FOR_LANES whole[l] = bits_of(floorf(f32_of(a[l])));
    const uint32_t *b = whole, *c = a;
    F32_LOOP(x - y < 1.0f ? x - y : x - y != x - y ? x - y : 0x1.fffffep-1f);
    out32(w, i, d);
}

/* The destination is the third operand. */
HANDLER(fmac_f32) {
    SRCF32(a, 0);
    SRCF32(b, 1);
    ROW_OF(old);
    const uint32_t *c = w->mode & MODE_IN32 ? w->v[i->dst.reg] : flush_row(w->v[i->dst.reg], old);
    F32_LOOP(fmaf(x, y, z));
    out32(w, i, d);
}

/* min, max, med3: bits are chosen, none computed. */
#define PICK2(name, expr)                \
    HANDLER(name) {                      \
        SRCF32(a, 0);                    \
        SRCF32(b, 1);                    \
        bool ieee = w->mode & MODE_IEEE; \
        ROW_OF(d);                       \
        FOR_LANES {                      \
            uint32_t x = a[l], y = b[l]; \
            d[l] = (expr);               \
        }                                \
        out32(w, i, d);                  \
    }
#define PICK3(name, expr)                          \
    HANDLER(name) {                                \
        SRCF32(a, 0);                              \
        SRCF32(b, 1);                              \
        SRCF32(c, 2);                              \
        bool ieee = w->mode & MODE_IEEE;           \
        ROW_OF(d);                                 \
        FOR_LANES {                                \
            uint32_t x = a[l], y = b[l], z = c[l]; \
            d[l] = (expr);                         \
        }                                          \
        out32(w, i, d);                            \
    }

static inline uint32_t max3(uint32_t x, uint32_t y, uint32_t z, bool ieee) {
    return max_bits32(max_bits32(x, y, ieee), z, ieee);
}
static inline uint32_t min3(uint32_t x, uint32_t y, uint32_t z, bool ieee) {
    return min_bits32(min_bits32(x, y, ieee), z, ieee);
}
static inline uint32_t med3(uint32_t x, uint32_t y, uint32_t z, bool ieee) {
    if (is_nan32(x) || is_nan32(y) || is_nan32(z)) return min3(x, y, z, ieee);
    float top = f32_of(max3(x, y, z, ieee));
    return top == f32_of(x)   ? max_bits32(y, z, ieee)
           : top == f32_of(y) ? max_bits32(x, z, ieee)
                              : max_bits32(x, y, ieee);
}
PICK2(max_f32, max_bits32(x, y, ieee))
PICK2(min_f32, min_bits32(x, y, ieee))
PICK3(max3_f32, max3(x, y, z, ieee))
PICK3(min3_f32, min3(x, y, z, ieee))
PICK3(med3_any, med3(x, y, z, ieee))

/* Floats as integers of the same order. */
static inline int32_t in_order(uint32_t u) {
    return (int32_t)(u ^ ((uint32_t)((int32_t)u >> 31) & 0x7fffffff));
}

/* The middle one of the order, but where NaN or zeros of both signs may be among them. */
HANDLER(med3_f32) {
    SRCF32(a, 0);
    SRCF32(b, 1);
    SRCF32(c, 2);
    ROW_OF(d);
    uint32_t doubt = 0;
    FOR_LANES {
        int32_t x = in_order(a[l]), y = in_order(b[l]), z = in_order(c[l]);
        int32_t low = x < y ? x : y, high = x < y ? y : x, m = z < low ? low : z > high ? high : z;
        d[l] = (uint32_t)(m ^ ((m >> 31) & 0x7fffffff));
        doubt |= (uint32_t)is_nan32(a[l]) | (uint32_t)is_nan32(b[l]) | (uint32_t)is_nan32(c[l]);
        doubt |= ((a[l] << 1 == 0) + (b[l] << 1 == 0) + (c[l] << 1 == 0)) & 2;
    }
    if (doubt)
        med3_any(w, i);
    else
        out32(w, i, d);
}

/* Faces of a cube: the axis of the largest coordinate, z before y before x. */
static inline int axis(float x, float y, float z) {
    x = fabsf(x), y = fabsf(y), z = fabsf(z);
    return z >= x && z >= y ? 2 : y >= x ? 1 : 0;
}
static inline float cube_id(float x, float y, float z) {
    int k = axis(x, y, z);
    return k == 2 ? (z < 0 ? 5 : 4) : k == 1 ? (y < 0 ? 3 : 2) : (x < 0 ? 1 : 0);
}
static inline float cube_s(float x, float y, float z) {
    int k = axis(x, y, z);
    return k == 2 ? (z < 0 ? -x : x) : k == 1 ? x : (x < 0 ? z : -z);
}
static inline float cube_t(float x, float y, float z) {
    int k = axis(x, y, z);
    return k == 1 ? (y < 0 ? -z : z) : -y;
}
static inline float cube_major(float x, float y, float z) {
    int k = axis(x, y, z);
    return 2 * (k == 2 ? z : k == 1 ? y : x);
}
F32_3(cubeid_f32, cube_id(x, y, z))
F32_3(cubesc_f32, cube_s(x, y, z))
F32_3(cubetc_f32, cube_t(x, y, z))
F32_3(cubema_f32, cube_major(x, y, z))

/* Approximations of at most 1 ULP on the chip; here the nearest number. They know no denormals, whatever MODE says,
   and always round to nearest. */
#define TRANS32(name, expr)                                               \
    HANDLER(name) {                                                       \
        SRC32(a, 0);                                                      \
        ROW_OF(d);                                                        \
        FOR_LANES {                                                       \
            uint32_t u = flushed32(a[l]);                                 \
            float x = f32_of(u);                                          \
            uint32_t r = flushed32(expr);                                 \
            d[l] = is_nan32(u) ? u | 0x400000 : is_nan32(r) ? QNAN32 : r; \
        }                                                                 \
        if (i->flags & GFX_I_OUTMOD) out_mods32(w, i, d);                 \
        gfx_put32(w, i, d);                                               \
    }

static inline uint32_t exp2_bits(float x) {
    double in = x < -200 ? -200 : x > 200 ? 200 : x;
    return bits_of((float)exp2_poly(in == in ? in : 0)); /* a NaN is the caller's */
}
static inline uint32_t log2_bits(float x) {
    float r = (float)log2_poly(x);
    uint32_t special = x == 0 ? 0xff800000 : x < 0 ? QNAN32 : 0x7f800000;
    return x > 0 && x <= 0x1.fffffep127f ? bits_of(r) : special;
}

/* In turns: x = 1 is a full circle. Past 256 turns the unit gives up. */
static inline uint32_t turn_bits(float x, double (*fn)(double), float far) {
    if (!isfinite(x)) return QNAN32;
    if (fabsf(x) > 256) return bits_of(far);
    if (x == 0) return fn == sin ? bits_of(x) : bits_of(1.0f);
    double t = x - rint(x), quarter = t * 4; /* exact; the quarters of the circle exactly too */
    if (quarter == floor(quarter)) {
        static const float of[4] = {0, 1, 0, -1};
        return bits_of(of[((int)quarter + (fn == cos)) & 3]);
    }
    return bits_of((float)fn(t * 6.283185307179586476925));
}

TRANS32(exp_f32, exp2_bits(x))
TRANS32(log_f32, log2_bits(x))
TRANS32(rcp_f32, bits_of(1.0f / x))
TRANS32(rsq_f32, x == 0 ? 0x7f800000 | (u & 0x80000000) : bits_of((float)(1.0 / sqrt(x))))
TRANS32(sqrt_f32, bits_of(sqrtf(x)))
TRANS32(sin_f32, turn_bits(x, sin, 0))
TRANS32(cos_f32, turn_bits(x, cos, 1))

/* mantissa * 2^exponent with the mantissa in [0.5, 1). */
static inline int exponent_of(uint32_t u) { /* of a finite number other than 0 */
    int e = (int)(u >> 23 & 0xff);
    return e ? e - 126 : -117 - __builtin_clz(u & 0x7fffff);
}
HANDLER(frexp_exp_i32_f32) {
    SRCF32(a, 0);
    ROW_OF(d);
    FOR_LANES {
        uint32_t u = a[l] & 0x7fffffff;
        d[l] = u == 0 || u >= 0x7f800000 ? 0 : (uint32_t)exponent_of(u);
    }
    gfx_put32(w, i, d);
}
HANDLER(frexp_mant_f32) {
    SRCF32(a, 0);
    ROW_OF(d);
    FOR_LANES {
        uint32_t u = a[l], m = u & 0x7fffffff;
        if (m >= 0x7f800000 || m == 0)
            d[l] = is_nan32(u) ? u | 0x400000 : u;
        else
            d[l] = bits_of((float)ldexp(f32_of(u), -exponent_of(m)));
    }
    out32(w, i, d);
}

/* In double, which holds every x * 2^n that is not far beyond f32's ends; then rounded once. */
HANDLER(ldexp_f32) {
    SRCF32(a, 0);
    SRC32(b, 1);
    ROW_OF(d);
    int before = special32(w) ? round_begin(w->mode & 3) : -1;
    FOR_LANES {
        int32_t n = (int32_t)b[l];
        n = n < -300 ? -300 : n > 300 ? 300 : n;
        d[l] = bits_of((float)((double)f32_of(a[l]) * f64_of((uint64_t)(n + 1023) << 52)));
    }
    if (before != -1) round_end(before, d);
    FOR_LANES d[l] = is_nan32(a[l]) ? a[l] | 0x400000 : d[l];
    out32(w, i, d);
}

/* Division: div_scale scales numerator or denominator by 2^64 where rcp and the steps would overflow or lose bits,
   div_fmas takes that back in its one rounding, div_fixup treats the special cases. Source 0 is the one to scale,
   1 the denominator, 2 the numerator. The mask says that the quotient is scaled.
   ISA text, with two of its lines read as they must be meant: a large denominator whose quotient is denormal is
   scaled down, and "denormal" of 1 / y and of the quotient is judged by exponents. */
static inline int biased(float x) {
    return bits_of(x) >> 23 & 0xff;
}
static inline int true_exponent(float x) {
    uint32_t u = bits_of(x) & 0x7fffffff;
    return u ? exponent_of(u) + 126 : 0; /* biased, below 1 for denormals */
}
static inline float div_scaled(float s, float den, float num, uint8_t *scaled) {
    *scaled = 0;
    if (den == 0 || num == 0) {
        *scaled = 1;
        return f32_of(QNAN32);
    }
    if (s != s || !isfinite(den) || !isfinite(num)) return s; /* div_fixup's */
    int quotient = true_exponent(num) - true_exponent(den);
    bool tiny = quotient <= -126, small_rcp = true_exponent(den) - 127 >= 126;
    if (quotient >= 96) {
        *scaled = 1;
        return s == den ? s * 0x1p64f : s;
    }
    if (biased(den) == 0) return s * 0x1p64f;
    if (small_rcp && tiny) {
        *scaled = 1;
        return s == den ? s * 0x1p-64f : s;
    }
    if (small_rcp) return s * 0x1p-64f;
    if (tiny) {
        *scaled = 1;
        return s == num ? s * 0x1p64f : s;
    }
    return biased(num) <= 23 ? s * 0x1p64f : s;
}
/* Numbers of ordinary size are not scaled. */
static inline uint32_t extraordinary(uint32_t s, uint32_t den, uint32_t num) {
    uint32_t e_den = den >> 23 & 0xff, e_num = num >> 23 & 0xff, e_s = s >> 23 & 0xff;
    return (e_den < 30) | (e_den > 220) | (e_num < 30) | (e_num > 220) | (e_s == 255) | (e_num > e_den + 90) |
           (e_den > e_num + 90);
}
HANDLER(div_scale_f32) {
    SRCF32(a, 0);
    SRCF32(b, 1);
    SRCF32(c, 2);
    ROW_OF(d);
    uint8_t scaled[LANES] = {0};
    uint32_t special = 0;
    FOR_LANES {
        d[l] = a[l];
        special |= extraordinary(a[l], b[l], c[l]);
    }
    if (special) FOR_LANES d[l] = bits_of(div_scaled(f32_of(a[l]), f32_of(b[l]), f32_of(c[l]), &scaled[l]));
    out32(w, i, d);
    gfx_put_mask(w, &i->sdst, mask_of_bytes(scaled));
}

/* A scaled quotient of 2 or more was scaled down, a smaller one up. */
HANDLER(div_fmas_f32) {
    SRCF32(a, 0);
    SRCF32(b, 1);
    SRCF32(c, 2);
    uint64_t scaled = gfx_vcc(w);
    if (!(scaled & w->wmask)) {
        F32_LOOP(fmaf(x, y, z));
        out32(w, i, d);
        return;
    }
    ROW_OF(d);
    FOR_LANES {
        float x = f32_of(a[l]), y = f32_of(b[l]), z = f32_of(c[l]);
        double r = fma_odd(x, y, z);
        if (scaled >> l & 1) r *= biased(z) > 127 ? 0x1p64 : 0x1p-64;
        d[l] = bits_of((float)r);
    }
    fix_nans(d, a, b, c);
    out32(w, i, d);
}

static inline uint32_t div_fixed(uint32_t q, uint32_t den, uint32_t num) {
    uint32_t sign = (den ^ num) & 0x80000000, n = num & 0x7fffffff, m = den & 0x7fffffff;
    if (n > 0x7f800000) return num | 0x400000;
    if (m > 0x7f800000) return den | 0x400000;
    if ((n == 0 && m == 0) || (n == 0x7f800000 && m == 0x7f800000)) return 0xffc00000;
    if (m == 0 || n == 0x7f800000) return 0x7f800000 | sign;
    if (m == 0x7f800000 || n == 0) return sign;
    if (true_exponent(f32_of(n)) - true_exponent(f32_of(m)) < -150) return sign;
    return (is_nan32(q) ? 0x7f800000 : q & 0x7fffffff) | sign; /* NaN: the steps overflowed */
}
OP3(div_fixup_bits, div_fixed(x, y, z))
HANDLER(div_fixup_f32) {
    if (!special32(w) && !(i->flags & GFX_I_OUTMOD)) {
        div_fixup_bits(w, i);
        return;
    }
    SRCF32(a, 0);
    SRCF32(b, 1);
    SRCF32(c, 2);
    ROW_OF(d);
    FOR_LANES d[l] = div_fixed(a[l], b[l], c[l]);
    out32(w, i, d);
}

GFX_TABLE(valu_f32) = {
    VALU("v_add_f32", add_f32, 0, F32, F32, F32),
    VALU("v_sub_f32", sub_f32, 0, F32, F32, F32),
    VALU("v_subrev_f32", subrev_f32, 0, F32, F32, F32),
    VALU("v_mul_f32", mul_f32, 0, F32, F32, F32),
    VALU("v_mul_legacy_f32", mul_legacy_f32, 0, F32, F32, F32),
    VALU("v_fma_f32", fma_f32, 0, F32, F32, F32, F32),
    VALU("v_fmac_f32", fmac_f32, GFX_F_READS_DST, F32, F32, F32),
    VALU("v_fmamk_f32", fma_f32, 0, F32, F32, F32, F32),
    VALU("v_fmaak_f32", fma_f32, 0, F32, F32, F32, F32),
    VALU("v_trunc_f32", trunc_f32, 0, F32, F32),
    VALU("v_ceil_f32", ceil_f32, 0, F32, F32),
    VALU("v_rndne_f32", rndne_f32, 0, F32, F32),
    VALU("v_floor_f32", floor_f32, 0, F32, F32),
    VALU("v_fract_f32", fract_f32, 0, F32, F32),
    VALU("v_max_f32", max_f32, 0, F32, F32, F32),
    VALU("v_min_f32", min_f32, 0, F32, F32, F32),
    VALU("v_max3_f32", max3_f32, 0, F32, F32, F32, F32),
    VALU("v_min3_f32", min3_f32, 0, F32, F32, F32, F32),
    VALU("v_med3_f32", med3_f32, 0, F32, F32, F32, F32),
    VALU("v_cubeid_f32", cubeid_f32, 0, F32, F32, F32, F32),
    VALU("v_cubesc_f32", cubesc_f32, 0, F32, F32, F32, F32),
    VALU("v_cubetc_f32", cubetc_f32, 0, F32, F32, F32, F32),
    VALU("v_cubema_f32", cubema_f32, 0, F32, F32, F32, F32),
    TRANS("v_exp_f32", exp_f32, 0, F32, F32),
    TRANS("v_exp_legacy_f32", exp_f32, 0, F32, F32),
    TRANS("v_log_f32", log_f32, 0, F32, F32),
    TRANS("v_log_legacy_f32", log_f32, 0, F32, F32),
    TRANS("v_rcp_f32", rcp_f32, 0, F32, F32),
    TRANS("v_rcp_iflag_f32", rcp_f32, 0, F32, F32),
    TRANS("v_rsq_f32", rsq_f32, 0, F32, F32),
    TRANS("v_sqrt_f32", sqrt_f32, 0, F32, F32),
    TRANS("v_sin_f32", sin_f32, 0, F32, F32),
    TRANS("v_cos_f32", cos_f32, 0, F32, F32),
    VALU("v_frexp_exp_i32_f32", frexp_exp_i32_f32, 0, B32, F32),
    VALU("v_frexp_mant_f32", frexp_mant_f32, 0, F32, F32),
    VALU("v_ldexp_f32", ldexp_f32, 0, F32, F32, B32),
    VALU_MASK("v_div_scale_f32", div_scale_f32, 0, F32, F32, F32, F32),
    VALU("v_div_fmas_f32", div_fmas_f32, GFX_F_VCC_IN, F32, F32, F32, F32),
    VALU("v_div_fixup_f32", div_fixup_f32, 0, F32, F32, F32, F32),
    {0},
};
