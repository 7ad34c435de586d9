/*
 * The formats of the blocks are GGUF's (the names of its types: Q8_0 and so on); the
 * records are those of layout.h. Four bytes are moved at a time, as a little-endian word: element order is
 * then byte order.
 */
#include "quant.h"

#include <greta/op_args.h>

#include <stddef.h>
#include <string.h>

enum { LOW = 0x0F0F0F0F, PAIRS = 0x03030303 };

static uint32_t load(const uint8_t *p) {
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static void store(uint8_t *p, uint32_t w) {
    memcpy(p, &w, sizeof w);
}

/* ---- 16 bytes of nibbles of a block of 32: the file keeps elements 0 .. 15 low, 16 .. 31 high ---- */

static void pack_nibbles(const uint8_t *qs, uint8_t *out) {
    for (int i = 0; i < 2; i++) {
        uint32_t a = load(qs + 8 * i), b = load(qs + 8 * i + 4);
        store(out + 4 * i, (a & LOW) | (b & LOW) << 4);
        store(out + 8 + 4 * i, (a >> 4 & LOW) | (b & ~(uint32_t)LOW));
    }
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
    for (int i = 0; i < 4; i++) {
        uint32_t a = load(qs + 8 * i), b = load(qs + 8 * i + 4);
        store(low + 4 * i, (a & LOW) | (b & LOW) << 4);
        store(high + 4 * i, (a >> 4 & LOW) | (b & ~(uint32_t)LOW));
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
 * ---- Q4_K: f16 d, f16 dmin, 12 bytes of scales, nibbles of 8 units in pairs ----
 * The file's 12 bytes q: scale u < 4 is q[u] & 63, min u is q[u + 4] & 63; for u >= 4 the low four bits are
 * the halves of q[u + 4] and the high two those of q[u - 4] and q[u].
 */
static void pack_q4_k_scales(const uint8_t *q, uint8_t *out) {
    uint32_t high_mins = 0;
    for (unsigned u = 0; u < 8; u++) {
        uint32_t scale = u < 4 ? q[u] & 63u : (q[u + 4] & 15u) | (uint32_t)(q[u - 4] >> 6) << 4;
        uint32_t min = u < 4 ? q[u + 4] & 63u : (uint32_t)(q[u + 4] >> 4) | (uint32_t)(q[u] >> 6) << 4;
        out[u] = (uint8_t)(scale | (min & 3u) << 6);
        high_mins |= min >> 2 << 4 * u;
    }
    store(out + 8, high_mins);
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
static void pack_pairs(const uint8_t *qh, unsigned v, uint8_t *out) {
    for (int k = 0; k < 2; k++) {
        uint32_t w = 0;
        for (int j = 0; j < 4; j++) w |= (load(qh + 16 * k + 4 * j) >> 2 * v & PAIRS) << 2 * j;
        store(out + 4 * k, w);
    }
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
            for (unsigned v = 0; v < 4; v++)
                pack_pairs(b + 128 + 32 * half, v, records[1] + 64 * i + 32 * half + 8 * v);
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

const struct quant_packer *quant_packer_get(uint32_t type) {
    static const struct quant_packer packers[] = {
        [GRETA_TYPE_Q8_0] = {pack_q8_0, unpack_q8_0}, [GRETA_TYPE_Q4_0] = {pack_q4_0, unpack_q4_0},
        [GRETA_TYPE_Q4_1] = {pack_q4_1, unpack_q4_1}, [GRETA_TYPE_Q4_K] = {pack_q4_k, unpack_q4_k},
        [GRETA_TYPE_Q6_K] = {pack_q6_k, unpack_q6_k},
    };
    return type < sizeof packers / sizeof *packers && packers[type].pack ? &packers[type] : NULL;
}
