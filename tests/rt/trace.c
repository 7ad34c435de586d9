/* What the runtime asks a device for, line by line; with and without a telemetry sink. */
#include "check.h"

#include <greta/env.h>
#include <greta/rt.h>

#include <stdlib.h>
#include <string.h>

enum { N_LINES = 200, N_RECORDS = 200 };

struct run {
    char lines[N_LINES][160];
    unsigned n_lines;
    enum greta_record_type records[N_RECORDS];
    unsigned n_records, n_timed;
    uint64_t alloc_bytes, free_bytes;
    struct greta_dev *dev;
    struct greta_stream *stream;
    struct greta_module *module;
    struct greta_kernel *kernel;
    struct greta_buf *a, *b, *c, *out;
    uint32_t result[16];
};

static void line(void *user, const char *text) {
    struct run *r = user;
    if (r->n_lines < N_LINES) snprintf(r->lines[r->n_lines++], sizeof r->lines[0], "%s", text);
}

static void record(void *user, const struct greta_record *rec) {
    struct run *r = user;
    if (r->n_records < N_RECORDS) r->records[r->n_records++] = rec->type;
    if (rec->type == GRETA_RECORD_ALLOC) r->alloc_bytes += rec->bytes;
    if (rec->type == GRETA_RECORD_FREE) r->free_bytes += rec->bytes;
    r->n_timed += rec->start_ns && rec->end_ns >= rec->start_ns;
}

static void add(const struct greta_host_group *group, const void *args) {
    (void)group;
    const uint32_t *const *p = args;
    uint32_t *y;
    memcpy(&y, &p[1], sizeof y);
    for (int i = 0; i < 16; i++) y[i] += p[0][i];
}

static const struct greta_host_entry entries[] = {{"add", add}};

static greta_status dispatch(struct run *r, struct greta_buf *x, struct greta_buf *y) {
    struct greta_binding b[2] = {{x, 0, 0, GRETA_READ}, {y, 0, 0, GRETA_READ_WRITE}};
    struct greta_dispatch d = {.kernel = r->kernel, .groups = {1, 1, 1}, .n_bindings = 2, .bindings = b};
    return greta_stream_dispatch(r->stream, &d);
}

/* The lines that begin with one of these words; a, b, c and out lie in one slab each by kind. */
static unsigned count(const struct run *r, unsigned from, const char *word) {
    unsigned n = 0;
    for (unsigned i = from; i < r->n_lines; i++) n += strncmp(r->lines[i], word, strlen(word)) == 0;
    return n;
}

static void barriers(struct run *r) {
    unsigned from = r->n_lines;
    CHECK(dispatch(r, r->a, r->b) == GRETA_OK && dispatch(r, r->a, r->c) == GRETA_OK);
    CHECK(count(r, from, "barrier") == 0); /* nothing in common that is written */
    CHECK(dispatch(r, r->b, r->c) == GRETA_OK);
    CHECK(count(r, from, "barrier") == 1);
    CHECK(greta_stream_fill(r->stream, r->a, 0, 4, 7) == GRETA_OK); /* a was read before the barrier */
    CHECK(count(r, from, "barrier") == 1);
    CHECK(dispatch(r, r->a, r->out) == GRETA_OK);
    CHECK(count(r, from, "barrier") == 2 && count(r, from, "dispatch") == 4 && count(r, from, "fill") == 1);
}

/* What the host reads is made visible to it before the event that it waits for. */
static void host_visibility(struct run *r) {
    unsigned from = r->n_lines;
    CHECK(greta_stream_read(r->stream, r->out, 0, r->result, sizeof r->result) == GRETA_OK);
    CHECK(r->n_lines == from + 3 && strcmp(r->lines[from], "barrier") == 0);
    CHECK(strncmp(r->lines[from + 1], "event_record", 12) == 0 &&
          strncmp(r->lines[from + 2], "event_wait", 10) == 0);
    from = r->n_lines;
    CHECK(greta_stream_wait(r->stream) == GRETA_OK);
    CHECK(count(r, from, "barrier") == 0);
}

static void graph(struct run *r) {
    struct greta_graph *g = NULL;
    unsigned from = r->n_lines;
    CHECK(greta_graph_begin(r->stream) == GRETA_OK && dispatch(r, r->a, r->b) == GRETA_OK);
    CHECK(dispatch(r, r->b, r->c) == GRETA_OK && greta_graph_end(r->stream, &g) == GRETA_OK);
    CHECK(r->n_lines == from); /* nothing has run */
    CHECK(greta_graph_launch(r->stream, g) == GRETA_OK);
    CHECK(count(r, from, "barrier") == 2 && count(r, from, "dispatch") == 2);
    from = r->n_lines;
    CHECK(dispatch(r, r->a, r->out) == GRETA_OK); /* the graph's last part neither wrote a nor touched out */
    CHECK(count(r, from, "barrier") == 0);
    CHECK(dispatch(r, r->c, r->out) == GRETA_OK); /* it wrote c */
    CHECK(count(r, from, "barrier") == 1);
    greta_graph_destroy(&g);
}

