/* One invocation an element. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_BIAS_ADD
#include "common/greta.glsl"

void main() {
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n_rows * args.n_cols) return;
    OUT_F32(args.y, i * 4u, LOAD_F32(args.y, i * 4u) + IN_F32(args.b, i % args.n_cols * 4u));
}
