/*
 * Random programs on the lazy device against a model in plain memory: what is read back must be the model's bytes, and
 * nothing may be destroyed while pending work needs it. With native graphs and replayed ones, derived barriers and
 * barriers everywhere, small staging chunks, and with a call of the table failing.
 */
#include "check.h"
#include "lazy.h"

#include <greta/rt.h>

#include <stdlib.h>
#include <string.h>

const struct greta_backend *const hal_backends[] = {&lazy_backend, NULL};

enum { N_BUFS = 7, N_STREAMS = 2, N_STEPS = 250, MAX_WORDS = 40000, GROUP = 32 };

/* z[i] = 3 * x[i] + y[i] + c; y[i] ^= z[i]: bindings read, read and written, written. */
struct mix_args {
    const uint32_t *x;
    uint32_t *y, *z;
    uint32_t n, c;
};

static void mix(const struct greta_host_group *g, const void *args) {
    struct mix_args a;
    memcpy(&a, args, sizeof a);
    for (uint32_t i = g->id[0] * GROUP; i < a.n && i < (g->id[0] + 1) * GROUP; i++) {
        a.z[i] = 3 * a.x[i] + a.y[i] + a.c;
        a.y[i] ^= a.z[i];
    }
}

static const struct greta_host_entry entries[] = {{"mix", mix}};
static const struct lazy_image image = LAZY_IMAGE(entries);

struct slot {
    struct greta_buf *buf;
    uint32_t *model, n_words;
};

struct test {
    uint64_t random;
    bool fails; /* a call is made to fail: only survival counts */
    struct greta_ctx *ctx;
    struct greta_dev *dev;
    struct greta_stream *streams[N_STREAMS], *s;
    struct greta_event *events[N_STREAMS];
    struct greta_module *module;
    struct greta_kernel *kernel;
    struct slot slots[N_BUFS];
    uint32_t *scratch;
    bool recording;
};

static uint32_t below(struct test *t, uint32_t n) {
    return lazy_random(&t->random) % n;
}

/* OK, or a failure that was asked for. */
static bool ok(struct test *t, greta_status status) {
    return status == GRETA_OK || (!CHECK(t->fails) && false);
}

struct part {
    struct slot *slot;
    uint32_t first, n;
};

static struct part pick(struct test *t) {
    struct part p = {.slot = &t->slots[below(t, N_BUFS)]};
    p.first = below(t, p.slot->n_words);
    p.n = 1 + below(t, p.slot->n_words - p.first);
    if (below(t, 2)) p.n = 1 + p.n / 16;
    return p;
}

static bool overlap(struct part a, struct part b) {
    return a.slot == b.slot && a.first < b.first + b.n && b.first < a.first + a.n;
}

/* Does it to the device, and to the model where `model`: a graph's recording changes nothing yet. */
static void dispatch(struct test *t) {
    struct part x = pick(t), y = pick(t), z = pick(t);
    uint32_t n = x.n < y.n ? x.n : y.n;
    if (z.n < n) n = z.n;
    x.n = y.n = z.n = n;
    if (overlap(x, y) || overlap(x, z) || overlap(y, z)) return;
    uint32_t constants[2] = {n, below(t, 1000)};
    struct greta_binding b[3] = {{x.slot->buf, 4 * (uint64_t)x.first, 4 * (uint64_t)n, GRETA_READ},
                                 {y.slot->buf, 4 * (uint64_t)y.first, 4 * (uint64_t)n, GRETA_READ_WRITE},
                                 {z.slot->buf, 4 * (uint64_t)z.first, 4 * (uint64_t)n, GRETA_WRITE}};
    struct greta_dispatch d = {.kernel = t->kernel,
                               .groups = {(n + GROUP - 1) / GROUP, 1, 1},
                               .n_bindings = 3,
                               .bindings = b,
                               .constants = constants,
                               .constants_bytes = sizeof constants};
    if (!ok(t, greta_stream_dispatch(t->s, &d))) return;
    uint32_t *mx = x.slot->model + x.first, *my = y.slot->model + y.first, *mz = z.slot->model + z.first;
    for (uint32_t i = 0; i < n; i++) {
        mz[i] = 3 * mx[i] + my[i] + constants[1];
        my[i] ^= mz[i];
    }
}