static void run(struct run *r, bool with_sink, bool barrier_always) {
    memset(r, 0, sizeof *r);
    struct greta_telemetry sink = {record, r};
    struct greta_ctx_params params = {
        .telemetry = with_sink ? &sink : NULL, .barrier_always = barrier_always, .cache_dir = ""};
    struct greta_dev_params dev_params = {.trace = {line, r}};
    struct greta_image image = {GRETA_IMAGE_HOST, entries, sizeof entries, "trace"};
    struct greta_ctx *ctx = NULL;
    struct greta_buf **bufs[] = {&r->a, &r->b, &r->c, &r->out};
    uint32_t ones[16];
    for (int i = 0; i < 16; i++) ones[i] = 1;
    CHECK(greta_ctx_create(&params, &ctx) == GRETA_OK &&
          greta_dev_open(ctx, "cpu", &dev_params, &r->dev) == GRETA_OK);
    CHECK(greta_stream_create(r->dev, &r->stream) == GRETA_OK &&
          greta_module_load(r->dev, &image, &r->module) == GRETA_OK);
    CHECK(greta_kernel_get(r->module, "add", NULL, 0, &r->kernel) == GRETA_OK);
    for (int i = 0; i < 4; i++) {
        CHECK(greta_buf_create(r->dev, 64, i < 3 ? GRETA_MEM_DEVICE : GRETA_MEM_READBACK, bufs[i]) ==
              GRETA_OK);
        CHECK(greta_stream_write(r->stream, *bufs[i], 0, ones, 64) == GRETA_OK);
    }
    if (barrier_always) {
        CHECK(dispatch(r, r->a, r->b) == GRETA_OK && dispatch(r, r->a, r->c) == GRETA_OK);
        CHECK(count(r, 0, "barrier") == 2);
    } else {
        barriers(r);
        host_visibility(r);
        graph(r);
        CHECK(greta_stream_read(r->stream, r->out, 0, r->result, sizeof r->result) == GRETA_OK);
        CHECK(r->result[0] == 28 && r->result[1] == 10 && r->result[15] == 10);
    }
    for (int i = 0; i < 4; i++) greta_buf_destroy(bufs[i]);
    greta_module_unload(&r->module);
    greta_stream_destroy(&r->stream);
    greta_dev_close(&r->dev);
    greta_ctx_destroy(&ctx);
}

static bool seen(const struct run *r, enum greta_record_type type) {
    for (unsigned i = 0; i < r->n_records; i++)
        if (r->records[i] == type) return true;
    return false;
}

static void environment(void) {
    CHECK(strcmp(greta_env_name(GRETA_ENV_DEVICE), "GRETA_DEVICE") == 0);
    for (int i = 0; i < GRETA_N_ENVS; i++)
        CHECK(strncmp(greta_env_name((enum greta_env)i), "GRETA_", 6) == 0 &&
              greta_env_text((enum greta_env)i)[0]);
    CHECK(greta_env_get((enum greta_env) - 1) == NULL && strcmp(greta_env_name(GRETA_N_ENVS), "?") == 0);
    setenv("GRETA_FORCE", "matmul=matmul_simple", 1);
    CHECK(greta_env_get(GRETA_ENV_FORCE) &&
          strcmp(greta_env_get(GRETA_ENV_FORCE), "matmul=matmul_simple") == 0);
    unsetenv("GRETA_FORCE");
    CHECK(!greta_env_get(GRETA_ENV_FORCE));
}

int main(void) {
    static struct run plain, watched, always;
    run(&plain, false, false);
    run(&watched, true, false);
    CHECK(plain.n_records == 0 && plain.n_lines == watched.n_lines && plain.n_lines < N_LINES);
    for (unsigned i = 0; i < plain.n_lines; i++) CHECK(strcmp(plain.lines[i], watched.lines[i]) == 0);
    CHECK(memcmp(plain.result, watched.result, sizeof plain.result) == 0);
    for (int type = 0; type < GRETA_N_RECORDS; type++)
        CHECK(seen(&watched, (enum greta_record_type)type) || type == GRETA_RECORD_COPY ||
              type == GRETA_RECORD_UPDATE);
    CHECK(watched.n_timed > 10);
    CHECK(watched.alloc_bytes > 0 && watched.alloc_bytes == watched.free_bytes);
    run(&always, false, true);
    environment();
    return check_done();
}
