#include "internal.h"

#include "half.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

greta_status ref_output_make(struct ref_output *o, enum ref_kind kind, uint64_t n) {
    if (n > SIZE_MAX / sizeof(double) - 1) return GRETA_ERR_NO_MEMORY;
    o->value = calloc((size_t)n + 1, sizeof *o->value);
    o->bound = calloc((size_t)n + 1, sizeof *o->bound);
    if (!o->value || !o->bound) return GRETA_ERR_NO_MEMORY;
    o->kind = kind;
    o->n = n;
    for (uint64_t i = 0; i < n; i++) o->bound[i] = -1;
    return GRETA_OK;
}

/*
 * An operand u is off by at most r |u| + A: A is half of what f16's denormals are apart, and 0 for types with f32's exponents. So u v
 * is off by (2 r + r^2) |u v| + (1 + r) A (|u| + |v|) + A^2 at most (docs/en/numeric.md).
 */
double ref_rounding_error(double k, double s, double a, double b, double r) {
    bool f16 = r > 0x1p-12 && r < 0x1p-9;
    return 2.05 * r * s + (f16 ? 1.001 * 0x1p-25 * (a + b) + k * 0x1p-50 : 0);
}

double ref_sum_bound(double k, double s, double a, double b, double operand_eps) {
    return REF_EPS * (6 * sqrt(k) + 16) * s + ref_rounding_error(k, s, a, b, operand_eps) + REF_TINY;
}

double ref_exp_error(double x) {
    return (4 + 4 * fabs(x)) * 0x1p-23;
}

static void set(struct ref_output *o, uint64_t i, double value, double bound) {
    o->value[i] = value;
    o->bound[i] = bound;
}

/* Within one rounding of an exact result; either neighbour is right. */
static void set_rounded(struct ref_output *o, uint64_t i, double value) {
    set(o, i, value, 2 * REF_EPS * fabs(value) + REF_TINY);
}

static float f32_at(const struct ref_args *a, uint32_t binding, uint64_t i) {
    return ((const float *)a->data[binding])[i];
}

/* ---- one function per op ---- */

static greta_status row_lookup(const struct ref_args *a) {
    const struct greta_scalars_row_lookup *s = &a->call->scalars.row_lookup;
    uint32_t type = a->call->keys[0];
    uint64_t row_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, type, 1, s->n_cols);
    struct ref_output *y = &a->outputs[2];
    double *row = calloc(2 * (size_t)s->n_cols + 1, sizeof *row);
    greta_status status =
        row ? ref_output_make(y, REF_F32, (uint64_t)s->n_ids * s->n_cols) : GRETA_ERR_NO_MEMORY;
    for (uint64_t i = 0; !status && i < s->n_ids; i++) {
        uint32_t id = ((const uint32_t *)a->data[1])[i];
        if (id < s->n_rows)
            ref_decode_row(type, (const uint8_t *)a->data[0] + id * row_bytes, s->n_cols, row,
                           row + s->n_cols);
        for (uint64_t c = 0; c < s->n_cols; c++) {
            double error = type <= GRETA_TYPE_BF16 ? 0 : 2 * REF_EPS * row[s->n_cols + c] + REF_TINY;
            set(y, i * s->n_cols + c, id < s->n_rows ? row[c] : 0, id < s->n_rows ? error : 0);
        }
    }
    free(row);
    return status;
}

/*
 * x / rms * w: the sum of squares has no cancellation, so its error is relative; the root halves it. A row of many columns is
 * summed in at least eight chains. The scale's own roundings, sqrt, division and two products are within 12 eps.
 */
double ref_norm_scale(const double *x, uint64_t n, double eps, double *error) {
    double sum = 0;
    for (uint64_t c = 0; c < n; c++) sum += x[c] * x[c];
    *error = REF_EPS * (12 + sqrt((double)n / 8));
    return 1 / sqrt(sum / (double)n + eps);
}

