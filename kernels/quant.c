/*
 * The formats of the blocks are GGUF's (the names of its types: Q8_0 and so on); the
 * records are those of layout.h. Eight bytes are packed at a time, as little-endian words: element order is
 * then byte order. Loading a model is packing, so packing is made to keep up with the page cache: fields are
 * put in place by exchanges of whole masks, not one by one. Unpacking is for tests, and plain.
 */
#include "quant.h"

#include <greta/op_args.h>

#include <stddef.h>
#include <string.h>

enum { LOW = 0x0F0F0F0F, PAIRS = 0x03030303, BITS = 0x01010101 };
static const uint64_t LOW8 = UINT64_C(0x0F0F0F0F0F0F0F0F), PAIRS8 = UINT64_C(0x0303030303030303),
                      THIRDS8 = UINT64_C(0x3333333333333333);

static uint32_t load(const uint8_t *p) {
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static void store(uint8_t *p, uint32_t w) {
    memcpy(p, &w, sizeof w);
}

static uint64_t load8(const uint8_t *p) {
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static void store8(uint8_t *p, uint64_t w) {
    memcpy(p, &w, sizeof w);
}

/* The even and the odd words of four, each pair of them as one. */
static uint64_t evens(uint64_t a, uint64_t b) {
    return (uint32_t)a | b << 32;
}
static uint64_t odds(uint64_t a, uint64_t b) {
    return a >> 32 | b >> 32 << 32;
}

/* Exchanges the fields of a that `mask << shift` holds with those of b that `mask` holds. */
static inline void exchange(uint64_t *a, uint64_t *b, unsigned shift, uint64_t mask) {
    uint64_t t = (*a >> shift ^ *b) & mask;
    *b ^= t;
    *a ^= t << shift;
}

/* ---- 16 bytes of nibbles of a block of 32: the file keeps elements 0 .. 15 low, 16 .. 31 high ---- */

static void pack_nibbles(const uint8_t *qs, uint8_t *out) {
    uint64_t a = load8(qs), b = load8(qs + 8), even = evens(a, b), odd = odds(a, b);
    store8(out, (even & LOW8) | (odd & LOW8) << 4);
    store8(out + 8, (even >> 4 & LOW8) | (odd & ~LOW8));
}

static void unpack_nibbles(uint8_t *qs, const uint8_t *in) {
    for (int i = 0; i < 2; i++) {
        uint32_t lo = load(in + 4 * i), hi = load(in + 8 + 4 * i);
        store(qs + 8 * i, (lo & LOW) | (hi & LOW) << 4);
        store(qs + 8 * i + 4, (lo >> 4 & LOW) | (hi & ~(uint32_t)LOW));
    }
}

/* ---- two units' nibbles out of 32 bytes: one unit is low, the other high, as the _K types keep them ---- */

static void pack_nibbles_pair(const uint8_t *qs, uint8_t *low, uint8_t *high) {
    for (int i = 0; i < 2; i++) {
        uint64_t a = load8(qs + 16 * i), b = load8(qs + 16 * i + 8), even = evens(a, b), odd = odds(a, b);
        store8(low + 8 * i, (even & LOW8) | (odd & LOW8) << 4);
        store8(high + 8 * i, (even >> 4 & LOW8) | (odd & ~LOW8));
    }
}

static void unpack_nibbles_pair(uint8_t *qs, const uint8_t *low, const uint8_t *high) {
    for (int i = 0; i < 4; i++) {
        uint32_t lo = load(low + 4 * i), hi = load(high + 4 * i);
        store(qs + 8 * i, (lo & LOW) | (hi & LOW) << 4);
        store(qs + 8 * i + 4, (lo >> 4 & LOW) | (hi & ~(uint32_t)LOW));
    }
}

/* ---- Q8_0: f16 d, int8 q[32] ---- */

static void pack_q8_0(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        memcpy(records[1] + 2 * i, blocks + 34 * i, 2);
        memcpy(records[0] + 32 * i, blocks + 34 * i + 2, 32);
    }
}

static void unpack_q8_0(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        memcpy(blocks + 34 * i, records[1] + 2 * i, 2);
        memcpy(blocks + 34 * i + 2, records[0] + 32 * i, 32);
    }
}

/* ---- Q4_0: f16 d, nibbles; Q4_1: f16 d, f16 m, nibbles ---- */

static void pack_q4(const uint8_t *blocks, uint64_t n, uint8_t *const records[4], unsigned head) {
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *b = blocks + (head + 16) * i;
        memcpy(records[1] + head * i, b, head);
        pack_nibbles(b + head, records[0] + 16 * i);
    }
}

