#include "valu.h"

/* Integers: those with a clamp bit compute without wrapping in 64 bits, and wrap or saturate at the end. */

typedef int64_t wide;

static inline wide s32(uint32_t x) {
    return (int32_t)x;
}
static inline wide s24(uint32_t x) {
    return (int32_t)(x << 8) >> 8;
}
static inline wide s16(uint32_t x) {
    return (int16_t)x;
}
static inline wide u24(uint32_t x) {
    return x & 0xffffff;
}
static inline wide u16(uint32_t x) {
    return x & 0xffff;
}
static inline wide u32(uint32_t x) {
    return x;
}
static inline wide within(wide x, wide lo, wide hi) {
    return x < lo ? lo : x > hi ? hi : x;
}

#define U32_RANGE 0, UINT32_MAX
#define I32_RANGE INT32_MIN, INT32_MAX
#define WIDE_RANGE INT64_MIN, INT64_MAX
#define U16_RANGE 0, UINT16_MAX
#define I16_RANGE INT16_MIN, INT16_MAX

/* `put` is gfx_put32, or one of the 16-bit forms below. */
#define SAT_LOOP(expr)                         \
    FOR_LANES {                                \
        uint32_t x = a[l], y = b[l], z = c[l]; \
        (void)z;                               \
        d[l] = (uint32_t)(expr);               \
    }
#define SAT(name, third, put, lo, hi, mask, expr)   \
    HANDLER(name) {                                 \
        SRC32(a, 0);                                \
        SRC32(b, 1);                                \
        third;                                      \
        ROW_OF(d);                                  \
        if (i->clamp)                               \
            SAT_LOOP(within((expr), lo, hi) & mask) \
        else                                        \
            SAT_LOOP((uint32_t)(expr)&mask)         \
        put(w, i, d);                               \
    }
#define NO_C const uint32_t *c = a
#define WITH_C SRC32(c, 2)
#define SAT_(name, third, put, ...) SAT(name, third, put, __VA_ARGS__)
#define SAT2(name, range, mask, expr) SAT_(name, NO_C, gfx_put32, range, mask, expr)
#define SAT3(name, range, mask, expr) SAT_(name, WITH_C, gfx_put32, range, mask, expr)
#define HALF2(name, put, range, expr) SAT_(name, NO_C, put, range, 0xffff, expr)
#define HALF3(name, put, range, expr) SAT_(name, WITH_C, put, range, 0xffff, expr)

static inline void put_zero(struct gfx_wave *w, const struct gfx_inst *i, uint32_t *x) {
    put16(w, i, x, false);
}
static inline void put_keep(struct gfx_wave *w, const struct gfx_inst *i, uint32_t *x) {
    put16(w, i, x, true);
}

static inline uint32_t reverse32(uint32_t x) {
    x = (x >> 1 & 0x55555555) | (x & 0x55555555) << 1;
    x = (x >> 2 & 0x33333333) | (x & 0x33333333) << 2;
    x = (x >> 4 & 0x0f0f0f0f) | (x & 0x0f0f0f0f) << 4;
    return __builtin_bswap32(x);
}

static inline uint32_t count32(uint32_t x) {
    x -= x >> 1 & 0x55555555;
    x = (x & 0x33333333) + (x >> 2 & 0x33333333);
    return ((x + (x >> 4)) & 0x0f0f0f0f) * 0x01010101 >> 24;
}

static inline uint32_t min_u(uint32_t x, uint32_t y) {
    return x < y ? x : y;
}
static inline uint32_t max_u(uint32_t x, uint32_t y) {
    return x > y ? x : y;
}
static inline int32_t min_i(uint32_t x, uint32_t y) {
    return (int32_t)x < (int32_t)y ? (int32_t)x : (int32_t)y;
}
static inline int32_t max_i(uint32_t x, uint32_t y) {
    return (int32_t)x > (int32_t)y ? (int32_t)x : (int32_t)y;
}
static inline int32_t med_i(int32_t x, int32_t y, int32_t z) {
    int32_t lo = x < y ? x : y, hi = x < y ? y : x;
    return z < lo ? lo : z > hi ? hi : z;
}
static inline uint32_t med_u(uint32_t x, uint32_t y, uint32_t z) {
    return max_u(min_u(x, y), min_u(max_u(x, y), z));
}

