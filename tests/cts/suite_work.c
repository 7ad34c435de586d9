/* Suites stream, event, dispatch. */
#include "cts.h"

/* ---- dispatch ---- */

static void dispatch_axpy(struct cts *t) {
    enum { N = 10007 };
    static float x[N], y[N], z[N];
    struct greta_buf *bufs[3] = {0};
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    CTS_OK(t, cts_kernel(t->dev, CTS_AXPY, 0, 0, &module, &kernel));
    for (int i = 0; i < N; i++) x[i] = (float)i, y[i] = (float)(i % 100);
    for (int i = 0; i < 3; i++) CTS_OK(t, greta_buf_create(t->dev, sizeof x, GRETA_MEM_DEVICE, &bufs[i]));
    CTS_OK(t, greta_stream_write(t->stream, bufs[0], 0, x, sizeof x));
    CTS_OK(t, greta_stream_write(t->stream, bufs[1], 0, y, sizeof y));
    CTS_OK(t, cts_axpy(t->stream, kernel, bufs[0], bufs[1], bufs[2], N, 3.0f));
    CTS_OK(t, greta_stream_read(t->stream, bufs[2], 0, z, sizeof z));
    for (int i = 0; i < N; i++)
        if (!CTS_CHECK(t, z[i] == (float)(i + 3 * (i % 100)))) break;
done:
    for (int i = 0; i < 3; i++) greta_buf_destroy(&bufs[i]);
    greta_module_unload(&module);
}

static void dispatch_group_ids(struct cts *t) { /* every group of a 3-dimensional grid runs once */
    static const uint32_t grids[][3] = {{1, 1, 1}, {7, 5, 3}, {65535, 1, 1}, {1, 300, 2}};
    struct greta_buf *y = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    enum { MAX = 65536 };
    uint32_t *out = malloc(MAX * 4);
    CTS_NEED(t, out);
    CTS_OK(t, cts_kernel(t->dev, CTS_IDS, 0, 0, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, MAX * 4, GRETA_MEM_DEVICE, &y));
    for (size_t g = 0; g < sizeof grids / sizeof *grids; g++) {
        uint32_t n = grids[g][0] * grids[g][1] * grids[g][2];
        const struct greta_binding b = {y, 0, 0, GRETA_READ_WRITE};
        struct greta_dispatch d = {
            .kernel = kernel, .n_bindings = 1, .bindings = &b, .constants = &n, .constants_bytes = 4};
        memcpy(d.groups, grids[g], sizeof d.groups);
        CTS_OK(t, greta_stream_fill(t->stream, y, 0, MAX * 4, 100));
        CTS_OK(t, greta_stream_dispatch(t->stream, &d));
        CTS_OK(t, greta_stream_read(t->stream, y, 0, out, MAX * 4));
        for (uint32_t i = 0; i < MAX; i++)
            if (!CTS_CHECK(t, out[i] == (i < n ? 101 + i : 100))) break;
    }
done:
    free(out);
    greta_buf_destroy(&y);
    greta_module_unload(&module);
}

static void dispatch_nine_bindings(struct cts *t) {
    if (t->limits->max_bindings < 9 || t->limits->max_args_bytes < 76)
        CTS_SKIP(t, "the device takes fewer than 9 bindings");
    enum { N = 333 };
    struct greta_buf *bufs[9] = {0};
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    struct greta_binding b[9];
    uint32_t data[N], out[N], sums[N] = {0}, n = N;
    CTS_OK(t, cts_kernel(t->dev, CTS_SUM8, 0, 0, &module, &kernel));
    for (uint32_t i = 0; i < 9; i++) {
        CTS_OK(t, greta_buf_create(t->dev, N * 4 + 256, GRETA_MEM_DEVICE, &bufs[i]));
        b[i] = (struct greta_binding){bufs[i], i * 16, N * 4,
                                      i < 8 ? GRETA_READ : GRETA_WRITE}; /* at offsets of their own */
        cts_pattern(data, N, i);
        for (uint32_t k = 0; i < 8 && k < N; k++) sums[k] += data[k];
        CTS_OK(t, greta_stream_write(t->stream, bufs[i], i * 16, data, sizeof data));
    }
    CTS_OK(t, greta_stream_dispatch(t->stream, &(struct greta_dispatch){.kernel = kernel,
                                                                        .groups = {(N + 63) / 64, 1, 1},
                                                                        .n_bindings = 9,
                                                                        .bindings = b,
                                                                        .constants = &n,
                                                                        .constants_bytes = 4}));
    CTS_OK(t, greta_stream_read(t->stream, bufs[8], 8 * 16, out, sizeof out));
    CTS_CHECK(t, !memcmp(out, sums, sizeof out));
done:
    for (int i = 0; i < 9; i++) greta_buf_destroy(&bufs[i]);
    greta_module_unload(&module);
}

/* Read after write, write after read, write after write, over whole buffers and over parts that overlap by
 * one word. */