static void unpack_q4(uint8_t *blocks, uint64_t n, const uint8_t *const records[4], unsigned head) {
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *b = blocks + (head + 16) * i;
        memcpy(b, records[1] + head * i, head);
        unpack_nibbles(b + head, records[0] + 16 * i);
    }
}

static void pack_q4_0(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    pack_q4(blocks, n, records, 2);
}
static void unpack_q4_0(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    unpack_q4(blocks, n, records, 2);
}
static void pack_q4_1(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    pack_q4(blocks, n, records, 4);
}
static void unpack_q4_1(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    unpack_q4(blocks, n, records, 4);
}

/*
 * ---- Q5_0: f16 d, 32 bits, nibbles; Q5_1: f16 d, f16 m, 32 bits, nibbles ----
 * The file's bit c belongs to element c: it is bit c % 4 of nibble c / 4, and goes to bit c / 4 of byte c % 4.
 */
static inline uint32_t exchange_bits(uint32_t w, unsigned shift, uint32_t mask) {
    uint32_t t = (w >> shift ^ w) & mask;
    return w ^ t ^ t << shift;
}

/* The index of a bit, of five bits itself, is turned by two: four exchanges of two of the five. */
static uint32_t pack_bits(uint32_t w) {
    w = exchange_bits(w, 3, 0x0A0A0A0A);  /* 0 and 2 */
    w = exchange_bits(w, 6, 0x00CC00CC);  /* 1 and 3 */
    w = exchange_bits(w, 12, 0x0000F0F0); /* 2 and 4 */
    w = exchange_bits(w, 8, 0x0000FF00);  /* 3 and 4 */
    return w;
}

static uint32_t unpack_bits(uint32_t in) {
    uint32_t bits = 0;
    for (unsigned b = 0; b < 4; b++)
        for (unsigned j = 0; j < 8; j++) bits |= (in >> (8 * b + j) & 1u) << (4 * j + b);
    return bits;
}

static void pack_q5(const uint8_t *blocks, uint64_t n, uint8_t *const records[4], unsigned head) {
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *b = blocks + (head + 20) * i;
        memcpy(records[1] + head * i, b, head);
        store(records[2] + 4 * i, pack_bits(load(b + head)));
        pack_nibbles(b + head + 4, records[0] + 16 * i);
    }
}

static void unpack_q5(uint8_t *blocks, uint64_t n, const uint8_t *const records[4], unsigned head) {
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *b = blocks + (head + 20) * i;
        memcpy(b, records[1] + head * i, head);
        store(b + head, unpack_bits(load(records[2] + 4 * i)));
        unpack_nibbles(b + head + 4, records[0] + 16 * i);
    }
}

static void pack_q5_0(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    pack_q5(blocks, n, records, 2);
}
static void unpack_q5_0(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    unpack_q5(blocks, n, records, 2);
}
static void pack_q5_1(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    pack_q5(blocks, n, records, 4);
}
static void unpack_q5_1(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    unpack_q5(blocks, n, records, 4);
}

/*
 * ---- Q4_K: f16 d, f16 dmin, 12 bytes of scales, nibbles of 8 units in pairs ----
 * The file's 12 bytes q: scale u < 4 is q[u] & 63, min u is q[u + 4] & 63; for u >= 4 the low four bits are
 * the halves of q[u + 4] and the high two those of q[u - 4] and q[u].
 */
/* Four bytes' low nibbles, side by side. */
static uint32_t squeeze_nibbles(uint32_t w) {
    w = (w | w >> 4) & 0x00FF00FF;
    return (w | w >> 8) & 0xFFFF;
}

static void pack_q4_k_scales(const uint8_t *q, uint8_t *out) {
    const uint32_t six = 0x3F3F3F3F, a = load(q), b = load(q + 4), c = load(q + 8);
    const uint32_t scales[2] = {a & six, (c & LOW) | (a >> 6 & PAIRS) << 4};
    const uint32_t mins[2] = {b & six, (c >> 4 & LOW) | (b >> 6 & PAIRS) << 4};
    store(out, scales[0] | (mins[0] & PAIRS) << 6);
    store(out + 4, scales[1] | (mins[1] & PAIRS) << 6);
    store(out + 8, squeeze_nibbles(mins[0] >> 2 & LOW) | squeeze_nibbles(mins[1] >> 2 & LOW) << 16);
}

