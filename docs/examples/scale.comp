#version 460
#extension GL_EXT_buffer_reference : require

layout(local_size_x = 64) in;
layout(constant_id = 1) const float factor = 1.0;
layout(buffer_reference, std430) buffer Floats { float v[]; };
layout(push_constant) uniform Args {
    Floats x, y;
    uint n;
};

void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < n) y.v[i] = factor * x.v[i];
}
