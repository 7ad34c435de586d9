#include "internal.h"

#include <math.h>
#include <stdlib.h>

static void decode_x(uint32_t x_type, const uint8_t *row, uint64_t n_cols, double *x) {
    if (x_type == GRETA_TYPE_Q8A)
        ref_decode_q8a(row, n_cols, x);
    else
        ref_decode_row(x_type, row, n_cols, x, NULL);
}

/* w, its magnitudes, x: one row of each at a time. */
static void product(const struct ref_args *a, const double *w, const double *magnitude, const double *x,
                    uint64_t n_cols, double *value, double *bound) {
    double sum = 0, s = 0, sum_w = 0, sum_x = 0;
    for (uint64_t c = 0; c < n_cols; c++) {
        sum += w[c] * x[c];
        s += magnitude[c] * fabs(x[c]);
        sum_w += magnitude[c];
        sum_x += fabs(x[c]);
    }
    *value = sum;
    *bound = ref_sum_bound((double)n_cols, s, sum_w, sum_x, a->operand_eps);
}

greta_status ref_matmul(const struct ref_args *a, uint64_t n_tok, uint64_t n_rows, uint64_t n_cols) {
    const uint32_t *keys = a->call->keys;
    uint64_t w_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, keys[0], 1, n_cols);
    uint64_t x_bytes = greta_activation_row_bytes(keys[1], n_cols);
    double *x = calloc((size_t)(n_tok * n_cols + 1), sizeof *x),
           *w = calloc((size_t)(2 * n_cols + 1), sizeof *w);
    struct ref_output *y = &a->outputs[2];
    greta_status status = x && w ? ref_output_make(y, REF_F32, n_tok * n_rows) : GRETA_ERR_NO_MEMORY;
    for (uint64_t t = 0; !status && t < n_tok; t++)
        decode_x(keys[1], (const uint8_t *)a->data[1] + t * x_bytes, n_cols, x + t * n_cols);
    for (uint64_t r = 0; !status && r < n_rows; r++) {
        ref_decode_row(keys[0], (const uint8_t *)a->data[0] + r * w_bytes, n_cols, w, w + n_cols);
        for (uint64_t t = 0; t < n_tok; t++)
            product(a, w, w + n_cols, x + t * n_cols, n_cols, &y->value[t * n_rows + r],
                    &y->bound[t * n_rows + r]);
    }
    free(x);
    free(w);
    return status;
}

/*
 * The sums' own bounds go through: silu's slope is below 1.1 everywhere, so an error b in g is one of 1.1 b in silu(g). The
 * rounding of silu and of the product is relative to what a kernel may have got.
 */
greta_status ref_matvec_glu(const struct ref_args *a) {
    const struct greta_scalars_matvec_glu *s = &a->call->scalars.matvec_glu;
    const uint32_t *keys = a->call->keys;
    uint64_t n_cols = s->n_cols, w_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, keys[0], 1, n_cols);
    double *x = calloc((size_t)(3 * n_cols + 1), sizeof *x), *w = x + n_cols;
    struct ref_output *y = &a->outputs[4];
    greta_status status = x ? ref_output_make(y, REF_F32, s->n_rows) : GRETA_ERR_NO_MEMORY;
    if (!status) decode_x(keys[1], a->data[2], n_cols, x);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        double sum[2], error[2], rounding;
        for (int i = 0; i < 2; i++) {
            ref_decode_row(keys[0], (const uint8_t *)a->data[i] + r * w_bytes, n_cols, w, w + n_cols);
            product(a, w, w + n_cols, x, n_cols, &sum[i], &error[i]);
        }
        double silu = fabs(sum[0] / (1 + exp(-sum[0]))), up = fabs(sum[1]);
        double passed = 1.1 * error[0] * (up + error[1]) + silu * error[1];
        y->value[r] = ref_act_mul(sum[0], sum[1], &rounding);
        y->bound[r] = 1.01 * passed + rounding;
    }
    free(x);
    return status;
}

/* matvec_qkv's weight of binding i_w times x: n_rows values, then their bounds; NULL where memory is out. */
static double *rows_times_x(const struct ref_args *a, uint32_t i_w, uint32_t type, uint64_t n_rows,
                            uint64_t n_cols) {
    uint64_t w_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, type, 1, n_cols);
    double *y = calloc((size_t)(2 * n_rows + 1), sizeof *y), *x = calloc((size_t)(3 * n_cols + 1), sizeof *x);
    if (x) decode_x(a->call->keys[2], a->data[3], n_cols, x);
    for (uint64_t r = 0; x && y && r < n_rows; r++) {
        double *w = x + n_cols;
        ref_decode_row(type, (const uint8_t *)a->data[i_w] + r * w_bytes, n_cols, w, w + n_cols);
        product(a, w, w + n_cols, x, n_cols, &y[r], &y[n_rows + r]);
    }
    if (!x) free(y);
    free(x);
    return x ? y : NULL;
}

/* In place, adjacent pairs; the errors turn with the values, and the rotation rounds three times. */
static void rotate(const float *table, uint64_t n_rot, uint64_t head_dim, uint64_t n, double *y) {
    for (uint64_t i = 0; i < n; i += 2) {
        double *value = y + i, *error = y + n + i;
        if (i % head_dim >= n_rot) continue;
        double c = table[i % head_dim], s = table[i % head_dim + 1], u = value[0], v = value[1];
        double eu = error[0], ev = error[1];
        value[0] = u * c - v * s;
        value[1] = u * s + v * c;
        error[0] = fabs(c) * eu + fabs(s) * ev;
        error[1] = fabs(s) * eu + fabs(c) * ev;
        error[0] += 3 * REF_EPS * (fabs(u * c) + fabs(v * s) + error[0]) + REF_TINY;
        error[1] += 3 * REF_EPS * (fabs(u * s) + fabs(v * c) + error[1]) + REF_TINY;
    }
}

greta_status ref_matvec_qkv(const struct ref_args *a) {
    const struct greta_scalars_matvec_qkv *s = &a->call->scalars.matvec_qkv;
    const uint32_t *keys = a->call->keys;
    enum ref_kind kv = keys[3] == GRETA_TYPE_F16 ? REF_F16 : REF_F32;
    const float *table = a->data[6];
    uint64_t pos = ((const uint32_t *)a->data[7])[1];
    greta_status status = GRETA_OK;
    for (uint32_t w = 0; w < 3 && !status; w++) {
        uint64_t n = (uint64_t)(w ? s->n_head_kv : s->n_head) * s->head_dim;
        struct ref_output *o = &a->outputs[8 + w];
        double *y = rows_times_x(a, w, keys[w == 2], n, s->n_cols);
        status = y ? ref_output_make(o, w ? kv : REF_F32, w ? n * s->n_ctx : n) : GRETA_ERR_NO_MEMORY;
        if (!status && w < 2) rotate(table + pos * s->n_rot, s->n_rot, s->head_dim, n, y);
        for (uint64_t i = 0; !status && i < n && (w == 0 || pos < s->n_ctx); i++)
            ref_set_kv(o, w ? pos * n + i : i, y[i], y[n + i]);
        free(y);
    }
    return status;
}
