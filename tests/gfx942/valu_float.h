/* What the float rows share: MODE, NaN results, omod and clamp. */
#ifndef GFX942_VALU_FLOAT_H
#define GFX942_VALU_FLOAT_H

#include "valu.h"

#include <fenv.h>
#include <math.h>

enum {
    MODE_ROUND32 = 3 << 0, /* 0 nearest even, 1 up, 2 down, 3 zero */
    MODE_ROUND64 = 3 << 2, /* of f16 too */
    MODE_IN32 = 1 << 4,    /* denormals that are read are kept */
    MODE_OUT32 = 1 << 5,   /* ... that are written */
    MODE_IN64 = 1 << 6,
    MODE_OUT64 = 1 << 7,
    MODE_DX10_CLAMP = 1 << 8,
    MODE_IEEE = 1 << 9,
    MODE_FP16_OVFL = 1 << 23,
    MODE_PLAIN32 = MODE_IN32 | MODE_OUT32, /* what nearly all code runs in: loops without any of this */
    MODE_PLAIN64 = MODE_IN64 | MODE_OUT64,
};

#define QNAN32 0x7fc00000u
#define QNAN64 0x7ff8000000000000u

static inline bool special32(const struct gfx_wave *w) {
    return (w->mode & (MODE_ROUND32 | MODE_IN32 | MODE_OUT32)) != MODE_PLAIN32;
}
static inline bool special64(const struct gfx_wave *w) {
    return (w->mode & (MODE_ROUND64 | MODE_IN64 | MODE_OUT64)) != MODE_PLAIN64;
}

static inline uint32_t flushed32(uint32_t u) {
    return u & 0x7f800000 ? u : u & 0x80000000;
}
static inline uint64_t flushed64(uint64_t u) {
    return u & 0x7ffull << 52 ? u : u & 1ull << 63;
}
static inline uint32_t flushed16(uint32_t u) {
    return u & 0x7c00 ? u : u & 0x8000;
}

static inline const uint32_t *flush_row(const uint32_t *x, uint32_t *tmp) {
    FOR_LANES tmp[l] = flushed32(x[l]);
    return tmp;
}
static inline const uint64_t *flush_row64(const uint64_t *x, uint64_t *tmp) {
    FOR_LANES tmp[l] = flushed64(x[l]);
    return tmp;
}