static void norm_row(struct ref_output *y, uint64_t at, const double *x, const float *w, uint64_t n,
                     double eps) {
    double error, scale = ref_norm_scale(x, n, eps, &error);
    for (uint64_t c = 0; c < n; c++) {
        double value = x[c] * scale * w[c];
        set(y, at + c, value, error * fabs(value) + REF_TINY);
    }
}

static greta_status rms_norm(const struct ref_args *a) {
    const struct greta_scalars_rms_norm *s = &a->call->scalars.rms_norm;
    double *x = calloc((size_t)s->n_cols + 1, sizeof *x);
    greta_status status =
        x ? ref_output_make(&a->outputs[2], REF_F32, (uint64_t)s->n_rows * s->n_cols) : GRETA_ERR_NO_MEMORY;
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        for (uint64_t c = 0; c < s->n_cols; c++) x[c] = f32_at(a, 0, r * s->n_cols + c);
        norm_row(&a->outputs[2], r * s->n_cols, x, a->data[1], s->n_cols, s->eps);
    }
    free(x);
    return status;
}

static greta_status add_rms_norm(const struct ref_args *a) {
    const struct greta_scalars_add_rms_norm *s = &a->call->scalars.add_rms_norm;
    uint64_t n = (uint64_t)s->n_rows * s->n_cols;
    double *x = calloc((size_t)s->n_cols + 1, sizeof *x);
    greta_status status = x ? ref_output_make(&a->outputs[0], REF_F32, n) : GRETA_ERR_NO_MEMORY;
    if (!status) status = ref_output_make(&a->outputs[3], REF_F32, n);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        for (uint64_t c = 0; c < s->n_cols; c++) {
            uint64_t i = r * s->n_cols + c;
            x[c] = (double)f32_at(a, 0, i) + f32_at(a, 1, i);
            set_rounded(&a->outputs[0], i, x[c]);
        }
        norm_row(&a->outputs[3], r * s->n_cols, x, a->data[2], s->n_cols, s->eps);
    }
    free(x);
    return status;
}

/* What rotating the rows of binding i_x by the table of binding i_table gives. */
static greta_status rope_rows(const struct ref_args *a, uint32_t i_x, uint32_t i_table, uint32_t mode,
                              uint64_t pos, uint64_t n_tok, uint64_t n_head, uint64_t head_dim,
                              uint64_t n_rot, struct ref_output *x) {
    uint64_t pairs = n_rot / 2;
    greta_status status = ref_output_make(x, REF_F32, n_tok * n_head * head_dim);
    for (uint64_t i = 0; !status && i < n_tok * n_head * pairs; i++) {
        uint64_t j = i % pairs, head = i / pairs, t = head / n_head;
        uint64_t first = head * head_dim + (mode ? j : 2 * j), second = first + (mode ? pairs : 1);
        double cos_j = f32_at(a, i_table, ((pos + t) * pairs + j) * 2),
               sin_j = f32_at(a, i_table, ((pos + t) * pairs + j) * 2 + 1);
        double u = f32_at(a, i_x, first), v = f32_at(a, i_x, second);
        set(x, first, u * cos_j - v * sin_j, 3 * REF_EPS * (fabs(u * cos_j) + fabs(v * sin_j)) + REF_TINY);
        set(x, second, u * sin_j + v * cos_j, 3 * REF_EPS * (fabs(u * sin_j) + fabs(v * cos_j)) + REF_TINY);
    }
    return status;
}

static greta_status rope(const struct ref_args *a) {
    const struct greta_scalars_rope *s = &a->call->scalars.rope;
    uint32_t step[4];
    memcpy(step, a->data[2], sizeof step);
    return rope_rows(a, 0, 1, a->call->keys[0], step[1], s->n_tok, s->n_head, s->head_dim, s->n_rot,
                     &a->outputs[0]);
}

