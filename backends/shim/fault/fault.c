/* A shim that fails the n-th fallible call and lowers limits, in front of any backend. */
#include "hal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct fault_dev {
    struct hal_dev dev;
    struct hal_dev *inner;
    struct greta_dev_ops ops; /* dev.ops; optional entries are NULL where the inner device has none */
    atomic_uint_fast64_t n_calls;
    uint64_t fail_call;
    greta_status fail_status;
    bool unmapped; /* the host does not see device memory */
};

static greta_status fault_step(struct fault_dev *f, const char *call) {
    uint64_t n = atomic_fetch_add(&f->n_calls, 1) + 1;
    if (n != f->fail_call) return GRETA_OK;
    return greta_fail(f->dev.log, f->fail_status, "fault shim: call %llu (%s) fails as asked",
                      (unsigned long long)n, call);
}

static void fault_dev_close(struct hal_dev *dev) {
    struct fault_dev *f = (struct fault_dev *)dev;
    f->inner->ops->dev_close(f->inner);
    free(f);
}

/* One forwarder per fallible entry: CALL(entry, (parameters), (arguments), what a failure must clear). */
#define CALL(entry, params, args, clear)               \
    static greta_status fault_##entry params {         \
        struct fault_dev *f = (struct fault_dev *)dev; \
        greta_status status = fault_step(f, #entry);   \
        if (status) {                                  \
            clear;                                     \
            return status;                             \
        }                                              \
        return f->inner->ops->entry args;              \
    }
/* And one per entry that cannot fail. */
#define PASS(entry, type, name)                                         \
    static void fault_##entry(struct hal_dev *dev, struct type *name) { \
        struct hal_dev *inner = ((struct fault_dev *)dev)->inner;       \
        inner->ops->entry(inner, name);                                 \
    }

CALL(dev_mem_info, (struct hal_dev * dev, struct greta_mem_info *out), (f->inner, out),
     *out = (struct greta_mem_info){0})
CALL(dev_wait_idle, (struct hal_dev * dev), (f->inner), (void)0)
CALL(dev_counters, (struct hal_dev * dev, struct greta_counter *out, uint32_t capacity, uint32_t *n),
     (f->inner, out, capacity, n), *n = 0)

static greta_status fault_buf_create(struct hal_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                                     struct hal_buf **out) {
    struct fault_dev *f = (struct fault_dev *)dev;
    greta_status status = fault_step(f, "buf_create");
    *out = NULL;
    if (!status) status = f->inner->ops->buf_create(f->inner, size_bytes, kind, out);
    if (!status && f->unmapped && kind == GRETA_MEM_DEVICE) (*out)->host = NULL;
    return status;
}

CALL(buf_wrap, (struct hal_dev * dev, void *memory, uint64_t size_bytes, struct hal_buf **out),
     (f->inner, memory, size_bytes, out), *out = NULL)
CALL(buf_export,
     (struct hal_dev * dev, uint64_t size_bytes, struct hal_buf **out, struct greta_export *handle),
     (f->inner, size_bytes, out, handle), (*out = NULL, *handle = (struct greta_export){.fd = -1}))
CALL(stream_create, (struct hal_dev * dev, struct hal_stream **out), (f->inner, out), *out = NULL)
CALL(stream_flush, (struct hal_dev * dev, struct hal_stream *stream), (f->inner, stream), (void)0)
static void *fault_stream_native(struct hal_dev *dev, struct hal_stream *stream) {
    struct hal_dev *inner = ((struct fault_dev *)dev)->inner;
    return inner->ops->stream_native(inner, stream);
}

CALL(event_create, (struct hal_dev * dev, struct hal_event **out), (f->inner, out), *out = NULL)
CALL(event_record, (struct hal_dev * dev, struct hal_event *event, struct hal_stream *stream),
     (f->inner, event, stream), (void)0)
