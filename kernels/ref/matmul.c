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

/* Rows of a matrix, some at a time: each piece decodes its own. */
struct rows {
    const struct ref_args *args;
    const double *x;
    uint64_t n_tok, n_rows, n_cols, n_at_once;
    _Atomic bool failed;
};

static void some_rows(void *user, uint32_t i) {
    struct rows *all = user;
    const struct ref_args *a = all->args;
    uint64_t n_cols = all->n_cols, begin = i * all->n_at_once, end = begin + all->n_at_once;
    uint64_t w_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, a->call->keys[0], 1, n_cols);
    struct ref_output *y = &a->outputs[2];
    double *w = calloc((size_t)(2 * n_cols + 1), sizeof *w);
    if (!w) all->failed = true;
    if (end > all->n_rows) end = all->n_rows;
    for (uint64_t r = begin; w && r < end; r++) {
        ref_decode_row(a->call->keys[0], (const uint8_t *)a->data[0] + r * w_bytes, n_cols, w, w + n_cols);
        for (uint64_t t = 0; t < all->n_tok; t++)
            product(a, w, w + n_cols, all->x + t * n_cols, n_cols, &y->value[t * all->n_rows + r],
                    &y->bound[t * all->n_rows + r]);
    }
    free(w);
}

greta_status ref_matmul(const struct ref_args *a, uint64_t n_tok, uint64_t n_rows, uint64_t n_cols) {
    enum { FEW = 1 << 18 /* elements, or products */ };
    const uint32_t *keys = a->call->keys;
    uint64_t x_bytes = greta_activation_row_bytes(keys[1], n_cols);
    double *x = calloc((size_t)(n_tok * n_cols + 1), sizeof *x);
    struct ref_output *y = &a->outputs[2];
    greta_status status = x ? ref_output_make(y, REF_F32, n_tok * n_rows) : GRETA_ERR_NO_MEMORY;
    for (uint64_t t = 0; !status && t < n_tok; t++)
        decode_x(keys[1], (const uint8_t *)a->data[1] + t * x_bytes, n_cols, x + t * n_cols);
    struct rows all = {a, x, n_tok, n_rows, n_cols, FEW / (n_tok * n_cols + 1) + 1, false};
    if (!status) ref_loop((uint32_t)((n_rows + all.n_at_once - 1) / all.n_at_once), some_rows, &all);
    free(x);
    return status ? status : all.failed ? GRETA_ERR_NO_MEMORY : GRETA_OK;
}

greta_status ref_matvec(const struct ref_args *a) {
    const struct greta_scalars_matvec *s = &a->call->scalars.matvec;
    struct ref_output *y = &a->outputs[2];
    greta_status status = ref_matmul(a, 1, s->n_rows, s->n_cols);
    for (uint64_t r = 0; !status && a->call->keys[2] && r < s->n_rows; r++) {
        double before = ((const float *)a->data[2])[r];
        y->value[r] += before;
        y->bound[r] += 2 * REF_EPS * (fabs(y->value[r]) + y->bound[r]);
    }
    return status;
}

/* The scalars begin with matvec's. Counters are 0 again; what the pieces are is the kernel's own. */
greta_status ref_matvec_split(const struct ref_args *a) {
    uint32_t n_rows = a->call->scalars.matvec_split.n_rows;
    struct ref_output *counters = &a->outputs[3];
    greta_status status = ref_matvec(a);
    if (!status) status = ref_output_make(counters, REF_U32, n_rows);
    for (uint32_t i = 0; !status && i < n_rows; i++) counters->value[i] = counters->bound[i] = 0;
    return status;
}

/* ---- what the fused ones read ---- */

/* x as a matrix reads it: decoded and, norm 1, normed; `relative`: what that adds to every product's error. */
struct operand {
    double *x, *w, relative; /* w: two rows of work */
    uint64_t n_cols;
};

static greta_status operand_make(struct operand *op, const struct ref_args *a, uint32_t x_type, uint32_t i_x,
                                 uint64_t n_cols, bool norm, double eps) {
    *op = (struct operand){.n_cols = n_cols};
    op->x = calloc((size_t)(3 * n_cols + 1), sizeof *op->x);
    if (!op->x) return GRETA_ERR_NO_MEMORY;
    op->w = op->x + n_cols;
    decode_x(x_type, a->data[i_x], n_cols, op->x);
    if (!norm) return GRETA_OK;
    const float *weights = a->data[i_x + 1];
    double scale = ref_norm_scale(op->x, n_cols, eps, &op->relative);
    for (uint64_t c = 0; c < n_cols; c++) op->x[c] *= scale * weights[c];
    return GRETA_OK;
}

