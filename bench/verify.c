/* Checks of products that are too large for the whole reference. Bounds are those of ref.h. */
#include "bench.h"
#include "kc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_VECTORS = 4 };

/* ref.h: what the sum of k products may be off by, S being the sum of their magnitudes. */
static double bound_of(double k, double magnitude, double operand_eps) {
    return (0x1p-24 * (6 * sqrt(k) + 16) + 2.05 * operand_eps) * magnitude + 0x1p-126;
}

struct matrix {
    double *at; /* row-major */
    uint64_t n_rows, n_cols;
};

static double fp8(uint8_t bits) {
    int exponent = bits >> 3 & 15, fraction = bits & 7;
    double value = exponent ? ldexp(8 + fraction, exponent - 11) : ldexp(fraction, -10);
    return bits == 0x80 ? NAN : bits & 0x80 ? -value : value;
}

static bool matrix_make(uint32_t type, const void *bytes, uint32_t order, uint64_t n_rows, uint64_t n_cols,
                        struct matrix *out) {
    uint64_t n = n_rows * n_cols;
    *out = (struct matrix){malloc((size_t)n * sizeof *out->at), n_rows, n_cols};
    double *flat = order == GRETA_ORDER_ROW ? out->at : malloc((size_t)n * sizeof *flat);
    if (!out->at || !flat) {
        free(out->at);
        out->at = NULL;
        return false;
    }
    if (type <= GRETA_TYPE_BF16) ref_decode_row(type, bytes, n, flat, NULL);
    for (uint64_t i = 0; type > GRETA_TYPE_BF16 && i < n; i++)
        flat[i] = type == GRETA_TYPE_I8 ? ((const int8_t *)bytes)[i] : fp8(((const uint8_t *)bytes)[i]);
    if (flat == out->at) return true;
    for (uint64_t r = 0; r < n_rows; r++)
        for (uint64_t c = 0; c < n_cols; c++) out->at[r * n_cols + c] = flat[c * n_rows + r];
    free(flat);
    return true;
}

/* y = m x, or |m| x. */
static void times(const struct matrix *m, const double *x, bool magnitude, double *y) {
    for (uint64_t r = 0; r < m->n_rows; r++) {
        const double *row = m->at + r * m->n_cols;
        double sum = 0;
        for (uint64_t c = 0; c < m->n_cols; c++) sum += (magnitude ? fabs(row[c]) : row[c]) * x[c];
        y[r] = sum;
    }
}

static double result_at(const struct greta_call *call, const float *c, uint64_t i) {
    int32_t whole;
    if (call->keys[0] != GRETA_TYPE_I8) return c[i];
    memcpy(&whole, c + i, sizeof whole);
    return whole;
}

static void note(double got, double want, double bound, double *worst) {
    double error = fabs(got - want) / bound;
    if (!(error <= *worst)) *worst = isnan(error) ? INFINITY : error;
}

/*
 * Freivalds (1977): where c is not a b, (c - a b) r is zero for a random vector r of signs with a chance of at most a half. In
 * floating point: within the sum of the elements' bounds, which for signs of chance is far above what errors add up to; a wrong
 * row or a transposed operand is off by orders of magnitude more.
 */
static bool freivalds(const struct greta_call *call, const struct matrix *a, const struct matrix *b,
                      const float *c, double eps, struct kc_rng *rng, double *worst) {
    uint64_t m = a->n_rows, n = b->n_cols, k = a->n_cols;
    double *r = calloc(n, sizeof *r), *br = calloc(k, sizeof *br), *abr = calloc(m, sizeof *abr),
           *size = calloc(m, sizeof *size);
    bool ok = r && br && abr && size;
    if (ok) { /* |a| (|b| 1) */
        for (uint64_t j = 0; j < n; j++) r[j] = 1;
        times(b, r, true, br);
        times(a, br, true, size);
    }
    for (int v = 0; ok && v < N_VECTORS; v++) {
        for (uint64_t j = 0; j < n; j++) r[j] = kc_random(rng) & 1 ? 1 : -1;
        times(b, r, false, br);
        times(a, br, false, abr);
        for (uint64_t i = 0; i < m; i++) {
            double sum = 0;
            for (uint64_t j = 0; j < n; j++) sum += result_at(call, c, i * n + j) * r[j];
            note(sum, abr[i], bound_of((double)k, size[i], eps), worst);
        }
    }
    free(r);
    free(br);
    free(abr);
    free(size);
    return ok;
}

