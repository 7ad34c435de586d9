/* An invocation makes OWN_ROWS results: for devices that are CPUs. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATVEC
#include "common/greta.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint ADD = 0;
layout(constant_id = 4) const uint OWN_ROWS = 1;
const uint OWN_TOKENS = 1;
#include "common/lanes.glsl"

void main() {
    uint first = group_id() * gl_WorkGroupSize.x * OWN_ROWS + gl_LocalInvocationID.x;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);
    tokens[0] = 0u;
    [[unroll]] for (uint i = 0; i < OWN_ROWS; i++) {
        bases[i] = args.w;
        rows[i] = min(first + i * gl_WorkGroupSize.x, args.n_rows - 1u); /* past the end the last one again, not stored */
    }
    lanes_multiply(w, W_FORMAT);
    [[unroll]] for (uint i = 0; i < OWN_ROWS; i++)
        if (first + i * gl_WorkGroupSize.x < args.n_rows)
            OUT_F32(args.y, rows[i] * 4u, ADD == 1 ? LOAD_F32(args.y, rows[i] * 4u) + sums[i] : sums[i]);
}
