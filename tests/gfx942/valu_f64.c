#include "valu_float.h"

/* Double precision. */
#define F64_LOOP(expr)                                               \
    uint64_t d[LANES], bad = 0;                                      \
    int before = special64(w) ? round_begin(w->mode >> 2 & 3) : -1;  \
    FOR_LANES {                                                      \
        double x = f64_of(a[l]), y = f64_of(b[l]), z = f64_of(c[l]); \
        (void)x, (void)y, (void)z;                                   \
        double r = (expr);                                           \
        d[l] = bits64_of(r);                                         \
        bad |= r != r ? 1 : 0;                                       \
    }                                                                \
    if (before != -1) round_end(before, d);                          \
    if (bad) fix_nans64(d, a, b, c);                                 \
    out64(w, i, d)

#define F64_1(name, expr)              \
    HANDLER(name) {                    \
        SRCF64(a, 0);                  \
        const uint64_t *b = a, *c = a; \
        F64_LOOP(expr);                \
    }
#define F64_2(name, expr)      \
    HANDLER(name) {            \
        SRCF64(a, 0);          \
        SRCF64(b, 1);          \
        const uint64_t *c = a; \
        F64_LOOP(expr);        \
    }
#define F64_3(name, expr) \
    HANDLER(name) {       \
        SRCF64(a, 0);     \
        SRCF64(b, 1);     \
        SRCF64(c, 2);     \
        F64_LOOP(expr);   \
    }

F64_2(add_f64, x + y)
F64_2(mul_f64, x *y)
F64_3(fma_f64, fma(x, y, z))

/* Exact, so outside of MODE's rounding (the host's may be made of additions). */
#define WHOLE64(name, fn)                                                                  \
    HANDLER(name) {                                                                        \
        SRCF64(a, 0);                                                                      \
        uint64_t d[LANES];                                                                 \
        FOR_LANES d[l] = is_nan64(a[l]) ? a[l] | 1ull << 51 : bits64_of(fn(f64_of(a[l]))); \
        out64(w, i, d);                                                                    \
    }
static double nearest_even(double x) {
    double m = fabs(x), r = m < 0x1p52 ? (m + 0x1p52) - 0x1p52 : m;
    return copysign(r, x);
}
WHOLE64(trunc_f64, trunc)
WHOLE64(ceil_f64, ceil)
WHOLE64(floor_f64, floor)
WHOLE64(rndne_f64, nearest_even)

HANDLER(fract_f64) {
    SRCF64(a, 0);
    uint64_t whole[LANES], d[LANES];
    FOR_LANES whole[l] = bits64_of(floor(f64_of(a[l])));
    int before = special64(w) ? round_begin(w->mode >> 2 & 3) : -1;
    FOR_LANES {
        double r = f64_of(a[l]) - f64_of(whole[l]);
        d[l] = bits64_of(r < 1.0 ? r : 0x1.fffffffffffffp-1);
        if (r != r) d[l] = is_nan64(a[l]) ? a[l] | 1ull << 51 : QNAN64;
    }
    if (before != -1) round_end(before, d);
    out64(w, i, d);
}
/* The chip gives these to about 2^-24 of the value, for Newton's steps to refine; here they are exact. */
F64_1(rcp_f64, 1.0 / x)
F64_1(rsq_f64, 1.0 / sqrt(x))
F64_1(sqrt_f64, sqrt(x))

HANDLER(fmac_f64) {
    SRCF64(a, 0);
    SRCF64(b, 1);
    uint64_t c[LANES];
    const uint32_t *lo = w->v[i->dst.reg], *hi = w->v[i->dst.reg + 1];
    FOR_LANES c[l] = lo[l] | (uint64_t)hi[l] << 32;
    if (!(w->mode & MODE_IN64)) flush_row64(c, c);
    F64_LOOP(fma(x, y, z));
}

#define PICK64(name, fn)                                      \
    HANDLER(name) {                                           \
        SRCF64(a, 0);                                         \
        SRCF64(b, 1);                                         \
        uint64_t d[LANES];                                    \
        FOR_LANES d[l] = fn(a[l], b[l], w->mode & MODE_IEEE); \
        out64(w, i, d);                                       \
    }
PICK64(max_f64, max_bits64)
PICK64(min_f64, min_bits64)

static inline int
exponent64(uint64_t u) { /* of a finite number other than 0, with the mantissa in [0.5, 1) */
    int e = (int)(u >> 52 & 0x7ff);
    return e ? e - 1022 : -1010 - __builtin_clzll(u & 0xfffffffffffff);
}
static inline bool has_exponent(uint64_t u) {
    return u << 1 != 0 && (u >> 52 & 0x7ff) != 0x7ff;
}

HANDLER(frexp_exp_i32_f64) {
    SRCF64(a, 0);
    ROW_OF(d);
    FOR_LANES d[l] = has_exponent(a[l]) ? (uint32_t)exponent64(a[l]) : 0;
    gfx_put32(w, i, d);
}
HANDLER(frexp_mant_f64) {
    SRCF64(a, 0);
    uint64_t d[LANES];
    FOR_LANES {
        if (has_exponent(a[l]))
            d[l] = bits64_of(ldexp(f64_of(a[l]), -exponent64(a[l])));
        else
            d[l] = is_nan64(a[l]) ? a[l] | 1ull << 51 : a[l];
    }
    out64(w, i, d);
}
HANDLER(ldexp_f64) {
    SRCF64(a, 0);
    SRC32(b, 1);
    uint64_t d[LANES];
    int before = special64(w) ? round_begin(w->mode >> 2 & 3) : -1;
    FOR_LANES d[l] = is_nan64(a[l]) ? a[l] | 1ull << 51 : bits64_of(ldexp(f64_of(a[l]), (int32_t)b[l]));
    if (before != -1) round_end(before, d);
    out64(w, i, d);
}

