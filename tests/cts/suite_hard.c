/* Suites threads, stress, fault. */
#include "cts.h"

#include <pthread.h>

/* ---- threads ---- */

enum { N_THREADS = 4 };

struct worker {
    struct cts *t;
    struct greta_module *module; /* shared by all */
    uint32_t i;
    bool ok;
};

/* One thread: its own stream and buffers, kernels of a shared module, and the numbers must come out right. */
static void *worker_run(void *arg) {
    struct worker *w = arg;
    enum { N = 2000, ROUNDS = 15 };
    struct greta_dev *dev = w->t->dev;
    enum greta_image_format format = greta_dev_get_image_format(dev);
    struct greta_stream *stream = NULL;
    struct greta_buf *x = NULL;
    struct greta_kernel *kernel = NULL;
    static const uint32_t n_steps[] = {1, 2, 3, 5};
    uint32_t in[N], out[N], steps = 0;
    w->ok = !greta_stream_create(dev, &stream);
    for (uint32_t r = 0; w->ok && r < ROUNDS; r++) {
        uint32_t k = n_steps[(r + w->i) % 4];
        const struct greta_constant constants[] = {{0, 64}, {1, k}, {2, 0}};
        cts_pattern(in, N, w->i * 100 + r);
        w->ok = !greta_kernel_get(w->module, cts_entry(format, CTS_SPIN), constants, 3, &kernel) &&
                !greta_buf_create(dev, sizeof in, GRETA_MEM_DEVICE, &x) &&
                !greta_stream_write(stream, x, 0, in, sizeof in);
        for (steps = 0; w->ok && steps < 4; steps++) w->ok = !cts_step(stream, kernel, x, 0, N);
        w->ok = w->ok && !greta_stream_read(stream, x, 0, out, sizeof out);
        for (int i = 0; w->ok && i < N; i++) w->ok = out[i] == cts_stepped(in[i], 4 * k);
        greta_buf_destroy(&x);
    }
    greta_stream_destroy(&stream);
    return NULL;
}

static void threads_own_streams(struct cts *t) {
    struct worker workers[N_THREADS];
    pthread_t threads[N_THREADS];
    struct greta_module *module = NULL;
    unsigned started = 0;
    struct greta_image image = cts_image(greta_dev_get_image_format(t->dev), CTS_SPIN);
    CTS_OK(t, greta_module_load(t->dev, &image, &module));
    for (; started < N_THREADS; started++) {
        workers[started] = (struct worker){.t = t, .module = module, .i = started};
        if (pthread_create(&threads[started], NULL, worker_run, &workers[started])) break;
    }
    CTS_CHECK(t, started == N_THREADS);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        CTS_CHECK(t, workers[i].ok);
    }
done:
    greta_module_unload(&module);
}

const struct cts_test cts_threads[] = {{"threads.own_streams", threads_own_streams}, {0}};

/* ---- stress ---- */

