/* When a GPU's clock counts as risen: by made-up blocks of 5 ms, and once on a device. */
#include "pace.h"
#include "bench.h"

#include "check.h"

enum { MS = 1000000 };

static uint64_t now = 1000;

/* Blocks that take `ns` each until the warm-up is over or `ms` have passed; how many milliseconds it was. */
static uint64_t blocks(struct pace *p, double ns, uint64_t ms, bool *over) {
    uint64_t begin = now;
    *over = false;
    while (!*over && now - begin < ms * MS) {
        now += 5 * MS;
        *over = !pace_next(p, ns, now);
    }
    return (now - begin) / MS;
}

static void rises(void) {
    struct pace p = {0};
    bool over;
    /* An idle clock for half a second, a step that holds for a fifth of one, then all of it. */
    pace_begin(&p, now);
    CHECK(blocks(&p, 60, 500, &over) == 500 && !over);
    CHECK(blocks(&p, 25, 200, &over) == 200 && !over);
    CHECK(blocks(&p, 11, 2000, &over) <= 320 && over && p.known && p.best_ns == 11);
    /* A GPU that has kept its clock costs three blocks. */
    pace_begin(&p, now);
    CHECK(blocks(&p, 11.2, 1000, &over) == 15 && over && p.best_ns == 11);
    /* One that has not is waited for; then a row is measured at the old speed. */
    pace_begin(&p, now);
    CHECK(blocks(&p, 15, 300, &over) == 300 && !over);
    CHECK(blocks(&p, 11.1, 1000, &over) == 15 && over);
    /* It is faster than ever: that is the best from now on. */
    pace_begin(&p, now);
    CHECK(blocks(&p, 10, 1000, &over) == 15 && over && p.best_ns == 10);
}

static void never_comes_back(void) {
    struct pace p = {0};
    bool over;
    pace_begin(&p, now);
    CHECK(blocks(&p, 10, 3000, &over) == 600 && over);
    pace_begin(&p, now);
    CHECK(blocks(&p, 13, 3000, &over) == 1000 && over && p.best_ns == 13);
    pace_begin(&p, now);
    CHECK(blocks(&p, 13.1, 3000, &over) == 15 && over);
}

static void never_settles(void) {
    struct pace p = {0};
    uint64_t begin = now;
    bool more = true;
    pace_begin(&p, now);
    for (int i = 0; more; i++) {
        now += 5 * MS;
        more = pace_next(&p, i % 2 ? 10 : 14, now);
    }
    CHECK((now - begin) / MS == 3000 && p.known);
}

/* As for a GPU: the product runs on the cpu, and is measured by the host's clock. */
static void on_a_device(void) {
    struct bench_env env = {0};
    CHECK(!greta_ctx_create(&(struct greta_ctx_params){.cache_dir = ""}, &env.ctx));
    CHECK(!greta_dev_open(env.ctx, "cpu", NULL, &env.dev));
    CHECK(!greta_plan_create(env.dev, NULL, &env.plan) && !greta_stream_create(env.dev, &env.stream));
    env.limits = greta_dev_get_limits(env.dev);
    CHECK(!bench_keep_pace(&env) && env.pace);
    CHECK(!bench_keep_pace(&env));
    bench_pace_free(&env);
    CHECK(!env.pace);
    greta_stream_destroy(&env.stream);
    greta_plan_destroy(&env.plan);
    greta_dev_close(&env.dev);
    greta_ctx_destroy(&env.ctx);
}

int main(void) {
    rises();
    never_comes_back();
    never_settles();
    on_a_device();
    return check_done();
}
