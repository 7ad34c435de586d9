/* The runtime: launches, memory, streams, copies. */
#include "bench.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIB = 1 << 10, MIB = 1 << 20, N_HOST_SAMPLES = 20 };

static bool is_small(const struct bench_env *env) {
    return env->params.preset == PRESET_SMOKE || env->params.preset == PRESET_VERIFY;
}

/* ---- what is measured by the host's clock, sample by sample ---- */

/* The first step of all, for which the budget holds, too: ERR_TIMEOUT with r->predicted_ns; what it did is done all the same. */
static greta_status first_step(struct bench_env *env, bench_step_fn *step, void *user,
                               struct bench_result *r) {
    uint64_t start = clock_ns();
    greta_status status = step(user);
    double ns = (double)(clock_ns() - start);
    if (status || ns <= bench_budget_s(env) * 1e9) return status;
    r->predicted_ns = ns;
    return GRETA_ERR_TIMEOUT;
}

/* `step` once, then n times that count; ns of each divided by `per`. Counts are those of one step. */
static greta_status host_samples(struct bench_env *env, bench_step_fn *step, void *user, double per,
                                 struct bench_result *r) {
    uint32_t n = env->params.iters ? env->params.iters : N_HOST_SAMPLES;
    if (bench_counts(env)) return bench_count_step(env, step, user, r);
    if (env->params.check_only) return step(user);
    uint64_t end = clock_ns() + (uint64_t)(bench_budget_s(env) * 1e9);
    double *samples = calloc(n, sizeof *samples);
    greta_status status = samples ? first_step(env, step, user, r) : GRETA_ERR_NO_MEMORY;
    uint32_t i = 0;
    for (; !status && i < n && (i < 3 || clock_ns() < end); i++) {
        uint64_t start = clock_ns();
        status = step(user);
        samples[i] = (double)(clock_ns() - start) / per;
    }
    if (!status) greta_stats_make(samples, i, &r->time.host);
    r->time.n_calls = 1;
    r->time.n_warm = 1;
    free(samples);
    return status;
}

/* One call alone passes the budget: no failure. */
static bool is_late(greta_status status, const struct bench_result *r) {
    return status == GRETA_ERR_TIMEOUT && r->predicted_ns > 0;
}

/* A failure is a result; only what ends everything comes back. */
static greta_status conclude(struct bench_env *env, struct bench_result *r, greta_status status, bool right) {
    if (status == GRETA_ERR_DEVICE_LOST) return status;
    bool late = is_late(status, r);
    char reason[96];
    if (status || !right) {
        r->status = late || status == GRETA_ERR_UNSUPPORTED || status == GRETA_ERR_NO_DEVICE_MEMORY
                        ? BENCH_SKIPPED
                        : BENCH_FAILED;
        r->reason = late     ? bench_too_slow(env, r, reason, sizeof reason)
                    : status ? greta_status_text(status)
                             : "what was read back is wrong";
        r->time = (struct greta_measure){0};
    }
    return bench_add(env, r);
}

/* ---- kernels ---- */

static struct greta_call fill_call(struct greta_buf *buf, uint32_t n, uint32_t value) {
    return (struct greta_call){.op = GRETA_OP_FILL, .bindings = {{.buf = buf}}, .scalars.fill = {n, value}};
}

struct target {
    struct bench_env *env;
    struct greta_buf *a, *b, *c;
    uint32_t n, value;
    uint64_t bytes;
    void *host;
};

static void target_free(struct target *t) {
    greta_buf_destroy(&t->a);
    greta_buf_destroy(&t->b);
    greta_buf_destroy(&t->c);
    free(t->host);
}

static bool all_are(const uint32_t *words, uint64_t n, uint32_t value) {
    for (uint64_t i = 0; i < n; i++)
        if (words[i] != value) return false;
    return true;
}

static greta_status smoke_step(void *user) {
    struct target *t = user;
    struct greta_call call = fill_call(t->a, t->n, ++t->value);
    greta_status status = greta_op_record(t->env->plan, t->env->stream, &call);
    return status ? status : greta_stream_read(t->env->stream, t->a, 0, t->host, t->bytes);
}

greta_status bench_smoke(struct bench_env *env, const struct bench *bench) {
    struct target t = {.env = env, .n = 1000, .value = 0x1000, .bytes = 4000, .host = calloc(1000, 4)};
    struct bench_result r = {.name = bench->name, .key = "smoke/kernel and readback", .check = "bytes"};
    greta_status status =
        t.host ? greta_buf_create(env->dev, t.bytes, GRETA_MEM_DEVICE, &t.a) : GRETA_ERR_NO_MEMORY;
    if (!status) status = host_samples(env, smoke_step, &t, 1, &r);
    bool right = !status && all_are(t.host, t.n, t.value);
    target_free(&t);
    return conclude(env, &r, status, right);
}

