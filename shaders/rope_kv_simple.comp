/* One invocation two elements of a head: a pair that is rotated, two of those past n_rot, or two of v. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ROPE_KV
#include "common/greta.glsl"

layout(constant_id = 1) const uint MODE = 0;
layout(constant_id = 2) const uint KV_TYPE = GRETA_TYPE_F16;

void main() {
    uint n_pairs = args.n_rot / 2u, n_items = (args.head_dim + 1u) / 2u;
    uint n_heads = args.n_head + 2u * args.n_head_kv;
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n_tok * n_heads * n_items) return;
    uint j = i % n_items, head = i / n_items % n_heads, t = i / n_items / n_heads;
    uint pos = IN_U32(args.step, 4u) + t;
    bool is_q = head < args.n_head, is_v = head >= args.n_head + args.n_head_kv;
    bool rotates = !is_v && j < n_pairs;

    uint first = 2u * j, second = first + 1u;
    if (rotates && MODE == 1) {
        first = j;
        second = j + n_pairs;
    }
    float c = 1.0, s = 0.0;
    if (rotates) {
        uint at = (pos * n_pairs + j) * 8u;
        c = IN_F32(args.table, at);
        s = IN_F32(args.table, at + 4u);
    }
    if (is_q) {
        if (!rotates) return;
        uint begin = (t * args.n_head + head) * args.head_dim;
        uint a = (begin + first) * 4u, b = (begin + second) * 4u;
        float x = LOAD_F32(args.q, a), y = LOAD_F32(args.q, b);
        OUT_F32(args.q, a, x * c - y * s);
        OUT_F32(args.q, b, x * s + y * c);
        return;
    }
    if (pos >= args.n_ctx) return;
    uint h = head - args.n_head - (is_v ? args.n_head_kv : 0u);
    uint from = (t * args.n_head_kv + h) * args.head_dim, to = (pos * args.n_head_kv + h) * args.head_dim;
    uint64_t source = is_v ? args.v : args.k, cache = is_v ? args.v_cache : args.k_cache;
    bool two = second < args.head_dim;
    float x = IN_F32(source, (from + first) * 4u), y = 0.0;
    if (two) y = IN_F32(source, (from + second) * 4u);
    store_element(cache, to + first, KV_TYPE, rotates ? x * c - y * s : x);
    if (two) store_element(cache, to + second, KV_TYPE, rotates ? x * s + y * c : y);
}