static void unpack_q4_k_scales(uint8_t *q, const uint8_t *in) {
    uint32_t high_mins = load(in + 8);
    for (unsigned u = 0; u < 4; u++) {
        uint32_t scale = in[u] & 63u, min = (uint32_t)(in[u] >> 6) | (high_mins >> 4 * u & 15u) << 2;
        uint32_t scale_4 = in[u + 4] & 63u,
                 min_4 = (uint32_t)(in[u + 4] >> 6) | (high_mins >> 4 * (u + 4) & 15u) << 2;
        q[u] = (uint8_t)(scale | scale_4 >> 4 << 6);
        q[u + 4] = (uint8_t)(min | min_4 >> 4 << 6);
        q[u + 8] = (uint8_t)((scale_4 & 15u) | (min_4 & 15u) << 4);
    }
}

static void pack_q4_k(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *b = blocks + 144 * i;
        memcpy(records[1] + 16 * i, b, 4);
        pack_q4_k_scales(b + 4, records[1] + 16 * i + 4);
        for (int pair = 0; pair < 4; pair++) {
            uint8_t *out = records[0] + 128 * i + 32 * pair;
            pack_nibbles_pair(b + 16 + 32 * pair, out, out + 16);
        }
    }
}

static void unpack_q4_k(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *b = blocks + 144 * i;
        memcpy(b, records[1] + 16 * i, 4);
        unpack_q4_k_scales(b + 4, records[1] + 16 * i + 4);
        for (int pair = 0; pair < 4; pair++) {
            const uint8_t *in = records[0] + 128 * i + 32 * pair;
            unpack_nibbles_pair(b + 16 + 32 * pair, in, in + 16);
        }
    }
}

/*
 * ---- Q6_K: low nibbles [128], high pairs [64], int8 scales [16], f16 d ----
 * In each half of 128: units 0 and 2 are the low and high nibbles of the first 32 bytes, 1 and 3 of the
 * second; unit v's high bits are bits 2v, 2v+1 of the half's 32 bytes.
 */
/* All four units of 32 bytes at once: words j and pairs v of each byte change places. (No arrays: gcc would put them into memory.) */
static void pack_pairs(const uint8_t *qh, uint8_t *out) {
    const uint64_t a = load8(qh), b = load8(qh + 8), c = load8(qh + 16), d = load8(qh + 24);
    uint64_t w0 = evens(a, c), w1 = odds(a, c), w2 = evens(b, d), w3 = odds(b, d);
    exchange(&w0, &w1, 2, THIRDS8);
    exchange(&w2, &w3, 2, THIRDS8);
    exchange(&w0, &w2, 4, LOW8);
    exchange(&w1, &w3, 4, LOW8);
    store8(out, w0);
    store8(out + 8, w1);
    store8(out + 16, w2);
    store8(out + 24, w3);
}

static void unpack_pairs(uint8_t *qh, unsigned v, const uint8_t *in) {
    for (int k = 0; k < 2; k++)
        for (int j = 0; j < 4; j++) {
            uint8_t *p = qh + 16 * k + 4 * j;
            store(p, load(p) | (load(in + 4 * k) >> 2 * j & PAIRS) << 2 * v);
        }
}

static void pack_q6_k(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *b = blocks + 210 * i;
        for (int half = 0; half < 2; half++) {
            uint8_t *out = records[0] + 128 * i + 64 * half;
            pack_nibbles_pair(b + 64 * half, out, out + 32);
            pack_nibbles_pair(b + 64 * half + 32, out + 16, out + 48);
            pack_pairs(b + 128 + 32 * half, records[1] + 64 * i + 32 * half);
        }
        memcpy(records[2] + 16 * i, b + 192, 16);
        memcpy(records[3] + 2 * i, b + 208, 2);
    }
}

static void unpack_q6_k(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *b = blocks + 210 * i;
        memset(b + 128, 0, 64);
        for (int half = 0; half < 2; half++) {
            const uint8_t *in = records[0] + 128 * i + 64 * half;
            unpack_nibbles_pair(b + 64 * half, in, in + 32);
            unpack_nibbles_pair(b + 64 * half + 32, in + 16, in + 48);
            for (unsigned v = 0; v < 4; v++)
                unpack_pairs(b + 128 + 32 * half, v, records[1] + 64 * i + 32 * half + 8 * v);
        }
        memcpy(b + 192, records[2] + 16 * i, 16);
        memcpy(b + 208, records[3] + 2 * i, 2);
    }
}

/*
 * ---- Q5_K: Q4_K's head, 32 bytes whose bit u belongs to unit u, Q4_K's nibbles ----
 */
