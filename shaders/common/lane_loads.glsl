/* Reads of eight bytes, for devices that read lane by lane, in the same time however wide a lane's read is (lanes.glsl). */
#ifndef SHADERS_LANE_LOADS_GLSL
#define SHADERS_LANE_LOADS_GLSL

#extension GL_KHR_shader_subgroup_ballot : require

layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer ref_in_u64 { uint64_t v; };
#define IN_PAIR(base, bytes) unpack32(ref_in_u64(ADDRESS(base, bytes)).v)
#undef IN_UVEC2
#undef IN_UVEC4
#define IN_UVEC2(base, bytes) IN_PAIR(base, bytes)
#define IN_UVEC4(base, bytes) uvec4(IN_PAIR(base, bytes), IN_PAIR(base, (bytes) + 8u))

#endif
