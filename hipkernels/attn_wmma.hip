/*
 * Attention of many tokens on the matrix units of RDNA 3, one pass over keys and values, as attn_mfma.hip does it on CDNA's. A wave has
 * 16 tokens of one head; positions come in blocks of KEYS, whose keys and values pass through LDS as f16; sums are f32.
 *
 * Scores are made transposed, keys x queries: lane i has 8 of 16 keys of query i % 16. Keys lie in LDS in such an order that these are
 * neighbours, keys 8 (i / 16) .. + 7 of the 16. In values^T x weights^T both halves of the wave hold all 16 weights of a query: each gets
 * the other's. What is the same for a query (its largest score, its sum, its factor) is a number that two lanes share.
 *
 * A row must hold to: q, k, v and y at multiples of 16 bytes.
 */
#include "common/kv_chunk.h"
#include "common/wmma.h"

#include "instances_wmma.h"

GRETA_ARGS_BLOCK(ATTN);

/* ---- a block of keys and values ---- */

template <u32 TYPE, u32 HEAD_DIM, u32 KEYS, u32 N_THREADS> struct kv_block {
    static constexpr u32 CHUNKS = HEAD_DIM / 8, STAGES = (HEAD_DIM + 31) / 32, KEY_STAGES = KEYS / 32;
    static constexpr u32 K_ALL = KEYS * STAGES * 4, V_ALL = KEY_STAGES * CHUNKS * 8;
    static constexpr u32 K_OWN = (K_ALL + N_THREADS - 1) / N_THREADS,
                         V_OWN = (V_ALL + N_THREADS - 1) / N_THREADS;
    static constexpr u32 K_PIECES = K_ALL, V_PIECES = KEY_STAGES * HEAD_DIM * 4;
    kv_chunk<TYPE> k[K_OWN], v[V_OWN][4];
    u32 me; /* the thread */

    /* Of keys, eight lanes have the four pieces of a stage of two rows of LDS. Row 2 v + h of 16 is key 8 h + v. */
    GRETA_METHOD u32 k_row(u32 i) const { return i / (8 * STAGES) * 2 + i / 4 % 2; }
    GRETA_METHOD u32 k_key(u32 i) const { return k_row(i) / 16 * 16 + k_row(i) % 2 * 8 + k_row(i) % 16 / 2; }
    GRETA_METHOD u32 k_stage(u32 i) const { return i / 8 % STAGES; }
    /* Of values, a thread has eight elements of four keys. */
    GRETA_METHOD u32 v_key(u32 i) const { return i / (8 * CHUNKS) * 32 + i % 4 * 8 + i / 4 % 2 * 4; }
    /* Positions at and past n_kv are not read: they may be anything, and a weight of zero does not undo a NaN. */
    GRETA_METHOD void fetch_keys(global_in keys, u32 begin, u32 n_kv, u32 first_column, u32 n_cols) {
        GRETA_UNROLL for (u32 o = 0; o < K_OWN; o++) {
            u32 i = me + o * N_THREADS, chunk = k_stage(i) * 4 + i % 4, key = begin + k_key(i);
            k[o].clear();
            if ((K_ALL % N_THREADS == 0 || i < K_ALL) && chunk < CHUNKS && key < n_kv)
                k[o].fetch(keys, key, first_column + chunk * 8, n_cols);
        }
    }
    GRETA_METHOD void fetch_values(global_in values, u32 begin, u32 n_kv, u32 first_column, u32 n_cols) {
        GRETA_UNROLL for (u32 o = 0; o < V_OWN; o++) {
            u32 i = me + o * N_THREADS, key = begin + v_key(i);
            GRETA_UNROLL for (u32 j = 0; j < 4; j++) {
                v[o][j].clear();
                if ((V_ALL % N_THREADS == 0 || i < V_ALL) && key + j < n_kv)
                    v[o][j].fetch(values, key + j, first_column + i / 8 % CHUNKS * 8, n_cols);
            }
        }
    }
    /* A stage of keys: KEYS rows of 32 elements; of values: HEAD_DIM rows of 32 keys. */
    GRETA_METHOD void store_keys(lds_pieces keys) {
        GRETA_UNROLL for (u32 o = 0; o < K_OWN; o++) {
            u32 i = me + o * N_THREADS;
            if (K_ALL % N_THREADS == 0 || i < K_ALL)
                keys[k_stage(i) * KEYS * 4 + piece_at(k_row(i), i % 4)] = k[o].piece();
        }
    }
    GRETA_METHOD void store_values(lds_pieces values) {
        GRETA_UNROLL for (u32 o = 0; o < V_OWN; o++) {
            u32 i = me + o * N_THREADS, row = i / 8 % CHUNKS * 8;
            if (V_ALL % N_THREADS == 0 || i < V_ALL) {
                u32x4 p[4];
                GRETA_UNROLL for (u32 j = 0; j < 4; j++) p[j] = v[o][j].piece();
                GRETA_IN_LDS u32x2 *to = (GRETA_IN_LDS u32x2 *)(values + i / (8 * CHUNKS) * HEAD_DIM * 4);
                GRETA_UNROLL for (u32 e = 0; e < 8; e++) {
                    u32 pick = e % 2 ? 0x07060302u : 0x05040100u;
                    u32x2 turned = {__builtin_amdgcn_perm(p[1][e / 2], p[0][e / 2], pick),
                                    __builtin_amdgcn_perm(p[3][e / 2], p[2][e / 2], pick)};
                    to[piece_at(row + e, i % 4) * 2 + i / 4 % 2] = turned;
                }
            }
        }
    }
    GRETA_METHOD void bring(const args_block &a, lds_pieces keys, lds_pieces values, u32 begin, u32 n_kv,
                            u32 first_column, u32 n_cols) {
        me = thread_id();
        /* Its places are computed anew each time: kept, they would take the registers of the sums. */
        __asm__("" : "+v"(me) : "v"(begin));
        barrier(); /* the last readers of the tile */
        fetch_keys(a.k, begin, n_kv, first_column, n_cols);
        if (HEAD_DIM < 128) fetch_values(a.v, begin, n_kv, first_column, n_cols);
        store_keys(keys);
        if (HEAD_DIM >= 128) fetch_values(a.v, begin, n_kv, first_column, n_cols);
        store_values(values);
        barrier();
    }
};

