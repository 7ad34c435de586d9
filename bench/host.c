/* The host's memory, whatever the device is. */
#include "bench.h"
#include "verify.h"

#include "clock.h"
#include "thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BANDWIDTH_BYTES = 256 << 20, LATENCY_BYTES = 128 << 20, LINE = 64, N_STEPS = 1 << 20 };

struct copy {
    char *to, *from;
    unsigned n_threads;
};

static void copy_part(void *user, uint32_t i, unsigned i_thread) {
    struct copy *c = user;
    size_t part = BANDWIDTH_BYTES / c->n_threads / LINE * LINE;
    (void)i_thread;
    memcpy(c->to + i * part, c->from + i * part, part);
}

/* Results go by the device's name, and under an emulated one's there are no times. */
static bool has_no_times(struct bench_env *env, const struct bench *bench, greta_status *status) {
    if (!bench_counts(env)) return false;
    *status = bench_skip(env, bench->name, bench->name,
                         "it is of the host, and the device is emulated: counts, not times");
    return true;
}

static greta_status finish(struct bench_env *env, struct bench_result *r, double *samples, uint32_t n) {
    greta_stats_make(samples, n, &r->time.host);
    r->time.n_calls = 1;
    return bench_add(env, r);
}

/* Bytes read and written by a copy on all threads. */
greta_status bench_membw(struct bench_env *env, const struct bench *bench) {
    enum { N_SAMPLES = 10 };
    greta_status status;
    if (has_no_times(env, bench, &status)) return status;
    struct copy c = {malloc(BANDWIDTH_BYTES), malloc(BANDWIDTH_BYTES), 0};
    struct thread_pool *pool = NULL;
    struct bench_result r = {
        .name = bench->name, .key = "membw_cpu/copy", .check = "bytes", .bytes = 2.0 * BANDWIDTH_BYTES};
    double samples[N_SAMPLES];
    status = c.to && c.from ? thread_pool_create(0, &pool) : GRETA_ERR_NO_MEMORY;
    if (!status) {
        c.n_threads = thread_pool_n_threads(pool);
        for (size_t i = 0; i < BANDWIDTH_BYTES; i++) c.from[i] = (char)(i * 7 >> 3);
        memset(c.to, 0, BANDWIDTH_BYTES);
        for (int i = -1; i < N_SAMPLES; i++) {
            uint64_t start = clock_ns();
            thread_pool_loop(pool, c.n_threads, copy_part, &c);
            if (i >= 0) samples[i] = (double)(clock_ns() - start);
        }
        size_t copied = BANDWIDTH_BYTES / c.n_threads / LINE * LINE * c.n_threads;
        if (memcmp(c.to, c.from, copied) != 0) {
            r.status = BENCH_FAILED;
            r.reason = "the copy differs";
        }
        status = finish(env, &r, samples, N_SAMPLES);
    }
    thread_pool_destroy(&pool);
    free(c.to);
    free(c.from);
    return status;
}

/* A walk through lines in the order of one random cycle (Sattolo): each load waits for the one before. */
greta_status bench_memlat(struct bench_env *env, const struct bench *bench) {
    enum { N_LINES = LATENCY_BYTES / LINE, N_SAMPLES = 5 };
    greta_status status;
    if (has_no_times(env, bench, &status)) return status;
    uint32_t *next = malloc(LATENCY_BYTES), *order = malloc(N_LINES * sizeof *order);
    struct bench_result r = {.name = bench->name, .key = "memlat_cpu/random", .check = "cycle"};
    struct kc_rng rng = {env->params.seed + 1};
    double samples[N_SAMPLES];
    uint32_t at = 0, steps = 0;
    status = next && order ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    for (uint32_t i = 0; !status && i < N_LINES; i++) order[i] = i;
    for (uint32_t i = N_LINES - 1; !status && i > 0; i--) {
        uint32_t j = (uint32_t)(kc_random(&rng) % i), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    for (uint32_t i = 0; !status && i < N_LINES; i++) next[order[i] * (LINE / 4)] = order[(i + 1) % N_LINES];
    for (int s = 0; !status && s < N_SAMPLES; s++) {
        uint64_t start = clock_ns();
        for (uint32_t i = 0; i < N_STEPS; i++) at = next[at * (LINE / 4)];
        samples[s] = (double)(clock_ns() - start) / N_STEPS;
    }
    const uint32_t first = at;
    for (; !status && (!steps || at != first) && steps <= N_LINES; steps++) at = next[at * (LINE / 4)];
    if (!status && steps != N_LINES) {
        r.status = BENCH_FAILED;
        r.reason = "the walk is not one cycle";
    }
    if (!status) status = finish(env, &r, samples, N_SAMPLES);
    free(next);
    free(order);
    return status;
}
