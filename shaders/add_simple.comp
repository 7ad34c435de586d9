/* One invocation an element. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ADD
#include "common/greta.glsl"

void main() {
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n) return;
    /* y may be a or b, so neither is read as read-only memory. */
    OUT_F32(args.y, i * 4u, LOAD_F32(args.a, i * 4u) + LOAD_F32(args.b, i * 4u));
}
