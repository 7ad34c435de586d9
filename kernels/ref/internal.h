/* What the files of the reference share. */
#ifndef REF_INTERNAL_H
#define REF_INTERNAL_H

#include "ref.h"

#define REF_EPS 0x1p-24   /* rounding to f32, relative */
#define REF_TINY 0x1p-126 /* what may be flushed to zero */

struct ref_args {
    const struct greta_call *call;
    const void *const *data;
    double operand_eps;
    struct ref_output *outputs;
};

/* Element i of a binding of f32. */
static inline float ref_f32_at(const struct ref_args *a, uint32_t binding, uint64_t i) {
    return ((const float *)a->data[binding])[i];
}

static inline void ref_set(struct ref_output *o, uint64_t i, double value, double bound) {
    o->value[i] = value;
    o->bound[i] = bound;
}

/* Makes an output of n elements, all of them "as it was before". */
GRETA_MUST_USE greta_status ref_output_make(struct ref_output *o, enum ref_kind kind, uint64_t n);

/* What rounding the operands of k products first, with relative error r, adds to the error of their sum; s, a, b as ref_sum_bound's. */
double ref_rounding_error(double k, double s, double a, double b, double r);
/* The relative error of exp(x). */
double ref_exp_error(double x);
/* act(g) * u, with its bound where g and u are exact. */
double ref_act_mul(uint32_t act, double g, double u, double *bound);
/* cap * tanh(x / cap), with its bound where x is exact. */
double ref_softcap(double x, double cap, double *bound);
/* 1 / sqrt(mean(x^2) + eps) of n values, and the largest relative error of x * it * w. */
double ref_norm_scale(const double *x, uint64_t n, double eps, double *error);

/*
 * rope of n values in place, whose errors lie behind them: these turn with the values, and the rotation rounds three times. table: of
 * the position.
 */
void ref_rotate(const float *table, uint32_t mode, uint64_t n_rot, uint64_t head_dim, uint64_t n, double *y);

greta_status ref_matmul(const struct ref_args *a, uint64_t n_tok, uint64_t n_rows, uint64_t n_cols);
greta_status ref_matvec(const struct ref_args *a);
greta_status ref_matvec_split(const struct ref_args *a);
greta_status ref_matvec_glu(const struct ref_args *a);
greta_status ref_matvec_qkv(const struct ref_args *a);
/* Of F32, F16 and BF16: as outputs have them, and x rounded to one of them. */
enum ref_kind ref_float_kind(uint32_t type);
double ref_rounded_to(uint32_t type, float x);
/* A cache of n_ctx rows of n_cols, as it was before. */
GRETA_MUST_USE greta_status ref_kv_make(struct ref_output *o, uint32_t kv_type, uint64_t n_ctx,
                                        uint64_t n_cols);
/* Element i of a cache: a value that a right kernel has within `error` before it rounds to the cache's type. */
void ref_set_kv(struct ref_output *o, uint64_t i, double value, double error);
greta_status ref_attn(const struct ref_args *a);
greta_status ref_attn_split(const struct ref_args *a);
greta_status ref_attn_reduce(const struct ref_args *a);
greta_status ref_gemm(const struct ref_args *a);
/* layer_norm, layer_rms_norm, softmax, causal_mask, row_sum, row_max. */
greta_status ref_norms(const struct ref_args *a);

#endif
