/* An invocation makes OWN_ROWS results of OWN_TOKENS tokens: for devices that are CPUs. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATMUL
#include "common/greta.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint OWN_ROWS = 1;
layout(constant_id = 4) const uint OWN_TOKENS = 4;
#include "common/lanes.glsl"

void main() {
    uint n_tiles = (args.n_tok + OWN_TOKENS - 1u) / OWN_TOKENS; /* of tokens: those that read the same weights follow each other */
    uint first_token = group_id() % n_tiles * OWN_TOKENS;
    uint first = group_id() / n_tiles * gl_WorkGroupSize.x * OWN_ROWS + gl_LocalInvocationID.x;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);
    /* Past the ends the last ones again, not stored. */
    [[unroll]] for (uint r = 0; r < OWN_ROWS; r++) {
        bases[r] = args.w;
        rows[r] = min(first + r * gl_WorkGroupSize.x, args.n_rows - 1u);
    }
    [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++) tokens[t] = min(first_token + t, args.n_tok - 1u);
    lanes_multiply(w, W_FORMAT);
    [[unroll]] for (uint r = 0; r < OWN_ROWS; r++)
        [[unroll]] for (uint t = 0; t < OWN_TOKENS; t++)
            if (first + r * gl_WorkGroupSize.x < args.n_rows && first_token + t < args.n_tok)
                OUT_F32(args.y, (tokens[t] * args.n_rows + rows[r]) * 4u, sums[r * OWN_TOKENS + t]);
}
