/* A workgroup makes ROWS results. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATVEC
#include "common/greta.glsl"
#include "common/decode.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint ADD = 0;
layout(constant_id = 4) const uint ROWS = 4;
layout(constant_id = 5) const uint STEPS = 1;
layout(constant_id = 6) const uint ALIGNED = 1;
layout(constant_id = 7) const uint UNITS = 0;
#define SETS 1
#define WITH_UNITS
#include "common/matvec.glsl"

void main() {
    uint first = group_id() * ROWS, r = gl_LocalInvocationID.x;
    if (first >= args.n_rows) return;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);
    rows_multiply(w, W_FORMAT, uint64_t[SETS](args.w), first, args.n_rows);
    if (r < ROWS && first + r < args.n_rows) {
        uint at = (first + r) * 4u;
        OUT_F32(args.y, at, ADD == 1 ? LOAD_F32(args.y, at) + sum_of(r) : sum_of(r));
    }
}
