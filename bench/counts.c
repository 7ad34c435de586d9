/*
 * Measuring a call: its time, or, on a device that is a program, what it counts. Such counts are the same in every run and times say
 * nothing, so there one call is enough.
 */
#include "bench.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool bench_counts(const struct bench_env *env) {
    return env->limits->is_emulated;
}

/* ---- counters ---- */

greta_status bench_counters_read(struct greta_dev *dev, struct bench_counters *out) {
    greta_status status = greta_dev_counters(dev, out->at, BENCH_MAX_COUNTERS, &out->n);
    if (out->n > BENCH_MAX_COUNTERS) out->n = BENCH_MAX_COUNTERS;
    return status;
}

/* What did not happen is left out. */
json_t *bench_counters_between(const struct bench_counters *from, const struct bench_counters *to) {
    json_t *counts = json_object();
    for (uint32_t i = 0; i < to->n && i < from->n && counts; i++) {
        uint64_t counted = to->at[i].value - from->at[i].value;
        if (counted) json_object_set_new(counts, to->at[i].name, json_integer((json_int_t)counted));
    }
    return counts;
}

static greta_status count_begin(const struct bench_env *env, struct bench_counters *from) {
    greta_status status = greta_stream_wait(env->stream);
    return status ? status : bench_counters_read(env->dev, from);
}

static greta_status count_end(const struct bench_env *env, const struct bench_counters *from,
                              struct bench_result *r) {
    struct bench_counters to;
    greta_status status = greta_stream_wait(env->stream);
    if (!status) status = bench_counters_read(env->dev, &to);
    if (status) return status;
    json_decref(r->counts);
    r->counts = bench_counters_between(from, &to);
    return r->counts ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}

greta_status bench_count_step(struct bench_env *env, bench_step_fn *step, void *user,
                              struct bench_result *r) {
    struct bench_counters from;
    greta_status status = count_begin(env, &from);
    if (!status) status = step(user);
    return status ? status : count_end(env, &from, r);
}

/* ---- how long a unit of work takes, by row ---- */

double bench_predict_ns(const struct bench_env *env, const char *row, double work) {
    for (uint32_t i = 0; i < env->n_rates; i++)
        if (strcmp(env->rates[i].row, row) == 0) return env->rates[i].ns_per_unit * work;
    return 0;
}

void bench_note_rate(struct bench_env *env, const char *row, double work, double ns) {
    uint32_t i = 0;
    if (!row || work <= 0 || ns <= 0) return;
    while (i < env->n_rates && strcmp(env->rates[i].row, row) != 0) i++;
    if (i == BENCH_MAX_RATES) return;
    if (i == env->n_rates) env->n_rates++;
    env->rates[i] = (struct bench_rate){row, ns / work};
}

const char *bench_seconds(double seconds, char *out, size_t size) {
    if (seconds < 120)
        snprintf(out, size, "%.3g s", seconds);
    else if (seconds < 7200)
        snprintf(out, size, "%.0f min", seconds / 60);
    else
        snprintf(out, size, "%.1f h", seconds / 3600);
    return out;
}

const char *bench_too_slow(const struct bench_env *env, const struct bench_result *r, char *out,
                           size_t size) {
    char call[32], budget[32];
    snprintf(out, size, "one call would take %s%s, the budget is %s",
             bench_counts(env) ? "the emulator " : "",
             bench_seconds(r->predicted_ns * 1e-9, call, sizeof call),
             bench_seconds(bench_budget_s(env), budget, sizeof budget));
    return out;
}

/* ---- a call ---- */

/* One call, waited for: by the host's clock. */
static greta_status one_call(struct bench_env *env, greta_measure_fn *fn, void *user, double *ns) {
    uint64_t start = clock_ns();
    greta_status status = fn(user, env->stream, 0);
    if (!status) status = greta_stream_wait(env->stream);
    *ns = (double)(clock_ns() - start);
    return status;
}

/* Where the samples would not fit into the budget, or take longer than is enough, they are of fewer calls. */
static void shrink(const struct bench_env *env, struct greta_measure_params *p, double ns) {
    double most = bench_enough_s(env) * 1e9, budget = (double)p->budget_ns;
    double calls = (most > 0 && most < budget ? most : budget) / (ns * (p->n_samples ? p->n_samples : 20));
    if (p->n_calls > calls) p->n_calls = calls < 1 ? 1 : (uint32_t)calls;
}

/* A GPU whose clock has fallen is brought back first; then samples that agree are enough of a warm-up. */
static greta_status keep_pace(struct bench_env *env, struct greta_measure_params *p) {
    bool is_gpu = env->limits->timestamp_period_ns > 0 && !env->limits->is_cpu;
    if (!is_gpu || p->min_warm_ns || bench_counts(env) || env->params.check_only) return GRETA_OK;
    p->min_warm_ns = 1;
    return bench_keep_pace(env);
}

greta_status bench_measure(struct bench_env *env, greta_measure_fn *fn, void *user,
                           const struct greta_measure_params *params, struct bench_result *r) {
    struct greta_measure_params p = *params;
    struct bench_counters from;
    double ns;
    greta_status status = bench_counts(env) ? count_begin(env, &from) : keep_pace(env, &p);
    if (!status) status = one_call(env, fn, user, &ns);
    if (!status && bench_counts(env)) status = count_end(env, &from, r);
    if (status) return status;
    r->took_ns = ns;
    if (bench_counts(env) || env->params.check_only) return GRETA_OK;
    if (ns > (double)p.budget_ns) {
        r->predicted_ns = ns;
        return GRETA_ERR_TIMEOUT;
    }
    /* What begins and ends a sample would be a large part of a short one. */
    if (bench_enough_s(env) > 0 && ns * p.n_calls < 1e6) p.n_calls = 0;
    if (p.n_calls > 1) shrink(env, &p, ns);
    status = greta_measure_run(env->dev, env->stream, fn, user, &p, &r->time);
    if (!status) r->took_ns = greta_measure_time(&r->time)->p50;
    return status;
}
