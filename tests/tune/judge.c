/* What judges the results of large calls: right ones pass, every planted fault is found, wherever it is. */
#include "check.h"

#include "verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_TOK = 70, N_ROWS = 300, N_COLS = 64 };

static float y[N_TOK * N_ROWS], right[N_TOK * N_ROWS];

static double judge(const struct kc_case *c, const struct kc_data *data, uint32_t n_tok) {
    struct kc_judge *j = kc_judge_make(c, data, 1);
    uint8_t *got[GRETA_OP_MAX_BINDINGS] = {NULL};
    double worst = -1;
    got[2] = (uint8_t *)y;
    if (CHECK(j != NULL)) CHECK(!kc_judge_result(j, 0, n_tok, got, &worst));
    kc_judge_free(&j);
    return worst;
}

static void swap_rows(uint32_t a, uint32_t b) {
    for (uint32_t t = 0; t < N_TOK; t++) {
        y[t * N_ROWS + a] = right[t * N_ROWS + b];
        y[t * N_ROWS + b] = right[t * N_ROWS + a];
    }
}

/* Products whose operands repeat: all elements are looked at, with the whole call and with fewer tokens. */
static void products(void) {
    const struct kc_case c = {.call = {.op = GRETA_OP_MATMUL,
                                       .keys = {GRETA_TYPE_F32, GRETA_TYPE_F32},
                                       .scalars.matmul = {N_TOK, N_ROWS, N_COLS}},
                              .w_period = 127,
                              .x_period = 31};
    struct kc_data data;
    if (!CHECK(kc_data_make(&data, &c, 1))) return;
    const float *w = (const float *)(const void *)data.bytes[0],
                *x = (const float *)(const void *)data.bytes[1];
    CHECK(!memcmp(w, w + 127 * N_COLS, 127 * N_COLS * 4) && memcmp(w, w + N_COLS, N_COLS * 4));
    CHECK(!memcmp(x, x + 31 * N_COLS, 31 * N_COLS * 4) && memcmp(x, x + N_COLS, N_COLS * 4));
    for (uint32_t t = 0; t < N_TOK; t++)
        for (uint32_t r = 0; r < N_ROWS; r++) {
            double sum = 0;
            for (uint32_t k = 0; k < N_COLS; k++) sum += (double)w[r * N_COLS + k] * x[t * N_COLS + k];
            right[t * N_ROWS + r] = (float)sum;
        }
#define FAULT(...)                      \
    do {                                \
        memcpy(y, right, sizeof y);     \
        __VA_ARGS__;                    \
        CHECK(judge(&c, &data, 0) > 1); \
    } while (0)
    memcpy(y, right, sizeof y);
    CHECK(judge(&c, &data, 0) <= 1 && judge(&c, &data, 33) <= 1);
    y[33 * N_ROWS] = NAN; /* of a token that was not asked for */
    CHECK(judge(&c, &data, 33) <= 1 && judge(&c, &data, 34) > 1);
    FAULT(y[0] += 0.01f);
    FAULT(y[N_TOK * N_ROWS - 1] = NAN);
    FAULT(y[55 * N_ROWS + 299] *= 1.001f);
    FAULT(swap_rows(3, 4));
    FAULT(swap_rows(290, 291));
    FAULT(swap_rows(16, 80));
    FAULT(memcpy(y + 40 * N_ROWS, right + 41 * N_ROWS, N_ROWS * 4));
    FAULT(memset(y + 69 * N_ROWS, 0, N_ROWS * 4));
    kc_data_free(&data);
}

/* A long prompt: tokens are drawn, the first and the last among them, and all must be numbers. */
static void attention(void) {
    enum { TOKENS = 600, HEADS = 8, DIM = 64, WIDTH = HEADS * DIM };
    const struct kc_case c = {.call = {.op = GRETA_OP_ATTN,
                                       .keys = {GRETA_TYPE_F32, DIM},
                                       .scalars.attn = {TOKENS, HEADS, HEADS, TOKENS, 0, 0.125f, 0}},
                              .step = {0, 0, TOKENS, 0}};
    struct kc_data data;
    struct ref_output outputs[GRETA_OP_MAX_BINDINGS] = {0};
    const void *bytes[GRETA_OP_MAX_BINDINGS];
    float *result = calloc(TOKENS * WIDTH, sizeof *result);
    uint8_t *got[GRETA_OP_MAX_BINDINGS] = {NULL};
    struct kc_judge *j = NULL;
    double worst = -1;
    if (!CHECK(result && kc_data_make(&data, &c, 1))) return;
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) bytes[i] = data.bytes[i];
    CHECK(!ref_run(&c.call, bytes, 0, outputs));
    for (uint32_t i = 0; i < TOKENS * WIDTH; i++) result[i] = (float)outputs[4].value[i];
    j = kc_judge_make(&c, &data, 1);
    got[4] = (uint8_t *)result;
    CHECK(j && !kc_judge_result(j, 0, 0, got, &worst) && worst <= 1);
    float last = result[TOKENS * WIDTH - 1];
    result[TOKENS * WIDTH - 1] += 0.01f;
    CHECK(!kc_judge_result(j, 0, 0, got, &worst) && worst > 1);
    result[TOKENS * WIDTH - 1] = last;
    for (uint32_t t = 0; t < TOKENS; t += 111) {
        float kept = result[t * WIDTH + 5];
        result[t * WIDTH + 5] = NAN;
        CHECK(!kc_judge_result(j, 0, 0, got, &worst) && worst > 1);
        result[t * WIDTH + 5] = kept;
    }
    kc_judge_free(&j);
    ref_free(outputs);
    kc_data_free(&data);
    free(result);
}

int main(void) {
    products();
    attention();
    return check_done();
}