static greta_status record_fill(void *user, struct greta_stream *stream, uint32_t i) {
    struct target *t = user;
    (void)i;
    return greta_stream_fill(stream, t->a, 0, t->bytes, t->value);
}

static greta_status record_copy(void *user, struct greta_stream *stream, uint32_t i) {
    struct target *t = user;
    (void)i;
    return greta_stream_copy(stream, t->b, 0, t->a, 0, t->bytes);
}

/* Reads the last words of a buffer: what came last, too. */
static greta_status tail_is(struct target *t, struct greta_buf *buf, uint32_t value, bool *right) {
    uint32_t words[64];
    greta_status status =
        greta_stream_read(t->env->stream, buf, t->bytes - sizeof words, words, sizeof words);
    *right = !status && all_are(words, 64, value);
    return status;
}

greta_status bench_fill(struct bench_env *env, const struct bench *bench) {
    struct target t = {.env = env, .bytes = is_small(env) ? 1 * MIB : 256 * MIB, .value = 0xC0FFEE01};
    struct greta_measure_params p = bench_measure_params(env, 20, 0);
    char key[64];
    struct bench_result r = {.name = bench->name, .key = key, .check = "bytes", .bytes = (double)t.bytes};
    bool right = false;
    snprintf(key, sizeof key, "%s/%lluMiB", bench->name, (unsigned long long)t.bytes / MIB);
    greta_status status = greta_buf_create(env->dev, t.bytes, GRETA_MEM_DEVICE, &t.a);
    if (!status) status = bench_measure(env, record_fill, &t, &p, &r);
    if (!status) status = tail_is(&t, t.a, t.value, &right);
    target_free(&t);
    return conclude(env, &r, status, right);
}

static greta_status record_noop(void *user, struct greta_stream *stream, uint32_t i) {
    struct target *t = user;
    struct greta_call call = fill_call(t->a, 1, t->value = ~i);
    return greta_op_record(t->env->plan, stream, &call);
}

static greta_status noop(struct bench_env *env, const struct bench *bench, const char *key,
                         uint32_t n_calls) {
    struct target t = {.env = env, .bytes = 256};
    struct greta_measure_params p = bench_measure_params(env, 50, 0);
    struct bench_result r = {.name = bench->name, .key = key, .check = "bytes"};
    uint32_t word = 0;
    p.n_calls = n_calls;
    greta_status status = greta_buf_create(env->dev, t.bytes, GRETA_MEM_DEVICE, &t.a);
    if (!status) status = bench_measure(env, record_noop, &t, &p, &r);
    if (!status) status = greta_stream_read(env->stream, t.a, 0, &word, sizeof word);
    target_free(&t);
    return conclude(env, &r, status, word == t.value);
}

greta_status bench_noop(struct bench_env *env, const struct bench *bench) {
    greta_status status = noop(env, bench, "noop_launch/each waited for", 1);
    return status ? status : noop(env, bench, "noop_launch/500 in a row", 500);
}

static greta_status record_add(void *user, struct greta_stream *stream, uint32_t i) {
    struct target *t = user;
    struct greta_call call = {
        .op = GRETA_OP_ADD, .bindings = {{.buf = t->a}, {.buf = t->b}, {.buf = t->c}}, .scalars.add = {t->n}};
    (void)i;
    return greta_op_record(t->env->plan, stream, &call);
}

greta_status bench_vector_add(struct bench_env *env, const struct bench *bench) {
    struct target t = {.env = env, .n = is_small(env) ? 1 << 16 : 1 << 25};
    struct greta_measure_params p = bench_measure_params(env, 20, 0);
    char key[64];
    struct bench_result r = {.name = bench->name, .key = key, .check = "bytes"};
    bool right = false;
    if (env->params.n) t.n = env->params.n < 64 ? 64 : env->params.n;
    t.bytes = 4 * (uint64_t)t.n;
    r.bytes = 3.0 * (double)t.bytes;
    r.flops = t.n;
    snprintf(key, sizeof key, "vector_add/n%u", t.n);
    greta_status status = greta_buf_create(env->dev, t.bytes, GRETA_MEM_DEVICE, &t.a);
    if (!status) status = greta_buf_create(env->dev, t.bytes, GRETA_MEM_DEVICE, &t.b);
    if (!status) status = greta_buf_create(env->dev, t.bytes, GRETA_MEM_DEVICE, &t.c);
    if (!status) status = greta_stream_fill(env->stream, t.a, 0, t.bytes, 0x3F800000); /* 1.0 */
    if (!status) status = greta_stream_fill(env->stream, t.b, 0, t.bytes, 0x40000000); /* 2.0 */
    if (!status) status = bench_measure(env, record_add, &t, &p, &r);
    if (!status) status = tail_is(&t, t.c, 0x40400000, &right);
    target_free(&t);
    return conclude(env, &r, status, right);
}

