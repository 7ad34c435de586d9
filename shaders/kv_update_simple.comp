/* One invocation an element of k and the same one of v. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_KV_UPDATE
#include "common/greta.glsl"

layout(constant_id = 1) const uint KV_TYPE = GRETA_TYPE_F16;

void main() {
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n_tok * args.n_cols) return;
    uint pos = IN_U32(args.step, 4u);
    if (pos + i / args.n_cols >= args.n_ctx) return;
    uint at = pos * args.n_cols + i;
    store_element(args.k_cache, at, KV_TYPE, IN_F32(args.k, i * 4u));
    store_element(args.v_cache, at, KV_TYPE, IN_F32(args.v, i * 4u));
}
