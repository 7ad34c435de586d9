/*
 * What the rows of matvec_qkv share: the rows of the three weights counted as one list, cut into blocks of one weight each. No pair
 * that rotates together is split: a block begins at an even row, or, where halves of a head rotate or are rounded, is a head.
 */
#ifndef KERNELS_CPU_QKV_H
#define KERNELS_CPU_QKV_H

#include "cpu.h"

/* Few enough for the stack and the first cache, many enough that what a block costs does not count; a head fits. */
enum { CPU_BLOCK_ROWS = CPU_MAX_HEAD_DIM };

struct cpu_qkv_block {
    uint32_t which, type; /* 0: q, 1: k, 2: v; of its weight */
    const void *w;
    uint64_t begin, end; /* rows of w */
};

/* Halves of heads rotate together: mode 1. Units of a Q8_0 cache are not split either. */
static inline bool cpu_qkv_by_heads(const struct greta_host_group *g) {
    return g->constants[4] == 1 || g->constants[3] == GRETA_TYPE_Q8_0;
}

static inline struct cpu_range cpu_qkv_share(const struct greta_host_group *g,
                                             const struct cpu_args_matvec_qkv *a) {
    uint64_t n_rows = ((uint64_t)a->n_head + 2 * (uint64_t)a->n_head_kv) * a->head_dim;
    return cpu_share(g, n_rows, cpu_qkv_by_heads(g) ? a->head_dim : 16);
}

/* The block that begins at row r of the list and ends at `end` at the latest. */
static inline struct cpu_qkv_block cpu_qkv_block_at(const struct greta_host_group *g,
                                                    const struct cpu_args_matvec_qkv *a, uint64_t r,
                                                    uint64_t end) {
    uint64_t n_q = (uint64_t)a->n_head * a->head_dim, n_kv = (uint64_t)a->n_head_kv * a->head_dim;
    uint32_t which = r < n_q ? 0 : r < n_q + n_kv ? 1 : 2;
    uint64_t first = which == 0 ? 0 : which == 1 ? n_q : n_q + n_kv, last = first + (which ? n_kv : n_q);
    uint64_t most = cpu_qkv_by_heads(g) ? a->head_dim : CPU_BLOCK_ROWS;
    if (end > last) end = last;
    if (end > r + most) end = r + most;
    return (struct cpu_qkv_block){which, g->constants[which == 2],
                                  which == 0   ? a->w_q
                                  : which == 1 ? a->w_k
                                               : a->w_v,
                                  r - first, end - first};
}

static inline void cpu_qkv_rotate_pair(const float *entry, float *u, float *v) {
    float x = *u, y = *v;
    *u = x * entry[0] - y * entry[1];
    *v = x * entry[1] + y * entry[0];
}

/* In place: the bias, and the rotation of q and k. */
static inline void cpu_qkv_finish(const struct greta_host_group *g, const struct cpu_args_matvec_qkv *a,
                                  const struct cpu_qkv_block *b, float *y) {
    const float *table = (const float *)a->table + (size_t)((const uint32_t *)a->step)[1] * a->n_rot;
    uint64_t n = b->end - b->begin, n_heads = b->which == 0   ? 0
                                              : b->which == 1 ? a->n_head
                                                              : a->n_head + (uint64_t)a->n_head_kv;
    const float *bias = (const float *)a->bias + n_heads * a->head_dim + b->begin;
    for (uint64_t i = 0; g->constants[6] && i < n; i++) y[i] += bias[i];
    if (b->which == 2) return;
    if (g->constants[4] == 1) {
        for (uint32_t j = 0; j < a->n_rot / 2; j++)
            cpu_qkv_rotate_pair(table + 2 * j, y + j, y + j + a->n_rot / 2);
        return;
    }
    for (uint64_t i = 0, at = b->begin % a->head_dim; i < n; i += 2) {
        if (at < a->n_rot) cpu_qkv_rotate_pair(table + at, y + i, y + i + 1);
        at = at + 2 == a->head_dim ? 0 : at + 2;
    }
}

/* A block that is a head into its place in a Q8_0 cache. */
static inline void cpu_qkv_store_q8_0(const struct cpu_args_matvec_qkv *a, const struct cpu_qkv_block *b,
                                      const float *y) {
    uint64_t pos = ((const uint32_t *)a->step)[1], n_kv = (uint64_t)a->n_head_kv * a->head_dim;
    uint8_t *row = (uint8_t *)(b->which == 1 ? a->k_cache : a->v_cache) + pos * GRETA_KV_ROW_BYTES(GRETA_TYPE_Q8_0, n_kv);
    cpu_kv_store_q8_0(y, b->end - b->begin, row, n_kv, b->begin);
}

/* Where the block's rows go in q or, as elements, in the cache; UINT64_MAX: nowhere. */
static inline uint64_t cpu_qkv_place(const struct cpu_args_matvec_qkv *a, const struct cpu_qkv_block *b) {
    uint64_t pos = ((const uint32_t *)a->step)[1], n_kv = (uint64_t)a->n_head_kv * a->head_dim;
    if (b->which == 0) return b->begin;
    return pos < a->n_ctx ? pos * n_kv + b->begin : UINT64_MAX;
}

#endif
