/* rt's ways: recorded each time, and a graph that was recorded once. */
#include "dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "dispatch_amdgpu.h"

static const uint32_t spirv_words[] = {
#include "dispatch_spirv.h"
};

struct scale_args {
    const float *x;
    float *y;
    float scale;
};

static void host_scale(const struct greta_host_group *group, const void *args) {
    struct scale_args a;
    memcpy(&a, args, sizeof a);
    for (uint32_t i = group->id[0] * DISPATCH_FLOATS; i < (group->id[0] + 1) * DISPATCH_FLOATS; i++)
        a.y[i] = a.scale * a.x[i];
}

static const struct greta_host_entry host_entries[] = {{"main", host_scale}};

struct rt {
    uint32_t n;
    struct greta_dev *dev;
    struct greta_stream *stream;
    struct greta_module *module;
    struct greta_kernel *kernel;
    struct greta_buf *buf;
    struct greta_event *from, *to;
    struct greta_graph *graphs[DISPATCH_N_KINDS];
};

static greta_status record(const struct rt *r, enum dispatch_kind kind) {
    const float scale = -1;
    greta_status status = GRETA_OK;
    for (uint64_t i = 0; i < r->n && !status; i++) {
        const struct greta_binding bindings[] = {
            {r->buf, kind == DISPATCH_CHAIN ? i * DISPATCH_BYTES : 0, DISPATCH_BYTES, GRETA_READ},
            {r->buf, (i + 1) * DISPATCH_BYTES, DISPATCH_BYTES, GRETA_WRITE}};
        const struct greta_dispatch d = {.kernel = r->kernel,
                                         .groups = {1, 1, 1},
                                         .n_bindings = 2,
                                         .bindings = bindings,
                                         .constants_bytes = sizeof scale,
                                         .constants = &scale};
        status = greta_stream_dispatch(r->stream, &d);
    }
    return status;
}

static greta_status start_eager(void *state, enum dispatch_kind kind) {
    struct rt *r = state;
    greta_status status = record(r, kind);
    return status ? status : greta_stream_flush(r->stream);
}

static greta_status start_graph(void *state, enum dispatch_kind kind) {
    struct rt *r = state;
    greta_status status = greta_graph_launch(r->stream, r->graphs[kind]);
    return status ? status : greta_stream_flush(r->stream);
}

static greta_status wait(void *state) {
    return greta_stream_wait(((struct rt *)state)->stream);
}

static greta_status device_ns(struct rt *r, enum dispatch_kind kind, bool graph, double *out) {
    uint64_t ns = 0;
    greta_status status = greta_event_record(r->from, r->stream);
    if (!status) status = graph ? greta_graph_launch(r->stream, r->graphs[kind]) : record(r, kind);
    if (!status) status = greta_event_record(r->to, r->stream);
    if (!status) status = greta_stream_wait(r->stream);
    if (!status) status = greta_event_elapsed(r->from, r->to, &ns);
    *out = (double)ns;
    return status;
}

static greta_status device_ns_eager(void *state, enum dispatch_kind kind, double *out) {
    return device_ns(state, kind, false, out);
}

static greta_status device_ns_graph(void *state, enum dispatch_kind kind, double *out) {
    return device_ns(state, kind, true, out);
}

static greta_status write(void *state, const float *x) {
    struct rt *r = state;
    return greta_stream_write(r->stream, r->buf, 0, x, (r->n + UINT64_C(1)) * DISPATCH_BYTES);
}

static greta_status read(void *state, enum dispatch_kind kind, float *x) {
    struct rt *r = state;
    (void)kind;
    return greta_stream_read(r->stream, r->buf, 0, x, (r->n + UINT64_C(1)) * DISPATCH_BYTES);
}

static void finish(void *state) {
    struct rt *r = state;
    for (int kind = 0; kind < DISPATCH_N_KINDS; kind++) greta_graph_destroy(&r->graphs[kind]);
    greta_event_destroy(&r->from);
    greta_event_destroy(&r->to);
    greta_buf_destroy(&r->buf);
    greta_module_unload(&r->module);
    greta_stream_destroy(&r->stream);
    free(r);
}

static struct greta_image image(enum greta_image_format format) {
    struct greta_image image = {.format = format, .name = "dispatch"};
    if (format == GRETA_IMAGE_HOST) image.data = host_entries, image.size_bytes = sizeof host_entries;
    if (format == GRETA_IMAGE_SPIRV) image.data = spirv_words, image.size_bytes = sizeof spirv_words;
    if (format == GRETA_IMAGE_AMDGPU && amdgpu_code_bytes > 0)
        image.data = amdgpu_code, image.size_bytes = amdgpu_code_bytes;
    return image;
}

static greta_status build(struct rt *r, const struct greta_image *code) {
    greta_status status = greta_stream_create(r->dev, &r->stream);
    if (!status) status = greta_module_load(r->dev, code, &r->module);
    if (!status) status = greta_kernel_get(r->module, "main", NULL, 0, &r->kernel);
    if (!status)
        status = greta_buf_create(r->dev, (r->n + UINT64_C(1)) * DISPATCH_BYTES, GRETA_MEM_DEVICE, &r->buf);
    if (!status) status = greta_event_create(r->dev, &r->from);
    if (!status) status = greta_event_create(r->dev, &r->to);
    for (int kind = 0; kind < DISPATCH_N_KINDS && !status; kind++) {
        status = greta_graph_begin(r->stream);
        if (!status) status = record(r, (enum dispatch_kind)kind);
        if (!status) status = greta_graph_end(r->stream, &r->graphs[kind]);
    }
    return status;
}

greta_status dispatch_open_rt(const struct dispatch_params *params, struct greta_dev *dev,
                              struct dispatch_way *ways, uint32_t *n_ways) {
    struct greta_image code = image(greta_dev_get_image_format(dev));
    if (!code.data)
        return greta_fail(params->log, GRETA_ERR_UNAVAILABLE, "%s: this binary has no code for it",
                          params->info->name);
    struct rt *r = calloc(1, sizeof *r);
    if (!r) return GRETA_ERR_NO_MEMORY;
    r->n = params->n;
    r->dev = dev;
    greta_status status = build(r, &code);
    if (status) {
        finish(r);
        return status;
    }
    ways[(*n_ways)++] =
        (struct dispatch_way){"rt, recorded", r, start_eager, wait, device_ns_eager, write, read, finish};
    ways[(*n_ways)++] =
        (struct dispatch_way){"rt, graph", r, start_graph, wait, device_ns_graph, write, read, NULL};
    return GRETA_OK;
}
