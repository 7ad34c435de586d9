/* f16 with f32 sums; see matmul_coopmat.glsl. */
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define GRETA_ARGS GRETA_ARGS_MATMUL
#include "common/greta.glsl"
#include "common/decode.glsl"
#define ELEMENT_TYPE GRETA_TYPE_F16
#define ELEMENT_FORMAT GRETA_FORMAT_F16

/* f16 ends at 65504: what lies beyond stays finite. */
uint pack_two(vec2 v) { return packFloat2x16(f16vec2(clamp(v, vec2(-65504.0), vec2(65504.0)))); }

/* Infinity, which a cast to f16 makes of what lies beyond, among it. */
uint finite_two(uint w) { return packFloat2x16(clamp(unpackFloat2x16(w), f16vec2(-65504.0), f16vec2(65504.0))); }

#include "common/matmul_coopmat.glsl"