/* ---- what the two lanes of a query share ---- */

GRETA_DEVICE u32 other_half(u32 x) {
    return (u32)__builtin_amdgcn_permlanex16(x, x, 0x76543210u, 0xFEDCBA98u, true, false);
}
GRETA_DEVICE float max_of_query(float x) {
    return max_f32(x, float_of(other_half(bits_of(x))));
}
GRETA_DEVICE float sum_of_query(float x) {
    return x + float_of(other_half(bits_of(x)));
}
/* The 16 weights of a query from the eight of each half. */
GRETA_DEVICE u32x8 both_halves(f32x8 w) {
    bool upper = lane_id() >= 16;
    u32x4 own = {pack_f16(w[0], w[1]), pack_f16(w[2], w[3]), pack_f16(w[4], w[5]), pack_f16(w[6], w[7])},
          other;
    GRETA_UNROLL for (u32 i = 0; i < 4; i++) other[i] = other_half(own[i]);
    return join(upper ? other : own, upper ? own : other);
}

/* What a wave keeps of its queries. */
template <u32 HEAD_DIM, u32 KEYS> struct attn_wave {
    typedef wmma_of<GRETA_TYPE_F16> unit;
    static constexpr u32 KEY_BLOCKS = KEYS / 16, BLOCKS = HEAD_DIM / 16;
    u32x8 query[BLOCKS];
    u32 row_end, row_begin; /* the positions that the lane's query sees */
    f32x8 sums[BLOCKS];     /* elements 16 d + 2 v + lane / 16 of the result */
    float largest, weight_sum;
    u32 at[4];

    GRETA_METHOD void init(const args_block &a, u32 head, u32 q_first, u32 pos) {
        u32 token = min_u32(q_first + lane_id() % 16, a.n_tok - 1),
            row = (token * a.n_head + head) * HEAD_DIM;
        row_end = min_u32(pos + token + 1, a.n_ctx);
        row_begin = a.window && pos + token + 1 > a.window ? pos + token + 1 - a.window : 0;
        GRETA_UNROLL for (u32 p = 0; p < 4; p++) at[p] = piece_at(lane_id() % 16, p);
        GRETA_UNROLL for (u32 s = 0; s < BLOCKS; s++) {
            u32 from = (row + s * 16) * 4;
            u32x4 low = pack_piece(load<f32x4>(a.q, from), load<f32x4>(a.q, from + 16)),
                  high = pack_piece(load<f32x4>(a.q, from + 32), load<f32x4>(a.q, from + 48));
            query[s] = join(low, high);
            sums[s] = f32x8{0, 0, 0, 0, 0, 0, 0, 0};
        }
        largest = lowest();
        weight_sum = 0;
    }

    /* The two pieces of block b (16 elements of k) of the lane's row in 16 rows from `row`. */
    GRETA_METHOD u32x8 operand(lds_pieces side, u32 stage_pieces, u32 row, u32 b) const {
        lds_pieces from = side + b / 2 * stage_pieces + row * 4;
        return unit::read(from + at[b % 2 * 2], from + at[b % 2 * 2 + 1]);
    }

    /* One block of keys from position `begin`. PLAIN: every query of the workgroup sees all of it, and there is no softcap. */
    template <bool PLAIN>
    GRETA_METHOD void step(const args_block &a, u32 begin, lds_pieces keys, lds_pieces values) {
        constexpr float LOG2_E = 1.44269504f; /* e^x = 2^(x log2 e) */
        f32x8 score[KEY_BLOCKS];
        GRETA_UNROLL for (u32 t = 0; t < KEY_BLOCKS; t++) {
            score[t] = f32x8{0, 0, 0, 0, 0, 0, 0, 0};
            GRETA_UNROLL for (u32 s = 0; s < BLOCKS; s++) score[t] =
                unit::multiply(operand(keys, KEYS * 4, t * 16, s), query[s], score[t]);
        }
        /* Scores are scaled on the way into the power, with one multiply-add; with a softcap before. */
        float scale = a.scale * LOG2_E;
        if (!PLAIN) {
            bool capped = a.softcap > 0;
            float inner = a.scale / a.softcap, outer = a.softcap * LOG2_E;
            u32 first = begin + lane_id() / 16 * 8;
            GRETA_UNROLL for (u32 t = 0; t < KEY_BLOCKS; t++) GRETA_UNROLL for (u32 e = 0; e < 8; e++) {
                u32 key = first + t * 16 + e;
                bool seen = key < row_end && key >= row_begin;
                if (capped)
                    score[t][e] = outer * tanh_exact(score[t][e] * inner);
                else
                    score[t][e] *= scale;
                if (!seen) score[t][e] = lowest();
            }
            scale = 1;
        }
        float top = lowest(), bottom = -lowest();
        GRETA_UNROLL for (u32 t = 0; t < KEY_BLOCKS; t++) GRETA_UNROLL for (u32 e = 0; e < 8; e++)
            top = max_f32(top, score[t][e]),
            bottom = __builtin_fminf(bottom, score[t][e]);
        top = max_f32(largest, max_of_query((scale >= 0 ? top : bottom) * scale));
        float base = top == lowest() ? 0 : top; /* nothing seen yet */
        float factor = exp2_fast(largest - base), added = 0;
        largest = top;
        GRETA_UNROLL for (u32 t = 0; t < KEY_BLOCKS; t++) GRETA_UNROLL for (u32 e = 0; e < 8; e++) {
            score[t][e] = exp2_fast(__builtin_fmaf(score[t][e], scale, -base));
            added += score[t][e];
        }
        weight_sum = weight_sum * factor + added;
        GRETA_UNROLL for (u32 d = 0; d < BLOCKS; d++) sums[d] *= factor;
        GRETA_UNROLL for (u32 t = 0; t < KEY_BLOCKS; t++) {
            u32x8 weights = both_halves(score[t]);
            GRETA_UNROLL for (u32 d = 0; d < BLOCKS; d++) sums[d] =
                unit::multiply(operand(values, HEAD_DIM * 4, d * 16, t), weights, sums[d]);
        }
    }
};

