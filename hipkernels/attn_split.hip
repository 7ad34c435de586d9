/* One workgroup a split and SLOTS query heads of one KV head; attn_reduce joins the splits. */
#include "common/attn.h"

GRETA_ARGS_BLOCK(ATTN_SPLIT);

template <u32 N_THREADS, u32 KV_TYPE, u32 HEAD_DIM, u32 SLOTS>
GRETA_DEVICE void attn_split_slots(const args_block &a) {
    using shape = attn_shape<N_THREADS, KV_TYPE, HEAD_DIM, SLOTS>;
    GRETA_LDS static typename shape::lds lds;
    u32 group_size = a.n_head / a.n_head_kv, n_tiles = GRETA_DIV_UP(group_size, SLOTS),
        id = group_id<N_THREADS>();
    u32 tile = id % n_tiles, kv_head = id / n_tiles % a.n_head_kv, split = id / n_tiles / a.n_head_kv;
    u32 n_kv = min_u32(in<u32>(a.step, 8), a.n_ctx), begin = split * GRETA_ATTN_CHUNK;
    if (split >= a.n_split || begin >= n_kv) return;
    u32 end = min_u32(n_kv, begin + GRETA_ATTN_CHUNK),
        first = a.window > 0 && n_kv > a.window ? n_kv - a.window : 0;
    u32 n_slots = min_u32(SLOTS, group_size - tile * SLOTS), head = kv_head * group_size + tile * SLOTS;
    attn_slot slots[SLOTS];
    GRETA_UNROLL for (u32 h = 0; h < SLOTS; h++) slots[h] =
        attn_slot{a.q, (head + min_u32(h, n_slots - 1)) * HEAD_DIM * 4, first, n_kv};
    attn_cache cache = {a.k, a.v, a.n_head_kv * HEAD_DIM, kv_head * HEAD_DIM, a.scale, a.softcap};
    if (first >= end) begin = end; /* wholly before the window */
    attend<N_THREADS, KV_TYPE, HEAD_DIM, SLOTS>(cache, slots, begin, end, &lds);
    for (u32 i = thread_id(); i < n_slots * (HEAD_DIM + 2); i += N_THREADS) {
        u32 h = i / (HEAD_DIM + 2), d = i % (HEAD_DIM + 2);
        float value = d == 0 ? lds.largest[h] : d == 1 ? lds.sum[h] : lds.sums[0][h][d - 2];
        out<float>(a.partials, (((head + h) * a.n_split + split) * (HEAD_DIM + 2) + d) * 4, value);
    }
}

GRETA_HIP_ATTN_SPLIT(GRETA_INSTANCE)
