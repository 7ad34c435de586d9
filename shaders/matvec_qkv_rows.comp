/*
 * A workgroup makes ROWS results (an even number) of one of the three weights; an invocation finishes two that are neighbours, a
 * pair of the rotation.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATVEC_QKV
#include "common/greta.glsl"
#include "common/decode.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint V_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 3) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 4) const uint KV_TYPE = GRETA_TYPE_F16;
layout(constant_id = 5) const uint MODE = 0;
layout(constant_id = 6) const uint NORM = 0;
layout(constant_id = 7) const uint BIAS = 0;
layout(constant_id = 8) const uint ROWS = 4;
layout(constant_id = 9) const uint STEPS = 1;
layout(constant_id = 10) const uint ALIGNED = 1;
layout(constant_id = 11) const uint UNITS = 0;

#include "common/qkv.glsl"

#define SETS 1
#define WITH_NORM
#define ROW_AT(first, i) row_at(first, i)
#define WITH_UNITS
#include "common/matvec.glsl"

void main() {
    qkv_rows g = qkv_group(ROWS);
    if (g.first >= g.n_rows) return;

    if (V_FORMAT != W_FORMAT && g.is_v)
        rows_multiply(packed_open(g.base, V_FORMAT, g.n_rows, args.n_cols), V_FORMAT, uint64_t[SETS](g.base), g.first, g.n_rows);
    else
        rows_multiply(packed_open(g.base, W_FORMAT, g.n_rows, args.n_cols), W_FORMAT, uint64_t[SETS](g.base), g.first, g.n_rows);

    uint r = gl_LocalInvocationID.x * 2u;
    if (r >= ROWS || g.first + r >= g.n_rows) return;
    float factor = norm_factor();
    qkv_store(g, r, sum_of(r) * factor, sum_of(r + 1u) * factor);
}
