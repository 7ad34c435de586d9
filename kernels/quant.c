/*
 * Blocks of a file into the records of the PACKED layout and back: one function for all types, by the arrangement of their bits
 * (greta/weight_formats.h). Eight bytes are packed at a time, as little-endian words: element order is then byte order. Loading a model
 * is packing, so packing is made to keep up with the page cache: fields are put in place by exchanges of whole masks, not one by one, and
 * each type has a copy of the function in which its arrangement is constant. Unpacking is for tests, and plain.
 */
#include "quant.h"

#include "weight_blocks.h"

#include <greta/op_args.h>

#include <stddef.h>
#include <string.h>

enum { LOW = 0x0F0F0F0F, PAIRS = 0x03030303 };
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
static inline void exchange_fields(uint64_t *a, uint64_t *b, unsigned shift, uint64_t mask) {
    uint64_t t = (*a >> shift ^ *b) & mask;
    *b ^= t;
    *a ^= t << shift;
}

/* ---- HALVES: 16 bytes of nibbles, elements 0 .. 15 low, 16 .. 31 high ---- */

GRETA_WEIGHT_FN void pack_nibbles(const uint8_t *qs, uint8_t *out) {
    uint64_t a = load8(qs), b = load8(qs + 8), even = evens(a, b), odd = odds(a, b);
    store8(out, (even & LOW8) | (odd & LOW8) << 4);
    store8(out + 8, (even >> 4 & LOW8) | (odd & ~LOW8));
}

/* ---- PAIRS: two units' nibbles out of 32 bytes, one low, the other high ---- */

GRETA_WEIGHT_FN void pack_nibbles_pair(const uint8_t *qs, uint8_t *low, uint8_t *high) {
    for (int i = 0; i < 2; i++) {
        uint64_t a = load8(qs + 16 * i), b = load8(qs + 16 * i + 8), even = evens(a, b), odd = odds(a, b);
        store8(low + 8 * i, (even & LOW8) | (odd & LOW8) << 4);
        store8(high + 8 * i, (even >> 4 & LOW8) | (odd & ~LOW8));
    }
}

/* ---- WORD: bit c belongs to element c: it is bit c % 4 of nibble c / 4, and goes to bit c / 4 of byte c % 4 ---- */

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

/* ---- QUARTERS: all four units of 32 bytes at once: words j and pairs v of each byte change places ---- */

/* (No arrays: gcc would put them into memory.) */
GRETA_WEIGHT_FN void pack_pairs(const uint8_t *qh, uint8_t *out) {
    const uint64_t a = load8(qh), b = load8(qh + 8), c = load8(qh + 16), d = load8(qh + 24);
    uint64_t w0 = evens(a, c), w1 = odds(a, c), w2 = evens(b, d), w3 = odds(b, d);
    exchange_fields(&w0, &w1, 2, THIRDS8);
    exchange_fields(&w2, &w3, 2, THIRDS8);
    exchange_fields(&w0, &w2, 4, LOW8);
    exchange_fields(&w1, &w3, 4, LOW8);
    store8(out, w0);
    store8(out + 8, w1);
    store8(out + 16, w2);
    store8(out + 24, w3);
}

/* ---- EIGHTHS: bit u of 32 bytes is unit u's ---- */

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
    exchange_fields(&w0, &w1, 1, UINT64_C(0x5555555555555555));
    exchange_fields(&w2, &w3, 1, UINT64_C(0x5555555555555555));
    exchange_fields(&w0, &w2, 2, THIRDS8);
    exchange_fields(&w1, &w3, 2, THIRDS8);
    store_unit_bits(out, w0);
    store_unit_bits(out + 4, w1);
    store_unit_bits(out + 8, w2);
    store_unit_bits(out + 12, w3);
}

/* ---- codes ---- */

/* Any arrangement, field by field: `bits` of each element of unit u. */
GRETA_WEIGHT_FN void pack_plain(unsigned codes_are, unsigned bits, unsigned u, const uint8_t *p,
                                uint8_t *out) {
    memset(out, 0, 4 * (size_t)bits);
    for (unsigned c = 0; c < 32; c++) {
        unsigned shift, byte = greta_codes_place(codes_are, u, c, &shift);
        const unsigned per_byte = 8 / bits, word = c / 4 / per_byte;
        out[4 * word + c % 4] |=
            (uint8_t)((p[byte] >> shift & ((1u << bits) - 1)) << c / 4 % per_byte * bits);
    }
}

