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

/* bytes_minus of bytes below 128. */
uint small_bytes_minus(uint w, uint bias) { return ((w | 0x80808080u) - bias * 0x01010101u) ^ 0x80808080u; }

/* What four codes stand for. */
uint codes_to_bytes(uint format, uint codes) {
    if (GRETA_FORMAT_LOW(format) == 8u) return codes;
    if (GRETA_FORMAT_VALUES(format) != GRETA_VALUES_NONE)
        return uint(value_of(format, codes, 0u) & 255 | (value_of(format, codes, 1u) & 255) << 8 |
                    (value_of(format, codes, 2u) & 255) << 16 | value_of(format, codes, 3u) << 24);
    uint bias = GRETA_FORMAT_BIAS(format);
    return bias == 0u ? codes : small_bytes_minus(codes, bias);
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
