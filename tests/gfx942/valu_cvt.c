#include "fp8.h"
#include "half.h"

/* Conversions. To integers: toward zero, saturated, NaN is 0. */
static inline uint32_t i32_of(double x) {
    double r = trunc(x);
    return r != r ? 0 : r <= -0x1p31 ? 0x80000000 : r >= 0x1p31 ? 0x7fffffff : (uint32_t)(int32_t)r;
}
static inline uint32_t u32_of(double x) {
    double r = trunc(x);
    return r >= 0x1p32 ? 0xffffffff : r > 0 ? (uint32_t)(int64_t)r : 0;
}
static inline uint32_t i16_of(float x) {
    return x != x ? 0 : (uint32_t)(int)(x < -32768 ? -32768 : x > 32767 ? 32767 : x) & 0xffff;
}
static inline uint32_t u16_of(float x) {
    return x >= 65535 ? 65535 : x > 0 ? (uint32_t)x : 0;
}

/* One word in, one out; not a float out, so no omod or clamp is possible but those that change nothing. */
#define TO_INT(name, src, expr)     \
    HANDLER(name) {                 \
        src(a, 0);                  \
        ROW_OF(d);                  \
        FOR_LANES {                 \
            float x = f32_of(a[l]); \
            d[l] = (expr);          \
        }                           \
        gfx_put32(w, i, d);         \
    }
static inline uint32_t
i32_of_f32(float x) { /* vector code: the host's conversion gives INT_MIN past the ends */
    uint32_t r = (uint32_t)(int32_t)(x >= 0x1p31f || x != x ? 0 : x < -0x1p31f ? -0x1p31f : x);
    return x >= 0x1p31f ? 0x7fffffff : r;
}
static inline uint32_t u32_of_f32(float x) {
    float in = x > 0 && x < 0x1p32f ? x : 0;
    uint32_t big = (uint32_t)(int32_t)(in - 0x1p31f) + 0x80000000u,
             small = (uint32_t)(int32_t)(in < 0x1p31f ? in : 0);
    return x >= 0x1p32f ? 0xffffffff : in >= 0x1p31f ? big : small;
}
TO_INT(cvt_i32_f32, SRCF32, i32_of_f32(x))
TO_INT(cvt_u32_f32, SRCF32, u32_of_f32(x))
TO_INT(cvt_rpi_i32_f32, SRCF32, i32_of(floor((double)x + 0.5)))
TO_INT(cvt_flr_i32_f32, SRCF32, i32_of(floor(x)))

/* To f32: MODE's rounding of f32. x is the source's word. */
#define TO_F32(name, expr)                                         \
    HANDLER(name) {                                                \
        SRC32(a, 0);                                               \
        ROW_OF(d);                                                 \
        int before = special32(w) ? round_begin(w->mode & 3) : -1; \
        FOR_LANES {                                                \
            uint32_t x = a[l];                                     \
            d[l] = bits_of(expr);                                  \
        }                                                          \
        if (before != -1) round_end(before, d);                    \
        if (i->flags & GFX_I_OUTMOD) out_mods32(w, i, d);          \
        gfx_put32(w, i, d);                                        \
    }
static inline float f32_of_u32(uint32_t x) { /* two exact halves, one rounding: no vector form of the whole */
    return (float)(int32_t)(x >> 16) * 65536.0f + (float)(int32_t)(x & 0xffff);
}
TO_F32(cvt_f32_i32, (float)(int32_t)x)
TO_F32(cvt_f32_u32, f32_of_u32(x))
TO_F32(cvt_f32_ubyte0, (float)(int32_t)(x & 0xff))
TO_F32(cvt_f32_ubyte1, (float)(int32_t)(x >> 8 & 0xff))
TO_F32(cvt_f32_ubyte2, (float)(int32_t)(x >> 16 & 0xff))
TO_F32(cvt_f32_ubyte3, (float)(int32_t)(x >> 24))
TO_F32(cvt_off_f32_i4, (float)((int32_t)(x << 28) >> 28) / 16)
TO_F32(cvt_f32_fp8, f32_of_fp8(x, fp8_format))
TO_F32(cvt_f32_bf8, f32_of_fp8(x, bf8_format))

HANDLER(cvt_f32_f16) {
    SRC32(a, 0);
    ROW_OF(d);
    if (w->mode & MODE_IN64)
        FOR_LANES d[l] = bits_of(f32_of_f16(a[l]));
    else
        FOR_LANES d[l] = bits_of(f32_of_f16(flushed16(a[l])));
    if (i->flags & GFX_I_OUTMOD) out_mods32(w, i, d);
    gfx_put32(w, i, d);
}

