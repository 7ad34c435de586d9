/* Norms with a mean, softmax, reductions of rows, by vectors. */
#include "cpu.h"
#include "vec_upto.h"

/* Lanes at n and past it are zero. */
SIMD_INLINE vf only(vf v, size_t i, size_t n) {
    float lanes[VF_LANES];
    if (n - i >= VF_LANES) return v;
    vf_store(lanes, v);
    return vf_load_n(lanes, n - i);
}

/* In 4 * VF_LANES parts, as the norms of vec_ops.c. */
static float sum_of(const float *x, size_t n) {
    vf sum[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    for (size_t i = 0, k = 0; i < n; i += VF_LANES, k++) sum[k % 4] = vf_add(sum[k % 4], load_upto(x, i, n));
    return vf_sum(vf_add(vf_add(sum[0], sum[2]), vf_add(sum[1], sum[3])));
}

static float squares_of(const float *x, float mean, size_t n) {
    vf sum[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    for (size_t i = 0, k = 0; i < n; i += VF_LANES, k++) {
        vf d = only(vf_sub(load_upto(x, i, n), vf_set1(mean)), i, n);
        sum[k % 4] = vf_fma(d, d, sum[k % 4]);
    }
    return vf_sum(vf_add(vf_add(sum[0], sum[2]), vf_add(sum[1], sum[3])));
}

static float inverse_root(float squares, size_t n, float eps) {
    return (float)(1 / sqrt((double)squares / (double)n + (double)eps));
}

static void layer_norm_row(const float *x, const float *w, const float *b, float *y, size_t n, float eps) {
    float mean = (float)((double)sum_of(x, n) / (double)n);
    vf scale = vf_set1(inverse_root(squares_of(x, mean, n), n, eps));
    for (size_t i = 0; i < n; i += VF_LANES) {
        vf v = vf_mul(vf_sub(load_upto(x, i, n), vf_set1(mean)), scale);
        store_upto(y, i, n, vf_fma(v, load_upto(w, i, n), load_upto(b, i, n)));
    }
}

void CPU_FN(layer_norm)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_layer_norm *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        layer_norm_row((const float *)a->x + r * n, a->w, a->b, (float *)a->y + r * n, n, a->eps);
}

void CPU_FN(layer_rms_norm)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_layer_rms_norm *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        float *y = (float *)a->y + r * n;
        layer_norm_row((const float *)a->x + r * n, a->w, a->b, y, n, a->eps);
        vf scale = vf_set1(inverse_root(squares_of(y, 0, n), n, a->eps));
        for (size_t i = 0; i < n; i += VF_LANES)
            store_upto(y, i, n, vf_mul(vf_mul(load_upto(y, i, n), scale), load_upto(a->w_rms, i, n)));
    }
}

/* NaN aside: max gives its second operand where one is NaN. */
static float max_of(const float *x, float scale, size_t n) {
    vf top[2] = {vf_set1(-INFINITY), vf_set1(-INFINITY)};
    size_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        top[i / VF_LANES % 2] = vf_max(vf_mul(vf_load(x + i), vf_set1(scale)), top[i / VF_LANES % 2]);
    float max = vf_hmax(vf_max(top[0], top[1]));
    for (; i < n; i++) max = x[i] * scale > max ? x[i] * scale : max;
    return max;
}

void CPU_FN(softmax)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_softmax *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        const float *x = (const float *)a->x + r * n;
        float *y = (float *)a->y + r * n;
        vf max = vf_set1(max_of(x, a->scale, n));
        for (size_t i = 0; i < n; i += VF_LANES)
            store_upto(y, i, n, vf_exp(vf_sub(vf_mul(load_upto(x, i, n), vf_set1(a->scale)), max)));
        vf factor = vf_set1(1 / sum_of(y, n));
        for (size_t i = 0; i < n; i += VF_LANES) store_upto(y, i, n, vf_mul(load_upto(y, i, n), factor));
    }
}

void CPU_FN(row_sum)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_row_sum *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        ((float *)a->y)[r] = sum_of((const float *)a->x + r * a->n_cols, a->n_cols);
}

void CPU_FN(row_max)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_row_max *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        ((float *)a->y)[r] = max_of((const float *)a->x + r * a->n_cols, 1, a->n_cols);
}
