/* One invocation a chunk of eight elements. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_UNPACK
#include "common/greta.glsl"
#include "common/decode.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint ALIGNED = 1; /* y begins at a multiple of 16 bytes */

void main() {
    uint n_chunks = args.n_cols / 8u, i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x, row = i / n_chunks;
    if (row >= args.n_rows) return;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);
    uint chunk = i - row * n_chunks;
    vec4 lo, hi;
    chunk_values(load_chunk(w, W_FORMAT, row, chunk), W_FORMAT, chunk, lo, hi);
    if (ALIGNED == 1) {
        ref_f16x8 y = ref_f16x8(ADDRESS(args.y, i * 16u));
        y.lo = f16vec4(lo);
        y.hi = f16vec4(hi);
    } else {
        for (uint e = 0; e < 8u; e++) OUT_F16(args.y, i * 16u + e * 2u, e < 4u ? lo[e] : hi[e - 4u]);
    }
}
