/*
 * A workgroup makes ROWS results; its invocations share the columns, a chunk of eight at a time, so that one subgroup reads
 * whole lines of a row and each x that it reads serves ROWS rows. All of a step's loads are issued before the first is used.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATVEC
#include "common/greta.glsl"
#include "common/decode.glsl"

layout(constant_id = 1) const uint W_TYPE = GRETA_TYPE_F32;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint ROWS = 4;
layout(constant_id = 4) const uint STEPS = 1;   /* chunks that an invocation has under way */
layout(constant_id = 5) const uint ALIGNED = 1; /* x at a multiple of 16 bytes, n_cols a multiple of 8 */

shared float partials[ROWS * (gl_WorkGroupSize.x / SUBGROUP_MIN)];

void load_x(uint chunk, out vec4 lo, out vec4 hi) {
    if (ALIGNED == 1) {
        lo = IN_VEC4(args.x, chunk * 32u);
        hi = IN_VEC4(args.x, chunk * 32u + 16u);
    } else {
        [[unroll]] for (uint e = 0; e < 8u; e++) {
            float x = chunk * 8u + e < args.n_cols ? IN_F32(args.x, (chunk * 8u + e) * 4u) : 0.0;
            if (e < 4u)
                lo[e] = x;
            else
                hi[e - 4u] = x;
        }
    }
}

float dot_chunk(packed_chunk p, uint chunk, vec4 lo, vec4 hi, float x_sum) {
    weights_8 w = decode_chunk(p, W_TYPE, chunk);
    float sum = dot(w.lo, lo) + dot(w.hi, hi);
    if (type_has_scale(W_TYPE)) sum *= w.scale;
    if (type_has_offset(W_TYPE)) sum += w.offset * x_sum;
    return sum;
}

void main() {
    uint first = group_id() * ROWS;
    if (first >= args.n_rows) return;
    packed_weight w = packed_open(args.w, W_TYPE, args.n_rows, args.n_cols);
    uint n_chunks = (args.n_cols + 7u) / 8u;

    float sums[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; r++) sums[r] = 0.0;

    for (uint begin = gl_LocalInvocationID.x; begin < n_chunks; begin += gl_WorkGroupSize.x * STEPS) {
        packed_chunk p[STEPS * ROWS];
        vec4 lo[STEPS], hi[STEPS];
        [[unroll]] for (uint s = 0; s < STEPS; s++) {
            /* Past the end the last chunk is read again and not used: a branch here would serialize the loads. */
            uint chunk = begin + s * gl_WorkGroupSize.x;
            uint inside = min(chunk, n_chunks - 1u);
            [[unroll]] for (uint r = 0; r < ROWS; r++)
                p[s * ROWS + r] = load_chunk(w, W_TYPE, min(first + r, args.n_rows - 1u), inside);
            load_x(inside, lo[s], hi[s]);
        }
        [[unroll]] for (uint s = 0; s < STEPS; s++) {
            uint chunk = begin + s * gl_WorkGroupSize.x;
            if (chunk < n_chunks) {
                float x_sum = 0.0;
                if (type_has_offset(W_TYPE)) x_sum = dot(lo[s] + hi[s], vec4(1.0));
                [[unroll]] for (uint r = 0; r < ROWS; r++)
                    sums[r] += dot_chunk(p[s * ROWS + r], chunk, lo[s], hi[s], x_sum);
            }
        }
    }

    [[unroll]] for (uint r = 0; r < ROWS; r++) {
        float part = subgroupAdd(sums[r]);
        if (subgroupElect()) partials[r * gl_NumSubgroups + gl_SubgroupID] = part;
    }
    barrier();
    uint r = gl_LocalInvocationID.x;
    if (r < ROWS && first + r < args.n_rows) {
        float sum = 0.0;
        for (uint i = 0; i < gl_NumSubgroups; i++) sum += partials[r * gl_NumSubgroups + i];
        OUT_F32(args.y, (first + r) * 4u, sum);
    }
}
