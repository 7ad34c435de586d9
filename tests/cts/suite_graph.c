/* Suite graph. */
#include "cts.h"

/* One list: steps, then copies, a fill and an update that depend on each other. */
static greta_status replay_list(struct greta_stream *stream, struct greta_kernel *kernel, struct greta_buf *x,
                                struct greta_buf *y, uint32_t n, bool split) {
    greta_status status = GRETA_OK;
    for (int i = 0; i < 20 && !status; i++) {
        status = cts_step(stream, kernel, x, 0, n);
        if (!status && split && i == 10) status = greta_graph_split(stream);
    }
    if (!status) status = greta_stream_copy(stream, y, 0, x, 0, n * 4);
    if (!status) status = greta_stream_fill(stream, y, 400, 4, 99);
    if (!status) status = greta_stream_update(stream, y, 404, "abcd", 4);
    if (!status) status = greta_stream_copy(stream, x, 0, y, 0, n * 4);
    return status;
}

static void graph_replay(struct cts *t) { /* eager and graph run the same list and give the same bytes */
    enum { N = 5000, LAUNCHES = 10 };
    static uint32_t in[N], eager[N], replayed[N];
    struct greta_buf *x = NULL, *y = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    struct greta_graph *graph = NULL;
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_DEVICE, &x));
    CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_DEVICE, &y));
    cts_pattern(in, N, 4);
    CTS_OK(t, greta_stream_write(t->stream, x, 0, in, sizeof in));
    for (int l = 0; l < LAUNCHES; l++) CTS_OK(t, replay_list(t->stream, kernel, x, y, N, false));
    CTS_OK(t, greta_stream_read(t->stream, x, 0, eager, sizeof eager));
    CTS_CHECK(t, eager[0] == cts_stepped(in[0], 20 * LAUNCHES) && eager[100] == 99);

    CTS_OK(t, greta_stream_write(t->stream, x, 0, in, sizeof in));
    CTS_OK(t, greta_graph_begin(t->stream));
    CTS_OK(t, replay_list(t->stream, kernel, x, y, N, true));
    CTS_OK(t, greta_graph_end(t->stream, &graph));
    for (int l = 0; l < LAUNCHES; l++)
        CTS_OK(t, greta_graph_launch(t->stream, graph)); /* without waiting in between */
    CTS_OK(t, greta_stream_read(t->stream, x, 0, replayed, sizeof replayed));
    CTS_CHECK(t, !memcmp(eager, replayed, sizeof eager));
done:
    greta_graph_destroy(&graph);
    greta_module_unload(&module);
    greta_buf_destroy(&x);
    greta_buf_destroy(&y);
}

static void
graph_sees_what_came_before(struct cts *t) { /* an update before each launch is what the launch reads */
    enum { N = 64, LAUNCHES = 50 };
    struct greta_buf *x = NULL, *sum = NULL;
    struct greta_module *module = NULL, *step_module = NULL;
    struct greta_kernel *add = NULL, *step = NULL;
    struct greta_graph *graph = NULL;
    float data[N], out[N];
    CTS_OK(t, cts_kernel(t->dev, CTS_AXPY, 0, 0, &module, &add));
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &step_module, &step));
    CTS_OK(t, greta_buf_create(t->dev, sizeof data, GRETA_MEM_DEVICE, &x));
    CTS_OK(t, greta_buf_create(t->dev, sizeof data, GRETA_MEM_DEVICE, &sum));
    CTS_OK(t, greta_stream_fill(t->stream, sum, 0, sizeof data, 0));
    CTS_OK(t, greta_graph_begin(t->stream));
    CTS_OK(t, cts_axpy(t->stream, add, sum, x, sum, N, 1.0f));
    CTS_OK(t, greta_graph_end(t->stream, &graph));
    for (int l = 0; l < LAUNCHES; l++) {
        for (int i = 0; i < N; i++) data[i] = (float)(l + i);
        CTS_OK(t, greta_stream_update(t->stream, x, 0, data, sizeof data));
        CTS_OK(t, greta_graph_launch(t->stream, graph));
    }
    CTS_OK(t, greta_stream_read(t->stream, sum, 0, out, sizeof out));
    for (int i = 0; i < N; i++) CTS_CHECK(t, out[i] == (float)(LAUNCHES * (LAUNCHES - 1) / 2 + LAUNCHES * i));
