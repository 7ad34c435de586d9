/* Blocks as numbers, element by element, from the formats' definitions: nothing here is shared with the kernels but half.h and
 * the codebooks' data. */
#include "ref.h"

#include "codebook.h"
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

/* q of unit u, with the scales of Q4_K and Q5_K. */
static struct term scaled_4_k(const uint8_t *b, unsigned u, unsigned q) {
    const uint8_t *scales = b + 4;
    unsigned scale, min;
    if (u < 4) {
        scale = scales[u] & 63u;
        min = scales[u + 4] & 63u;
    } else {
        scale = (scales[u + 4] & 15u) | (scales[u - 4] >> 6u) << 4;
        min = scales[u + 4] >> 4u | (scales[u] >> 6u) << 4;
    }
    return (struct term){f16_at(b) * scale * q, f16_at(b + 2) * min};
}

static unsigned nibble_k(const uint8_t *qs, unsigned c) {
    return qs[c / 64 * 32 + c % 32] >> c / 32 % 2 * 4 & 15u;
}

static struct term decode_q4_k(const uint8_t *b, unsigned c) {
    return scaled_4_k(b, c / 32, nibble_k(b + 16, c));
}

/* Between the scales and the nibbles, 32 bytes of which bit u belongs to unit u. */
static struct term decode_q5_k(const uint8_t *b, unsigned c) {
    return scaled_4_k(b, c / 32, nibble_k(b + 48, c) | (b[16 + c % 32] >> c / 32 & 1u) << 4);
}

static struct term decode_q6_k(const uint8_t *b, unsigned c) {
    unsigned half = c / 128, in = c % 128, quarter = in / 32, l = in % 32;
    unsigned low = b[64 * half + l + (quarter % 2 ? 32 : 0)];
    unsigned q = (quarter < 2 ? low & 15u : low >> 4u) | (b[128 + 32 * half + l] >> 2 * quarter & 3u) << 4;
    double d = f16_at(b + 208) * (int8_t)b[192 + c / 16];
    return (struct term){d * q, d * 32};
}

static unsigned fifth_bit(const uint8_t *qh, unsigned c) {
    return (qh[c / 8] >> c % 8 & 1u) << 4;
}

static struct term decode_q5_0(const uint8_t *b, unsigned c) {
    return (struct term){f16_at(b) * (nibble(b + 6, c) | fifth_bit(b + 2, c)), f16_at(b) * 16};
}

static struct term decode_q5_1(const uint8_t *b, unsigned c) {
    return (struct term){f16_at(b) * (nibble(b + 8, c) | fifth_bit(b + 4, c)), -f16_at(b + 2)};
}

static struct term decode_q2_k(const uint8_t *b, unsigned c) {
    unsigned sm = b[c / 16], q = b[16 + c / 128 * 32 + c % 32] >> c % 128 / 32 * 2 & 3u;
    return (struct term){f16_at(b + 80) * (sm & 15u) * q, f16_at(b + 82) * (sm >> 4u)};
}

static struct term decode_q3_k(const uint8_t *b, unsigned c) {
    const uint8_t *s = b + 96;
    unsigned j = c / 16, low = j < 8 ? s[j] & 15u : s[j - 8] >> 4u, high = s[8 + j % 4] >> j / 4 * 2 & 3u;
    unsigned q = (b[32 + c / 128 * 32 + c % 32] >> c % 128 / 32 * 2 & 3u) | (b[c % 32] >> c / 32 & 1u) << 2;
    double d = f16_at(b + 108) * ((int)(low | high << 4) - 32);
    return (struct term){d * q, d * 4};
}

static const int iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

static struct term decode_iq4_nl(const uint8_t *b, unsigned c) {
    return (struct term){f16_at(b) * iq4_values[nibble(b + 2, c)], 0};
}

static struct term decode_iq4_xs(const uint8_t *b, unsigned c) {
    unsigned u = c / 32, low = b[4 + u / 2] >> u % 2 * 4 & 15u, high = b[2 + u / 4] >> u % 4 * 2 & 3u;
    double d = f16_at(b) * ((int)(low | high << 4) - 32);
    return (struct term){d * iq4_values[nibble(b + 8 + 16 * u, c % 32)], 0};
}

/* ---- codebooks: element c of unit u, group g of eight ---- */

static unsigned bits_at(const uint8_t *p, unsigned i_bit, unsigned n_bits) {
    unsigned v = 0;
    for (unsigned i = 0; i < n_bits; i++) v |= (p[(i_bit + i) / 8] >> (i_bit + i) % 8 & 1u) << i;
    return v;
}

/* Sign j of seven bits, the eighth making the number of ones even. */
static int sign_of(unsigned seven, unsigned j) {
    unsigned ones = 0;
    for (unsigned i = 0; i < 7; i++) ones += seven >> i & 1u;
    return (j < 7 ? seven >> j & 1u : ones & 1u) ? -1 : 1;
}

static double iq2_value(unsigned entry, unsigned j) {
    static const int values[3] = {8, 25, 43};
    return values[entry >> 2 * j & 3u];
}

