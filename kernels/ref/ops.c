/* The ops that take few lines, and which function has each. */
#include "internal.h"

#include "half.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Within one rounding of an exact result; either neighbour is right. */
static void set_rounded(struct ref_output *o, uint64_t i, double value) {
    ref_set(o, i, value, 2 * REF_EPS * fabs(value) + REF_TINY);
}

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
            ref_set(y, i * s->n_cols + c, id < s->n_rows ? row[c] : 0, id < s->n_rows ? error : 0);
        }
    }
    free(row);
    return status;
}

static void norm_row(struct ref_output *y, uint64_t at, const double *x, const float *w, uint64_t n,
                     double eps) {
    double error, scale = ref_norm_scale(x, n, eps, &error);
    for (uint64_t c = 0; c < n; c++) {
        double value = x[c] * scale * w[c];
        ref_set(y, at + c, value, error * fabs(value) + REF_TINY);
    }
}

static greta_status rms_norm(const struct ref_args *a) {
    const struct greta_scalars_rms_norm *s = &a->call->scalars.rms_norm;
    double *x = calloc((size_t)s->n_cols + 1, sizeof *x);
    greta_status status =
        x ? ref_output_make(&a->outputs[2], REF_F32, (uint64_t)s->n_rows * s->n_cols) : GRETA_ERR_NO_MEMORY;
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        for (uint64_t c = 0; c < s->n_cols; c++) x[c] = ref_f32_at(a, 0, r * s->n_cols + c);
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
            x[c] = (double)ref_f32_at(a, 0, i) + ref_f32_at(a, 1, i);
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
        double cos_j = ref_f32_at(a, i_table, ((pos + t) * pairs + j) * 2),
               sin_j = ref_f32_at(a, i_table, ((pos + t) * pairs + j) * 2 + 1);
        double u = ref_f32_at(a, i_x, first), v = ref_f32_at(a, i_x, second);
        ref_set(x, first, u * cos_j - v * sin_j,
                3 * REF_EPS * (fabs(u * cos_j) + fabs(v * sin_j)) + REF_TINY);
        ref_set(x, second, u * sin_j + v * cos_j,
                3 * REF_EPS * (fabs(u * sin_j) + fabs(v * cos_j)) + REF_TINY);
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
                ref_set_kv(cache, (step[1] + t) * s->n_cols + c, ref_f32_at(a, i, t * s->n_cols + c), 0);
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
        y[c] = ref_f32_at(a, i_x, (t * n_heads + head) * n + c);
        if (keys[3]) y[c] += ref_f32_at(a, 5, (before + head) * n + c);
        y[n + c] = keys[3] ? 2 * REF_EPS * fabs(y[c]) : 0;
    }
    if (keys[2] && i_x < 2) {
        double relative, scale = ref_norm_scale(y, n, s->eps, &relative);
        for (uint64_t c = 0; c < n; c++) {
            double w = ref_f32_at(a, 3 + i_x, c);
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
                        ref_set(&a->outputs[0], (t * s->n_head + head) * n + c, y[c], y[n + c]);
            }
    free(y);
    return status;
}

static greta_status act_mul(const struct ref_args *a) {
    uint64_t n = a->call->scalars.act_mul.n;
    greta_status status = ref_output_make(&a->outputs[2], REF_F32, n);
    for (uint64_t i = 0; !status && i < n; i++) {
        double bound, value = ref_act_mul(a->call->keys[0], ref_f32_at(a, 0, i), ref_f32_at(a, 1, i), &bound);
        ref_set(&a->outputs[2], i, value, bound);
    }
    return status;
}

static greta_status add(const struct ref_args *a) {
    uint64_t n = a->call->scalars.add.n;
    greta_status status = ref_output_make(&a->outputs[2], REF_F32, n);
    for (uint64_t i = 0; !status && i < n; i++)
        set_rounded(&a->outputs[2], i, (double)ref_f32_at(a, 0, i) + ref_f32_at(a, 1, i));
    return status;
}