OP1(mov_b32, x)
OP1(not_b32, ~x)
OP1(bfrev_b32, reverse32(x))
OP1(ffbh_u32, x ? __builtin_clz(x) : -1)
OP1(ffbl_b32, x ? __builtin_ctz(x) : -1)
OP1(ffbh_i32, (x ^ (uint32_t)((int32_t)x >> 31)) ? __builtin_clz(x ^ (uint32_t)((int32_t)x >> 31)) : -1)

OP2(and_b32, x &y)
OP2(or_b32, x | y)
OP2(xor_b32, x ^ y)
OP2(xnor_b32, ~(x ^ y))
OP2(lshlrev_b32, y << (x & 31))
OP2(lshrrev_b32, y >> (x & 31))
OP2(ashrrev_i32, (int32_t)y >> (x & 31))
OP2(min_i32, min_i(x, y))
OP2(max_i32, max_i(x, y))
OP2(min_u32, min_u(x, y))
OP2(max_u32, max_u(x, y))
OP2(mul_hi_i32_i24, (s24(x) * s24(y)) >> 32)
OP2(mul_hi_u32_u24, (u24(x) * u24(y)) >> 32)
OP2(mul_lo_u32, x *y)
OP2(mul_hi_u32, (uint64_t)x *y >> 32)
OP2(mul_hi_i32, (s32(x) * s32(y)) >> 32)
OP2(bcnt_u32_b32, count32(x) + y)
OP2(mbcnt_lo_u32_b32, count32(x &(l < 32 ? (1u << (l & 31)) - 1 : ~0u)) + y)
OP2(mbcnt_hi_u32_b32, count32(x &(l < 32 ? 0 : (1u << (l & 31)) - 1)) + y)
OP2(bfm_b32, ((1u << (x & 31)) - 1) << (y & 31))

SAT2(add_u32, U32_RANGE, ~0u, u32(x) + u32(y))
SAT2(sub_u32, U32_RANGE, ~0u, u32(x) - u32(y))
SAT2(subrev_u32, U32_RANGE, ~0u, u32(y) - u32(x))
SAT2(add_i32, I32_RANGE, ~0u, s32(x) + s32(y))
SAT2(sub_i32, I32_RANGE, ~0u, s32(x) - s32(y))
SAT2(mul_i32_i24, I32_RANGE, ~0u, s24(x) * s24(y))
SAT2(mul_u32_u24, U32_RANGE, ~0u, u24(x) * u24(y))
SAT3(mad_i32_i24, I32_RANGE, ~0u, s24(x) * s24(y) + s32(z))
SAT3(mad_u32_u24, U32_RANGE, ~0u, u24(x) * u24(y) + u32(z))
SAT3(mad_u32_u16, U32_RANGE, ~0u, u16(x) * u16(y) + u32(z))
SAT3(mad_i32_i16, I32_RANGE, ~0u, s16(x) * s16(y) + s32(z))

OP3(bfe_u32, x >> (y & 31) & ((1u << (z & 31)) - 1))
OP3(bfi_b32, (x & y) | (~x & z))
OP3(alignbit_b32, ((uint64_t)x << 32 | y) >> (z & 31))
OP3(alignbyte_b32, ((uint64_t)x << 32 | y) >> ((z & 3) * 8))
OP3(min3_i32, min_i((uint32_t)min_i(x, y), z))
OP3(min3_u32, min_u(min_u(x, y), z))
OP3(max3_i32, max_i((uint32_t)max_i(x, y), z))
OP3(max3_u32, max_u(max_u(x, y), z))
OP3(med3_i32, med_i((int32_t)x, (int32_t)y, (int32_t)z))
OP3(med3_u32, med_u(x, y, z))
OP3(xad_u32, (x ^ y) + z)
OP3(lshl_add_u32, (x << (y & 31)) + z)
OP3(add_lshl_u32, (x + y) << (z & 31))
OP3(add3_u32, x + y + z)
OP3(lshl_or_b32, x << (y & 31) | z)
OP3(and_or_b32, (x & y) | z)
OP3(or3_b32, x | y | z)

/* The shift is arithmetic, and the field's top bit is its sign; a field of no bits is 0. */
static inline int32_t field(int32_t x, uint32_t width) {
    uint32_t up = 32 - width;
    return width ? (int32_t)((uint32_t)x << (up & 31)) >> (up & 31) : 0;
}
OP3(bfe_i32, field((int32_t)x >> (y & 31), z & 31))

