/* One invocation an element of k and the same one of v; of a Q8_0 cache a unit of 32 of each. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_KV_UPDATE
#include "common/greta.glsl"
#include "common/kv.glsl"

layout(constant_id = 1) const uint KV_TYPE = GRETA_TYPE_F16;

void store_unit(uint64_t cache, uint64_t source, uint i, uint row) {
    float x[32];
    [[unroll]] for (uint e = 0; e < 32u; e++) x[e] = IN_F32(source, (i + e) * 4u);
    kv_store_unit(cache, row, args.n_cols, i % args.n_cols, x);
}

void main() {
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (KV_TYPE == GRETA_TYPE_Q8_0) i *= 32u;
    if (i >= args.n_tok * args.n_cols) return;
    uint row = IN_U32(args.step, 4u) + i / args.n_cols;
    if (row >= args.n_ctx) return;
    if (KV_TYPE == GRETA_TYPE_Q8_0) {
        store_unit(args.k_cache, args.k, i, row);
        store_unit(args.v_cache, args.v, i, row);
    } else {
        uint at = row * args.n_cols + i % args.n_cols;
        store_element(args.k_cache, at, KV_TYPE, IN_F32(args.k, i * 4u));
        store_element(args.v_cache, at, KV_TYPE, IN_F32(args.v, i * 4u));
    }
}
