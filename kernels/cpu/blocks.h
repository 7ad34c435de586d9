/*
 * Weights in file order (GRETA_LAYOUT_ROWS), read one unit of 32 elements at a time. Blocks of 18, 34, 110
 * and 210 bytes lie at any address, so everything goes through memcpy or bytes. Layouts of the blocks:
 * weight_types.h and the GGUF specification.
 */
#ifndef KERNELS_CPU_BLOCKS_H
#define KERNELS_CPU_BLOCKS_H

#include "../codebook.h"
#include "../half.h"

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
        WEIGHT_PACKED_LIST(BLOCK_CASE, -)
#undef BLOCK_CASE
    default: return n_cols / 256 * codebook_block_bytes(type);
    }
}

/* Element c of a unit is scale[c / 16] * (q[c] - offset) + min[c / 16]. Scales and minima are products rounded once
 * to f32. */
struct block_unit {
    uint8_t q[32];
    int32_t offset;
    float scale[2], min[2];
};

static inline void block_nibbles(const uint8_t *p, uint8_t q[32]) {
    for (int i = 0; i < 16; i++) {
        q[i] = p[i] & 15;
        q[i + 16] = p[i] >> 4;
    }
}

/* Scale and minimum (6 bits each) of unit u of a Q4_K block. */
static inline void block_q4_k_scale(const uint8_t *s, unsigned u, unsigned *scale, unsigned *min) {
    if (u < 4) {
        *scale = s[u] & 63u;
        *min = s[u + 4] & 63u;
    } else {
        *scale = (s[u + 4] & 15u) | (unsigned)(s[u - 4] >> 6) << 4;
        *min = (s[u + 4] >> 4) | (unsigned)(s[u] >> 6) << 4;
    }
}

/* Q4_K, and Q5_K, which has another bit for each element. */
static inline void block_unit_q4_k(const uint8_t *p, unsigned u, bool has_bits, struct block_unit *out) {
    unsigned scale, min, shift = (u & 1) * 4;
    block_q4_k_scale(p + 4, u, &scale, &min);
    out->scale[0] = out->scale[1] = block_f16(p) * (float)scale;
    out->min[0] = out->min[1] = -block_f16(p + 2) * (float)min;
    const uint8_t *q = p + (has_bits ? 48 : 16) + u / 2 * 32;
    for (int i = 0; i < 32; i++) out->q[i] = q[i] >> shift & 15;
    for (int i = 0; has_bits && i < 32; i++) out->q[i] |= (uint8_t)((p[16 + i] >> u & 1) << 4);
}

static inline void block_unit_q6_k(const uint8_t *p, unsigned u, struct block_unit *out) {
    const uint8_t *low = p + u / 4 * 64 + (u & 1) * 32, *high = p + 128 + u / 4 * 32;
    unsigned low_shift = (u % 4 / 2) * 4, high_shift = u % 4 * 2;
    for (int i = 0; i < 32; i++)
        out->q[i] = (uint8_t)((low[i] >> low_shift & 15) | (high[i] >> high_shift & 3) << 4);
    float d = block_f16(p + 208);
    for (int i = 0; i < 2; i++) out->scale[i] = d * (float)(int8_t)p[192 + 2 * u + (unsigned)i];
    out->offset = 32;
}

static inline void block_unit_q2_k(const uint8_t *p, unsigned u, struct block_unit *out) {
    const uint8_t *q = p + 16 + u / 4 * 32;
    for (int i = 0; i < 32; i++) out->q[i] = q[i] >> u % 4 * 2 & 3;
    float d = block_f16(p + 80), dmin = block_f16(p + 82);
    for (unsigned i = 0; i < 2; i++) {
        out->scale[i] = d * (float)(p[2 * u + i] & 15);
        out->min[i] = -dmin * (float)(p[2 * u + i] >> 4);
    }
}

static inline void block_unit_q3_k(const uint8_t *p, unsigned u, struct block_unit *out) {
    const uint8_t *q = p + 32 + u / 4 * 32, *s = p + 96;
    for (int i = 0; i < 32; i++) out->q[i] = (uint8_t)((q[i] >> u % 4 * 2 & 3) | (p[i] >> u & 1) << 2);
    float d = block_f16(p + 108);
    for (unsigned i = 0; i < 2; i++) {
        unsigned j = 2 * u + i;
        int scale = (s[j % 8] >> j / 8 * 4 & 15) | (s[8 + j % 4] >> j / 4 * 2 & 3) << 4;
        out->scale[i] = d * (float)(scale - 32);
    }
    out->offset = 4;
}

