/* Attention in plain C: one pass over the positions with a running maximum, per token and head. */
#include "../half.h"
#include "cpu.h"

#include <math.h>
#include <string.h>

/* Element i of a row of n_cols. */
static float element(uint32_t type, const void *p, size_t n_cols, size_t i) {
    if (type == GRETA_TYPE_Q8_0) return cpu_kv_load_q8_0(p, n_cols, i);
    if (type == GRETA_TYPE_F32) return ((const float *)p)[i];
    uint16_t h = ((const uint16_t *)p)[i];
    return type == GRETA_TYPE_F16 ? half_f16_to_f32(h) : half_bf16_to_f32(h);
}

struct head {
    const float *q;
    const void *k, *v;
    uint32_t type, dim;
    size_t first, n_cols; /* the head's first element in a position's row; elements of a row */
    float scale, softcap;
};

struct partial {
    float max, sum, acc[CPU_MAX_HEAD_DIM];
};

static float dot(const struct head *h, const uint8_t *row) {
    float sum[4] = {0};
    for (size_t i = 0; i < h->dim; i++)
        sum[i % 4] += h->q[i] * element(h->type, row, h->n_cols, h->first + i);
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* Positions [begin, end); where there are none, max is -infinity and all else 0. */
static void attend(const struct head *h, size_t begin, size_t end, struct partial *p) {
    p->max = -INFINITY;
    p->sum = 0;
    memset(p->acc, 0, h->dim * sizeof *p->acc);
    for (size_t j = begin; j < end; j++) {
        size_t at = j * GRETA_KV_ROW_BYTES(h->type, h->n_cols);
        const uint8_t *v = (const uint8_t *)h->v + at;
        float score = h->scale * dot(h, (const uint8_t *)h->k + at);
        if (h->softcap > 0) score = h->softcap * tanhf(score / h->softcap);
        if (score > p->max) {
            float factor = expf(p->max - score);
            p->sum *= factor;
            for (size_t i = 0; i < h->dim; i++) p->acc[i] *= factor;
            p->max = score;
        }
        float weight = expf(score - p->max);
        p->sum += weight;
        for (size_t i = 0; i < h->dim; i++)
            p->acc[i] += weight * element(h->type, v, h->n_cols, h->first + i);
    }
}

void cpu_attn_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_attn *a = args;
    uint32_t dim = g->constants[1], pos = ((const uint32_t *)a->step)[1], n_group = a->n_head / a->n_head_kv;
    struct cpu_range range = cpu_share(g, (uint64_t)a->n_tok * a->n_head, 1);
    for (uint64_t i = range.begin; i < range.end; i++) {
        uint64_t t = i / a->n_head, n = pos + t + 1;
        struct head h = {.q = (const float *)a->q + i * dim,
                         .k = a->k,
                         .v = a->v,
                         .type = g->constants[0],
                         .dim = dim,
                         .first = i % a->n_head / n_group * dim,
                         .n_cols = (size_t)a->n_head_kv * dim,
                         .scale = a->scale,
                         .softcap = a->softcap};
        struct partial p;
        attend(&h, cpu_window_begin(n, a->window), n < a->n_ctx ? n : a->n_ctx, &p);
        for (uint32_t c = 0; c < dim; c++) ((float *)a->y)[i * dim + c] = p.acc[c] / p.sum;
    }
}

void cpu_attn_split_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_attn_split *a = args;
    uint32_t dim = g->constants[1], n_kv = ((const uint32_t *)a->step)[2], n_group = a->n_head / a->n_head_kv;
    if (n_kv > a->n_ctx) n_kv = a->n_ctx;
    struct cpu_range range = cpu_share(g, (uint64_t)a->n_head * a->n_split, 1);
    for (uint64_t i = range.begin; i < range.end; i++) {
        uint64_t i_head = i / a->n_split, begin = i % a->n_split * GRETA_ATTN_CHUNK,
                 end = begin + GRETA_ATTN_CHUNK;
        if (begin >= n_kv) continue;
        struct head h = {.q = (const float *)a->q + i_head * dim,
                         .k = a->k,
                         .v = a->v,
                         .type = g->constants[0],
                         .dim = dim,
                         .first = i_head / n_group * dim,
                         .n_cols = (size_t)a->n_head_kv * dim,
                         .scale = a->scale,
                         .softcap = a->softcap};
        struct partial p;
        uint64_t first = cpu_window_begin(n_kv, a->window);
        attend(&h, begin < first ? first : begin, end < n_kv ? end : n_kv, &p);
        memcpy((float *)a->partials + i * (dim + 2), &p, (dim + 2) * sizeof(float));
    }
}

void cpu_attn_reduce_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_attn_reduce *a = args;
    uint32_t dim = g->constants[0], n_kv = ((const uint32_t *)a->step)[2];
    uint64_t n_used = GRETA_DIV_UP((uint64_t)n_kv, GRETA_ATTN_CHUNK);
    if (n_used > a->n_split) n_used = a->n_split;
    struct cpu_range range = cpu_share(g, a->n_head, 1);
    for (uint64_t h = range.begin; h < range.end; h++) {
        const float *first = (const float *)a->partials + h * a->n_split * (dim + 2);
        float max = -INFINITY, sum = 0, acc[CPU_MAX_HEAD_DIM] = {0};
        for (uint64_t s = 0; s < n_used; s++) max = fmaxf(max, first[s * (dim + 2)]);
        for (uint64_t s = 0; s < n_used; s++) {
            const float *p = first + s * (dim + 2);
            float factor = expf(p[0] - max);
            sum += factor * p[1];
            for (uint32_t c = 0; c < dim; c++) acc[c] += factor * p[2 + c];
        }
        for (uint32_t c = 0; c < dim; c++) ((float *)a->y)[h * dim + c] = acc[c] / sum;
    }
}
