#include "half.h"

/* Half precision, one number a lane. `fast` in the usual mode, `exact` in all others. */
#define F16_LOOP(fast, exact)                      \
    ROW_OF(d);                                     \
    uint32_t mode = w->mode;                       \
    if (special16(w)) FOR_LANES {                  \
            uint32_t x = a[l], y = b[l], z = c[l]; \
            (void)y, (void)z;                      \
            d[l] = (exact);                        \
        }                                          \
    else                                           \
        FOR_LANES {                                \
            uint32_t x = a[l], y = b[l], z = c[l]; \
            (void)y, (void)z;                      \
            d[l] = (fast);                         \
        }

#define F16_1(name, keep, fast, exact) \
    HANDLER(name) {                    \
        SRC32(a, 0);                   \
        const uint32_t *b = a, *c = a; \
        F16_LOOP(fast, exact)          \
        out16(w, i, d, keep);          \
    }
#define F16_2(name, keep, fast, exact) \
    HANDLER(name) {                    \
        SRC32(a, 0);                   \
        SRC32(b, 1);                   \
        const uint32_t *c = a;         \
        F16_LOOP(fast, exact)          \
        out16(w, i, d, keep);          \
    }
#define F16_3(name, keep, fast, exact) \
    HANDLER(name) {                    \
        SRC32(a, 0);                   \
        SRC32(b, 1);                   \
        SRC32(c, 2);                   \
        F16_LOOP(fast, exact)          \
        out16(w, i, d, keep);          \
    }

F16_2(add_f16, false, add16(x, y), add16_mode(x, y, mode))
F16_2(sub_f16, false, add16(x, y ^ 0x8000), add16_mode(x, y ^ 0x8000, mode))
F16_2(subrev_f16, false, add16(y, x ^ 0x8000), add16_mode(y, x ^ 0x8000, mode))
F16_2(mul_f16, false, mul16(x, y), mul16_mode(x, y, mode))
F16_3(fma_f16, true, fma16(x, y, z), fma16_mode(x, y, z, mode))
F16_3(fma_legacy_f16, false, fma16(x, y, z), fma16_mode(x, y, z, mode))

/* Not fused, and without denormals whatever MODE says. */
static inline uint32_t mad16(uint32_t x, uint32_t y, uint32_t z, uint32_t mode) {
    mode &= ~(uint32_t)MODE_PLAIN64;
    return add16_mode(mul16_mode(x, y, mode), z, mode);
}
F16_3(mad_f16, true, mad16(x, y, z, mode), mad16(x, y, z, mode))
F16_3(mad_legacy_f16, false, mad16(x, y, z, mode), mad16(x, y, z, mode))

HANDLER(mac_f16) {
    SRC32(a, 0);
    SRC32(b, 1);
    const uint32_t *c = w->v[i->dst.reg];
    F16_LOOP(mad16(x, y, z, mode), mad16(x, y, z, mode))
    out16(w, i, d, false);
}

/* Chosen bits. */
#define PICKED(e, mode) ((mode)&MODE_OUT64 ? (e) : flushed16(e))
#define MIN(x, y) min16(x, y, mode &MODE_IEEE)
#define MAX(x, y) max16(x, y, mode &MODE_IEEE)
static inline uint32_t med16(uint32_t x, uint32_t y, uint32_t z, uint32_t mode) {
    if (is_nan16(x) || is_nan16(y) || is_nan16(z)) return MIN(MIN(x, y), z);
    float top = f32_of_f16(MAX(MAX(x, y), z));
    return top == f32_of_f16(x) ? MAX(y, z) : top == f32_of_f16(y) ? MAX(x, z) : MAX(x, y);
}
#define IN(x) in16(x, mode)
F16_2(max_f16, false, MAX(x, y), PICKED(MAX(IN(x), IN(y)), mode))
F16_2(min_f16, false, MIN(x, y), PICKED(MIN(IN(x), IN(y)), mode))
F16_3(max3_f16, true, MAX(MAX(x, y), z), PICKED(MAX(MAX(IN(x), IN(y)), IN(z)), mode))
F16_3(min3_f16, true, MIN(MIN(x, y), z), PICKED(MIN(MIN(IN(x), IN(y)), IN(z)), mode))
F16_3(med3_f16, true, med16(x, y, z, mode), PICKED(med16(IN(x), IN(y), IN(z), mode), mode))