/* ---- memory ---- */

static greta_status alloc_step(void *user) {
    struct target *t = user;
    greta_status status = greta_buf_create(t->env->dev, t->bytes, GRETA_MEM_DEVICE, &t->a);
    greta_buf_destroy(&t->a);
    return status;
}

/* What was allocated over and over holds what is written to it. */
static greta_status last_words_hold(struct target *t, bool *right) {
    greta_status status = greta_buf_create(t->env->dev, t->bytes, GRETA_MEM_DEVICE, &t->a);
    if (!status) status = greta_stream_fill(t->env->stream, t->a, 0, t->bytes, 0xA110C);
    if (!status) status = tail_is(t, t->a, 0xA110C, right);
    greta_buf_destroy(&t->a);
    return status;
}

greta_status bench_alloc(struct bench_env *env, const struct bench *bench) {
    static const uint64_t sizes[] = {4 * KIB, 1 * MIB, 256 * MIB};
    greta_status status = GRETA_OK;
    for (int i = 0; i < (is_small(env) ? 2 : 3) && !status; i++) {
        struct target t = {.env = env, .bytes = sizes[i]};
        char key[64];
        struct bench_result r = {.name = bench->name, .key = key, .check = "bytes"};
        bool right = false;
        snprintf(key, sizeof key, "alloc/%lluKiB", (unsigned long long)sizes[i] / KIB);
        status = host_samples(env, alloc_step, &t, 1, &r);
        if (!status) status = last_words_hold(&t, &right);
        status = conclude(env, &r, status, right);
    }
    return status;
}

/* ---- streams ---- */

struct two_streams {
    struct target t;
    struct greta_stream *other;
    struct greta_event *event[2];
};

/* Each stream waits for the other's last kernel, 16 times. */
static greta_status stream_step(void *user) {
    struct two_streams *s = user;
    greta_status status = GRETA_OK;
    for (int i = 0; i < 16 && !status; i++) {
        struct greta_stream *here = i % 2 ? s->other : s->t.env->stream;
        struct greta_call call = fill_call(s->t.a, s->t.n, ++s->t.value);
        if (i) status = greta_stream_wait_event(here, s->event[(i + 1) % 2]);
        if (!status) status = greta_op_record(s->t.env->plan, here, &call);
        if (!status) status = greta_event_record(s->event[i % 2], here);
        if (!status) status = greta_stream_flush(here);
    }
    if (!status) status = greta_stream_wait(s->other);
    return status ? status : greta_stream_wait(s->t.env->stream);
}

greta_status bench_stream(struct bench_env *env, const struct bench *bench) {
    struct two_streams s = {.t = {.env = env, .n = 1024, .bytes = 4096}};
    struct bench_result r = {.name = bench->name, .key = "stream/two in turn", .check = "bytes"};
    bool right = false;
    greta_status status = greta_buf_create(env->dev, s.t.bytes, GRETA_MEM_DEVICE, &s.t.a);
    if (!status) status = greta_stream_create(env->dev, &s.other);
    for (int i = 0; i < 2 && !status; i++) status = greta_event_create(env->dev, &s.event[i]);
    if (!status) status = host_samples(env, stream_step, &s, 16, &r);
    if (!status) status = tail_is(&s.t, s.t.a, s.t.value, &right);
    for (int i = 0; i < 2; i++) greta_event_destroy(&s.event[i]);
    greta_stream_destroy(&s.other);
    target_free(&s.t);
    return conclude(env, &r, status, right);
}

/* ---- the cost of recording ---- */

enum { N_RECORDED = 256 };

struct recording {
    struct target t;
    struct greta_stream *stream;
    struct greta_graph *graph;
    uint64_t recorded_ns;
};

/* Only the calls count, not the work: recorded_ns. */
static greta_status dispatch_step(void *user) {
    struct recording *r = user;
    struct greta_call call = fill_call(r->t.a, 64, 7);
    uint64_t start = clock_ns();
    greta_status status = GRETA_OK;
    for (int i = 0; i < N_RECORDED && !status; i++)
        status = greta_op_record(r->t.env->plan, r->stream, &call);
    r->recorded_ns = clock_ns() - start;
    return status ? status : greta_stream_wait(r->stream);
}

