/* The ops on activations, in plain C. */
#include "../half.h"
#include "cpu.h"

#include <math.h>
#include <string.h>

static float to_f32(uint32_t type, const void *p, size_t i) {
    if (type == GRETA_TYPE_F32) return ((const float *)p)[i];
    uint16_t h = ((const uint16_t *)p)[i];
    return type == GRETA_TYPE_F16 ? half_f16_to_f32(h) : half_bf16_to_f32(h);
}

static void from_f32(uint32_t type, void *p, size_t i, float value) {
    if (type == GRETA_TYPE_F32)
        ((float *)p)[i] = value;
    else
        ((uint16_t *)p)[i] = type == GRETA_TYPE_F16 ? half_f32_to_f16(value) : half_f32_to_bf16(value);
}

static float norm_scale(const float *x, size_t n, float eps) {
    double sum[4] = {0};
    for (size_t i = 0; i < n; i++) sum[i % 4] += (double)x[i] * x[i];
    double mean = ((sum[0] + sum[2]) + (sum[1] + sum[3])) / (double)n;
    return (float)(1 / sqrt(mean + (double)eps));
}

static void norm_row(const float *x, const float *w, float *y, size_t n, float eps) {
    float scale = norm_scale(x, n, eps);
    for (size_t i = 0; i < n; i++) y[i] = x[i] * scale * w[i];
}

void cpu_rms_norm_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_rms_norm *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        norm_row((const float *)a->x + r * n, a->w, (float *)a->y + r * n, n, a->eps);
}

void cpu_add_rms_norm_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_add_rms_norm *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        float *x = (float *)a->x + r * n;
        const float *add = (const float *)a->r + r * n;
        for (size_t i = 0; i < n; i++) x[i] += add[i];
        norm_row(x, a->w, (float *)a->y + r * n, n, a->eps);
    }
}

/* y may be x. */
static void rotate(uint32_t half_split, const float *table, uint32_t n_pairs, const float *x, float *y) {
    uint32_t next = half_split ? n_pairs : 1, stride = half_split ? 1 : 2;
    for (uint32_t j = 0; j < n_pairs; j++) {
        uint32_t i = j * stride;
        float u = x[i], v = x[i + next], c = table[2 * j], s = table[2 * j + 1];
        y[i] = u * c - v * s;
        y[i + next] = u * s + v * c;
    }
}

void cpu_rope_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_rope *a = args;
    uint32_t n_pairs = a->n_rot / 2, pos = ((const uint32_t *)a->step)[1];
    struct cpu_range range = cpu_share(g, (uint64_t)a->n_tok * a->n_head, 1);
    for (uint64_t i = range.begin; i < range.end; i++) {
        float *x = (float *)a->x + i * a->head_dim;
        const float *table = (const float *)a->table + (pos + i / a->n_head) * 2 * n_pairs;
        rotate(g->constants[0], table, n_pairs, x, x);
    }
}

/* Elements [c, c + n) of row `position` of a cache of n_cols a row; whole units where it is Q8_0. */
static void kv_put(uint32_t type, void *cache, size_t position, size_t n_cols, size_t c, const float *x, size_t n) {
    uint8_t *row = (uint8_t *)cache + position * GRETA_KV_ROW_BYTES(type, n_cols);
    if (type == GRETA_TYPE_Q8_0)
        cpu_kv_store_q8_0(x, n, row, n_cols, c);
    else
        for (size_t i = 0; i < n; i++) from_f32(type, row, c + i, x[i]);
}

void cpu_kv_update_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_kv_update *a = args;
    uint32_t type = g->constants[0], pos = ((const uint32_t *)a->step)[1];
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_tok, 1);
    for (uint64_t t = range.begin; t < range.end && pos + t < a->n_ctx; t++) {
        kv_put(type, a->k_cache, pos + t, n, 0, (const float *)a->k + t * n, n);
        kv_put(type, a->v_cache, pos + t, n, 0, (const float *)a->v + t * n, n);
    }
}

void cpu_rope_kv_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_rope_kv *a = args;
    size_t n = a->head_dim, pos = ((const uint32_t *)a->step)[1], n_kv = a->n_head_kv,
           n_heads = a->n_head + 2 * n_kv;
    struct cpu_range range = cpu_share(g, a->n_tok * n_heads, 1);
    for (uint64_t i = range.begin; i < range.end; i++) {
        size_t t = i / n_heads, h = i % n_heads, p = pos + t;
        bool is_q = h < a->n_head, is_v = h >= a->n_head + n_kv;
        size_t at = is_q ? h : is_v ? h - a->n_head - n_kv : h - a->n_head;
        float *q = (float *)a->q + (t * a->n_head + at) * n, head[CPU_MAX_HEAD_DIM];
        const float *from = is_q ? q : (const float *)(is_v ? a->v : a->k) + (t * n_kv + at) * n;
        for (size_t c = 0; c < n; c++)
            head[c] = g->constants[3] ? from[c] + ((const float *)a->bias)[h * n + c] : from[c];
        if (g->constants[2] && !is_v) norm_row(head, is_q ? a->q_norm : a->k_norm, head, n, a->eps);
        if (!is_v) rotate(g->constants[0], (const float *)a->table + p * a->n_rot, a->n_rot / 2, head, head);
        if (is_q)
            memcpy(q, head, n * sizeof *q);
        else if (p < a->n_ctx)
            kv_put(g->constants[1], is_v ? a->v_cache : a->k_cache, p, n_kv * n, at * n, head, n);
    }
}