/* Row r of the weight of binding i_w times the operand. */
static void row_times(const struct ref_args *a, uint32_t i_w, uint32_t type, uint64_t r,
                      const struct operand *op, double *value, double *bound) {
    uint64_t n = op->n_cols, w_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, type, 1, n);
    double s = 0;
    ref_decode_row(type, (const uint8_t *)a->data[i_w] + r * w_bytes, n, op->w, op->w + n);
    product(a, op->w, op->w + n, op->x, n, value, bound);
    for (uint64_t c = 0; op->relative > 0 && c < n; c++) s += op->w[n + c] * fabs(op->x[c]);
    *bound += op->relative * s;
}

/*
 * The sums' own bounds go through: the slope of silu is below 1.1 everywhere, that of gelu below 1.13, so an error b in g is one
 * of 1.13 b in act(g). The rounding of act and of the product is relative to what a kernel may have got.
 */
greta_status ref_matvec_glu(const struct ref_args *a) {
    const struct greta_scalars_matvec_glu *s = &a->call->scalars.matvec_glu;
    const uint32_t *keys = a->call->keys;
    struct ref_output *y = &a->outputs[4];
    struct operand op;
    greta_status status = operand_make(&op, a, keys[1], 2, s->n_cols, keys[3] == 1, s->eps);
    if (!status) status = ref_output_make(y, REF_F32, s->n_rows);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        double sum[2], error[2], rounding, unused;
        for (uint32_t i = 0; i < 2; i++) row_times(a, i, keys[0], r, &op, &sum[i], &error[i]);
        double act = fabs(ref_act_mul(keys[2], sum[0], 1, &unused)), up = fabs(sum[1]);
        double passed = 1.13 * error[0] * (up + error[1]) + act * error[1];
        y->value[r] = ref_act_mul(keys[2], sum[0], sum[1], &rounding);
        y->bound[r] = 1.01 * passed + rounding;
    }
    free(op.x);
    return status;
}

void ref_rotate(const float *table, uint32_t mode, uint64_t n_rot, uint64_t head_dim, uint64_t n, double *y) {
    for (uint64_t i = 0; i < n / head_dim * (n_rot / 2); i++) {
        uint64_t head = i / (n_rot / 2) * head_dim, j = i % (n_rot / 2);
        uint64_t first = head + (mode ? j : 2 * j), second = first + (mode ? n_rot / 2 : 1);
        double c = table[2 * j], s = table[2 * j + 1], u = y[first], v = y[second];
        double eu = y[n + first], ev = y[n + second];
        y[first] = u * c - v * s;
        y[second] = u * s + v * c;
        eu = fabs(c) * y[n + first] + fabs(s) * y[n + second];
        ev = fabs(s) * y[n + first] + fabs(c) * y[n + second];
        y[n + first] = eu + 3 * REF_EPS * (fabs(u * c) + fabs(v * s) + eu) + REF_TINY;
        y[n + second] = ev + 3 * REF_EPS * (fabs(u * s) + fabs(v * c) + ev) + REF_TINY;
    }
}

greta_status ref_matvec_qkv(const struct ref_args *a) {
    const struct greta_scalars_matvec_qkv *s = &a->call->scalars.matvec_qkv;
    const uint32_t *keys = a->call->keys;
    const float *table = a->data[6], *bias = a->data[5];
    uint64_t pos = ((const uint32_t *)a->data[7])[1], n_kv = (uint64_t)s->n_head_kv * s->head_dim;
    struct operand op;
    greta_status status = operand_make(&op, a, keys[2], 3, s->n_cols, keys[5] == 1, s->eps);
    for (uint32_t w = 0; w < 3 && !status; w++) {
        uint64_t n = w ? n_kv : (uint64_t)s->n_head * s->head_dim;
        struct ref_output *o = &a->outputs[8 + w];
        double *y = calloc((size_t)(2 * n + 1), sizeof *y);
        status = !y  ? GRETA_ERR_NO_MEMORY
                 : w ? ref_kv_make(o, keys[3], s->n_ctx, n)
                     : ref_output_make(o, REF_F32, n);
        for (uint64_t r = 0; !status && r < n; r++) {
            row_times(a, w, keys[w == 2], r, &op, &y[r], &y[n + r]);
            if (!keys[6]) continue;
            y[r] += bias[r];
            y[n + r] += 2 * REF_EPS * (fabs(y[r]) + y[n + r]);
        }
        if (!status && w < 2) ref_rotate(table + pos * s->n_rot, keys[4], s->n_rot, s->head_dim, n, y);
        for (uint64_t i = 0; !status && i < n && (w == 0 || pos < s->n_ctx); i++)
            ref_set_kv(o, w ? pos * n + i : i, y[i], y[n + i]);
        bias += keys[6] ? n : 0;
        free(y);
    }
    free(op.x);
    return status;
}
