/* Ops that read weights, in plain C: one unit of 32 elements is decoded at a time. */
#include "blocks.h"
#include "../half.h"
#include "cpu.h"
#include "qkv.h"

#include <math.h>

static size_t unit_length(size_t n_cols, size_t i_unit) {
    size_t rest = n_cols - i_unit * 32;
    return rest < 32 ? rest : 32;
}

void cpu_row_lookup_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_row_lookup *a = args;
    const uint32_t type = g->constants[0], *ids = a->ids;
    size_t n_cols = a->n_cols, row_bytes = block_row_bytes(type, n_cols);
    struct cpu_range range = cpu_share(g, a->n_ids, 1);
    for (uint64_t i = range.begin; i < range.end; i++) {
        float *y = (float *)a->y + i * n_cols;
        if (ids[i] >= a->n_rows) {
            memset(y, 0, n_cols * sizeof *y);
            continue;
        }
        const uint8_t *row = (const uint8_t *)a->w + ids[i] * row_bytes;
        for (size_t u = 0; u < GRETA_DIV_UP(n_cols, 32); u++)
            block_unit_f32(type, row, u, unit_length(n_cols, u), y + u * 32);
    }
}

/* Eight sums side by side, joined in pairs: the compiler makes a vector of them and the error grows with n
 * / 8. */
static float sum_8(const float s[8]) {
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static float dot_f32(uint32_t type, const uint8_t *row, const float *x, size_t n_cols) {
    float total[8] = {0};
    for (size_t u = 0; u * 32 < n_cols; u++) {
        float w[32], sum[8] = {0};
        size_t n = unit_length(n_cols, u);
        block_unit_f32(type, row, u, n, w);
        if (n == 32)
            for (size_t i = 0; i < 32; i++) sum[i % 8] += w[i] * x[u * 32 + i];
        else
            for (size_t i = 0; i < n; i++) sum[i % 8] += w[i] * x[u * 32 + i];
        for (int i = 0; i < 8; i++) total[i] += sum[i];
    }
    return sum_8(total);
}

/* The integer sums are exact: at most 32 * 255 * 127. */
static float dot_q8a(uint32_t type, const uint8_t *row, const uint8_t *x, size_t n_cols) {
    const int8_t *xq = (const int8_t *)x;
    const float *xd = (const float *)(const void *)(x + GRETA_Q8A_D_OFFSET(n_cols));
    const float *xs = (const float *)(const void *)(x + GRETA_Q8A_S_OFFSET(n_cols));
    const bool is_codebook = !GRETA_TYPE_IS_PACKED(type);
    float total[8] = {0};
    for (size_t u = 0; u * 32 < n_cols; u++) {
        struct block_unit w;
        if (is_codebook) { /* its values are no whole numbers times one factor */
            float value[32], sum = 0;
            block_unit_f32(type, row, u, 32, value);
            for (int i = 0; i < 32; i++) sum += value[i] * (float)xq[u * 32 + i];
            total[u % 8] += xd[u] * sum;
            continue;
        }
        block_unit_read(type, row, u, &w);
        int32_t dot[2] = {0};
        for (int i = 0; i < 32; i++) dot[i / 16] += ((int32_t)w.q[i] - w.offset) * xq[u * 32 + i];
        float sum = w.scale[0] == w.scale[1] ? w.scale[0] * (float)(dot[0] + dot[1])
                                             : w.scale[0] * (float)dot[0] + w.scale[1] * (float)dot[1];
        total[u % 8] += xd[u] * sum;
        if (w.min[0] == w.min[1]) {
            total[u % 8] += w.min[0] * xs[u];
        } else {
            int32_t first = 0, last = 0;
            for (int i = 0; i < 16; i++) first += xq[u * 32 + i], last += xq[u * 32 + 16 + i];
            total[u % 8] += xd[u] * (w.min[0] * (float)first + w.min[1] * (float)last);
        }
    }
    return sum_8(total);
}

static void put(const struct greta_host_group *g, const struct cpu_args_matvec *a, uint64_t r, float value) {
    float *y = (float *)a->y + r;
    *y = g->constants[2] ? *y + value : value;
}

void cpu_matvec_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_matvec *a = args;
    size_t row_bytes = block_row_bytes(g->constants[0], a->n_cols);
    struct cpu_range range = cpu_share(g, a->n_rows, 16);
    for (uint64_t r = range.begin; r < range.end; r++)
        put(g, a, r, dot_f32(g->constants[0], (const uint8_t *)a->w + r * row_bytes, a->x, a->n_cols));
}

