/* A shim that writes one line per call, with stable numbers in place of pointers, in front of any backend. */
#include "hal.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 48 };

/* A live handle: its number is its place in the order of creation, never given twice. */
struct trace_handle {
    const void *pointer;
    uint32_t number;
    char name[NAME_BYTES]; /* a kernel's or module's */
};

struct trace_dev {
    struct hal_dev dev;
    struct hal_dev *inner;
    struct greta_dev_ops ops;
    void (*line)(void *user, const char *text);
    void *user;
    pthread_mutex_t lock; /* guards what follows */
    struct trace_handle *handles;
    uint32_t n_handles, capacity, n_numbered;
};

static void trace_line(struct trace_dev *t, const char *format, ...) GRETA_PRINTF(2, 3);
static void trace_line(struct trace_dev *t, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->line(t->user, text);
}

static struct trace_handle *find(struct trace_dev *t, const void *pointer) {
    for (uint32_t i = t->n_handles; i-- > 0;)
        if (t->handles[i].pointer == pointer) return &t->handles[i];
    return NULL;
}

/* Gives a handle its number (a second sight of a cached kernel keeps its first). 0 where memory is out. */
static uint32_t number_add(struct trace_dev *t, const void *pointer, const char *name) {
    pthread_mutex_lock(&t->lock);
    struct trace_handle *h = find(t, pointer);
    if (!h && t->n_handles == t->capacity) {
        uint32_t capacity = t->capacity ? 2 * t->capacity : 64;
        struct trace_handle *grown = realloc(t->handles, capacity * sizeof *grown);
        if (grown) {
            t->handles = grown;
            t->capacity = capacity;
        }
    }
    if (!h && t->n_handles < t->capacity) {
        h = &t->handles[t->n_handles++];
        *h = (struct trace_handle){.pointer = pointer, .number = ++t->n_numbered};
        snprintf(h->name, sizeof h->name, "%s", name ? name : "");
    }
    uint32_t number = h ? h->number : 0;
    pthread_mutex_unlock(&t->lock);
    return number;
}

static struct trace_handle number_get(struct trace_dev *t, const void *pointer) {
    pthread_mutex_lock(&t->lock);
    struct trace_handle *h = find(t, pointer), copy = {0};
    if (h) copy = *h;
    pthread_mutex_unlock(&t->lock);
    return copy;
}

static uint32_t number_remove(struct trace_dev *t, const void *pointer) {
    pthread_mutex_lock(&t->lock);
    struct trace_handle *h = find(t, pointer);
    uint32_t number = h ? h->number : 0;
    if (h) *h = t->handles[--t->n_handles];
    pthread_mutex_unlock(&t->lock);
    return number;
}

#define TRACE(dev) struct trace_dev *t = (struct trace_dev *)(dev)
#define NUMBER(handle) number_get(t, handle).number

static void trace_dev_close(struct hal_dev *dev) {
    TRACE(dev);
    trace_line(t, "dev_close");
    t->inner->ops->dev_close(t->inner);
    pthread_mutex_destroy(&t->lock);
    free(t->handles);
    free(t);
}

static greta_status trace_dev_mem_info(struct hal_dev *dev, struct greta_mem_info *out) {
    TRACE(dev);
    return t->inner->ops->dev_mem_info(t->inner, out);
}

static greta_status trace_dev_wait_idle(struct hal_dev *dev) {
    TRACE(dev);
    trace_line(t, "dev_wait_idle");
    return t->inner->ops->dev_wait_idle(t->inner);
}

static greta_status trace_dev_counters(struct hal_dev *dev, struct greta_counter *out, uint32_t capacity,
                                       uint32_t *n) {
    TRACE(dev);
    return t->inner->ops->dev_counters(t->inner, out, capacity, n);
}

