/* A workgroup a head of a token: for norms, which need all of it, biases, and caches that are rounded in units. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ROPE_KV
#include "common/greta.glsl"
#include "common/kv.glsl"
#include "common/reduce.glsl"

layout(constant_id = 1) const uint MODE = 0;
layout(constant_id = 2) const uint KV_TYPE = GRETA_TYPE_F16;
layout(constant_id = 3) const uint NORM = 0;
layout(constant_id = 4) const uint BIAS = 0;

shared float values[256];

void main() {
    uint n = args.head_dim, n_heads = args.n_head + 2u * args.n_head_kv, me = gl_LocalInvocationID.x;
    uint t = group_id() / n_heads, head = group_id() % n_heads;
    if (t >= args.n_tok) return;
    uint pos = IN_U32(args.step, 4u) + t;
    bool is_q = head < args.n_head, is_v = head >= args.n_head + args.n_head_kv;
    if (!is_q && pos >= args.n_ctx) return;
    uint h = is_q ? head : is_v ? head - args.n_head - args.n_head_kv : head - args.n_head;
    uint from = (t * (is_q ? args.n_head : args.n_head_kv) + h) * n;
    uint64_t source = is_q ? args.q : is_v ? args.v : args.k;

    float sum = 0.0;
    for (uint c = me; c < n; c += gl_WorkGroupSize.x) {
        float x = LOAD_F32(source, (from + c) * 4u);
        if (BIAS == 1) x += IN_F32(args.bias, (head * n + c) * 4u);
        values[c] = x;
        sum += x * x;
    }
    if (NORM == 1 && !is_v) {
        float factor = 1.0 / sqrt(workgroup_add(sum) / float(n) + args.eps);
        for (uint c = me; c < n; c += gl_WorkGroupSize.x)
            values[c] *= factor * IN_F32(is_q ? args.q_norm : args.k_norm, c * 4u);
    }
    barrier();
    uint n_pairs = is_v ? 0u : args.n_rot / 2u;
    for (uint j = me; j < n_pairs; j += gl_WorkGroupSize.x) {
        uint a = MODE == 0 ? 2u * j : j, b = MODE == 0 ? a + 1u : j + n_pairs, at = (pos * n_pairs + j) * 8u;
        float c = IN_F32(args.table, at), s = IN_F32(args.table, at + 4u), x = values[a], y = values[b];
        values[a] = x * c - y * s;
        values[b] = x * s + y * c;
    }
    barrier();
    uint64_t cache = is_v ? args.v_cache : args.k_cache;
    uint n_cols = args.n_head_kv * n;
    if (!is_q && KV_TYPE == GRETA_TYPE_Q8_0) {
        for (uint c = me * 32u; c < n; c += gl_WorkGroupSize.x * 32u) {
            float x[32];
            [[unroll]] for (uint e = 0; e < 32u; e++) x[e] = values[c + e];
            kv_store_unit(cache, pos, n_cols, h * n + c, x);
        }
        return;
    }
    for (uint c = me; c < n; c += gl_WorkGroupSize.x) {
        if (is_q)
            OUT_F32(args.q, (from + c) * 4u, values[c]);
        else
            store_element(cache, pos * n_cols + h * n + c, KV_TYPE, values[c]);
    }
}
