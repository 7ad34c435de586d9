/* Attention, whole and in splits. */
#include "internal.h"

#include "half.h"

#include <greta/layout.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct attn {
    const struct ref_args *args;
    const float *q;
    double *k, *v; /* of the positions that count */
    uint32_t kv_type, head_dim, n_head, n_head_kv;
    double scale, softcap;
    uint64_t window;
    double *score, *score_error; /* per position */
};

/* The softmax of positions [begin, end) not divided by its sum: what attn_split writes, with bounds. */
struct partial {
    double max, max_error, sum, sum_error;
    double *acc, *acc_error; /* head_dim */
};

/* The first n_kv positions as numbers. */
static double *kv_decode(const struct attn *a, const uint8_t *cache, uint64_t n_kv) {
    uint64_t width = (uint64_t)a->n_head_kv * a->head_dim;
    double *out = calloc((size_t)(n_kv * width + 1), sizeof *out);
    if (out && a->kv_type != GRETA_TYPE_Q8_0) ref_decode_row(a->kv_type, cache, n_kv * width, out, NULL);
    for (uint64_t i = 0; out && a->kv_type == GRETA_TYPE_Q8_0 && i < n_kv * width; i++) {
        const uint8_t *row = cache + i / width * GRETA_KV_ROW_BYTES(GRETA_TYPE_Q8_0, width);
        uint16_t d;
        memcpy(&d, row + GRETA_KV_SCALES_OFFSET(width) + i % width / 32 * 2, sizeof d);
        out[i] = (double)half_f16_to_f32(d) * (int8_t)row[i % width];
    }
    return out;
}

static const double *kv_row(const struct attn *a, const double *kv, uint64_t position, uint32_t h) {
    return kv + (position * a->n_head_kv + h / (a->n_head / a->n_head_kv)) * a->head_dim;
}

/*
 * softcap * tanh(score / softcap). Its slope is at most 1; tanh(z) = 1 - 2 / (1 + exp(2z)) errs by as much as exp does, times half
 * of its slope, and by a few roundings of 1.
 */
static void cap_score(const struct attn *a, uint64_t j) {
    double z = a->score[j] / a->softcap, slope = 1 / (cosh(z) * cosh(z));
    a->score[j] = a->softcap * tanh(z);
    a->score_error[j] += a->softcap * (0.5 * slope * ref_exp_error(2 * fabs(z)) + 8 * REF_EPS);
}

/* The first position that a token at `pos` sees. */
static uint64_t window_begin(const struct attn *a, uint64_t pos) {
    return a->window && pos + 1 > a->window ? pos + 1 - a->window : 0;
}

/* Fills score and score_error of [begin, end) and sets the largest of each. */
static void scores(struct attn *a, uint64_t t, uint32_t h, uint64_t begin, uint64_t end, struct partial *p) {
    const float *q = a->q + (t * a->n_head + h) * a->head_dim;
    p->max = -INFINITY;
    p->max_error = 0;
    for (uint64_t j = begin; j < end; j++) {
        double dot = 0, s = 0, sum_q = 0, sum_k = 0;
        const double *k = kv_row(a, a->k, j, h);
        for (uint32_t c = 0; c < a->head_dim; c++) {
            dot += q[c] * k[c];
            s += fabs(q[c] * k[c]);
            sum_q += fabs((double)q[c]);
            sum_k += fabs(k[c]);
        }
        a->score[j] = a->scale * dot;
        a->score_error[j] =
            fabs(a->scale) * ref_sum_bound(a->head_dim, s, sum_q, sum_k, a->args->operand_eps) +
            2 * REF_EPS * fabs(a->score[j]);
        if (a->softcap > 0) cap_score(a, j);
        p->max = fmax(p->max, a->score[j]);
        p->max_error = fmax(p->max_error, a->score_error[j]);
    }
}

