/* One invocation an element. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ACT_MUL
#include "common/greta.glsl"
#include "common/act.glsl"

layout(constant_id = 1) const uint ACT = GRETA_ACT_SILU;

void main() {
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n) return;
    OUT_F32(args.y, i * 4u, act_of(ACT, IN_F32(args.gate, i * 4u)) * IN_F32(args.up, i * 4u));
}
