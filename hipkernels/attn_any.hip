/* One workgroup a token and query head, for heads of any size. */
#include "common/attn_any.h"

GRETA_ARGS_BLOCK_HEAD(ATTN);

template <u32 N_THREADS, u32 KV_TYPE, u32 /* head_dim: a.head_dim */>
GRETA_DEVICE void attn_any(const args_block &a) {
    GRETA_LDS static attn_any_lds<N_THREADS> lds;
    u32 id = group_id<N_THREADS>(), t = id / a.n_head, kv_head = id % a.n_head / (a.n_head / a.n_head_kv);
    if (t >= a.n_tok) return;
    u32 seen = in<u32>(a.step, 4) + t + 1, first = a.window > 0 && seen > a.window ? seen - a.window : 0;
    attn_cache cache = {a.k, a.v, a.n_head_kv * a.head_dim, kv_head * a.head_dim, a.scale, a.softcap};
    u32 at = id * a.head_dim * 4;
    attn_any_result r =
        attend_any<N_THREADS, KV_TYPE>(cache, a.head_dim, a.q, at, first, min_u32(seen, a.n_ctx), &lds);
    if (thread_id() < a.head_dim) out<float>(a.y, at + thread_id() * 4, r.total / r.sum);
}

GRETA_HIP_ATTN_ANY(GRETA_INSTANCE)
