/*
 * Weights in the PACKED layout (greta/layout.h). The piece in which shaders read them is a CHUNK: eight elements of one row,
 * a quarter of a unit. load_chunk fetches its bytes, decode_chunk makes floats of them; they are apart so that a shader can
 * have many loads under way. The type is a specialization constant, so that one branch of each is left.
 */
#ifndef SHADERS_DECODE_GLSL
#define SHADERS_DECODE_GLSL

#include "greta/layout.h"

/* What load_chunk needs of a tensor; every member is the same for the whole dispatch. */
struct packed_weight {
    uint64_t base;
    uint n_units;      /* of a row */
    uint n_supers;     /* superblocks of a row */
    uint plane_1, plane_2, plane_3;
};

packed_weight packed_open(uint64_t base, uint type, uint n_rows, uint n_cols) {
    packed_weight w;
    w.base = base;
    w.n_units = GRETA_PACKED_RECORDS_0(type, n_cols);
    w.n_supers = GRETA_PACKED_RECORDS_3(type, n_cols);
    w.plane_1 = GRETA_PACKED_OFFSET_1(type, n_rows, n_cols);
    w.plane_2 = GRETA_PACKED_OFFSET_2(type, n_rows, n_cols);
    w.plane_3 = GRETA_PACKED_OFFSET_3(type, n_rows, n_cols);
    return w;
}

/* The bytes of a chunk: members that a type does not use cost nothing. */
struct packed_chunk {
    uvec4 q, q_high;
    uvec4 scale;
};

