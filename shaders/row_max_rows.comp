/* One workgroup a row; see rows.glsl. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ROW_MAX
#include "common/greta.glsl"
layout(constant_id = 1) const uint WIDTH = 4;
layout(constant_id = 2) const uint OWN = 4;
#include "common/rows.glsl"

void main() {
    uint row = group_id();
    if (row >= args.n_rows) return;
    uint n = args.n_cols / WIDTH, begin = row * args.n_cols * 4u, me = gl_LocalInvocationID.x;
    uint n_own = OWN * gl_WorkGroupSize.x;
    float most = LOWEST;
    for (uint first = me; first < n; first += n_own) {
        vec4 own[OWN];
        [[unroll]] for (uint o = 0; o < OWN; o++)
            own[o] = load_piece(args.x, begin + min(first + o * gl_WorkGroupSize.x, n - 1u) * PIECE_BYTES);
        [[unroll]] for (uint o = 0; o < OWN; o++) most = piece_max(most, own[o]);
    }
    most = workgroup_max(most);
    if (me == 0u) OUT_F32(args.y, row * 4u, most);
}
