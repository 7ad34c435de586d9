#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(push_constant) uniform Args { Words x; uint n; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= n) return;
    uint v = x.v[i];
    for (uint k = 0; k < k1; k++) v = v * 3 + 1;
    x.v[i] = v;
}
