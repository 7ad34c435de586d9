/* One invocation an element. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_SOFTCAP
#include "common/greta.glsl"
#include "common/act.glsl"

void main() {
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n) return;
    OUT_F32(args.y, i * 4u, args.cap * tanh_of(LOAD_F32(args.x, i * 4u) / args.cap)); /* y may be x */
}
