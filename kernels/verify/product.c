/* Checks of products that are too large for the whole reference. Bounds are those of ref.h. */
#include "verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_VECTORS = 4, FEW = 1 << 18 /* elements that one thread takes at once */ };

/* As numbers piece by piece: all of 8192 x 8192 would be half a gigabyte. `at`: the whole one, row-major, where its bytes are not. */
struct matrix {
    uint32_t type;
    const uint8_t *bytes;
    double *at;
    uint64_t n_rows, n_cols;
};

static bool matrix_make(uint32_t type, const void *bytes, uint32_t order, uint64_t n_rows, uint64_t n_cols,
                        struct matrix *out) {
    uint64_t n = n_rows * n_cols;
    *out = (struct matrix){type, bytes, NULL, n_rows, n_cols};
    if (order == GRETA_ORDER_ROW) return true;
    double *flat = malloc((size_t)n * sizeof *flat);
    out->at = malloc((size_t)n * sizeof *out->at);
    if (flat && out->at) {
        ref_decode_matrix(type, bytes, n, flat);
        for (uint64_t r = 0; r < n_rows; r++)
            for (uint64_t c = 0; c < n_cols; c++) out->at[r * n_cols + c] = flat[c * n_rows + r];
    }
    bool ok = flat && out->at;
    free(flat);
    return ok;
}

/* n elements of row r from column c on. */
static void elements(const struct matrix *m, uint64_t r, uint64_t c, uint64_t n, double *out) {
    uint64_t i = r * m->n_cols + c;
    if (m->at)
        memcpy(out, m->at + i, (size_t)n * sizeof *out);
    else
        ref_decode_matrix(m->type, m->bytes + i * greta_type_get_info(m->type)->block_bytes, n, out);
}

/* A loop over n things in pieces of so many; what a piece is alone wanting memory for fails all. */
struct pieces {
    uint64_t n, n_at_once;
    _Atomic bool failed;
};

static struct pieces pieces_of(uint64_t n, uint64_t each) {
    return (struct pieces){n, FEW / (each ? each : 1) + 1, false};
}

static uint32_t n_pieces(const struct pieces *p) {
    return (uint32_t)((p->n + p->n_at_once - 1) / p->n_at_once);
}

static uint64_t piece_begin(const struct pieces *p, uint32_t i) {
    return i * p->n_at_once;
}

static uint64_t piece_end(const struct pieces *p, uint32_t i) {
    uint64_t end = (i + 1) * p->n_at_once;
    return end < p->n ? end : p->n;
}

/* N_VECTORS products of a matrix with vectors x, n_cols each, into y, n_rows each; of the magnitudes with one more, where there is one. */
struct times {
    struct pieces pieces; /* of rows */
    const struct matrix *m;
    const double *x, *of_magnitudes;
    double *y, *y_of_magnitudes, *sums; /* sums: of the magnitudes of each row, or NULL */
};

static void row_times(const struct times *t, const double *row, uint64_t r) {
    double sums[N_VECTORS] = {0}, magnitude = 0, all = 0;
    uint64_t n = t->m->n_cols;
    for (uint64_t c = 0; c < n; c++) {
        double size = fabs(row[c]);
        for (int i = 0; i < N_VECTORS; i++) sums[i] += row[c] * t->x[i * n + c];
        magnitude += size * (t->of_magnitudes ? t->of_magnitudes[c] : 1);
        all += size;
    }
    for (int i = 0; i < N_VECTORS; i++) t->y[i * t->m->n_rows + r] = sums[i];
    t->y_of_magnitudes[r] = magnitude;
    if (t->sums) t->sums[r] = all;
}

static void some_times(void *user, uint32_t i) {
    struct times *t = user;
    double *row = malloc((size_t)t->m->n_cols * sizeof *row);
    if (!row) t->pieces.failed = true;
    for (uint64_t r = piece_begin(&t->pieces, i); row && r < piece_end(&t->pieces, i); r++) {
        elements(t->m, r, 0, t->m->n_cols, row);
        row_times(t, row, r);
    }
    free(row);
}

