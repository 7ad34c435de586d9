/* Joins the splits of attn_split: a workgroup a head, a thread a dimension, in ascending order. */
#ifndef HIPKERNELS_COMMON_ATTN_REDUCE_H
#define HIPKERNELS_COMMON_ATTN_REDUCE_H

#include "device.h"

template <u32 N_THREADS, typename ARGS> GRETA_DEVICE void attn_reduce(const ARGS &a, u32 head_dim) {
    u32 head = group_id<N_THREADS>();
    if (head >= a.n_head) return;
    u32 n = min_u32(GRETA_DIV_UP(in<u32>(a.step, 8), (u32)GRETA_ATTN_CHUNK), a.n_split);
    u32 line = (2 + head_dim) * 4, at = head * a.n_split * line;
    float largest = in<float>(a.partials, at);
    for (u32 s = 1; s < n; s++) largest = max_f32(largest, in<float>(a.partials, at + s * line));
    for (u32 d = thread_id(); d < head_dim; d += N_THREADS) {
        float acc = 0, sum = 0;
        for (u32 s = 0; s < n; s++) {
            float factor = exp_fast(in<float>(a.partials, at + s * line) - largest);
            sum += factor * in<float>(a.partials, at + s * line + 4);
            acc += factor * in<float>(a.partials, at + s * line + 8 + d * 4);
        }
        out<float>(a.y, (head * head_dim + d) * 4, acc / sum);
    }
}

#endif
