/*
 * An invocation makes OWN_ROWS results of OWN_GROUPS times OWN_TOKENS tokens: for devices that are CPUs (common/lanes.glsl). Of a unit the
 * weights are read and decoded once for all groups of tokens. Halves of a unit and groups are loops that stay loops, since what is unrolled
 * is built again at each start.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATMUL
#include "common/greta.glsl"
#include "common/lane_loads.glsl"
#include "common/decode.glsl"
#include "common/decode_unit.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint OWN_ROWS = 8;
layout(constant_id = 4) const uint OWN_TOKENS = 4;
layout(constant_id = 5) const uint OWN_GROUPS = 3;

/* Columns of a step: half a unit, which has one scale. Lane i of eight reads columns 2 i and 2 i + 1 of them. */
const uint STEP = 16u;

vec2 load_x(uint token, uint unit, uint half_unit) {
    uint column = unit * 32u + half_unit * STEP + 2u * (gl_SubgroupInvocationID & 7u);
    return uintBitsToFloat(IN_PAIR(args.x, (token * args.n_cols + column) * 4u));
}

float x_of(vec2 x, uint column) { return subgroupBroadcast((column & 1u) == 0u ? x.x : x.y, column >> 1); }

const uint N_OWN = OWN_ROWS * OWN_TOKENS; /* results of a group of tokens */
uint rows[OWN_ROWS];
float sums[OWN_GROUPS * N_OWN], weights[OWN_ROWS * STEP];

/* Before scale and offset, of half a unit of row r: plain weights are read chunk by chunk, quantized ones by units. */
void load_weights(packed_weight w, packed_unit p, uint r, uint unit, uint half_unit) {
    [[unroll]] for (uint i = 0; i < 2u; i++) {
        uint k = 2u * half_unit + i;
        vec4 lo, hi;
        if (has_scale(W_FORMAT)) {
            lo = unit_integers(p, W_FORMAT, 2u * k);
            hi = unit_integers(p, W_FORMAT, 2u * k + 1u);
        } else {
            chunk_integers(load_chunk(w, W_FORMAT, rows[r], unit * 4u + k), W_FORMAT, k, lo, hi);
        }
        [[unroll]] for (uint e = 0; e < 4u; e++) {
            weights[r * STEP + i * 8u + e] = lo[e];
            weights[r * STEP + i * 8u + 4u + e] = hi[e];
        }
    }
}

void multiply(packed_weight w, uint first_token) {
    uint n_groups = min((args.n_tok - first_token + OWN_TOKENS - 1u) / OWN_TOKENS, OWN_GROUPS);
    [[unroll]] for (uint i = 0; i < OWN_GROUPS * N_OWN; i++) sums[i] = 0.0;
    for (uint unit = 0; unit < args.n_cols / 32u; unit++) {
        packed_unit p[OWN_ROWS];
        [[unroll]] for (uint r = 0; r < OWN_ROWS; r++)
            if (has_scale(W_FORMAT)) p[r] = load_unit(w, W_FORMAT, rows[r], unit);
        [[dont_unroll]] for (uint h = 0; h < 2u; h++) {
            float scale[OWN_ROWS], offset[OWN_ROWS];
            [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) {
                load_weights(w, p[r], r, unit, h);
                scale_of(p[r].scale, W_FORMAT, unit, h, scale[r], offset[r]);
            }
            [[dont_unroll]] for (uint g = 0; g < n_groups; g++)
                /* Token by token, so that their sums stay in registers; past the end the last token again, not stored. */
                [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++) {
                    vec2 x = load_x(min(first_token + g * OWN_TOKENS + t, args.n_tok - 1u), unit, h);
                    float products[OWN_ROWS], x_sum = 0.0;
                    [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) products[r] = 0.0;
                    [[unroll]] for (uint e = 0; e < STEP; e++) {
                        float v = x_of(x, e);
                        [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) products[r] += weights[r * STEP + e] * v;
                        x_sum += v;
                    }
                    [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) {
                        float more = scale[r] * products[r];
                        if (has_offset(W_FORMAT)) more += offset[r] * x_sum;
                        /* By selects: what has an index that is no constant is read and written lane by lane. */
                        [[unroll]] for (uint i = 0; i < OWN_GROUPS; i++) sums[i * N_OWN + r * OWN_TOKENS + t] += i == g ? more : 0.0;
                    }
                }
        }
    }
}

void main() {
    uint tile = OWN_TOKENS * OWN_GROUPS, n_tiles = (args.n_tok + tile - 1u) / tile; /* those that read the same weights follow each other */
    uint first_token = group_id() % n_tiles * tile;
    uint first = group_id() / n_tiles * gl_WorkGroupSize.x * OWN_ROWS + gl_LocalInvocationID.x;
    /* Past the end the last row again, not stored. */
    [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) rows[r] = min(first + r * gl_WorkGroupSize.x, args.n_rows - 1u);
    multiply(packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols), first_token);
    [[unroll]] for (uint i = 0; i < OWN_GROUPS * N_OWN; i++) {
        uint r = i / OWN_TOKENS % OWN_ROWS, token = first_token + i / N_OWN * OWN_TOKENS + i % OWN_TOKENS;
        if (first + r * gl_WorkGroupSize.x < args.n_rows && token < args.n_tok)
            OUT_F32(args.y, (token * args.n_rows + rows[r]) * 4u, sums[i]);
    }
}
