/* One workgroup a head, an invocation a dimension; splits are joined in ascending order. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ATTN_REDUCE
#include "common/greta.glsl"

layout(constant_id = 1) const uint HEAD_DIM = 64;

void main() {
    uint head = group_id();
    if (head >= args.n_head) return;
    uint n = min((IN_U32(args.step, 8u) + GRETA_ATTN_CHUNK - 1u) / GRETA_ATTN_CHUNK, args.n_split);
    uint line = (2u + HEAD_DIM) * 4u, at = head * args.n_split * line;
    float largest = IN_F32(args.partials, at);
    for (uint s = 1; s < n; s++) largest = max(largest, IN_F32(args.partials, at + s * line));
    for (uint d = gl_LocalInvocationID.x; d < HEAD_DIM; d += gl_WorkGroupSize.x) {
        float acc = 0.0, sum = 0.0;
        for (uint s = 0; s < n; s++) {
            float factor = exp(IN_F32(args.partials, at + s * line) - largest);
            sum += factor * IN_F32(args.partials, at + s * line + 4u);
            acc += factor * IN_F32(args.partials, at + s * line + 8u + d * 4u);
        }
        OUT_F32(args.y, (head * HEAD_DIM + d) * 4u, acc / sum);
    }
}
