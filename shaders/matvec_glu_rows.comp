/* A workgroup makes ROWS results: it reads the same rows of both weights side by side. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATVEC_GLU
#include "common/greta.glsl"
#include "common/act.glsl"
#include "common/decode.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint ACT = GRETA_ACT_SILU;
layout(constant_id = 4) const uint NORM = 0;
layout(constant_id = 5) const uint ROWS = 4;
layout(constant_id = 6) const uint STEPS = 1;
layout(constant_id = 7) const uint ALIGNED = 1;
layout(constant_id = 8) const uint UNITS = 0;
#define SETS 2
#define WITH_NORM
#define WITH_UNITS
#include "common/matvec.glsl"

void main() {
    uint first = group_id() * ROWS, r = gl_LocalInvocationID.x;
    if (first >= args.n_rows) return;
    packed_weight w = packed_open(args.w_gate, W_FORMAT, args.n_rows, args.n_cols);
    rows_multiply(w, W_FORMAT, uint64_t[SETS](args.w_gate, args.w_up), first, args.n_rows);
    if (r < ROWS && first + r < args.n_rows) {
        float factor = norm_factor();
        OUT_F32(args.y, (first + r) * 4u, act_of(ACT, sum_of(r) * factor) * (sum_of(ROWS + r) * factor));
    }
}