static greta_status trace_buf_create(struct hal_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                                     struct hal_buf **out) {
    static const char *const kinds[GRETA_N_MEM_KINDS] = {"device", "upload", "readback", "unified"};
    TRACE(dev);
    greta_status status = t->inner->ops->buf_create(t->inner, size_bytes, kind, out);
    uint32_t number = status ? 0 : number_add(t, *out, NULL);
    trace_line(t, "buf_create #%" PRIu32 " %s %" PRIu64 " bytes %s", number, kinds[kind], size_bytes,
               greta_status_name(status));
    return status;
}

static void trace_buf_destroy(struct hal_dev *dev, struct hal_buf *buf) {
    TRACE(dev);
    trace_line(t, "buf_destroy #%" PRIu32, number_remove(t, buf));
    t->inner->ops->buf_destroy(t->inner, buf);
}

static greta_status trace_buf_wrap(struct hal_dev *dev, void *memory, uint64_t size_bytes,
                                   struct hal_buf **out) {
    TRACE(dev);
    greta_status status = t->inner->ops->buf_wrap(t->inner, memory, size_bytes, out);
    uint32_t number = status ? 0 : number_add(t, *out, NULL);
    trace_line(t, "buf_wrap #%" PRIu32 " %" PRIu64 " bytes %s", number, size_bytes,
               greta_status_name(status));
    return status;
}

static greta_status trace_buf_export(struct hal_dev *dev, uint64_t size_bytes, struct hal_buf **out,
                                     struct greta_export *handle) {
    TRACE(dev);
    greta_status status = t->inner->ops->buf_export(t->inner, size_bytes, out, handle);
    uint32_t number = status ? 0 : number_add(t, *out, NULL);
    trace_line(t, "buf_export #%" PRIu32 " %" PRIu64 " bytes %s", number, size_bytes,
               greta_status_name(status));
    return status;
}

static greta_status trace_stream_create(struct hal_dev *dev, struct hal_stream **out) {
    TRACE(dev);
    greta_status status = t->inner->ops->stream_create(t->inner, out);
    trace_line(t, "stream_create #%" PRIu32 " %s", status ? 0 : number_add(t, *out, NULL),
               greta_status_name(status));
    return status;
}

static void trace_stream_destroy(struct hal_dev *dev, struct hal_stream *stream) {
    TRACE(dev);
    trace_line(t, "stream_destroy #%" PRIu32, number_remove(t, stream));
    t->inner->ops->stream_destroy(t->inner, stream);
}

static greta_status trace_stream_flush(struct hal_dev *dev, struct hal_stream *stream) {
    TRACE(dev);
    trace_line(t, "flush #%" PRIu32, NUMBER(stream));
    return t->inner->ops->stream_flush(t->inner, stream);
}

static void *trace_stream_native(struct hal_dev *dev, struct hal_stream *stream) {
    TRACE(dev);
    trace_line(t, "native #%" PRIu32, NUMBER(stream));
    return t->inner->ops->stream_native(t->inner, stream);
}

static greta_status trace_event_create(struct hal_dev *dev, struct hal_event **out) {
    TRACE(dev);
    greta_status status = t->inner->ops->event_create(t->inner, out);
    trace_line(t, "event_create #%" PRIu32 " %s", status ? 0 : number_add(t, *out, NULL),
               greta_status_name(status));
    return status;
}

static void trace_event_destroy(struct hal_dev *dev, struct hal_event *event) {
    TRACE(dev);
    trace_line(t, "event_destroy #%" PRIu32, number_remove(t, event));
    t->inner->ops->event_destroy(t->inner, event);
}

static greta_status trace_event_record(struct hal_dev *dev, struct hal_event *event,
                                       struct hal_stream *stream) {
    TRACE(dev);
    trace_line(t, "event_record #%" PRIu32 " on #%" PRIu32, NUMBER(event), NUMBER(stream));
    return t->inner->ops->event_record(t->inner, event, stream);
}

static greta_status trace_event_wait(struct hal_dev *dev, struct hal_event *event, uint64_t timeout_ns) {
    TRACE(dev);
    trace_line(t, "event_wait #%" PRIu32, NUMBER(event));
    return t->inner->ops->event_wait(t->inner, event, timeout_ns);
}