static void dispatch_order(struct cts *t) {
    enum { N = 8192, ROUNDS = 40 };
    struct greta_buf *x = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    static uint32_t expected[N], out[N];
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_DEVICE, &x));
    cts_pattern(expected, N, 1);
    CTS_OK(t, greta_stream_write(t->stream, x, 0, expected, sizeof expected));
    for (uint32_t r = 0; r < ROUNDS; r++) {
        uint32_t begin = r * 64 % (N / 2), n = N / 2 - r;
        CTS_OK(t, cts_step(t->stream, kernel, x, begin * 4, n));
        for (uint32_t i = begin; i < begin + n; i++) expected[i] = cts_stepped(expected[i], 1);
        CTS_OK(t, greta_stream_copy(t->stream, x, (N - 256) * 4, x, begin * 4,
                                    64 * 4)); /* reads what was just written */
        memmove(expected + N - 256, expected + begin, 64 * 4);
        CTS_OK(t, greta_stream_fill(t->stream, x, (begin + 3) * 4, 4, r)); /* writes where it was just read */
        expected[begin + 3] = r;
    }
    CTS_OK(t, greta_stream_read(t->stream, x, 0, out, sizeof out));
    CTS_CHECK(t, !memcmp(out, expected, sizeof out));
done:
    greta_buf_destroy(&x);
    greta_module_unload(&module);
}

const struct cts_test cts_dispatch[] = {{"dispatch.axpy", dispatch_axpy},
                                        {"dispatch.group_ids", dispatch_group_ids},
                                        {"dispatch.nine_bindings", dispatch_nine_bindings},
                                        {"dispatch.order", dispatch_order},
                                        {0}};

/* ---- stream ---- */

static void stream_long_chain(struct cts *t) { /* more commands than a command buffer of any sensible size */
    enum { N = 256, STEPS = 3000 };
    struct greta_buf *x = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    uint32_t out[N];
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_DEVICE, &x));
    CTS_OK(t, greta_stream_fill(t->stream, x, 0, N * 4, 5));
    for (int i = 0; i < STEPS; i++) {
        CTS_OK(t, cts_step(t->stream, kernel, x, 0, N));
        if (i % 700 == 3) CTS_OK(t, greta_stream_flush(t->stream));
    }
    CTS_OK(t, greta_stream_read(t->stream, x, 0, out, sizeof out));
    for (int i = 0; i < N; i++) CTS_CHECK(t, out[i] == cts_stepped(5, STEPS));
done:
    greta_buf_destroy(&x);
    greta_module_unload(&module);
}

static void stream_empty(struct cts *t) {
    for (int i = 0; i < 5; i++) {
        CTS_OK(t, greta_stream_flush(t->stream));
        CTS_OK(t, greta_stream_wait(t->stream));
    }
done:;
}

static void stream_two_ordered_by_event(struct cts *t) {
    enum { N = 4096, ROUNDS = 20 };
    struct greta_stream *other = NULL;
    struct greta_event *events[2] = {0};
    struct greta_buf *x = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    uint32_t out[N];
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, greta_stream_create(t->dev, &other));
    CTS_OK(t, greta_event_create(t->dev, &events[0]));
    CTS_OK(t, greta_event_create(t->dev, &events[1]));
    CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_DEVICE, &x));
    CTS_OK(t, greta_stream_fill(t->stream, x, 0, N * 4, 2));
    for (int i = 0; i < ROUNDS; i++) {
        struct greta_stream *from = i & 1 ? other : t->stream, *to = i & 1 ? t->stream : other;
        CTS_OK(t, cts_step(from, kernel, x, 0, N));
        CTS_OK(t, greta_event_record(events[i & 1], from));
        CTS_OK(t, greta_stream_wait_event(to, events[i & 1]));
    }
    CTS_OK(t, greta_stream_read(t->stream, x, 0, out, sizeof out));
    for (int i = 0; i < N; i++)
        if (!CTS_CHECK(t, out[i] == cts_stepped(2, ROUNDS))) break;
done:
    greta_event_destroy(&events[0]);
    greta_event_destroy(&events[1]);
    greta_stream_destroy(&other);
    greta_buf_destroy(&x);
    greta_module_unload(&module);
}

const struct cts_test cts_stream[] = {{"stream.long_chain", stream_long_chain},
                                      {"stream.empty", stream_empty},
                                      {"stream.two_ordered_by_event", stream_two_ordered_by_event},
                                      {0}};

/* ---- event ---- */

