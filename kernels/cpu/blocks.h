/*
 * Weights in file order (GRETA_LAYOUT_ROWS), read one unit of 32 elements at a time. Blocks of 18, 34, 110
 * and 210 bytes lie at any address, so everything goes through memcpy or bytes. What the bits of a block mean:
 * greta/weight_formats.h.
 */
#ifndef KERNELS_CPU_BLOCKS_H
#define KERNELS_CPU_BLOCKS_H

#include "../codebook.h"
#include "../half.h"
#include "../weight_blocks.h"

#include <greta/layout.h>
#include <greta/op_args.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t block_u16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline float block_f16(const uint8_t *p) {
    return half_f16_to_f32(block_u16(p));
}

/* Bytes of a row of n_cols, which is a multiple of the type's block. 0: no weight type. */
static inline size_t block_row_bytes(uint32_t type, size_t n_cols) {
    switch (type) {
#define BLOCK_CASE(X, name, ggml, elements, bytes) \
    case GRETA_TYPE_##name: return n_cols / (elements) * (bytes);
        GRETA_WEIGHT_LIST(BLOCK_CASE, -)
#undef BLOCK_CASE
    default: return 0;
    }
}

static inline bool block_is_float(uint32_t type) {
    return GRETA_FORMAT_LOW(GRETA_WEIGHT_FORMAT(type)) >= 16;
}

/* Element c of a unit is scale[c / 16] * (q[c] - offset) + min[c / 16]. Scales and minima are products rounded once
 * to f32. */
struct block_unit {
    uint8_t q[32];
    int32_t offset;
    float scale[2], min[2];
};

/* Unit i_unit of a row; `type`, here, is known to the compiler. */
static inline __attribute__((always_inline)) void block_unit_of(uint32_t type, const uint8_t *row,
                                                                size_t i_unit, struct block_unit *out) {
    const struct greta_block b = greta_block_of(type);
    const size_t n_units = b.elements / 32;
    const unsigned u = (unsigned)(i_unit % n_units);
    row += i_unit / n_units * b.bytes;
    greta_block_codes(&b, row, u, out->q);
    weight_values(b.format, out->q);
    out->offset = (int32_t)GRETA_FORMAT_BIAS(b.format);
    greta_block_factors(&b, row, u, out->scale, out->min);
}

/* Of a quantized type that has a format. */
static inline void block_unit_read(uint32_t type, const uint8_t *row, size_t i_unit, struct block_unit *out) {
    switch (type) {
#define BLOCK_CASE(X, name, ggml, elements, bytes) \
    case GRETA_TYPE_##name: block_unit_of(GRETA_TYPE_##name, row, i_unit, out); return;
        GRETA_WEIGHT_QUANT_LIST(BLOCK_CASE, -)
#undef BLOCK_CASE
    default: memset(out, 0, sizeof *out);
    }
}

/* Elements [32 i_unit, 32 i_unit + n) of a row as f32, n <= 32; of a quantized type n is 32. */
static inline void block_unit_f32(uint32_t type, const uint8_t *row, size_t i_unit, size_t n, float *out) {
    struct block_unit unit;
    switch (type) {
    case GRETA_TYPE_F32: memcpy(out, row + i_unit * 128, n * 4); return;
    case GRETA_TYPE_F16:
        for (size_t i = 0; i < n; i++) out[i] = block_f16(row + (i_unit * 32 + i) * 2);
        return;
    case GRETA_TYPE_BF16:
        for (size_t i = 0; i < n; i++) out[i] = half_bf16_to_f32(block_u16(row + (i_unit * 32 + i) * 2));
        return;
#define BLOCK_CASE(X, name, ggml, elements, bytes) case GRETA_TYPE_##name:
        GRETA_WEIGHT_CODEBOOK_LIST(BLOCK_CASE, -)
#undef BLOCK_CASE
        codebook_unit_f32(type, row, i_unit, out);
        return;
    default:
        block_unit_read(type, row, i_unit, &unit);
        for (int i = 0; i < 32; i++)
            out[i] = unit.scale[i / 16] * (float)((int32_t)unit.q[i] - unit.offset) + unit.min[i / 16];
    }
}

#endif