static greta_status argmax(const struct ref_args *a) {
    const struct greta_scalars_argmax *s = &a->call->scalars.argmax;
    greta_status status = ref_output_make(&a->outputs[1], REF_U32, s->n_rows);
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        uint64_t best = UINT64_MAX;
        for (uint64_t c = 0; c < s->n_cols; c++) {
            float x = ref_f32_at(a, 0, r * s->n_cols + c);
            if (!isnan(x) && (best == UINT64_MAX || x > ref_f32_at(a, 0, r * s->n_cols + best))) best = c;
        }
        ref_set(&a->outputs[1], r, best == UINT64_MAX ? UINT32_MAX : (double)best, 0);
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
        for (uint32_t c = 0; c < s->n_cols; c++)
            row[c] = (struct ranked){ref_f32_at(a, 0, r * s->n_cols + c), c};
        qsort(row, s->n_cols, sizeof *row, by_rank);
        for (uint64_t i = 0; i < s->k; i++) {
            ref_set(&a->outputs[1], r * s->k + i, row[i].value, 0);
            ref_set(&a->outputs[2], r * s->k + i, row[i].index, 0);
        }
    }
    free(row);
    return status;
}

static greta_status fill(const struct ref_args *a) {
    uint64_t n = a->call->scalars.fill.n;
    greta_status status = ref_output_make(&a->outputs[0], REF_U32, n);
    for (uint64_t i = 0; !status && i < n; i++) ref_set(&a->outputs[0], i, a->call->scalars.fill.value, 0);
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
        row ? ref_output_make(y, ref_float_kind(GRETA_TYPE_F16), s->n_rows * n_cols) : GRETA_ERR_NO_MEMORY;
    for (uint64_t r = 0; !status && r < s->n_rows; r++) {
        ref_decode_row(type, (const uint8_t *)a->data[0] + r * row_bytes, n_cols, row, row + n_cols);
        for (uint64_t c = 0; c < n_cols; c++)
            ref_set(y, r * n_cols + c, row[c],
                    2 * REF_EPS * row[n_cols + c] + 0x1p-11 * fabs(row[c]) + 0x1p-25);
    }
    free(row);
    return status;
}

static greta_status copy(const struct ref_args *a) {
    uint64_t n = a->call->scalars.copy.n;
    greta_status status = ref_output_make(&a->outputs[1], REF_U32, n);
    for (uint64_t i = 0; !status && i < n; i++)
        ref_set(&a->outputs[1], i, ((const uint32_t *)a->data[0])[i], 0);
    return status;
}

static greta_status cast(const struct ref_args *a) {
    uint64_t n = a->call->scalars.cast.n;
    greta_status status = ref_output_make(&a->outputs[1], ref_float_kind(a->call->keys[1]), n);
    for (uint64_t i = 0; !status && i < n; i++) {
        double x;
        uint64_t bytes = a->call->keys[0] == GRETA_TYPE_F32 ? 4 : 2;
        ref_decode_row(a->call->keys[0], (const uint8_t *)a->data[0] + i * bytes, 1, &x, NULL);
        ref_set(&a->outputs[1], i, ref_rounded_to(a->call->keys[1], (float)x), 0);
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
            ref_set(y, r * y->n_cols + c, max > 0 ? x[c] / (max / 127) : 0, max / 127);
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
        for (uint64_t c = 0; c < s->n_cols; c++) x[c] = ref_f32_at(a, 0, r * s->n_cols + c);
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
            x[c] = (double)ref_f32_at(a, 0, r * s->n_cols + c) + ref_f32_at(a, 1, r * s->n_cols + c);
            set_rounded(&a->outputs[0], r * s->n_cols + c, x[c]);
        }
        double scale = ref_norm_scale(x, s->n_cols, s->eps, &y->relative);
        y->relative += 2 * REF_EPS;
        for (uint64_t c = 0; c < s->n_cols; c++) x[c] *= scale * ref_f32_at(a, 2, c);
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
        set_rounded(&a->outputs[0], i, (double)ref_f32_at(a, 0, i) + ref_f32_at(a, 1, i % s->n_cols));
    return status;
}

static greta_status scale(const struct ref_args *a) {
    const struct greta_scalars_scale *s = &a->call->scalars.scale;
    greta_status status = ref_output_make(&a->outputs[1], REF_F32, s->n);
    for (uint64_t i = 0; !status && i < s->n; i++)
        set_rounded(&a->outputs[1], i, (double)ref_f32_at(a, 0, i) * s->scale);
    return status;
}

static greta_status softcap(const struct ref_args *a) {
    const struct greta_scalars_softcap *s = &a->call->scalars.softcap;
    greta_status status = ref_output_make(&a->outputs[1], REF_F32, s->n);
    for (uint64_t i = 0; !status && i < s->n; i++) {
        double bound, value = ref_softcap(ref_f32_at(a, 0, i), s->cap, &bound);
        ref_set(&a->outputs[1], i, value, bound);
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
