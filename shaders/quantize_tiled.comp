/* Eight invocations a unit of 32 elements, four elements each; see quantize.glsl. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_QUANTIZE
#include "common/greta.glsl"
#include "common/quantize.glsl"

layout(constant_id = 1) const uint ALIGNED = 1; /* x at a multiple of 16 bytes, n_cols a multiple of 4 */

void main() {
    uint n_units = GRETA_Q8A_UNITS(args.n_cols), me = gl_LocalInvocationID.x;
    uint unit = group_id() * (gl_WorkGroupSize.x / 8u) + me / 8u, row = unit / n_units, in_row = unit % n_units;
    bool inside = row < args.n_rows;
    uint c = in_row * 32u + me % 8u * 4u;
    vec4 x = vec4(0.0);
    if (inside && ALIGNED == 1 && c < args.n_cols) x = IN_VEC4(args.x, (row * args.n_cols + c) * 4u);
    if (inside && ALIGNED != 1)
        [[unroll]] for (uint e = 0; e < 4u; e++)
            if (c + e < args.n_cols) x[e] = IN_F32(args.x, (row * args.n_cols + c + e) * 4u);
    quantize_four(args.y, row, args.n_cols, c, x, inside);
}