static enum ref_kind float_kind(uint32_t type) {
    return type == GRETA_TYPE_F32 ? REF_F32 : type == GRETA_TYPE_F16 ? REF_F16 : REF_BF16;
}

static double rounded_to(uint32_t type, float x) {
    if (type == GRETA_TYPE_F16) return half_f16_to_f32(half_f32_to_f16(x));
    return type == GRETA_TYPE_BF16 ? half_bf16_to_f32(half_f32_to_bf16(x)) : x;
}

greta_status ref_kv_make(struct ref_output *o, uint32_t kv_type, uint64_t n_ctx, uint64_t n_cols) {
    bool q8 = kv_type == GRETA_TYPE_Q8_0;
    greta_status status = ref_output_make(o, q8 ? REF_KV_Q8_0 : float_kind(kv_type), n_ctx * n_cols);
    o->n_rows = (uint32_t)n_ctx;
    o->n_cols = (uint32_t)n_cols;
    return status;
}

/* Error 0: an exact value, and a kernel rounds it as we do. */
void ref_set_kv(struct ref_output *o, uint64_t i, double value, double error) {
    if (error == 0 && o->kind == REF_F16) {
        set(o, i, rounded_to(GRETA_TYPE_F16, (float)value), 0);
        return;
    }
    if (o->kind == REF_F16) error += 0x1p-11 * (fabs(value) + error) + 0x1p-25;
    if (o->kind == REF_F16 && fabs(value) >= 65520) value = value > 0 ? INFINITY : -INFINITY;
    set(o, i, value, error);
}

static greta_status kv_update(const struct ref_args *a) {
    const struct greta_scalars_kv_update *s = &a->call->scalars.kv_update;
    uint32_t step[4];
    memcpy(step, a->data[4], sizeof step);
    greta_status status = GRETA_OK;
    for (uint32_t i = 0; !status && i < 2; i++) {
        struct ref_output *cache = &a->outputs[2 + i];
        status = ref_kv_make(cache, a->call->keys[0], s->n_ctx, s->n_cols);
        for (uint64_t t = 0; !status && t < s->n_tok && step[1] + t < s->n_ctx; t++)
            for (uint64_t c = 0; c < s->n_cols; c++)
                ref_set_kv(cache, (step[1] + t) * s->n_cols + c, f32_at(a, i, t * s->n_cols + c), 0);
    }
    return status;
}

/*
 * One head of binding i_x, 0 q, 1 k, 2 v: its bias, its norm, its rotation; y: head_dim values, then their errors, 0 where nothing
 * was done. A bias rounds once, which the norm's scale sees, too.
 */
static void rope_kv_head(const struct ref_args *a, uint32_t i_x, uint64_t t, uint64_t head, double *y) {
    const struct greta_scalars_rope_kv *s = &a->call->scalars.rope_kv;
    uint64_t n = s->head_dim, n_heads = i_x ? s->n_head_kv : s->n_head,
             pos = ((const uint32_t *)a->data[7])[1];
    uint64_t before = i_x == 0 ? 0 : i_x == 1 ? s->n_head : s->n_head + (uint64_t)s->n_head_kv;
    const uint32_t *keys = a->call->keys;
    for (uint64_t c = 0; c < n; c++) {
        y[c] = f32_at(a, i_x, (t * n_heads + head) * n + c);
        if (keys[3]) y[c] += f32_at(a, 5, (before + head) * n + c);
        y[n + c] = keys[3] ? 2 * REF_EPS * fabs(y[c]) : 0;
    }
    if (keys[2] && i_x < 2) {
        double relative, scale = ref_norm_scale(y, n, s->eps, &relative);
        for (uint64_t c = 0; c < n; c++) {
            double w = f32_at(a, 3 + i_x, c);
            y[c] *= scale * w;
            y[n + c] = y[n + c] * scale * fabs(w) + (relative + 4 * REF_EPS) * fabs(y[c]) + REF_TINY;
        }
    }
    if (i_x < 2) ref_rotate((const float *)a->data[6] + (pos + t) * s->n_rot, keys[0], s->n_rot, n, n, y);
}

