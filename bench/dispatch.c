/*
 * What handing small kernels to a device costs: by rt, by the device's native calls, and by the peer's library, in one run.
 * Every round takes each way once, in an order that moves on by one, so that what drifts on the machine meets them alike.
 */
#include "dispatch.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: bench-dispatch [-d DEVICE] [-n DISPATCHES] [--rounds ROUNDS] [--peer FOLDER]\n"
    "\n"
    "Steps of DISPATCHES kernels of one group (256 floats times -1), each of which reads what the one before "
    "wrote, so that a\n"
    "barrier stands between them; and the same without a barrier. For each way of doing it, in ns a "
    "dispatch:\n"
    "  host    the caller's time until all is recorded and handed over: checks, recording, barriers, "
    "submits\n"
    "  whole   until the device is known to be done: host, what of the device's time is left then, and the "
    "wait\n"
    "  device  between two timestamps on the device around a step, in rounds of their own\n"
    "and the median of whole beside the first line's, round by round. All are medians, with the 10th and "
    "90th percentile.\n"
    "\n"
    "  -d DEVICE        as greta names it; without it: the cpu device with an empty kernel\n"
    "  -n DISPATCHES    of a step; 200\n"
    "  --rounds ROUNDS  51\n"
    "  --peer FOLDER    where libggml-base.so.0 lies, and libggml-vulkan.so there or in ggml/; also "
    "$GGML_LIBRARIES\n";

enum { HOST, WHOLE, DEVICE, N_METRICS };

struct options {
    const char *device, *peer_dir;
    uint32_t n, n_rounds;
};

struct run {
    struct options options;
    struct dispatch_params params; /* the ways keep it */
    struct dispatch_way ways[DISPATCH_MAX_WAYS];
    uint32_t n_ways;
    double *ns[DISPATCH_MAX_WAYS][DISPATCH_N_KINDS][N_METRICS];
};

static void say(void *user, enum greta_log_level level, const char *message) {
    (void)user, (void)level;
    fprintf(stderr, "%s\n", message);
}

static const struct greta_log log_to_stderr = {.fn = say, .max_level = GRETA_LOG_WARN};

/* ---- right? ---- */

static bool values_are_right(const float *x, uint32_t n, enum dispatch_kind kind) {
    for (uint32_t i = 0; i <= n; i++) {
        bool negative = kind == DISPATCH_CHAIN ? i % 2 : i > 0;
        for (int j = 0; j < DISPATCH_FLOATS; j++)
            if (x[(size_t)i * DISPATCH_FLOATS + j] != (float)(negative ? -1 - j : 1 + j)) return false;
    }
    return true;
}

static greta_status check(const struct run *run, const struct dispatch_way *way, enum dispatch_kind kind) {
    const uint32_t n = run->options.n;
    float *x = calloc((size_t)n + 1, DISPATCH_BYTES);
    greta_status status = x ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    for (int j = 0; j < DISPATCH_FLOATS && x; j++) x[j] = (float)(1 + j);
    if (!status) status = way->write(way->state, x);
    if (!status) status = way->start(way->state, kind);
    if (!status) status = way->wait(way->state);
    if (!status) status = way->read(way->state, kind, x);
    if (!status && !values_are_right(x, n, kind))
        status = greta_fail(&log_to_stderr, GRETA_ERR_INTERNAL, "%s: the values are wrong", way->name);
    free(x);
    return status;
}

/* ---- measuring ---- */

static greta_status measure_one(struct run *run, uint32_t i_way, enum dispatch_kind kind, uint32_t round) {
    const struct dispatch_way *way = &run->ways[i_way];
    const double n = run->options.n;
    double device = 0;
    /* One step that does not count: the ways have a device's context each, and a change of contexts takes 150 us on an H200. */
    greta_status status = way->start(way->state, kind);
    if (!status) status = way->wait(way->state);
    if (status) return status;
    uint64_t begin = clock_ns();
    status = way->start(way->state, kind);
    uint64_t started = clock_ns();
    if (!status) status = way->wait(way->state);
    uint64_t end = clock_ns();
    if (!status && way->device_ns) status = way->device_ns(way->state, kind, &device);
    run->ns[i_way][kind][HOST][round] = (double)(started - begin) / n;
    run->ns[i_way][kind][WHOLE][round] = (double)(end - begin) / n;
    run->ns[i_way][kind][DEVICE][round] = device / n;
    return status;
}

