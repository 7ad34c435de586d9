/* One workgroup a row; see rows.glsl. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ADD_RMS_NORM
#include "common/greta.glsl"
layout(constant_id = 1) const uint WIDTH = 4;
layout(constant_id = 2) const uint OWN = 4;
#include "common/rows.glsl"

void main() {
    uint row = group_id();
    if (row >= args.n_rows) return;
    uint n = args.n_cols / WIDTH, begin = row * args.n_cols * 4u, me = gl_LocalInvocationID.x;
    uint n_own = OWN * gl_WorkGroupSize.x;
    vec4 own[OWN];
    float sum = 0.0;
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        uint c = me + o * gl_WorkGroupSize.x, at = begin + c * PIECE_BYTES;
        own[o] = vec4(0.0);
        if (c < n) own[o] = reload_piece(args.x, at) + load_piece(args.r, at);
    }
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        uint c = me + o * gl_WorkGroupSize.x;
        if (c < n) store_piece(args.x, begin + c * PIECE_BYTES, own[o]);
        sum += piece_sum(own[o] * own[o]);
    }
    for (uint c = me + n_own; c < n; c += gl_WorkGroupSize.x) {
        uint at = begin + c * PIECE_BYTES;
        vec4 x = reload_piece(args.x, at) + load_piece(args.r, at);
        store_piece(args.x, at, x); /* read again below by this same invocation */
        sum += piece_sum(x * x);
    }
    float factor = 1.0 / sqrt(workgroup_add(sum) / float(args.n_cols) + args.eps);
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        uint c = me + o * gl_WorkGroupSize.x;
        if (c < n) store_piece(args.y, begin + c * PIECE_BYTES, own[o] * factor * load_piece(args.w, c * PIECE_BYTES));
    }
    for (uint c = me + n_own; c < n; c += gl_WorkGroupSize.x)
        store_piece(args.y, begin + c * PIECE_BYTES,
                    reload_piece(args.x, begin + c * PIECE_BYTES) * factor * load_piece(args.w, c * PIECE_BYTES));
}
