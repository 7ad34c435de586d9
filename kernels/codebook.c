/* Units of 32 elements; the sum of a unit's factors is rounded as the formats' definitions say: products of f32. */
#include "codebook.h"

#include "half.h"

#include <string.h>

static unsigned u16_at(const uint8_t *p) {
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t u32_at(const uint8_t *p) {
    return u16_at(p) | (uint32_t)u16_at(p + 2) << 16;
}

static float f16_at(const uint8_t *p) {
    return half_f16_to_f32((uint16_t)u16_at(p));
}

/* Eight signs from seven bits: the last makes their number even. */
static unsigned signs_of(unsigned seven) {
    return seven | (unsigned)__builtin_parity(seven) << 7;
}

/* By the bit of the sign, not by a branch, which would be guessed wrong half of the time. */
static float signed_by(float x, unsigned signs, unsigned i) {
    return half_f32_from_bits(half_f32_bits(x) ^ (signs >> i & 1u) << 31);
}

/* ---- IQ2: entries of eight ---- */

static void put_iq2(unsigned entry, unsigned signs, float d, float out[8]) {
    static const float values[4] = {8, 25, 43, 0};
    for (unsigned i = 0; i < 8; i++) out[i] = signed_by(d * values[entry >> 2 * i & 3u], signs, i);
}

/* f16 d; of each unit four indices of 8 bits, then four times seven signs and a scale of 4 bits. */
static void unit_iq2_xxs(const uint8_t *b, unsigned u, float out[32]) {
    const uint8_t *p = b + 2 + 8 * u;
    uint32_t word = u32_at(p + 4);
    float d = f16_at(b) * (0.5f + (float)(word >> 28)) * 0.25f;
    for (unsigned i = 0; i < 4; i++)
        put_iq2(codebook_iq2_xxs[p[i]], signs_of(word >> 7 * i & 127u), d, out + 8 * i);
}

/* The scale of 16 elements, 4 bits of a byte for each unit. */
static float scale_iq2(const uint8_t *b, unsigned byte, unsigned half) {
    return f16_at(b) * (0.5f + (float)(byte >> 4 * half & 15u)) * 0.25f;
}

/* f16 d; 32 times nine bits of index and seven signs; 8 bytes of scales. */
static void unit_iq2_xs(const uint8_t *b, unsigned u, float out[32]) {
    for (unsigned i = 0; i < 4; i++) {
        unsigned q = u16_at(b + 2 + 8 * u + 2 * i);
        put_iq2(codebook_iq2_xs[q & 511u], signs_of(q >> 9), scale_iq2(b, b[66 + u], i / 2), out + 8 * i);
    }
}

/* f16 d; low bytes of 32 indices, 32 bytes of signs, 8 bytes of four times two high bits; 8 bytes of scales. */
static void unit_iq2_s(const uint8_t *b, unsigned u, float out[32]) {
    for (unsigned i = 0; i < 4; i++) {
        unsigned index = b[2 + 4 * u + i] | ((unsigned)b[66 + u] >> 2 * i & 3u) << 8;
        put_iq2(codebook_iq2_s[index], b[34 + 4 * u + i], scale_iq2(b, b[74 + u], i / 2), out + 8 * i);
    }
}

/* ---- IQ3: entries of four ---- */

/* `odd`: values are 1, 3, 5 .. 15, else those of IQ3_XXS. signs: of these four, in the low bits. */
static void put_iq3(bool odd, unsigned entry, unsigned signs, float d, float out[4]) {
    static const float values[2][8] = {{4, 12, 20, 28, 36, 44, 52, 62}, {1, 3, 5, 7, 9, 11, 13, 15}};
    for (unsigned i = 0; i < 4; i++) out[i] = signed_by(d * values[odd][entry >> 3 * i & 7u], signs, i);
}

/* f16 d; 64 indices of 8 bits; of each unit four times seven signs and a scale of 4 bits. */
static void unit_iq3_xxs(const uint8_t *b, unsigned u, float out[32]) {
    uint32_t word = u32_at(b + 66 + 4 * u);
    float d = f16_at(b) * (0.5f + (float)(word >> 28)) * 0.5f;
    for (unsigned i = 0; i < 8; i++) {
        unsigned signs = signs_of(word >> 7 * (i / 2) & 127u) >> 4 * (i % 2);
        put_iq3(false, codebook_iq3_xxs[b[2 + 8 * u + i]], signs, d, out + 4 * i);
    }
}

/* f16 d; low bytes of 64 indices, 8 bytes of high bits, 32 bytes of signs; 4 bytes of scales. */
static void unit_iq3_s(const uint8_t *b, unsigned u, float out[32]) {
    float d = f16_at(b) * (float)(1 + 2 * (b[106 + u / 2] >> 4 * (u % 2) & 15));
    for (unsigned i = 0; i < 8; i++) {
        unsigned index = b[2 + 8 * u + i] | ((unsigned)b[66 + u] >> i & 1u) << 8;
        put_iq3(true, codebook_iq3_s[index], (unsigned)b[74 + 4 * u + i / 2] >> 4 * (i % 2), d, out + 4 * i);
    }
}

/* ---- IQ1: entries of eight, and an eighth that is added to all or taken off ---- */

static void put_iq1(unsigned entry, bool minus, float d, float out[8]) {
    float delta = minus ? -0.125f : 0.125f;
    for (unsigned i = 0; i < 8; i++) out[i] = d * ((float)((int)(entry >> 2 * i & 3u) - 1) + delta);
}

/* f16 d; low bytes of 32 indices; of each unit 16 bits: four times three high bits, a scale of 3 bits, a sign. */
static void unit_iq1_s(const uint8_t *b, unsigned u, float out[32]) {
    unsigned high = u16_at(b + 34 + 2 * u);
    float d = f16_at(b) * (float)(2 * (high >> 12 & 7u) + 1);
    for (unsigned i = 0; i < 4; i++) {
        unsigned index = b[2 + 4 * u + i] | (high >> 3 * i & 7u) << 8;
        put_iq1(codebook_iq1[index], high >> 15, d, out + 8 * i);
    }
}

/*
 * Low bytes of 32 indices; of each, three high bits and a sign in a nibble; four times 16 bits: scales of 3 bits for 16
 * elements each, and in the high nibbles the four of the f16 d.
 */
static void unit_iq1_m(const uint8_t *b, unsigned u, float out[32]) {
    unsigned d_bits = 0, scales = u16_at(b + 48 + u / 2 * 2) >> 6 * (u % 2);
    for (unsigned i = 0; i < 4; i++) d_bits |= u16_at(b + 48 + 2 * i) >> 12 << 4 * i;
    float d = half_f16_to_f32((uint16_t)d_bits);
    for (unsigned i = 0; i < 4; i++) {
        unsigned nibble = (unsigned)b[32 + 2 * u + i / 2] >> 4 * (i % 2) & 15u;
        unsigned scale = scales >> 3 * (i / 2) & 7u;
        put_iq1(codebook_iq1[b[4 * u + i] | (nibble & 7u) << 8], nibble >> 3, d * (float)(2 * scale + 1),
                out + 8 * i);
    }
}

/* ---- ternary ---- */

/*
 * A byte holds five digits of base 3 as a fraction of 256: multiplied by 3^n (past 256 dropped), three times it has digit n
 * above the point. 32 bytes have elements 0 .. 159, digit n of byte i being 32 n + i; 16 bytes 160 .. 239; 4 bytes, of four
 * digits, 240 .. 255. f16 d.
 */
static void unit_tq1_0(const uint8_t *b, unsigned u, float out[32]) {
    static const uint8_t power[5] = {1, 3, 9, 27, 81};
    float d = f16_at(b + 52);
    for (unsigned i = 0; i < 32; i++) {
        unsigned e = 32 * u + i, byte, digit;
        if (e < 160)
            byte = b[e % 32], digit = e / 32;
        else if (e < 240)
            byte = b[32 + (e - 160) % 16], digit = (e - 160) / 16;
        else
            byte = b[48 + (e - 240) % 4], digit = (e - 240) / 4;
        out[i] = d * (float)((int)((byte * power[digit] & 255u) * 3 >> 8) - 1);
    }
}

/* Two bits each, as in Q2_K; f16 d. */
static void unit_tq2_0(const uint8_t *b, unsigned u, float out[32]) {
    float d = f16_at(b + 64);
    for (unsigned i = 0; i < 32; i++) out[i] = d * (float)((b[u / 4 * 32 + i] >> u % 4 * 2 & 3) - 1);
}

void codebook_unit_f32(uint32_t type, const uint8_t *row, size_t i_unit, float out[32]) {
    const uint8_t *b = row + i_unit / 8 * codebook_block_bytes(type);
    unsigned u = i_unit % 8;
    switch (type) {
    case GRETA_TYPE_IQ1_S: unit_iq1_s(b, u, out); break;
    case GRETA_TYPE_IQ1_M: unit_iq1_m(b, u, out); break;
    case GRETA_TYPE_IQ2_XXS: unit_iq2_xxs(b, u, out); break;
    case GRETA_TYPE_IQ2_XS: unit_iq2_xs(b, u, out); break;
    case GRETA_TYPE_IQ2_S: unit_iq2_s(b, u, out); break;
    case GRETA_TYPE_IQ3_XXS: unit_iq3_xxs(b, u, out); break;
    case GRETA_TYPE_IQ3_S: unit_iq3_s(b, u, out); break;
    case GRETA_TYPE_TQ1_0: unit_tq1_0(b, u, out); break;
    case GRETA_TYPE_TQ2_0: unit_tq2_0(b, u, out); break;
    default: memset(out, 0, 32 * sizeof *out); break;
    }
}
