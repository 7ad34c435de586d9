/*
 * A workgroup makes TILE x TILE results through LDS, an invocation OWN x OWN of them, single elements at a time; f32
 * throughout; any shape and order.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_GEMM
#include "common/greta.glsl"
#include "common/gemm.glsl"

layout(constant_id = 4) const uint TILE = 64; /* gl_WorkGroupSize.x is (TILE / OWN)^2 */
layout(constant_id = 5) const uint STEP = 16;

const uint OWN = 4;
const uint SIDE = TILE / OWN;
const uint LINE = TILE + 1u; /* spreads the lines over the banks */

shared float tile_a[STEP * LINE], tile_b[STEP * LINE];

void stage_a(matrix x, uint first, uint begin) {
    for (uint e = gl_LocalInvocationID.x; e < TILE * STEP; e += gl_WorkGroupSize.x) {
        uint i = x.along_k ? e / STEP : e % TILE, k = x.along_k ? e % STEP : e / TILE;
        tile_a[k * LINE + i] = load_at(x, first + i, begin + k);
    }
}
void stage_b(matrix x, uint first, uint begin) {
    for (uint e = gl_LocalInvocationID.x; e < TILE * STEP; e += gl_WorkGroupSize.x) {
        uint i = x.along_k ? e / STEP : e % TILE, k = x.along_k ? e % STEP : e / TILE;
        tile_b[k * LINE + i] = load_at(x, first + i, begin + k);
    }
}

void main() {
    uint tiles_n = (args.n + TILE - 1u) / TILE;
    uint first_m = group_id() / tiles_n * TILE, first_n = group_id() % tiles_n * TILE;
    if (first_m >= args.m) return;
    uint me = gl_LocalInvocationID.x, own_m = me / SIDE, own_n = me % SIDE;
    float sums[OWN * OWN];
    [[unroll]] for (uint i = 0; i < OWN * OWN; i++) sums[i] = 0.0;

    for (uint begin = 0; begin < args.k; begin += STEP) {
        stage_a(matrix_a(), first_m, begin);
        stage_b(matrix_b(), first_n, begin);
        barrier();
        [[unroll]] for (uint k = 0; k < STEP; k++) {
            float a[OWN], b[OWN];
            /* Elements SIDE apart: neighbours read neighbours. */
            [[unroll]] for (uint i = 0; i < OWN; i++) a[i] = tile_a[k * LINE + own_m + i * SIDE];
            [[unroll]] for (uint j = 0; j < OWN; j++) b[j] = tile_b[k * LINE + own_n + j * SIDE];
            [[unroll]] for (uint i = 0; i < OWN; i++)
                [[unroll]] for (uint j = 0; j < OWN; j++) sums[i * OWN + j] += a[i] * b[j];
        }
        barrier();
    }
    [[unroll]] for (uint i = 0; i < OWN; i++)
        [[unroll]] for (uint j = 0; j < OWN; j++) {
            uint row = first_m + own_m + i * SIDE, column = first_n + own_n + j * SIDE;
            if (row < args.m && column < args.n) OUT_F32(args.c, (row * args.n + column) * 4u, sums[i * OWN + j]);
        }
}
