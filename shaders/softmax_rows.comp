/* One workgroup a row; y may be x, so that an invocation writes only what it alone has read. See rows.glsl. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_SOFTMAX
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
    float most = LOWEST;
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        uint c = me + o * gl_WorkGroupSize.x;
        own[o] = vec4(LOWEST);
        if (c < n) own[o] = args.scale * reload_piece(args.x, begin + c * PIECE_BYTES);
    }
    [[unroll]] for (uint o = 0; o < OWN; o++) most = piece_max(most, own[o]);
    for (uint c = me + n_own; c < n; c += gl_WorkGroupSize.x)
        most = piece_max(most, args.scale * reload_piece(args.x, begin + c * PIECE_BYTES));
    most = workgroup_max(most);
    float sum = 0.0;
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        own[o] = exp(own[o] - most);
        if (me + o * gl_WorkGroupSize.x < n) sum += piece_sum(own[o]);
    }
    for (uint c = me + n_own; c < n; c += gl_WorkGroupSize.x) {
        vec4 e = exp(args.scale * reload_piece(args.x, begin + c * PIECE_BYTES) - most);
        store_piece(args.y, begin + c * PIECE_BYTES, e); /* read again below by this same invocation */
        sum += piece_sum(e);
    }
    float factor = 1.0 / workgroup_add(sum);
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        uint c = me + o * gl_WorkGroupSize.x;
        if (c < n) store_piece(args.y, begin + c * PIECE_BYTES, own[o] * factor);
    }
    for (uint c = me + n_own; c < n; c += gl_WorkGroupSize.x)
        store_piece(args.y, begin + c * PIECE_BYTES, reload_piece(args.y, begin + c * PIECE_BYTES) * factor);
}