static greta_status replay_step(void *user) {
    struct recording *r = user;
    greta_status status = greta_graph_launch(r->stream, r->graph);
    return status ? status : greta_stream_wait(r->stream);
}

static greta_status recorded_samples(struct bench_env *env, struct recording *rec, struct bench_result *r) {
    uint32_t n = env->params.iters ? env->params.iters : N_HOST_SAMPLES;
    if (bench_counts(env)) return bench_count_step(env, dispatch_step, rec, r);
    if (env->params.check_only) return dispatch_step(rec);
    double *samples = calloc(n, sizeof *samples);
    uint64_t end = clock_ns() + (uint64_t)(bench_budget_s(env) * 1e9);
    greta_status status = samples ? first_step(env, dispatch_step, rec, r) : GRETA_ERR_NO_MEMORY;
    uint32_t i = 0;
    for (; i < n && !status && (i < 3 || clock_ns() < end); i++) {
        status = dispatch_step(rec);
        samples[i] = (double)rec->recorded_ns / N_RECORDED;
    }
    if (!status) greta_stats_make(samples, i, &r->time.host);
    r->time.n_calls = N_RECORDED;
    free(samples);
    return status;
}

greta_status bench_dispatch(struct bench_env *env, const struct bench *bench) {
    struct recording rec = {.t = {.env = env, .bytes = 256, .n = 64}, .stream = env->stream};
    struct bench_result record = {.name = bench->name, .key = "dispatch/record", .check = "bytes"};
    struct bench_result replay = {.name = bench->name, .key = "dispatch/replay of 256", .check = "bytes"};
    struct greta_call call;
    bool right = false;
    greta_status status = greta_buf_create(env->dev, rec.t.bytes, GRETA_MEM_DEVICE, &rec.t.a), end;
    if (!status) status = recorded_samples(env, &rec, &record);
    if (!status) status = tail_is(&rec.t, rec.t.a, 7, &right);
    end = conclude(env, &record, status, right);
    if (is_late(status, &record)) status = GRETA_OK; /* the replay has a budget of its own */
    right = false;
    call = fill_call(rec.t.a, 64, 9);
    if (!status) status = greta_graph_begin(env->stream);
    for (int i = 0; i < N_RECORDED && !status; i++) status = greta_op_record(env->plan, env->stream, &call);
    if (!status) status = greta_graph_end(env->stream, &rec.graph);
    if (!status) status = host_samples(env, replay_step, &rec, N_RECORDED, &replay);
    if (!status) status = tail_is(&rec.t, rec.t.a, 9, &right);
    greta_graph_destroy(&rec.graph);
    target_free(&rec.t);
    return end ? end : conclude(env, &replay, status, right);
}

static void count_record(void *user, const struct greta_record *record) {
    uint64_t *n = user;
    (void)record;
    ++*n;
}

/* The same device opened once more, behind a sink that counts. */
greta_status bench_telemetry(struct bench_env *env, const struct bench *bench) {
    uint64_t n = 0;
    const struct greta_telemetry sink = {count_record, &n};
    const struct greta_dev_info *info = greta_dev_get_info(env->dev);
    struct bench_env behind = *env;
    struct greta_ctx *ctx = NULL;
    char name[48];
    struct bench_result r = {
        .name = bench->name, .key = "telemetry/record behind a sink", .check = "records"};
    struct recording rec = {.t = {.env = &behind, .bytes = 256, .n = 64}};
    snprintf(name, sizeof name, "%s:%u", info->backend, info->i_device);
    greta_status status =
        greta_ctx_create(&(struct greta_ctx_params){.log = env->log, .telemetry = &sink}, &ctx);
    behind.dev = NULL;
    behind.plan = NULL;
    behind.stream = NULL;
    if (!status) status = greta_dev_open(ctx, name, NULL, &behind.dev);
    if (!status) status = greta_plan_create(behind.dev, NULL, &behind.plan);
    if (!status) status = greta_stream_create(behind.dev, &behind.stream);
    rec.stream = behind.stream;
    if (!status) status = greta_buf_create(behind.dev, rec.t.bytes, GRETA_MEM_DEVICE, &rec.t.a);
    n = 0;
    if (!status) status = recorded_samples(&behind, &rec, &r);
    bool right = n >= N_RECORDED;
    target_free(&rec.t);
    greta_stream_destroy(&behind.stream);
    greta_plan_destroy(&behind.plan);
    greta_dev_close(&behind.dev);
    greta_ctx_destroy(&ctx);
    return conclude(env, &r, status, right);
}

