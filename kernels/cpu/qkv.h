/*
 * What the rows of matvec_qkv share: the rows of the three weights counted as one list, cut into blocks of one weight each. A
 * block begins at an even row, so that no pair is split.
 */
#ifndef KERNELS_CPU_QKV_H
#define KERNELS_CPU_QKV_H

#include "cpu.h"

/* Few enough for the stack and the first cache, many enough that what a block costs does not count. */
enum { CPU_BLOCK_ROWS = 128 };

struct cpu_qkv_block {
    uint32_t which; /* 0: q, 1: k, 2: v */
    const void *w;
    uint64_t begin, end; /* rows of w */
};

static inline uint64_t cpu_qkv_rows(const struct cpu_args_matvec_qkv *a) {
    return ((uint64_t)a->n_head + 2 * (uint64_t)a->n_head_kv) * a->head_dim;
}

/* The block that begins at row r of the list and ends at `end` at the latest. */
static inline struct cpu_qkv_block cpu_qkv_block_at(const struct cpu_args_matvec_qkv *a, uint64_t r,
                                                    uint64_t end) {
    uint64_t n_q = (uint64_t)a->n_head * a->head_dim, n_kv = (uint64_t)a->n_head_kv * a->head_dim;
    uint32_t which = r < n_q ? 0 : r < n_q + n_kv ? 1 : 2;
    uint64_t first = which == 0 ? 0 : which == 1 ? n_q : n_q + n_kv, last = first + (which ? n_kv : n_q);
    if (end > last) end = last;
    if (end > r + CPU_BLOCK_ROWS) end = r + CPU_BLOCK_ROWS;
    return (struct cpu_qkv_block){which,
                                  which == 0   ? a->w_q
                                  : which == 1 ? a->w_k
                                               : a->w_v,
                                  r - first, end - first};
}

/* In place: adjacent pairs of q and k. */
static inline void cpu_qkv_rotate(const struct cpu_args_matvec_qkv *a, const struct cpu_qkv_block *b,
                                  float *y) {
    const float *table = (const float *)a->table + (size_t)((const uint32_t *)a->step)[1] * a->n_rot;
    if (b->which == 2) return;
    for (uint64_t i = 0, n = b->end - b->begin, at = b->begin % a->head_dim; i < n; i += 2) {
        if (at < a->n_rot) {
            float u = y[i], v = y[i + 1], c = table[at], s = table[at + 1];
            y[i] = u * c - v * s;
            y[i + 1] = u * s + v * c;
        }
        at = at + 2 == a->head_dim ? 0 : at + 2;
    }
}

/* Where the block's rows go in q or, as elements, in the cache; UINT64_MAX: nowhere. */
static inline uint64_t cpu_qkv_place(const struct cpu_args_matvec_qkv *a, const struct cpu_qkv_block *b) {
    uint64_t pos = ((const uint32_t *)a->step)[1], n_kv = (uint64_t)a->n_head_kv * a->head_dim;
    if (b->which == 0) return b->begin;
    return pos < a->n_ctx ? pos * n_kv + b->begin : UINT64_MAX;
}

#endif
