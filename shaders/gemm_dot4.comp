/*
 * 8-bit integers by the unit that multiplies four of them at once: memory is read in words of four along what is contiguous, LDS
 * holds words along k, whichever that is. A workgroup of SIDE x SIDE invocations makes OWN x OWN results each. Any order;
 * what is contiguous is a multiple of 4.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_GEMM
#include "common/greta.glsl"
#include "common/dot4.glsl"
#include "common/gemm.glsl"

layout(constant_id = 4) const uint SIDE = 16; /* gl_WorkGroupSize.x is SIDE * SIDE */
layout(constant_id = 5) const uint OWN = 4;
layout(constant_id = 6) const uint STEP = 32; /* of k: a multiple of 4 */

const uint TILE = SIDE * OWN, WORDS = STEP / 4u, BLOCKS = TILE / 4u * WORDS;
const uint LINE = TILE + 1u; /* spreads the lines over the banks */

shared uint tile_a[WORDS * LINE], tile_b[WORDS * LINE];

/* Byte e of four words, in order. */
uint gather(uvec4 w, uint e) {
    uvec4 b = (w >> (8u * e)) & 255u;
    return b.x | b.y << 8 | b.z << 16 | b.w << 24;
}

/* The words of k .. k + 3 of elements i .. i + 3, all multiples of 4: zeros past an edge. */
uvec4 load_block(matrix x, uint i, uint k) {
    uvec4 w = uvec4(0);
    if (x.along_k) {
        [[unroll]] for (uint e = 0; e < 4u; e++)
            if (k < args.k && i + e < x.size) w[e] = IN_U32(x.base, (i + e) * args.k + k);
        return w;
    }
    [[unroll]] for (uint e = 0; e < 4u; e++)
        if (k + e < args.k && i < x.size) w[e] = IN_U32(x.base, (k + e) * x.size + i);
    return uvec4(gather(w, 0u), gather(w, 1u), gather(w, 2u), gather(w, 3u));
}

/* Block number b of a tile: its first element, its word. Neighbours in number are neighbours in memory. */
uvec2 block_at(bool along_k, uint b) {
    return along_k ? uvec2(b / WORDS * 4u, b % WORDS) : uvec2(b % (TILE / 4u) * 4u, b / (TILE / 4u));
}

void main() {
    uint tiles_n = (args.n + TILE - 1u) / TILE;
    uint first_m = group_id() / tiles_n * TILE, first_n = group_id() % tiles_n * TILE;
    if (first_m >= args.m) return;
    uint me = gl_LocalInvocationID.x, own_m = me / SIDE, own_n = me % SIDE;
    matrix a = matrix_a(), b = matrix_b();
    int sums[OWN * OWN];
    [[unroll]] for (uint i = 0; i < OWN * OWN; i++) sums[i] = 0;

    for (uint begin = 0; begin < args.k; begin += STEP) {
        for (uint i = me; i < BLOCKS; i += gl_WorkGroupSize.x) {
            uvec2 at = block_at(a.along_k, i);
            uvec4 w = load_block(a, first_m + at.x, begin + at.y * 4u);
            [[unroll]] for (uint e = 0; e < 4u; e++) tile_a[at.y * LINE + at.x + e] = w[e];
            at = block_at(b.along_k, i);
            w = load_block(b, first_n + at.x, begin + at.y * 4u);
            [[unroll]] for (uint e = 0; e < 4u; e++) tile_b[at.y * LINE + at.x + e] = w[e];
        }
        barrier();
        [[unroll]] for (uint l = 0; l < WORDS; l++) {
            uint u[OWN], v[OWN];
            [[unroll]] for (uint i = 0; i < OWN; i++) u[i] = tile_a[l * LINE + own_m + i * SIDE];
            [[unroll]] for (uint j = 0; j < OWN; j++) v[j] = tile_b[l * LINE + own_n + j * SIDE];
            [[unroll]] for (uint i = 0; i < OWN; i++)
                [[unroll]] for (uint j = 0; j < OWN; j++) sums[i * OWN + j] += dot4(u[i], v[j]);
        }
        barrier();
    }
    [[unroll]] for (uint i = 0; i < OWN; i++)
        [[unroll]] for (uint j = 0; j < OWN; j++) {
            uint row = first_m + own_m + i * SIDE, column = first_n + own_n + j * SIDE;
            if (row < args.m && column < args.n) OUT_U32(args.c, (row * args.n + column) * 4u, uint(sums[i * OWN + j]));
        }
}
