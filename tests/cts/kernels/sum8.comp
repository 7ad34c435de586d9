#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(push_constant) uniform Args { Words a, b, c, d, e, f, g, h, y; uint n; };
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < n) y.v[i] = a.v[i] + b.v[i] + c.v[i] + d.v[i] + e.v[i] + f.v[i] + g.v[i] + h.v[i];
}
