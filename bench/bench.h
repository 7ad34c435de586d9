/*
 * The benches of `greta bench`: a table of names, each a function that measures something on a device, checks what came out,
 * and adds results. docs/en/benchmarks.md says what each does.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "results.h"

#include <greta/kernels.h>

struct bench_pace;
struct bench_vendor;
struct kc_case;
struct kc_data;

/* Sizes and counts by name; what a user gives goes before the preset's. */
enum preset { PRESET_SMOKE, PRESET_VERIFY, PRESET_STANDARD, PRESET_PERF, N_PRESETS };
const char *preset_name(enum preset p);

struct bench_params {
    enum preset preset;
    uint32_t m, n, k, rows, cols; /* 0: the preset's */
    uint32_t iters, batch;        /* samples, calls of each; 0: the preset's */
    uint64_t seed;
    double budget_s;   /* of one row; 0: the preset's */
    const char *row;   /* only rows whose name holds this; NULL: all */
    bool compute_only; /* no transfers in what is measured as a whole */
    bool check_only;   /* run once and check; no times */
    bool own_sizes;    /* no preset was named: defaults are of single benches */
};

/* How long a row took for a unit of work, a product of sums or else a byte: what larger cases are predicted by. */
enum { BENCH_MAX_RATES = 256 };
struct bench_rate {
    const char *row;
    double ns_per_unit;
};

struct bench_env {
    struct greta_ctx *ctx;
    struct greta_dev *dev;
    struct greta_plan *plan;
    struct greta_stream *stream;
    const struct greta_limits *limits;
    const struct greta_log *log;
    struct bench_params params;
    struct results *results;
    /* Told each result as it comes; false stops. */
    bool (*tell)(void *user, const struct bench_result *result);
    void *user;
    void (*plant)(
        struct greta_call *call); /* for tests: makes a call of an op wrong as it is recorded; NULL */
    struct bench_vendor *vendor;  /* whose products stand beside ours, while it is open */
    struct bench_pace *pace;      /* of a GPU's clock (pace.c); NULL until it is needed */
    struct bench_rate rates[BENCH_MAX_RATES];
    uint32_t n_rates;
};

/* One name; `text` says what it measures. Returns what stopped it: a device that is lost, memory; a result that is wrong stops nothing. */
struct bench {
    const char *name, *text;
    greta_status (*run)(struct bench_env *env, const struct bench *bench);
    uint32_t op; /* of benches of one op: enum greta_op */
    const char *
        rows; /* of those: only rows whose name begins with one of these words, or is one that ends with $; NULL: all */
    uint32_t presets; /* bits 1 << PRESET_*: of which it is a part */
};
const struct bench *bench_at(uint32_t i); /* NULL past the last */
/*
 * By name or by an older name ("vk_gemm_tiled_ts_bench"), of the table; or by the name of a kernel's row: then *row is filled and
 * returned, which points into `name`. NULL where there is none.
 */
const struct bench *bench_find(const char *name, struct bench *row);
/* The options given that have no effect on the bench, "--m, --k"; "" where there are none. A bench of NULL has a use for none of them. */
const char *bench_unused(const struct bench *bench, const struct bench_params *given, char *out, size_t size);
/* The i-th older name and what it stands for; NULL past the last. */
const char *bench_alias(uint32_t i, const char **stands_for);

/* A row of the device's own, with the time budget of a preset. */
double bench_budget_s(const struct bench_env *env);
struct greta_measure_params bench_measure_params(const struct bench_env *env, uint32_t iters, uint32_t batch);

/* What the samples of a preset's row may take, where fewer calls make them shorter; 0: all of the budget. */
double bench_enough_s(const struct bench_env *env);

/* Adds the result and tells it. `key` is the bench's name and what follows, by printf. */
greta_status bench_add(struct bench_env *env, struct bench_result *result);
greta_status bench_skip(struct bench_env *env, const char *name, const char *key, const char *reason);

/* ---- counts.c: the time of a call, or its counts ---- */

enum { BENCH_MAX_COUNTERS = 64 };
struct bench_counters {
    struct greta_counter at[BENCH_MAX_COUNTERS];
    uint32_t n;
};
/* Whether counts stand in place of times: the device is a program. */
bool bench_counts(const struct bench_env *env);
GRETA_MUST_USE greta_status bench_counters_read(struct greta_dev *dev, struct bench_counters *out);
/* {"instructions": ...}, without what is 0; NULL where memory is out. */
json_t *bench_counters_between(const struct bench_counters *from, const struct bench_counters *to);

/*
 * Fills r->time by greta_measure_run, with fewer calls a sample where the budget asks for it; or, of an emulated device, r->counts, those
 * of one call. Where one call alone passes the budget: ERR_TIMEOUT, with r->predicted_ns. r->took_ns is one call's time by either clock, also of an emulated device, where it is kept for predictions only.
 */
GRETA_MUST_USE greta_status bench_measure(struct bench_env *env, greta_measure_fn *fn, void *user,
                                          const struct greta_measure_params *params, struct bench_result *r);
/* The counts of one step. */
typedef greta_status bench_step_fn(void *user);
GRETA_MUST_USE greta_status bench_count_step(struct bench_env *env, bench_step_fn *step, void *user,
                                             struct bench_result *r);
/* "1.98 s", "33 min", "5.2 h" */
const char *bench_seconds(double seconds, char *out, size_t size);
/* 0: the row was not measured yet. `row` is a row's own name. */
const char *bench_too_slow(const struct bench_env *env, const struct bench_result *r, char *out, size_t size);
double bench_predict_ns(const struct bench_env *env, const char *row, double work);
void bench_note_rate(struct bench_env *env, const char *row, double work, double ns);

/* ---- pace.c: a GPU's clock ---- */

/* Work until the GPU is as fast as it was at best in this run, or no longer rises (pace.h). */
GRETA_MUST_USE greta_status bench_keep_pace(struct bench_env *env);
void bench_pace_free(struct bench_env *env);

/* ---- op.c: calls of the kernels' ops ---- */

/* What a call moves and makes at least. */
void bench_work(const struct greta_call *call, const uint32_t step[4], double *bytes, double *flops);
/*
 * Measures a call by every row of the device that serves it (and that `rows` and params.row let through), each checked against the
 * reference, and by the plan's own choice ("auto"). `key` names the shape: "gemm/f16/m128/n128/k128/row-row".
 */
greta_status bench_call(struct bench_env *env, const struct bench *bench, const char *key,
                        const struct kc_case *c);

/* runtime.c: the speed of copying by a kernel; a part of the roof. */
greta_status bench_copy_kernel(struct bench_env *env);

/* ---- the benches, by file ---- */
typedef greta_status bench_fn(struct bench_env *env, const struct bench *bench);
bench_fn bench_gemm, bench_gemm_runtime_smoke, bench_ultrasafe, bench_fills_and_copies, bench_default_rows,
    bench_primitives, bench_rows, bench_mask, bench_elements, bench_rope, bench_kv, bench_attn, bench_matvec,
    bench_block, bench_roof; /* ops.c */
bench_fn bench_smoke, bench_fill, bench_noop, bench_vector_add, bench_alloc, bench_stream, bench_dispatch,
    bench_telemetry, bench_copies;  /* runtime.c */
bench_fn bench_membw, bench_memlat; /* host.c */

#endif
