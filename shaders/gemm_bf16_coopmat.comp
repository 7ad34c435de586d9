/* bf16 with f32 sums, by the name of float16_t: scripts/spirv_bf16.py makes bf16 of it. See gemm_coopmat.glsl. */
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define GRETA_ARGS GRETA_ARGS_GEMM
#include "common/greta.glsl"
#define ELEMENT float16_t
#define SUM float
#define PER_WORD 8
#include "common/gemm_coopmat.glsl"