/* Row i of a times b, element by element. */
static void exact_row(const struct greta_call *call, const struct matrix *a, const struct matrix *b,
                      const float *c, double eps, uint64_t i, double *sums, double *sizes, double *worst) {
    uint64_t n = b->n_cols, k = a->n_cols;
    memset(sums, 0, n * sizeof *sums);
    memset(sizes, 0, n * sizeof *sizes);
    for (uint64_t l = 0; l < k; l++) {
        double x = a->at[i * k + l], size = fabs(x);
        const double *row = b->at + l * n;
        for (uint64_t j = 0; j < n; j++) {
            sums[j] += x * row[j];
            sizes[j] += size * fabs(row[j]);
        }
    }
    for (uint64_t j = 0; j < n; j++)
        note(result_at(call, c, i * n + j), sums[j], bound_of((double)k, sizes[j], eps), worst);
}

bool verify_gemm(const struct greta_call *call, const void *a, const void *b, const float *c,
                 double operand_eps, uint32_t n_rows, uint64_t seed, double *worst) {
    const struct greta_scalars_gemm *s = &call->scalars.gemm;
    struct kc_rng rng = {seed};
    struct matrix x = {0}, y = {0};
    double *sums = calloc(2 * (size_t)s->n + 1, sizeof *sums);
    bool ok = sums && matrix_make(call->keys[0], a, call->keys[1], s->m, s->k, &x) &&
              matrix_make(call->keys[0], b, call->keys[2], s->k, s->n, &y);
    *worst = 0;
    ok = ok && freivalds(call, &x, &y, c, operand_eps, &rng, worst);
    for (uint32_t i = 0; ok && i < n_rows && i < s->m; i++)
        exact_row(call, &x, &y, c, operand_eps, n_rows < s->m ? kc_random(&rng) % s->m : i, sums, sums + s->n,
                  worst);
    free(sums);
    free(x.at);
    free(y.at);
    return ok;
}

bool verify_product(const struct greta_call *call, const struct kc_data *data, const float *y,
                    double operand_eps, uint32_t n, uint64_t seed, double *worst) {
    const struct greta_scalars_matvec *s = &call->scalars.matvec;
    uint64_t row_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, call->keys[0], 1, s->n_cols);
    double *w = calloc(3 * (size_t)s->n_cols, sizeof *w), *size = w + s->n_cols, *x = size + s->n_cols;
    struct kc_rng rng = {seed};
    *worst = 0;
    if (!w) return false;
    if (call->keys[1] == GRETA_TYPE_Q8A)
        ref_decode_q8a(data->bytes[1], s->n_cols, x);
    else
        for (uint32_t c = 0; c < s->n_cols; c++) x[c] = ((const float *)(const void *)data->bytes[1])[c];
    for (uint32_t i = 0; i < n; i++) {
        uint64_t r = kc_random(&rng) % s->n_rows;
        double sum = 0, magnitude = 0;
        ref_decode_row(call->keys[0], data->bytes[0] + r * row_bytes, s->n_cols, w, size);
        for (uint32_t c = 0; c < s->n_cols; c++) {
            sum += w[c] * x[c];
            magnitude += size[c] * fabs(x[c]);
        }
        note(y[r], sum, bound_of(s->n_cols, magnitude, operand_eps), worst);
    }
    free(w);
    return true;
}
