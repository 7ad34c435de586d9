/*
 * One workgroup SLOTS queries of one KV head, over all positions that one of them sees: the heads of a group for one token, and so on
 * for the next tokens.
 */
#include "common/attn.h"

GRETA_ARGS_BLOCK(ATTN);

template <u32 N_THREADS, u32 KV_TYPE, u32 HEAD_DIM, u32 SLOTS>
GRETA_DEVICE void attn_slots(const args_block &a) {
    using shape = attn_shape<N_THREADS, KV_TYPE, HEAD_DIM, SLOTS>;
    GRETA_LDS static typename shape::lds lds;
    u32 group_size = a.n_head / a.n_head_kv, n_queries = a.n_tok * group_size,
        n_tiles = GRETA_DIV_UP(n_queries, SLOTS);
    u32 id = group_id<N_THREADS>(), tile = id % n_tiles, kv_head = id / n_tiles;
    if (kv_head >= a.n_head_kv) return;
    u32 pos = in<u32>(a.step, 4), begin = 0xFFFFFFFF, end = 0;
    attn_slot slots[SLOTS];
    GRETA_UNROLL for (u32 h = 0; h < SLOTS; h++) {
        u32 query = min_u32(tile * SLOTS + h, n_queries - 1), t = query / group_size, seen = pos + t + 1;
        u32 head = kv_head * group_size + query % group_size;
        u32 first = a.window > 0 && seen > a.window ? seen - a.window : 0;
        slots[h] = attn_slot{a.q, (t * a.n_head + head) * HEAD_DIM * 4, first, min_u32(seen, a.n_ctx)};
        begin = min_u32(begin, slots[h].first);
        end = max_u32(end, slots[h].end);
    }
    attn_cache cache = {a.k, a.v, a.n_head_kv * HEAD_DIM, kv_head * HEAD_DIM, a.scale, a.softcap};
    attend<N_THREADS, KV_TYPE, HEAD_DIM, SLOTS>(cache, slots, begin, end, &lds);
    for (u32 i = thread_id(); i < SLOTS * HEAD_DIM; i += N_THREADS) {
        u32 h = i / HEAD_DIM, d = i % HEAD_DIM, query = tile * SLOTS + h;
        if (query >= n_queries) break;
        u32 at = query / group_size * a.n_head + kv_head * group_size + query % group_size;
        out<float>(a.y, (at * HEAD_DIM + d) * 4, lds.sums[0][h][d] / lds.sum[h]);
    }
}

GRETA_HIP_ATTN(GRETA_INSTANCE)