/* Where the cache is f16 the rotated k is rounded once more, by half a unit in the last place. */
static greta_status rope_kv(const struct ref_args *a) {
    const struct greta_scalars_rope_kv *s = &a->call->scalars.rope_kv;
    uint64_t n = s->head_dim, n_kv = (uint64_t)s->n_head_kv * n, pos = ((const uint32_t *)a->data[7])[1];
    double *y = calloc((size_t)(2 * n + 1), sizeof *y);
    greta_status status =
        y ? ref_output_make(&a->outputs[0], REF_F32, s->n_tok * s->n_head * n) : GRETA_ERR_NO_MEMORY;
    for (uint32_t i = 1; !status && i < 3; i++)
        status = ref_kv_make(&a->outputs[7 + i], a->call->keys[1], s->n_ctx, n_kv);
    for (uint64_t t = 0; !status && t < s->n_tok; t++)
        for (uint32_t i = 0; i < 3; i++)
            for (uint64_t head = 0; head < (i ? s->n_head_kv : s->n_head) && (i == 0 || pos + t < s->n_ctx);
                 head++) {
                rope_kv_head(a, i, t, head, y);
                for (uint64_t c = 0; c < n; c++)
                    if (i)
                        ref_set_kv(&a->outputs[7 + i], (pos + t) * n_kv + head * n + c, y[c], y[n + c]);
                    else if (y[n + c] > 0)
                        set(&a->outputs[0], (t * s->n_head + head) * n + c, y[c], y[n + c]);
            }
    free(y);
    return status;
}

/*
 * Both are g / (1 + exp(-x)): x = g, or for GELU, whose tanh is written so, 2 sqrt(2 / pi) (g + 0.044715 g^3), in f32 within 8 eps.
 * exp's error counts at most once (e / (1 + e) <= 1), for x > 0 less than exp(0)'s; where 1 + exp(-x) or its reciprocal leaves
 * f32's range, the result is within a few |g u| of the smallest normal number.
 */
double ref_act_mul(uint32_t act, double g, double u, double *bound) {
    double x = act == GRETA_ACT_GELU ? 1.5957691216057308 * (g + 0.044715 * g * g * g) : g;
    double value = g / (1 + exp(-x)) * u, error = ref_exp_error(x < 0 ? x : 0) + 12 * REF_EPS;
    if (act == GRETA_ACT_GELU) error += 8 * REF_EPS * (1 + (x < 0 ? -x : 0));
    *bound = fabs(value) * error + REF_TINY * (1 + 4 * fabs(g * u));
    return fabs(value) > FLT_MAX ? (value > 0 ? INFINITY : -INFINITY) : value;
}

static greta_status act_mul(const struct ref_args *a) {
    uint64_t n = a->call->scalars.act_mul.n;
    greta_status status = ref_output_make(&a->outputs[2], REF_F32, n);
    for (uint64_t i = 0; !status && i < n; i++) {
        double bound, value = ref_act_mul(a->call->keys[0], f32_at(a, 0, i), f32_at(a, 1, i), &bound);
        set(&a->outputs[2], i, value, bound);
    }
    return status;
}

static greta_status add(const struct ref_args *a) {
    uint64_t n = a->call->scalars.add.n;
    greta_status status = ref_output_make(&a->outputs[2], REF_F32, n);
    for (uint64_t i = 0; !status && i < n; i++)
        set_rounded(&a->outputs[2], i, (double)f32_at(a, 0, i) + f32_at(a, 1, i));
    return status;
}