static greta_status trace_event_elapsed(struct hal_dev *dev, struct hal_event *from, struct hal_event *to,
                                        uint64_t *out_ns) {
    TRACE(dev);
    return t->inner->ops->event_elapsed(t->inner, from, to, out_ns);
}

static greta_status trace_stream_wait_event(struct hal_dev *dev, struct hal_stream *stream,
                                            struct hal_event *event) {
    TRACE(dev);
    trace_line(t, "stream_wait_event #%" PRIu32 " for #%" PRIu32, NUMBER(stream), NUMBER(event));
    return t->inner->ops->stream_wait_event(t->inner, stream, event);
}

static greta_status trace_module_load(struct hal_dev *dev, const struct greta_image *image,
                                      struct hal_module **out) {
    TRACE(dev);
    greta_status status = t->inner->ops->module_load(t->inner, image, out);
    uint32_t number = status ? 0 : number_add(t, *out, image->name);
    trace_line(t, "module_load #%" PRIu32 " %s %zu bytes %s", number, image->name ? image->name : "?",
               image->size_bytes, greta_status_name(status));
    return status;
}

static void trace_module_unload(struct hal_dev *dev, struct hal_module *module) {
    TRACE(dev);
    trace_line(t, "module_unload #%" PRIu32, number_remove(t, module));
    t->inner->ops->module_unload(t->inner, module);
}

static greta_status trace_kernel_get(struct hal_dev *dev, struct hal_module *module, const char *name,
                                     const struct greta_constant *constants, uint32_t n_constants,
                                     struct hal_kernel **out) {
    TRACE(dev);
    greta_status status = t->inner->ops->kernel_get(t->inner, module, name, constants, n_constants, out);
    struct trace_handle of = number_get(t, module);
    char full[NAME_BYTES];
    snprintf(full, sizeof full, "%.22s:%.22s", of.name, name);
    uint32_t number = status ? 0 : number_add(t, *out, full);
    trace_line(t, "kernel_get #%" PRIu32 " %s %s", number, full, greta_status_name(status));
    return status;
}

static void line_dispatch(struct trace_dev *t, const char *prefix, const struct hal_dispatch *cmd) {
    char text[512];
    struct trace_handle kernel = number_get(t, cmd->kernel);
    int n = snprintf(text, sizeof text, "%sdispatch #%" PRIu32 " %s %" PRIu32 "x%" PRIu32 "x%" PRIu32, prefix,
                     kernel.number, kernel.name, cmd->groups[0], cmd->groups[1], cmd->groups[2]);
    for (uint32_t i = 0; i < cmd->n_bindings && n > 0 && (size_t)n < sizeof text; i++) {
        static const char *const access[] = {"?", "r", "w", "rw"};
        const struct hal_binding *b = &cmd->bindings[i];
        n += snprintf(text + n, sizeof text - (size_t)n, " %s#%" PRIu32 "+%" PRIu64 ":%" PRIu64,
                      access[b->access & 3], NUMBER(b->buf), b->offset_bytes, b->size_bytes);
    }
    t->line(t->user, text);
}

static void line_cmd(struct trace_dev *t, const char *prefix, const struct hal_cmd *cmd) {
    switch (cmd->type) {
    case HAL_CMD_DISPATCH: line_dispatch(t, prefix, &cmd->dispatch); break;
    case HAL_CMD_COPY:
        trace_line(t, "%scopy #%" PRIu32 "+%" PRIu64 " from #%" PRIu32 "+%" PRIu64 ":%" PRIu64, prefix,
                   NUMBER(cmd->copy.dst), cmd->copy.dst_offset_bytes, NUMBER(cmd->copy.src),
                   cmd->copy.src_offset_bytes, cmd->copy.size_bytes);
        break;
    case HAL_CMD_FILL:
        trace_line(t, "%sfill #%" PRIu32 "+%" PRIu64 ":%" PRIu64 " with %08" PRIx32, prefix,
                   NUMBER(cmd->fill.dst), cmd->fill.offset_bytes, cmd->fill.size_bytes, cmd->fill.pattern);
        break;
    case HAL_CMD_UPDATE:
        trace_line(t, "%supdate #%" PRIu32 "+%" PRIu64 ":%" PRIu32, prefix, NUMBER(cmd->update.dst),
                   cmd->update.offset_bytes, cmd->update.size_bytes);
        break;
    case HAL_CMD_BARRIER: trace_line(t, "%sbarrier", prefix); break;
    case HAL_CMD_SPLIT: trace_line(t, "%ssplit", prefix); break;
    case HAL_CMD_STAMP: trace_line(t, "%sstamp %" PRIu32, prefix, cmd->stamp.i); break;
    }
}

