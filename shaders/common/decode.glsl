/*
 * Weights in the PACKED layout (greta/layout.h), by the FORMAT of their type (greta/weight_formats.h). The piece in which shaders read them
 * is a CHUNK: eight elements of one row, a quarter of a unit. load_chunk fetches its bytes, decode_chunk makes floats of them; they
 * are apart so that a shader can have many loads under way. A format is a specialization constant (the plan gives it in
 * place of w_type), so that one branch of each is left.
 */
#ifndef SHADERS_DECODE_GLSL
#define SHADERS_DECODE_GLSL

#include "greta/layout.h"

#define GRETA_WEIGHT_FN
#define GRETA_U32 uint
#define GRETA_U32X4 uvec4
#define GRETA_F32(x) float(x)
#define GRETA_FROM_BITS(w) uintBitsToFloat(w)
#define GRETA_F16(w) unpackHalf2x16(w).x
#define GRETA_F16_HIGH(w) unpackHalf2x16(w).y
#define GRETA_SIGNED(w, i) float(bitfieldExtract(int(w), int(i) * 8, 8))
#include "greta/weight_formats.h"

/* Floats have none. */
bool has_scale(uint format) { return GRETA_FORMAT_SCALE(format) != GRETA_SCALE_NONE; }
bool has_offset(uint format) { return GRETA_FORMAT_HAS_OFFSET(format); }
/* Of a unit: one for each half. */
bool has_two_scales(uint format) { return GRETA_FORMAT_HAS_HALVES(format); }

/* What load_chunk needs of a tensor; every member is the same for the whole dispatch. */
struct packed_weight {
    uint64_t base;
    uint n_units;      /* of a row */
    uint n_supers;     /* superblocks of a row */
    uint plane_1, plane_2, plane_3;
};

uint plane_bytes(uint n_records, uint bytes) {
    return bytes % 16u == 0u ? n_records * bytes : GRETA_PAD16(n_records * bytes);
}

packed_weight packed_open(uint64_t base, uint format, uint n_rows, uint n_cols) {
    packed_weight w;
    w.base = base;
    w.n_units = GRETA_DIV_UP(n_cols, 32u);
    w.n_supers = GRETA_DIV_UP(n_cols, 256u);
    uint n = n_rows * w.n_units;
    w.plane_1 = plane_bytes(n, 4u * GRETA_FORMAT_LOW(format));
    w.plane_2 = w.plane_1 + plane_bytes(n, 4u * GRETA_FORMAT_HIGH(format));
    w.plane_3 = w.plane_2 + plane_bytes(n, GRETA_FORMAT_UNIT_BYTES(format));
    return w;
}

/* What scale and offset come from: the record of plane 2, that of plane 3. Records of one byte are loaded in twos: which of them it is. */
struct packed_scale {
    uint s, which;
    uvec4 d;
};

/* Of unit i_unit of a row. */
packed_scale load_scale(packed_weight w, uint format, uint row, uint i_unit) {
    packed_scale p;
    p.s = 0u;
    p.which = 0u;
    p.d = uvec4(0u);
    uint unit = row * w.n_units + i_unit, super = row * w.n_supers + (i_unit >> 3);
    uint unit_bytes = GRETA_FORMAT_UNIT_BYTES(format), super_bytes = GRETA_FORMAT_SUPER_BYTES(format);
    if (unit_bytes == 4u) p.s = IN_U32(w.base, w.plane_2 + unit * 4u);
    if (unit_bytes == 2u) p.s = IN_U16(w.base, w.plane_2 + unit * 2u);
    if (unit_bytes == 1u) p.s = IN_U16(w.base, w.plane_2 + (unit & ~1u));
    if (unit_bytes == 1u && super_bytes == 0u) p.which = unit & 1u; /* such a row may have an odd number of units */
    if (super_bytes == 16u) p.d = IN_UVEC4(w.base, w.plane_3 + super * 16u);
    if (super_bytes == 4u) p.d.x = IN_U32(w.base, w.plane_3 + super * 4u);
    if (super_bytes == 2u) p.d.x = IN_U16(w.base, w.plane_3 + super * 2u);
    return p;
}

/* Of unit u of its row, or of one half of it. */
void scale_of(packed_scale p, uint format, uint u, uint half_unit, out float scale, out float offset) {
    uint s = p.s;
    if (GRETA_FORMAT_UNIT_BYTES(format) == 1u) s >>= 8u * (GRETA_FORMAT_SUPER_BYTES(format) == 0u ? p.which : u & 1u);
    scale = greta_weight_scale(format, s, p.d, u & 7u, half_unit);
    offset = greta_weight_offset(format, s, p.d, u & 7u, half_unit);
}

/* The bytes of a chunk: members that a format does not use cost nothing. */
struct packed_chunk {
    uvec4 low, high; /* F32: four elements each */
    packed_scale scale;
};

packed_chunk load_chunk(packed_weight w, uint format, uint row, uint chunk) {
    packed_chunk p;
    p.low = p.high = uvec4(0u);
    uint unit = row * w.n_units + (chunk >> 2), piece = row * w.n_units * 4u + chunk;
    uint n_low = GRETA_FORMAT_LOW(format), n_high = GRETA_FORMAT_HIGH(format);
    if (n_low >= 16u) p.low = IN_UVEC4(w.base, piece * n_low);
    if (n_low == 32u) p.high = IN_UVEC4(w.base, piece * 32u + 16u);
    if (n_low == 8u) p.low.xy = IN_UVEC2(w.base, piece * 8u);
    if (n_low == 4u) p.low.x = IN_U32(w.base, piece * 4u);
    if (n_low == 2u) p.low.x = IN_U32(w.base, (piece >> 1) * 4u);
    if (n_high == 2u) p.high.x = IN_U32(w.base, w.plane_1 + unit * 8u + ((chunk >> 1) & 1u) * 4u);
    if (n_high == 1u) p.high.x = IN_U32(w.base, w.plane_1 + unit * 4u);
    p.scale = load_scale(w, format, row, chunk >> 2);
    return p;
}

