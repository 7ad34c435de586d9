/*
 * A workgroup makes ROWS results (an even number) of one of the three weights; an invocation finishes two that are neighbours, a
 * pair of the rotation.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATVEC_QKV
#include "common/greta.glsl"
#include "common/decode.glsl"

layout(constant_id = 1) const uint W_TYPE = GRETA_TYPE_F32;
layout(constant_id = 2) const uint V_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 4) const uint KV_TYPE = GRETA_TYPE_F16;
layout(constant_id = 5) const uint MODE = 0;
layout(constant_id = 6) const uint NORM = 0;
layout(constant_id = 7) const uint BIAS = 0;
layout(constant_id = 8) const uint ROWS = 4;
layout(constant_id = 9) const uint STEPS = 1;
layout(constant_id = 10) const uint ALIGNED = 1;
#define SETS 1
#include "common/matvec.glsl"

void main() {
    uint n_q = args.n_head * args.head_dim, n_kv = args.n_head_kv * args.head_dim;
    uint groups_q = (n_q + ROWS - 1u) / ROWS, groups_kv = (n_kv + ROWS - 1u) / ROWS;
    uint group = group_id();
    bool is_q = group < groups_q, is_v = group >= groups_q + groups_kv;
    uint first = (group - (is_q ? 0u : is_v ? groups_q + groups_kv : groups_q)) * ROWS;
    uint n_rows = is_q ? n_q : n_kv;
    if (first >= n_rows) return;

    uint64_t base = is_q ? args.w_q : is_v ? args.w_v : args.w_k;
    packed_weight w = packed_open(base, W_TYPE, n_rows, args.n_cols);
    rows_multiply(w, uint64_t[SETS](base), first, n_rows);

    uint r = gl_LocalInvocationID.x * 2u, row = first + r, at = row % args.head_dim;
    if (r >= ROWS || row >= n_rows) return;
    uint pos = IN_U32(args.step, 4u);
    float x = sum_of(r), y = sum_of(r + 1u);
    if (!is_v && at < args.n_rot) {
        uint entry = (pos * args.n_rot + at) * 4u;
        float c = IN_F32(args.table, entry), s = IN_F32(args.table, entry + 4u), u = x;
        x = u * c - y * s;
        y = u * s + y * c;
    }
    if (is_q) {
        OUT_F32(args.q, row * 4u, x);
        OUT_F32(args.q, row * 4u + 4u, y);
    } else if (pos < args.n_ctx) {
        uint64_t cache = is_v ? args.v_cache : args.k_cache;
        store_element(cache, pos * n_kv + row, KV_TYPE, x);
        store_element(cache, pos * n_kv + row + 1u, KV_TYPE, y);
    }
}