static greta_status measure(struct run *run) {
    enum { N_WARM = 3 };
    greta_status status = GRETA_OK;
    for (uint32_t i = 0; i < run->n_ways && !status; i++)
        for (int kind = 0; kind < DISPATCH_N_KINDS && !status; kind++)
            status = check(run, &run->ways[i], (enum dispatch_kind)kind);
    for (uint32_t r = 0; r < N_WARM + run->options.n_rounds && !status; r++)
        for (uint32_t i = 0; i < run->n_ways && !status; i++)
            for (int kind = 0; kind < DISPATCH_N_KINDS && !status; kind++)
                status = measure_one(run, (i + r) % run->n_ways, (enum dispatch_kind)kind,
                                     r < N_WARM ? 0 : r - N_WARM);
    return status;
}

/* ---- telling ---- */

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell_samples(double *x, uint32_t n, int digits) {
    char text[64];
    qsort(x, n, sizeof *x, compare);
    snprintf(text, sizeof text, "%.*f (%.*f to %.*f)", digits, x[n / 2], digits, x[n / 10], digits,
             x[n - 1 - n / 10]);
    printf("  %-22s", text);
}

/* Of each round, how much longer than the first way: rounds are pairs. Call it before the samples are sorted. */
static double *ratios(const struct run *run, uint32_t i_way, enum dispatch_kind kind, int metric) {
    const double *ns = run->ns[i_way][kind][metric], *first = run->ns[0][kind][metric];
    double *ratio = calloc(run->options.n_rounds, sizeof *ratio);
    for (uint32_t r = 0; r < run->options.n_rounds && ratio; r++) ratio[r] = ns[r] / first[r];
    return ratio;
}

static void tell_kind(struct run *run, enum dispatch_kind kind) {
    const uint32_t n = run->options.n_rounds;
    double *ratio[DISPATCH_MAX_WAYS][2];
    printf("\n%-20s  %-22s  %-22s  %-22s  %-22s  %s\n",
           kind == DISPATCH_CHAIN ? "each behind a barrier" : "without barriers", "host, ns a dispatch",
           "whole, ns a dispatch", "device, ns a dispatch", "host beside the first",
           "whole beside the first");
    for (uint32_t i = 0; i < run->n_ways; i++)
        for (int metric = HOST; metric <= WHOLE; metric++) ratio[i][metric] = ratios(run, i, kind, metric);
    for (uint32_t i = 0; i < run->n_ways; i++) {
        printf("%-20s", run->ways[i].name);
        for (int metric = 0; metric < N_METRICS; metric++)
            if (metric == DEVICE && !run->ways[i].device_ns)
                printf("  %-22s", "not asked");
            else
                tell_samples(run->ns[i][kind][metric], n, 0);
        for (int metric = HOST; metric <= WHOLE; metric++) {
            if (ratio[i][metric]) tell_samples(ratio[i][metric], n, 2);
            free(ratio[i][metric]);
        }
        printf("\n");
    }
}

/* ---- opening ---- */

#ifndef DISPATCH_WITH_RAW
greta_status dispatch_open_raw(const struct dispatch_params *params, uint32_t *i_device,
                               struct dispatch_way *ways, uint32_t *n_ways) {
    (void)params, (void)i_device, (void)ways, (void)n_ways;
    return GRETA_ERR_UNAVAILABLE;
}

greta_status dispatch_open_peer(const struct dispatch_params *params, uint32_t i_device,
                                struct dispatch_way *ways, uint32_t *n_ways) {
    (void)params, (void)i_device, (void)ways, (void)n_ways;
    return GRETA_ERR_UNAVAILABLE;
}
#endif

