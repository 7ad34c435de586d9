/* f16 with f32 sums; see gemm_coopmat.glsl. */
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