static uint32_t next_random(uint32_t *state) { /* xorshift32 (Marsaglia 2003) */
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

enum { STRESS_BUFS = 6, STRESS_N = 1024 };

struct stress {
    struct greta_buf *bufs[STRESS_BUFS];
    uint32_t model[STRESS_BUFS][STRESS_N]; /* what each buffer must hold */
    uint32_t random;
};

/* One random command on the stream and on the model. */
static greta_status stress_command(struct cts *t, struct stress *s, struct greta_kernel *kernel) {
    uint32_t a = next_random(&s->random) % STRESS_BUFS,
             b = (a + 1 + next_random(&s->random) % (STRESS_BUFS - 1)) % STRESS_BUFS;
    uint32_t begin = next_random(&s->random) % STRESS_N, n = 1 + next_random(&s->random) % (STRESS_N - begin);
    switch (next_random(&s->random) % 6) {
    case 0:
    case 1:
        for (uint32_t i = begin; i < begin + n; i++) s->model[a][i] = cts_stepped(s->model[a][i], 1);
        return cts_step(t->stream, kernel, s->bufs[a], begin * 4, n);
    case 2:
        memcpy(s->model[b] + begin, s->model[a] + begin, n * 4);
        return greta_stream_copy(t->stream, s->bufs[b], begin * 4, s->bufs[a], begin * 4, n * 4);
    case 3:
        for (uint32_t i = begin; i < begin + n; i++) s->model[a][i] = n;
        return greta_stream_fill(t->stream, s->bufs[a], begin * 4, n * 4, n);
    case 4:
        if (n > 64) n = 64;
        memcpy(s->model[b] + begin, s->model[a] + begin, n * 4);
        return greta_stream_update(t->stream, s->bufs[b], begin * 4, s->model[a] + begin, n * 4);
    default:
        cts_pattern(s->model[a] + begin, n, begin);
        return greta_stream_write(t->stream, s->bufs[a], begin * 4, s->model[a] + begin, n * 4);
    }
}

static void stress_random_commands(struct cts *t) {
    enum { COMMANDS = 1500 };
    struct stress *s = calloc(1, sizeof *s);
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    static uint32_t out[STRESS_N];
    CTS_NEED(t, s);
    s->random = 20261u;
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    for (int i = 0; i < STRESS_BUFS; i++) {
        CTS_OK(t, greta_buf_create(t->dev, sizeof out, GRETA_MEM_DEVICE, &s->bufs[i]));
        CTS_OK(t, greta_stream_fill(t->stream, s->bufs[i], 0, sizeof out, 0));
    }
    for (int c = 0; c < COMMANDS; c++) {
        CTS_OK(t, stress_command(t, s, kernel));
        if (c % 100 != 99) continue;
        uint32_t i = (uint32_t)c / 100 % STRESS_BUFS;
        CTS_OK(t, greta_stream_read(t->stream, s->bufs[i], 0, out, sizeof out));
        CTS_NEED(t, !memcmp(out, s->model[i], sizeof out));
    }
    for (int i = 0; i < STRESS_BUFS; i++) {
        CTS_OK(t, greta_stream_read(t->stream, s->bufs[i], 0, out, sizeof out));
        CTS_CHECK(t, !memcmp(out, s->model[i], sizeof out));
    }
done:
    for (int i = 0; s && i < STRESS_BUFS; i++) greta_buf_destroy(&s->bufs[i]);
    free(s);
    greta_module_unload(&module);
}

const struct cts_test cts_stress[] = {{"stress.random_commands", stress_random_commands}, {0}};

/* ---- fault: call 1, 2, 3 ... fails, until a run is clean ---- */

/* A bit of everything; every call may fail, and then nothing may leak or crash. */
static greta_status scenario(struct greta_dev *dev) {
    struct greta_stream *stream = NULL;
    struct greta_event *event = NULL;
    struct greta_buf *x = NULL, *y = NULL, *down = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    struct greta_graph *graph = NULL;
    struct greta_mem_info memory;
    uint32_t data[256], out[256];
    enum greta_image_format format = greta_dev_get_image_format(dev);
    struct greta_image image = cts_image(format, CTS_STEP);
    const struct greta_constant constant = {0, 64};
    cts_pattern(data, 256, 8);
    greta_status s = greta_stream_create(dev, &stream);
    if (!s) s = greta_event_create(dev, &event);
    if (!s) s = greta_buf_create(dev, sizeof data, GRETA_MEM_DEVICE, &x);
    if (!s) s = greta_buf_create(dev, 8 << 20, GRETA_MEM_DEVICE, &y);
    if (!s) s = greta_buf_create(dev, sizeof data, GRETA_MEM_READBACK, &down);
    if (!s) s = greta_dev_mem_info(dev, &memory);
    if (!s) s = greta_module_load(dev, &image, &module);
    if (!s) s = greta_kernel_get(module, cts_entry(format, CTS_STEP), &constant, 1, &kernel);
    if (!s) s = greta_stream_write(stream, x, 0, data, sizeof data);
    if (!s) s = greta_graph_begin(stream);
    if (!s) {
        s = cts_step(stream, kernel, x, 0, 256);
        if (!s) s = greta_graph_split(stream);
        if (!s) s = greta_stream_copy(stream, y, 0, x, 0, sizeof data);
        greta_status ended = greta_graph_end(stream, &graph);
        if (!s) s = ended;
    }
    if (!s) s = greta_graph_launch(stream, graph);
    if (!s) s = greta_stream_fill(stream, y, 1024, 4096, 1);
    if (!s) s = greta_stream_update(stream, y, 0, data, 16);
    if (!s) s = greta_stream_copy(stream, down, 0, y, 0, sizeof data);
    if (!s) s = greta_event_record(event, stream);
    if (!s) s = greta_stream_wait_event(stream, event);
    if (!s) s = greta_stream_flush(stream);
    if (!s) s = greta_event_wait(event, UINT64_MAX);
    if (!s) s = greta_stream_read(stream, y, 0, out, sizeof out);
    if (!s && (out[100] != cts_stepped(data[100], 1) || memcmp(out, data, 16))) s = GRETA_ERR_INTERNAL;
    greta_graph_destroy(&graph);
    greta_event_destroy(&event);
    greta_buf_destroy(&x);
    greta_buf_destroy(&y);
    greta_buf_destroy(&down);
    greta_module_unload(&module);
    greta_stream_destroy(&stream);
    return s;
}

static void fault_sweep(struct cts *t, greta_status injected) {
    enum { MAX_CALLS = 2000 };
    uint64_t n = 1;
    greta_status status = GRETA_ERR_INTERNAL;
    for (; n < MAX_CALLS && status; n++) {
        struct greta_dev_params params = {
            .fault = {.enabled = true, .fail_call = n, .fail_status = injected}};
        struct greta_dev *dev = NULL;
        status = greta_dev_open(t->ctx, t->device, &params, &dev);
        if (!status)
            status = scenario(dev);
        else
            CTS_CHECK(t, !dev);
        uint64_t n_calls = dev ? greta_dev_n_calls(dev) : 0;
        greta_dev_close(&dev);
        if (!CTS_CHECK(t, status == injected || (!status && n_calls < n))) {
            fprintf(stderr, "  failing call %llu gave %s\n", (unsigned long long)n,
                    greta_status_name(status));
            break;
        }
    }
    CTS_CHECK(t, !status && n > 15);
}

static void fault_no_device_memory(struct cts *t) {
    fault_sweep(t, GRETA_ERR_NO_DEVICE_MEMORY);
}
static void fault_device_lost(struct cts *t) {
    fault_sweep(t, GRETA_ERR_DEVICE_LOST);
}

const struct cts_test cts_fault[] = {
    {"fault.no_device_memory", fault_no_device_memory}, {"fault.device_lost", fault_device_lost}, {0}};
