#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(push_constant) uniform Args { Words y; uint n; };
void main() {
    uint id = gl_WorkGroupID.x + gl_NumWorkGroups.x * (gl_WorkGroupID.y + gl_NumWorkGroups.y * gl_WorkGroupID.z);
    if (gl_LocalInvocationID.x == 0 && id < n) y.v[id] += 1 + id;
}
