/* One workgroup a split and HEADS query heads; attn_reduce joins the splits. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ATTN_SPLIT
#include "common/greta.glsl"
#include "common/attn_chunk.glsl"

void store_result(uint head, uint split, uint d, float total, float largest, float sum) {
    uint at = (head * args.n_split + split) * (2u + HEAD_DIM);
    OUT_F32(args.partials, (at + 2u + d) * 4u, total);
    if (d == 0) {
        OUT_F32(args.partials, at * 4u, largest);
        OUT_F32(args.partials, at * 4u + 4u, sum);
    }
}

void main() { attend_chunk(args.n_split); }
