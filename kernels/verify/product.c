/* Checks of products that are too large for the whole reference. Bounds are those of ref.h. */
#include "verify.h"

#include "thread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_VECTORS = 4 };

struct matrix {
    double *at; /* row-major */
    uint64_t n_rows, n_cols;
};

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
    ref_decode_matrix(type, bytes, n, flat);
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

/* What a right product must be: of N_VECTORS vectors of signs, and exactly in some rows. All of it is made once, for every row of the table. */
struct verify_gemm {
    uint64_t m, n, k;
    uint32_t n_rows;
    uint64_t *rows;              /* the exact ones */
    double *sums, *sizes;        /* of each of these rows: n elements, and the sums of their magnitudes */
    double *signs, *abr, *lines; /* N_VECTORS x n; a (b signs), N_VECTORS x m; |a| (|b| 1), m */
    double *of_a, *of_b,
        total_b; /* sums of the magnitudes of a's rows, m, of b's columns, n, and of all of b */
};

void verify_gemm_free(struct verify_gemm **check) {
    struct verify_gemm *v = *check;
    if (!v) return;
    free(v->rows);
    free(v->sums);
    free(v->sizes);
    free(v->signs);
    free(v->abr);
    free(v->lines);
    free(v->of_a);
    free(v->of_b);
    free(v);
    *check = NULL;
}

struct exact {
    struct verify_gemm *v;
    const struct matrix *a, *b;
};

/* One of the exact rows: row i of a times b, element by element. */
static void exact_row(void *user, uint32_t i_row, unsigned i_thread) {
    struct exact *e = user;
    uint64_t n = e->v->n, k = e->v->k, i = e->v->rows[i_row];
    double *sums = e->v->sums + i_row * n, *sizes = e->v->sizes + i_row * n;
    (void)i_thread;
    for (uint64_t l = 0; l < k; l++) {
        double x = e->a->at[i * k + l], size = fabs(x);
        const double *row = e->b->at + l * n;
        for (uint64_t j = 0; j < n; j++) {
            sums[j] += x * row[j];
            sizes[j] += size * fabs(row[j]);
        }
    }
}

static void magnitudes(struct verify_gemm *v, const struct matrix *a, const struct matrix *b) {
    for (uint64_t i = 0; i < v->m; i++)
        for (uint64_t l = 0; l < v->k; l++) v->of_a[i] += fabs(a->at[i * v->k + l]);
    for (uint64_t l = 0; l < v->k; l++)
        for (uint64_t j = 0; j < v->n; j++) v->of_b[j] += fabs(b->at[l * v->n + j]);
    for (uint64_t j = 0; j < v->n; j++) v->total_b += v->of_b[j];
}

/* Freivalds' side of it. */
static bool vectors_make(struct verify_gemm *v, const struct matrix *a, const struct matrix *b,
                         struct kc_rng *rng) {
    double *ones = calloc(v->n, sizeof *ones), *br = calloc(v->k, sizeof *br);
    bool ok = ones && br;
    if (ok) {
        for (uint64_t j = 0; j < v->n; j++) ones[j] = 1;
        times(b, ones, true, br);
        times(a, br, true, v->lines);
    }
    for (int i = 0; ok && i < N_VECTORS; i++) {
        for (uint64_t j = 0; j < v->n; j++) v->signs[i * v->n + j] = kc_random(rng) & 1 ? 1 : -1;
        times(b, v->signs + i * v->n, false, br);
        times(a, br, false, v->abr + i * v->m);
    }
    free(ones);
    free(br);
    return ok;
}

