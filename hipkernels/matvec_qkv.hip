/*
 * A group of lanes makes a pair of results of one of the three weights: the two that are rotated together, or two neighbours where
 * nothing is rotated. Groups of q, of k and of v follow one another.
 */
#include "common/matvec.h"

GRETA_ARGS_BLOCK(MATVEC_QKV);

struct qkv_part {
    global_in weight;
    u32 n_rows, pair; /* pair: of the part */
    bool is_q, is_v;
};

/* Where the two rows of a pair stand in their head. Only even heads come here. */
template <u32 MODE>
GRETA_DEVICE void pair_rows(const args_block &a, const qkv_part &part, u32 *rows, u32 *entry, bool *rotates) {
    u32 n_pairs = a.n_rot / 2, per_head = a.head_dim / 2, head = part.pair / per_head,
        j = part.pair % per_head;
    *rotates = !part.is_v && j < n_pairs;
    *entry = j;
    bool halves = MODE == 1 && *rotates;
    rows[0] = head * a.head_dim + (halves ? j : 2 * j);
    rows[1] = rows[0] + (halves ? n_pairs : 1);
}

template <u32 N_THREADS, u32 TYPE, u32 X_TYPE, u32 KV_TYPE, u32 MODE, u32 NORM, u32 BIAS>
GRETA_DEVICE void multiply_part(const args_block &a, qkv_part part, const row_teams &teams, u32x4 *lds,
                                float *scratch) {
    u32 n_pairs = part.n_rows / 2, rows[2], entry;
    bool inside = part.pair < n_pairs, rotates;
    part.pair = min_u32(part.pair, n_pairs - 1);
    pair_rows<MODE>(a, part, rows, &entry, &rotates);
    u32 pos = in<u32>(a.step, 4),
        first_bias = part.is_q ? 0 : (a.n_head + (part.is_v ? a.n_head_kv : 0)) * a.head_dim;
    f32x2 cs = {1, 0}, bias = {0, 0};
    if (rotates) cs = in<f32x2_u>(a.table, (pos * (a.n_rot / 2) + entry) * 8);
    if (BIAS)
        bias = f32x2{in<float>(a.bias, (first_bias + rows[0]) * 4),
                     in<float>(a.bias, (first_bias + rows[1]) * 4)};

    packed_weight w = packed_open<TYPE>(part.weight, part.n_rows, a.n_cols);
    global_in bases[2] = {part.weight, part.weight};
    float sums[2];
    rows_multiply<N_THREADS, TYPE, X_TYPE, NORM, 2>(matvec_x{a.x, a.norm, a.n_cols}, w, bases, rows, teams,
                                                    a.eps, lds, scratch, sums);
    if (teams.lane() != 0 || !inside) return;
    float x = sums[0] + bias.x, y = sums[1] + bias.y, u = x * cs.x - y * cs.y, v = x * cs.y + y * cs.x;
    if (part.is_q) {
        out<float>(a.q, rows[0] * 4, rotates ? u : x);
        out<float>(a.q, rows[1] * 4, rotates ? v : y);
    } else if (pos < a.n_ctx) {
        global_out cache = part.is_v ? a.v_cache : a.k_cache;
        store_element<KV_TYPE>(cache, pos * part.n_rows + rows[0], rotates ? u : x);
        store_element<KV_TYPE>(cache, pos * part.n_rows + rows[1], rotates ? v : y);
    }
}

template <u32 N_THREADS, u32 W_TYPE, u32 V_TYPE, u32 X_TYPE, u32 KV_TYPE, u32 MODE, u32 NORM, u32 BIAS>
GRETA_DEVICE void matvec_qkv_pairs(const args_block &a) {
    constexpr u32 BYTES = x_tile<W_TYPE, X_TYPE>::BYTES > x_tile<V_TYPE, X_TYPE>::BYTES
                              ? x_tile<W_TYPE, X_TYPE>::BYTES
                              : x_tile<V_TYPE, X_TYPE>::BYTES;
    GRETA_LDS static u32x4 lds[BYTES / 16];
    GRETA_LDS static float scratch[N_THREADS / WAVE];
    row_teams teams = row_teams_of<W_TYPE>(a.n_cols);
    u32 n_q = a.n_head * a.head_dim, n_kv = a.n_head_kv * a.head_dim, per_group = teams.n_teams<N_THREADS>();
    u32 groups_q = GRETA_DIV_UP(n_q / 2, per_group), groups_kv = GRETA_DIV_UP(n_kv / 2, per_group);
    u32 group = group_id<N_THREADS>();
    bool is_q = group < groups_q, is_v = group >= groups_q + groups_kv;
    qkv_part part = {is_q ? a.w_q : is_v ? a.w_v : a.w_k, is_q ? n_q : n_kv, 0, is_q, is_v};
    group -= is_q ? 0 : is_v ? groups_q + groups_kv : groups_q;
    if (W_TYPE == V_TYPE || !is_v) {
        part.pair = group * per_group + teams.team();
        if (group * per_group < part.n_rows / 2)
            multiply_part<N_THREADS, W_TYPE, X_TYPE, KV_TYPE, MODE, NORM, BIAS>(a, part, teams, lds, scratch);
    } else if constexpr (W_TYPE != V_TYPE) {
        teams = row_teams_of<V_TYPE>(a.n_cols);
        per_group = teams.n_teams<N_THREADS>();
        part.pair = group * per_group + teams.team();
        if (group * per_group < part.n_rows / 2)
            multiply_part<N_THREADS, V_TYPE, X_TYPE, KV_TYPE, MODE, NORM, BIAS>(a, part, teams, lds, scratch);
    }
}

GRETA_HIP_MATVEC_QKV(GRETA_INSTANCE)