static double decode_iq2(uint32_t type, const uint8_t *b, unsigned c) {
    unsigned u = c / 32, g = c / 8, j = c % 8;
    if (type == GRETA_TYPE_IQ2_XXS) {
        const uint8_t *p = b + 2 + 8 * u;
        double d = f16_at(b) * (0.5 + bits_at(p, 60, 4)) / 4;
        return d * iq2_value(codebook_iq2_xxs[p[g % 4]], j) * sign_of(bits_at(p, 32 + 7 * (g % 4), 7), j);
    }
    unsigned xs = type == GRETA_TYPE_IQ2_XS;
    double d = f16_at(b) * (0.5 + bits_at(b + (xs ? 66 : 74), c / 16 * 4, 4)) / 4;
    if (xs)
        return d * iq2_value(codebook_iq2_xs[bits_at(b + 2, 16 * g, 9)], j) *
               sign_of(bits_at(b + 2, 16 * g + 9, 7), j);
    double value = d * iq2_value(codebook_iq2_s[b[2 + g] | bits_at(b + 66, 2 * g, 2) << 8], j);
    return bits_at(b + 34, c, 1) ? -value : value;
}

static double decode_iq3(uint32_t type, const uint8_t *b, unsigned c) {
    unsigned u = c / 32, q = b[2 + c / 4];
    if (type == GRETA_TYPE_IQ3_XXS) {
        static const int values[8] = {4, 12, 20, 28, 36, 44, 52, 62};
        const uint8_t *p = b + 66 + 4 * u;
        double d = f16_at(b) * (0.5 + bits_at(p, 28, 4)) / 2;
        return d * values[codebook_iq3_xxs[q] >> c % 4 * 3 & 7] *
               sign_of(bits_at(p, c % 32 / 8 * 7, 7), c % 8);
    }
    double d = f16_at(b) * (1 + 2 * (int)bits_at(b + 106, 4 * u, 4));
    double value = d * (1 + 2 * (codebook_iq3_s[q | bits_at(b + 66, c / 4, 1) << 8] >> c % 4 * 3 & 7));
    return bits_at(b + 74, c, 1) ? -value : value;
}

static struct term decode_iq1(uint32_t type, const uint8_t *b, unsigned c) {
    unsigned u = c / 32, g = c / 8, high, minus;
    double d;
    if (type == GRETA_TYPE_IQ1_S) {
        high = bits_at(b + 34, 16 * u + 3 * (g % 4), 3), minus = bits_at(b + 34, 16 * u + 15, 1);
        d = f16_at(b) * (1 + 2 * (int)bits_at(b + 34, 16 * u + 12, 3));
        b += 2;
    } else {
        high = bits_at(b + 32, 4 * g, 3), minus = bits_at(b + 32, 4 * g + 3, 1);
        uint16_t h = 0;
        for (unsigned i = 0; i < 4; i++) h |= (uint16_t)(bits_at(b + 48, 16 * i + 12, 4) << 4 * i);
        d = half_f16_to_f32(h) * (1 + 2 * (int)bits_at(b + 48, u / 2 * 16 + u % 2 * 6 + c % 32 / 16 * 3, 3));
    }
    int value = (int)(codebook_iq1[b[g] | high << 8] >> c % 8 * 2 & 3) - 1;
    return (struct term){d * value, minus ? d / 8 : -d / 8};
}

/* Digit n of a byte that is a fraction of 256, to the base of 3. */
static int ternary(unsigned byte, unsigned n) {
    for (; n; n--) byte = byte * 3 % 256;
    return (int)(byte * 3 / 256);
}

static double decode_ternary(uint32_t type, const uint8_t *b, unsigned c) {
    if (type == GRETA_TYPE_TQ2_0)
        return f16_at(b + 64) * ((b[c / 128 * 32 + c % 32] >> c % 128 / 32 * 2 & 3) - 1);
    unsigned in = c < 160 ? c : c < 240 ? c - 160 : c - 240, n = c < 160 ? 32 : c < 240 ? 16 : 4;
    unsigned first = c < 160 ? 0 : c < 240 ? 32 : 48;
    return f16_at(b + 52) * (ternary(b[first + in % n], in / n) - 1);
}

static struct term decode_mxfp4(const uint8_t *b, unsigned c) {
    static const double values[8] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
    unsigned n = nibble(b + 1, c);
    return (struct term){ldexp(n & 8 ? -values[n & 7] : values[n & 7], b[0] - 127), 0};
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
    case GRETA_TYPE_Q5_0: return decode_q5_0(block, in);
    case GRETA_TYPE_Q5_1: return decode_q5_1(block, in);
    case GRETA_TYPE_Q5_K: return decode_q5_k(block, in);
    case GRETA_TYPE_Q2_K: return decode_q2_k(block, in);
    case GRETA_TYPE_Q3_K: return decode_q3_k(block, in);
    case GRETA_TYPE_IQ4_NL: return decode_iq4_nl(block, in);
    case GRETA_TYPE_IQ4_XS: return decode_iq4_xs(block, in);
    case GRETA_TYPE_MXFP4: return decode_mxfp4(block, in);
    case GRETA_TYPE_IQ1_S:
    case GRETA_TYPE_IQ1_M: return decode_iq1(type, block, in);
    case GRETA_TYPE_IQ2_XXS:
    case GRETA_TYPE_IQ2_XS:
    case GRETA_TYPE_IQ2_S: return (struct term){decode_iq2(type, block, in), 0};
    case GRETA_TYPE_IQ3_XXS:
    case GRETA_TYPE_IQ3_S: return (struct term){decode_iq3(type, block, in), 0};
    case GRETA_TYPE_TQ1_0:
    case GRETA_TYPE_TQ2_0: return (struct term){decode_ternary(type, block, in), 0};
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