/* Four bytes of a plane of bits at a time: element 4j + b of unit u is bit u of byte 4j + b. */
/* Words u and u + 4, side by side: their nibbles change places. */
static void store_unit_bits(uint8_t *out, uint64_t w) {
    uint64_t t = (w >> 4 ^ w >> 32) & LOW;
    w ^= t << 4 ^ t << 32;
    store(out, (uint32_t)w);
    store(out + 16, (uint32_t)(w >> 32));
}

static void pack_unit_bits(const uint8_t *qh, uint8_t *out) {
    const uint64_t a = load8(qh), b = load8(qh + 8), c = load8(qh + 16), d = load8(qh + 24);
    uint64_t w0 = evens(a, c), w1 = odds(a, c), w2 = evens(b, d), w3 = odds(b, d);
    exchange(&w0, &w1, 1, UINT64_C(0x5555555555555555));
    exchange(&w2, &w3, 1, UINT64_C(0x5555555555555555));
    exchange(&w0, &w2, 2, THIRDS8);
    exchange(&w1, &w3, 2, THIRDS8);
    store_unit_bits(out, w0);
    store_unit_bits(out + 4, w1);
    store_unit_bits(out + 8, w2);
    store_unit_bits(out + 12, w3);
}

static void unpack_unit_bits(uint8_t *qh, unsigned u, uint32_t w) {
    for (unsigned j = 0; j < 8; j++) store(qh + 4 * j, load(qh + 4 * j) | (w >> j & BITS) << u);
}

static void pack_q5_k(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *b = blocks + 176 * i;
        memcpy(records[1] + 16 * i, b, 4);
        pack_q4_k_scales(b + 4, records[1] + 16 * i + 4);
        pack_unit_bits(b + 16, records[2] + 32 * i);
        for (int pair = 0; pair < 4; pair++) {
            uint8_t *out = records[0] + 128 * i + 32 * pair;
            pack_nibbles_pair(b + 48 + 32 * pair, out, out + 16);
        }
    }
}

static void unpack_q5_k(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *b = blocks + 176 * i;
        memcpy(b, records[1] + 16 * i, 4);
        unpack_q4_k_scales(b + 4, records[1] + 16 * i + 4);
        memset(b + 16, 0, 32);
        for (unsigned u = 0; u < 8; u++) unpack_unit_bits(b + 16, u, load(records[2] + 32 * i + 4 * u));
        for (int pair = 0; pair < 4; pair++) {
            const uint8_t *in = records[0] + 128 * i + 32 * pair;
            unpack_nibbles_pair(b + 48 + 32 * pair, in, in + 16);
        }
    }
}

/*
 * ---- Q2_K: 16 bytes of scales (low) and minima (high), pairs [64], f16 d, f16 dmin ----
 * In each half of 128 the 32 bytes' bits 2v, 2v+1 are unit v.
 */
static void pack_q2_k(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *b = blocks + 84 * i;
        for (int half = 0; half < 2; half++) pack_pairs(b + 16 + 32 * half, records[0] + 64 * i + 32 * half);
        memcpy(records[1] + 16 * i, b, 16);
        memcpy(records[3] + 4 * i, b + 80, 4);
    }
}

static void unpack_q2_k(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *b = blocks + 84 * i;
        memset(b + 16, 0, 64);
        for (unsigned u = 0; u < 8; u++)
            unpack_pairs(b + 16 + u / 4 * 32, u % 4, records[0] + 64 * i + 8 * u);
        memcpy(b, records[1] + 16 * i, 16);
        memcpy(b + 80, records[3] + 4 * i, 4);
    }
}

/*
 * ---- Q3_K: bits [32], pairs [64] as in Q2_K, 12 bytes of scales, f16 d ----
 * Scale j, plus 32, is a nibble (low: j < 8, high: j >= 8, of byte j % 8) and two bits 2 (j / 4) of byte 8 + j % 4.
 */
/* Eight values of 0 to 63, less 32: bit 5 turned round is the sign. */
static uint64_t less_32(uint64_t w) {
    const uint64_t sign = UINT64_C(0x2020202020202020);
    w ^= sign;
    return w | (w & sign) << 1 | (w & sign) << 2;
}

static void pack_q3_k_scales(const uint8_t *q, uint8_t *out) {
    const uint64_t low = load8(q), high = load(q + 8);
    store8(out, less_32((low & LOW8) | ((high | high >> 2 << 32) & PAIRS8) << 4));
    store8(out + 8, less_32((low >> 4 & LOW8) | ((high >> 4 | high >> 6 << 32) & PAIRS8) << 4));
}