packed_chunk load_chunk(packed_weight w, uint type, uint row, uint chunk) {
    packed_chunk p;
    p.q = p.q_high = p.scale = uvec4(0);
    uint unit = row * w.n_units + (chunk >> 2);
    uint super = row * w.n_supers + (chunk >> 5);
    uint piece = row * w.n_units * 4u + chunk;
    if (type == GRETA_TYPE_F32) {
        p.q = IN_UVEC4(w.base, piece * 32u);
        p.q_high = IN_UVEC4(w.base, piece * 32u + 16u);
    } else if (type == GRETA_TYPE_F16 || type == GRETA_TYPE_BF16) {
        p.q = IN_UVEC4(w.base, piece * 16u);
    } else if (type == GRETA_TYPE_Q8_0) {
        p.q.xy = IN_UVEC2(w.base, piece * 8u);
        p.scale.x = IN_U16(w.base, w.plane_1 + unit * 2u);
    } else if (type == GRETA_TYPE_Q4_0) {
        p.q.x = IN_U32(w.base, piece * 4u);
        p.scale.x = IN_U16(w.base, w.plane_1 + unit * 2u);
    } else if (type == GRETA_TYPE_Q4_1) {
        p.q.x = IN_U32(w.base, piece * 4u);
        p.scale.x = IN_U32(w.base, w.plane_1 + unit * 4u);
    } else if (type == GRETA_TYPE_Q4_K) {
        p.q.x = IN_U32(w.base, piece * 4u);
        p.scale = IN_UVEC4(w.base, w.plane_1 + super * 16u);
    } else if (type == GRETA_TYPE_Q6_K) {
        p.q.x = IN_U32(w.base, piece * 4u);
        p.q.y = IN_U32(w.base, w.plane_1 + unit * 8u + ((chunk >> 1) & 1u) * 4u);
        p.scale.x = IN_U16(w.base, w.plane_2 + unit * 2u);
        p.scale.y = IN_U16(w.base, w.plane_3 + super * 2u);
    } else if (type == GRETA_TYPE_Q5_0) {
        p.q.x = IN_U32(w.base, piece * 4u);
        p.q.y = IN_U32(w.base, w.plane_2 + unit * 4u);
        p.scale.x = IN_U16(w.base, w.plane_1 + unit * 2u);
    } else if (type == GRETA_TYPE_Q5_1) {
        p.q.x = IN_U32(w.base, piece * 4u);
        p.q.y = IN_U32(w.base, w.plane_2 + unit * 4u);
        p.scale.x = IN_U32(w.base, w.plane_1 + unit * 4u);
    } else if (type == GRETA_TYPE_Q5_K) {
        p.q.x = IN_U32(w.base, piece * 4u);
        p.q.y = IN_U32(w.base, w.plane_2 + unit * 4u);
        p.scale = IN_UVEC4(w.base, w.plane_1 + super * 16u);
    } else if (type == GRETA_TYPE_Q2_K) {
        p.q.x = IN_U32(w.base, (piece >> 1) * 4u);
        p.scale.x = IN_U16(w.base, w.plane_1 + unit * 2u);
        p.scale.y = IN_U32(w.base, w.plane_3 + super * 4u);
    } else if (type == GRETA_TYPE_Q3_K) {
        p.q.x = IN_U32(w.base, (piece >> 1) * 4u);
        p.q.y = IN_U32(w.base, w.plane_1 + unit * 4u);
        p.scale.x = IN_U16(w.base, w.plane_2 + unit * 2u);
        p.scale.y = IN_U16(w.base, w.plane_3 + super * 2u);
    } else if (type == GRETA_TYPE_IQ4_NL) {
        p.q.x = IN_U32(w.base, piece * 4u);
        p.scale.x = IN_U16(w.base, w.plane_1 + unit * 2u);
    } else if (type == GRETA_TYPE_IQ4_XS) {
        p.q.x = IN_U32(w.base, piece * 4u);
        p.scale.x = IN_U16(w.base, w.plane_1 + (unit & ~1u)); /* of two units: a row has eight times as many */
        p.scale.y = IN_U16(w.base, w.plane_3 + super * 2u);
    }
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

/* Four nibbles, each in a byte of w, as what they stand for: no table in memory, which would be slower than selects. */
float iq4_value(uint nibble) {
    uint low = (nibble & 4u) == 0u ? GRETA_IQ4_WORD_0 : GRETA_IQ4_WORD_1;
    uint high = (nibble & 4u) == 0u ? GRETA_IQ4_WORD_2 : GRETA_IQ4_WORD_3;
    uint word = nibble < 8u ? low : high;
    return float((word >> ((nibble & 3u) * 8u)) & 255u) - 128.0;
}
vec4 iq4_to_vec4(uint w) {
    return vec4(iq4_value(w & 15u), iq4_value((w >> 8) & 15u), iq4_value((w >> 16) & 15u), iq4_value((w >> 24) & 15u));
}

/* The chunk's elements are lo * scale + offset, hi * scale + offset. */
struct weights_8 {
    vec4 lo, hi;
    float scale, offset;
};

bool type_has_scale(uint type) { return type >= GRETA_TYPE_Q8_0; }
bool type_has_offset(uint type) {
    return type == GRETA_TYPE_Q4_1 || type == GRETA_TYPE_Q4_K || type == GRETA_TYPE_Q5_1 || type == GRETA_TYPE_Q5_K ||
           type == GRETA_TYPE_Q2_K;
}
bool type_has_fifth_bit(uint type) {
    return type == GRETA_TYPE_Q5_0 || type == GRETA_TYPE_Q5_1 || type == GRETA_TYPE_Q5_K;
}

bool type_has_two_scales(uint type) { /* of a unit: one for each half */
    return type == GRETA_TYPE_Q2_K || type == GRETA_TYPE_Q3_K || type == GRETA_TYPE_Q6_K;
}

/* Before their scale and offset. */
void chunk_integers(packed_chunk p, uint type, uint chunk, out vec4 lo, out vec4 hi) {
    if (type == GRETA_TYPE_F32) {
        lo = uintBitsToFloat(p.q);
        hi = uintBitsToFloat(p.q_high);
    } else if (type == GRETA_TYPE_F16) {
        lo = vec4(unpackHalf2x16(p.q.x), unpackHalf2x16(p.q.y));
        hi = vec4(unpackHalf2x16(p.q.z), unpackHalf2x16(p.q.w));
    } else if (type == GRETA_TYPE_BF16) {
        lo = bf16_to_vec4(p.q.xy);
        hi = bf16_to_vec4(p.q.zw);
    } else if (type == GRETA_TYPE_Q8_0) {
        lo = signed_bytes_to_vec4(p.q.x);
        hi = signed_bytes_to_vec4(p.q.y);
    } else if (type == GRETA_TYPE_Q6_K) {
        uint j = (chunk & 1u) * 4u; /* two bits for each of two halves */
        uint pairs = p.q.y >> j;
        lo = bytes_to_vec4((p.q.x & 0x0F0F0F0Fu) | ((pairs & 0x03030303u) << 4)) - 32.0;
        hi = bytes_to_vec4(((p.q.x >> 4) & 0x0F0F0F0Fu) | ((pairs & 0x0C0C0C0Cu) << 2)) - 32.0;
    } else if (type == GRETA_TYPE_Q2_K) {
        uint pairs = p.q.x >> ((chunk & 1u) * 4u);
        lo = bytes_to_vec4(pairs & 0x03030303u);
        hi = bytes_to_vec4((pairs >> 2) & 0x03030303u);
    } else if (type == GRETA_TYPE_Q3_K) {
        uint pairs = p.q.x >> ((chunk & 1u) * 4u), bits = p.q.y >> ((chunk & 3u) * 2u);
        lo = bytes_to_vec4((pairs & 0x03030303u) | ((bits & 0x01010101u) << 2)) - 4.0;
        hi = bytes_to_vec4(((pairs >> 2) & 0x03030303u) | ((bits << 1) & 0x04040404u)) - 4.0;
    } else if (type == GRETA_TYPE_IQ4_NL || type == GRETA_TYPE_IQ4_XS) {
        lo = iq4_to_vec4(p.q.x);
        hi = iq4_to_vec4(p.q.x >> 4);
    } else {
        uint low = p.q.x & 0x0F0F0F0Fu, high = (p.q.x >> 4) & 0x0F0F0F0Fu;
        if (type_has_fifth_bit(type)) {
            uint bits = p.q.y >> ((chunk & 3u) * 2u);
            low |= (bits & 0x01010101u) << 4;
            high |= (bits << 3) & 0x10101010u;
        }
        lo = bytes_to_vec4(low);
        hi = bytes_to_vec4(high);
        if (type == GRETA_TYPE_Q4_0 || type == GRETA_TYPE_Q5_0) {
            float middle = type == GRETA_TYPE_Q4_0 ? 8.0 : 16.0;
            lo -= middle;
            hi -= middle;
        }
    }
}

/* Of all chunks of the unit, or of half of it, in which `chunk` lies. */
void chunk_scale(packed_chunk p, uint type, uint chunk, out float scale, out float offset) {
    scale = 1.0;
    offset = 0.0;
    if (!type_has_scale(type)) return;
    if (type == GRETA_TYPE_Q6_K || type == GRETA_TYPE_Q3_K) {
        int s = bitfieldExtract(int(p.scale.x), int((chunk >> 1) & 1u) * 8, 8);
        scale = unpackHalf2x16(p.scale.y).x * float(s);
    } else if (type == GRETA_TYPE_Q2_K) {
        uint sm = p.scale.x >> (((chunk >> 1) & 1u) * 8u);
        vec2 d = unpackHalf2x16(p.scale.y);
        scale = d.x * float(sm & 15u);
        offset = -d.y * float((sm >> 4) & 15u);
    } else if (type == GRETA_TYPE_IQ4_XS) {
        int s = bitfieldExtract(int(p.scale.x), int((chunk >> 2) & 1u) * 8, 8);
        scale = unpackHalf2x16(p.scale.y).x * float(s);
    } else if (type == GRETA_TYPE_Q4_1 || type == GRETA_TYPE_Q5_1) {
        vec2 d = unpackHalf2x16(p.scale.x);
        scale = d.x;
        offset = d.y;
    } else if (type == GRETA_TYPE_Q4_K || type == GRETA_TYPE_Q5_K) {
        uint u = (chunk >> 2) & 7u;
        uint word = u < 4u ? p.scale.y : p.scale.z;
        vec2 d = unpackHalf2x16(p.scale.x);
        scale = d.x * float(GRETA_Q4_K_SCALE(word, u));
        offset = -d.y * float(GRETA_Q4_K_MIN(word, p.scale.w, u));
    } else { /* Q8_0, Q4_0, Q5_0, IQ4_NL */
        scale = unpackHalf2x16(p.scale.x).x;
    }
}

weights_8 decode_chunk(packed_chunk p, uint type, uint chunk) {
    weights_8 v;
    chunk_integers(p, type, chunk, v.lo, v.hi);
    chunk_scale(p, type, chunk, v.scale, v.offset);
    return v;
}

/* The elements themselves. */
void chunk_values(packed_chunk p, uint type, uint chunk, out vec4 lo, out vec4 hi) {
    weights_8 v = decode_chunk(p, type, chunk);
    lo = v.lo;
    hi = v.hi;
    if (type_has_scale(type)) {
        lo *= v.scale;
        hi *= v.scale;
    }
    if (type_has_offset(type)) {
        lo += v.offset;
        hi += v.offset;
    }
}

#endif
