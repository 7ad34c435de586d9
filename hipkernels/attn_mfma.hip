/*
 * Attention of many tokens on matrix units, one pass over keys and values. A workgroup has 4 waves, a wave QUERY_BLOCKS blocks of 16
 * tokens of one head; positions come in blocks of KEYS, whose keys and values pass through LDS as f16; sums are f32.
 *
 * Scores are made transposed, keys x queries: then a lane holds four neighbouring keys of one query, which is just what the unit
 * wants of the weights in values^T x weights^T. So weights stay in registers, and what is the same for a query (its largest score, its
 * sum, its factor) is a number of the lane, shared by the four lanes 16 apart. Values are turned on their way into LDS.
 *
 * A row must hold to: q, k, v and y at multiples of 16 bytes.
 */
#include "common/kv_chunk.h"
#include "common/mfma.h"

#include "instances_mfma.h"

GRETA_ARGS_BLOCK(ATTN);

/* ---- a block of keys and values ---- */

template <u32 TYPE, u32 HEAD_DIM, u32 KEYS, u32 N_THREADS> struct kv_block {
    static constexpr u32 CHUNKS = HEAD_DIM / 8, STAGES = (HEAD_DIM + 31) / 32, KEY_STAGES = KEYS / 32;
    static constexpr u32 K_ALL = KEYS * STAGES * 4, V_ALL = KEY_STAGES * CHUNKS * 8;
    static constexpr u32 K_OWN = (K_ALL + N_THREADS - 1) / N_THREADS,
                         V_OWN = (V_ALL + N_THREADS - 1) / N_THREADS;
    static constexpr u32 K_PIECES = K_ALL, V_PIECES = KEY_STAGES * HEAD_DIM * 4;
    kv_chunk<TYPE> k[K_OWN], v[V_OWN][4];

    /* Keys: eight lanes write the four pieces of a stage of two keys. */
    GRETA_METHOD u32 k_key(u32 i) const { return i / (8 * STAGES) * 2 + i / 4 % 2; }
    GRETA_METHOD u32 k_stage(u32 i) const { return i / 8 % STAGES; }
    /* Positions at and past n_kv are not read: they may be anything, and a weight of zero does not undo a NaN. */
    GRETA_METHOD void fetch(global_in keys, global_in values, u32 begin, u32 n_kv, u32 first_column,
                            u32 n_cols) {
        GRETA_UNROLL for (u32 o = 0; o < K_OWN; o++) {
            u32 i = thread_id() + o * N_THREADS, chunk = k_stage(i) * 4 + i % 4, key = begin + k_key(i);
            k[o].clear();
            if ((K_ALL % N_THREADS == 0 || i < K_ALL) && chunk < CHUNKS && key < n_kv)
                k[o].fetch(keys, key, first_column + chunk * 8, n_cols);
        }
        /* Values: four keys of eight elements a thread. */
        GRETA_UNROLL for (u32 o = 0; o < V_OWN; o++) {
            u32 i = thread_id() + o * N_THREADS, key = begin + i / (8 * CHUNKS) * 32 + i % 8 * 4;
            GRETA_UNROLL for (u32 j = 0; j < 4; j++) {
                v[o][j].clear();
                if ((V_ALL % N_THREADS == 0 || i < V_ALL) && key + j < n_kv)
                    v[o][j].fetch(values, key + j, first_column + i / 8 % CHUNKS * 8, n_cols);
            }
        }
    }
    /* A stage of keys: KEYS rows; of values: HEAD_DIM rows of 32 keys, in a row's piece g the keys 4 g .. + 3 and 16 + 4 g .. + 3. */
    GRETA_METHOD void store(lds_pieces keys, lds_pieces values) {
        GRETA_UNROLL for (u32 o = 0; o < K_OWN; o++) {
            u32 i = thread_id() + o * N_THREADS;
            if (K_ALL % N_THREADS == 0 || i < K_ALL)
                keys[k_stage(i) * KEYS * 4 + piece_at(k_key(i), i % 4)] = k[o].piece();
        }
        GRETA_UNROLL for (u32 o = 0; o < V_OWN; o++) {
            u32 i = thread_id() + o * N_THREADS, row = i / 8 % CHUNKS * 8;
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
};

/* ---- what the four lanes of a query share ---- */

GRETA_DEVICE float swap_32(float x) {
    return float_of((u32)__builtin_amdgcn_ds_bpermute((int)((lane_id() ^ 32) * 4), (int)bits_of(x)));
}
GRETA_DEVICE float max_of_query(float x) {
    x = max_f32(x, swap_16(x));
    return max_f32(x, swap_32(x));
}
GRETA_DEVICE float sum_of_query(float x) {
    x += swap_16(x);
    return x + swap_32(x);
}
GRETA_DEVICE u32 pack_weights(float lo, float hi) {
    f16x2 v = {(f16)lo, (f16)hi};
    return __builtin_bit_cast(u32, v);
}

/* What a wave keeps of its queries. */
template <u32 HEAD_DIM, u32 QUERY_BLOCKS, u32 KEYS> struct attn_wave {
    typedef unit_of<GRETA_TYPE_F16> unit;
    static constexpr u32 KEY_BLOCKS = KEYS / 16, OUT_BLOCKS = HEAD_DIM / 16, STAGES = (HEAD_DIM + 31) / 32;
    u32x4 query[QUERY_BLOCKS][STAGES];
    u32 row_end[QUERY_BLOCKS], row_begin[QUERY_BLOCKS]; /* the positions that a query sees */
    f32x4 sums[QUERY_BLOCKS][OUT_BLOCKS];
    float largest[QUERY_BLOCKS], weight_sum[QUERY_BLOCKS];

    GRETA_METHOD void init(const args_block &a, u32 head, u32 q_first, u32 pos) {
        u32 lane_4 = lane_id() / 16;
        GRETA_UNROLL for (u32 b = 0; b < QUERY_BLOCKS; b++) {
            u32 token = min_u32(q_first + b * 16 + lane_id() % 16, a.n_tok - 1);
            row_end[b] = min_u32(pos + token + 1, a.n_ctx);
            row_begin[b] = a.window && pos + token + 1 > a.window ? pos + token + 1 - a.window : 0;
            GRETA_UNROLL for (u32 s = 0; s < STAGES; s++) {
                u32 at = ((token * a.n_head + head) * HEAD_DIM + s * 32 + lane_4 * 8) * 4;
                query[b][s] = u32x4{0, 0, 0, 0};
                if (s * 32 + lane_4 * 8 < HEAD_DIM)
                    query[b][s] = pack_piece(load<f32x4>(a.q, at), load<f32x4>(a.q, at + 16));
            }
            GRETA_UNROLL for (u32 d = 0; d < OUT_BLOCKS; d++) sums[b][d] = f32x4{0, 0, 0, 0};
            largest[b] = lowest();
            weight_sum[b] = 0;
        }
    }

    /* One block of keys from position `begin`. PLAIN: every query of the workgroup sees all of it, and there is no softcap. */
    template <bool PLAIN>
    GRETA_METHOD void step(const args_block &a, u32 begin, lds_pieces keys, lds_pieces values) {
        constexpr float LOG2_E = 1.44269504f; /* e^x = 2^(x log2 e) */
        u32 lane_4 = lane_id() / 16, lane_at = piece_at(lane_id() % 16, lane_4);
        f32x4 score[QUERY_BLOCKS][KEY_BLOCKS];
        GRETA_UNROLL for (u32 t = 0; t < KEY_BLOCKS; t++) {
            GRETA_UNROLL for (u32 b = 0; b < QUERY_BLOCKS; b++) score[b][t] = f32x4{0, 0, 0, 0};
            GRETA_UNROLL for (u32 s = 0; s < STAGES; s++) {
                u32x4 piece = keys[s * KEYS * 4 + t * 64 + lane_at];
                GRETA_UNROLL for (u32 i = 0; i < unit::STEPS; i++)
                    GRETA_UNROLL for (u32 b = 0; b < QUERY_BLOCKS; b++) score[b][t] =
                        unit::step(piece, query[b][s], score[b][t], i);
            }
        }
        u32x4 weights[QUERY_BLOCKS][KEY_BLOCKS / 2];
        GRETA_UNROLL for (u32 b = 0; b < QUERY_BLOCKS; b++) {
            /* Scores are scaled on the way into the power, with one multiply-add; with a softcap before. */
            float scale = a.scale * LOG2_E;
            if (!PLAIN) {
                bool capped = a.softcap > 0;
                float inner = a.scale / a.softcap, outer = a.softcap * LOG2_E;
                GRETA_UNROLL for (u32 t = 0; t < KEY_BLOCKS; t++) GRETA_UNROLL for (u32 e = 0; e < 4; e++) {
                    u32 key = begin + t * 16 + lane_4 * 4 + e;
                    bool seen = key < row_end[b] && key >= row_begin[b];
                    if (capped)
                        score[b][t][e] = outer * tanh_exact(score[b][t][e] * inner);
                    else
                        score[b][t][e] *= scale;
                    if (!seen) score[b][t][e] = lowest();
                }
                scale = 1;
            }
            float top = lowest();
            if (scale >= 0) {
                GRETA_UNROLL for (u32 t = 0; t < KEY_BLOCKS; t++) GRETA_UNROLL for (u32 e = 0; e < 4; e++)
                    top = max_f32(top, score[b][t][e]);
            } else {
                float bottom = -lowest();
                GRETA_UNROLL for (u32 t = 0; t < KEY_BLOCKS; t++) GRETA_UNROLL for (u32 e = 0; e < 4; e++)
                    bottom = __builtin_fminf(bottom, score[b][t][e]);
                top = bottom;
            }
            top = max_f32(largest[b], max_of_query(top * scale));
            float base = top == lowest() ? 0 : top; /* nothing seen yet */
            float factor = exp2_fast(largest[b] - base), added = 0;
            largest[b] = top;
            GRETA_UNROLL for (u32 t = 0; t < KEY_BLOCKS; t++) {
                f32x4 w;
                GRETA_UNROLL for (u32 e = 0; e < 4; e++) {
                    w[e] = exp2_fast(__builtin_fmaf(score[b][t][e], scale, -base));
                    added += w[e];
                }
                weights[b][t / 2][t % 2 * 2] = pack_weights(w.x, w.y);
                weights[b][t / 2][t % 2 * 2 + 1] = pack_weights(w.z, w.w);
            }
            weight_sum[b] = weight_sum[b] * factor + added;
            GRETA_UNROLL for (u32 d = 0; d < OUT_BLOCKS; d++) sums[b][d] *= factor;
        }
        GRETA_UNROLL for (u32 d = 0; d < OUT_BLOCKS; d++) GRETA_UNROLL for (u32 u = 0; u < KEYS / 32; u++) {
            u32x4 piece = values[u * HEAD_DIM * 4 + d * 64 + lane_at];
            GRETA_UNROLL for (u32 i = 0; i < unit::STEPS; i++)
                GRETA_UNROLL for (u32 b = 0; b < QUERY_BLOCKS; b++) sums[b][d] =
                    unit::step(piece, weights[b][u], sums[b][d], i);
        }
    }
};

template <u32 N_THREADS, u32 KV_TYPE, u32 HEAD_DIM, u32 QUERY_BLOCKS, u32 KEYS>
GRETA_DEVICE void attn_mfma(const args_block &a) {
    typedef kv_block<KV_TYPE, HEAD_DIM, KEYS, N_THREADS> block;
    static_assert(HEAD_DIM % 16 == 0 && KEYS % 32 == 0, "whole products");
    keep_f16_finite();
    constexpr u32 QUERIES = N_THREADS / WAVE * QUERY_BLOCKS * 16;
    GRETA_LDS static u32x4 key_lds[block::K_PIECES], value_lds[block::V_PIECES];
    lds_pieces keys = (lds_pieces)key_lds, values = (lds_pieces)value_lds;

    u32 n_tiles = (a.n_tok + QUERIES - 1) / QUERIES, group = group_id<N_THREADS>();
    if (group >= n_tiles * a.n_head) return;
    /* The last tokens have the most to do: they go first. Heads that share keys go to one die. */
    u32 i_head = group % a.n_head,
        head = a.n_head % N_DIES ? i_head : i_head % N_DIES * (a.n_head / N_DIES) + i_head / N_DIES;
    u32 first = (n_tiles - 1 - group / a.n_head) * QUERIES, pos = in<u32>(a.step, 4);
    u32 n_cols = a.n_head_kv * HEAD_DIM, first_column = head / (a.n_head / a.n_head_kv) * HEAD_DIM;
    u32 n_kv = min_u32(pos + min_u32(first + QUERIES, a.n_tok), a.n_ctx),
        q_first = first + wave_id() * QUERY_BLOCKS * 16;
    attn_wave<HEAD_DIM, QUERY_BLOCKS, KEYS> wave;
    wave.init(a, head, q_first, pos);

    /* Blocks in [plain_begin, plain_end) are seen whole by all queries: from the last one's window on, up to the first one's own. */
    u32 seen_by_first = min_u32(pos + first + 1, a.n_ctx), last = pos + min_u32(first + QUERIES, a.n_tok);
    u32 begin = a.window && pos + first + 1 > a.window ? (pos + first + 1 - a.window) / KEYS * KEYS : 0;
    u32 plain_begin = a.window && last > a.window ? last - a.window : 0,
        plain_end = a.softcap > 0 ? 0 : seen_by_first / KEYS * KEYS;
    block kv;
    kv.fetch(a.k, a.v, begin, n_kv, first_column, n_cols);
    for (;;) {
        bool plain = begin >= plain_begin && begin < plain_end;
        if (plain) {
            for (; begin < plain_end; begin += KEYS) {
                barrier(); /* the last readers of the tile */
                kv.store(keys, values);
                barrier();
                kv.fetch(a.k, a.v, begin + KEYS, n_kv, first_column, n_cols);
                wave.template step<true>(a, begin, keys, values);
            }
        }
        if (begin >= n_kv) break;
        barrier();
        kv.store(keys, values);
        barrier();
        kv.fetch(a.k, a.v, begin + KEYS, n_kv, first_column, n_cols);
        wave.template step<false>(a, begin, keys, values);
        begin += KEYS;
    }
    GRETA_UNROLL for (u32 b = 0; b < QUERY_BLOCKS; b++) {
        float inverse = 1 / sum_of_query(wave.weight_sum[b]);
        u32 token = q_first + b * 16 + lane_id() % 16;
        if (token < a.n_tok)
            GRETA_UNROLL for (u32 d = 0; d < HEAD_DIM / 16; d++)
                out<f32x4>(a.y, ((token * a.n_head + head) * HEAD_DIM + d * 16 + lane_id() / 16 * 4) * 4,
                           wave.sums[b][d] * inverse);
    }
}

/* Two waves a SIMD at least: one's softmax goes on beside the other's products. */
#define GRETA_INSTANCE_OF_TWO(entry, ...)                                                                  \
    extern "C" __attribute__((global, amdgpu_flat_work_group_size(256, 256), amdgpu_waves_per_eu(2))) void \
    GRETA_SYMBOL(entry, __VA_ARGS__)(const args_block a) {                                                 \
        entry<__VA_ARGS__>(a);                                                                             \
    }
GRETA_HIP_ATTN_MFMA(GRETA_INSTANCE_OF_TWO)