void cpu_act_mul_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_act_mul *a = args;
    const float *gate = a->gate, *up = a->up;
    struct cpu_range range = cpu_share(g, a->n, 16);
    for (uint64_t i = range.begin; i < range.end; i++)
        ((float *)a->y)[i] = cpu_act(g->constants[0], gate[i]) * up[i];
}

void cpu_add_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_add *a = args;
    struct cpu_range range = cpu_share(g, a->n, 16);
    for (uint64_t i = range.begin; i < range.end; i++)
        ((float *)a->y)[i] = ((const float *)a->a)[i] + ((const float *)a->b)[i];
}

void cpu_argmax_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_argmax *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        const float *x = (const float *)a->x + r * a->n_cols;
        uint32_t best = 0;
        for (uint32_t i = 1; i < a->n_cols; i++)
            if (x[i] > x[best] || (isnan(x[best]) && !isnan(x[i]))) best = i;
        ((uint32_t *)a->out)[r] = isnan(x[best]) ? UINT32_MAX : best;
    }
}

/* Whether a goes before b, both read in ascending order of index. NaN is below all. */
static bool before(float a, float b) {
    return a > b || (isnan(b) && !isnan(a));
}

void cpu_top_k_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_top_k *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        const float *x = (const float *)a->x + r * a->n_cols;
        float *values = (float *)a->values + r * a->k;
        uint32_t *indices = (uint32_t *)a->indices + r * a->k, n = 0;
        for (uint32_t i = 0; i < a->n_cols; i++) {
            if (n == a->k && (n == 0 || !before(x[i], values[n - 1]))) continue;
            uint32_t at = n < a->k ? n++ : n - 1;
            for (; at > 0 && before(x[i], values[at - 1]); at--) {
                values[at] = values[at - 1];
                indices[at] = indices[at - 1];
            }
            values[at] = x[i];
            indices[at] = i;
        }
    }
}

void cpu_fill_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_fill *a = args;
    struct cpu_range range = cpu_share(g, a->n, 16);
    for (uint64_t i = range.begin; i < range.end; i++) ((uint32_t *)a->y)[i] = a->value;
}

void cpu_copy_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_copy *a = args;
    struct cpu_range range = cpu_share(g, a->n, 16);
    memcpy((uint32_t *)a->y + range.begin, (const uint32_t *)a->x + range.begin,
           (range.end - range.begin) * 4);
}

void cpu_cast_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_cast *a = args;
    struct cpu_range range = cpu_share(g, a->n, 16);
    for (uint64_t i = range.begin; i < range.end; i++)
        from_f32(g->constants[1], a->y, i, to_f32(g->constants[0], a->x, i));
}

/* A unit that holds an infinity or a NaN becomes one of NaN (d = NaN, q = 0): it must not pass for a number.
 */
static void quantize_unit(const float *x, size_t n, int8_t *q, float *d, float *s) {
    float max = 0, bad = 0;
    for (size_t i = 0; i < n; i++) {
        max = fmaxf(max, fabsf(x[i]));
        bad += x[i] * 0;
    }
    int32_t sum = 0;
    *d = max / 127 + bad;
    memset(q, 0, 32);
    if (*d > 0)
        for (size_t i = 0; i < n; i++) {
            float value = rintf(x[i] / *d);
            q[i] = (int8_t)(value > 127 ? 127 : value < -127 ? -127 : value);
            sum += q[i];
        }
    *s = *d * (float)sum;
}

/* Row r of Q8A in y, unit by unit of x, each value scaled and, where w is given, weighted first. */
static void quantize_row(const float *x, float scale, const float *w, size_t n, void *y_all, uint64_t r) {
    uint8_t *y = (uint8_t *)y_all + r * GRETA_Q8A_ROW_BYTES(n);
    float *d = (float *)(void *)(y + GRETA_Q8A_D_OFFSET(n)),
          *s = (float *)(void *)(y + GRETA_Q8A_S_OFFSET(n));
    for (size_t u = 0; u * 32 < n; u++) {
        size_t n_here = n - u * 32 < 32 ? n - u * 32 : 32;
        float values[32];
        for (size_t i = 0; i < n_here; i++)
            values[i] = w ? x[u * 32 + i] * scale * w[u * 32 + i] : x[u * 32 + i];
        quantize_unit(values, n_here, (int8_t *)y + u * 32, d + u, s + u);
    }
}

void cpu_quantize_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_quantize *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        quantize_row((const float *)a->x + r * a->n_cols, 1, NULL, a->n_cols, a->y, r);
}

void cpu_add_rms_norm_quantize_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_add_rms_norm_quantize *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        float *x = (float *)a->x + r * n;
        const float *add = (const float *)a->r + r * n;
        for (size_t i = 0; i < n; i++) x[i] += add[i];
        quantize_row(x, norm_scale(x, n, a->eps), a->w, n, a->y, r);
    }
}

void cpu_bias_add_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_bias_add *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        for (size_t c = 0; c < a->n_cols; c++) ((float *)a->y)[r * a->n_cols + c] += ((const float *)a->b)[c];
}

void cpu_scale_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_scale *a = args;
    struct cpu_range range = cpu_share(g, a->n, 16);
    for (uint64_t i = range.begin; i < range.end; i++)
        ((float *)a->y)[i] = a->scale * ((const float *)a->x)[i];
}

void cpu_softcap_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_softcap *a = args;
    struct cpu_range range = cpu_share(g, a->n, 16);
    for (uint64_t i = range.begin; i < range.end; i++)
        ((float *)a->y)[i] = a->cap * tanhf(((const float *)a->x)[i] / a->cap);
}