static inline uint32_t f16_mode(uint32_t u, uint32_t mode) {
    double x = f32_of(mode & MODE_IN32 ? u : flushed32(u));
    return quiet16(out16_of(x, mode), f16_of_f32(f32_of(u)), 0, 0);
}
HANDLER(cvt_f16_f32) {
    SRC32(a, 0);
    ROW_OF(d);
    if (special16(w))
        FOR_LANES d[l] = f16_mode(a[l], w->mode);
    else
        FOR_LANES d[l] = f16_of_f32(f32_of(a[l])); /* no denormal of f32 reaches f16 */
    out16(w, i, d, false);
}

/* Toward zero whatever MODE says. */
HANDLER(cvt_pkrtz_f16_f32) {
    SRC32(a, 0);
    SRC32(b, 1);
    ROW_OF(d);
    FOR_LANES {
        uint32_t x = f16_of_f32_rtz(f32_of(a[l])), y = f16_of_f32_rtz(f32_of(b[l]));
        if (!(w->mode & MODE_OUT64)) x = flushed16(x), y = flushed16(y);
        if (i->clamp) x = clamped16(x, w->mode), y = clamped16(y, w->mode);
        d[l] = x | y << 16;
    }
    gfx_put_reg(w, i->dst.reg, d);
}

/* Of 16-bit integers, and to them. */
#define TO_F16(name, expr)                                                    \
    HANDLER(name) {                                                           \
        SRC32(a, 0);                                                          \
        ROW_OF(d);                                                            \
        FOR_LANES {                                                           \
            uint32_t x = a[l];                                                \
            d[l] = special16(w) ? out16_of(expr, w->mode) : f16_of_f32(expr); \
        }                                                                     \
        out16(w, i, d, false);                                                \
    }
TO_F16(cvt_f16_u16, (float)(int32_t)(x & 0xffff))
TO_F16(cvt_f16_i16, (float)(int16_t)x)

/* Normalized: [-1, 1] or [0, 1] times the largest integer, to the nearest even. */
static inline uint32_t snorm16(double x) {
    double r = x != x ? 0 : x < -1 ? -1 : x > 1 ? 1 : x;
    return (uint32_t)(int32_t)round_to_format(r * 32767, 30, 0, 0) & 0xffff;
}
static inline uint32_t unorm16(double x) {
    double r = x > 0 ? x > 1 ? 1 : x : 0;
    return (uint32_t)(int32_t)round_to_format(r * 65535, 30, 0, 0);
}
#define HALF_TO_INT(name, expr)                        \
    HANDLER(name) {                                    \
        SRC32(a, 0);                                   \
        ROW_OF(d);                                     \
        FOR_LANES {                                    \
            float x = f32_of_f16(in16(a[l], w->mode)); \
            d[l] = (expr);                             \
        }                                              \
        put16(w, i, d, false);                         \
    }
HALF_TO_INT(cvt_u16_f16, u16_of(x))
HALF_TO_INT(cvt_i16_f16, i16_of(x))
HALF_TO_INT(cvt_norm_i16_f16, snorm16(x))
HALF_TO_INT(cvt_norm_u16_f16, unorm16(x))

#define PACK2(name, word, expr)        \
    HANDLER(name) {                    \
        SRC32(a, 0);                   \
        SRC32(b, 1);                   \
        ROW_OF(d);                     \
        FOR_LANES {                    \
            uint32_t lo, hi;           \
            {                          \
                word = a[l];           \
                lo = (expr);           \
            }                          \
            {                          \
                word = b[l];           \
                hi = (expr);           \
            }                          \
            d[l] = lo | hi << 16;      \
        }                              \
        gfx_put_reg(w, i->dst.reg, d); \
    }
static inline uint32_t sat_i16(int32_t x) {
    return (uint32_t)(x < -32768 ? -32768 : x > 32767 ? 32767 : x) & 0xffff;
}
PACK2(cvt_pknorm_i16_f32, uint32_t x, snorm16(f32_of(x)))
PACK2(cvt_pknorm_u16_f32, uint32_t x, unorm16(f32_of(x)))
PACK2(cvt_pknorm_i16_f16, uint32_t x, snorm16(f32_of_f16(x)))
PACK2(cvt_pknorm_u16_f16, uint32_t x, unorm16(f32_of_f16(x)))
PACK2(cvt_pk_u16_u32, uint32_t x, x > 0xffff ? 0xffff : x)
PACK2(cvt_pk_i16_i32, uint32_t x, sat_i16((int32_t)x))

