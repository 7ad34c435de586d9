/* One workgroup a row. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_RMS_NORM
#include "common/greta.glsl"
#include "common/reduce.glsl"

void main() {
    uint row = group_id();
    if (row >= args.n_rows) return;
    uint n = args.n_cols, begin = row * n * 4u;
    float sum = 0.0;
    for (uint c = gl_LocalInvocationID.x; c < n; c += gl_WorkGroupSize.x) {
        float x = IN_F32(args.x, begin + c * 4u);
        sum += x * x;
    }
    float factor = 1.0 / sqrt(workgroup_add(sum) / float(n) + args.eps);
    for (uint c = gl_LocalInvocationID.x; c < n; c += gl_WorkGroupSize.x)
        OUT_F32(args.y, begin + c * 4u, IN_F32(args.x, begin + c * 4u) * factor * IN_F32(args.w, c * 4u));
}
