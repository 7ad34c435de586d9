/* One invocation a result: what the other rows are held against, and what takes any shape. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATMUL
#include "common/greta.glsl"
#include "common/decode.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;

void main() {
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n_tok * args.n_rows) return;
    uint row = i % args.n_rows, tok = i / args.n_rows;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);
    uint n_chunks = (args.n_cols + 7u) / 8u;
    float sum = 0.0;
    for (uint c = 0; c < n_chunks; c++) {
        vec4 lo, hi;
        chunk_values(load_chunk(w, W_FORMAT, row, c), W_FORMAT, c, lo, hi);
        uint n = min(8u, args.n_cols - c * 8u);
        uint at = (tok * args.n_cols + c * 8u) * 4u;
        for (uint e = 0; e < n; e++) sum += (e < 4u ? lo[e & 3u] : hi[e & 3u]) * IN_F32(args.x, at + e * 4u);
    }
    OUT_F32(args.y, i * 4u, sum);
}
