#include <greta/measure.h>

#include "clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SAMPLES = 10000, MAX_CALLS = 1000, N_STABLE = 3 };

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const double *sorted, uint32_t n, double p) {
    double at = p * (n - 1);
    uint32_t i = (uint32_t)at;
    return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

void greta_stats_make(double *samples, uint32_t n, struct greta_stats *out) {
    double sum = 0;
    *out = (struct greta_stats){.n = n};
    if (!n) return;
    qsort(samples, n, sizeof *samples, ascending);
    for (uint32_t i = 0; i < n; i++) sum += samples[i];
    out->mean = sum / n;
    out->p10 = percentile(samples, n, 0.1);
    out->p50 = percentile(samples, n, 0.5);
    out->p90 = percentile(samples, n, 0.9);
    out->p99 = percentile(samples, n, 0.99);
    out->min = samples[0];
    out->max = samples[n - 1];
    out->spread = out->p50 > 0 ? (out->p90 - out->p10) / out->p50 : 0;
}

const struct greta_stats *greta_measure_time(const struct greta_measure *m) {
    return m->device.n ? &m->device : &m->host;
}

struct greta_timer {
    struct greta_stream *stream;
    struct greta_event *from, *to;
    bool has_clock;
};

greta_status greta_timer_create(struct greta_dev *dev, struct greta_stream *stream,
                                struct greta_timer **out) {
    struct greta_timer *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) return GRETA_ERR_NO_MEMORY;
    t->stream = stream;
    t->has_clock = greta_dev_get_limits(dev)->timestamp_period_ns > 0;
    greta_status status = greta_event_create(dev, &t->from);
    if (!status) status = greta_event_create(dev, &t->to);
    if (status) greta_timer_destroy(&t);
    *out = t;
    return status;
}

void greta_timer_destroy(struct greta_timer **timer) {
    struct greta_timer *t = *timer;
    if (!t) return;
    greta_event_destroy(&t->from);
    greta_event_destroy(&t->to);
    free(t);
    *timer = NULL;
}

greta_status greta_timer_sample(struct greta_timer *t, greta_measure_fn *fn, void *user, uint32_t i_first,
                                uint32_t n_calls, double *device_ns, double *host_ns) {
    uint64_t start = clock_ns(), elapsed = 0;
    greta_status status = greta_event_record(t->from, t->stream);
    for (uint32_t i = 0; !status && i < n_calls; i++) status = fn(user, t->stream, i_first + i);
    if (!status) status = greta_event_record(t->to, t->stream);
    if (!status) status = greta_stream_wait(t->stream);
    *host_ns = (double)(clock_ns() - start) / n_calls;
    if (!status && t->has_clock) status = greta_event_elapsed(t->from, t->to, &elapsed);
    *device_ns = (double)elapsed / n_calls;
    return status;
}

struct run {
    struct greta_timer *timer;
    greta_measure_fn *fn;
    void *user;
    uint32_t n_calls, i_call;
};

static greta_status sample(struct run *r, double *device_ns, double *host_ns) {
    uint32_t first = r->i_call;
    r->i_call += r->n_calls;
    return greta_timer_sample(r->timer, r->fn, r->user, first, r->n_calls, device_ns, host_ns);
}

static bool within(const double *last, double part) {
    double low = fmin(last[0], fmin(last[1], last[2])), high = fmax(last[0], fmax(last[1], last[2]));
    return high - low <= part * high;
}

/* Until three samples agree or the time for it is over; finds n_calls on the way where it was not given. */
static greta_status warm_up(struct run *r, uint32_t n_calls, uint64_t min_ns, uint64_t max_ns,
                            struct greta_measure *out) {
    uint64_t start = clock_ns(), passed;
    double last[N_STABLE] = {0}, device, host;
    greta_status status;
    do {
        status = sample(r, &device, &host);
        if (status) return status;
        double ns = device > 0 ? device : host;
        last[out->n_warm++ % N_STABLE] = ns;
        if (!n_calls && out->n_warm > 1) { /* the first one builds kernels */
            double wanted = 1e6 / fmax(ns, 1);
            r->n_calls = wanted < 1 ? 1 : wanted > MAX_CALLS ? MAX_CALLS : (uint32_t)wanted;
        }
        passed = clock_ns() - start;
        out->stable = passed >= min_ns && out->n_warm > N_STABLE + 1 && within(last, 0.03);
    } while (!out->stable && out->n_warm < MAX_SAMPLES &&
             (passed < min_ns || passed < max_ns || out->n_warm < 2));
    return GRETA_OK;
}

/* Whether its clock follows the load. */
static bool is_gpu(const struct greta_limits *limits) {
    return limits->timestamp_period_ns > 0 && !limits->is_cpu && !limits->is_emulated;
}

static greta_status measure(struct run *r, uint32_t n_samples, uint64_t end_ns, double *device, double *host,
                            struct greta_measure *out) {
    uint32_t n = 0;
    for (; n < n_samples; n++) {
        out->cut = n >= 3 && clock_ns() > end_ns;
        if (out->cut) break;
        greta_status status = sample(r, &device[n], &host[n]);
        if (status) return status;
    }
    greta_stats_make(host, n, &out->host);
    if (r->timer->has_clock) greta_stats_make(device, n, &out->device);
    /* A clock that stands still is none. */
    if (out->device.max <= 0) memset(&out->device, 0, sizeof out->device);
    out->n_calls = r->n_calls;
    return GRETA_OK;
}

greta_status greta_measure_run(struct greta_dev *dev, struct greta_stream *stream, greta_measure_fn *fn,
                               void *user, const struct greta_measure_params *params,
                               struct greta_measure *out) {
    static const struct greta_measure_params defaults = {0};
    const struct greta_measure_params *p = params ? params : &defaults;
    uint32_t n_samples = p->n_samples ? p->n_samples : 20;
    uint64_t end_ns = clock_ns() + (p->budget_ns ? p->budget_ns : UINT64_C(3000000000));
    struct run r = {.fn = fn, .user = user, .n_calls = p->n_calls ? p->n_calls : 1};
    if (n_samples > MAX_SAMPLES) n_samples = MAX_SAMPLES;
    *out = (struct greta_measure){0};
    const struct greta_limits *limits = greta_dev_get_limits(dev);
    uint64_t max_warm_ns = p->warm_ns ? p->warm_ns : UINT64_C(300000000);
    uint64_t min_warm_ns = p->min_warm_ns ? p->min_warm_ns : is_gpu(limits) ? UINT64_C(250000000) : 0;

    double *samples = calloc(2 * (size_t)n_samples, sizeof *samples);
    greta_status status = samples ? greta_timer_create(dev, stream, &r.timer) : GRETA_ERR_NO_MEMORY;
    if (!status) status = warm_up(&r, p->n_calls, min_warm_ns, max_warm_ns, out);
    if (!status) status = measure(&r, n_samples, end_ns, samples, samples + n_samples, out);
    if (status) *out = (struct greta_measure){0};
    greta_timer_destroy(&r.timer);
    free(samples);
    return status;
}
