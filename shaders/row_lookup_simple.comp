/* One workgroup a looked-up row, one invocation a chunk of eight elements. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ROW_LOOKUP
#include "common/greta.glsl"
#include "common/decode.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;

void main() {
    uint i = group_id();
    if (i >= args.n_ids) return;
    uint row = IN_U32(args.ids, i * 4u);
    bool inside = row < args.n_rows;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);
    uint n_chunks = (args.n_cols + 7u) / 8u;
    for (uint c = gl_LocalInvocationID.x; c < n_chunks; c += gl_WorkGroupSize.x) {
        vec4 lo = vec4(0.0), hi = vec4(0.0);
        if (inside) chunk_values(load_chunk(w, W_FORMAT, row, c), W_FORMAT, c, lo, hi);
        uint n = min(8u, args.n_cols - c * 8u);
        for (uint e = 0; e < n; e++) OUT_F32(args.y, (i * args.n_cols + c * 8u + e) * 4u, e < 4u ? lo[e] : hi[e - 4u]);
    }
}
