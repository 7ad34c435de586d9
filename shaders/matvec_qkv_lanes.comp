/* An invocation makes two results that are neighbours, a pair of the rotation: for devices that are CPUs. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATVEC_QKV
#include "common/greta.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint V_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 3) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 4) const uint KV_TYPE = GRETA_TYPE_F16;
layout(constant_id = 5) const uint MODE = 0;
layout(constant_id = 6) const uint NORM = 0; /* a norm is another dispatch's */
layout(constant_id = 7) const uint BIAS = 0;
const uint OWN_ROWS = 2;
const uint OWN_TOKENS = 1;
#include "common/lanes.glsl"
#include "common/qkv.glsl"

void main() {
    qkv_rows g = qkv_group(OWN_ROWS * gl_WorkGroupSize.x);
    if (g.first >= g.n_rows) return;

    uint r = gl_LocalInvocationID.x * OWN_ROWS;
    tokens[0] = 0u;
    [[unroll]] for (uint i = 0; i < OWN_ROWS; i++) {
        bases[i] = g.base;
        rows[i] = min(row_at(g.first, r + i), g.n_rows - 1u); /* past the end the last one again, not stored */
    }
    if (V_FORMAT != W_FORMAT && g.is_v)
        lanes_multiply(packed_open(g.base, V_FORMAT, g.n_rows, args.n_cols), V_FORMAT);
    else
        lanes_multiply(packed_open(g.base, W_FORMAT, g.n_rows, args.n_cols), W_FORMAT);
    if (g.first + r < g.n_rows) qkv_store(g, r, sums[0], sums[1]);
}