static void copy(struct test *t) {
    struct part to = pick(t), from = pick(t);
    to.n = from.n = to.n < from.n ? to.n : from.n;
    if (overlap(to, from)) return;
    if (ok(t, greta_stream_copy(t->s, to.slot->buf, 4 * (uint64_t)to.first, from.slot->buf,
                                4 * (uint64_t)from.first, 4 * (uint64_t)to.n)))
        memcpy(to.slot->model + to.first, from.slot->model + from.first, 4 * (size_t)to.n);
}

static void fill(struct test *t) {
    struct part p = pick(t);
    uint32_t pattern = below(t, UINT32_MAX);
    if (!ok(t, greta_stream_fill(t->s, p.slot->buf, 4 * (uint64_t)p.first, 4 * (uint64_t)p.n, pattern)))
        return;
    for (uint32_t i = 0; i < p.n; i++) p.slot->model[p.first + i] = pattern;
}

static void make_data(struct test *t, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) t->scratch[i] = below(t, UINT32_MAX);
}

static void update(struct test *t) {
    struct part p = pick(t);
    if (p.n > 64) p.n = 1 + below(t, 64);
    make_data(t, p.n);
    if (ok(t, greta_stream_update(t->s, p.slot->buf, 4 * (uint64_t)p.first, t->scratch, 4 * p.n)))
        memcpy(p.slot->model + p.first, t->scratch, 4 * (size_t)p.n);
}

/* Any bytes: staged pieces need no alignment. */
static void write_bytes(struct test *t) {
    struct part p = pick(t);
    uint64_t offset = 4 * (uint64_t)p.first + below(t, 4), size = 4 * (uint64_t)p.n - 3;
    make_data(t, p.n);
    if (!ok(t, greta_stream_write(t->s, p.slot->buf, offset, t->scratch, size))) return;
    memcpy((char *)p.slot->model + offset, t->scratch, (size_t)size);
    memset(t->scratch, 0xee, (size_t)size); /* the data was taken at the call */
}

static void any_command(struct test *t) {
    switch (below(t, 6)) {
    case 0: copy(t); return;
    case 1: fill(t); return;
    case 2: update(t); return;
    default: dispatch(t); return;
    }
}

/* More than the staging ring holds, and nothing waits in between. */
static void write_much(struct test *t) {
    for (int i = 0; i < 16; i++) {
        struct slot *s = &t->slots[below(t, N_BUFS)];
        make_data(t, s->n_words);
        if (!ok(t, greta_stream_write(t->s, s->buf, 0, t->scratch, 4 * (uint64_t)s->n_words))) return;
        memcpy(s->model, t->scratch, 4 * (size_t)s->n_words);
        any_command(t);
    }
}

static void read_bytes(struct test *t) {
    struct part p = pick(t);
    uint64_t offset = 4 * (uint64_t)p.first + below(t, 4), size = 4 * (uint64_t)p.n - 3;
    if (!ok(t, greta_stream_read(t->s, p.slot->buf, offset, t->scratch, size))) return;
    CHECK(t->fails || memcmp(t->scratch, (char *)p.slot->model + offset, (size_t)size) == 0);
}

static bool create(struct test *t, struct slot *s) {
    static const uint32_t max[] = {16, 300, 5000, MAX_WORDS};
    uint64_t limit = greta_dev_get_limits(t->dev)->max_buf_bytes / 4;
    s->n_words = 1 + below(t, max[below(t, 4)]);
    if (s->n_words > limit) s->n_words = (uint32_t)limit;
    make_data(t, s->n_words);
    memcpy(s->model, t->scratch, 4 * (size_t)s->n_words);
    greta_status status =
        greta_buf_create(t->dev, 4 * (uint64_t)s->n_words, (enum greta_mem_kind)below(t, 3), &s->buf);
    if (!ok(t, status)) return false;
    return ok(t, greta_stream_write(t->s, s->buf, 0, t->scratch, 4 * (uint64_t)s->n_words));
}