static inline uint32_t permuted(uint64_t bytes, uint32_t sel) {
    if (sel >= 13) return 0xff;
    if (sel == 12) return 0;
    if (sel >= 8) return bytes >> (sel * 16 - 113) & 1 ? 0xff : 0; /* 8: bit 15, 9: 31, 10: 47, 11: 63 */
    return bytes >> sel * 8 & 0xff;
}
OP3(perm_any, permuted((uint64_t)x << 32 | y, z & 0xff) |
                  permuted((uint64_t)x << 32 | y, z >> 8 & 0xff) << 8 |
                  permuted((uint64_t)x << 32 | y, z >> 16 & 0xff) << 16 |
                  permuted((uint64_t)x << 32 | y, z >> 24) << 24)

/* The selector is nearly always one for all lanes: then each byte of the result is a row's byte. */
HANDLER(perm_b32) {
    if (i->src[2].kind == GFX_K_VGPR) {
        perm_any(w, i);
        return;
    }
    SRC32(a, 0);
    SRC32(b, 1);
    uint32_t sel = gfx_scalar32(w, &i->src[2]);
    ROW_OF(d);
    memset(d, 0, sizeof d);
    for (unsigned n = 0; n < 4; n++) {
        unsigned s = sel >> 8 * n & 0xff, to = 8 * n;
        const uint32_t *row = (s < 8 ? s >= 4 : s >= 10) ? a : b;
        unsigned from = s < 8 ? s % 4 * 8 : s % 2 ? 31 : 15;
        if (s < 8)
            FOR_LANES d[l] |= (row[l] >> from & 0xff) << to;
        else if (s < 12)
            FOR_LANES d[l] |= (row[l] >> from & 1) * (0xffu << to);
        else
            FOR_LANES d[l] |= (s == 12 ? 0 : 0xffu) << to;
    }
    gfx_put32(w, i, d);
}

static inline uint32_t byte_of(uint32_t x, int n) {
    return x >> n * 8 & 0xff;
}
static inline uint32_t distance(uint32_t x, uint32_t y) {
    return x > y ? x - y : y - x;
}
static inline uint32_t lerp8(uint32_t x, uint32_t y, uint32_t z, int n) {
    return (byte_of(x, n) + byte_of(y, n) + (z >> n * 8 & 1)) >> 1 << n * 8;
}
static inline wide sad8(uint32_t x, uint32_t y) {
    wide sum = 0;
    for (int n = 0; n < 4; n++) sum += distance(byte_of(x, n), byte_of(y, n));
    return sum;
}
static inline wide msad8(uint32_t x, uint32_t y) { /* bytes of y that are 0 are passed over */
    wide sum = 0;
    for (int n = 0; n < 4; n++) sum += byte_of(y, n) ? distance(byte_of(x, n), byte_of(y, n)) : 0;
    return sum;
}
OP3(lerp_u8, lerp8(x, y, z, 0) | lerp8(x, y, z, 1) | lerp8(x, y, z, 2) | lerp8(x, y, z, 3))
SAT3(sad_u8, U32_RANGE, ~0u, sad8(x, y) + u32(z))
SAT3(sad_hi_u8, U32_RANGE, ~0u, (sad8(x, y) << 16) + u32(z))
SAT3(sad_u16, U32_RANGE, ~0u, (wide)distance(x & 0xffff, y & 0xffff) + distance(x >> 16, y >> 16) + u32(z))
SAT3(sad_u32, U32_RANGE, ~0u, (wide)distance(x, y) + u32(z))
SAT3(msad_u8, U32_RANGE, ~0u, msad8(x, y) + u32(z))

/* Carries: one bit of a mask a lane. */
#define CARRY(name, in_mask, expr)                                          \
    HANDLER(name) {                                                         \
        SRC32(a, 0);                                                        \
        SRC32(b, 1);                                                        \
        uint64_t mask = (in_mask);                                          \
        ROW_OF(d);                                                          \
        uint8_t carry[LANES];                                               \
        FOR_LANES {                                                         \
            wide x = a[l], y = b[l], in = mask >> l & 1, r = (expr);        \
            (void)in;                                                       \
            d[l] = i->clamp ? (uint32_t)within(r, U32_RANGE) : (uint32_t)r; \
            carry[l] = r < 0 || r > UINT32_MAX;                             \
        }                                                                   \
        gfx_put32(w, i, d);                                                 \
        gfx_put_mask(w, &i->sdst, mask_of_bytes(carry));                    \
    }
