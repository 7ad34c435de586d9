#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(push_constant) uniform Args { Words y; uint n; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < n) y.v[i] = k1 + i * k2;
}
