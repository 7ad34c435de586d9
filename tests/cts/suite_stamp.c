/* Suite stamp: the device's time, between commands on a stream and inside graphs. */
#include "cts.h"

#include <time.h>

enum { N = 1 << 16 };

struct work {
    struct greta_buf *x;
    struct greta_module *module;
    struct greta_kernel *kernel;
    struct greta_stamps *stamps;
};

static greta_status work_make(struct cts *t, uint32_t n_stamps, struct work *w) {
    greta_status status = cts_kernel(t->dev, CTS_SPIN, 5, 0, &w->module, &w->kernel);
    if (!status) status = greta_buf_create(t->dev, N * 4, GRETA_MEM_DEVICE, &w->x);
    if (!status) status = greta_stream_fill(t->stream, w->x, 0, N * 4, 3);
    return status ? status : greta_stamps_create(t->dev, n_stamps, &w->stamps);
}

static void work_free(struct work *w) {
    greta_stamps_destroy(&w->stamps);
    greta_module_unload(&w->module);
    greta_buf_destroy(&w->x);
}

static double host_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Ticks from a to b; the clock may have wrapped. */
static uint64_t ticks(const struct cts *t, uint64_t a, uint64_t b) {
    uint32_t bits = t->limits->timestamp_bits;
    return (b - a) & (bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX);
}

/* A stamp, then a kernel and a stamp n times. */
static greta_status stamped(struct cts *t, const struct work *w, uint32_t first, uint32_t n) {
    greta_status status = greta_stream_stamp(t->stream, w->stamps, first);
    for (uint32_t i = 1; i <= n && !status; i++) {
        status = cts_step(t->stream, w->kernel, w->x, 0, N);
        if (!status) status = greta_stream_stamp(t->stream, w->stamps, first + i);
    }
    return status;
}

/* There, in order, and no longer apart than the host's clock says. An emulated clock counts, and not from one zero. */
static void check_order(struct cts *t, const uint64_t *at, uint32_t n, double wall_ns) {
    for (uint32_t i = 0; i <= n; i++) CTS_CHECK(t, at[i] != 0);
    if (t->limits->is_emulated) return;
    for (uint32_t i = 0; i < n; i++)
        CTS_CHECK(t, (double)ticks(t, at[i], at[i + 1]) * t->limits->timestamp_period_ns <= wall_ns);
    double all_ns = (double)ticks(t, at[0], at[n]) * t->limits->timestamp_period_ns;
    CTS_CHECK(t, all_ns > 0 && all_ns <= wall_ns * 1.01 + 1000);
}

static void stamp_order(struct cts *t) {
    enum { STEPS = 3 };
    struct work w = {0};
    uint64_t at[2 * STEPS + 2];
    uint32_t value = 0;
    if (!t->limits->timestamp_bits) CTS_SKIP(t, "the device has no timestamps");
    CTS_OK(t, work_make(t, STEPS + 1, &w));
    for (int round = 0; round < 3; round++) { /* places that were read are empty again */
        CTS_OK(t, greta_stream_wait(t->stream));
        double start = host_ns();
        CTS_OK(t, stamped(t, &w, 0, STEPS));
        CTS_OK(t, greta_stream_wait(t->stream));
        double wall = host_ns() - start;
        CTS_OK(t, greta_stamps_read(w.stamps, 0, STEPS + 1, at));
        check_order(t, at, STEPS, wall);
        CTS_OK(t, greta_stamps_read(w.stamps, 0, STEPS + 1, at));
        for (int i = 0; i <= STEPS; i++) CTS_CHECK(t, at[i] == 0);
    }
    CTS_OK(t, greta_stream_read(t->stream, w.x, 4, &value, 4));
    CTS_CHECK(t, value == cts_stepped(3, 3 * STEPS * 5));
done:
    work_free(&w);
}

/* Each launch writes them, whether somebody read the last ones or not; what the graph does is the same. */
static void stamp_graph(struct cts *t) {
    enum { STEPS = 4, LAUNCHES = 6 };
    struct work w = {0};
    struct greta_graph *graph = NULL;
    uint64_t at[STEPS + 3], last = 0;
    uint32_t value = 0;
    if (!t->limits->timestamp_bits) CTS_SKIP(t, "the device has no timestamps");
    CTS_OK(t, work_make(t, 71 + STEPS, &w)); /* they do not begin at the first place */
    CTS_OK(t, greta_stream_wait(t->stream));
    CTS_OK(t, greta_graph_begin(t->stream));
    CTS_OK(t, stamped(t, &w, 69, STEPS / 2));
    CTS_OK(t, greta_graph_split(t->stream));
    for (uint32_t i = STEPS / 2 + 1; i <= STEPS; i++) {
        CTS_OK(t, cts_step(t->stream, w.kernel, w.x, 0, N));
        CTS_OK(t, greta_stream_stamp(t->stream, w.stamps, 69 + i));
    }
    CTS_OK(t, greta_graph_end(t->stream, &graph));
    for (int l = 0; l < LAUNCHES; l++) {
        double start = host_ns();
        CTS_OK(t, greta_graph_launch(t->stream, graph));
        CTS_OK(t, greta_stream_wait(t->stream));
        double wall = host_ns() - start;
        if (l % 3 == 1) continue; /* not read */
        CTS_OK(t, greta_stamps_read(w.stamps, 68, STEPS + 3, at));
        CTS_CHECK(t, at[0] == 0 && at[STEPS + 2] == 0);
        check_order(t, at + 1, STEPS, wall);
        if (last && !t->limits->is_emulated) CTS_CHECK(t, at[1] != last);
        last = at[1];
    }
    CTS_OK(t, greta_stream_read(t->stream, w.x, 4, &value, 4));
    CTS_CHECK(t, value == cts_stepped(3, LAUNCHES * STEPS * 5));
done:
    greta_graph_destroy(&graph);
    work_free(&w);
}

static void stamp_misuse(struct cts *t) {
    struct greta_stamps *stamps = NULL;
    uint64_t at[4] = {1, 1, 1, 1};
    CTS_STATUS(t, greta_stamps_create(t->dev, 0, &stamps), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_stamp(t->stream, NULL, 0), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stamps_read(NULL, 0, 1, at), GRETA_ERR_INVALID);
    CTS_CHECK(t, at[0] == 0);
    if (!t->limits->timestamp_bits) {
        CTS_STATUS(t, greta_stamps_create(t->dev, 4, &stamps), GRETA_ERR_UNSUPPORTED);
        CTS_CHECK(t, !stamps);
        goto done;
    }
    CTS_CHECK(t, t->limits->timestamp_period_ns > 0 && t->limits->timestamp_bits <= 64);
    CTS_OK(t, greta_stamps_create(t->dev, 4, &stamps));
    CTS_STATUS(t, greta_stream_stamp(t->stream, stamps, 4), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stamps_read(stamps, 1, 4, at), GRETA_ERR_INVALID);
    CTS_OK(t, greta_stamps_read(stamps, 0, 4, at)); /* nothing was written */
    for (int i = 0; i < 4; i++) CTS_CHECK(t, at[i] == 0);
    CTS_OK(t, greta_stream_stamp(t->stream, stamps, 3));
    greta_stamps_destroy(&stamps); /* under way */
    CTS_OK(t, greta_stream_wait(t->stream));
done:
    greta_stamps_destroy(&stamps);
}

const struct cts_test cts_stamp[] = {
    {"stamp.order", stamp_order}, {"stamp.graph", stamp_graph}, {"stamp.misuse", stamp_misuse}, {0}};