/* Division, as in valu_f32.c with other bounds. */
static inline int biased64(double x) {
    return bits64_of(x) >> 52 & 0x7ff;
}
static inline double div_scaled64(double s, double den, double num, uint8_t *scaled) {
    *scaled = 0;
    if (den == 0 || num == 0) {
        *scaled = 1;
        return f64_of(QNAN64);
    }
    if (s != s || !isfinite(den) || !isfinite(num)) return s;
    int e_den = exponent64(bits64_of(den)), e_num = exponent64(bits64_of(num)), quotient = e_num - e_den;
    bool tiny = quotient <= -1022, small_rcp = e_den - 1 >= 1022;
    if (quotient >= 768) {
        *scaled = 1;
        return s == den ? s * 0x1p128 : s;
    }
    if (biased64(den) == 0) return s * 0x1p128;
    if (small_rcp && tiny) {
        *scaled = 1;
        return s == den ? s * 0x1p-128 : s;
    }
    if (small_rcp) return s * 0x1p-128;
    if (tiny) {
        *scaled = 1;
        return s == num ? s * 0x1p128 : s;
    }
    return biased64(num) <= 53 ? s * 0x1p128 : s;
}
HANDLER(div_scale_f64) {
    SRCF64(a, 0);
    SRCF64(b, 1);
    SRCF64(c, 2);
    uint64_t d[LANES];
    uint8_t scaled[LANES];
    FOR_LANES d[l] = bits64_of(div_scaled64(f64_of(a[l]), f64_of(b[l]), f64_of(c[l]), &scaled[l]));
    out64(w, i, d);
    gfx_put_mask(w, &i->sdst, mask_of_bytes(scaled));
}
/* Rounded once: where the scaled number is denormal it has lost bits a second time. That is wrong only where the first
   rounding fell on the middle between two denormals: then what it dropped decides. */
static inline double div_fma64(double x, double y, double z) {
    double by = biased64(z) > 1023 ? 0x1p128 : 0x1p-128, s = fma(x, y, z), r = s * by;
    if (fabs(r) >= 0x1p-1021 || r != r) return r;
    double rest = s - r / by, other = nextafter(r, rest > 0 ? INFINITY : -INFINITY);
    if (rest == 0 || other / by - s != rest) return r;
    double dropped = fma(x, y, z - s);
    return dropped == 0 ? r : (dropped > 0) == (other > r) ? other : r;
}
HANDLER(div_fmas_f64) {
    SRCF64(a, 0);
    SRCF64(b, 1);
    SRCF64(c, 2);
    uint64_t scaled = gfx_vcc(w);
    F64_LOOP(scaled >> l & 1 ? div_fma64(x, y, z) : fma(x, y, z));
}
static inline uint64_t div_fixed64(uint64_t q, uint64_t den, uint64_t num) {
    const uint64_t top = 1ull << 63, inf = 0x7ffull << 52;
    uint64_t sign = (den ^ num) & top, n = num & ~top, m = den & ~top;
    if (n > inf) return num | 1ull << 51;
    if (m > inf) return den | 1ull << 51;
    if ((n == 0 && m == 0) || (n == inf && m == inf)) return QNAN64 | top;
    if (m == 0 || n == inf) return inf | sign;
    if (m == inf || n == 0) return sign;
    if (exponent64(n) - exponent64(m) < -1075) return sign;
    return (is_nan64(q) ? inf : q & ~top) | sign;
}
HANDLER(div_fixup_f64) {
    SRCF64(a, 0);
    SRCF64(b, 1);
    SRCF64(c, 2);
    uint64_t d[LANES];
    FOR_LANES d[l] = div_fixed64(a[l], b[l], c[l]);
    out64(w, i, d);
}

GFX_TABLE(valu_f64) = {
    VALU("v_add_f64", add_f64, 0, F64, F64, F64),
    VALU("v_mul_f64", mul_f64, 0, F64, F64, F64),
    VALU("v_fma_f64", fma_f64, 0, F64, F64, F64, F64),
    VALU("v_fmac_f64", fmac_f64, GFX_F_READS_DST, F64, F64, F64),
    VALU("v_trunc_f64", trunc_f64, 0, F64, F64),
    VALU("v_ceil_f64", ceil_f64, 0, F64, F64),
    VALU("v_rndne_f64", rndne_f64, 0, F64, F64),
    VALU("v_floor_f64", floor_f64, 0, F64, F64),
    VALU("v_fract_f64", fract_f64, 0, F64, F64),
    TRANS("v_rcp_f64", rcp_f64, 0, F64, F64),
    TRANS("v_rsq_f64", rsq_f64, 0, F64, F64),
    TRANS("v_sqrt_f64", sqrt_f64, 0, F64, F64),
    VALU("v_max_f64", max_f64, 0, F64, F64, F64),
    VALU("v_min_f64", min_f64, 0, F64, F64, F64),
    VALU("v_frexp_exp_i32_f64", frexp_exp_i32_f64, 0, B32, F64),
    VALU("v_frexp_mant_f64", frexp_mant_f64, 0, F64, F64),
    VALU("v_ldexp_f64", ldexp_f64, 0, F64, F64, B32),
    VALU_MASK("v_div_scale_f64", div_scale_f64, 0, F64, F64, F64, F64),
    VALU("v_div_fmas_f64", div_fmas_f64, GFX_F_VCC_IN, F64, F64, F64, F64),
    VALU("v_div_fixup_f64", div_fixup_f64, 0, F64, F64, F64, F64),
    {0},
};
