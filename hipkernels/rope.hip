/* One thread a pair. */
#include "common/device.h"

GRETA_ARGS_BLOCK(ROPE);

template <u32 N_THREADS, u32 MODE> GRETA_DEVICE void rope_simple(const args_block &a) {
    u32 n_pairs = a.n_rot / 2;
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    if (i >= a.n_tok * a.n_head * n_pairs) return;
    u32 j = i % n_pairs, head = i / n_pairs; /* head: of all tokens' heads */
    u32 pos = in<u32>(a.step, 4) + head / a.n_head;
    f32x2 cs = in<f32x2_u>(a.table, (pos * n_pairs + j) * 8);
    u32 first = head * a.head_dim + (MODE == 0 ? 2 * j : j);
    u32 p = first * 4, q = (first + (MODE == 0 ? 1 : n_pairs)) * 4;
    float x = load<float>(a.x, p), y = load<float>(a.x, q);
    out<float>(a.x, p, x * cs.x - y * cs.y);
    out<float>(a.x, q, x * cs.y + y * cs.x);
}

GRETA_HIP_ROPE(GRETA_INSTANCE)