static inline uint32_t u8_of(float x) {
    return x >= 255 ? 255 : x > 0 ? (uint32_t)x : 0;
}
HANDLER(cvt_pk_u8_f32) {
    SRCF32(a, 0);
    SRC32(b, 1);
    SRC32(c, 2);
    ROW_OF(d);
    FOR_LANES {
        unsigned at = (b[l] & 3) * 8;
        d[l] = (c[l] & ~(0xffu << at)) | u8_of(f32_of(a[l])) << at;
    }
    gfx_put_reg(w, i->dst.reg, d);
}
HANDLER(cvt_pkaccum_u8_f32) {
    SRCF32(a, 0);
    SRC32(b, 1);
    const uint32_t *c = w->v[i->dst.reg];
    ROW_OF(d);
    FOR_LANES {
        unsigned at = (b[l] & 3) * 8;
        d[l] = (c[l] & ~(0xffu << at)) | u8_of(f32_of(a[l])) << at;
    }
    gfx_put_reg(w, i->dst.reg, d);
}

/* Double precision. */
HANDLER(cvt_f32_f64) {
    SRCF64(a, 0);
    ROW_OF(d);
    int before = special32(w) ? round_begin(w->mode & 3) : -1;
    FOR_LANES d[l] = bits_of((float)f64_of(a[l]));
    if (before != -1) round_end(before, d);
    out32(w, i, d);
}
HANDLER(cvt_f64_f32) {
    SRCF32(a, 0);
    uint64_t d[LANES];
    FOR_LANES d[l] = bits64_of(f32_of(a[l]));
    out64(w, i, d);
}
HANDLER(cvt_f64_i32) {
    SRC32(a, 0);
    uint64_t d[LANES];
    FOR_LANES d[l] = bits64_of((int32_t)a[l]);
    out64(w, i, d);
}
HANDLER(cvt_f64_u32) {
    SRC32(a, 0);
    uint64_t d[LANES];
    FOR_LANES d[l] = bits64_of(a[l]);
    out64(w, i, d);
}
HANDLER(cvt_i32_f64) {
    SRCF64(a, 0);
    ROW_OF(d);
    FOR_LANES d[l] = i32_of(f64_of(a[l]));
    gfx_put32(w, i, d);
}
HANDLER(cvt_u32_f64) {
    SRCF64(a, 0);
    ROW_OF(d);
    FOR_LANES d[l] = u32_of(f64_of(a[l]));
    gfx_put32(w, i, d);
}

/* 8-bit floats: pairs from the low 16 bits, or by SDWA from the high ones. */
#define PK_FROM8(name, format)                                       \
    HANDLER(name) {                                                  \
        SRC32(a, 0);                                                 \
        ROW_OF(d[2]);                                                \
        FOR_LANES {                                                  \
            d[0][l] = bits_of(f32_of_fp8(a[l] & 0xff, format));      \
            d[1][l] = bits_of(f32_of_fp8(a[l] >> 8 & 0xff, format)); \
        }                                                            \
        for (unsigned n = 0; n < 2; n++) {                           \
            if (i->flags & GFX_I_OUTMOD) out_mods32(w, i, d[n]);     \
            put_reg(w, i, n, d[n]);                                  \
        }                                                            \
    }
PK_FROM8(cvt_pk_f32_fp8, fp8_format)
PK_FROM8(cvt_pk_f32_bf8, bf8_format)

/* To one half of the destination; the other stays. */
#define PK_TO8(name, format)                                            \
    HANDLER(name) {                                                     \
        SRC32(a, 0);                                                    \
        SRC32(b, 1);                                                    \
        const uint32_t *old = w->v[i->dst.reg];                         \
        ROW_OF(d);                                                      \
        bool full = w->mode & MODE_FP16_OVFL;                           \
        unsigned at = i->op_sel & 8 ? 16 : 0;                           \
        FOR_LANES {                                                     \
            uint32_t x = fp8_of_f32(f32_of(a[l]), format, full, false); \
            uint32_t y = fp8_of_f32(f32_of(b[l]), format, full, false); \
            d[l] = (old[l] & ~(0xffffu << at)) | (x | y << 8) << at;    \
        }                                                               \
        gfx_put_reg(w, i->dst.reg, d);                                  \
    }
PK_TO8(cvt_pk_fp8_f32, fp8_format)
PK_TO8(cvt_pk_bf8_f32, bf8_format)

/* To one byte, chosen by the last two bits of op_sel. */
#define SR_TO8(name, format)                                                                  \
    HANDLER(name) {                                                                           \
        SRC32(a, 0);                                                                          \
        SRC32(b, 1);                                                                          \
        const uint32_t *old = w->v[i->dst.reg];                                               \
        ROW_OF(d);                                                                            \
        unsigned at = (i->op_sel >> 2 & 3) * 8;                                               \
        FOR_LANES {                                                                           \
            uint32_t x = fp8_of_f32_sr(f32_of(a[l]), format, w->mode & MODE_FP16_OVFL, b[l]); \
            d[l] = (old[l] & ~(0xffu << at)) | x << at;                                       \
        }                                                                                     \
        gfx_put_reg(w, i->dst.reg, d);                                                        \
    }