static greta_status trace_cmd_dispatch(struct hal_dev *dev, struct hal_stream *stream,
                                       const struct hal_dispatch *cmd) {
    TRACE(dev);
    line_dispatch(t, "", cmd);
    return t->inner->ops->cmd_dispatch(t->inner, stream, cmd);
}

static greta_status trace_cmd_copy(struct hal_dev *dev, struct hal_stream *stream,
                                   const struct hal_copy *cmd) {
    TRACE(dev);
    line_cmd(t, "", &(struct hal_cmd){.type = HAL_CMD_COPY, .copy = *cmd});
    return t->inner->ops->cmd_copy(t->inner, stream, cmd);
}

static greta_status trace_cmd_fill(struct hal_dev *dev, struct hal_stream *stream,
                                   const struct hal_fill *cmd) {
    TRACE(dev);
    line_cmd(t, "", &(struct hal_cmd){.type = HAL_CMD_FILL, .fill = *cmd});
    return t->inner->ops->cmd_fill(t->inner, stream, cmd);
}

static greta_status trace_cmd_update(struct hal_dev *dev, struct hal_stream *stream,
                                     const struct hal_update *cmd) {
    TRACE(dev);
    line_cmd(t, "", &(struct hal_cmd){.type = HAL_CMD_UPDATE, .update = *cmd});
    return t->inner->ops->cmd_update(t->inner, stream, cmd);
}

static greta_status trace_cmd_barrier(struct hal_dev *dev, struct hal_stream *stream) {
    TRACE(dev);
    trace_line(t, "barrier");
    return t->inner->ops->cmd_barrier(t->inner, stream);
}

static greta_status trace_graph_build(struct hal_dev *dev, const struct hal_cmd *cmds, uint32_t n_cmds,
                                      struct hal_graph **out) {
    TRACE(dev);
    greta_status status = t->inner->ops->graph_build(t->inner, cmds, n_cmds, out);
    trace_line(t, "graph_build #%" PRIu32 " of %" PRIu32 " %s", status ? 0 : number_add(t, *out, NULL),
               n_cmds, greta_status_name(status));
    for (uint32_t i = 0; i < n_cmds; i++) line_cmd(t, "  ", &cmds[i]);
    return status;
}

static greta_status trace_graph_launch(struct hal_dev *dev, struct hal_stream *stream,
                                       struct hal_graph *graph) {
    TRACE(dev);
    trace_line(t, "graph_launch #%" PRIu32, NUMBER(graph));
    return t->inner->ops->graph_launch(t->inner, stream, graph);
}

static void trace_graph_destroy(struct hal_dev *dev, struct hal_graph *graph) {
    TRACE(dev);
    trace_line(t, "graph_destroy #%" PRIu32, number_remove(t, graph));
    t->inner->ops->graph_destroy(t->inner, graph);
}

/* Without numbers of their own: those of all else are the same whether somebody takes times or not. */
static greta_status trace_stamps_create(struct hal_dev *dev, uint32_t n, struct hal_stamps **out) {
    TRACE(dev);
    greta_status status = t->inner->ops->stamps_create(t->inner, n, out);
    trace_line(t, "stamps_create of %" PRIu32 " %s", n, greta_status_name(status));
    return status;
}

static void trace_stamps_destroy(struct hal_dev *dev, struct hal_stamps *stamps) {
    TRACE(dev);
    trace_line(t, "stamps_destroy");
    t->inner->ops->stamps_destroy(t->inner, stamps);
}