/* The buffer goes while work that uses it is pending. */
static bool replace(struct test *t) {
    struct slot *s = &t->slots[below(t, N_BUFS)];
    greta_buf_destroy(&s->buf);
    return create(t, s);
}

static void change_stream(struct test *t) {
    uint32_t from = t->s == t->streams[1], to = !from;
    if (!ok(t, greta_event_record(t->events[from], t->s))) return;
    greta_status status = greta_event_wait(t->events[from], 0);
    if (status != GRETA_ERR_TIMEOUT && !ok(t, status)) return;
    if (below(t, 4) == 0) {
        greta_event_destroy(&t->events[to]); /* perhaps pending */
        if (!ok(t, greta_event_create(t->dev, &t->events[to]))) return;
    }
    if (ok(t, greta_stream_wait_event(t->streams[to], t->events[from]))) t->s = t->streams[to];
}

/* The model runs along while the graph is recorded and then once more for each further launch: the commands are those
 * of the recording, so they are made twice from the same random numbers. */
static void graph(struct test *t) {
    struct greta_graph *g = NULL;
    uint32_t n = 1 + below(t, 12), n_launches = 1 + below(t, 3), seed = below(t, UINT32_MAX);
    if (!ok(t, greta_graph_begin(t->s))) return;
    uint64_t kept = t->random;
    t->random = seed;
    for (uint32_t i = 0; i < n; i++) {
        any_command(t);
        if (below(t, 8) == 0) ok(t, greta_graph_split(t->s));
    }
    bool good = ok(t, greta_graph_end(t->s, &g));
    for (uint32_t l = 0; good && l < n_launches; l++) {
        good = ok(t, greta_graph_launch(t->s, g));
        if (l == 0 || !good) continue;
        t->random = seed; /* the model's share of a further launch, into a recording that is thrown away */
        struct greta_graph *other = NULL;
        good = ok(t, greta_graph_begin(t->s));
        for (uint32_t i = 0; good && i < n; i++) {
            any_command(t);
            if (below(t, 8) == 0) ok(t, greta_graph_split(t->s));
        }
        good = good && ok(t, greta_graph_end(t->s, &other));
        greta_graph_destroy(&other);
    }
    greta_graph_destroy(&g); /* with its launches pending */
    t->random = kept;
}

static bool step(struct test *t) {
    switch (below(t, 24)) {
    case 0:
    case 1: read_bytes(t); return true;
    case 2:
    case 3: write_bytes(t); return true;
    case 4:
    case 5: return replace(t);
    case 6: return ok(t, greta_stream_flush(t->s));
    case 7: return below(t, 3) || ok(t, greta_stream_wait(t->s));
    case 8: change_stream(t); return true;
    case 9:
    case 10: graph(t); return true;
    case 12:
        if (below(t, 4) == 0) write_much(t);
        return true;
    case 11: return below(t, 4) || ok(t, greta_dev_wait(t->dev));
    default: any_command(t); return true;
    }
}

static bool start(struct test *t, const struct greta_ctx_params *params,
                  const struct greta_dev_params *dev_params) {
    struct greta_image im = {GRETA_IMAGE_AMDGPU, &image, sizeof image, "random"};
    t->scratch = malloc(4 * (MAX_WORDS + 1));
    bool good = ok(t, greta_ctx_create(params, &t->ctx)) &&
                ok(t, greta_dev_open(t->ctx, "lazy", dev_params, &t->dev));
    for (int i = 0; good && i < N_STREAMS; i++)
        good = ok(t, greta_stream_create(t->dev, &t->streams[i])) &&
               ok(t, greta_event_create(t->dev, &t->events[i]));
    t->s = t->streams[0];
    good = good && ok(t, greta_module_load(t->dev, &im, &t->module)) &&
           ok(t, greta_kernel_get(t->module, "mix", NULL, 0, &t->kernel));
    for (int i = 0; i < N_BUFS; i++) {
        t->slots[i].model = malloc(4 * (MAX_WORDS + 1));
        good = good && create(t, &t->slots[i]);
    }
    return good;
}

