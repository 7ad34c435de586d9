// The trial kernel of the probe: y[i] = i * 2654435761 + seed. scripts/trial_spirv.sh makes trial_spirv.h of it.
#version 460
#extension GL_EXT_buffer_reference : require

layout(local_size_x = 64) in;
layout(buffer_reference, std430, buffer_reference_align = 4) writeonly buffer Words { uint v[]; };
layout(push_constant) uniform Args {
    Words y;
    uint seed;
};

void main() {
    uint i = gl_GlobalInvocationID.x;
    y.v[i] = i * 2654435761u + seed;
}
