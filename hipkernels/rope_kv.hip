/*
 * One workgroup a head of q, k or v. The head stands in LDS between the steps: bias, norm, rotation, cache.
 */
#include "common/kv.h"

GRETA_ARGS_BLOCK(ROPE_KV);

template <u32 N_THREADS, u32 MODE, u32 KV_TYPE, u32 NORM, u32 BIAS>
GRETA_DEVICE void rope_kv_heads(const args_block &a) {
    GRETA_LDS static float head[GRETA_HIP_HEAD_MAX];
    GRETA_LDS static float scratch[N_THREADS / WAVE];
    u32 n = a.head_dim, n_pairs = a.n_rot / 2, n_heads = a.n_head + 2 * a.n_head_kv;
    u32 id = group_id<N_THREADS>(), t = id / n_heads, h = id % n_heads;
    u32 pos = in<u32>(a.step, 4) + t;
    bool is_q = h < a.n_head, is_v = h >= a.n_head + a.n_head_kv;
    if (t >= a.n_tok || (!is_q && pos >= a.n_ctx)) return;
    u32 h_kv = h - a.n_head - (is_v ? a.n_head_kv : 0);
    u32 begin = (is_q ? t * a.n_head + h : t * a.n_head_kv + h_kv) * n;
    global_in source = is_q ? (global_in)a.q : is_v ? a.v : a.k;

    float sum = 0;
    for (u32 d = thread_id(); d < n; d += N_THREADS) {
        float x = load<float>(source, (begin + d) * 4);
        if (BIAS) x += in<float>(a.bias, (h * n + d) * 4); /* its parts lie as the heads are counted */
        sum += x * x;
        head[d] = x;
    }
    if (NORM && !is_v) {
        float factor = rsqrt(reduce_group<sum_of, N_THREADS>(sum, scratch) / (float)n + a.eps);
        global_in weight = is_q ? a.q_norm : a.k_norm;
        for (u32 d = thread_id(); d < n; d += N_THREADS) head[d] *= factor * in<float>(weight, d * 4);
    }
    barrier();
    if (!is_v)
        for (u32 j = thread_id(); j < n_pairs; j += N_THREADS) {
            u32 first = MODE == 0 ? 2 * j : j, second = MODE == 0 ? first + 1 : j + n_pairs;
            f32x2 cs = in<f32x2_u>(a.table, (pos * n_pairs + j) * 8);
            float x = head[first], y = head[second];
            head[first] = x * cs.x - y * cs.y;
            head[second] = x * cs.y + y * cs.x;
        }
    barrier();
    if (is_q) {
        /* What nothing has changed is left alone. */
        for (u32 d = thread_id(); d < (BIAS || NORM ? n : a.n_rot); d += N_THREADS)
            out<float>(a.q, (begin + d) * 4, head[d]);
        return;
    }
    global_out cache = is_v ? a.v_cache : a.k_cache;
    u32 n_cols = a.n_head_kv * n;
    if (KV_TYPE == GRETA_TYPE_Q8_0) {
        for (u32 d = thread_id() * 4; d < n; d += N_THREADS * 4) {
            f32x4 v = {head[d], head[d + 1], head[d + 2], head[d + 3]};
            kv_store_4<KV_TYPE>(cache, pos, n_cols, h_kv * n + d, v);
        }
    } else {
        for (u32 d = thread_id(); d < n; d += N_THREADS)
            store_element<KV_TYPE>(cache, pos * n_cols + h_kv * n + d, head[d]);
    }
}

GRETA_HIP_ROPE_KV(GRETA_INSTANCE)
