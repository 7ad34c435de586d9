/* One workgroup a row. An invocation keeps the first OWN of its elements in registers and reads the others again. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ADD_RMS_NORM
#include "common/greta.glsl"
#include "common/reduce.glsl"

layout(constant_id = 1) const uint OWN = 4;

void main() {
    uint row = group_id();
    if (row >= args.n_rows) return;
    uint n = args.n_cols, begin = row * n * 4u, me = gl_LocalInvocationID.x, n_own = OWN * gl_WorkGroupSize.x;
    float own[OWN];
    float sum = 0.0;
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        uint c = me + o * gl_WorkGroupSize.x;
        own[o] = 0.0;
        if (c < n) own[o] = LOAD_F32(args.x, begin + c * 4u) + IN_F32(args.r, begin + c * 4u);
    }
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        uint c = me + o * gl_WorkGroupSize.x;
        if (c < n) OUT_F32(args.x, begin + c * 4u, own[o]);
        sum += own[o] * own[o];
    }
    for (uint c = me + n_own; c < n; c += gl_WorkGroupSize.x) {
        float x = LOAD_F32(args.x, begin + c * 4u) + IN_F32(args.r, begin + c * 4u);
        OUT_F32(args.x, begin + c * 4u, x); /* read again below by this same invocation */
        sum += x * x;
    }
    float factor = 1.0 / sqrt(workgroup_add(sum) / float(n) + args.eps);
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        uint c = me + o * gl_WorkGroupSize.x;
        if (c < n) OUT_F32(args.y, begin + c * 4u, own[o] * factor * IN_F32(args.w, c * 4u));
    }
    for (uint c = me + n_own; c < n; c += gl_WorkGroupSize.x)
        OUT_F32(args.y, begin + c * 4u, LOAD_F32(args.x, begin + c * 4u) * factor * IN_F32(args.w, c * 4u));
}
