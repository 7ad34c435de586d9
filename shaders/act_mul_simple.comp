/* One invocation an element. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ACT_MUL
#include "common/greta.glsl"

void main() {
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n) return;
    float gate = IN_F32(args.gate, i * 4u);
    OUT_F32(args.y, i * 4u, gate / (1.0 + exp(-gate)) * IN_F32(args.up, i * 4u));
}
