/*
 * The benches themselves, on the cpu device: a product whose operand is taken for its transpose is FAILED, by the reference and by
 * Freivalds' test, and so is a wrong factor of a softmax; the same calls unharmed are OK.
 */
#include "bench.h"

#include "check.h"

#include <string.h>

static struct bench_env env;
static struct results results;

static void transpose(struct greta_call *call) {
    if (call->op == GRETA_OP_GEMM) call->keys[2] = !call->keys[2];
}
static void other_factor(struct greta_call *call) {
    if (call->op == GRETA_OP_SOFTMAX) call->scalars.softmax.scale *= 1.01f;
}

/* How many results of the bench have the status, and that none has another. */
static uint32_t only(const char *name, enum bench_status status) {
    CHECK(!results_create(env.dev, 1, NULL, &results));
    env.results = &results;
    struct bench row;
    const struct bench *b = bench_find(name, &row);
    CHECK(b && b->run(&env, b) == GRETA_OK);
    uint32_t n = results_count(&results, status);
    CHECK(n ==
          json_array_size(json_object_get(results.root, "results")) - results_count(&results, BENCH_SKIPPED));
    results_free(&results);
    return n;
}

static bool checked_by(const char *how) {
    json_t *first = json_array_get(json_object_get(results.root, "results"), 0);
    const char *text = json_string_value(json_object_get(json_object_get(first, "check"), "how"));
    return text && strcmp(text, how) == 0;
}

static void products(uint32_t size, const char *how) {
    env.params.m = env.params.n = env.params.k = size;
    env.plant = NULL;
    uint32_t n = only("gemm_auto", BENCH_OK);
    CHECK(n >= 3);
    env.plant = transpose;
    CHECK(only("gemm_auto", BENCH_FAILED) == n);
    struct bench row;
    CHECK(!results_create(env.dev, 1, NULL, &results) &&
          bench_find("gemm_auto", &row)->run(&env, bench_find("gemm_auto", &row)) == GRETA_OK);
    CHECK(checked_by(how));
    results_free(&results);
}

int main(void) {
    CHECK(!greta_ctx_create(&(struct greta_ctx_params){.cache_dir = ""}, &env.ctx));
    CHECK(!greta_dev_open(env.ctx, "cpu", NULL, &env.dev));
    CHECK(!greta_plan_create(env.dev, NULL, &env.plan) && !greta_stream_create(env.dev, &env.stream));
    env.limits = greta_dev_get_limits(env.dev);
    env.params = (struct bench_params){.check_only = true, .seed = 1, .own_sizes = true, .budget_s = 100};
    products(128, "reference");
    products(520, "freivalds + 256 rows");
    env.plant = NULL;
    CHECK(only("softmax", BENCH_OK) >= 2);
    env.plant = other_factor;
    CHECK(only("softmax", BENCH_FAILED) >= 2);
    greta_stream_destroy(&env.stream);
    greta_plan_destroy(&env.plan);
    greta_dev_close(&env.dev);
    greta_ctx_destroy(&env.ctx);
    return check_done();
}