/* A source of f32 arithmetic. */
#define SRCF32(n, k) \
    SRC32(n, k);     \
    if (!(w->mode & MODE_IN32)) n = flush_row(n, n##_tmp)
#define SRCF64(n, k) \
    SRC64(n, k);     \
    if (!(w->mode & MODE_IN64)) n = flush_row64(n, n##_tmp)

/* The host rounds as MODE says between these two. The barriers keep the loop between them. */
static inline int round_begin(unsigned rm) {
    static const int host[4] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    int before = fegetround();
    fesetround(host[rm]);
    __asm__ volatile("" ::: "memory");
    return before;
}
static inline void round_end(int before, const void *result) {
    __asm__ volatile("" : : "r"(result) : "memory");
    fesetround(before);
}

static inline uint32_t clamped32(uint32_t u, uint32_t mode) {
    if (is_nan32(u)) return mode & MODE_DX10_CLAMP ? 0 : u;
    return u >> 31 ? 0 : u > 0x3f800000 ? 0x3f800000 : u;
}

/* omod counts only where neither IEEE nor denormal results are wanted; it makes -0 to +0. */
static inline void out_mods32(const struct gfx_wave *w, const struct gfx_inst *i, uint32_t *d) {
    static const float factor[4] = {1, 2, 4, 0.5f};
    if (i->omod && !(w->mode & (MODE_IEEE | MODE_OUT32)))
        FOR_LANES d[l] = flushed32(bits_of(f32_of(d[l]) * factor[i->omod] + 0.0f));
    if (i->clamp) FOR_LANES d[l] = clamped32(d[l], w->mode);
}

static inline void out32(struct gfx_wave *w, const struct gfx_inst *i, uint32_t *d) {
    if (!(w->mode & MODE_OUT32)) FOR_LANES d[l] = flushed32(d[l]);
    if (i->flags & GFX_I_OUTMOD) out_mods32(w, i, d);
    gfx_put32(w, i, d);
}

static inline void out64(struct gfx_wave *w, const struct gfx_inst *i, uint64_t *d) {
    static const double factor[4] = {1, 2, 4, 0.5};
    if (!(w->mode & MODE_OUT64)) FOR_LANES d[l] = flushed64(d[l]);
    if (i->omod && !(w->mode & (MODE_IEEE | MODE_OUT64)))
        FOR_LANES d[l] = flushed64(bits64_of(f64_of(d[l]) * factor[i->omod] + 0.0));
    if (i->clamp) FOR_LANES {
            if (is_nan64(d[l]))
                d[l] = w->mode & MODE_DX10_CLAMP ? 0 : d[l];
            else
                d[l] = d[l] >> 63 ? 0 : d[l] > bits64_of(1.0) ? bits64_of(1.0) : d[l];
        }
    gfx_put64(w, i, d);
}

/* The NaN of an arithmetic result: the first source that is one, made quiet, or the default NaN. x86 chooses in
   another order and gives the default one a sign, so rows with a NaN go through here. */
static inline void fix_nans(uint32_t *d, const uint32_t *a, const uint32_t *b, const uint32_t *c) {
    FOR_LANES if (is_nan32(d[l])) d[l] = is_nan32(a[l])   ? a[l] | 0x400000
                                         : is_nan32(b[l]) ? b[l] | 0x400000
                                         : is_nan32(c[l]) ? c[l] | 0x400000
                                                          : QNAN32;
}
static inline void fix_nans64(uint64_t *d, const uint64_t *a, const uint64_t *b, const uint64_t *c) {
    FOR_LANES if (is_nan64(d[l])) d[l] = is_nan64(a[l])   ? a[l] | 1ull << 51
                                         : is_nan64(b[l]) ? b[l] | 1ull << 51
                                         : is_nan64(c[l]) ? c[l] | 1ull << 51
                                                          : QNAN64;
}

/* Loops of f32 arithmetic over the rows a, b, c into d; expr in x, y, z. */
#define F32_LOOP(expr)                                              \
    ROW_OF(d);                                                      \
    uint32_t bad = 0;                                               \
    int before = special32(w) ? round_begin(w->mode & 3) : -1;      \
    FOR_LANES {                                                     \
        float x = f32_of(a[l]), y = f32_of(b[l]), z = f32_of(c[l]); \
        (void)x, (void)y, (void)z;                                  \
        float r = (expr);                                           \
        d[l] = bits_of(r);                                          \
        bad |= r != r ? 1 : 0;                                      \
    }                                                               \
    if (before != -1) round_end(before, d);                         \
    if (bad) fix_nans(d, a, b, c)

#define F32_1(name, expr)              \
    HANDLER(name) {                    \
        SRCF32(a, 0);                  \
        const uint32_t *b = a, *c = a; \
        F32_LOOP(expr);                \
        out32(w, i, d);                \
    }
#define F32_2(name, expr)      \
    HANDLER(name) {            \
        SRCF32(a, 0);          \
        SRCF32(b, 1);          \
        const uint32_t *c = a; \
        F32_LOOP(expr);        \
        out32(w, i, d);        \
    }
#define F32_3(name, expr) \
    HANDLER(name) {       \
        SRCF32(a, 0);     \
        SRCF32(b, 1);     \
        SRCF32(c, 2);     \
        F32_LOOP(expr);   \
        out32(w, i, d);   \
    }

/* min and max: a signalling NaN is returned quiet in IEEE mode, any other NaN gives the other operand; -0 < +0. */
static inline uint32_t max_bits32(uint32_t a, uint32_t b, bool ieee) {
    float x = f32_of(a), y = f32_of(b);
    uint32_t r = x > y ? a : x == y ? a & b : b; /* equal: only the zeros' signs may differ */
    uint32_t n = is_nan32(a) ? b : a;
    n = (ieee & is_snan32(b)) ? b | 0x400000 : n;
    n = (ieee & is_snan32(a)) ? a | 0x400000 : n;
    return (is_nan32(a) || is_nan32(b)) ? n : r;
}
static inline uint32_t min_bits32(uint32_t a, uint32_t b, bool ieee) {
    float x = f32_of(a), y = f32_of(b);
    uint32_t r = x < y ? a : x == y ? a | b : b;
    uint32_t n = is_nan32(a) ? b : a;
    n = (ieee & is_snan32(b)) ? b | 0x400000 : n;
    n = (ieee & is_snan32(a)) ? a | 0x400000 : n;
    return (is_nan32(a) || is_nan32(b)) ? n : r;
}
static inline uint64_t max_bits64(uint64_t a, uint64_t b, bool ieee) {
    if (ieee && is_snan64(a)) return a | 1ull << 51;
    if (ieee && is_snan64(b)) return b | 1ull << 51;
    if (is_nan64(a)) return b;
    if (is_nan64(b)) return a;
    double x = f64_of(a), y = f64_of(b);
    return x > y ? a : x == y ? a & b : b;
}
static inline uint64_t min_bits64(uint64_t a, uint64_t b, bool ieee) {
    if (ieee && is_snan64(a)) return a | 1ull << 51;
    if (ieee && is_snan64(b)) return b | 1ull << 51;
    if (is_nan64(a)) return b;
    if (is_nan64(b)) return a;
    double x = f64_of(a), y = f64_of(b);
    return x < y ? a : x == y ? a | b : b;
}

/* 2^x and log2(x) in double, good to about 1e-16 for |x| <= 1022 and finite x > 0; plain arithmetic, so that 64 of
   them become vector code and every host gives the same bits. */
static inline double exp2_poly(double x) {
    double k = (x + 0x1.8p52) - 0x1.8p52, t = (x - k) * 0x1.62e42fefa39efp-1, p = 1.0 / 6227020800.0;
    p = p * t + 1.0 / 479001600.0, p = p * t + 1.0 / 39916800.0, p = p * t + 1.0 / 3628800.0;
    p = p * t + 1.0 / 362880.0, p = p * t + 1.0 / 40320.0, p = p * t + 1.0 / 5040.0;
    p = p * t + 1.0 / 720.0, p = p * t + 1.0 / 120.0, p = p * t + 1.0 / 24.0;
    p = p * t + 1.0 / 6.0, p = p * t + 0.5, p = p * t + 1.0, p = p * t + 1.0;
    uint64_t n = bits64_of(k + 0x1.8p52) + 1023; /* the low bits of the sum are k */
    return p * f64_of(n << 52);
}

static inline double log2_poly(double x) {
    uint64_t u = bits64_of(x), off = u - 0x3fe6a09e00000000; /* 0.7071 to 1.4142 */
    double e = f64_of((0x433ull << 52 | 1ull << 51) + (uint64_t)((int64_t)off >> 52)) - 0x1.8p52;
    double m = f64_of(u - (off & 0xfffull << 52)), s = (m - 1) / (m + 1), q = s * s, p = 1.0 / 21;
    p = p * q + 1.0 / 19, p = p * q + 1.0 / 17, p = p * q + 1.0 / 15, p = p * q + 1.0 / 13;
    p = p * q + 1.0 / 11, p = p * q + 1.0 / 9, p = p * q + 1.0 / 7, p = p * q + 1.0 / 5;
    p = p * q + 1.0 / 3, p = p * q + 1.0;
    return e + s * p * 0x1.71547652b82fep+1;
}

#endif