CALL(event_wait, (struct hal_dev * dev, struct hal_event *event, uint64_t timeout_ns),
     (f->inner, event, timeout_ns), (void)0)
CALL(event_elapsed, (struct hal_dev * dev, struct hal_event *from, struct hal_event *to, uint64_t *out_ns),
     (f->inner, from, to, out_ns), *out_ns = 0)
CALL(stream_wait_event, (struct hal_dev * dev, struct hal_stream *stream, struct hal_event *event),
     (f->inner, stream, event), (void)0)
CALL(module_load, (struct hal_dev * dev, const struct greta_image *image, struct hal_module **out),
     (f->inner, image, out), *out = NULL)
CALL(kernel_get,
     (struct hal_dev * dev, struct hal_module *module, const char *name,
      const struct greta_constant *constants, uint32_t n_constants, struct hal_kernel **out),
     (f->inner, module, name, constants, n_constants, out), *out = NULL)
CALL(cmd_dispatch, (struct hal_dev * dev, struct hal_stream *stream, const struct hal_dispatch *cmd),
     (f->inner, stream, cmd), (void)0)
CALL(cmd_copy, (struct hal_dev * dev, struct hal_stream *stream, const struct hal_copy *cmd),
     (f->inner, stream, cmd), (void)0)
CALL(cmd_fill, (struct hal_dev * dev, struct hal_stream *stream, const struct hal_fill *cmd),
     (f->inner, stream, cmd), (void)0)
CALL(cmd_update, (struct hal_dev * dev, struct hal_stream *stream, const struct hal_update *cmd),
     (f->inner, stream, cmd), (void)0)
CALL(cmd_barrier, (struct hal_dev * dev, struct hal_stream *stream), (f->inner, stream), (void)0)
CALL(graph_build, (struct hal_dev * dev, const struct hal_cmd *cmds, uint32_t n_cmds, struct hal_graph **out),
     (f->inner, cmds, n_cmds, out), *out = NULL)
CALL(graph_launch, (struct hal_dev * dev, struct hal_stream *stream, struct hal_graph *graph),
     (f->inner, stream, graph), (void)0)
CALL(stamps_create, (struct hal_dev * dev, uint32_t n, struct hal_stamps **out), (f->inner, n, out),
     *out = NULL)
CALL(cmd_stamp, (struct hal_dev * dev, struct hal_stream *stream, const struct hal_stamp *cmd),
     (f->inner, stream, cmd), (void)0)
CALL(stamps_read,
     (struct hal_dev * dev, struct hal_stamps *stamps, uint32_t first, uint32_t n, uint64_t *out_ticks),
     (f->inner, stamps, first, n, out_ticks), memset(out_ticks, 0, n * sizeof *out_ticks))
PASS(stamps_destroy, hal_stamps, stamps)
PASS(buf_destroy, hal_buf, buf)
PASS(stream_destroy, hal_stream, stream)
PASS(event_destroy, hal_event, event)
PASS(module_unload, hal_module, module)
PASS(graph_destroy, hal_graph, graph)

static const struct greta_dev_ops fault_ops = {
    .dev_close = fault_dev_close,
    .dev_mem_info = fault_dev_mem_info,
    .dev_wait_idle = fault_dev_wait_idle,
    .dev_counters = fault_dev_counters,
    .buf_create = fault_buf_create,
    .buf_destroy = fault_buf_destroy,
    .buf_wrap = fault_buf_wrap,
    .buf_export = fault_buf_export,
    .stream_create = fault_stream_create,
    .stream_destroy = fault_stream_destroy,
    .stream_flush = fault_stream_flush,
    .stream_native = fault_stream_native,
    .event_create = fault_event_create,
    .event_destroy = fault_event_destroy,
    .event_record = fault_event_record,
    .event_wait = fault_event_wait,
    .event_elapsed = fault_event_elapsed,
    .stream_wait_event = fault_stream_wait_event,
    .module_load = fault_module_load,
    .module_unload = fault_module_unload,
    .kernel_get = fault_kernel_get,
    .cmd_dispatch = fault_cmd_dispatch,
    .cmd_copy = fault_cmd_copy,
    .cmd_fill = fault_cmd_fill,
    .cmd_update = fault_cmd_update,
    .cmd_barrier = fault_cmd_barrier,
    .graph_build = fault_graph_build,
    .graph_launch = fault_graph_launch,
    .graph_destroy = fault_graph_destroy,
    .stamps_create = fault_stamps_create,
    .stamps_destroy = fault_stamps_destroy,
    .cmd_stamp = fault_cmd_stamp,
    .stamps_read = fault_stamps_read,
};