void cpu_matvec_q8a_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_matvec *a = args;
    size_t row_bytes = block_row_bytes(g->constants[0], a->n_cols);
    struct cpu_range range = cpu_share(g, a->n_rows, 16);
    for (uint64_t r = range.begin; r < range.end; r++)
        put(g, a, r, dot_q8a(g->constants[0], (const uint8_t *)a->w + r * row_bytes, a->x, a->n_cols));
}

void cpu_matvec_glu_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_matvec_glu *a = args;
    size_t n = a->n_cols, row_bytes = block_row_bytes(g->constants[0], n);
    struct cpu_range range = cpu_share(g, a->n_rows, 16);
    for (uint64_t r = range.begin; r < range.end; r++) {
        float gate = dot_f32(g->constants[0], (const uint8_t *)a->w_gate + r * row_bytes, a->x, n);
        float up = dot_f32(g->constants[0], (const uint8_t *)a->w_up + r * row_bytes, a->x, n);
        ((float *)a->y)[r] = cpu_act(g->constants[2], gate) * up;
    }
}

void cpu_matvec_glu_q8a_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_matvec_glu *a = args;
    size_t n = a->n_cols, row_bytes = block_row_bytes(g->constants[0], n);
    struct cpu_range range = cpu_share(g, a->n_rows, 16);
    for (uint64_t r = range.begin; r < range.end; r++) {
        float gate = dot_q8a(g->constants[0], (const uint8_t *)a->w_gate + r * row_bytes, a->x, n);
        float up = dot_q8a(g->constants[0], (const uint8_t *)a->w_up + r * row_bytes, a->x, n);
        ((float *)a->y)[r] = cpu_act(g->constants[2], gate) * up;
    }
}

static void qkv(const struct greta_host_group *g, const struct cpu_args_matvec_qkv *a, bool q8a) {
    size_t n = a->n_cols;
    struct cpu_range range = cpu_qkv_share(g, a);
    struct cpu_qkv_block b;
    for (uint64_t r = range.begin; r < range.end; r += b.end - b.begin) {
        float y[CPU_BLOCK_ROWS];
        b = cpu_qkv_block_at(g, a, r, range.end);
        size_t row_bytes = block_row_bytes(b.type, n);
        for (uint64_t i = b.begin; i < b.end; i++) {
            const uint8_t *row = (const uint8_t *)b.w + i * row_bytes;
            y[i - b.begin] = q8a ? dot_q8a(b.type, row, a->x, n) : dot_f32(b.type, row, a->x, n);
        }
        cpu_qkv_finish(g, a, &b, y);
        uint64_t to = cpu_qkv_place(a, &b);
        void *cache = b.which == 1 ? a->k_cache : a->v_cache;
        if (b.which && to != UINT64_MAX && g->constants[3] == GRETA_TYPE_Q8_0) {
            cpu_qkv_store_q8_0(a, &b, y);
            continue;
        }
        for (uint64_t i = 0; to != UINT64_MAX && i < b.end - b.begin; i++)
            if (b.which == 0)
                ((float *)a->q)[to + i] = y[i];
            else if (g->constants[3] == GRETA_TYPE_F16)
                ((uint16_t *)cache)[to + i] = half_f32_to_f16(y[i]);
            else
                ((float *)cache)[to + i] = y[i];
    }
}

void cpu_matvec_qkv_plain(const struct greta_host_group *g, const void *args) {
    qkv(g, args, false);
}

void cpu_matvec_qkv_q8a_plain(const struct greta_host_group *g, const void *args) {
    qkv(g, args, true);
}

void cpu_matmul_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_matmul *a = args;
    size_t row_bytes = block_row_bytes(g->constants[0], a->n_cols);
    struct cpu_range range = cpu_share(g, a->n_rows, 16);
    for (uint64_t r = range.begin; r < range.end; r++)
        for (size_t t = 0; t < a->n_tok; t++)
            ((float *)a->y)[t * a->n_rows + r] =
                dot_f32(g->constants[0], (const uint8_t *)a->w + r * row_bytes,
                        (const float *)a->x + t * a->n_cols, a->n_cols);
}

void cpu_matmul_q8a_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_matmul *a = args;
    size_t row_bytes = block_row_bytes(g->constants[0], a->n_cols),
           x_bytes = GRETA_Q8A_ROW_BYTES((size_t)a->n_cols);
    struct cpu_range range = cpu_share(g, a->n_rows, 16);
    for (uint64_t r = range.begin; r < range.end; r++)
        for (size_t t = 0; t < a->n_tok; t++)
            ((float *)a->y)[t * a->n_rows + r] =
                dot_q8a(g->constants[0], (const uint8_t *)a->w + r * row_bytes,
                        (const uint8_t *)a->x + t * x_bytes, a->n_cols);
}