done:
    greta_graph_destroy(&graph);
    greta_module_unload(&module);
    greta_module_unload(&step_module);
    greta_buf_destroy(&x);
    greta_buf_destroy(&sum);
}

static void graph_misuse(struct cts *t) {
    struct greta_graph *graph = NULL;
    struct greta_event *event = NULL;
    struct greta_buf *x = NULL;
    uint32_t word = 1;
    CTS_OK(t, greta_buf_create(t->dev, 64, GRETA_MEM_DEVICE, &x));
    CTS_OK(t, greta_event_create(t->dev, &event));
    CTS_STATUS(t, greta_graph_end(t->stream, &graph), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_graph_split(t->stream), GRETA_ERR_INVALID);
    CTS_OK(t, greta_stream_fill(t->stream, x, 0, 64, 7));
    CTS_OK(t, greta_graph_begin(t->stream));
    CTS_STATUS(t, greta_graph_begin(t->stream), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_write(t->stream, x, 0, &word, 4), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_read(t->stream, x, 0, &word, 4), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_event_record(event, t->stream), GRETA_ERR_INVALID);
    CTS_OK(t, greta_stream_fill(t->stream, x, 0, 64, 8));
    CTS_OK(t, greta_graph_end(t->stream, &graph));
    CTS_CHECK(t, graph);
    CTS_OK(t, greta_stream_read(t->stream, x, 0, &word, 4));
    CTS_CHECK(t, word == 7); /* recording ran nothing */
    CTS_OK(t, greta_graph_launch(t->stream, graph));
    CTS_OK(t, greta_stream_read(t->stream, x, 0, &word, 4));
    CTS_CHECK(t, word == 8);
done:
    greta_graph_destroy(&graph);
    greta_event_destroy(&event);
    greta_buf_destroy(&x);
}

static void graph_empty(struct cts *t) {
    struct greta_graph *graph = NULL;
    CTS_OK(t, greta_graph_begin(t->stream));
    CTS_OK(t, greta_graph_end(t->stream, &graph));
    CTS_OK(t, greta_graph_launch(t->stream, graph));
    CTS_OK(t, greta_stream_wait(t->stream));
done:
    greta_graph_destroy(&graph);
}

static void graph_destroyed_in_flight(struct cts *t) {
    enum { N = 1 << 16 };
    struct greta_graph *graph = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    struct greta_buf *x = NULL;
    uint32_t value = 0;
    CTS_OK(t, cts_kernel(t->dev, CTS_SPIN, 100, 0, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_DEVICE, &x));
    CTS_OK(t, greta_stream_fill(t->stream, x, 0, N * 4, 3));
    CTS_OK(t, greta_graph_begin(t->stream));
    for (int i = 0; i < 10; i++) CTS_OK(t, cts_step(t->stream, kernel, x, 0, N));
    CTS_OK(t, greta_graph_end(t->stream, &graph));
    CTS_OK(t, greta_graph_launch(t->stream, graph));
    greta_graph_destroy(&graph);
    CTS_OK(t, greta_stream_read(t->stream, x, N * 4 - 4, &value, 4));
    CTS_CHECK(t, value == cts_stepped(3, 1000));
done:
    greta_graph_destroy(&graph);
    greta_module_unload(&module);
    greta_buf_destroy(&x);
}

const struct cts_test cts_graph[] = {{"graph.replay", graph_replay},
                                     {"graph.sees_what_came_before", graph_sees_what_came_before},
                                     {"graph.misuse", graph_misuse},
                                     {"graph.empty", graph_empty},
                                     {"graph.destroyed_in_flight", graph_destroyed_in_flight},
                                     {0}};
