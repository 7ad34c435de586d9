/* One invocation an element. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_CAST
#include "common/greta.glsl"

layout(constant_id = 1) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 2) const uint Y_TYPE = GRETA_TYPE_F32;

void main() {
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n) return;
    store_element(args.y, i, Y_TYPE, load_element(args.x, i, X_TYPE));
}
