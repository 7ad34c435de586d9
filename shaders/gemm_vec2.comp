/*
 * Elements by twos: memory is read in pairs along what is contiguous, LDS holds pairs along k, whichever that is. A workgroup of
 * SIDE_M x SIDE_N invocations makes OWN_M x OWN_N results each. The next step is fetched into registers while this one is
 * multiplied; with two BUFFERS it is stored into the other half of LDS. f32 sums; any order; what is contiguous is even.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_GEMM
#include "common/greta.glsl"
#include "common/gemm.glsl"

layout(constant_id = 4) const uint SIDE_M = 16; /* gl_WorkGroupSize.x is SIDE_M * SIDE_N */
layout(constant_id = 5) const uint SIDE_N = 16;
layout(constant_id = 6) const uint OWN_M = 4; /* even, as OWN_N */
layout(constant_id = 7) const uint OWN_N = 4;
layout(constant_id = 8) const uint STEP = 16; /* of k: even */
layout(constant_id = 9) const uint BUFFERS = 1;

const uint TILE_M = SIDE_M * OWN_M, TILE_N = SIDE_N * OWN_N, PAIRS = STEP / 2u;
const uint LINE_A = TILE_M + 1u, LINE_B = TILE_N + 1u; /* spreads the lines over the banks */
/* Blocks of 2 x 2 elements, the work of one invocation. */
const uint A_OWN = (TILE_M / 2u * PAIRS + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;
const uint B_OWN = (TILE_N / 2u * PAIRS + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;

shared vec2 tile_a[BUFFERS * PAIRS * LINE_A], tile_b[BUFFERS * PAIRS * LINE_B];

vec4 next_a[A_OWN], next_b[B_OWN]; /* the pair of an even element, and of the next one */

vec2 load_pair(uint64_t base, uint i) {
    if (TYPE == GRETA_TYPE_F32) return uintBitsToFloat(IN_UVEC2(base, i * 4u));
    uint w = IN_U32(base, i * 2u);
    return TYPE == GRETA_TYPE_F16 ? unpackHalf2x16(w) : uintBitsToFloat(uvec2(w << 16, w & 0xFFFF0000u));
}

/* Element i and i + 1 of the other dimension, k and k + 1, all even: zeros past an edge. */
vec4 load_block(matrix x, uint i, uint k) {
    vec2 u = vec2(0.0), v = vec2(0.0);
    if (x.along_k) {
        if (k < args.k && i < x.size) u = load_pair(x.base, i * args.k + k);
        if (k < args.k && i + 1u < x.size) v = load_pair(x.base, (i + 1u) * args.k + k);
        return vec4(u, v);
    }
    if (i < x.size && k < args.k) u = load_pair(x.base, k * x.size + i);
    if (i < x.size && k + 1u < args.k) v = load_pair(x.base, (k + 1u) * x.size + i);
    return vec4(u.x, v.x, u.y, v.y);
}

/* Block number b of a tile: its element, its pair. Neighbours in number are neighbours in memory. */
uvec2 block_at(bool along_k, uint b, uint tile) {
    return along_k ? uvec2(b / PAIRS * 2u, b % PAIRS) : uvec2(b % (tile / 2u) * 2u, b / (tile / 2u));
}

void fetch(uint first_m, uint first_n, uint begin) {
    matrix a = matrix_a(), b = matrix_b();
    [[unroll]] for (uint o = 0; o < A_OWN; o++) {
        uvec2 at = block_at(a.along_k, gl_LocalInvocationID.x + o * gl_WorkGroupSize.x, TILE_M);
        next_a[o] = load_block(a, first_m + at.x, begin + at.y * 2u);
    }
    [[unroll]] for (uint o = 0; o < B_OWN; o++) {
        uvec2 at = block_at(b.along_k, gl_LocalInvocationID.x + o * gl_WorkGroupSize.x, TILE_N);
        next_b[o] = load_block(b, first_n + at.x, begin + at.y * 2u);
    }
}

void stage(uint which) {
    [[unroll]] for (uint o = 0; o < A_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        uvec2 at = block_at(matrix_a().along_k, i, TILE_M);
        uint line = (which * PAIRS + at.y) * LINE_A + at.x;
        if (i < TILE_M / 2u * PAIRS) {
            tile_a[line] = next_a[o].xy;
            tile_a[line + 1u] = next_a[o].zw;
        }
    }
    [[unroll]] for (uint o = 0; o < B_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        uvec2 at = block_at(matrix_b().along_k, i, TILE_N);
        uint line = (which * PAIRS + at.y) * LINE_B + at.x;
        if (i < TILE_N / 2u * PAIRS) {
            tile_b[line] = next_b[o].xy;
            tile_b[line + 1u] = next_b[o].zw;
        }
    }
}

void main() {
    uint tiles_n = (args.n + TILE_N - 1u) / TILE_N;
    uint first_m = group_id() / tiles_n * TILE_M, first_n = group_id() % tiles_n * TILE_N;
    if (first_m >= args.m) return;
    uint me = gl_LocalInvocationID.x, own_m = me / SIDE_N, own_n = me % SIDE_N;
    float sums[OWN_M * OWN_N];
    [[unroll]] for (uint i = 0; i < OWN_M * OWN_N; i++) sums[i] = 0.0;

    fetch(first_m, first_n, 0u);
    stage(0u);
    barrier();
    uint now = 0u;
    for (uint begin = 0; begin < args.k; begin += STEP) {
        bool more = begin + STEP < args.k;
        if (more) fetch(first_m, first_n, begin + STEP);
        [[unroll]] for (uint p = 0; p < PAIRS; p++) {
            vec2 a[OWN_M], b[OWN_N];
            [[unroll]] for (uint i = 0; i < OWN_M; i++) a[i] = tile_a[(now * PAIRS + p) * LINE_A + own_m + i * SIDE_M];
            [[unroll]] for (uint j = 0; j < OWN_N; j++) b[j] = tile_b[(now * PAIRS + p) * LINE_B + own_n + j * SIDE_N];
            [[unroll]] for (uint i = 0; i < OWN_M; i++)
                [[unroll]] for (uint j = 0; j < OWN_N; j++)
                    sums[i * OWN_N + j] += a[i].x * b[j].x + a[i].y * b[j].y;
        }
        if (BUFFERS == 1u) barrier();
        if (BUFFERS == 2u) now = 1u - now;
        if (more) stage(now);
        barrier();
    }
    [[unroll]] for (uint i = 0; i < OWN_M; i++)
        [[unroll]] for (uint j = 0; j < OWN_N; j++) {
            uint row = first_m + own_m + i * SIDE_M, column = first_n + own_n + j * SIDE_N;
            if (row < args.m && column < args.n) OUT_F32(args.c, (row * args.n + column) * 4u, sums[i * OWN_N + j]);
        }
}
