/*
 * bf16 with f32 sums, by the name of float16_t: scripts/spirv_bf16.py makes bf16 of it. See matmul_coopmat.glsl. No value is too large,
 * and activations keep 8 bits of the 24 that f32 has.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define GRETA_ARGS GRETA_ARGS_MATMUL
#include "common/greta.glsl"
#include "common/decode.glsl"
#define ELEMENT_TYPE GRETA_TYPE_BF16
#define ELEMENT_FORMAT GRETA_FORMAT_BF16

uint pack_two(vec2 v) { return f32_to_bf16(v.x) | f32_to_bf16(v.y) << 16; }
uint finite_two(uint w) { return w; }

#include "common/matmul_coopmat.glsl"
