/*
 * Every op in scalar double precision, with the largest error that a right kernel may make, element by element. Only tests and
 * the command that verifies a device call it.
 *
 * The bounds are formulas, written from the contract before any run. eps = 2^-24 is the rounding error of f32.
 *
 *  - A sum of k products: eps * (6 * sqrt(k) + 16) * S, S = sum |a * b|. Rounding errors of a sum behave as a random walk: six
 *    deviations of it are passed once in 5e8 sums, whatever the order (Higham and Mary, "A new approach to probabilistic
 *    rounding error analysis", 2019); 16 is for the few roundings of every product. Where a weight is a difference (d * q -
 *    dmin * m, or d * (q - 8)), its part of S counts both terms, since a kernel may sum them apart.
 *  - Operands that the row rounds first, relative error r each: 2.05 * r * S more, and where r is that of f16 the absolute
 *    error 2^-25 of its denormals.
 *  - exp(x): (4 + 4 |x|) * 2^-23, twice what Vulkan grants it.
 *  - 2^-126 everywhere: a device may flush denormals.
 *
 * What an op does not write must keep its bytes; that is a bound of -1.
 */
#ifndef REF_H
#define REF_H

#include <greta/kernels.h>

enum ref_kind { REF_NOTHING, REF_F32, REF_F16, REF_BF16, REF_U32, REF_I32, REF_Q8A, REF_KV_Q8_0 };

/* What one binding must hold afterwards: n elements of a kind. */
struct ref_output {
    enum ref_kind kind;
    uint64_t n;
    double *value;
    double *bound;   /* 0: exactly this; -1: as it was before */
    double relative; /* Q8A: what a kernel may have x off by, relative to it */
    uint32_t n_rows,
        n_cols; /* Q8A: value is x / d, bound is d; n = n_rows * n_cols. KV_Q8_0: value is x, before it is
                                rounded, bound what a kernel may have it off by, -1 for all of a unit or for none */
};

/*
 * data: each binding's bytes before the call; weights in ROWS layout whatever call->layout says. operand_eps: the row's
 * (variant.h). Outputs of bindings that are not written are left REF_NOTHING. ref_free frees them, also after a failure
 * (ERR_NO_MEMORY, ERR_INVALID).
 */
GRETA_MUST_USE greta_status ref_run(const struct greta_call *call, const void *const data[],
                                    double operand_eps, struct ref_output outputs[GRETA_OP_MAX_BINDINGS]);
void ref_free(struct ref_output outputs[GRETA_OP_MAX_BINDINGS]);

struct ref_verdict {
    uint64_t n_wrong;
    double worst; /* the largest error in bounds */
    uint64_t i_worst;
    double got, want, bound; /* there */
};
/* Compares what a kernel left (`got`) with what it should have; `before` is what was there. */
void ref_compare(const struct ref_output *output, const void *got, const void *before,
                 struct ref_verdict *verdict);

/* fn for each i of [0, n), by as many threads as there are processors; by the caller alone where there are none. In no order. */
typedef void ref_loop_fn(void *user, uint32_t i);
void ref_loop(uint32_t n, ref_loop_fn *fn, void *user);

/* The bound of a sum of k products of magnitude `s`, from operands of magnitudes that sum to `a` and `b`. */
double ref_sum_bound(double k, double s, double a, double b, double operand_eps);

/* One row of weights in file order, as numbers, and the magnitude of their terms. Either may be NULL. */
void ref_decode_row(uint32_t type, const void *row, uint64_t n_cols, double *value, double *magnitude);
/* n elements of a matrix of gemm: F32, F16, BF16, I8, FP8. */
void ref_decode_matrix(uint32_t type, const void *bytes, uint64_t n, double *out);
/* One row of Q8A. */
void ref_decode_q8a(const void *row, uint64_t n_cols, double *value);
/* x (f32) to one row of Q8A. */
void ref_encode_q8a(const float *x, uint64_t n_cols, void *row);

#endif
