/* GEMM: every element's sum in double precision; of 8-bit integers exactly. */
#include "internal.h"

#include <math.h>
#include <stdlib.h>

/* E4M3 FNUZ: bias 8, no infinities, 0x80 is the only NaN. */
static double fp8(uint8_t bits) {
    int exponent = bits >> 3 & 15, fraction = bits & 7;
    double value = exponent ? ldexp(8 + fraction, exponent - 11) : ldexp(fraction, -10);
    return bits == 0x80 ? NAN : bits & 0x80 ? -value : value;
}

void ref_decode_matrix(uint32_t type, const void *bytes, uint64_t n, double *out) {
    if (type <= GRETA_TYPE_BF16) ref_decode_row(type, bytes, n, out, NULL);
    for (uint64_t i = 0; type > GRETA_TYPE_BF16 && i < n; i++)
        out[i] = type == GRETA_TYPE_I8 ? ((const int8_t *)bytes)[i] : fp8(((const uint8_t *)bytes)[i]);
}

/* n elements as numbers. */
static double *decode(uint32_t type, const void *bytes, uint64_t n) {
    double *out = calloc((size_t)n + 1, sizeof *out);
    if (out) ref_decode_matrix(type, bytes, n, out);
    return out;
}

/* Row-major, whatever the order of its bytes. NULL where memory is out. */
static double *decode_rows(uint32_t type, const void *bytes, uint32_t order, uint64_t n_rows,
                           uint64_t n_cols) {
    double *flat = decode(type, bytes, n_rows * n_cols), *out = flat;
    if (!flat || order == GRETA_ORDER_ROW) return flat;
    out = malloc((size_t)(n_rows * n_cols + 1) * sizeof *out);
    for (uint64_t r = 0; out && r < n_rows; r++)
        for (uint64_t c = 0; c < n_cols; c++) out[r * n_cols + c] = flat[c * n_rows + r];
    free(flat);
    return out;
}

struct product {
    const double *x, *y, *sum_y; /* sum_y: of the magnitudes of each column */
    uint64_t m, n, k, n_at_once;
    bool whole;
    double operand_eps;
    struct ref_output *c;
};

/* Some rows. Each element's terms are added in the order of the inner dimension. */
static void some_rows(void *user, uint32_t i_piece) {
    const struct product *p = user;
    uint64_t n = p->n, k = p->k, begin = i_piece * p->n_at_once, end = begin + p->n_at_once;
    for (uint64_t i = begin; i < end && i < p->m; i++) {
        double *value = p->c->value + i * n, *bound = p->c->bound + i * n, sum_x = 0;
        for (uint64_t j = 0; j < n; j++) value[j] = bound[j] = 0;
        for (uint64_t l = 0; l < k; l++) {
            double u = p->x[i * k + l];
            const double *v = p->y + l * n;
            sum_x += fabs(u);
            for (uint64_t j = 0; j < n; j++) {
                double uv = u * v[j];
                value[j] += uv;
                bound[j] += fabs(uv);
            }
        }
        for (uint64_t j = 0; j < n; j++)
            bound[j] = p->whole ? 0 : ref_sum_bound((double)k, bound[j], sum_x, p->sum_y[j], p->operand_eps);
    }
}

greta_status ref_gemm(const struct ref_args *a) {
    enum { FEW = 1 << 20 /* products */ };
    const struct greta_scalars_gemm *s = &a->call->scalars.gemm;
    const uint32_t *keys = a->call->keys;
    uint64_t m = s->m, n = s->n, k = s->k;
    double *x = decode_rows(keys[0], a->data[0], keys[1], m, k),
           *y = decode_rows(keys[0], a->data[1], keys[2], k, n), *sum_y = calloc(n + 1, sizeof *sum_y);
    struct ref_output *c = &a->outputs[2];
    bool whole = keys[0] == GRETA_TYPE_I8;
    greta_status status =
        x && y && sum_y ? ref_output_make(c, whole ? REF_I32 : REF_F32, m * n) : GRETA_ERR_NO_MEMORY;
    for (uint64_t l = 0; !status && l < k; l++)
        for (uint64_t j = 0; j < n; j++) sum_y[j] += fabs(y[l * n + j]);
    struct product p = {x, y, sum_y, m, n, k, FEW / (n * k + 1) + 1, whole, a->operand_eps, c};
    if (!status) ref_loop((uint32_t)((m + p.n_at_once - 1) / p.n_at_once), some_rows, &p);
    free(x);
    free(y);
    free(sum_y);
    return status;
}
