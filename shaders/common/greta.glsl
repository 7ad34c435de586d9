/*
 * What every shader includes first: the argument block of its op, accessors to memory, the linear group id.
 *
 * Before the include: #define GRETA_ARGS GRETA_ARGS_<OP>. Specialization constants: 0 is the workgroup's size, then the
 * op's keys in the order of GRETA_KEYS_<OP> (a weight's type as its FORMAT), then the tunables of the row.
 */
#ifndef SHADERS_GRETA_GLSL
#define SHADERS_GRETA_GLSL

#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference2 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require

#include "greta/op_args.h"

layout(local_size_x = 64, local_size_x_id = 0) in;

#define GRETA_ARG_POINTER(name) uint64_t name;
#define GRETA_ARG_U32(name) uint name;
#define GRETA_ARG_F32(name) float name;
layout(push_constant, std430) uniform args_block {
    GRETA_ARGS(GRETA_ARG_POINTER, GRETA_ARG_POINTER, GRETA_ARG_POINTER, GRETA_ARG_U32, GRETA_ARG_F32)
} args;

/*
 * Memory is read at a 64-bit base, the same for the whole dispatch, plus a 32-bit offset in BYTES: compilers turn this form
 * into one load with a scalar base, and no other form (55 instructions against 76 for an indexed reference in an f16 matvec).
 */
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer ref_in_u32 { uint v; };
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer ref_in_f32 { float v; };
layout(buffer_reference, std430, buffer_reference_align = 2) readonly buffer ref_in_u16 { uint16_t v; };
layout(buffer_reference, std430, buffer_reference_align = 2) readonly buffer ref_in_f16 { float16_t v; };
layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer ref_in_uvec2 { uvec2 v; };
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer ref_in_uvec4 { uvec4 v; };
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer ref_in_vec4 { vec4 v; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer ref_u32 { uint v; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer ref_f32 { float v; };
layout(buffer_reference, std430, buffer_reference_align = 2) buffer ref_u16 { uint16_t v; };
layout(buffer_reference, std430, buffer_reference_align = 2) buffer ref_f16 { float16_t v; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer ref_vec4 { vec4 v; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer ref_f16x8 { f16vec4 lo, hi; };

#define ADDRESS(base, bytes) ((base) + uint64_t(uint(bytes)))
#define IN_U32(base, bytes) (ref_in_u32(ADDRESS(base, bytes)).v)
#define IN_F32(base, bytes) (ref_in_f32(ADDRESS(base, bytes)).v)
#define IN_U16(base, bytes) uint(ref_in_u16(ADDRESS(base, bytes)).v)
#define IN_F16(base, bytes) float(ref_in_f16(ADDRESS(base, bytes)).v)
#define IN_UVEC2(base, bytes) (ref_in_uvec2(ADDRESS(base, bytes)).v)
#define IN_UVEC4(base, bytes) (ref_in_uvec4(ADDRESS(base, bytes)).v)
#define IN_VEC4(base, bytes) (ref_in_vec4(ADDRESS(base, bytes)).v)
/* For memory that the dispatch also writes. */
#define LOAD_F32(base, bytes) (ref_f32(ADDRESS(base, bytes)).v)
#define OUT_U32(base, bytes, value) ref_u32(ADDRESS(base, bytes)).v = (value)
#define OUT_F32(base, bytes, value) ref_f32(ADDRESS(base, bytes)).v = (value)
#define OUT_U16(base, bytes, value) ref_u16(ADDRESS(base, bytes)).v = uint16_t(value)
/* Rounds to nearest even. packHalf2x16 does not: it may round to zero. */
#define OUT_F16(base, bytes, value) ref_f16(ADDRESS(base, bytes)).v = float16_t(value)
#define OUT_VEC4(base, bytes, value) ref_vec4(ADDRESS(base, bytes)).v = (value)

/* Large grids are folded into y, so that the last line of groups may pass the end. */
uint group_id() { return gl_WorkGroupID.x + gl_WorkGroupID.y * gl_NumWorkGroups.x; }

/* Partials in LDS, one a subgroup, are sized for this, the smallest subgroup. */
const uint SUBGROUP_MIN = 4;

float bf16_to_f32(uint bits) { return uintBitsToFloat(bits << 16); }

/* Round to nearest even; a NaN stays one. */
uint f32_to_bf16(float x) {
    uint bits = floatBitsToUint(x);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (bits >> 16) | 64u;
    return (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
}

/* An element of a tensor of F32, F16 or BF16; `type` is a constant. */
float load_element(uint64_t base, uint i, uint type) {
    if (type == GRETA_TYPE_F32) return IN_F32(base, i * 4u);
    if (type == GRETA_TYPE_F16) return IN_F16(base, i * 2u);
    return bf16_to_f32(IN_U16(base, i * 2u));
}
void store_element(uint64_t base, uint i, uint type, float value) {
    if (type == GRETA_TYPE_F32)
        OUT_F32(base, i * 4u, value);
    else if (type == GRETA_TYPE_F16)
        OUT_F16(base, i * 2u, value);
    else
        OUT_U16(base, i * 2u, f32_to_bf16(value));
}

#endif
