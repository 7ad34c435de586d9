/* What references are made of: outputs, the bounds of sums and functions, elements of caches. */
#include "internal.h"

#include "half.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

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

void ref_free(struct ref_output outputs[GRETA_OP_MAX_BINDINGS]) {
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) {
        free(outputs[i].value);
        free(outputs[i].bound);
        outputs[i] = (struct ref_output){0};
    }
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

/*
 * As 1 - 2 / (exp(2z) + 1), z = x / cap, from |z| = 1/4 on, where the last difference is 1/4 of what it is made of: exp's error
 * counts 2 e / (e + 1)^2 <= 1/2 times before that, whatever z is. Near 0 a series, of which a few roundings are left.
 */
double ref_softcap(double x, double cap, double *bound) {
    double value = cap * tanh(x / cap);
    *bound = fabs(value) * 4 * (0.5 * ref_exp_error(0.5) + 6 * REF_EPS) + REF_TINY;
    return value;
}

enum ref_kind ref_float_kind(uint32_t type) {
    return type == GRETA_TYPE_F32 ? REF_F32 : type == GRETA_TYPE_F16 ? REF_F16 : REF_BF16;
}

double ref_rounded_to(uint32_t type, float x) {
    if (type == GRETA_TYPE_F16) return half_f16_to_f32(half_f32_to_f16(x));
    return type == GRETA_TYPE_BF16 ? half_bf16_to_f32(half_f32_to_bf16(x)) : x;
}

greta_status ref_kv_make(struct ref_output *o, uint32_t kv_type, uint64_t n_ctx, uint64_t n_cols) {
    bool q8 = kv_type == GRETA_TYPE_Q8_0;
    greta_status status = ref_output_make(o, q8 ? REF_KV_Q8_0 : ref_float_kind(kv_type), n_ctx * n_cols);
    o->n_rows = (uint32_t)n_ctx;
    o->n_cols = (uint32_t)n_cols;
    return status;
}

/* Error 0: an exact value, and a kernel rounds it as we do. */
void ref_set_kv(struct ref_output *o, uint64_t i, double value, double error) {
    if (error == 0 && o->kind == REF_F16) {
        ref_set(o, i, ref_rounded_to(GRETA_TYPE_F16, (float)value), 0);
        return;
    }
    if (o->kind == REF_F16) error += 0x1p-11 * (fabs(value) + error) + 0x1p-25;
    if (o->kind == REF_F16 && fabs(value) >= 65520) value = value > 0 ? INFINITY : -INFINITY;
    ref_set(o, i, value, error);
}
