/* One invocation an element. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_SCALE
#include "common/greta.glsl"

void main() {
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n) return;
    OUT_F32(args.y, i * 4u, args.scale * LOAD_F32(args.x, i * 4u)); /* y may be x */
}