vec4 bytes_to_vec4(uint w) { return vec4(w & 255u, (w >> 8) & 255u, (w >> 16) & 255u, w >> 24); }
vec4 signed_bytes_to_vec4(uint w) {
    int i = int(w);
    return vec4(bitfieldExtract(i, 0, 8), bitfieldExtract(i, 8, 8), bitfieldExtract(i, 16, 8), i >> 24);
}
vec4 bf16_to_vec4(uvec2 w) {
    return uintBitsToFloat(uvec4(w.x << 16, w.x & 0xFFFF0000u, w.y << 16, w.y & 0xFFFF0000u));
}

/* VALUES, less BIAS: signed bytes. */
uvec4 value_words(uint format) {
    uvec4 words = uvec4(GRETA_VALUES_WORD(format, 0), GRETA_VALUES_WORD(format, 1), GRETA_VALUES_WORD(format, 2),
                        GRETA_VALUES_WORD(format, 3));
    uint bias = GRETA_FORMAT_BIAS(format);
    return ((words | 0x80808080u) - (bias & 127u) * 0x01010101u) ^ (~words & 0x80808080u) ^ (bias & 128u) * 0x01010101u;
}

/* What the code in byte `i` of a word stands for: no table in memory, which would be slower than selects. */
int value_of(uvec4 words, uint codes, uint i) {
    uvec2 halves = (codes & (4u << (8u * i))) != 0u ? words.yw : words.xz;
    uint word = (codes & (8u << (8u * i))) != 0u ? halves.y : halves.x;
    uint at = i == 0u ? codes << 3 : codes >> (8u * i - 3u);
    return bitfieldExtract(int(word), int(at & 31u), 8); /* codes are below 16: the three lowest bits of this are 0 */
}
ivec4 values_of(uint format, uint codes) {
    uvec4 words = value_words(format);
    return ivec4(value_of(words, codes, 0u), value_of(words, codes, 1u), value_of(words, codes, 2u), value_of(words, codes, 3u));
}

/* What four codes stand for, before scale and offset. */
vec4 codes_to_vec4(uint format, uint codes) {
    vec4 v;
    if (GRETA_FORMAT_LOW(format) == 8u) {
        v = signed_bytes_to_vec4(codes);
    } else if (GRETA_FORMAT_VALUES(format) != GRETA_VALUES_NONE) {
        v = vec4(values_of(format, codes));
    } else {
        v = bytes_to_vec4(codes);
        if (GRETA_FORMAT_BIAS(format) != 0u) v -= float(GRETA_FORMAT_BIAS(format));
    }
    return v;
}

/* The codes of a chunk of integers. */
uvec2 chunk_codes(packed_chunk p, uint format, uint chunk) {
    uint pairs = (chunk & 1u) * 4u, low = p.low.x, high = p.high.x;
    if (GRETA_FORMAT_LOW(format) == 2u) low >>= pairs;
    if (GRETA_FORMAT_HIGH(format) != 0u) high >>= GRETA_FORMAT_HIGH(format) == 2u ? pairs : (chunk & 3u) * 2u;
    uvec2 codes = p.low.xy;
    if (GRETA_FORMAT_LOW(format) != 8u) codes = uvec2(greta_weight_codes(format, low, high, 0u), greta_weight_codes(format, low, high, 1u));
    return codes;
}

/* Before their scale and offset. */
void chunk_integers(packed_chunk p, uint format, uint chunk, out vec4 lo, out vec4 hi) {
    if (GRETA_FORMAT_LOW(format) == 32u) {
        lo = uintBitsToFloat(p.low);
        hi = uintBitsToFloat(p.high);
    } else if (format == GRETA_FORMAT_F16) {
        lo = vec4(unpackHalf2x16(p.low.x), unpackHalf2x16(p.low.y));
        hi = vec4(unpackHalf2x16(p.low.z), unpackHalf2x16(p.low.w));
    } else if (format == GRETA_FORMAT_BF16) {
        lo = bf16_to_vec4(p.low.xy);
        hi = bf16_to_vec4(p.low.zw);
    } else {
        uvec2 codes = chunk_codes(p, format, chunk);
        lo = codes_to_vec4(format, codes.x);
        hi = codes_to_vec4(format, codes.y);
    }
}

/* Of all chunks of the unit, or of half of it, in which `chunk` lies. */
void chunk_scale(packed_chunk p, uint format, uint chunk, out float scale, out float offset) {
    scale_of(p.scale, format, chunk >> 2, (chunk >> 1) & 1u, scale, offset);
}

/* The chunk's elements are lo * scale + offset, hi * scale + offset. */
struct weights_8 {
    vec4 lo, hi;
    float scale, offset;
};

weights_8 decode_chunk(packed_chunk p, uint format, uint chunk) {
    weights_8 v;
    chunk_integers(p, format, chunk, v.lo, v.hi);
    chunk_scale(p, format, chunk, v.scale, v.offset);
    return v;
}

/* The elements themselves. */
void chunk_values(packed_chunk p, uint format, uint chunk, out vec4 lo, out vec4 hi) {
    weights_8 v = decode_chunk(p, format, chunk);
    lo = v.lo;
    hi = v.hi;
    if (has_scale(format)) {
        lo *= v.scale;
        hi *= v.scale;
    }
    if (has_offset(format)) {
        lo += v.offset;
        hi += v.offset;
    }
}

#endif