static greta_status argmax(const struct ref_args *a) {
    const struct greta_scalars_argmax *s = &a->call->scalars.argmax;
    greta_status status = ref_output_make(&a->outputs[1], REF_U32, s->n_rows);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        uint64_t best = UINT64_MAX;
        for (uint64_t c = 0; c < s->n_cols; c++) {
            float x = f32_at(a, 0, r * s->n_cols + c);
            if (!isnan(x) && (best == UINT64_MAX || x > f32_at(a, 0, r * s->n_cols + best))) best = c;
        }
        set(&a->outputs[1], r, best == UINT64_MAX ? UINT32_MAX : (double)best, 0);
    }
    return status;
}

struct ranked {
    float value;
    uint32_t index;
};

static int by_rank(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    bool x_none = isnan(x->value), y_none = isnan(y->value); /* below all */
    if (x_none != y_none) return x_none ? 1 : -1;
    if (!x_none && x->value != y->value) return x->value > y->value ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static greta_status top_k(const struct ref_args *a) {
    const struct greta_scalars_top_k *s = &a->call->scalars.top_k;
    struct ranked *row = calloc((size_t)s->n_cols + 1, sizeof *row);
    greta_status status =
        row ? ref_output_make(&a->outputs[1], REF_F32, (uint64_t)s->n_rows * s->k) : GRETA_ERR_NO_MEMORY;
    if (!status) status = ref_output_make(&a->outputs[2], REF_U32, (uint64_t)s->n_rows * s->k);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        for (uint32_t c = 0; c < s->n_cols; c++) row[c] = (struct ranked){f32_at(a, 0, r * s->n_cols + c), c};
        qsort(row, s->n_cols, sizeof *row, by_rank);
        for (uint64_t i = 0; i < s->k; i++) {
            set(&a->outputs[1], r * s->k + i, row[i].value, 0);
            set(&a->outputs[2], r * s->k + i, row[i].index, 0);
        }
    }
    free(row);
    return status;
}

static greta_status fill(const struct ref_args *a) {
    uint64_t n = a->call->scalars.fill.n;
    greta_status status = ref_output_make(&a->outputs[0], REF_U32, n);
    for (uint64_t i = 0; !status && i < n; i++) set(&a->outputs[0], i, a->call->scalars.fill.value, 0);
    return status;
}

/* Rounded to f16 from a value that is itself within two roundings of f32. */
static greta_status unpack(const struct ref_args *a) {
    const struct greta_scalars_unpack *s = &a->call->scalars.unpack;
    uint32_t type = a->call->keys[0];
    uint64_t row_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, type, 1, s->n_cols), n_cols = s->n_cols;
    struct ref_output *y = &a->outputs[1];
    double *row = calloc(2 * (size_t)n_cols + 1, sizeof *row);
    greta_status status =
        row ? ref_output_make(y, float_kind(GRETA_TYPE_F16), s->n_rows * n_cols) : GRETA_ERR_NO_MEMORY;
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        ref_decode_row(type, (const uint8_t *)a->data[0] + r * row_bytes, n_cols, row, row + n_cols);
        for (uint64_t c = 0; c < n_cols; c++)
            set(y, r * n_cols + c, row[c], 2 * REF_EPS * row[n_cols + c] + 0x1p-11 * fabs(row[c]) + 0x1p-25);
    }
    free(row);
    return status;
}

static greta_status copy(const struct ref_args *a) {
    uint64_t n = a->call->scalars.copy.n;
    greta_status status = ref_output_make(&a->outputs[1], REF_U32, n);
    for (uint64_t i = 0; !status && i < n; i++) set(&a->outputs[1], i, ((const uint32_t *)a->data[0])[i], 0);
    return status;
}

static greta_status cast(const struct ref_args *a) {
    uint64_t n = a->call->scalars.cast.n;
    greta_status status = ref_output_make(&a->outputs[1], float_kind(a->call->keys[1]), n);
    for (uint64_t i = 0; !status && i < n; i++) {
        double x;
        uint64_t bytes = a->call->keys[0] == GRETA_TYPE_F32 ? 4 : 2;
        ref_decode_row(a->call->keys[0], (const uint8_t *)a->data[0] + i * bytes, 1, &x, NULL);
        set(&a->outputs[1], i, rounded_to(a->call->keys[1], (float)x), 0);
    }
    return status;
}