static void lower_u32(uint32_t *limit, uint32_t to) {
    if (to && to < *limit) *limit = to;
}

static void lower_u64(uint64_t *limit, uint64_t to) {
    if (to && to < *limit) *limit = to;
}

static void lower_limits(struct greta_limits *l, const struct greta_limits *to) {
    lower_u64(&l->max_buf_bytes, to->max_buf_bytes);
    lower_u32(&l->max_bindings, to->max_bindings);
    lower_u32(&l->max_args_bytes, to->max_args_bytes);
    for (int i = 0; i < 3; i++) lower_u32(&l->max_groups[i], to->max_groups[i]);
    lower_u32(&l->max_group_threads, to->max_group_threads);
    lower_u32(&l->max_lds_bytes, to->max_lds_bytes);
    lower_u32(&l->subgroup_max, to->subgroup_max);
    lower_u32(&l->n_compute_units, to->n_compute_units);
    lower_u32(&l->max_update_bytes, to->max_update_bytes);
    lower_u64(&l->peak_bytes_per_s, to->peak_bytes_per_s);
    if (to->unified) l->unified = false;
    if (to->host_visible_vram) l->host_visible_vram = false;
}

greta_status hal_fault_wrap(struct hal_dev *inner, const struct hal_fault_params *params,
                            struct hal_dev **out) {
    *out = NULL;
    struct fault_dev *f = calloc(1, sizeof *f);
    if (!f) {
        const struct greta_log *log = inner->log;
        inner->ops->dev_close(inner);
        return greta_fail(log, GRETA_ERR_NO_MEMORY, "fault shim: out of host memory");
    }
    f->dev = *inner;
    f->inner = inner;
    f->ops = fault_ops;
    if (!inner->ops->dev_counters) f->ops.dev_counters = NULL;
    if (!inner->ops->buf_wrap) f->ops.buf_wrap = NULL;
    if (!inner->ops->buf_export) f->ops.buf_export = NULL;
    if (!inner->ops->stream_flush) f->ops.stream_flush = NULL;
    if (!inner->ops->stream_native) f->ops.stream_native = NULL;
    if (!inner->ops->event_elapsed) f->ops.event_elapsed = NULL;
    if (!inner->ops->graph_build) {
        f->ops.graph_build = NULL;
        f->ops.graph_launch = NULL;
        f->ops.graph_destroy = NULL;
    }
    if (!inner->ops->stamps_create) {
        f->ops.stamps_create = NULL;
        f->ops.stamps_destroy = NULL;
        f->ops.cmd_stamp = NULL;
        f->ops.stamps_read = NULL;
    }
    f->dev.ops = &f->ops;
    f->fail_call = params->fail_call;
    f->fail_status = params->fail_status ? params->fail_status : GRETA_ERR_INTERNAL;
    lower_limits(&f->dev.limits, &params->lower);
    f->unmapped = params->lower.host_visible_vram;
    *out = &f->dev;
    return GRETA_OK;
}

uint64_t hal_fault_n_calls(const struct hal_dev *dev) {
    return dev->ops->dev_close == fault_dev_close
               ? atomic_load(&((struct fault_dev *)(uintptr_t)dev)->n_calls)
               : 0;
}