/* In an order in which much is still pending. */
static void finish(struct test *t) {
    greta_module_unload(&t->module);
    for (int i = 0; i < N_BUFS; i++) {
        greta_buf_destroy(&t->slots[i].buf);
        free(t->slots[i].model);
    }
    for (int i = 0; i < N_STREAMS; i++) greta_event_destroy(&t->events[i]);
    for (int i = 0; i < N_STREAMS; i++) greta_stream_destroy(&t->streams[i]);
    greta_dev_close(&t->dev);
    greta_ctx_destroy(&t->ctx);
    free(t->scratch);
}

static uint64_t run(uint64_t seed, bool no_graphs, bool barrier_always, uint64_t max_buf_bytes,
                    uint64_t fail_call, greta_status fail_status) {
    lazy = (struct lazy_state){.seed = seed, .max_buf_bytes = max_buf_bytes, .no_graphs = no_graphs};
    struct test t = {.random = seed * 77 + 1, .fails = fail_call != 0};
    struct greta_ctx_params params = {.cache_dir = "", .barrier_always = barrier_always};
    struct greta_dev_params dev_params = {
        .fault = {.enabled = true, .fail_call = fail_call, .fail_status = fail_status}};
    bool good = start(&t, &params, &dev_params);
    for (int i = 0; good && i < N_STEPS; i++) good = step(&t) || t.fails;
    for (int i = 0; good && i < N_BUFS; i++) {
        struct slot *s = &t.slots[i];
        if (!ok(&t, greta_stream_read(t.s, s->buf, 0, t.scratch, 4 * (uint64_t)s->n_words))) continue;
        CHECK(t.fails || memcmp(t.scratch, s->model, 4 * (size_t)s->n_words) == 0);
    }
    uint64_t n_calls = t.dev ? greta_dev_n_calls(t.dev) : 0;
    finish(&t);
    CHECK(lazy.n_destroyed_in_use == 0 && lazy.n_never_recorded == 0 && lazy.n_live == 0);
    if (check_n_failed)
        fprintf(stderr, "seed %llu, graphs %d, barriers %d, fail call %llu\n", (unsigned long long)seed,
                !no_graphs, barrier_always, (unsigned long long)fail_call);
    return n_calls;
}

int main(int argc, char **argv) {
    uint64_t n_seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 12;
    uint32_t n_commands = 0, n_barriers = 0, n_launches = 0;
    for (uint64_t seed = 1; seed <= n_seeds && !check_n_failed; seed++) {
        run(seed, false, false, seed % 2 ? 0 : 64 << 10, 0, GRETA_OK);
        n_commands += lazy.n_commands;
        n_barriers += lazy.n_barriers;
        n_launches += lazy.n_launches;
        run(seed, true, false, seed % 2 ? 2 << 20 : 64 << 10, 0, GRETA_OK);
        run(seed, seed % 2, true, 0, 0, GRETA_OK);
    }
    printf("%u commands, %u barriers, %u launches\n", n_commands, n_barriers, n_launches);
    CHECK(n_barriers < n_commands && n_launches > n_seeds);
    static const greta_status with[] = {GRETA_ERR_NO_DEVICE_MEMORY, GRETA_ERR_NO_MEMORY,
                                        GRETA_ERR_DEVICE_LOST};
    uint64_t n_calls = run(1, false, false, 1 << 20, 0, GRETA_OK);
    CHECK(n_calls > 100);
    for (uint64_t call = 1; call <= n_calls && !check_n_failed; call += 1 + call / 8)
        for (size_t i = 0; i < 3; i++) run(1, call % 2, false, 1 << 20, call, with[i]);
    return check_done();
}
