/* Norms with a mean, softmax, masks, and what becomes of a row. */
#include "internal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* A row in the making: n values, and what a right kernel may be off by. */
struct row {
    double *value, *error;
    uint64_t n;
};

static greta_status row_make(struct row *row, uint64_t n) {
    *row = (struct row){calloc((size_t)n + 1, sizeof(double)), calloc((size_t)n + 1, sizeof(double)), n};
    return row->value && row->error ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}

static void row_free(struct row *row) {
    free(row->value);
    free(row->error);
}

/* The error of a sum of n terms of magnitude s: without a product, as that of one. */
static double sum_error(uint64_t n, double s) {
    return REF_EPS * (6 * sqrt((double)n) + 16) * s;
}

/*
 * 1 / sqrt(mean square + eps) of what stands in the row, and its largest error: the mean square may be off by what the
 * values are, and by the roundings of its sum; both ends of that range are taken, since eps may be what is left of it.
 */
static double inverse_root(const struct row *row, double eps, double *error) {
    double square = 0, off = 0;
    for (uint64_t c = 0; c < row->n; c++) {
        square += row->value[c] * row->value[c];
        off += (2 * fabs(row->value[c]) + row->error[c]) * row->error[c];
    }
    off = (off + sum_error(row->n, square + off)) / (double)row->n;
    square /= (double)row->n;
    double scale = 1 / sqrt(square + eps), low = square > off ? square - off : 0;
    *error = fmax(1 / sqrt(low + eps) - scale, scale - 1 / sqrt(square + off + eps)) + 8 * REF_EPS * scale;
    return scale;
}

/* value * scale * w, from a value and a scale that are off. */
static void scale_by(struct row *row, uint64_t c, double scale, double scale_error, double w) {
    double v = row->value[c], e = row->error[c], largest = (fabs(v) + e) * (scale + scale_error) * fabs(w);
    row->error[c] = ((fabs(v) + e) * scale_error + e * scale) * fabs(w) + 4 * REF_EPS * largest + REF_TINY;
    row->value[c] = v * scale * w;
}

/* x becomes (x - mean) / sqrt(var + eps) * w + b. */
static void layer_norm_row(struct row *row, const float *w, const float *b, double eps) {
    double sum = 0, s = 0, scale_error;
    for (uint64_t c = 0; c < row->n; c++) {
        sum += row->value[c];
        s += fabs(row->value[c]);
    }
    double mean = sum / (double)row->n, mean_error = sum_error(row->n, s) / (double)row->n;
    for (uint64_t c = 0; c < row->n; c++) {
        row->value[c] -= mean;
        row->error[c] = mean_error + 2 * REF_EPS * (fabs(row->value[c]) + mean_error) + REF_TINY;
    }
    double scale = inverse_root(row, eps, &scale_error);
    for (uint64_t c = 0; c < row->n; c++) {
        scale_by(row, c, scale, scale_error, w[c]);
        row->value[c] += b[c];
        row->error[c] += 2 * REF_EPS * (fabs(row->value[c]) + row->error[c]);
    }
}

/* Both ops: the second has another norm behind the first. */
static greta_status layer_norm(const struct ref_args *a, uint32_t i_y) {
    const struct greta_scalars_layer_norm *s = &a->call->scalars.layer_norm;
    struct ref_output *y = &a->outputs[i_y];
    struct row row;
    greta_status status = row_make(&row, s->n_cols);
    if (!status) status = ref_output_make(y, REF_F32, (uint64_t)s->n_rows * s->n_cols);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        for (uint64_t c = 0; c < s->n_cols; c++) row.value[c] = ref_f32_at(a, 0, r * s->n_cols + c);
        layer_norm_row(&row, a->data[1], a->data[2], s->eps);
        if (a->call->op == GRETA_OP_LAYER_RMS_NORM) {
            double error, scale = inverse_root(&row, s->eps, &error);
            for (uint64_t c = 0; c < s->n_cols; c++) scale_by(&row, c, scale, error, ref_f32_at(a, 3, c));
        }
        for (uint64_t c = 0; c < s->n_cols; c++) {
            y->value[r * s->n_cols + c] = row.value[c];
            y->bound[r * s->n_cols + c] = row.error[c] + REF_TINY;
        }
    }
    row_free(&row);
    return status;
}

