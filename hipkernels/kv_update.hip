/* One thread four elements of k and the same ones of v. */
#include "common/kv.h"

GRETA_ARGS_BLOCK(KV_UPDATE);

template <u32 N_THREADS, u32 KV_TYPE> GRETA_DEVICE void kv_update_simple(const args_block &a) {
    u32 n = a.n_cols, per_row = GRETA_DIV_UP(n, 4u);
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    u32 t = i / per_row, c = i % per_row * 4, p = in<u32>(a.step, 4) + t;
    if (t >= a.n_tok || p >= a.n_ctx) return;
    kv_store_4<KV_TYPE>(a.k_cache, p, n, c, row_load(a.k, (t * n + c) * 4, c, n));
    kv_store_4<KV_TYPE>(a.v_cache, p, n, c, row_load(a.v, (t * n + c) * 4, c, n));
}

GRETA_HIP_KV_UPDATE(GRETA_INSTANCE)
