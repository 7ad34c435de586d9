/* The checks of large products: right ones pass, and a transposed operand, a wrong element, a wrong row do not. */
#include "bench.h"
#include "verify.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

enum { M = 70, N = 48, K = 60 };

static float a[M * K], b[K * N], c[M * N], wrong[M * N];

/* c = a b, whose elements lie in the orders given. */
static void multiply(uint32_t a_order, uint32_t b_order) {
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int l = 0; l < K; l++)
                sum +=
                    (double)(a_order ? a[l * M + i] : a[i * K + l]) * (b_order ? b[j * K + l] : b[l * N + j]);
            c[i * N + j] = (float)sum;
        }
}

static double judge(uint32_t a_order, uint32_t b_order, const float *result, uint32_t n_rows) {
    const struct greta_call call = {
        .op = GRETA_OP_GEMM, .keys = {GRETA_TYPE_F32, a_order, b_order}, .scalars.gemm = {M, N, K}};
    struct verify_gemm *v = verify_gemm_make(&call, a, b, n_rows, 3);
    double worst = CHECK(v != NULL) ? verify_gemm_worst(v, &call, result, 0) : -1;
    verify_gemm_free(&v);
    return worst;
}

static void products(void) {
    struct kc_rng rng = {1};
    for (int i = 0; i < M * K; i++) a[i] = (float)(kc_random(&rng) % 2001) / 1000 - 1;
    for (int i = 0; i < K * N; i++) b[i] = (float)(kc_random(&rng) % 2001) / 1000 - 1;
    for (uint32_t orders = 0; orders < 4; orders++) {
        multiply(orders & 1, orders >> 1);
        double right = judge(orders & 1, orders >> 1, c, 256);
        CHECK(right >= 0 && right <= 1);
        for (uint32_t other = 0; other < 4; other++)
            if (other != orders) CHECK(judge(other & 1, other >> 1, c, 0) > 100); /* Freivalds' test alone */
    }
    multiply(0, 0);
    memcpy(wrong, c, sizeof c);
    wrong[5 * N + 7] += 0.01f;
    CHECK(judge(0, 0, wrong, M) > 1);
    memcpy(wrong, c, sizeof c);
    wrong[M * N - 1] = 0.0f / (c[0] - c[0]);
    CHECK(judge(0, 0, wrong, 0) > 1);
    memcpy(wrong, c, sizeof c);
    memcpy(wrong + 9 * N, c + 10 * N, N * sizeof *c);
    CHECK(judge(0, 0, wrong, 0) > 1);
}

/* Large enough for several threads: what is filled does not depend on them, and a fault in any piece is seen. */
static void pieces(void) {
    enum { ROWS = 1100, COLS = 1050, INNER = 30, SHORT = 70000, LONG = 200000 };
    const struct kc_case case_ = {
        .call = {.op = GRETA_OP_GEMM, .keys = {GRETA_TYPE_F32, 0, 0}, .scalars.gemm = {ROWS, COLS, INNER}}};
    struct kc_data data = {0};
    float *c2 = calloc((size_t)ROWS * COLS, sizeof *c2), *some = calloc(SHORT, sizeof *some),
          *all = calloc(LONG, sizeof *all);
    if (!CHECK(c2 && some && all && kc_data_make(&data, &case_, 7))) return;
    struct kc_rng one = {5}, other = {5}, third = {5};
    kc_fill_gemm(&one, &case_, SHORT, (uint8_t *)some);
    kc_fill_gemm(&other, &case_, LONG, (uint8_t *)all);
    CHECK(memcmp(some, all, SHORT * sizeof *some) == 0 && all[LONG - 1] != 0);
    kc_skip(&third, LONG);
    CHECK(kc_random(&other) == kc_random(&third));
    const float *x = (const float *)(const void *)data.bytes[0],
                *y = (const float *)(const void *)data.bytes[1];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLS; j++) {
            double sum = 0;
            for (int l = 0; l < INNER; l++) sum += (double)x[i * INNER + l] * y[l * COLS + j];
            c2[i * COLS + j] = (float)sum;
        }
    struct verify_gemm *v = verify_gemm_make(&case_.call, x, y, 16, 3);
    if (CHECK(v != NULL)) {
        CHECK(verify_gemm_worst(v, &case_.call, c2, 0) <= 1);
        for (int i = 0; i < ROWS; i += 157) {
            float before = c2[i * COLS + COLS - 1 - i / 2];
            c2[i * COLS + COLS - 1 - i / 2] += 30;
            CHECK(verify_gemm_worst(v, &case_.call, c2, 0) > 1);
            c2[i * COLS + COLS - 1 - i / 2] = before;
        }
    }
    verify_gemm_free(&v);
    kc_data_free(&data);
    free(c2);
    free(some);
    free(all);
}

static void matvecs(void) {
    struct kc_case s = {.call = {.op = GRETA_OP_MATVEC,
                                 .keys = {GRETA_TYPE_Q4_K, GRETA_TYPE_F32},
                                 .scalars.matvec = {40, 512}}};
    struct ref_output outputs[GRETA_OP_MAX_BINDINGS] = {0};
    struct kc_data data = {0};
    const void *bytes[GRETA_OP_MAX_BINDINGS] = {0};
    float y[40];
    double worst;
    if (!CHECK(kc_data_make(&data, &s, 1))) return;
    for (int i = 0; i < 3; i++) bytes[i] = data.bytes[i];
    CHECK(!ref_run(&s.call, bytes, 0, outputs));
    for (int i = 0; i < 40; i++) y[i] = (float)outputs[2].value[i];
    CHECK(verify_product(&s.call, &data, y, 0, 256, 1, &worst) && worst <= 1);
    y[11] *= 1.001f;
    CHECK(verify_product(&s.call, &data, y, 0, 256, 1, &worst) && worst > 1);
    kc_data_free(&data);
    ref_free(outputs);
}

static void names(void) {
    const char *stands_for;
    struct bench row;
    CHECK(bench_find("gemm", &row) && !bench_find("gem", &row) && !bench_find("gemm_", &row) &&
          !bench_find("", &row));
    CHECK(bench_find("vk_gemm_auto_ts", &row) == bench_find("gemm_auto", &row) &&
          bench_find("vk_gemm_auto_ts_bench", &row) == bench_find("gemm_auto", &row));
    CHECK(bench_find("rms_norm_bench", &row) == bench_find("rms_norm", &row));
    for (uint32_t i = 0; bench_alias(i, &stands_for); i++) CHECK(bench_find(stands_for, &row) != NULL);
    for (uint32_t i = 0; bench_at(i); i++) CHECK(bench_find(bench_at(i)->name, &row) == bench_at(i));
    CHECK(bench_find("gemm_plain", &row) == &row && strcmp(row.rows, "gemm_plain") == 0);
}

int main(void) {
    products();
    pieces();
    matvecs();
    names();
    return check_done();
}