SR_TO8(cvt_sr_fp8_f32, fp8_format)
SR_TO8(cvt_sr_bf8_f32, bf8_format)

GFX_TABLE(valu_cvt) = {
    VALU("v_cvt_i32_f32", cvt_i32_f32, 0, B32, F32),
    VALU("v_cvt_u32_f32", cvt_u32_f32, 0, B32, F32),
    VALU("v_cvt_rpi_i32_f32", cvt_rpi_i32_f32, 0, B32, F32),
    VALU("v_cvt_flr_i32_f32", cvt_flr_i32_f32, 0, B32, F32),
    VALU("v_cvt_f32_i32", cvt_f32_i32, 0, F32, B32),
    VALU("v_cvt_f32_u32", cvt_f32_u32, 0, F32, B32),
    VALU("v_cvt_f32_ubyte0", cvt_f32_ubyte0, 0, F32, B32),
    VALU("v_cvt_f32_ubyte1", cvt_f32_ubyte1, 0, F32, B32),
    VALU("v_cvt_f32_ubyte2", cvt_f32_ubyte2, 0, F32, B32),
    VALU("v_cvt_f32_ubyte3", cvt_f32_ubyte3, 0, F32, B32),
    VALU("v_cvt_off_f32_i4", cvt_off_f32_i4, 0, F32, B32),
    VALU("v_cvt_f32_f16", cvt_f32_f16, 0, F32, F16),
    VALU("v_cvt_f16_f32", cvt_f16_f32, 0, F16, F32),
    VALU("v_cvt_pkrtz_f16_f32", cvt_pkrtz_f16_f32, 0, B32, F32, F32),
    VALU("v_cvt_f16_u16", cvt_f16_u16, 0, F16, B16),
    VALU("v_cvt_f16_i16", cvt_f16_i16, 0, F16, B16),
    VALU("v_cvt_u16_f16", cvt_u16_f16, 0, B16, F16),
    VALU("v_cvt_i16_f16", cvt_i16_f16, 0, B16, F16),
    VALU("v_cvt_norm_i16_f16", cvt_norm_i16_f16, 0, B16, F16),
    VALU("v_cvt_norm_u16_f16", cvt_norm_u16_f16, 0, B16, F16),
    VALU("v_cvt_pknorm_i16_f32", cvt_pknorm_i16_f32, 0, B32, F32, F32),
    VALU("v_cvt_pknorm_u16_f32", cvt_pknorm_u16_f32, 0, B32, F32, F32),
    VALU("v_cvt_pknorm_i16_f16", cvt_pknorm_i16_f16, 0, B32, F16, F16),
    VALU("v_cvt_pknorm_u16_f16", cvt_pknorm_u16_f16, 0, B32, F16, F16),
    VALU("v_cvt_pk_u16_u32", cvt_pk_u16_u32, 0, B32, B32, B32),
    VALU("v_cvt_pk_i16_i32", cvt_pk_i16_i32, 0, B32, B32, B32),
    VALU("v_cvt_pk_u8_f32", cvt_pk_u8_f32, 0, B32, F32, B32, B32),
    VALU("v_cvt_pkaccum_u8_f32", cvt_pkaccum_u8_f32, GFX_F_READS_DST, B32, F32, B32),
    VALU("v_cvt_f32_f64", cvt_f32_f64, 0, F32, F64),
    VALU("v_cvt_f64_f32", cvt_f64_f32, 0, F64, F32),
    VALU("v_cvt_f64_i32", cvt_f64_i32, 0, F64, B32),
    VALU("v_cvt_f64_u32", cvt_f64_u32, 0, F64, B32),
    VALU("v_cvt_i32_f64", cvt_i32_f64, 0, B32, F64),
    VALU("v_cvt_u32_f64", cvt_u32_f64, 0, B32, F64),
    VALU("v_cvt_f32_fp8", cvt_f32_fp8, 0, F32, B32),
    VALU("v_cvt_f32_bf8", cvt_f32_bf8, 0, F32, B32),
    VALU("v_cvt_pk_f32_fp8", cvt_pk_f32_fp8, 0, PKF32, B32),
    VALU("v_cvt_pk_f32_bf8", cvt_pk_f32_bf8, 0, PKF32, B32),
    VALU("v_cvt_pk_fp8_f32", cvt_pk_fp8_f32, 0, B32, F32, F32),
    VALU("v_cvt_pk_bf8_f32", cvt_pk_bf8_f32, 0, B32, F32, F32),
    VALU("v_cvt_sr_fp8_f32", cvt_sr_fp8_f32, 0, B32, F32, B32),
    VALU("v_cvt_sr_bf8_f32", cvt_sr_bf8_f32, 0, B32, F32, B32),
    {0},
};