/* One row of Q8A from x; the outputs' value is x / d, the bound d. */
static void quantize_row(struct ref_output *y, uint64_t r, const double *x) {
    for (uint64_t begin = 0; begin < y->n_cols; begin += 32) {
        uint64_t end = begin + 32 < y->n_cols ? begin + 32 : y->n_cols;
        double max = 0;
        for (uint64_t c = begin; c < end; c++) max = fmax(max, fabs(x[c]));
        for (uint64_t c = begin; c < end; c++)
            set(y, r * y->n_cols + c, max > 0 ? x[c] / (max / 127) : 0, max / 127);
    }
}

static greta_status q8a_make(struct ref_output *y, uint32_t n_rows, uint32_t n_cols) {
    greta_status status = ref_output_make(y, REF_Q8A, (uint64_t)n_rows * n_cols);
    y->n_rows = n_rows;
    y->n_cols = n_cols;
    return status;
}

static greta_status quantize(const struct ref_args *a) {
    const struct greta_scalars_quantize *s = &a->call->scalars.quantize;
    double *x = calloc((size_t)s->n_cols + 1, sizeof *x);
    greta_status status = x ? q8a_make(&a->outputs[1], s->n_rows, s->n_cols) : GRETA_ERR_NO_MEMORY;
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        for (uint64_t c = 0; c < s->n_cols; c++) x[c] = f32_at(a, 0, r * s->n_cols + c);
        quantize_row(&a->outputs[1], r, x);
    }
    free(x);
    return status;
}

/* The norm's error is one of x, relative to it, and so is the rounding of the sum. */
static greta_status add_rms_norm_quantize(const struct ref_args *a) {
    const struct greta_scalars_add_rms_norm_quantize *s = &a->call->scalars.add_rms_norm_quantize;
    struct ref_output *y = &a->outputs[3];
    double *x = calloc((size_t)s->n_cols + 1, sizeof *x);
    greta_status status =
        x ? ref_output_make(&a->outputs[0], REF_F32, (uint64_t)s->n_rows * s->n_cols) : GRETA_ERR_NO_MEMORY;
    if (!status) status = q8a_make(y, s->n_rows, s->n_cols);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        for (uint64_t c = 0; c < s->n_cols; c++) {
            x[c] = (double)f32_at(a, 0, r * s->n_cols + c) + f32_at(a, 1, r * s->n_cols + c);
            set_rounded(&a->outputs[0], r * s->n_cols + c, x[c]);
        }
        double scale = ref_norm_scale(x, s->n_cols, s->eps, &y->relative);
        y->relative += 2 * REF_EPS;
        for (uint64_t c = 0; c < s->n_cols; c++) x[c] *= scale * f32_at(a, 2, c);
        quantize_row(y, r, x);
    }
    free(x);
    return status;
}

static greta_status bias_add(const struct ref_args *a) {
    const struct greta_scalars_bias_add *s = &a->call->scalars.bias_add;
    uint64_t n = (uint64_t)s->n_rows * s->n_cols;
    greta_status status = ref_output_make(&a->outputs[0], REF_F32, n);
    for (uint64_t i = 0; !status && i < n; i++)
        set_rounded(&a->outputs[0], i, (double)f32_at(a, 0, i) + f32_at(a, 1, i % s->n_cols));
    return status;
}

static greta_status scale(const struct ref_args *a) {
    const struct greta_scalars_scale *s = &a->call->scalars.scale;
    greta_status status = ref_output_make(&a->outputs[1], REF_F32, s->n);
    for (uint64_t i = 0; !status && i < s->n; i++)
        set_rounded(&a->outputs[1], i, (double)f32_at(a, 0, i) * s->scale);
    return status;
}

