/* The vector instructions' meanings: macros that make a handler (wave.h) of an expression over one lane, so that the
   64 lanes become vector code. In an expression x, y, z are the sources' words, l is the lane. */
#ifndef GFX942_VALU_H
#define GFX942_VALU_H

#include "lane.h"
#include "wave.h"

#include <stdint.h>

#define FOR_LANES for (int l = 0; l < LANES; l++)
#define HANDLER(name) static void name(struct gfx_wave *w, const struct gfx_inst *i)
#define ROW_OF(name) _Alignas(64) uint32_t name[LANES]

/* The row of source k, under the name n. */
#define SRC32(n, k)  \
    ROW_OF(n##_tmp); \
    const uint32_t *n = gfx_v32(w, i, k, n##_tmp)
#define SRC64(n, k)                       \
    _Alignas(64) uint64_t n##_tmp[LANES]; \
    const uint64_t *n = gfx_v64(w, i, k, n##_tmp)

/* The lanes' words to registers, the n-th register of the destination. */
static inline void put_reg(struct gfx_wave *w, const struct gfx_inst *i, unsigned n, const uint32_t *x) {
    gfx_put_reg(w, i->dst.reg + n, x);
}

/* A 16-bit result in the low halves of x. Where `keep`, the destination's other half stays (the instructions with
   op_sel, new in gfx9), otherwise it becomes 0 (those of gfx8). */
static inline void put16(struct gfx_wave *w, const struct gfx_inst *i, uint32_t *x, bool keep) {
    if (i->flags & GFX_I_SDWA) {
        gfx_put32_slow(w, i, x);
        return;
    }
    const uint32_t *old = w->v[i->dst.reg];
    if (i->op_sel & 8)
        FOR_LANES x[l] = x[l] << 16 | (old[l] & 0xffff);
    else if (keep)
        FOR_LANES x[l] = (x[l] & 0xffff) | (old[l] & 0xffff0000);
    gfx_put_reg(w, i->dst.reg, x);
}

#define OP1(name, expr)              \
    HANDLER(name) {                  \
        SRC32(a, 0);                 \
        ROW_OF(d);                   \
        FOR_LANES {                  \
            uint32_t x = a[l];       \
            d[l] = (uint32_t)(expr); \
        }                            \
        gfx_put32(w, i, d);          \
    }
#define OP2(name, expr)                  \
    HANDLER(name) {                      \
        SRC32(a, 0);                     \
        SRC32(b, 1);                     \
        ROW_OF(d);                       \
        FOR_LANES {                      \
            uint32_t x = a[l], y = b[l]; \
            d[l] = (uint32_t)(expr);     \
        }                                \
        gfx_put32(w, i, d);              \
    }
#define OP3(name, expr)                            \
    HANDLER(name) {                                \
        SRC32(a, 0);                               \
        SRC32(b, 1);                               \
        SRC32(c, 2);                               \
        ROW_OF(d);                                 \
        FOR_LANES {                                \
            uint32_t x = a[l], y = b[l], z = c[l]; \
            d[l] = (uint32_t)(expr);               \
        }                                          \
        gfx_put32(w, i, d);                        \
    }

/* Bytes of 0 or 1 to one bit each. */
static inline uint64_t mask_of_bytes(const uint8_t flag[LANES]) {
    uint64_t mask = 0;
    for (int l = 0; l < LANES; l += 8) {
        uint64_t eight;
        memcpy(&eight, flag + l, 8);
        mask |= (eight * 0x0102040810204080 >> 56) << l;
    }
    return mask;
}

/* Rows: VALU(name, handler, flags, types of destination and sources), VALU_MASK where a mask is written as well. */
#define GFX_TYPES_(d, a, b, c, ...) \
    { GFX_T_##d, GFX_T_##a, GFX_T_##b, GFX_T_##c }
#define GFX_TYPES(...) GFX_TYPES_(__VA_ARGS__, NONE, NONE, NONE)
#define VALU_ROW(name, fn, cls, n_dst, flags, ...) \
    { name, fn, cls, n_dst, 0, 0, flags, GFX_TYPES(__VA_ARGS__) }
#define VALU(name, fn, flags, ...) VALU_ROW(name, fn, GFX_C_VALU, 1, flags, __VA_ARGS__)
#define VALU_MASK(name, fn, flags, ...) VALU_ROW(name, fn, GFX_C_VALU, 2, flags, __VA_ARGS__)
#define TRANS(name, fn, flags, ...) VALU_ROW(name, fn, GFX_C_TRANS, 1, flags, __VA_ARGS__)

#endif
