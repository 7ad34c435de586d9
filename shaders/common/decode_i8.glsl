/*
 * Chunks of PACKED weights (decode.glsl) as eight signed bytes, a scale and an offset: element = byte * scale + offset. Of the
 * types whose elements are small integers by a scale.
 */
#ifndef SHADERS_DECODE_I8_GLSL
#define SHADERS_DECODE_I8_GLSL

#include "common/decode.glsl"
#include "common/dot4.glsl"

struct bytes_8 {
    uvec2 q;
    float scale, offset;
};

/* `middle` off each of four bytes below 128. */
uint bytes_minus(uint w, uint middle) { return ((w | 0x80808080u) - middle * 0x01010101u) ^ 0x80808080u; }

bytes_8 chunk_bytes(packed_chunk p, uint type, uint chunk) {
    bytes_8 v;
    v.offset = 0.0;
    v.q = uvec2(p.q.x & 0x0F0F0F0Fu, (p.q.x >> 4) & 0x0F0F0F0Fu);
    if (type == GRETA_TYPE_Q8_0) {
        v.q = p.q.xy;
        v.scale = unpackHalf2x16(p.scale.x).x;
    } else if (type == GRETA_TYPE_Q6_K) {
        uint pairs = p.q.y >> ((chunk & 1u) * 4u);
        v.q |= uvec2((pairs & 0x03030303u) << 4, (pairs & 0x0C0C0C0Cu) << 2);
        v.q = uvec2(bytes_minus(v.q.x, 32u), bytes_minus(v.q.y, 32u));
        int s = bitfieldExtract(int(p.scale.x), int((chunk >> 1) & 1u) * 8, 8);
        v.scale = unpackHalf2x16(p.scale.y).x * float(s);
    } else if (type == GRETA_TYPE_Q2_K) {
        uint pairs = p.q.x >> ((chunk & 1u) * 4u), sm = p.scale.x >> (((chunk >> 1) & 1u) * 8u);
        vec2 d = unpackHalf2x16(p.scale.y);
        v.q = uvec2(pairs & 0x03030303u, (pairs >> 2) & 0x03030303u);
        v.scale = d.x * float(sm & 15u);
        v.offset = -d.y * float((sm >> 4) & 15u);
    } else if (type == GRETA_TYPE_Q3_K) {
        uint pairs = p.q.x >> ((chunk & 1u) * 4u), bits = p.q.y >> ((chunk & 3u) * 2u);
        v.q = uvec2((pairs & 0x03030303u) | ((bits & 0x01010101u) << 2),
                    ((pairs >> 2) & 0x03030303u) | ((bits << 1) & 0x04040404u));
        v.q = uvec2(bytes_minus(v.q.x, 4u), bytes_minus(v.q.y, 4u));
        int s = bitfieldExtract(int(p.scale.x), int((chunk >> 1) & 1u) * 8, 8);
        v.scale = unpackHalf2x16(p.scale.y).x * float(s);
    } else {
        if (type_has_fifth_bit(type)) {
            uint bits = p.q.y >> ((chunk & 3u) * 2u);
            v.q |= uvec2((bits & 0x01010101u) << 4, (bits << 3) & 0x10101010u);
        }
        vec2 d = unpackHalf2x16(p.scale.x);
        v.scale = d.x;
        if (type == GRETA_TYPE_Q4_0 || type == GRETA_TYPE_Q5_0) {
            uint middle = type == GRETA_TYPE_Q4_0 ? 8u : 16u;
            v.q = uvec2(bytes_minus(v.q.x, middle), bytes_minus(v.q.y, middle));
        } else if (type == GRETA_TYPE_Q4_1 || type == GRETA_TYPE_Q5_1) {
            v.offset = d.y;
        } else { /* Q4_K, Q5_K */
            uint u = (chunk >> 2) & 7u;
            uint word = u < 4u ? p.scale.y : p.scale.z;
            v.scale = d.x * float(GRETA_Q4_K_SCALE(word, u));
            v.offset = -d.y * float(GRETA_Q4_K_MIN(word, p.scale.w, u));
        }
    }
    return v;
}

int dot8(uvec2 a, uvec2 b) { return dot4(a.x, b.x) + dot4(a.y, b.y); }

#endif
