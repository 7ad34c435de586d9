/*
 * No LDS: a subgroup makes ROWS rows of as many columns as it has lanes, a column each. Of a's rows every lane loads one element
 * of k, and the subgroup hands them round; b is read along its rows. Any shape and order; f32 throughout.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_shader_subgroup_ballot : require
#define GRETA_ARGS GRETA_ARGS_GEMM
#include "common/greta.glsl"
#include "common/gemm.glsl"

layout(constant_id = 4) const uint ROWS = 8;

void main() {
    /* The lanes' number is the device's: the grid counts subgroups of the smallest, and those past the end return. */
    uint lanes = gl_SubgroupSize, tiles_n = (args.n + lanes - 1u) / lanes;
    uint tile = group_id() * gl_NumSubgroups + gl_SubgroupID;
    uint first_m = tile / tiles_n * ROWS, column = tile % tiles_n * lanes + gl_SubgroupInvocationID;
    if (first_m >= args.m) return;
    float sums[ROWS];
    [[unroll]] for (uint i = 0; i < ROWS; i++) sums[i] = 0.0;
    for (uint begin = 0; begin < args.k; begin += lanes) {
        float a[ROWS];
        [[unroll]] for (uint i = 0; i < ROWS; i++)
            a[i] = load_at(matrix_a(), first_m + i, begin + gl_SubgroupInvocationID);
        uint count = min(lanes, args.k - begin);
        for (uint l = 0; l < count; l++) {
            float b = load_at(matrix_b(), column, begin + l);
            [[unroll]] for (uint i = 0; i < ROWS; i++) sums[i] += subgroupBroadcast(a[i], l) * b;
        }
    }
    [[unroll]] for (uint i = 0; i < ROWS; i++)
        if (first_m + i < args.m && column < args.n) OUT_F32(args.c, ((first_m + i) * args.n + column) * 4u, sums[i]);
}
