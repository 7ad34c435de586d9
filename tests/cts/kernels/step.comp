#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(push_constant) uniform Args { Words x; uint n; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < n) x.v[i] = x.v[i] * 3 + 1;
}