static void unpack_q3_k_scales(uint8_t *q, const uint8_t *in) {
    memset(q, 0, 12);
    for (unsigned j = 0; j < 16; j++) {
        unsigned scale = (in[j] + 32u) & 63u;
        q[j % 8] |= (uint8_t)((scale & 15u) << j / 8 * 4);
        q[8 + j % 4] |= (uint8_t)(scale >> 4 << j / 4 * 2);
    }
}

static void pack_q3_k(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *b = blocks + 110 * i;
        for (int half = 0; half < 2; half++) pack_pairs(b + 32 + 32 * half, records[0] + 64 * i + 32 * half);
        pack_unit_bits(b, records[1] + 32 * i);
        pack_q3_k_scales(b + 96, records[2] + 16 * i);
        memcpy(records[3] + 2 * i, b + 108, 2);
    }
}

static void unpack_q3_k(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *b = blocks + 110 * i;
        memset(b, 0, 96);
        for (unsigned u = 0; u < 8; u++) {
            unpack_pairs(b + 32 + u / 4 * 32, u % 4, records[0] + 64 * i + 8 * u);
            unpack_unit_bits(b, u, load(records[1] + 32 * i + 4 * u));
        }
        unpack_q3_k_scales(b + 96, records[2] + 16 * i);
        memcpy(b + 108, records[3] + 2 * i, 2);
    }
}

/*
 * ---- IQ4_XS: f16 d, 8 pairs of high bits, 8 nibbles of low bits of the scales plus 32, 8 units of nibbles ----
 * (IQ4_NL's block is Q4_0's: only what a nibble stands for differs.)
 */
static void pack_iq4_xs(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *b = blocks + 136 * i;
        uint64_t low = load(b + 4), high = (uint64_t)b[2] | (uint64_t)b[3] << 8;
        low = (low | low << 16) & UINT64_C(0x0000FFFF0000FFFF);
        low = (low | low << 8) & UINT64_C(0x00FF00FF00FF00FF);
        low = (low | low << 4) & LOW8;
        high = (high | high << 24) & UINT64_C(0x000000FF000000FF);
        high = (high | high << 12) & UINT64_C(0x000F000F000F000F);
        high = (high | high << 6) & PAIRS8;
        store8(records[1] + 8 * i, less_32(low | high << 4));
        for (unsigned u = 0; u < 8; u++) pack_nibbles(b + 8 + 16 * u, records[0] + 128 * i + 16 * u);
        memcpy(records[3] + 2 * i, b, 2);
    }
}

static void unpack_iq4_xs(uint8_t *blocks, uint64_t n, const uint8_t *const records[4]) {
    for (uint64_t i = 0; i < n; i++) {
        uint8_t *b = blocks + 136 * i;
        memcpy(b, records[3] + 2 * i, 2);
        memset(b + 2, 0, 6);
        for (unsigned u = 0; u < 8; u++) {
            unsigned scale = (records[1][8 * i + u] + 32u) & 63u;
            b[4 + u / 2] |= (uint8_t)((scale & 15u) << u % 2 * 4);
            b[2 + u / 4] |= (uint8_t)(scale >> 4 << u % 4 * 2);
            unpack_nibbles(b + 8 + 16 * u, records[0] + 128 * i + 16 * u);
        }
    }
}

const struct quant_packer *quant_packer_get(uint32_t type) {
    static const struct quant_packer packers[] = {
        [GRETA_TYPE_Q8_0] = {pack_q8_0, unpack_q8_0},   [GRETA_TYPE_Q4_0] = {pack_q4_0, unpack_q4_0},
        [GRETA_TYPE_Q4_1] = {pack_q4_1, unpack_q4_1},   [GRETA_TYPE_Q4_K] = {pack_q4_k, unpack_q4_k},
        [GRETA_TYPE_Q6_K] = {pack_q6_k, unpack_q6_k},   [GRETA_TYPE_Q5_0] = {pack_q5_0, unpack_q5_0},
        [GRETA_TYPE_Q5_1] = {pack_q5_1, unpack_q5_1},   [GRETA_TYPE_Q5_K] = {pack_q5_k, unpack_q5_k},
        [GRETA_TYPE_Q2_K] = {pack_q2_k, unpack_q2_k},   [GRETA_TYPE_Q3_K] = {pack_q3_k, unpack_q3_k},
        [GRETA_TYPE_IQ4_NL] = {pack_q4_0, unpack_q4_0}, [GRETA_TYPE_IQ4_XS] = {pack_iq4_xs, unpack_iq4_xs},
    };
    return type < sizeof packers / sizeof *packers && packers[type].pack ? &packers[type] : NULL;
}
