/* Half precision on bits: fast forms for MODE's usual state (nearest even, denormals kept), and exact forms through
   double for every other one. Words may carry anything above bit 15; results do not. */
#ifndef GFX942_HALF_H
#define GFX942_HALF_H

#include "valu_float.h"

static inline bool special16(const struct gfx_wave *w) {
    return special64(w) || w->mode & MODE_FP16_OVFL;
}

static inline uint32_t quiet16(uint32_t r, uint32_t a, uint32_t b, uint32_t c) {
    uint32_t n = is_nan16(a) ? a : is_nan16(b) ? b : is_nan16(c) ? c : 0x7e00;
    return is_nan16(r) ? (n | 0x200) & 0xffff : r;
}

/* f32 holds sums, products and quotients of two f16 well enough that rounding twice does no harm. */
static inline uint32_t add16(uint32_t a, uint32_t b) {
    return quiet16(f16_of_f32(f32_of_f16(a) + f32_of_f16(b)), a, b, b);
}
static inline uint32_t mul16(uint32_t a, uint32_t b) {
    return quiet16(f16_of_f32(f32_of_f16(a) * f32_of_f16(b)), a, b, b);
}
/* The product is exact in f32; the sum is rounded to odd, so that the second rounding is the only one. */
static inline uint32_t fma16(uint32_t a, uint32_t b, uint32_t c) {
    float p = f32_of_f16(a) * f32_of_f16(b), z = f32_of_f16(c), s = p + z, t = s - p;
    float err = (p - (s - t)) + (z - t);
    uint32_t u = bits_of(s), step = (err > 0) == (s > 0) ? 1 : ~0u;
    bool odd = (err > 0 || err < 0) && !(u & 1);
    return quiet16(f16_of_f32(f32_of(odd ? u + step : u)), a, b, c);
}

/* In any mode: x is what the inputs, flushed by in16, give exactly or rounded to odd. */
static inline uint32_t in16(uint32_t a, uint32_t mode) {
    return mode & MODE_IN64 ? a & 0xffff : flushed16(a & 0xffff);
}
static inline uint32_t out16_of(double x, uint32_t mode) {
    uint32_t r = f16_of_f64(x, mode >> 2 & 3);
    if (mode & MODE_FP16_OVFL && isfinite(x) && (r & 0x7fff) == 0x7c00) r--;
    return mode & MODE_OUT64 ? r : flushed16(r);
}
/* A sum that is 0 of two numbers other than that zero is -0 where MODE rounds down. */
static inline double signed_zero(double sum, double x, double y, uint32_t mode) {
    return sum == 0 && (mode >> 2 & 3) == 2 && signbit(x) != signbit(y) ? -0.0 : sum;
}
static inline uint32_t add16_mode(uint32_t a, uint32_t b, uint32_t mode) {
    a = in16(a, mode), b = in16(b, mode);
    double x = f32_of_f16(a), y = f32_of_f16(b);
    return quiet16(out16_of(signed_zero(x + y, x, y, mode), mode), a, b, b);
}
static inline uint32_t mul16_mode(uint32_t a, uint32_t b, uint32_t mode) {
    a = in16(a, mode), b = in16(b, mode);
    return quiet16(out16_of((double)f32_of_f16(a) * f32_of_f16(b), mode), a, b, b);
}
static inline uint32_t fma16_mode(uint32_t a, uint32_t b, uint32_t c, uint32_t mode) {
    a = in16(a, mode), b = in16(b, mode), c = in16(c, mode);
    double p = (double)f32_of_f16(a) * f32_of_f16(b), z = f32_of_f16(c);
    return quiet16(out16_of(signed_zero(add_odd(p, z), p, z, mode), mode), a, b, c);
}

static inline uint32_t max16(uint32_t a, uint32_t b, bool ieee) {
    a &= 0xffff, b &= 0xffff;
    float x = f32_of_f16(a), y = f32_of_f16(b);
    uint32_t r = x > y ? a : x == y ? a & b : b, n = is_nan16(a) ? b : a;
    n = (ieee & is_snan16(b)) ? b | 0x200 : n;
    n = (ieee & is_snan16(a)) ? a | 0x200 : n;
    return (is_nan16(a) || is_nan16(b)) ? n : r;
}
static inline uint32_t min16(uint32_t a, uint32_t b, bool ieee) {
    a &= 0xffff, b &= 0xffff;
    float x = f32_of_f16(a), y = f32_of_f16(b);
    uint32_t r = x < y ? a : x == y ? a | b : b, n = is_nan16(a) ? b : a;
    n = (ieee & is_snan16(b)) ? b | 0x200 : n;
    n = (ieee & is_snan16(a)) ? a | 0x200 : n;
    return (is_nan16(a) || is_nan16(b)) ? n : r;
}

static inline uint32_t clamped16(uint32_t u, uint32_t mode) {
    if (is_nan16(u)) return mode & MODE_DX10_CLAMP ? 0 : u & 0xffff;
    return u & 0x8000 ? 0 : (u & 0x7fff) > 0x3c00 ? 0x3c00 : u & 0x7fff;
}

/* omod, clamp; `keep` as of put16. */
static inline void out16(struct gfx_wave *w, const struct gfx_inst *i, uint32_t *d, bool keep) {
    static const float factor[4] = {1, 2, 4, 0.5f};
    if (i->omod && !(w->mode & (MODE_IEEE | MODE_OUT64)))
        FOR_LANES d[l] = flushed16(f16_of_f32(f32_of_f16(d[l]) * factor[i->omod] + 0.0f));
    if (i->clamp) FOR_LANES d[l] = clamped16(d[l], w->mode);
    put16(w, i, d, keep);
}

/* Two values a lane. op_sel chooses the half that the low result is made of, op_sel_hi that of the high one. */
static inline void pick_halves(const struct gfx_inst *i, unsigned k, const uint32_t *x, uint32_t *lo,
                               uint32_t *hi) {
    unsigned s_lo = (i->op_sel >> k & 1) * 16, s_hi = (i->op_sel_hi >> k & 1) * 16;
    FOR_LANES {
        lo[l] = x[l] >> s_lo & 0xffff;
        hi[l] = x[l] >> s_hi & 0xffff;
    }
}
#define SRC_HALVES(n, k) \
    SRC32(n, k);         \
    ROW_OF(n##_lo);      \
    ROW_OF(n##_hi);      \
    pick_halves(i, k, n, n##_lo, n##_hi)

/* The low or the high half of d, by an expression of x, y and z: that half of a, b and c. */
#define HALF_LOOP(d, part, expr)                                    \
    FOR_LANES {                                                     \
        uint32_t x = a_##part[l], y = b_##part[l], z = c_##part[l]; \
        (void)z;                                                    \
        d[l] = (uint32_t)(expr)&0xffff;                             \
    }

#endif
