/*
 * What the shaders of matvec_qkv share: which rows a workgroup has, their order, and what becomes of two neighbouring sums, a pair of the
 * rotation. Before the include: the op's keys as constants.
 */
#ifndef SHADERS_QKV_GLSL
#define SHADERS_QKV_GLSL

/* The rows of a workgroup: from `first` on, of n_rows of the weight at `base`. */
struct qkv_rows {
    bool is_q, is_v;
    uint first, n_rows;
    uint64_t base;
};

/* The weights follow each other, groups of group_rows each. */
qkv_rows qkv_group(uint group_rows) {
    uint n_q = args.n_head * args.head_dim, n_kv = args.n_head_kv * args.head_dim, group = group_id();
    uint groups_q = (n_q + group_rows - 1u) / group_rows, groups_kv = (n_kv + group_rows - 1u) / group_rows;
    qkv_rows g;
    g.is_q = group < groups_q;
    g.is_v = group >= groups_q + groups_kv;
    g.first = (group - (g.is_q ? 0u : g.is_v ? groups_q + groups_kv : groups_q)) * group_rows;
    g.n_rows = g.is_q ? n_q : n_kv;
    g.base = g.is_q ? args.w_q : g.is_v ? args.w_v : args.w_k;
    return g;
}

/*
 * Row i of the group that begins at `first`. In mode 1 two rows that rotate together lie n_rot / 2 apart: a head's rows are taken in
 * such pairs first, those past n_rot then follow each other.
 */
uint row_at(uint first, uint i) {
    uint at = first + i, in_head = at % args.head_dim, rest = at - in_head, half_rot = args.n_rot / 2u;
    if (MODE == 0 || in_head >= args.n_rot) return at;
    return rest + in_head / 2u + (in_head & 1u) * half_rot;
}

/* x of row r of the group and y of row r + 1: bias, rotation, and where they go. */
void qkv_store(qkv_rows g, uint r, float x, float y) {
    uint n_q = args.n_head * args.head_dim, n_kv = args.n_head_kv * args.head_dim, at = (g.first + r) % args.head_dim;
    uint row = row_at(g.first, r), other = row_at(g.first, r + 1u);
    uint pos = IN_U32(args.step, 4u);
    if (BIAS == 1) {
        uint begin = g.is_q ? 0u : g.is_v ? n_q + n_kv : n_q;
        x += IN_F32(args.bias, (begin + row) * 4u);
        y += IN_F32(args.bias, (begin + other) * 4u);
    }
    if (!g.is_v && at < args.n_rot) {
        uint entry = (pos * args.n_rot + at) * 4u;
        float c = IN_F32(args.table, entry), s = IN_F32(args.table, entry + 4u), u = x;
        x = u * c - y * s;
        y = u * s + y * c;
    }
    if (g.is_q) {
        OUT_F32(args.q, row * 4u, x);
        OUT_F32(args.q, other * 4u, y);
    } else if (pos < args.n_ctx) {
        uint64_t cache = g.is_v ? args.v_cache : args.k_cache;
        store_element(cache, pos * n_kv + row, KV_TYPE, x);
        store_element(cache, pos * n_kv + other, KV_TYPE, y);
    }
}

#endif