static void event_times(struct cts *t) {
    enum { N = 1 << 18 };
    struct greta_event *events[3] = {0};
    struct greta_buf *x = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    uint64_t first = 0, second = 0, both = 0;
    CTS_OK(t, cts_kernel(t->dev, CTS_SPIN, 200, 0, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_DEVICE, &x));
    for (int i = 0; i < 3; i++) {
        CTS_OK(t, greta_event_create(t->dev, &events[i]));
        CTS_OK(t, greta_event_record(events[i], t->stream));
        CTS_OK(t, cts_step(t->stream, kernel, x, 0, N));
    }
    CTS_OK(t, greta_event_wait(events[2], UINT64_MAX));
    CTS_OK(t, greta_event_elapsed(events[0], events[1], &first));
    CTS_OK(t, greta_event_elapsed(events[1], events[2], &second));
    CTS_OK(t, greta_event_elapsed(events[0], events[2], &both));
    CTS_CHECK(t, first > 0 && second > 0);
    /* Two clocks' ticks of slack: the parts are rounded one by one. */
    double slack = 4 * t->limits->timestamp_period_ns + 4;
    CTS_CHECK(t, (double)both + slack >= (double)first + (double)second);
    CTS_CHECK(t, (double)both <= (double)first + (double)second + slack);
done:
    for (int i = 0; i < 3; i++) greta_event_destroy(&events[i]);
    greta_buf_destroy(&x);
    greta_module_unload(&module);
}

/* Devices that are a program count what runs, the same in every run; hardware has no counters. */
static void device_counters(struct cts *t) {
    enum { MAX = 64 };
    struct greta_counter before[MAX], after[MAX];
    struct greta_buf *x = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    uint64_t first[MAX] = {0};
    uint32_t n = 0, again = 0;
    CTS_STATUS(t, greta_dev_counters(t->dev, NULL, 1, &n), GRETA_ERR_INVALID);
    greta_status status = greta_dev_counters(t->dev, before, MAX, &n);
    if (status == GRETA_ERR_UNSUPPORTED) {
        CTS_CHECK(t, n == 0 && !t->limits->is_emulated);
        CTS_SKIP(t, "the device has no counters");
    }
    CTS_OK(t, status);
    CTS_NEED(t, n > 0 && n <= MAX);
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, 4096, GRETA_MEM_DEVICE, &x));
    CTS_OK(t, greta_stream_fill(t->stream, x, 0, 4096, 1));
    CTS_OK(t, greta_stream_wait(t->stream));
    for (int run = 0; run < 2; run++) {
        uint64_t sum = 0;
        CTS_OK(t, greta_dev_counters(t->dev, before, MAX, &again));
        CTS_OK(t, cts_step(t->stream, kernel, x, 0, 1024));
        CTS_OK(t, greta_stream_wait(t->stream));
        CTS_OK(t, greta_dev_counters(t->dev, after, MAX, &again));
        CTS_NEED(t, again == n);
        for (uint32_t i = 0; i < n; i++) {
            CTS_CHECK(t, strcmp(before[i].name, after[i].name) == 0 && after[i].value >= before[i].value);
            uint64_t counted = after[i].value - before[i].value;
            if (run) CTS_CHECK(t, counted == first[i]);
            first[i] = counted;
            sum += counted;
        }
        CTS_CHECK(t, sum > 0);
    }
done:
    greta_buf_destroy(&x);
    greta_module_unload(&module);
}

static void event_wait_flushes(struct cts *t) {
    struct greta_event *event = NULL;
    struct greta_buf *down = NULL;
    CTS_OK(t, greta_event_create(t->dev, &event));
    CTS_STATUS(t, greta_event_wait(event, 0), GRETA_ERR_INVALID); /* never recorded */
    CTS_STATUS(t, greta_stream_wait_event(t->stream, event), GRETA_ERR_INVALID);
    CTS_OK(t, greta_buf_create(t->dev, 4, GRETA_MEM_READBACK, &down));
    CTS_OK(t, greta_stream_fill(t->stream, down, 0, 4, 42));
    CTS_OK(t, greta_event_record(event, t->stream));
    CTS_OK(t, greta_event_wait(event, UINT64_MAX)); /* nobody flushed: the wait does */
    CTS_CHECK(t, *(uint32_t *)greta_buf_host(down) == 42);
    CTS_OK(t, greta_event_wait(event, 0));           /* stays passed */
    CTS_OK(t, greta_event_record(event, t->stream)); /* may be recorded again */
    CTS_OK(t, greta_event_wait(event, 10000000000ull));
done:
    greta_event_destroy(&event);
    greta_buf_destroy(&down);
}

static void event_destroyed_with_its_stream_alive(struct cts *t) {
    struct greta_event *event = NULL;
    struct greta_buf *buf = NULL;
    CTS_OK(t, greta_buf_create(t->dev, 1024, GRETA_MEM_DEVICE, &buf));
    for (int i = 0; i < 300; i++) { /* more than any pool of them */
        CTS_OK(t, greta_event_create(t->dev, &event));
        CTS_OK(t, greta_stream_fill(t->stream, buf, 0, 1024, (uint32_t)i));
        CTS_OK(t, greta_event_record(event, t->stream));
        greta_event_destroy(&event);
    }
    CTS_OK(t, greta_stream_wait(t->stream));
done:
    greta_event_destroy(&event);
    greta_buf_destroy(&buf);
}

const struct cts_test cts_event[] = {
    {"event.times", event_times},
    {"event.counters", device_counters},
    {"event.wait_flushes", event_wait_flushes},
    {"event.destroyed_with_its_stream_alive", event_destroyed_with_its_stream_alive},
    {0}};
