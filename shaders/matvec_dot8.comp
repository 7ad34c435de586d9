/* A workgroup makes ROWS results from activations of 8 bits, products of four bytes at once; otherwise as matvec_rows.comp. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATVEC
#include "common/greta.glsl"
#include "common/decode_i8.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_Q8_0;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_Q8A;
layout(constant_id = 3) const uint ADD = 0;
layout(constant_id = 4) const uint ROWS = 2;
layout(constant_id = 5) const uint STEPS = 2;

shared float partials[ROWS * (gl_WorkGroupSize.x / SUBGROUP_MIN)];

void main() {
    uint first = group_id() * ROWS, r = gl_LocalInvocationID.x;
    if (first >= args.n_rows) return;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);
    uint n_chunks = args.n_cols / 8u, d_offset = GRETA_Q8A_D_OFFSET(args.n_cols);
    float sums[ROWS];
    [[unroll]] for (uint i = 0; i < ROWS; i++) sums[i] = 0.0;

    for (uint begin = gl_LocalInvocationID.x; begin < n_chunks; begin += gl_WorkGroupSize.x * STEPS) {
        packed_chunk p[STEPS * ROWS];
        uvec2 x[STEPS];
        float d[STEPS];
        [[unroll]] for (uint s = 0; s < STEPS; s++) {
            /* Past the end the last chunk is read again and not used: a branch here would serialize the loads. */
            uint inside = min(begin + s * gl_WorkGroupSize.x, n_chunks - 1u);
            [[unroll]] for (uint i = 0; i < ROWS; i++)
                p[s * ROWS + i] = load_chunk(w, W_FORMAT, min(first + i, args.n_rows - 1u), inside);
            x[s] = IN_UVEC2(args.x, inside * 8u);
            d[s] = IN_F32(args.x, d_offset + (inside >> 2) * 4u);
        }
        [[unroll]] for (uint s = 0; s < STEPS; s++) {
            uint chunk = begin + s * gl_WorkGroupSize.x;
            if (chunk < n_chunks) {
                float x_sum = 0.0;
                if (has_offset(W_FORMAT)) x_sum = d[s] * float(dot8(x[s], uvec2(0x01010101u)));
                [[unroll]] for (uint i = 0; i < ROWS; i++) {
                    bytes_8 v = chunk_bytes(p[s * ROWS + i], W_FORMAT, chunk);
                    sums[i] += v.scale * (d[s] * float(dot8(v.q, x[s])));
                    if (has_offset(W_FORMAT)) sums[i] += v.offset * x_sum;
                }
            }
        }
    }
    [[unroll]] for (uint i = 0; i < ROWS; i++) {
        float part = subgroupAdd(sums[i]);
        if (subgroupElect()) partials[i * gl_NumSubgroups + gl_SubgroupID] = part;
    }
    barrier();
    if (r < ROWS && first + r < args.n_rows) {
        float sum = 0.0;
        for (uint k = 0; k < gl_NumSubgroups; k++) sum += partials[r * gl_NumSubgroups + k];
        uint at = (first + r) * 4u;
        OUT_F32(args.y, at, ADD == 1 ? LOAD_F32(args.y, at) + sum : sum);
    }
}
