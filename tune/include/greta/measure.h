/*
 * Measuring: how long calls take on a device, by its own clock and by the host's, and what spread of it is noise. Benches
 * and the tuner share it.
 */
#ifndef GRETA_MEASURE_H
#define GRETA_MEASURE_H

#include <greta/rt.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of samples, in the unit of the samples. Percentiles by linear interpolation between ranks; spread = (p90 - p10) / p50. */
struct greta_stats {
    uint32_t n;
    double mean, p10, p50, p90, p99, min, max, spread;
};
/* Sorts `samples`. n 0 gives zeros. */
GRETA_API void greta_stats_make(double *samples, uint32_t n, struct greta_stats *out);

struct greta_measure_params {
    uint32_t n_samples; /* that count; 0: 20 */
    uint32_t n_calls;   /* of each sample; 0: as many as take about a millisecond, at most 1,000 */
    uint64_t warm_ns; /* at most so long until samples are stable; 0: 300 ms, and no less than min_warm_ns */
    /* At least so long, without a pause: a GPU lowers its clock between short bursts. 0: 250 ms on a GPU, else none. */
    uint64_t min_warm_ns;
    uint64_t budget_ns; /* for all of it: fewer samples are taken where it runs out, at least 3; 0: 3 s */
};

struct greta_measure {
    struct greta_stats device, host; /* ns a call. device: zeros where the device has no clock */
    uint32_t n_calls;                /* of each sample */
    uint32_t n_warm;                 /* samples before those that count */
    bool stable;                     /* the last three before them lay within 3 % */
    bool cut;                        /* the budget ran out before n_samples */
};

/* Records call number i, one dispatch or several. Working sets larger than the last-level cache are the caller's: rotate by i. */
typedef greta_status greta_measure_fn(void *user, struct greta_stream *stream, uint32_t i);

/* One sample at a time, for what interleaves several things to be compared. */
struct greta_timer;
GRETA_API GRETA_MUST_USE greta_status greta_timer_create(struct greta_dev *dev, struct greta_stream *stream,
                                                         struct greta_timer **out);
GRETA_API void greta_timer_destroy(struct greta_timer **timer);
/* n_calls calls, number i_first and those that follow; times of one of them. *device_ns is 0 where the device has no clock. */
GRETA_API GRETA_MUST_USE greta_status greta_timer_sample(struct greta_timer *timer, greta_measure_fn *fn,
                                                         void *user, uint32_t i_first, uint32_t n_calls,
                                                         double *device_ns, double *host_ns);

/* The time that counts: the device's, or the host's where the device has no clock. */
GRETA_API const struct greta_stats *greta_measure_time(const struct greta_measure *m);
/* Fails with what fn or the device fails with; *out is then zero. */
GRETA_API GRETA_MUST_USE greta_status greta_measure_run(struct greta_dev *dev, struct greta_stream *stream,
                                                        greta_measure_fn *fn, void *user,
                                                        const struct greta_measure_params *params,
                                                        struct greta_measure *out);

#ifdef __cplusplus
}
#endif
#endif
