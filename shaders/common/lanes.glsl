/*
 * Products by invocations that have rows of their own, for devices whose invocations are the lanes of a CPU. Mesa's llvmpipe reads memory
 * lane by lane, in the same time however wide a lane's read is, and hands a value from one lane to all others in one instruction. So
 * weights are read by whole units, eight bytes at a time, eight lanes read each x once and hand it round, and nothing is summed
 * across lanes. n_cols a multiple of 32, x at a multiple of 8 bytes, subgroups of 8 or more.
 *
 * Before the include: OWN_ROWS and OWN_TOKENS, what an invocation makes.
 */
#ifndef SHADERS_LANES_GLSL
#define SHADERS_LANES_GLSL

#include "lane_loads.glsl"
#include "decode.glsl"
#include "decode_unit.glsl"

/* Of the 32 of a unit: lane i of eight has columns 2 i, 2 i + 1, 16 + 2 i and 17 + 2 i. */
struct x_unit {
    vec2 lo, hi;
};

x_unit load_x(uint token, uint unit) {
    uint at = (token * args.n_cols + unit * 32u + 2u * (gl_SubgroupInvocationID & 7u)) * 4u;
    x_unit x;
    x.lo = uintBitsToFloat(IN_PAIR(args.x, at));
    x.hi = uintBitsToFloat(IN_PAIR(args.x, at + 64u));
    return x;
}

float x_of(x_unit x, uint column) {
    vec2 pair = column < 16u ? x.lo : x.hi;
    return subgroupBroadcast((column & 1u) == 0u ? pair.x : pair.y, (column & 15u) >> 1);
}

float x_sum(x_unit x, bool lo, bool hi) {
    float own = (lo ? x.lo.x + x.lo.y : 0.0) + (hi ? x.hi.x + x.hi.y : 0.0), sum = 0.0;
    [[unroll]] for (uint i = 0; i < 8u; i++) sum += subgroupBroadcast(own, i);
    return sum;
}

const uint N_OWN = OWN_ROWS * OWN_TOKENS;
/* Of this invocation: rows[r] of the weight at bases[r] times token tokens[t] is to be in sums[r * OWN_TOKENS + t]. */
uint64_t bases[OWN_ROWS];
uint rows[OWN_ROWS], tokens[OWN_TOKENS];
float sums[N_OWN];

/* Chunk k of a unit: plain weights are read chunk by chunk, quantized ones by units. */
void integers_at(packed_weight w, packed_unit p, uint format, uint row, uint unit, uint k, out vec4 lo, out vec4 hi) {
    if (has_scale(format)) {
        lo = unit_integers(p, format, 2u * k);
        hi = unit_integers(p, format, 2u * k + 1u);
    } else {
        chunk_integers(load_chunk(w, format, row, unit * 4u + k), format, k, lo, hi);
    }
}

/* All weights of the shape and the format of w. */
void lanes_multiply(packed_weight w, uint format) {
    bool two_scales = has_two_scales(format);
    [[unroll]] for (uint i = 0; i < N_OWN; i++) sums[i] = 0.0;
    for (uint unit = 0; unit < args.n_cols / 32u; unit++) {
        packed_unit p[OWN_ROWS];
        x_unit x[OWN_TOKENS];
        float products[N_OWN];
        [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) {
            w.base = bases[r];
            if (has_scale(format)) p[r] = load_unit(w, format, rows[r], unit);
        }
        [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++) x[t] = load_x(tokens[t], unit);
        [[unroll]] for (uint k = 0; k < 4u; k++) {
            vec4 lo[OWN_ROWS], hi[OWN_ROWS];
            [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) {
                w.base = bases[r];
                integers_at(w, p[r], format, rows[r], unit, k, lo[r], hi[r]);
            }
            if (k == 0u || (two_scales && k == 2u))
                [[unroll]] for (uint i = 0; i < N_OWN; i++) products[i] = 0.0;
            [[unroll]] for (uint e = 0; e < 8u; e++)
                [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++) {
                    float v = x_of(x[t], k * 8u + e);
                    [[unroll]] for (uint r = 0; r < OWN_ROWS; r++)
                        products[r * OWN_TOKENS + t] += (e < 4u ? lo[r][e & 3u] : hi[r][e & 3u]) * v;
                }
            if (k == 3u || (two_scales && k == 1u))
                [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) {
                    float scale, offset;
                    scale_of(p[r].scale, format, unit, k >> 1, scale, offset);
                    [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++) {
                        sums[r * OWN_TOKENS + t] += scale * products[r * OWN_TOKENS + t];
                        if (has_offset(format))
                            sums[r * OWN_TOKENS + t] += offset * x_sum(x[t], k < 2u || !two_scales, k > 1u);
                    }
                }
        }
    }
}

#endif
