#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(push_constant) uniform Args { Floats x, y, z; uint n; float c; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < n) z.v[i] = x.v[i] + c * y.v[i];
}