struct verify_gemm *verify_gemm_make(const struct greta_call *call, const void *a, const void *b,
                                     uint32_t n_rows, uint64_t seed) {
    const struct greta_scalars_gemm *s = &call->scalars.gemm;
    struct verify_gemm *v = calloc(1, sizeof *v);
    struct kc_rng rng = {seed};
    struct matrix x = {0}, y = {0};
    struct thread_pool *pool = NULL;
    if (!v) return NULL;
    *v = (struct verify_gemm){.m = s->m, .n = s->n, .k = s->k, .n_rows = n_rows < s->m ? n_rows : s->m};
    v->rows = calloc(v->n_rows + 1, sizeof *v->rows);
    v->sums = calloc(v->n_rows * v->n + 1, sizeof *v->sums);
    v->sizes = calloc(v->n_rows * v->n + 1, sizeof *v->sizes);
    v->signs = calloc(N_VECTORS * v->n, sizeof *v->signs);
    v->abr = calloc(N_VECTORS * v->m, sizeof *v->abr);
    v->lines = calloc(v->m, sizeof *v->lines);
    v->of_a = calloc(v->m, sizeof *v->of_a);
    v->of_b = calloc(v->n, sizeof *v->of_b);
    bool ok = v->rows && v->sums && v->sizes && v->signs && v->abr && v->lines && v->of_a && v->of_b &&
              !thread_pool_create(0, &pool);
    ok = ok && matrix_make(call->keys[0], a, call->keys[1], s->m, s->k, &x) &&
         matrix_make(call->keys[0], b, call->keys[2], s->k, s->n, &y);
    ok = ok && vectors_make(v, &x, &y, &rng);
    if (ok) magnitudes(v, &x, &y);
    for (uint32_t i = 0; ok && i < v->n_rows; i++) v->rows[i] = v->n_rows < s->m ? kc_random(&rng) % s->m : i;
    if (ok) thread_pool_loop(pool, v->n_rows, exact_row, &(struct exact){v, &x, &y});
    thread_pool_destroy(&pool);
    free(x.at);
    free(y.at);
    if (!ok) verify_gemm_free(&v);
    return v;
}

/*
 * Freivalds (1977): where c is not a b, (c - a b) r is zero for a random vector r of signs with a chance of at most a half. In
 * floating point: within the sum of the elements' bounds, which for signs of chance is far above what errors add up to; a wrong
 * row or a transposed operand is off by orders of magnitude more.
 */
double verify_gemm_worst(const struct verify_gemm *v, const struct greta_call *call, const float *c,
                         double operand_eps) {
    double worst = 0, k = (double)v->k;
    for (uint64_t i = 0; i < v->m; i++) {
        double sums[N_VECTORS] = {0},
               bound = ref_sum_bound(k, v->lines[i], (double)v->n * v->of_a[i], v->total_b, operand_eps);
        for (uint64_t j = 0; j < v->n; j++) {
            double x = result_at(call, c, i * v->n + j);
            for (int r = 0; r < N_VECTORS; r++) sums[r] += x * v->signs[r * v->n + j];
        }
        for (int r = 0; r < N_VECTORS; r++) note(sums[r], v->abr[r * v->m + i], bound, &worst);
    }
    for (uint32_t i = 0; i < v->n_rows; i++)
        for (uint64_t j = 0; j < v->n; j++)
            note(result_at(call, c, v->rows[i] * v->n + j), v->sums[i * v->n + j],
                 ref_sum_bound(k, v->sizes[i * v->n + j], v->of_a[v->rows[i]], v->of_b[j], operand_eps),
                 &worst);
    return worst;
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
        double sum = 0, magnitude = 0, of_w = 0, of_x = 0;
        ref_decode_row(call->keys[0], data->bytes[0] + r * row_bytes, s->n_cols, w, size);
        for (uint32_t c = 0; c < s->n_cols; c++) {
            sum += w[c] * x[c];
            magnitude += size[c] * fabs(x[c]);
            of_w += size[c];
            of_x += fabs(x[c]);
        }
        note(y[r], sum, ref_sum_bound(s->n_cols, magnitude, of_w, of_x, operand_eps), worst);
    }
    free(w);
    return true;
}
