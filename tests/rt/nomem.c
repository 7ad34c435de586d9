/* Every host allocation fails once, the n-th in the n-th run: an error comes back, nothing crashes, nothing leaks. */
#define ALLOC_WRAPS_ALIGNED
#define ALLOC_WRAPS_STRDUP
#include "alloc.h"
#include "check.h"

#include <greta/rt.h>

#include <stdlib.h>
#include <string.h>

static void copy(const struct greta_host_group *group, const void *args) {
    const uint32_t *x;
    uint32_t *y;
    memcpy(&x, args, sizeof x);
    memcpy(&y, (const char *)args + 8, sizeof y);
    y[group->id[0]] = x[group->id[0]] + group->constants[0];
}

static const struct greta_host_entry entries[] = {{"copy", copy}};

struct work {
    struct greta_ctx *ctx;
    struct greta_dev *dev;
    struct greta_stream *stream;
    struct greta_event *event;
    struct greta_module *module;
    struct greta_kernel *kernel;
    struct greta_buf *x, *y;
    struct greta_graph *graph;
};

static greta_status dispatch(struct work *w) {
    struct greta_binding b[2] = {{w->x, 0, 0, GRETA_READ}, {w->y, 0, 0, GRETA_WRITE}};
    struct greta_dispatch d = {.kernel = w->kernel, .groups = {64, 1, 1}, .n_bindings = 2, .bindings = b};
    return greta_stream_dispatch(w->stream, &d);
}

static greta_status create(struct work *w) {
    static const struct greta_image image = {GRETA_IMAGE_HOST, entries, sizeof entries, "nomem"};
    static const struct greta_constant constant = {1, 5};
    static const struct greta_dev_params shims = {.fault = {.enabled = true}};
    greta_status status = greta_ctx_create(NULL, &w->ctx);
    if (!status) status = greta_dev_open(w->ctx, "cpu", &shims, &w->dev);
    if (!status) status = greta_stream_create(w->dev, &w->stream);
    if (!status) status = greta_event_create(w->dev, &w->event);
    if (!status) status = greta_module_load(w->dev, &image, &w->module);
    if (!status) status = greta_kernel_get(w->module, "copy", &constant, 1, &w->kernel);
    if (!status) status = greta_buf_create(w->dev, 256, GRETA_MEM_DEVICE, &w->x);
    return status ? status : greta_buf_create(w->dev, 2 << 20, GRETA_MEM_DEVICE, &w->y);
}

static greta_status use(struct work *w, uint32_t *out) {
    greta_status status = greta_stream_fill(w->stream, w->x, 0, 256, 37);
    if (!status) status = greta_graph_begin(w->stream);
    for (int i = 0; i < 200 && !status; i++) status = dispatch(w); /* past the first places of a recording */
    greta_status ended = w->stream ? greta_graph_end(w->stream, &w->graph) : GRETA_OK;
    if (!status) status = ended;
    if (!status) status = greta_graph_launch(w->stream, w->graph);
    if (!status) status = greta_event_record(w->event, w->stream);
    if (!status) status = greta_event_wait(w->event, UINT64_MAX);
    return status ? status : greta_stream_read(w->stream, w->y, 0, out, 256);
}

static void finish(struct work *w) {
    greta_graph_destroy(&w->graph);
    greta_buf_destroy(&w->x);
    greta_buf_destroy(&w->y);
    greta_event_destroy(&w->event);
    greta_module_unload(&w->module);
    greta_stream_destroy(&w->stream);
    greta_dev_close(&w->dev);
    greta_ctx_destroy(&w->ctx);
}

int main(void) {
    unsigned n_failed = 0;
    for (unsigned n = 1; n < 10000; n++) {
        struct work w = {0};
        uint32_t out[64] = {0};
        allocations_begin(n);
        greta_status status = create(&w);
        if (!status) status = use(&w, out);
        bool reached = n_allocations >= n;
        finish(&w);
        CHECK(status == GRETA_OK || status == GRETA_ERR_NO_MEMORY || status == GRETA_ERR_NO_DEVICE_MEMORY);
        CHECK(status != GRETA_OK || (out[0] == 42 && out[63] == 42));
        CHECK(reached || status == GRETA_OK);
        n_failed += status != GRETA_OK;
        if (!reached) break;
    }
    printf("%u allocations\n", n_failed);
    CHECK(n_failed > 15);
    return check_done();
}