static bool times(struct times *t) {
    t->pieces = pieces_of(t->m->n_rows, t->m->n_cols);
    ref_loop(n_pieces(&t->pieces), some_times, t);
    return !t->pieces.failed;
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

/* The exact rows of a times b, some columns at a time: all of b's rows pass once, in blocks that lie in a cache. */
enum { BLOCK_ROWS = 64, BLOCK_COLS = 64 };

struct exact {
    struct pieces pieces; /* of columns */
    struct verify_gemm *v;
    const double *a; /* the rows of a */
    const struct matrix *b;
};

static void exact_block(struct exact *e, uint64_t l0, uint64_t n_l, uint64_t j0, uint64_t n_j,
                        const double *block) {
    for (uint32_t i = 0; i < e->v->n_rows; i++) {
        double *sums = e->v->sums + i * e->v->n + j0, *sizes = e->v->sizes + i * e->v->n + j0;
        for (uint64_t l = 0; l < n_l; l++) {
            double x = e->a[i * e->v->k + l0 + l];
            for (uint64_t j = 0; j < n_j; j++) {
                double product = x * block[l * BLOCK_COLS + j];
                sums[j] += product;
                sizes[j] += fabs(product);
            }
        }
    }
}

static void exact_columns(void *user, uint32_t i) {
    struct exact *e = user;
    double block[BLOCK_ROWS * BLOCK_COLS];
    uint64_t k = e->v->k, j0 = piece_begin(&e->pieces, i), n_j = piece_end(&e->pieces, i) - j0;
    for (uint64_t l0 = 0; l0 < k; l0 += BLOCK_ROWS) {
        uint64_t n_l = k - l0 < BLOCK_ROWS ? k - l0 : BLOCK_ROWS;
        for (uint64_t l = 0; l < n_l; l++) {
            double *row = block + l * BLOCK_COLS;
            elements(e->b, l0 + l, j0, n_j, row);
            for (uint64_t j = 0; j < n_j; j++) e->v->of_b[j0 + j] += fabs(row[j]);
        }
        exact_block(e, l0, n_l, j0, n_j, block);
    }
}

static bool exact_make(struct verify_gemm *v, const struct matrix *a, const struct matrix *b) {
    double *rows = malloc((size_t)(v->n_rows * v->k + 1) * sizeof *rows);
    struct exact e = {{v->n, BLOCK_COLS, false}, v, rows, b};
    if (!rows) return false;
    for (uint32_t i = 0; i < v->n_rows; i++) elements(a, v->rows[i], 0, v->k, rows + i * v->k);
    ref_loop(n_pieces(&e.pieces), exact_columns, &e);
    for (uint64_t j = 0; j < v->n; j++) v->total_b += v->of_b[j];
    free(rows);
    return true;
}

/* Freivalds' side of it. */
static bool vectors_make(struct verify_gemm *v, const struct matrix *a, const struct matrix *b,
                         struct kc_rng *rng) {
    double *br = calloc((N_VECTORS + 1) * v->k, sizeof *br), *sizes = br + N_VECTORS * v->k;
    for (uint64_t i = 0; i < N_VECTORS * v->n; i++) v->signs[i] = kc_random(rng) & 1 ? 1 : -1;
    bool ok = br && times(&(struct times){.m = b, .x = v->signs, .y = br, .y_of_magnitudes = sizes}) &&
              times(&(struct times){.m = a,
                                    .x = br,
                                    .of_magnitudes = sizes,
                                    .y = v->abr,
                                    .y_of_magnitudes = v->lines,
                                    .sums = v->of_a});
    free(br);
    return ok;
}

struct verify_gemm *verify_gemm_make(const struct greta_call *call, const void *a, const void *b,
                                     uint32_t n_rows, uint64_t seed) {
    const struct greta_scalars_gemm *s = &call->scalars.gemm;
    struct verify_gemm *v = calloc(1, sizeof *v);
    struct kc_rng rng = {seed};
    struct matrix x = {0}, y = {0};
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
    bool ok = v->rows && v->sums && v->sizes && v->signs && v->abr && v->lines && v->of_a && v->of_b;
    ok = ok && matrix_make(call->keys[0], a, call->keys[1], s->m, s->k, &x) &&
         matrix_make(call->keys[0], b, call->keys[2], s->k, s->n, &y);
    ok = ok && vectors_make(v, &x, &y, &rng);
    for (uint32_t i = 0; ok && i < v->n_rows; i++) v->rows[i] = v->n_rows < s->m ? kc_random(&rng) % s->m : i;
    ok = ok && exact_make(v, &x, &y);
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
struct judged {
    struct pieces pieces; /* of c's rows, then of the exact ones */
    const struct verify_gemm *v;
    const struct greta_call *call;
    const float *c;
    double operand_eps, *worst; /* of each piece */
};

static double worst_of_vectors(const struct judged *d, uint64_t i) {
    const struct verify_gemm *v = d->v;
    double worst = 0, sums[N_VECTORS] = {0};
    double bound =
        ref_sum_bound((double)v->k, v->lines[i], (double)v->n * v->of_a[i], v->total_b, d->operand_eps);
    for (uint64_t j = 0; j < v->n; j++) {
        double x = result_at(d->call, d->c, i * v->n + j);
        for (int r = 0; r < N_VECTORS; r++) sums[r] += x * v->signs[r * v->n + j];
    }
    for (int r = 0; r < N_VECTORS; r++) note(sums[r], v->abr[r * v->m + i], bound, &worst);
    return worst;
}

static double worst_of_row(const struct judged *d, uint64_t i) {
    const struct verify_gemm *v = d->v;
    double worst = 0, of_a = v->of_a[v->rows[i]];
    for (uint64_t j = 0; j < v->n; j++)
        note(result_at(d->call, d->c, v->rows[i] * v->n + j), v->sums[i * v->n + j],
             ref_sum_bound((double)v->k, v->sizes[i * v->n + j], of_a, v->of_b[j], d->operand_eps), &worst);
    return worst;
}

static void judge_some(void *user, uint32_t i_piece) {
    struct judged *d = user;
    double worst = 0;
    for (uint64_t i = piece_begin(&d->pieces, i_piece); i < piece_end(&d->pieces, i_piece); i++)
        worst = fmax(worst, i < d->v->m ? worst_of_vectors(d, i) : worst_of_row(d, i - d->v->m));
    d->worst[i_piece] = worst;
}

double verify_gemm_worst(const struct verify_gemm *v, const struct greta_call *call, const float *c,
                         double operand_eps) {
    struct judged d = {pieces_of(v->m + v->n_rows, v->n), v, call, c, operand_eps, NULL};
    double worst = 0;
    d.worst = calloc(n_pieces(&d.pieces), sizeof *d.worst);
    if (!d.worst) return INFINITY; /* not known to be right */
    ref_loop(n_pieces(&d.pieces), judge_some, &d);
    for (uint32_t i = 0; i < n_pieces(&d.pieces); i++) worst = fmax(worst, d.worst[i]);
    free(d.worst);
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