CARRY(add_co_u32, 0, x + y)
CARRY(sub_co_u32, 0, x - y)
CARRY(subrev_co_u32, 0, y - x)
CARRY(addc_co_u32, gfx_mask(w, i, 2), x + y + in)
CARRY(subb_co_u32, gfx_mask(w, i, 2), x - y - in)
CARRY(subbrev_co_u32, gfx_mask(w, i, 2), y - x - in)

HANDLER(cndmask_b32) {
    SRC32(a, 0);
    SRC32(b, 1);
    uint64_t mask = gfx_mask(w, i, 2);
    ROW_OF(d);
    FOR_LANES d[l] = mask >> l & 1 ? b[l] : a[l];
    gfx_put32(w, i, d);
}

/* 16 bits. */
HALF2(lshlrev_b16, put_zero, WIDE_RANGE, (y & 0xffff) << (x & 15) & 0xffff)
HALF2(lshrrev_b16, put_zero, WIDE_RANGE, (y & 0xffff) >> (x & 15))
HALF2(ashrrev_i16, put_zero, WIDE_RANGE, (uint16_t)((int16_t)y >> (x & 15)))
HALF2(mul_lo_u16, put_zero, WIDE_RANGE, (x & 0xffff) * (y & 0xffff) & 0xffff)
HALF2(min_i16, put_zero, WIDE_RANGE, (uint16_t)(s16(x) < s16(y) ? x : y))
HALF2(max_i16, put_zero, WIDE_RANGE, (uint16_t)(s16(x) > s16(y) ? x : y))
HALF2(min_u16, put_zero, WIDE_RANGE, min_u(x & 0xffff, y & 0xffff))
HALF2(max_u16, put_zero, WIDE_RANGE, max_u(x & 0xffff, y & 0xffff))
HALF3(min3_i16, put_keep, I16_RANGE,
      min_i((uint32_t)min_i((uint32_t)s16(x), (uint32_t)s16(y)), (uint32_t)s16(z)))
HALF3(max3_i16, put_keep, I16_RANGE,
      max_i((uint32_t)max_i((uint32_t)s16(x), (uint32_t)s16(y)), (uint32_t)s16(z)))
HALF3(med3_i16, put_keep, I16_RANGE, med_i((int16_t)x, (int16_t)y, (int16_t)z))
HALF3(min3_u16, put_keep, U16_RANGE, min_u(min_u(x & 0xffff, y & 0xffff), z & 0xffff))
HALF3(max3_u16, put_keep, U16_RANGE, max_u(max_u(x & 0xffff, y & 0xffff), z & 0xffff))
HALF3(med3_u16, put_keep, U16_RANGE, med_u(x & 0xffff, y & 0xffff, z & 0xffff))
HALF2(add_u16, put_zero, U16_RANGE, u16(x) + u16(y))
HALF2(sub_u16, put_zero, U16_RANGE, u16(x) - u16(y))
HALF2(subrev_u16, put_zero, U16_RANGE, u16(y) - u16(x))
HALF2(add_i16, put_keep, I16_RANGE, s16(x) + s16(y))
HALF2(sub_i16, put_keep, I16_RANGE, s16(x) - s16(y))
HALF3(mad_u16, put_keep, U16_RANGE, u16(x) * u16(y) + u16(z))
HALF3(mad_i16, put_keep, I16_RANGE, s16(x) * s16(y) + s16(z))
HALF3(mad_legacy_u16, put_zero, U16_RANGE, u16(x) * u16(y) + u16(z))
HALF3(mad_legacy_i16, put_zero, I16_RANGE, s16(x) * s16(y) + s16(z))

static inline uint32_t sat8(uint32_t x) {
    return (uint32_t)within(s16(x), 0, 255);
}
OP1(sat_pk_u8_i16, sat8(x) | sat8(x >> 16) << 8)

/* 64 bits. */
#define SHIFT64(name, expr)          \
    HANDLER(name) {                  \
        SRC32(a, 0);                 \
        SRC64(b, 1);                 \
        uint64_t d[LANES];           \
        FOR_LANES {                  \
            unsigned n = a[l] & 63;  \
            uint64_t y = b[l];       \
            d[l] = (uint64_t)(expr); \
        }                            \
        gfx_put64(w, i, d);          \
    }
SHIFT64(lshlrev_b64, y << n)
SHIFT64(lshrrev_b64, y >> n)
SHIFT64(ashrrev_i64, (int64_t)y >> n)