/* ---- copies ---- */

static greta_status up_step(void *user) {
    struct target *t = user;
    greta_status status = greta_stream_write(t->env->stream, t->a, 0, t->host, t->bytes);
    return status ? status : greta_stream_wait(t->env->stream);
}

static greta_status down_step(void *user) {
    struct target *t = user;
    return greta_stream_read(t->env->stream, t->b, 0, t->host, t->bytes);
}

/* Up, across and down, in turn, each with a budget of its own: one that is late has copied what the next one reads. */
static greta_status copy_all(struct bench_env *env, struct target *t, struct bench_result r[3],
                             greta_status status[3]) {
    const struct greta_measure_params p = bench_measure_params(env, 20, 0);
    const bool host = !env->params.compute_only;
    status[0] = host ? host_samples(env, up_step, t, 1, &r[0]) : up_step(t);
    if (status[0] && !is_late(status[0], &r[0])) return status[0];
    status[1] = bench_measure(env, record_copy, t, &p, &r[1]);
    if (status[1] && !is_late(status[1], &r[1])) return status[1];
    memset(t->host, 0, t->bytes);
    status[2] = host ? host_samples(env, down_step, t, 1, &r[2]) : down_step(t);
    return is_late(status[2], &r[2]) ? GRETA_OK : status[2];
}

greta_status bench_copies(struct bench_env *env, const struct bench *bench) {
    struct target t = {.env = env, .bytes = is_small(env) ? 4 * MIB : 256 * MIB, .value = 0x5EED0001};
    uint32_t *words = t.host = malloc(t.bytes);
    char keys[3][96];
    static const char *const names[] = {"host to device", "on the device", "device to host"};
    struct bench_result r[3];
    greta_status each[3] = {GRETA_OK};
    for (int i = 0; i < 3; i++) {
        snprintf(keys[i], sizeof keys[i], "%s/%s/%lluMiB", bench->name, names[i],
                 (unsigned long long)t.bytes / MIB);
        r[i] = (struct bench_result){.name = bench->name,
                                     .key = keys[i],
                                     .check = "bytes",
                                     .bytes = (double)t.bytes * (i == 1 ? 2 : 1)};
    }
    for (uint64_t i = 0; words && i < t.bytes / 4; i++) words[i] = t.value;
    greta_status status = words ? greta_buf_create(env->dev, t.bytes, GRETA_MEM_DEVICE, &t.a)
                                : GRETA_ERR_NO_MEMORY,
                 end = GRETA_OK;
    if (!status) status = greta_buf_create(env->dev, t.bytes, GRETA_MEM_DEVICE, &t.b);
    if (!status) status = copy_all(env, &t, r, each);
    bool right = !status && all_are(words, t.bytes / 4, t.value);
    for (int i = 0; i < 3 && !end; i++)
        if (i == 1 || !env->params.compute_only) end = conclude(env, &r[i], status ? status : each[i], right);
    target_free(&t);
    return end;
}

/* ---- a copy by a kernel ---- */

static greta_status record_copy_kernel(void *user, struct greta_stream *stream, uint32_t i) {
    struct target *t = user;
    struct greta_call call = {
        .op = GRETA_OP_COPY, .bindings = {{.buf = t->a}, {.buf = t->b}}, .scalars.copy = {t->n}};
    (void)i;
    return greta_op_record(t->env->plan, stream, &call);
}

/* Some drivers copy buffers far more slowly than their shaders do. */
greta_status bench_copy_kernel(struct bench_env *env) {
    struct target t = {
        .env = env, .bytes = env->limits->is_cpu ? 128 * MIB : 1024u * MIB, .value = 0x5EED0002};
    struct greta_measure_params p = bench_measure_params(env, 20, 0);
    struct bench_result r = {
        .name = "roof", .key = "roof/copy by a kernel", .check = "bytes", .bytes = 2.0 * (double)t.bytes};
    bool right = false;
    t.n = (uint32_t)(t.bytes / 4);
    greta_status status = greta_buf_create(env->dev, t.bytes, GRETA_MEM_DEVICE, &t.a);
    if (!status) status = greta_buf_create(env->dev, t.bytes, GRETA_MEM_DEVICE, &t.b);
    if (!status) status = greta_stream_fill(env->stream, t.a, 0, t.bytes, t.value);
    if (!status) status = bench_measure(env, record_copy_kernel, &t, &p, &r);
    if (!status) status = tail_is(&t, t.b, t.value, &right);
    target_free(&t);
    return conclude(env, &r, status, right);
}
