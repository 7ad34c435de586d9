/* What a kernel left against what it should have left. */
#include "ref.h"

#include "half.h"

#include <greta/layout.h>

#include <math.h>
#include <string.h>

static double element(enum ref_kind kind, const void *bytes, uint64_t i) {
    uint16_t h;
    uint32_t u;
    float f;
    if (kind == REF_F16 || kind == REF_BF16) {
        memcpy(&h, (const uint8_t *)bytes + 2 * i, sizeof h);
        return kind == REF_F16 ? half_f16_to_f32(h) : half_bf16_to_f32(h);
    }
    memcpy(&u, (const uint8_t *)bytes + 4 * i, sizeof u);
    if (kind == REF_U32) return u;
    if (kind == REF_I32) return (int32_t)u;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* An error in bounds: at most 1 is right; infinity where there is no measure of it. */
static double error_of(double got, double want, double bound) {
    if (isnan(want)) return isnan(got) ? 0 : INFINITY;
    if (isnan(got)) return INFINITY;
    if (got == want) return 0;
    double error = fabs(got - want);
    return bound > 0 && isfinite(error) ? error / bound : INFINITY;
}

/* Keeps the worst element, the first of equals. */
static void judge(struct ref_verdict *v, uint64_t i, double got, double want, double bound, double error) {
    if (error > 1) v->n_wrong++;
    if (error > v->worst) *v = (struct ref_verdict){v->n_wrong, error, i, got, want, bound};
}

/* q within half a step of x / d and a few roundings of the division, d within two, s = d * (sum of q) within two. */
static void compare_q8a(const struct ref_output *o, const void *got, struct ref_verdict *v) {
    uint64_t row_bytes = GRETA_Q8A_ROW_BYTES((uint64_t)o->n_cols);
    for (uint64_t u = 0; u < o->n_rows * GRETA_Q8A_UNITS((uint64_t)o->n_cols); u++) {
        uint64_t r = u / GRETA_Q8A_UNITS((uint64_t)o->n_cols),
                 in_row = u % GRETA_Q8A_UNITS((uint64_t)o->n_cols);
        const uint8_t *row = (const uint8_t *)got + r * row_bytes;
        float d, s;
        memcpy(&d, row + GRETA_Q8A_D_OFFSET((uint64_t)o->n_cols) + 4 * in_row, sizeof d);
        memcpy(&s, row + GRETA_Q8A_S_OFFSET((uint64_t)o->n_cols) + 4 * in_row, sizeof s);
        double want_d = o->bound[r * o->n_cols + 32 * in_row], sum = 0;
        for (uint64_t c = 32 * in_row; c < 32 * in_row + 32; c++) {
            double want = c < o->n_cols ? o->value[r * o->n_cols + c] : 0, q = (int8_t)row[c];
            double bound = c < o->n_cols ? 0.5 + 127 * (8 * 0x1p-24 + 2 * o->relative) : 0;
            judge(v, r * o->n_cols + c, q, want, bound, fabs(q) > 127 ? INFINITY : error_of(q, want, bound));
            sum += q;
        }
        double d_bound = want_d * (4 * 0x1p-24 + o->relative) + 0x1p-126,
               s_bound = fabs(d * sum) * 2 * 0x1p-24 + 0x1p-126;
        judge(v, r * o->n_cols + 32 * in_row, d, want_d, d_bound, error_of(d, want_d, d_bound));
        judge(v, r * o->n_cols + 32 * in_row, s, d * sum, s_bound, error_of(s, d * sum, s_bound));
    }
}

/*
 * A unit of a Q8_0 cache: d within half an f16 step of max / 127 and what the values are off by; q * d within half a d of x, but for
 * those that end at 127. Where d leaves f16's range, or the unit holds no number, d must not be one.
 */
static void compare_kv_unit(const struct ref_output *o, uint64_t i, const uint8_t *row, const uint8_t *before,
                            uint64_t c0, struct ref_verdict *v) {
    const uint8_t *scale = row + GRETA_KV_SCALES_OFFSET((uint64_t)o->n_cols) + c0 / 32 * 2;
    uint16_t h;
    memcpy(&h, scale, sizeof h);
    double max = 0, off = 0, d = half_f16_to_f32(h);
    if (o->bound[i] < 0) {
        bool same = !memcmp(row + c0, before + c0, 32) && !memcmp(scale, before + (scale - row), 2);
        if (!same) judge(v, i, d, 0, 0, INFINITY);
        return;
    }
    for (uint64_t k = i; k < i + 32; k++) {
        max = isfinite(o->value[k]) ? fmax(max, fabs(o->value[k])) : INFINITY;
        off = fmax(off, o->bound[k]);
    }
    double want = max / 127, bound = want * (0x1p-11 + 8 * 0x1p-24) + off / 127 * 1.01 + 0x1p-25;
    if (want > 65504) {
        judge(v, i, d, want, 0, isfinite(d) && want - off / 127 >= 65520 * (1 + 0x1p-22) ? INFINITY : 0);
        return;
    }
    judge(v, i, d, want, bound, error_of(d, want, bound));
    for (uint64_t k = 0; isfinite(d) && k < 32; k++) {
        double x = o->value[i + k], q = (int8_t)row[c0 + k],
               limit = d * 0.5 * (1 + 0x1p-14) + o->bound[i + k];
        bool at_end = fabs(q) == 127 && q * x > 0 && fabs(x) > 127 * d;
        bool bad = q == -128 || (d == 0 && q != 0);
        if (d > 0 || bad)
            judge(v, i + k, q * d, x, limit, bad ? INFINITY : at_end ? 0 : error_of(q * d, x, limit));
    }
}

static void compare_kv_q8_0(const struct ref_output *o, const uint8_t *got, const uint8_t *before,
                            struct ref_verdict *v) {
    uint64_t row_bytes = GRETA_KV_ROW_BYTES(GRETA_TYPE_Q8_0, (uint64_t)o->n_cols);
    for (uint64_t r = 0; r < o->n_rows; r++)
        for (uint64_t c = 0; c < o->n_cols; c += 32)
            compare_kv_unit(o, r * o->n_cols + c, got + r * row_bytes, before + r * row_bytes, c, v);
}

void ref_compare(const struct ref_output *o, const void *got, const void *before, struct ref_verdict *v) {
    *v = (struct ref_verdict){0};
    if (o->kind == REF_NOTHING) return;
    if (o->kind == REF_KV_Q8_0) {
        compare_kv_q8_0(o, got, before, v);
        return;
    }
    if (o->kind == REF_Q8A) {
        compare_q8a(o, got, v);
        return;
    }
    uint64_t width = o->kind == REF_F16 || o->kind == REF_BF16 ? 2 : 4;
    for (uint64_t i = 0; i < o->n; i++) {
        double x = element(o->kind, got, i);
        if (!(o->bound[i] < 0)) { /* a bound that is NaN goes with a value that is: NaN is to be written */
            judge(v, i, x, o->value[i], o->bound[i], error_of(x, o->value[i], o->bound[i]));
        } else if (memcmp((const uint8_t *)got + width * i, (const uint8_t *)before + width * i, width)) {
            judge(v, i, x, element(o->kind, before, i), 0, INFINITY);
        }
    }
}
