/* An invocation makes a result, of the same row of both weights: for devices that are CPUs. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATVEC_GLU
#include "common/greta.glsl"
#include "common/act.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint ACT = GRETA_ACT_SILU;
layout(constant_id = 4) const uint NORM = 0; /* a norm is another dispatch's */
const uint OWN_ROWS = 2;
const uint OWN_TOKENS = 1;
#include "common/lanes.glsl"

void main() {
    uint row = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    tokens[0] = 0u;
    bases[0] = args.w_gate;
    bases[1] = args.w_up;
    rows[0] = rows[1] = min(row, args.n_rows - 1u); /* past the end the last one again, not stored */
    lanes_multiply(packed_open(args.w_gate, W_FORMAT, args.n_rows, args.n_cols), W_FORMAT);
    if (row < args.n_rows) OUT_F32(args.y, row * 4u, act_of(ACT, sums[0]) * sums[1]);
}
