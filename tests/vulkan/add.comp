// y[i] = (a[i] + b[i]) * scale + c for i < n; with i from `first` on.
#version 460
#extension GL_EXT_buffer_reference : require
layout(local_size_x = 64, local_size_x_id = 0) in;
layout(constant_id = 1) const uint scale = 1;
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { uint v[]; };
layout(push_constant) uniform Args { Words a, b, y; uint n, first, c; };
void main() {
    uint i = gl_GlobalInvocationID.x + first;
    if (i < n) y.v[i] = (a.v[i] + b.v[i]) * scale + c;
}