static void partial_run(struct attn *a, uint64_t t, uint32_t h, uint64_t begin, uint64_t end,
                        struct partial *p) {
    uint32_t d = a->head_dim;
    double n = (double)(end - begin), r = a->args->operand_eps;
    scores(a, t, h, begin, end, p);
    memset(p->acc, 0, d * sizeof *p->acc);
    memset(p->acc_error, 0, d * sizeof *p->acc_error);
    p->sum = p->sum_error = 0;
    /* An error e of the exponent is a factor of up to exp(e) of the weight. */
    double common = REF_EPS * (6 * sqrt(n) + 16);
    for (uint64_t j = begin; j < end; j++) {
        double x = a->score[j] - p->max, weight = exp(x);
        double error =
            expm1(a->score_error[j] + p->max_error + REF_EPS * fabs(x)) + ref_exp_error(x) + common;
        double absolute = REF_TINY + (r > 0x1p-12 ? 0x1p-25 : 0);
        const double *v = kv_row(a, a->v, j, h);
        p->sum += weight;
        p->sum_error += weight * error + absolute;
        /* The weight's own error and the rounding of weight and value; 2 r: of both at once. */
        for (uint32_t c = 0; c < d; c++) {
            double magnitude = fabs(v[c]);
            p->acc[c] += weight * v[c];
            p->acc_error[c] += (weight * error * (1 + 2 * r) + REF_TINY) * magnitude +
                               ref_rounding_error(1, weight * magnitude, weight, magnitude, r);
        }
    }
}

/* What positions are computed in: of one thread. */
static greta_status work_make(struct attn *a, struct partial *p, uint64_t n_kv) {
    a->score = calloc((size_t)n_kv + 1, sizeof *a->score);
    a->score_error = calloc((size_t)n_kv + 1, sizeof *a->score_error);
    p->acc = calloc(a->head_dim, sizeof *p->acc);
    p->acc_error = calloc(a->head_dim, sizeof *p->acc_error);
    return a->score && a->score_error && p->acc && p->acc_error ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}

static void work_free(struct attn *a, struct partial *p) {
    free(a->score);
    free(a->score_error);
    free(p->acc);
    free(p->acc_error);
}

static greta_status attn_make(struct attn *a, uint64_t n_kv) {
    a->q = a->args->data[0];
    a->kv_type = a->args->call->keys[0];
    a->head_dim = a->args->call->keys[1];
    a->k = kv_decode(a, a->args->data[1], n_kv);
    a->v = kv_decode(a, a->args->data[2], n_kv);
    return a->k && a->v ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}

static void attn_free(struct attn *a) {
    free(a->k);
    free(a->v);
}

/* Tokens of a prompt: each has scores and sums of its own. */
struct tokens {
    const struct attn *attn;
    uint32_t first, n_tok; /* the position of token 0 */
    uint64_t n_at_once, n_kv;
    struct ref_output *y;
    _Atomic bool failed;
};

static void attn_token(struct attn *a, const struct tokens *all, uint64_t t, struct partial *p) {
    struct ref_output *y = all->y;
    uint64_t pos = all->first + t;
    for (uint32_t h = 0; h < a->n_head; h++) {
        partial_run(a, t, h, window_begin(a, pos), pos + 1, p);
        for (uint32_t c = 0; c < a->head_dim; c++) {
            uint64_t i = (t * a->n_head + h) * a->head_dim + c;
            y->value[i] = p->acc[c] / p->sum;
            y->bound[i] =
                (p->acc_error[c] + fabs(y->value[i]) * (p->sum_error + 4 * REF_EPS * p->sum)) / p->sum +
                REF_TINY;
        }
    }
}

static void some_tokens(void *user, uint32_t i) {
    struct tokens *all = user;
    struct attn a = *all->attn;
    struct partial p = {0};
    uint64_t begin = i * all->n_at_once, end = begin + all->n_at_once;
    if (end > all->n_tok) end = all->n_tok;
    if (work_make(&a, &p, all->n_kv)) all->failed = true;
    for (uint64_t t = begin; !all->failed && t < end; t++) attn_token(&a, all, t, &p);
    work_free(&a, &p);
}

greta_status ref_attn(const struct ref_args *args) {
    enum { FEW = 1 << 18 /* products */ };
    const struct greta_scalars_attn *s = &args->call->scalars.attn;
    struct attn a = {.args = args,
                     .n_head = s->n_head,
                     .n_head_kv = s->n_head_kv,
                     .scale = s->scale,
                     .softcap = s->softcap,
                     .window = s->window};
    uint32_t step[4];
    memcpy(step, args->data[3], sizeof step);
    uint64_t n_kv = (uint64_t)step[1] + s->n_tok;
    greta_status status = n_kv > s->n_ctx ? GRETA_ERR_INVALID : attn_make(&a, n_kv);
    struct ref_output *y = &args->outputs[4];
    if (!status) status = ref_output_make(y, REF_F32, (uint64_t)s->n_tok * s->n_head * a.head_dim);
    struct tokens all = {&a,   step[1], s->n_tok, FEW / (n_kv * s->n_head * a.head_dim + 1) + 1,
                         n_kv, y,       false};
    if (!status) ref_loop((uint32_t)((s->n_tok + all.n_at_once - 1) / all.n_at_once), some_tokens, &all);
    attn_free(&a);
    return status ? status : all.failed ? GRETA_ERR_NO_MEMORY : GRETA_OK;
}