HANDLER(mov_b64) {
    SRC64(a, 0);
    gfx_put64(w, i, a);
}

HANDLER(lshl_add_u64) {
    SRC64(a, 0);
    SRC32(b, 1);
    SRC64(c, 2);
    uint64_t d[LANES];
    FOR_LANES d[l] = (a[l] << (b[l] & 7)) + c[l];
    gfx_put64(w, i, d);
}

HANDLER(mad_u64_u32) {
    SRC32(a, 0);
    SRC32(b, 1);
    SRC64(c, 2);
    uint64_t d[LANES];
    uint8_t carry[LANES];
    FOR_LANES {
        uint64_t r = (uint64_t)a[l] * b[l] + c[l];
        carry[l] = r < c[l];
        d[l] = i->clamp && carry[l] ? UINT64_MAX : r;
    }
    gfx_put64(w, i, d);
    gfx_put_mask(w, &i->sdst, mask_of_bytes(carry));
}

/* The second result is bit 64 of the exact sum: its sign. */
HANDLER(mad_i64_i32) {
    SRC32(a, 0);
    SRC32(b, 1);
    SRC64(c, 2);
    uint64_t d[LANES];
    uint8_t top[LANES];
    FOR_LANES {
        int64_t r;
        bool over = __builtin_add_overflow(s32(a[l]) * s32(b[l]), (int64_t)c[l], &r);
        top[l] = over ? r >= 0 : r < 0;
        d[l] = (uint64_t)(i->clamp && over ? (r < 0 ? INT64_MAX : INT64_MIN) : r);
    }
    gfx_put64(w, i, d);
    gfx_put_mask(w, &i->sdst, mask_of_bytes(top));
}

/* Four sums of absolute differences: the bytes of y against those of the pair x from byte 0, 1, 2 and 3 on. */
#define QSAD16(name, sum)                                                                        \
    HANDLER(name) {                                                                              \
        SRC64(a, 0);                                                                             \
        SRC32(b, 1);                                                                             \
        SRC64(c, 2);                                                                             \
        uint64_t d[LANES];                                                                       \
        FOR_LANES {                                                                              \
            d[l] = 0;                                                                            \
            for (int n = 0; n < 4; n++) {                                                        \
                wide r = sum((uint32_t)(a[l] >> n * 8), b[l]) + (wide)(c[l] >> n * 16 & 0xffff); \
                d[l] |= (uint64_t)(i->clamp ? within(r, U16_RANGE) : r & 0xffff) << n * 16;      \
            }                                                                                    \
        }                                                                                        \
        gfx_put64(w, i, d);                                                                      \
    }
QSAD16(qsad_pk_u16_u8, sad8)
QSAD16(mqsad_pk_u16_u8, msad8)

/* The third source and the destination are four registers. */
HANDLER(mqsad_u32_u8) {
    SRC64(a, 0);
    SRC32(b, 1);
    ROW_OF(d[4]);
    for (int n = 0; n < 4; n++) FOR_LANES {
            uint32_t c = i->src[2].kind == GFX_K_VGPR ? w->v[i->src[2].reg + n][l] : (uint32_t)i->src[2].bits;
            wide r = msad8((uint32_t)(a[l] >> n * 8), b[l]) + u32(c);
            d[n][l] = (uint32_t)(i->clamp ? within(r, U32_RANGE) : r);
        }
    for (unsigned n = 0; n < 4; n++) put_reg(w, i, n, d[n]);
}

