/*
 * Chunks of PACKED weights (decode.glsl) as eight signed bytes, a scale and an offset: element = byte * scale + offset. Of the
 * types that are no floats.
 */
#ifndef SHADERS_DECODE_I8_GLSL
#define SHADERS_DECODE_I8_GLSL

#include "common/decode.glsl"
#include "common/dot4.glsl"

struct bytes_8 {
    uvec2 q;
    float scale, offset;
};

/* `bias` off each of four bytes below 128. */
uint small_bytes_minus(uint w, uint bias) { return ((w | 0x80808080u) - bias * 0x01010101u) ^ 0x80808080u; }

/* What four codes stand for. */
uint codes_to_bytes(uint format, uint codes) {
    uint bytes = codes, bias = GRETA_FORMAT_BIAS(format);
    if (GRETA_FORMAT_VALUES(format) != GRETA_VALUES_NONE) {
        ivec4 v = values_of(format, codes);
        bytes = uint(v.x & 255 | (v.y & 255) << 8 | (v.z & 255) << 16 | v.w << 24);
    } else if (GRETA_FORMAT_LOW(format) != 8u && bias != 0u) {
        bytes = small_bytes_minus(codes, bias);
    }
    return bytes;
}

bytes_8 chunk_bytes(packed_chunk p, uint format, uint chunk) {
    bytes_8 v;
    uvec2 codes = chunk_codes(p, format, chunk);
    v.q = uvec2(codes_to_bytes(format, codes.x), codes_to_bytes(format, codes.y));
    chunk_scale(p, format, chunk, v.scale, v.offset);
    return v;
}

int dot8(uvec2 a, uvec2 b) { return dot4(a.x, b.x) + dot4(a.y, b.y); }

#endif
