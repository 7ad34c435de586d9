/*
 * GEMM by matrices of a whole workgroup (NV_cooperative_matrix2): the driver chooses how a tile moves and who holds what of
 * it. f16 with f32 sums; any m, n and k: what lies past an edge is read as zero and not stored.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_NV_cooperative_matrix2 : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define GRETA_ARGS GRETA_ARGS_GEMM
#include "common/greta.glsl"

layout(constant_id = 1) const uint TYPE = GRETA_TYPE_F16;
layout(constant_id = 2) const uint A_ORDER = GRETA_ORDER_ROW;
layout(constant_id = 3) const uint B_ORDER = GRETA_ORDER_ROW;
layout(constant_id = 4) const uint TILE_M = 128;
layout(constant_id = 5) const uint TILE_N = 128;
layout(constant_id = 6) const uint STEP = 64;

const uint BAND = 8; /* as in gemm_coopmat.glsl */

layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer ref_operands { float16_t v[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer ref_results { float v[]; };

void main() {
    uint tiles_m = (args.m + TILE_M - 1u) / TILE_M, tiles_n = (args.n + TILE_N - 1u) / TILE_N;
    uint band = group_id() / (BAND * tiles_n), in_band = group_id() % (BAND * tiles_n);
    if (band * BAND >= tiles_m) return;
    uint height = min(BAND, tiles_m - band * BAND);
    uint first_m = (band * BAND + in_band % height) * TILE_M, first_n = in_band / height * TILE_N;
    if (first_n >= args.n) return;

    /* As memory has them: lines by what is contiguous. */
    tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV> layout_a =
        createTensorLayoutNV(2, gl_CooperativeMatrixClampModeConstantNV);
    tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV> layout_b =
        createTensorLayoutNV(2, gl_CooperativeMatrixClampModeConstantNV);
    tensorLayoutNV<2, gl_CooperativeMatrixClampModeConstantNV> layout_c =
        createTensorLayoutNV(2, gl_CooperativeMatrixClampModeConstantNV);
    tensorViewNV<2, false, 1, 0> turned = createTensorViewNV(2, false, 1, 0);
    bool a_rows = A_ORDER == GRETA_ORDER_ROW, b_rows = B_ORDER == GRETA_ORDER_ROW;
    layout_a = setTensorLayoutDimensionNV(layout_a, a_rows ? args.m : args.k, a_rows ? args.k : args.m);
    layout_b = setTensorLayoutDimensionNV(layout_b, b_rows ? args.k : args.n, b_rows ? args.n : args.k);
    layout_c = setTensorLayoutDimensionNV(layout_c, args.m, args.n);

    coopmat<float, gl_ScopeWorkgroup, TILE_M, TILE_N, gl_MatrixUseAccumulator> sums =
        coopmat<float, gl_ScopeWorkgroup, TILE_M, TILE_N, gl_MatrixUseAccumulator>(0.0);
    [[dont_unroll]] for (uint k = 0; k < args.k; k += STEP) {
        coopmat<float16_t, gl_ScopeWorkgroup, TILE_M, STEP, gl_MatrixUseA> a;
        coopmat<float16_t, gl_ScopeWorkgroup, STEP, TILE_N, gl_MatrixUseB> b;
        if (A_ORDER == GRETA_ORDER_ROW)
            coopMatLoadTensorNV(a, ref_operands(args.a).v, 0, sliceTensorLayoutNV(layout_a, first_m, TILE_M, k, STEP));
        else
            coopMatLoadTensorNV(a, ref_operands(args.a).v, 0, sliceTensorLayoutNV(layout_a, k, STEP, first_m, TILE_M),
                                turned);
        if (B_ORDER == GRETA_ORDER_ROW)
            coopMatLoadTensorNV(b, ref_operands(args.b).v, 0, sliceTensorLayoutNV(layout_b, k, STEP, first_n, TILE_N));
        else
            coopMatLoadTensorNV(b, ref_operands(args.b).v, 0, sliceTensorLayoutNV(layout_b, first_n, TILE_N, k, STEP),
                                turned);
        sums = coopMatMulAdd(a, b, sums);
    }
    coopMatStoreTensorNV(sums, ref_results(args.c).v, 0, sliceTensorLayoutNV(layout_c, first_m, TILE_M, first_n, TILE_N));
}