/* Of one number: through f32, where each of these is exact or rounds once. */
#define VIA_F32(name, expr)                                       \
    static inline uint32_t name##_of(uint32_t h, uint32_t mode) { \
        float x = f32_of_f16(IN(h));                              \
        return PICKED(quiet16(f16_of_f32(expr), h, h, h), mode);  \
    }                                                             \
    F16_1(name, false, name##_of(x, MODE_PLAIN64), name##_of(x, mode))

static inline float nearest_even(float x) {
    float m = fabsf(x), r = m < 0x1p23f ? (m + 0x1p23f) - 0x1p23f : m;
    return copysignf(r, x);
}
static inline float exp2_half(float x) {
    double in = x < -40 ? -40 : x > 40 ? 40 : x;
    return x != x ? x : (float)exp2_poly(in);
}
static inline float log2_half(float x) {
    float r = (float)log2_poly(x > 0 && x < 0x1p20f ? x : 1);
    return x > 0 ? (x < 0x1p20f ? r : x) : x == 0 ? -INFINITY : NAN;
}
static inline float turn(float x, double (*fn)(double), float far) {
    if (!isfinite(x)) return NAN;
    if (fabsf(x) > 256) return far;
    if (x == 0) return fn == sin ? x : 1;
    double t = x - rint(x), quarter = t * 4;
    static const float of[4] = {0, 1, 0, -1};
    if (quarter == floor(quarter)) return of[((int)quarter + (fn == cos)) & 3];
    return (float)fn(t * 6.283185307179586476925);
}
VIA_F32(trunc_f16, truncf(x))
VIA_F32(ceil_f16, ceilf(x))
VIA_F32(floor_f16, floorf(x))
VIA_F32(rndne_f16, nearest_even(x))

/* Below 1, as f16 can say it. */
static inline uint32_t fract16(uint32_t h, uint32_t mode) {
    double x = f32_of_f16(IN(h));
    uint32_t r = out16_of(signed_zero(x - floor(x), x, -floor(x), mode), mode);
    return is_nan16(r) ? quiet16(r, h, h, h) : (r & 0x7fff) > 0x3bff ? 0x3bff : r;
}
F16_1(fract_f16, false, fract16(x, MODE_PLAIN64), fract16(x, mode))
VIA_F32(rcp_f16, 1.0f / x)
VIA_F32(sqrt_f16, sqrtf(x))
VIA_F32(rsq_f16, (float)(1.0 / sqrt(x)))
VIA_F32(exp_f16, exp2_half(x))
VIA_F32(log_f16, log2_half(x))
VIA_F32(sin_f16, turn(x, sin, 0))
VIA_F32(cos_f16, turn(x, cos, 1))

static inline bool has_exponent16(uint32_t u) {
    return (u & 0x7fff) != 0 && (u & 0x7fff) < 0x7c00;
}
static inline int exponent16(uint32_t u) {
    return (int)(bits_of(f32_of_f16(u)) >> 23 & 0xff) - 126;
}
static inline uint32_t mant16(uint32_t u) {
    if (!has_exponent16(u)) return (is_nan16(u) ? u | 0x200 : u) & 0xffff;
    return f16_of_f32(ldexpf(f32_of_f16(u), -exponent16(u)));
}
F16_1(frexp_mant_f16, false, mant16(x), mant16(IN(x)))
F16_1(frexp_exp_bits, false, has_exponent16(x) ? exponent16(x) & 0xffff : 0,
      has_exponent16(IN(x)) ? exponent16(IN(x)) & 0xffff : 0)

static inline double scaled16(uint32_t x, uint32_t y) {
    int n = (int16_t)y;
    n = n < -80 ? -80 : n > 80 ? 80 : n;
    return f32_of_f16(x) * f64_of((uint64_t)(n + 1023) << 52);
}
F16_2(ldexp_f16, false, quiet16(f16_of_f32((float)scaled16(x, y)), x, x, x),
      quiet16(out16_of(scaled16(IN(x), y), mode), x, x, x))

static inline uint32_t div_fixed16(uint32_t q, uint32_t den, uint32_t num) {
    uint32_t sign = (den ^ num) & 0x8000, n = num & 0x7fff, m = den & 0x7fff;
    if (n > 0x7c00) return (num | 0x200) & 0xffff;
    if (m > 0x7c00) return (den | 0x200) & 0xffff;
    if ((n == 0 && m == 0) || (n == 0x7c00 && m == 0x7c00)) return 0xfe00;
    if (m == 0 || n == 0x7c00) return 0x7c00 | sign;
    if (m == 0x7c00 || n == 0) return sign;
    return (q & 0x7fff) | sign;
}
F16_3(div_fixup_f16, true, div_fixed16(x, y, z), PICKED(div_fixed16(IN(x), IN(y), IN(z)), mode))
F16_3(div_fixup_legacy_f16, false, div_fixed16(x, y, z), PICKED(div_fixed16(IN(x), IN(y), IN(z)), mode))

HANDLER(pack_b32_f16) {
    SRC32(a, 0);
    SRC32(b, 1);
    ROW_OF(d);
    uint32_t mode = w->mode;
    FOR_LANES {
        uint32_t x = PICKED(IN(a[l]), mode), y = PICKED(IN(b[l]), mode);
        if (i->clamp) x = clamped16(x, mode), y = clamped16(y, mode);
        d[l] = x | y << 16;
    }
    gfx_put_reg(w, i->dst.reg, d);
}

static inline void negate_halves(const struct gfx_inst *i, unsigned k, uint32_t *lo, uint32_t *hi) {
    uint32_t n_lo = (i->neg_lo >> k & 1) << 15, n_hi = (i->neg_hi >> k & 1) << 15;
    FOR_LANES {
        lo[l] ^= n_lo;
        hi[l] ^= n_hi;
    }
}
#define PK_SRC(n, k)  \
    SRC_HALVES(n, k); \
    negate_halves(i, k, n##_lo, n##_hi)

#define PK_LOOP(fast, exact)              \
    ROW_OF(d);                            \
    ROW_OF(h);                            \
    uint32_t mode = w->mode;              \
    if (special16(w)) {                   \
        HALF_LOOP(d, lo, exact)           \
        HALF_LOOP(h, hi, exact)           \
    } else {                              \
        HALF_LOOP(d, lo, fast)            \
        HALF_LOOP(h, hi, fast)            \
    }                                     \
    if (i->clamp) FOR_LANES {             \
            d[l] = clamped16(d[l], mode); \
            h[l] = clamped16(h[l], mode); \
        }                                 \
    FOR_LANES d[l] |= h[l] << 16;         \
    gfx_put_reg(w, i->dst.reg, d)

#define PK_2(name, fast, exact)                    \
    HANDLER(name) {                                \
        PK_SRC(a, 0);                              \
        PK_SRC(b, 1);                              \
        const uint32_t *c_lo = a_lo, *c_hi = a_hi; \
        PK_LOOP(fast, exact);                      \
    }
PK_2(pk_add_f16, add16(x, y), add16_mode(x, y, mode))
PK_2(pk_mul_f16, mul16(x, y), mul16_mode(x, y, mode))
PK_2(pk_max_f16, MAX(x, y), PICKED(MAX(IN(x), IN(y)), mode))
PK_2(pk_min_f16, MIN(x, y), PICKED(MIN(IN(x), IN(y)), mode))
HANDLER(pk_fma_f16) {
    PK_SRC(a, 0);
    PK_SRC(b, 1);
    PK_SRC(c, 2);
    PK_LOOP(fma16(x, y, z), fma16_mode(x, y, z, mode));
}
HANDLER(pk_fmac_f16) { /* a VOP2: no selections */
    SRC32(a, 0);
    SRC32(b, 1);
    const uint32_t *c = w->v[i->dst.reg];
    ROW_OF(d);
    uint32_t mode = w->mode;
    FOR_LANES {
        if (special16(w))
            d[l] = fma16_mode(a[l], b[l], c[l], mode) | fma16_mode(a[l] >> 16, b[l] >> 16, c[l] >> 16, mode)
                                                            << 16;
        else
            d[l] = fma16(a[l], b[l], c[l]) | fma16(a[l] >> 16, b[l] >> 16, c[l] >> 16) << 16;
    }
    gfx_put_reg(w, i->dst.reg, d);
}

GFX_TABLE(valu_f16) = {
    VALU("v_add_f16", add_f16, 0, F16, F16, F16),
    VALU("v_sub_f16", sub_f16, 0, F16, F16, F16),
    VALU("v_subrev_f16", subrev_f16, 0, F16, F16, F16),
    VALU("v_mul_f16", mul_f16, 0, F16, F16, F16),
    VALU("v_fma_f16", fma_f16, 0, F16, F16, F16, F16),
    VALU("v_fma_legacy_f16", fma_legacy_f16, 0, F16, F16, F16, F16),
    VALU("v_mad_f16", mad_f16, 0, F16, F16, F16, F16),
    VALU("v_mad_legacy_f16", mad_legacy_f16, 0, F16, F16, F16, F16),
    VALU("v_mac_f16", mac_f16, GFX_F_READS_DST, F16, F16, F16),
    VALU("v_madak_f16", mad_legacy_f16, 0, F16, F16, F16, F16),
    VALU("v_madmk_f16", mad_legacy_f16, 0, F16, F16, F16, F16),
    VALU("v_max_f16", max_f16, 0, F16, F16, F16),
    VALU("v_min_f16", min_f16, 0, F16, F16, F16),
    VALU("v_max3_f16", max3_f16, 0, F16, F16, F16, F16),
    VALU("v_min3_f16", min3_f16, 0, F16, F16, F16, F16),
    VALU("v_med3_f16", med3_f16, 0, F16, F16, F16, F16),
    VALU("v_trunc_f16", trunc_f16, 0, F16, F16),
    VALU("v_ceil_f16", ceil_f16, 0, F16, F16),
    VALU("v_floor_f16", floor_f16, 0, F16, F16),
    VALU("v_rndne_f16", rndne_f16, 0, F16, F16),
    VALU("v_fract_f16", fract_f16, 0, F16, F16),
    TRANS("v_rcp_f16", rcp_f16, 0, F16, F16),
    TRANS("v_sqrt_f16", sqrt_f16, 0, F16, F16),
    TRANS("v_rsq_f16", rsq_f16, 0, F16, F16),
    TRANS("v_exp_f16", exp_f16, 0, F16, F16),
    TRANS("v_log_f16", log_f16, 0, F16, F16),
    TRANS("v_sin_f16", sin_f16, 0, F16, F16),
    TRANS("v_cos_f16", cos_f16, 0, F16, F16),
    VALU("v_frexp_mant_f16", frexp_mant_f16, 0, F16, F16),
    VALU("v_frexp_exp_i16_f16", frexp_exp_bits, 0, B16, F16),
    VALU("v_ldexp_f16", ldexp_f16, 0, F16, F16, B16),
    VALU("v_div_fixup_f16", div_fixup_f16, 0, F16, F16, F16, F16),
    VALU("v_div_fixup_legacy_f16", div_fixup_legacy_f16, 0, F16, F16, F16, F16),
    VALU("v_pack_b32_f16", pack_b32_f16, 0, B32, F16, F16),
    VALU("v_pk_add_f16", pk_add_f16, GFX_F_PACKED, PKF16, PKF16, PKF16),
    VALU("v_pk_mul_f16", pk_mul_f16, GFX_F_PACKED, PKF16, PKF16, PKF16),
    VALU("v_pk_max_f16", pk_max_f16, GFX_F_PACKED, PKF16, PKF16, PKF16),
    VALU("v_pk_min_f16", pk_min_f16, GFX_F_PACKED, PKF16, PKF16, PKF16),
    VALU("v_pk_fma_f16", pk_fma_f16, GFX_F_PACKED, PKF16, PKF16, PKF16, PKF16),
    VALU("v_pk_fmac_f16", pk_fmac_f16, GFX_F_READS_DST, PKF16, PKF16, PKF16),
    {0},
};