static greta_status trace_cmd_stamp(struct hal_dev *dev, struct hal_stream *stream,
                                    const struct hal_stamp *cmd) {
    TRACE(dev);
    line_cmd(t, "", &(struct hal_cmd){.type = HAL_CMD_STAMP, .stamp = *cmd});
    return t->inner->ops->cmd_stamp(t->inner, stream, cmd);
}

static greta_status trace_stamps_read(struct hal_dev *dev, struct hal_stamps *stamps, uint32_t first,
                                      uint32_t n, uint64_t *out_ticks) {
    TRACE(dev);
    return t->inner->ops->stamps_read(t->inner, stamps, first, n, out_ticks);
}

static const struct greta_dev_ops trace_ops = {
    .dev_close = trace_dev_close,
    .dev_mem_info = trace_dev_mem_info,
    .dev_wait_idle = trace_dev_wait_idle,
    .dev_counters = trace_dev_counters,
    .buf_create = trace_buf_create,
    .buf_destroy = trace_buf_destroy,
    .buf_wrap = trace_buf_wrap,
    .buf_export = trace_buf_export,
    .stream_create = trace_stream_create,
    .stream_destroy = trace_stream_destroy,
    .stream_flush = trace_stream_flush,
    .stream_native = trace_stream_native,
    .event_create = trace_event_create,
    .event_destroy = trace_event_destroy,
    .event_record = trace_event_record,
    .event_wait = trace_event_wait,
    .event_elapsed = trace_event_elapsed,
    .stream_wait_event = trace_stream_wait_event,
    .module_load = trace_module_load,
    .module_unload = trace_module_unload,
    .kernel_get = trace_kernel_get,
    .cmd_dispatch = trace_cmd_dispatch,
    .cmd_copy = trace_cmd_copy,
    .cmd_fill = trace_cmd_fill,
    .cmd_update = trace_cmd_update,
    .cmd_barrier = trace_cmd_barrier,
    .graph_build = trace_graph_build,
    .graph_launch = trace_graph_launch,
    .graph_destroy = trace_graph_destroy,
    .stamps_create = trace_stamps_create,
    .stamps_destroy = trace_stamps_destroy,
    .cmd_stamp = trace_cmd_stamp,
    .stamps_read = trace_stamps_read,
};

greta_status hal_trace_wrap(struct hal_dev *inner, void (*line)(void *user, const char *text), void *user,
                            struct hal_dev **out) {
    *out = NULL;
    struct trace_dev *t = calloc(1, sizeof *t);
    if (!t || pthread_mutex_init(&t->lock, NULL)) {
        const struct greta_log *log = inner->log;
        free(t);
        inner->ops->dev_close(inner);
        return greta_fail(log, GRETA_ERR_NO_MEMORY, "trace shim: out of host memory");
    }
    t->dev = *inner;
    t->inner = inner;
    t->line = line;
    t->user = user;
    t->ops = trace_ops;
    if (!inner->ops->dev_counters) t->ops.dev_counters = NULL;
    if (!inner->ops->buf_wrap) t->ops.buf_wrap = NULL;
    if (!inner->ops->buf_export) t->ops.buf_export = NULL;
    if (!inner->ops->stream_flush) t->ops.stream_flush = NULL;
    if (!inner->ops->stream_native) t->ops.stream_native = NULL;
    if (!inner->ops->event_elapsed) t->ops.event_elapsed = NULL;
    if (!inner->ops->graph_build) {
        t->ops.graph_build = NULL;
        t->ops.graph_launch = NULL;
        t->ops.graph_destroy = NULL;
    }
    if (!inner->ops->stamps_create) {
        t->ops.stamps_create = NULL;
        t->ops.stamps_destroy = NULL;
        t->ops.cmd_stamp = NULL;
        t->ops.stamps_read = NULL;
    }
    t->dev.ops = &t->ops;
    *out = &t->dev;
    return GRETA_OK;
}