GFX_TABLE(valu_int) = {
    VALU("v_mov_b32", mov_b32, GFX_F_COPY, B32, B32),
    VALU("v_not_b32", not_b32, 0, B32, B32),
    VALU("v_bfrev_b32", bfrev_b32, 0, B32, B32),
    VALU("v_ffbh_u32", ffbh_u32, 0, B32, B32),
    VALU("v_ffbl_b32", ffbl_b32, 0, B32, B32),
    VALU("v_ffbh_i32", ffbh_i32, 0, B32, B32),
    VALU("v_and_b32", and_b32, 0, B32, B32, B32),
    VALU("v_or_b32", or_b32, 0, B32, B32, B32),
    VALU("v_xor_b32", xor_b32, 0, B32, B32, B32),
    VALU("v_xnor_b32", xnor_b32, 0, B32, B32, B32),
    VALU("v_lshlrev_b32", lshlrev_b32, 0, B32, B32, B32),
    VALU("v_lshrrev_b32", lshrrev_b32, 0, B32, B32, B32),
    VALU("v_ashrrev_i32", ashrrev_i32, 0, B32, B32, B32),
    VALU("v_min_i32", min_i32, 0, B32, B32, B32),
    VALU("v_max_i32", max_i32, 0, B32, B32, B32),
    VALU("v_min_u32", min_u32, 0, B32, B32, B32),
    VALU("v_max_u32", max_u32, 0, B32, B32, B32),
    VALU("v_mul_i32_i24", mul_i32_i24, 0, B32, B32, B32),
    VALU("v_mul_hi_i32_i24", mul_hi_i32_i24, 0, B32, B32, B32),
    VALU("v_mul_u32_u24", mul_u32_u24, 0, B32, B32, B32),
    VALU("v_mul_hi_u32_u24", mul_hi_u32_u24, 0, B32, B32, B32),
    VALU("v_mul_lo_u32", mul_lo_u32, 0, B32, B32, B32),
    VALU("v_mul_hi_u32", mul_hi_u32, 0, B32, B32, B32),
    VALU("v_mul_hi_i32", mul_hi_i32, 0, B32, B32, B32),
    VALU("v_bcnt_u32_b32", bcnt_u32_b32, 0, B32, B32, B32),
    VALU("v_mbcnt_lo_u32_b32", mbcnt_lo_u32_b32, 0, B32, B32, B32),
    VALU("v_mbcnt_hi_u32_b32", mbcnt_hi_u32_b32, 0, B32, B32, B32),
    VALU("v_bfm_b32", bfm_b32, 0, B32, B32, B32),
    VALU("v_add_u32", add_u32, 0, B32, B32, B32),
    VALU("v_sub_u32", sub_u32, 0, B32, B32, B32),
    VALU("v_subrev_u32", subrev_u32, 0, B32, B32, B32),
    VALU("v_add_i32", add_i32, 0, B32, B32, B32),
    VALU("v_sub_i32", sub_i32, 0, B32, B32, B32),
    VALU_MASK("v_add_co_u32", add_co_u32, 0, B32, B32, B32),
    VALU_MASK("v_sub_co_u32", sub_co_u32, 0, B32, B32, B32),
    VALU_MASK("v_subrev_co_u32", subrev_co_u32, 0, B32, B32, B32),
    VALU_MASK("v_addc_co_u32", addc_co_u32, 0, B32, B32, B32, MASK),
    VALU_MASK("v_subb_co_u32", subb_co_u32, 0, B32, B32, B32, MASK),
    VALU_MASK("v_subbrev_co_u32", subbrev_co_u32, 0, B32, B32, B32, MASK),
    VALU("v_cndmask_b32", cndmask_b32, GFX_F_COPY | GFX_F_SELECT, B32, B32, B32, MASK),
    VALU("v_mad_i32_i24", mad_i32_i24, 0, B32, B32, B32, B32),
    VALU("v_mad_u32_u24", mad_u32_u24, 0, B32, B32, B32, B32),
    VALU("v_mad_u32_u16", mad_u32_u16, 0, B32, B16, B16, B32),
    VALU("v_mad_i32_i16", mad_i32_i16, 0, B32, B16, B16, B32),
    VALU("v_bfe_u32", bfe_u32, 0, B32, B32, B32, B32),
    VALU("v_bfe_i32", bfe_i32, 0, B32, B32, B32, B32),
    VALU("v_bfi_b32", bfi_b32, 0, B32, B32, B32, B32),
    VALU("v_alignbit_b32", alignbit_b32, 0, B32, B32, B32, B32),
    VALU("v_alignbyte_b32", alignbyte_b32, 0, B32, B32, B32, B32),
    VALU("v_min3_i32", min3_i32, 0, B32, B32, B32, B32),
    VALU("v_min3_u32", min3_u32, 0, B32, B32, B32, B32),
    VALU("v_max3_i32", max3_i32, 0, B32, B32, B32, B32),
    VALU("v_max3_u32", max3_u32, 0, B32, B32, B32, B32),
    VALU("v_med3_i32", med3_i32, 0, B32, B32, B32, B32),
    VALU("v_med3_u32", med3_u32, 0, B32, B32, B32, B32),
    VALU("v_xad_u32", xad_u32, 0, B32, B32, B32, B32),
    VALU("v_lshl_add_u32", lshl_add_u32, 0, B32, B32, B32, B32),
    VALU("v_add_lshl_u32", add_lshl_u32, 0, B32, B32, B32, B32),
    VALU("v_add3_u32", add3_u32, 0, B32, B32, B32, B32),
    VALU("v_lshl_or_b32", lshl_or_b32, 0, B32, B32, B32, B32),
    VALU("v_and_or_b32", and_or_b32, 0, B32, B32, B32, B32),
    VALU("v_or3_b32", or3_b32, 0, B32, B32, B32, B32),
    VALU("v_perm_b32", perm_b32, 0, B32, B32, B32, B32),
    VALU("v_lerp_u8", lerp_u8, 0, B32, B32, B32, B32),
    VALU("v_sad_u8", sad_u8, 0, B32, B32, B32, B32),
    VALU("v_sad_hi_u8", sad_hi_u8, 0, B32, B32, B32, B32),
    VALU("v_sad_u16", sad_u16, 0, B32, B32, B32, B32),
    VALU("v_sad_u32", sad_u32, 0, B32, B32, B32, B32),
    VALU("v_msad_u8", msad_u8, 0, B32, B32, B32, B32),
    VALU("v_qsad_pk_u16_u8", qsad_pk_u16_u8, 0, B64, B64, B32, B64),
    VALU("v_mqsad_pk_u16_u8", mqsad_pk_u16_u8, 0, B64, B64, B32, B64),
    VALU("v_mqsad_u32_u8", mqsad_u32_u8, 0, MATI, B64, B32, MATI),
    VALU("v_lshlrev_b16", lshlrev_b16, 0, B16, B16, B16),
    VALU("v_lshrrev_b16", lshrrev_b16, 0, B16, B16, B16),
    VALU("v_ashrrev_i16", ashrrev_i16, 0, B16, B16, B16),
    VALU("v_mul_lo_u16", mul_lo_u16, 0, B16, B16, B16),
    VALU("v_min_i16", min_i16, 0, B16, B16, B16),
    VALU("v_max_i16", max_i16, 0, B16, B16, B16),
    VALU("v_min_u16", min_u16, 0, B16, B16, B16),
    VALU("v_max_u16", max_u16, 0, B16, B16, B16),
    VALU("v_min3_i16", min3_i16, 0, B16, B16, B16, B16),
    VALU("v_max3_i16", max3_i16, 0, B16, B16, B16, B16),
    VALU("v_med3_i16", med3_i16, 0, B16, B16, B16, B16),
    VALU("v_min3_u16", min3_u16, 0, B16, B16, B16, B16),
    VALU("v_max3_u16", max3_u16, 0, B16, B16, B16, B16),
    VALU("v_med3_u16", med3_u16, 0, B16, B16, B16, B16),
    VALU("v_add_u16", add_u16, 0, B16, B16, B16),
    VALU("v_sub_u16", sub_u16, 0, B16, B16, B16),
    VALU("v_subrev_u16", subrev_u16, 0, B16, B16, B16),
    VALU("v_add_i16", add_i16, 0, B16, B16, B16),
    VALU("v_sub_i16", sub_i16, 0, B16, B16, B16),
    VALU("v_mad_u16", mad_u16, 0, B16, B16, B16, B16),
    VALU("v_mad_i16", mad_i16, 0, B16, B16, B16, B16),
    VALU("v_mad_legacy_u16", mad_legacy_u16, 0, B16, B16, B16, B16),
    VALU("v_mad_legacy_i16", mad_legacy_i16, 0, B16, B16, B16, B16),
    VALU("v_sat_pk_u8_i16", sat_pk_u8_i16, 0, B16, B32),
    VALU("v_mov_b64", mov_b64, GFX_F_COPY, B64, B64),
    VALU("v_lshlrev_b64", lshlrev_b64, 0, B64, B32, B64),
    VALU("v_lshrrev_b64", lshrrev_b64, 0, B64, B32, B64),
    VALU("v_ashrrev_i64", ashrrev_i64, 0, B64, B32, B64),
    VALU("v_lshl_add_u64", lshl_add_u64, 0, B64, B64, B32, B64),
    VALU_MASK("v_mad_u64_u32", mad_u64_u32, 0, B64, B32, B32, B64),
    VALU_MASK("v_mad_i64_i32", mad_i64_i32, 0, B64, B32, B32, B64),
    {0},
};
