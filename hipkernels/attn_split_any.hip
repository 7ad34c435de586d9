/* One workgroup a split and query head, for heads of any size; attn_reduce joins the splits. */
#include "common/attn_any.h"

GRETA_ARGS_BLOCK_HEAD(ATTN_SPLIT);

template <u32 N_THREADS, u32 KV_TYPE, u32 /* head_dim: a.head_dim */>
GRETA_DEVICE void attn_split_any(const args_block &a) {
    GRETA_LDS static attn_any_lds<N_THREADS> lds;
    u32 id = group_id<N_THREADS>(), split = id / a.n_head, head = id % a.n_head;
    u32 n_kv = min_u32(in<u32>(a.step, 8), a.n_ctx), begin = split * GRETA_ATTN_CHUNK;
    if (split >= a.n_split || begin >= n_kv) return;
    u32 end = min_u32(n_kv, begin + GRETA_ATTN_CHUNK),
        first = a.window > 0 && n_kv > a.window ? n_kv - a.window : 0;
    u32 column = head / (a.n_head / a.n_head_kv) * a.head_dim;
    attn_cache cache = {a.k, a.v, a.n_head_kv * a.head_dim, column, a.scale, a.softcap};
    attn_any_result r = attend_any<N_THREADS, KV_TYPE>(cache, a.head_dim, a.q, head * a.head_dim * 4,
                                                       max_u32(begin, first), end, &lds);
    u32 at = (head * a.n_split + split) * (2 + a.head_dim) * 4;
    if (thread_id() == 0) {
        out<float>(a.partials, at, r.largest);
        out<float>(a.partials, at + 4, r.sum);
    }
    if (thread_id() < a.head_dim) out<float>(a.partials, at + 8 + thread_id() * 4, r.total);
}

GRETA_HIP_ATTN_SPLIT_ANY(GRETA_INSTANCE)
