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

greta_status ref_gemm(const struct ref_args *a) {
    const struct greta_scalars_gemm *s = &a->call->scalars.gemm;
    const uint32_t *keys = a->call->keys;
    uint64_t m = s->m, n = s->n, k = s->k;
    double *x = decode(keys[0], a->data[0], m * k), *y = decode(keys[0], a->data[1], k * n);
    struct ref_output *c = &a->outputs[2];
    bool whole = keys[0] == GRETA_TYPE_I8;
    greta_status status = x && y ? ref_output_make(c, whole ? REF_I32 : REF_F32, m * n) : GRETA_ERR_NO_MEMORY;
    /* From one element of the inner dimension to the next, and from line to line. */
    uint64_t x_step = keys[1] == GRETA_ORDER_ROW ? 1 : m, x_line = keys[1] == GRETA_ORDER_ROW ? k : 1;
    uint64_t y_step = keys[2] == GRETA_ORDER_ROW ? n : 1, y_line = keys[2] == GRETA_ORDER_ROW ? 1 : k;
    for (uint64_t i = 0; !status && i < m; i++)
        for (uint64_t j = 0; j < n; j++) {
            double sum = 0, magnitude = 0, sum_x = 0, sum_y = 0;
            for (uint64_t l = 0; l < k; l++) {
                double u = x[i * x_line + l * x_step], v = y[j * y_line + l * y_step];
                sum += u * v;
                magnitude += fabs(u * v);
                sum_x += fabs(u);
                sum_y += fabs(v);
            }
            c->value[i * n + j] = sum;
            c->bound[i * n + j] =
                whole ? 0 : ref_sum_bound((double)k, magnitude, sum_x, sum_y, a->operand_eps);
        }
    free(x);
    free(y);
    return status;
}
