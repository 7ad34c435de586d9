/*
 * One workgroup a token and head, for any shape. Positions are taken in blocks of one an invocation: scores first, then the
 * running maximum and sum, then the weighted values, an invocation a dimension.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ATTN
#include "common/greta.glsl"
#include "common/kv.glsl"
#include "common/act.glsl"
#include "common/reduce.glsl"

layout(constant_id = 1) const uint KV_TYPE = GRETA_TYPE_F16;
layout(constant_id = 2) const uint HEAD_DIM = 64;

const uint MAX_OWN = (HEAD_DIM + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;

#define LOWEST uintBitsToFloat(0xFF800000u) /* -infinity */

shared float query[HEAD_DIM];
shared float weights[gl_WorkGroupSize.x];

void main() {
    uint i = group_id();
    if (i >= args.n_tok * args.n_head) return;
    uint tok = i / args.n_head, head = i % args.n_head, me = gl_LocalInvocationID.x;
    uint group = head / (args.n_head / args.n_head_kv);
    uint n_kv = min(IN_U32(args.step, 4u) + tok + 1u, args.n_ctx);
    uint first = args.window > 0u && n_kv > args.window ? n_kv - args.window : 0u;
    uint row = args.n_head_kv * HEAD_DIM;

    for (uint d = me; d < HEAD_DIM; d += gl_WorkGroupSize.x) query[d] = IN_F32(args.q, (i * HEAD_DIM + d) * 4u);
    barrier();

    float acc[MAX_OWN];
    [[unroll]] for (uint o = 0; o < MAX_OWN; o++) acc[o] = 0.0;
    float largest = LOWEST, sum = 0.0;
    for (uint begin = first; begin < n_kv; begin += gl_WorkGroupSize.x) {
        uint j = begin + me;
        float score = LOWEST;
        if (j < n_kv) {
            float s = 0.0;
            for (uint d = 0; d < HEAD_DIM; d++)
                s += query[d] * kv_load(args.k, j, row, group * HEAD_DIM + d, KV_TYPE);
            score = s * args.scale;
            if (args.softcap > 0.0) score = args.softcap * tanh_of(score / args.softcap);
        }
        float new_largest = max(largest, workgroup_max(score));
        float weight = j < n_kv ? exp(score - new_largest) : 0.0;
        float rescale = exp(largest - new_largest);
        weights[me] = weight;
        sum = sum * rescale + workgroup_add(weight); /* its barriers also publish weights[] */
        if (gl_NumSubgroups == 1) barrier();
        uint n = min(gl_WorkGroupSize.x, n_kv - begin);
        [[unroll]] for (uint o = 0; o < MAX_OWN; o++) {
            uint d = me + o * gl_WorkGroupSize.x;
            acc[o] *= rescale;
            if (d < HEAD_DIM)
                for (uint t = 0; t < n; t++)
                    acc[o] += weights[t] * kv_load(args.v, begin + t, row, group * HEAD_DIM + d, KV_TYPE);
        }
        largest = new_largest;
        barrier();
    }
    [[unroll]] for (uint o = 0; o < MAX_OWN; o++) {
        uint d = me + o * gl_WorkGroupSize.x;
        if (d < HEAD_DIM) OUT_F32(args.y, (i * HEAD_DIM + d) * 4u, acc[o] / sum);
    }
}
