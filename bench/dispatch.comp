// The kernel of bench-dispatch: one group, y[i] = scale * x[i]. scripts/trial_spirv.sh makes dispatch_spirv.h of it.
#version 460
#extension GL_EXT_buffer_reference : require

layout(local_size_x = 256) in;
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer In { float v[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) writeonly buffer Out { float v[]; };
layout(push_constant) uniform Args {
    In x;
    Out y;
    float scale;
};

void main() {
    uint i = gl_GlobalInvocationID.x;
    y.v[i] = scale * x.v[i];
}