static void set(struct ref_output *o, uint64_t i, double value, double bound) {
    o->value[i] = value;
    o->bound[i] = bound + REF_TINY;
}

greta_status ref_attn_split(const struct ref_args *args) {
    const struct greta_scalars_attn_split *s = &args->call->scalars.attn_split;
    struct attn a = {.args = args,
                     .n_head = s->n_head,
                     .n_head_kv = s->n_head_kv,
                     .scale = s->scale,
                     .softcap = s->softcap,
                     .window = s->window};
    struct partial p = {0};
    uint32_t step[4];
    memcpy(step, args->data[3], sizeof step);
    uint64_t n_kv = step[2];
    greta_status status = n_kv > s->n_ctx ? GRETA_ERR_INVALID : attn_make(&a, n_kv);
    if (!status) status = work_make(&a, &p, n_kv);
    struct ref_output *y = &args->outputs[4];
    uint64_t width = 2 + (uint64_t)a.head_dim;
    if (!status) status = ref_output_make(y, REF_F32, (uint64_t)s->n_head * s->n_split * width);
    for (uint32_t h = 0; !status && h < s->n_head; h++)
        for (uint64_t i_split = 0; i_split < s->n_split && i_split * GRETA_ATTN_CHUNK < n_kv; i_split++) {
            uint64_t begin = i_split * GRETA_ATTN_CHUNK, end = begin + GRETA_ATTN_CHUNK;
            uint64_t at = (h * (uint64_t)s->n_split + i_split) * width;
            uint64_t first = window_begin(&a, n_kv - 1);
            end = end < n_kv ? end : n_kv;
            begin = first < begin ? begin : first < end ? first : end; /* none: -infinity and zeros */
            partial_run(&a, 0, h, begin, end, &p);
            set(y, at, p.max, p.max_error);
            set(y, at + 1, p.sum, p.sum_error);
            for (uint32_t c = 0; c < a.head_dim; c++) set(y, at + 2 + c, p.acc[c], p.acc_error[c]);
        }
    work_free(&a, &p);
    attn_free(&a);
    return status;
}

greta_status ref_attn_reduce(const struct ref_args *args) {
    const struct greta_scalars_attn_reduce *s = &args->call->scalars.attn_reduce;
    uint64_t head_dim = args->call->keys[0], width = 2 + head_dim;
    uint32_t step[4];
    memcpy(step, args->data[1], sizeof step);
    uint64_t n_split = ((uint64_t)step[2] + GRETA_ATTN_CHUNK - 1) / GRETA_ATTN_CHUNK;
    if (n_split > s->n_split) n_split = s->n_split;
    struct ref_output *y = &args->outputs[2];
    greta_status status = ref_output_make(y, REF_F32, s->n_head * head_dim);
    for (uint64_t h = 0; !status && h < s->n_head; h++) {
        const float *partials = (const float *)args->data[0] + h * s->n_split * width;
        double max = -INFINITY;
        for (uint64_t i = 0; i < n_split; i++) max = fmax(max, partials[i * width]);
        for (uint64_t c = 0; c < head_dim; c++) {
            double sum = 0, acc = 0, sum_error = 0, acc_error = 0;
            for (uint64_t i = 0; i < n_split; i++) {
                const float *p = partials + i * width;
                double x = p[0] - max, weight = exp(x);
                double error =
                    ref_exp_error(x) + REF_EPS * fabs(x) + REF_EPS * (6 * sqrt((double)n_split) + 16);
                sum += weight * p[1];
                acc += weight * p[2 + c];
                sum_error += weight * fabs((double)p[1]) * error;
                acc_error += weight * fabs((double)p[2 + c]) * error + REF_TINY * fabs((double)p[2 + c]);
            }
            set(y, h * head_dim + c, acc / sum, (acc_error + fabs(acc / sum) * sum_error) / sum);
        }
    }
    return status;
}
