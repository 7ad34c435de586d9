/* One workgroup a row: single elements up to where whole pieces begin, then pieces; see rows.glsl. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_CAUSAL_MASK
#include "common/greta.glsl"
layout(constant_id = 1) const uint WIDTH = 4;
layout(constant_id = 2) const uint OWN = 4;
#include "common/rows.glsl"

void main() {
    uint row = group_id();
    if (row >= args.n_rows) return;
    if (args.pos >= args.n_cols || row >= args.n_cols - args.pos) return; /* also where the sum below would overflow */
    uint first = min(args.pos + row + 1u, args.n_cols), begin = row * args.n_cols * 4u;
    uint n = args.n_cols / WIDTH, whole = (first + WIDTH - 1u) / WIDTH;
    for (uint c = first + gl_LocalInvocationID.x; c < whole * WIDTH; c += gl_WorkGroupSize.x)
        OUT_F32(args.x, begin + c * 4u, LOWEST);
    for (uint c = whole + gl_LocalInvocationID.x; c < n; c += OWN * gl_WorkGroupSize.x)
        [[unroll]] for (uint o = 0; o < OWN; o++)
            if (c + o * gl_WorkGroupSize.x < n)
                store_piece(args.x, begin + (c + o * gl_WorkGroupSize.x) * PIECE_BYTES, vec4(LOWEST));
}
