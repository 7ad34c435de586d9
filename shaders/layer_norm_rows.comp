/* One workgroup a row: its mean, then the squares of what is left; see rows.glsl. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_LAYER_NORM
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
        uint c = me + o * gl_WorkGroupSize.x;
        own[o] = vec4(0.0);
        if (c < n) own[o] = load_piece(args.x, begin + c * PIECE_BYTES);
    }
    [[unroll]] for (uint o = 0; o < OWN; o++) sum += piece_sum(own[o]);
    for (uint c = me + n_own; c < n; c += gl_WorkGroupSize.x)
        sum += piece_sum(load_piece(args.x, begin + c * PIECE_BYTES));
    float mean = workgroup_add(sum) / float(args.n_cols);
    /* What an invocation has past the end must not count. */
    sum = 0.0;
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        own[o] -= mean;
        if (me + o * gl_WorkGroupSize.x < n) sum += piece_sum(own[o] * own[o]);
    }
    for (uint c = me + n_own; c < n; c += gl_WorkGroupSize.x) {
        vec4 d = load_piece(args.x, begin + c * PIECE_BYTES) - mean;
        sum += piece_sum(d * d);
    }
    float factor = 1.0 / sqrt(workgroup_add(sum) / float(args.n_cols) + args.eps);
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        uint c = me + o * gl_WorkGroupSize.x;
        if (c < n)
            store_piece(args.y, begin + c * PIECE_BYTES,
                        own[o] * factor * load_piece(args.w, c * PIECE_BYTES) + load_piece(args.b, c * PIECE_BYTES));
    }
    for (uint c = me + n_own; c < n; c += gl_WorkGroupSize.x) {
        vec4 d = load_piece(args.x, begin + c * PIECE_BYTES) - mean;
        store_piece(args.y, begin + c * PIECE_BYTES,
                    d * factor * load_piece(args.w, c * PIECE_BYTES) + load_piece(args.b, c * PIECE_BYTES));
    }
}
