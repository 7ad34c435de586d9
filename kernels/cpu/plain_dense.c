/* Norms with a mean, softmax, masks, reductions of rows and GEMM, in plain C. */
#include "../half.h"
#include "cpu.h"

#include <math.h>

/* x becomes (x - mean) / sqrt(var + eps) * w + b in y; the sums are double, so that nothing need be said of their order. */
static void layer_norm_row(const float *x, const float *w, const float *b, float *y, size_t n, float eps) {
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) square += ((double)x[i] - mean) * ((double)x[i] - mean);
    double scale = 1 / sqrt(square / (double)n + (double)eps);
    for (size_t i = 0; i < n; i++) y[i] = (float)(((double)x[i] - mean) * scale) * w[i] + b[i];
}

static void rms_norm_row(const float *w, float *y, size_t n, float eps) {
    double square = 0;
    for (size_t i = 0; i < n; i++) square += (double)y[i] * (double)y[i];
    float scale = (float)(1 / sqrt(square / (double)n + (double)eps));
    for (size_t i = 0; i < n; i++) y[i] *= scale * w[i];
}

void cpu_layer_norm_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_layer_norm *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        layer_norm_row((const float *)a->x + r * n, a->w, a->b, (float *)a->y + r * n, n, a->eps);
}

void cpu_layer_rms_norm_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_layer_rms_norm *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        float *y = (float *)a->y + r * n;
        layer_norm_row((const float *)a->x + r * n, a->w, a->b, y, n, a->eps);
        rms_norm_row(a->w_rms, y, n, a->eps);
    }
}

void cpu_softmax_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_softmax *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        const float *x = (const float *)a->x + r * n;
        float *y = (float *)a->y + r * n, max = -INFINITY;
        double sum = 0;
        for (size_t i = 0; i < n; i++) max = fmaxf(max, a->scale * x[i]);
        for (size_t i = 0; i < n; i++) {
            y[i] = expf(a->scale * x[i] - max);
            sum += (double)y[i];
        }
        for (size_t i = 0; i < n; i++) y[i] = (float)((double)y[i] / sum);
    }
}

/* No vector row: it only stores. */
void cpu_causal_mask_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_causal_mask *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        for (uint64_t c = a->pos + r + 1; c < a->n_cols; c++) ((float *)a->x)[r * a->n_cols + c] = -INFINITY;
}

void cpu_row_sum_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_row_sum *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        double sum = 0;
        for (size_t c = 0; c < a->n_cols; c++) sum += (double)((const float *)a->x)[r * a->n_cols + c];
        ((float *)a->y)[r] = (float)sum;
    }
}

void cpu_row_max_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_row_max *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        float max = -INFINITY;
        for (size_t c = 0; c < a->n_cols; c++) {
            float x = ((const float *)a->x)[r * a->n_cols + c];
            max = x > max ? x : max;
        }
        ((float *)a->y)[r] = max;
    }
}

/* ---- GEMM ---- */

/* E4M3 FNUZ: bias 8, no infinities, 0x80 is the only NaN. */
static float f32_of_fp8(uint8_t bits) {
    int exponent = bits >> 3 & 15, fraction = bits & 7;
    float value = exponent ? ldexpf((float)(8 + fraction), exponent - 11) : ldexpf((float)fraction, -10);
    return bits == 0x80 ? NAN : bits & 0x80 ? -value : value;
}

static float element(uint32_t type, const void *p, size_t i) {
    switch (type) {
    case GRETA_TYPE_F32: return ((const float *)p)[i];
    case GRETA_TYPE_F16: return half_f16_to_f32(((const uint16_t *)p)[i]);
    case GRETA_TYPE_BF16: return half_bf16_to_f32(((const uint16_t *)p)[i]);
    default: return f32_of_fp8(((const uint8_t *)p)[i]);
    }
}

void cpu_gemm_plain(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_gemm *a = args;
    uint32_t type = g->constants[0];
    size_t m = a->m, n = a->n, k = a->k;
    bool a_rows = g->constants[1] == GRETA_ORDER_ROW, b_rows = g->constants[2] == GRETA_ORDER_ROW;
    struct cpu_range range = cpu_share(g, a->m, 1);
    for (size_t i = range.begin; i < range.end; i++)
        for (size_t j = 0; j < n; j++) {
            float sum[4] = {0};
            int32_t whole = 0;
            for (size_t l = 0; l < k; l++) {
                size_t at_a = a_rows ? i * k + l : l * m + i, at_b = b_rows ? l * n + j : j * k + l;
                if (type == GRETA_TYPE_I8)
                    whole += ((const int8_t *)a->a)[at_a] * ((const int8_t *)a->b)[at_b];
                else
                    sum[l % 4] += element(type, a->a, at_a) * element(type, a->b, at_b);
            }
            if (type == GRETA_TYPE_I8)
                ((int32_t *)a->c)[i * n + j] = whole;
            else
                ((float *)a->c)[i * n + j] = (sum[0] + sum[2]) + (sum[1] + sum[3]);
        }
}