/* What nibbles stand for, plus 128: unsigned. */
static inline void block_iq4(const uint8_t *p, struct block_unit *out) {
    static const int8_t values[16] = {GRETA_IQ4_VALUES};
    block_nibbles(p, out->q);
    for (int i = 0; i < 32; i++) out->q[i] = (uint8_t)(values[out->q[i]] + 128);
    out->offset = 128;
}

static inline void block_unit_iq4_xs(const uint8_t *p, unsigned u, struct block_unit *out) {
    int scale = (p[4 + u / 2] >> u % 2 * 4 & 15) | (p[2 + u / 4] >> u % 4 * 2 & 3) << 4;
    block_iq4(p + 8 + 16 * u, out);
    out->scale[0] = out->scale[1] = block_f16(p) * (float)(scale - 32);
}

/* The fifth bits of 32 elements, on top of their nibbles. */
static inline void block_bits(const uint8_t *bits, uint8_t q[32]) {
    for (int i = 0; i < 32; i++) q[i] |= (uint8_t)((bits[i / 8] >> i % 8 & 1) << 4);
}

/* Unit i_unit of a row of a quantized type. */
static inline void block_unit_read(uint32_t type, const uint8_t *row, size_t i_unit, struct block_unit *out) {
    out->offset = 0;
    out->min[0] = out->min[1] = 0;
    const uint8_t *p;
    switch (type) {
    case GRETA_TYPE_Q8_0:
        p = row + i_unit * Q8_0_BYTES;
        for (int i = 0; i < 32; i++) out->q[i] = p[2 + i] ^ 0x80;
        out->offset = 128;
        break;
    case GRETA_TYPE_Q4_0:
        p = row + i_unit * Q4_0_BYTES;
        block_nibbles(p + 2, out->q);
        out->offset = 8;
        break;
    case GRETA_TYPE_Q4_1:
        p = row + i_unit * Q4_1_BYTES;
        block_nibbles(p + 4, out->q);
        out->min[0] = out->min[1] = block_f16(p + 2);
        break;
    case GRETA_TYPE_Q5_0:
        p = row + i_unit * Q5_0_BYTES;
        block_nibbles(p + 6, out->q);
        block_bits(p + 2, out->q);
        out->offset = 16;
        break;
    case GRETA_TYPE_Q5_1:
        p = row + i_unit * Q5_1_BYTES;
        block_nibbles(p + 8, out->q);
        block_bits(p + 4, out->q);
        out->min[0] = out->min[1] = block_f16(p + 2);
        break;
    case GRETA_TYPE_IQ4_NL:
        p = row + i_unit * IQ4_NL_BYTES;
        block_iq4(p + 2, out);
        break;
    case GRETA_TYPE_Q4_K: block_unit_q4_k(row + i_unit / 8 * Q4_K_BYTES, i_unit % 8, false, out); return;
    case GRETA_TYPE_Q5_K: block_unit_q4_k(row + i_unit / 8 * Q5_K_BYTES, i_unit % 8, true, out); return;
    case GRETA_TYPE_Q2_K: block_unit_q2_k(row + i_unit / 8 * Q2_K_BYTES, i_unit % 8, out); return;
    case GRETA_TYPE_Q3_K: block_unit_q3_k(row + i_unit / 8 * Q3_K_BYTES, i_unit % 8, out); return;
    case GRETA_TYPE_IQ4_XS: block_unit_iq4_xs(row + i_unit / 8 * IQ4_XS_BYTES, i_unit % 8, out); return;
    default: block_unit_q6_k(row + i_unit / 8 * Q6_K_BYTES, i_unit % 8, out); return;
    }
    out->scale[0] = out->scale[1] = block_f16(p);
}

/* Elements [32 i_unit, 32 i_unit + n) of a row as f32, n <= 32; of a quantized type n is 32. */
static inline void block_unit_f32(uint32_t type, const uint8_t *row, size_t i_unit, size_t n, float *out) {
    if (type == GRETA_TYPE_F32) {
        memcpy(out, row + i_unit * 128, n * 4);
    } else if (type == GRETA_TYPE_F16) {
        for (size_t i = 0; i < n; i++) out[i] = block_f16(row + (i_unit * 32 + i) * 2);
    } else if (type == GRETA_TYPE_BF16) {
        for (size_t i = 0; i < n; i++) out[i] = half_bf16_to_f32(block_u16(row + (i_unit * 32 + i) * 2));
    } else if (type >= GRETA_N_PACKED_TYPES) {
        codebook_unit_f32(type, row, i_unit, out);
    } else {
        struct block_unit unit;
        block_unit_read(type, row, i_unit, &unit);
        for (int i = 0; i < 32; i++)
            out[i] = unit.scale[i / 16] * (float)((int32_t)unit.q[i] - unit.offset) + unit.min[i / 16];
    }
}

#endif