/*
 * The exponent is a product and a difference, each rounded; its error is a factor of the weight. The sum of the weights is off
 * by what its terms are, and by its roundings.
 */
static void softmax_row(struct row *row, double scale) {
    double max = -INFINITY, sum = 0, off = 0;
    for (uint64_t c = 0; c < row->n; c++) max = fmax(max, scale * row->value[c]);
    for (uint64_t c = 0; c < row->n; c++) {
        double s = scale * row->value[c], x = s - max, weight = exp(x);
        double error = expm1(2 * REF_EPS * (fabs(s) + fabs(max) + fabs(x))) + ref_exp_error(x);
        row->value[c] = weight;
        row->error[c] = (isinf(x) ? 0 : weight * error) + REF_TINY;
        sum += weight;
        off += row->error[c];
    }
    off += sum_error(row->n, sum + off);
    for (uint64_t c = 0; c < row->n; c++) {
        row->value[c] /= sum;
        row->error[c] = (row->error[c] + row->value[c] * off) / sum * 1.01 + 4 * REF_EPS * row->value[c];
    }
}

static greta_status softmax(const struct ref_args *a) {
    const struct greta_scalars_softmax *s = &a->call->scalars.softmax;
    struct ref_output *y = &a->outputs[1];
    struct row row;
    greta_status status = row_make(&row, s->n_cols);
    if (!status) status = ref_output_make(y, REF_F32, (uint64_t)s->n_rows * s->n_cols);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        for (uint64_t c = 0; c < s->n_cols; c++) row.value[c] = ref_f32_at(a, 0, r * s->n_cols + c);
        softmax_row(&row, s->scale);
        for (uint64_t c = 0; c < s->n_cols; c++) {
            y->value[r * s->n_cols + c] = row.value[c];
            y->bound[r * s->n_cols + c] = row.error[c] + REF_TINY;
        }
    }
    row_free(&row);
    return status;
}

static greta_status causal_mask(const struct ref_args *a) {
    const struct greta_scalars_causal_mask *s = &a->call->scalars.causal_mask;
    struct ref_output *x = &a->outputs[0];
    greta_status status = ref_output_make(x, REF_F32, (uint64_t)s->n_rows * s->n_cols);
    for (uint64_t r = 0; !status && r < s->n_rows; r++)
        for (uint64_t c = (uint64_t)s->pos + r + 1; c < s->n_cols; c++) {
            x->value[r * s->n_cols + c] = -INFINITY;
            x->bound[r * s->n_cols + c] = 0;
        }
    return status;
}

static greta_status row_sum(const struct ref_args *a) {
    const struct greta_scalars_row_sum *s = &a->call->scalars.row_sum;
    struct ref_output *y = &a->outputs[1];
    greta_status status = ref_output_make(y, REF_F32, s->n_rows);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        double sum = 0, magnitude = 0;
        for (uint64_t c = 0; c < s->n_cols; c++) {
            sum += ref_f32_at(a, 0, r * s->n_cols + c);
            magnitude += fabs((double)ref_f32_at(a, 0, r * s->n_cols + c));
        }
        y->value[r] = sum;
        y->bound[r] = sum_error(s->n_cols, magnitude) + REF_TINY;
    }
    return status;
}

static greta_status row_max(const struct ref_args *a) {
    const struct greta_scalars_row_max *s = &a->call->scalars.row_max;
    struct ref_output *y = &a->outputs[1];
    greta_status status = ref_output_make(y, REF_F32, s->n_rows);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        double max = -INFINITY;
        for (uint64_t c = 0; c < s->n_cols; c++) max = fmax(max, ref_f32_at(a, 0, r * s->n_cols + c));
        y->value[r] = max;
        y->bound[r] = 0;
    }
    return status;
}

greta_status ref_norms(const struct ref_args *a) {
    switch (a->call->op) {
    case GRETA_OP_LAYER_NORM: return layer_norm(a, 3);
    case GRETA_OP_LAYER_RMS_NORM: return layer_norm(a, 4); /* the same scalars */
    case GRETA_OP_SOFTMAX: return softmax(a);
    case GRETA_OP_CAUSAL_MASK: return causal_mask(a);
    case GRETA_OP_ROW_SUM: return row_sum(a);
    case GRETA_OP_ROW_MAX: return row_max(a);
    default: return GRETA_ERR_INVALID;
    }
}