/* The codes of n units, of `bits` each, into a plane. */
GRETA_WEIGHT_FN void pack_codes(unsigned codes_are, unsigned bits, unsigned n, const uint8_t *p,
                                uint8_t *out) {
    switch (codes_are) {
    case GRETA_CODES_BYTES: memcpy(out, p, 32 * (size_t)n); return;
    case GRETA_CODES_HALVES:
        for (unsigned u = 0; u < n; u++) pack_nibbles(p + 16 * u, out + 16 * u);
        return;
    case GRETA_CODES_PAIRS:
        for (unsigned u = 0; u < n; u += 2) pack_nibbles_pair(p + 16 * u, out + 16 * u, out + 16 * u + 16);
        return;
    case GRETA_CODES_FOURS:
        for (unsigned u = 0; u < n; u += 4) {
            pack_nibbles_pair(p + 16 * u, out + 16 * u, out + 16 * u + 32);
            pack_nibbles_pair(p + 16 * u + 32, out + 16 * u + 16, out + 16 * u + 48);
        }
        return;
    case GRETA_CODES_QUARTERS:
        for (unsigned u = 0; u < n; u += 4) pack_pairs(p + 8 * u, out + 8 * u);
        return;
    case GRETA_CODES_WORD: store(out, pack_bits(load(p))); return;
    case GRETA_CODES_EIGHTHS: pack_unit_bits(p, out); return;
    default:
        for (unsigned u = 0; u < n; u++) pack_plain(codes_are, bits, u, p, out + 4 * bits * u);
    }
}

static void unpack_codes(unsigned codes_are, unsigned bits, unsigned n, uint8_t *p, const uint8_t *in) {
    for (unsigned i = 0; i < 32 * n; i++) {
        const unsigned u = i / 32, c = i % 32, per_byte = 8 / bits, word = c / 4 / per_byte;
        unsigned shift, byte = greta_codes_place(codes_are, u, c, &shift);
        const unsigned code =
            in[4 * bits * u + 4 * word + c % 4] >> c / 4 % per_byte * bits & ((1u << bits) - 1);
        p[byte] |= (uint8_t)(code << shift);
    }
}

/* ---- scales ---- */

/* Four bytes' low nibbles, side by side. */
static uint32_t squeeze_nibbles(uint32_t w) {
    w = (w | w >> 4) & 0x00FF00FF;
    return (w | w >> 8) & 0xFFFF;
}

/* SIXES, the file's 12 bytes q: scale u < 4 is q[u] & 63, min u is q[u + 4] & 63; for u >= 4 the low four bits are the halves of
 * q[u + 4] and the high two those of q[u - 4] and q[u]. */
static void pack_sixes(const uint8_t *q, uint8_t *out) {
    const uint32_t six = 0x3F3F3F3F, a = load(q), b = load(q + 4), c = load(q + 8);
    const uint32_t scales[2] = {a & six, (c & LOW) | (a >> 6 & PAIRS) << 4};
    const uint32_t mins[2] = {b & six, (c >> 4 & LOW) | (b >> 6 & PAIRS) << 4};
    store(out, scales[0] | (mins[0] & PAIRS) << 6);
    store(out + 4, scales[1] | (mins[1] & PAIRS) << 6);
    store(out + 8, squeeze_nibbles(mins[0] >> 2 & LOW) | squeeze_nibbles(mins[1] >> 2 & LOW) << 16);
}

