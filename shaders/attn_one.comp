/* One token that sees one chunk of positions: as attn_split, and the result at once. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ATTN
#include "common/greta.glsl"
#include "common/attn_chunk.glsl"

void store_result(uint head, uint chunk, uint d, float total, float largest, float sum) {
    OUT_F32(args.y, (head * HEAD_DIM + d) * 4u, total / sum);
}

void main() { attend_chunk(1u); }
