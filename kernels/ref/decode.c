/* Blocks as numbers, element by element, from the formats' definitions: nothing here is shared with the kernels but half.h. */
#include "ref.h"

#include "half.h"

#include <greta/layout.h>

#include <math.h>
#include <string.h>

static double f16_at(const uint8_t *p) {
    uint16_t h;
    memcpy(&h, p, sizeof h);
    return half_f16_to_f32(h);
}

/* value = a - b, where the kernel may keep a and b apart. */
struct term {
    double a, b;
};

static struct term decode_float(uint32_t type, const uint8_t *p, uint64_t c) {
    float f;
    uint16_t h;
    if (type == GRETA_TYPE_F32) {
        memcpy(&f, p + 4 * c, sizeof f);
        return (struct term){f, 0};
    }
    memcpy(&h, p + 2 * c, sizeof h);
    return (struct term){type == GRETA_TYPE_F16 ? half_f16_to_f32(h) : half_bf16_to_f32(h), 0};
}

static unsigned nibble(const uint8_t *qs, unsigned c) {
    return c < 16 ? qs[c] & 15u : qs[c - 16] >> 4u;
}

static struct term decode_q8_0(const uint8_t *b, unsigned c) {
    return (struct term){f16_at(b) * (int8_t)b[2 + c], 0};
}

static struct term decode_q4_0(const uint8_t *b, unsigned c) {
    return (struct term){f16_at(b) * nibble(b + 2, c), f16_at(b) * 8};
}

static struct term decode_q4_1(const uint8_t *b, unsigned c) {
    return (struct term){f16_at(b) * nibble(b + 4, c), -f16_at(b + 2)};
}

static struct term decode_q4_k(const uint8_t *b, unsigned c) {
    const uint8_t *scales = b + 4, *qs = b + 16 + c / 64 * 32;
    unsigned u = c / 32, scale, min;
    if (u < 4) {
        scale = scales[u] & 63u;
        min = scales[u + 4] & 63u;
    } else {
        scale = (scales[u + 4] & 15u) | (scales[u - 4] >> 6u) << 4;
        min = scales[u + 4] >> 4u | (scales[u] >> 6u) << 4;
    }
    unsigned q = u % 2 ? qs[c % 32] >> 4u : qs[c % 32] & 15u;
    return (struct term){f16_at(b) * scale * q, f16_at(b + 2) * min};
}

static struct term decode_q6_k(const uint8_t *b, unsigned c) {
    unsigned half = c / 128, in = c % 128, quarter = in / 32, l = in % 32;
    unsigned low = b[64 * half + l + (quarter % 2 ? 32 : 0)];
    unsigned q = (quarter < 2 ? low & 15u : low >> 4u) | (b[128 + 32 * half + l] >> 2 * quarter & 3u) << 4;
    double d = f16_at(b + 208) * (int8_t)b[192 + c / 16];
    return (struct term){d * q, d * 32};
}

static struct term decode(uint32_t type, const uint8_t *row, uint64_t c) {
    const struct greta_type_info *t = greta_type_get_info(type);
    const uint8_t *block = row + c / t->block_elements * t->block_bytes;
    unsigned in = (unsigned)(c % t->block_elements);
    switch (type) {
    case GRETA_TYPE_Q8_0: return decode_q8_0(block, in);
    case GRETA_TYPE_Q4_0: return decode_q4_0(block, in);
    case GRETA_TYPE_Q4_1: return decode_q4_1(block, in);
    case GRETA_TYPE_Q4_K: return decode_q4_k(block, in);
    case GRETA_TYPE_Q6_K: return decode_q6_k(block, in);
    default: return decode_float(type, row, c);
    }
}

void ref_decode_row(uint32_t type, const void *row, uint64_t n_cols, double *value, double *magnitude) {
    for (uint64_t c = 0; c < n_cols; c++) {
        struct term t = decode(type, row, c);
        if (value) value[c] = t.a - t.b;
        if (magnitude) magnitude[c] = fabs(t.a) + fabs(t.b);
    }
}

void ref_decode_q8a(const void *row, uint64_t n_cols, double *value) {
    const int8_t *q = row;
    for (uint64_t c = 0; c < n_cols; c++) {
        float d;
        memcpy(&d, (const uint8_t *)row + GRETA_Q8A_D_OFFSET(n_cols) + c / 32 * 4, sizeof d);
        value[c] = (double)d * q[c];
    }
}

void ref_encode_q8a(const float *x, uint64_t n_cols, void *row) {
    uint8_t *out = row;
    memset(out, 0, GRETA_Q8A_ROW_BYTES(n_cols));
    for (uint64_t u = 0; u < GRETA_Q8A_UNITS(n_cols); u++) {
        uint64_t begin = 32 * u, end = begin + 32 < n_cols ? begin + 32 : n_cols;
        float max = 0;
        for (uint64_t c = begin; c < end; c++) max = fmaxf(max, fabsf(x[c]));
        float d = max / 127;
        int sum = 0;
        for (uint64_t c = begin; c < end; c++) {
            int q = d > 0 ? (int)nearbyint((double)x[c] / d) : 0;
            q = q > 127 ? 127 : q < -127 ? -127 : q;
            out[c] = (uint8_t)(int8_t)q;
            sum += q;
        }
        float s = d * (float)sum;
        memcpy(out + GRETA_Q8A_D_OFFSET(n_cols) + 4 * u, &d, sizeof d);
        memcpy(out + GRETA_Q8A_S_OFFSET(n_cols) + 4 * u, &s, sizeof s);
    }
}
