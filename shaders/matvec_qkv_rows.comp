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
layout(constant_id = 11) const uint UNITS = 0;

/*
 * Row i of the group that begins at `first`. In mode 1 two rows that rotate together lie n_rot / 2 apart: a head's rows are taken in
 * such pairs first, those past n_rot then follow each other.
 */
uint row_at(uint first, uint i) {
    uint at = first + i, in_head = at % args.head_dim, rest = at - in_head, half_rot = args.n_rot / 2u;
    if (MODE == 0 || in_head >= args.n_rot) return at;
    return rest + in_head / 2u + (in_head & 1u) * half_rot;
}

#define SETS 1
#define WITH_NORM
#define ROW_AT(first, i) row_at(first, i)
#define WITH_UNITS
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
    if (V_TYPE != W_TYPE && is_v)
        rows_multiply(packed_open(base, V_TYPE, n_rows, args.n_cols), V_TYPE, uint64_t[SETS](base), first, n_rows);
    else
        rows_multiply(packed_open(base, W_TYPE, n_rows, args.n_cols), W_TYPE, uint64_t[SETS](base), first, n_rows);

    uint r = gl_LocalInvocationID.x * 2u, at = (first + r) % args.head_dim;
    if (r >= ROWS || first + r >= n_rows) return;
    uint row = row_at(first, r), other = row_at(first, r + 1u);
    uint pos = IN_U32(args.step, 4u);
    float factor = norm_factor(), x = sum_of(r) * factor, y = sum_of(r + 1u) * factor;
    if (BIAS == 1) {
        uint begin = is_q ? 0u : is_v ? n_q + n_kv : n_q;
        x += IN_F32(args.bias, (begin + row) * 4u);
        y += IN_F32(args.bias, (begin + other) * 4u);
    }
    if (!is_v && at < args.n_rot) {
        uint entry = (pos * args.n_rot + at) * 4u;
        float c = IN_F32(args.table, entry), s = IN_F32(args.table, entry + 4u), u = x;
        x = u * c - y * s;
        y = u * s + y * c;
    }
    if (is_q) {
        OUT_F32(args.q, row * 4u, x);
        OUT_F32(args.q, other * 4u, y);
    } else if (pos < args.n_ctx) {
        uint64_t cache = is_v ? args.v_cache : args.k_cache;
        store_element(cache, pos * n_kv + row, KV_TYPE, x);
        store_element(cache, pos * n_kv + other, KV_TYPE, y);
    }
}