static void unpack_sixes(uint8_t *q, const uint8_t *in) {
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

/* Eight values of 0 to 63, less 32: bit 5 turned round is the sign. */
static uint64_t less_32(uint64_t w) {
    const uint64_t sign = UINT64_C(0x2020202020202020);
    w ^= sign;
    return w | (w & sign) << 1 | (w & sign) << 2;
}

/* SIXES_16: scale j, plus 32, is a nibble (low: j < 8, high: j >= 8, of byte j % 8) and two bits 2 (j / 4) of byte 8 + j % 4. */
static void pack_sixes_16(const uint8_t *q, uint8_t *out) {
    const uint64_t low = load8(q), high = load(q + 8);
    store8(out, less_32((low & LOW8) | ((high | high >> 2 << 32) & PAIRS8) << 4));
    store8(out + 8, less_32((low >> 4 & LOW8) | ((high >> 4 | high >> 6 << 32) & PAIRS8) << 4));
}

static void unpack_sixes_16(uint8_t *q, const uint8_t *in) {
    memset(q, 0, 12);
    for (unsigned j = 0; j < 16; j++) {
        unsigned scale = (in[j] + 32u) & 63u;
        q[j % 8] |= (uint8_t)((scale & 15u) << j / 8 * 4);
        q[8 + j % 4] |= (uint8_t)(scale >> 4 << j / 4 * 2);
    }
}

/* SIXES_8: 8 pairs of high bits, 8 nibbles of low bits, plus 32. */
static void pack_sixes_8(const uint8_t *q, uint8_t *out) {
    uint64_t low = load(q + 2), high = (uint64_t)q[0] | (uint64_t)q[1] << 8;
    low = (low | low << 16) & UINT64_C(0x0000FFFF0000FFFF);
    low = (low | low << 8) & UINT64_C(0x00FF00FF00FF00FF);
    low = (low | low << 4) & LOW8;
    high = (high | high << 24) & UINT64_C(0x000000FF000000FF);
    high = (high | high << 12) & UINT64_C(0x000F000F000F000F);
    high = (high | high << 6) & PAIRS8;
    store8(out, less_32(low | high << 4));
}

static void unpack_sixes_8(uint8_t *q, const uint8_t *in) {
    memset(q, 0, 6);
    for (unsigned u = 0; u < 8; u++) {
        const unsigned scale = (in[u] + 32u) & 63u;
        q[2 + u / 2] |= (uint8_t)((scale & 15u) << u % 2 * 4);
        q[u / 4] |= (uint8_t)(scale >> 4 << u % 4 * 2);
    }
}

/* Of a block of n units: its records of plane 2 (`units`) and of plane 3 (`super`). */
GRETA_WEIGHT_FN void pack_scales(const struct greta_block *b, unsigned n, const uint8_t *block,
                                 uint8_t *units, uint8_t *super) {
    const uint8_t *q = block + b->unit_at;
    switch (b->scales_are) {
    case GRETA_SCALES_SIXES:
        memcpy(super, block + b->super_at, 4);
        pack_sixes(q + 4, super + 4);
        return;
    case GRETA_SCALES_SIXES_16: pack_sixes_16(q, units); break;
    case GRETA_SCALES_SIXES_8: pack_sixes_8(q, units); break;
    case GRETA_SCALES_RAW: memcpy(units, q, (size_t)n * GRETA_FORMAT_UNIT_BYTES(b->format)); break;
    default: greta_block_scale_records(b, block, n, units, super); return;
    }
    memcpy(super, block + b->super_at, GRETA_FORMAT_SUPER_BYTES(b->format));
}

static void unpack_scales(const struct greta_block *b, unsigned n, uint8_t *block, const uint8_t *units,
                          const uint8_t *super) {
    uint8_t *q = block + b->unit_at;
    switch (b->scales_are) {
    case GRETA_SCALES_SIXES:
        memcpy(block + b->super_at, super, 4);
        unpack_sixes(q + 4, super + 4);
        return;
    case GRETA_SCALES_SIXES_16: unpack_sixes_16(q, units); break;
    case GRETA_SCALES_SIXES_8: unpack_sixes_8(q, units); break;
    default: memcpy(q, units, (size_t)n * GRETA_FORMAT_UNIT_BYTES(b->format));
    }
    memcpy(block + b->super_at, super, GRETA_FORMAT_SUPER_BYTES(b->format));
}

/* ---- blocks ---- */

/* What shaders and kernels load: see GRETA_FORMAT_. */
#define FITS(X, name, ggml, elements, bytes)                                                               \
    _Static_assert(                                                                                        \
        (GRETA_FORMAT_LOW(GRETA_FORMAT_##name) == 8 && GRETA_FORMAT_HIGH(GRETA_FORMAT_##name) == 0) ||     \
            ((GRETA_FORMAT_LOW(GRETA_FORMAT_##name) == 4 || GRETA_FORMAT_LOW(GRETA_FORMAT_##name) == 2) && \
             GRETA_FORMAT_HIGH(GRETA_FORMAT_##name) <= 2),                                                 \
        #name ": codes are of 8, 4 or 2 bits, but for 8 with one or two above them");                      \
    _Static_assert(                                                                                        \
        GRETA_FORMAT_VALUES(GRETA_FORMAT_##name) == GRETA_VALUES_NONE ||                                   \
            (GRETA_FORMAT_LOW(GRETA_FORMAT_##name) == 4 && GRETA_FORMAT_HIGH(GRETA_FORMAT_##name) == 0),   \
        #name ": VALUES are for codes of 4 bits");                                                         \
    _Static_assert((elements) == 256 ||                                                                    \
                       ((elements) == 32 && GRETA_FORMAT_SUPER_BYTES(GRETA_FORMAT_##name) == 0),           \
                   #name ": blocks are of 32 elements, or, a superblock, of 256");                         \
    _Static_assert(GRETA_FORMAT_UNIT_BYTES(GRETA_FORMAT_##name) <= 4 &&                                    \
                       GRETA_FORMAT_UNIT_BYTES(GRETA_FORMAT_##name) != 3 &&                                \
                       (0x10015 >> GRETA_FORMAT_SUPER_BYTES(GRETA_FORMAT_##name) & 1),                     \
                   #name ": records of plane 2 are of 0, 1, 2 or 4 bytes, of plane 3 of 0, 2, 4 or 16");
GRETA_WEIGHT_QUANT_LIST(FITS, -)
#undef FITS

GRETA_WEIGHT_FN void pack_blocks(struct greta_block b, const uint8_t *block, uint64_t n_blocks,
                                 uint8_t *const records[4]) {
    const unsigned n = b.elements / 32, low = GRETA_FORMAT_LOW(b.format), high = GRETA_FORMAT_HIGH(b.format);
    for (uint64_t i = 0; i < n_blocks; i++, block += b.bytes) {
        pack_codes(b.low_is, low, n, block + b.low_at, records[0] + 4 * low * n * i);
        if (high) pack_codes(b.high_is, high, n, block + b.high_at, records[1] + 4 * high * n * i);
        pack_scales(&b, n, block, records[2] + GRETA_FORMAT_UNIT_BYTES(b.format) * n * i,
                    records[3] + GRETA_FORMAT_SUPER_BYTES(b.format) * i);
    }
}

void quant_unpack(uint32_t type, uint8_t *block, uint64_t n_blocks, const uint8_t *const records[4]) {
    const struct greta_block b = greta_block_of(type);
    const unsigned n = b.elements / 32, low = GRETA_FORMAT_LOW(b.format), high = GRETA_FORMAT_HIGH(b.format);
    memset(block, 0, n_blocks * b.bytes);
    for (uint64_t i = 0; i < n_blocks; i++, block += b.bytes) {
        unpack_codes(b.low_is, low, n, block + b.low_at, records[0] + 4 * low * n * i);
        if (high) unpack_codes(b.high_is, high, n, block + b.high_at, records[1] + 4 * high * n * i);
        unpack_scales(&b, n, block, records[2] + GRETA_FORMAT_UNIT_BYTES(b.format) * n * i,
                      records[3] + GRETA_FORMAT_SUPER_BYTES(b.format) * i);
    }
}

#define PACK(X, name, ggml, elements, bytes)                                                \
    static void pack_##name(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]) { \
        pack_blocks(greta_block_of(GRETA_TYPE_##name), blocks, n, records);                 \
    }
GRETA_WEIGHT_QUANT_LIST(PACK, -)

quant_pack_fn *quant_pack_get(uint32_t type) {
    switch (type) {
#define PACK_CASE(X, name, ggml, elements, bytes) \
    case GRETA_TYPE_##name: return pack_##name;
        GRETA_WEIGHT_QUANT_LIST(PACK_CASE, -)
#undef PACK_CASE
    default: return NULL;
    }
}