/*
 * As 1 - 2 / (exp(2z) + 1), z = x / cap, from |z| = 1/4 on, where the last difference is 1/4 of what it is made of: exp's error
 * counts 2 e / (e + 1)^2 <= 1/2 times before that, whatever z is. Near 0 a series, of which a few roundings are left.
 */
double ref_softcap(double x, double cap, double *bound) {
    double value = cap * tanh(x / cap);
    *bound = fabs(value) * 4 * (0.5 * ref_exp_error(0.5) + 6 * REF_EPS) + REF_TINY;
    return value;
}

static greta_status softcap(const struct ref_args *a) {
    const struct greta_scalars_softcap *s = &a->call->scalars.softcap;
    greta_status status = ref_output_make(&a->outputs[1], REF_F32, s->n);
    for (uint64_t i = 0; !status && i < s->n; i++) {
        double bound, value = ref_softcap(f32_at(a, 0, i), s->cap, &bound);
        set(&a->outputs[1], i, value, bound);
    }
    return status;
}

static greta_status run(const struct ref_args *a) {
    const union greta_scalars *s = &a->call->scalars;
    switch (a->call->op) {
    case GRETA_OP_ROW_LOOKUP: return row_lookup(a);
    case GRETA_OP_RMS_NORM: return rms_norm(a);
    case GRETA_OP_ADD_RMS_NORM: return add_rms_norm(a);
    case GRETA_OP_ROPE: return rope(a);
    case GRETA_OP_KV_UPDATE: return kv_update(a);
    case GRETA_OP_ROPE_KV: return rope_kv(a);
    case GRETA_OP_MATVEC: return ref_matvec(a);
    case GRETA_OP_MATVEC_SPLIT: return ref_matvec_split(a);
    case GRETA_OP_MATVEC_GLU: return ref_matvec_glu(a);
    case GRETA_OP_MATVEC_QKV: return ref_matvec_qkv(a);
    case GRETA_OP_MATMUL: return ref_matmul(a, s->matmul.n_tok, s->matmul.n_rows, s->matmul.n_cols);
    case GRETA_OP_ATTN: return ref_attn(a);
    case GRETA_OP_ATTN_SPLIT: return ref_attn_split(a);
    case GRETA_OP_ATTN_REDUCE: return ref_attn_reduce(a);
    case GRETA_OP_ACT_MUL: return act_mul(a);
    case GRETA_OP_ADD: return add(a);
    case GRETA_OP_ARGMAX: return argmax(a);
    case GRETA_OP_TOP_K: return top_k(a);
    case GRETA_OP_FILL: return fill(a);
    case GRETA_OP_COPY: return copy(a);
    case GRETA_OP_CAST: return cast(a);
    case GRETA_OP_UNPACK: return unpack(a);
    case GRETA_OP_QUANTIZE: return quantize(a);
    case GRETA_OP_ADD_RMS_NORM_QUANTIZE: return add_rms_norm_quantize(a);
    case GRETA_OP_BIAS_ADD: return bias_add(a);
    case GRETA_OP_SCALE: return scale(a);
    case GRETA_OP_SOFTCAP: return softcap(a);
    case GRETA_OP_GEMM: return ref_gemm(a);
    default: return ref_norms(a);
    }
}

greta_status ref_run(const struct greta_call *call, const void *const data[], double operand_eps,
                     struct ref_output outputs[GRETA_OP_MAX_BINDINGS]) {
    memset(outputs, 0, GRETA_OP_MAX_BINDINGS * sizeof *outputs);
    return run(&(struct ref_args){call, data, operand_eps, outputs});
}

void ref_free(struct ref_output outputs[GRETA_OP_MAX_BINDINGS]) {
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) {
        free(outputs[i].value);
        free(outputs[i].bound);
        outputs[i] = (struct ref_output){0};
    }
}