template <u32 N_THREADS, u32 KV_TYPE, u32 HEAD_DIM, u32 KEYS>
GRETA_DEVICE void attn_wmma(const args_block &a) {
    typedef kv_block<KV_TYPE, HEAD_DIM, KEYS, N_THREADS> block;
    static_assert(HEAD_DIM % 16 == 0 && KEYS % 32 == 0, "whole products");
    keep_f16_finite();
    constexpr u32 QUERIES = N_THREADS / WAVE * 16;
    GRETA_LDS static u32x4 key_lds[block::K_PIECES], value_lds[block::V_PIECES];
    lds_pieces keys = (lds_pieces)key_lds, values = (lds_pieces)value_lds;

    u32 n_tiles = (a.n_tok + QUERIES - 1) / QUERIES, group = group_id<N_THREADS>();
    if (group >= n_tiles * a.n_head) return;
    /* The last tokens have the most to do: they go first. */
    u32 head = group % a.n_head, first = (n_tiles - 1 - group / a.n_head) * QUERIES, pos = in<u32>(a.step, 4);
    u32 n_cols = a.n_head_kv * HEAD_DIM, first_column = head / (a.n_head / a.n_head_kv) * HEAD_DIM;
    u32 n_kv = min_u32(pos + min_u32(first + QUERIES, a.n_tok), a.n_ctx), q_first = first + wave_id() * 16;
    attn_wave<HEAD_DIM, KEYS> wave;
    wave.init(a, head, q_first, pos);

    /* Blocks in [plain_begin, plain_end) are seen whole by all queries: from the last one's window on, up to the first one's own. */
    u32 seen_by_first = min_u32(pos + first + 1, a.n_ctx), last = pos + min_u32(first + QUERIES, a.n_tok);
    u32 begin = a.window && pos + first + 1 > a.window ? (pos + first + 1 - a.window) / KEYS * KEYS : 0;
    u32 plain_begin = a.window && last > a.window ? last - a.window : 0,
        plain_end = a.softcap > 0 ? 0 : seen_by_first / KEYS * KEYS;
    block kv;
    for (; begin < n_kv; begin += KEYS) {
        for (; begin >= plain_begin && begin < plain_end; begin += KEYS) {
            kv.bring(a, keys, values, begin, n_kv, first_column, n_cols);
            wave.template step<true>(a, begin, keys, values);
        }
        if (begin >= n_kv) break;
        kv.bring(a, keys, values, begin, n_kv, first_column, n_cols);
        wave.template step<false>(a, begin, keys, values);
    }
    float inverse = 1 / sum_of_query(wave.weight_sum);
    u32 token = q_first + lane_id() % 16;
    GRETA_UNROLL for (u32 d = 0; d < HEAD_DIM / 16; d++)
        GRETA_UNROLL for (u32 v = 0; v < 8; v++) if (token < a.n_tok)
            out(a.y, ((token * a.n_head + head) * HEAD_DIM + d * 16 + v * 2 + lane_id() / 16) * 4,
                wave.sums[d][v] * inverse);
}
GRETA_HIP_ATTN_WMMA(GRETA_INSTANCE)
