/*
 * The cpu device with an empty kernel of five bindings: what the runtime itself costs, recorded and run at once, and the replay of
 * a graph of 300 of them. Prints the median and the range over the rounds, in ns a dispatch.
 */
#include "dispatch.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_BINDINGS = 5, N_BUFS = 12, N_DISPATCHES = 300, N_ROUNDS = 201 };

static void empty(const struct greta_host_group *group, const void *args) {
    (void)group, (void)args;
}

static const struct greta_host_entry entries[] = {{"empty", empty}};

struct bench {
    struct greta_ctx *ctx;
    struct greta_dev *dev;
    struct greta_stream *stream;
    struct greta_module *module;
    struct greta_kernel *kernel;
    struct greta_buf *bufs[N_BUFS];
    struct greta_graph *graph;
};

/* One step: each dispatch reads what the one before wrote, as a layer does, so that most stand behind a barrier. */
static greta_status record_step(struct bench *b) {
    const uint32_t constants[4] = {1, 2, 3, 4};
    for (int i = 0; i < N_DISPATCHES; i++) {
        struct greta_binding bindings[N_BINDINGS];
        for (int j = 0; j < N_BINDINGS; j++)
            bindings[j] = (struct greta_binding){b->bufs[(i + j) % N_BUFS], 0, 0,
                                                 j == N_BINDINGS - 1 ? GRETA_WRITE : GRETA_READ};
        struct greta_dispatch d = {.kernel = b->kernel,
                                   .groups = {1, 1, 1},
                                   .n_bindings = N_BINDINGS,
                                   .bindings = bindings,
                                   .constants_bytes = sizeof constants,
                                   .constants = constants};
        greta_status status = greta_stream_dispatch(b->stream, &d);
        if (status != GRETA_OK) return status;
    }
    return GRETA_OK;
}

static greta_status launch(struct bench *b) {
    return greta_graph_launch(b->stream, b->graph);
}

static greta_status open(struct bench *b, const struct greta_log *log) {
    struct greta_ctx_params params = {.log = log, .cache_dir = ""};
    struct greta_image image = {GRETA_IMAGE_HOST, entries, sizeof entries, "bench"};
    greta_status status = greta_ctx_create(&params, &b->ctx);
    if (status == GRETA_OK) status = greta_dev_open(b->ctx, "cpu", NULL, &b->dev);
    if (status == GRETA_OK) status = greta_stream_create(b->dev, &b->stream);
    if (status == GRETA_OK) status = greta_module_load(b->dev, &image, &b->module);
    if (status == GRETA_OK) status = greta_kernel_get(b->module, "empty", NULL, 0, &b->kernel);
    for (int i = 0; i < N_BUFS && status == GRETA_OK; i++)
        status = greta_buf_create(b->dev, 4096, GRETA_MEM_DEVICE, &b->bufs[i]);
    if (status == GRETA_OK) status = greta_graph_begin(b->stream);
    if (status == GRETA_OK) status = record_step(b);
    return status == GRETA_OK ? greta_graph_end(b->stream, &b->graph) : status;
}

static void finish(struct bench *b) {
    greta_graph_destroy(&b->graph);
    for (int i = 0; i < N_BUFS; i++) greta_buf_destroy(&b->bufs[i]);
    greta_module_unload(&b->module);
    greta_stream_destroy(&b->stream);
    greta_dev_close(&b->dev);
    greta_ctx_destroy(&b->ctx);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static greta_status measure(struct bench *b, const char *name, greta_status (*step)(struct bench *)) {
    double ns[N_ROUNDS];
    for (int i = 0; i < N_ROUNDS; i++) {
        const uint64_t start = clock_ns();
        greta_status status = step(b);
        if (status == GRETA_OK) status = greta_stream_wait(b->stream);
        if (status != GRETA_OK) return status;
        ns[i] = (double)(clock_ns() - start) / N_DISPATCHES;
    }
    qsort(ns, N_ROUNDS, sizeof *ns, compare);
    printf("%-32s %7.1f ns a dispatch (%.1f to %.1f over %d rounds of %d)\n", name, ns[N_ROUNDS / 2], ns[0],
           ns[N_ROUNDS - 1], N_ROUNDS, N_DISPATCHES);
    return GRETA_OK;
}

greta_status dispatch_measure_empty(const struct greta_log *log) {
    struct bench b = {0};
    greta_status status = open(&b, log);
    if (status == GRETA_OK) status = measure(&b, "dispatch, 5 bindings", record_step);
    if (status == GRETA_OK) status = measure(&b, "graph replay, 5 bindings", launch);
    finish(&b);
    return status;
}