static greta_status open_ways(struct run *run, struct greta_dev *dev) {
    const struct greta_dev_info *info = greta_dev_get_info(dev);
    uint32_t i_device = 0;
    run->params = (struct dispatch_params){&log_to_stderr, info, run->options.n, run->options.peer_dir};
    greta_status status = dispatch_open_rt(&run->params, dev, run->ways, &run->n_ways);
    if (status) return status;
    if (greta_dev_get_image_format(dev) != GRETA_IMAGE_SPIRV) {
        printf("native calls and the peer: not on this device\n");
        return GRETA_OK;
    }
    status = dispatch_open_raw(&run->params, &i_device, run->ways, &run->n_ways);
    if (status) printf("native calls: %s\n", greta_status_text(status));
    if (status || !run->params.peer_dir) {
        printf("the peer: none; name the folder of its libraries by --peer\n");
        return GRETA_OK;
    }
    status = dispatch_open_peer(&run->params, i_device, run->ways, &run->n_ways);
    if (status)
        printf("the peer: its libraries do not open from %s: %s\n", run->params.peer_dir,
               greta_status_text(status));
    return GRETA_OK;
}

static greta_status compare_ways(struct run *run) {
    struct greta_ctx_params params = {.log = &log_to_stderr};
    struct greta_ctx *ctx = NULL;
    struct greta_dev *dev = NULL;
    greta_status status = greta_ctx_create(&params, &ctx);
    if (!status) status = greta_dev_open(ctx, run->options.device, NULL, &dev);
    if (!status) {
        const struct greta_dev_info *info = greta_dev_get_info(dev);
        printf("%s:%u  %s  %s\n", info->backend, info->i_device, info->name, info->driver);
        printf("steps of %u dispatches, %u rounds; median (10th to 90th percentile)\n", run->options.n,
               run->options.n_rounds);
        status = open_ways(run, dev);
    }
    for (uint32_t i = 0; i < run->n_ways && !status; i++)
        for (int j = 0; j < DISPATCH_N_KINDS * N_METRICS && !status; j++) {
            double **ns = &run->ns[i][j / N_METRICS][j % N_METRICS];
            *ns = calloc(run->options.n_rounds, sizeof **ns);
            if (!*ns) status = GRETA_ERR_NO_MEMORY;
        }
    if (!status) status = measure(run);
    for (int kind = 0; kind < DISPATCH_N_KINDS && !status; kind++) tell_kind(run, (enum dispatch_kind)kind);
    for (uint32_t i = 0; i < run->n_ways; i++) {
        if (run->ways[i].close) run->ways[i].close(run->ways[i].state);
        for (int j = 0; j < DISPATCH_N_KINDS * N_METRICS; j++) free(run->ns[i][j / N_METRICS][j % N_METRICS]);
    }
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    return status;
}

static bool number(const char *text, uint32_t *out) {
    char *end = NULL;
    unsigned long value = text ? strtoul(text, &end, 10) : 0;
    *out = (uint32_t)value;
    return text && *text && !*end && value > 0 && value <= 100000;
}

static bool parse(int argc, char **argv, struct options *o) {
    *o = (struct options){.peer_dir = getenv("GGML_LIBRARIES"), .n = 200, .n_rounds = 51};
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argv[i], "-d") && value)
            o->device = value;
        else if (!strcmp(argv[i], "--peer") && value)
            o->peer_dir = value;
        else if (!strcmp(argv[i], "-n") && number(value, &o->n))
            continue;
        else if (!strcmp(argv[i], "--rounds") && number(value, &o->n_rounds))
            continue;
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv) {
    struct run run = {0};
    if (argc == 2 && !strcmp(argv[1], "--help")) {
        fputs(help, stdout);
        return 0;
    }
    if (!parse(argc, argv, &run.options)) {
        fputs(help, stderr);
        return 2;
    }
    return (run.options.device ? compare_ways(&run) : dispatch_measure_empty(&log_to_stderr)) != GRETA_OK;
}
