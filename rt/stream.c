#include "internal.h"

#include <stdlib.h>

/* ---- life ------------------------------------------------------------------------------------------------------- */

static void staging_free(struct greta_stream *s) {
    struct hal_dev *hal = s->dev->hal;
    for (int i = 0; i < RT_N_CHUNKS; i++) {
        struct rt_chunk *c = &s->upload[i];
        if (c->mark.event) hal->ops->event_destroy(hal, c->mark.event);
        if (c->buf) rt_hal_buf_destroy(s->dev, c->buf);
    }
    if (s->readback) rt_hal_buf_destroy(s->dev, s->readback);
}

static void stream_free(struct greta_stream *s) {
    const struct greta_dev_ops *ops = s->dev->hal->ops;
    rt_recording_free(&s->recording);
    staging_free(s);
    for (int i = 0; i < RT_N_MARKS; i++)
        if (s->marks[i].event) ops->event_destroy(s->dev->hal, s->marks[i].event);
    if (s->wait_event) ops->event_destroy(s->dev->hal, s->wait_event);
    if (s->hal) ops->stream_destroy(s->dev->hal, s->hal);
    free(s);
}

greta_status greta_stream_create(struct greta_dev *dev, struct greta_stream **out) {
    if (!out) return GRETA_ERR_INVALID;
    *out = NULL;
    if (!dev) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(dev)) return GRETA_ERR_DEVICE_LOST;
    struct greta_stream *s = calloc(1, sizeof *s);
    if (!s) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "stream: out of memory");
    s->dev = dev;
    greta_status status = rt_dev_note(dev, dev->hal->ops->stream_create(dev->hal, &s->hal));
    if (status == GRETA_OK) status = rt_dev_note(dev, dev->hal->ops->event_create(dev->hal, &s->wait_event));
    if (status != GRETA_OK) {
        stream_free(s);
        return status;
    }
    atomic_fetch_add(&dev->refs, 1);
    pthread_mutex_lock(&dev->lock);
    s->next = dev->streams;
    dev->streams = s;
    pthread_mutex_unlock(&dev->lock);
    *out = s;
    return GRETA_OK;
}

void greta_stream_destroy(struct greta_stream **stream) {
    struct greta_stream *s = stream ? *stream : NULL;
    if (!s) return;
    *stream = NULL;
    struct greta_dev *dev = s->dev;
    rt_recording_free(&s->recording);
    if (atomic_load(&s->busy) && rt_stream_sync(s) != GRETA_OK)
        (void)!dev->hal->ops->dev_wait_idle(dev->hal); /* all that is left to try */
    pthread_mutex_lock(&dev->lock);
    struct greta_stream **p = &dev->streams;
    while (*p != s) p = &(*p)->next;
    *p = s->next;
    pthread_mutex_unlock(&dev->lock);
    rt_retire_collect(dev);
    stream_free(s);
    rt_dev_unref(dev);
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

greta_status rt_stream_check(struct greta_stream *s, const char *what, bool recordable) {
    if (!s) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(s->dev)) return GRETA_ERR_DEVICE_LOST;
    if (s->recording && !recordable)
        return greta_fail(
            s->dev->log, GRETA_ERR_INVALID,
            "%s: not between greta_graph_begin and greta_graph_end: only dispatches, copies, fills and "
            "updates are",
            what);
    return GRETA_OK;
}

greta_status rt_stream_barrier(struct greta_stream *s) {
    struct greta_dev *dev = s->dev;
    greta_status status;
    if (s->recording) {
        status = rt_recording_add(s, &(struct hal_cmd){.type = HAL_CMD_BARRIER});
        if (status == GRETA_OK) rt_hazard_clear(&s->recording->hazard);
        return status;
    }
    status = rt_dev_note(dev, dev->hal->ops->cmd_barrier(dev->hal, s->hal));
    if (status != GRETA_OK) return status;
    rt_hazard_clear(&s->hazard);
    rt_tell(dev, &(struct greta_record){.type = GRETA_RECORD_BARRIER, .stream = s});
    return GRETA_OK;
}

greta_status rt_stream_order(struct greta_stream *s, const struct rt_access *accesses, uint32_t n) {
    struct rt_hazard *h = s->recording ? &s->recording->hazard : &s->hazard;
    if (s->dev->barrier_always || rt_hazard_conflicts(h, accesses, n)) {
        greta_status status = rt_stream_barrier(s);
        if (status != GRETA_OK) return status;
    }
    rt_hazard_add(h, accesses, n);
    if (!s->recording) rt_stream_touch(s);
    return GRETA_OK;
}

/* ---- dispatch --------------------------------------------------------------------------------------------------- */

greta_status rt_buf_check(const struct greta_stream *s, const char *what, const struct greta_buf *buf,
                          uint64_t offset_bytes, uint64_t size_bytes, uint64_t alignment) {
    const struct greta_log *log = s->dev->log;
    if (!buf) return greta_fail(log, GRETA_ERR_INVALID, "%s: no buffer given", what);
    if (buf->dev != s->dev)
        return greta_fail(log, GRETA_ERR_INVALID, "%s: the buffer is another device's", what);
    if (offset_bytes > buf->size_bytes || size_bytes > buf->size_bytes - offset_bytes)
        return greta_fail(log, GRETA_ERR_INVALID,
                          "%s: %llu bytes at %llu pass the end of a buffer of %llu bytes", what,
                          (unsigned long long)size_bytes, (unsigned long long)offset_bytes,
                          (unsigned long long)buf->size_bytes);
    if ((offset_bytes | size_bytes) & (alignment - 1))
        return greta_fail(log, GRETA_ERR_INVALID, "%s: %llu bytes at %llu: both must be multiples of %llu",
                          what, (unsigned long long)size_bytes, (unsigned long long)offset_bytes,
                          (unsigned long long)alignment);
    return GRETA_OK;
}

static greta_status check_grid(const struct greta_stream *s, const char *name, const uint32_t groups[3]) {
    const struct greta_limits *l = &s->dev->hal->limits;
    for (int i = 0; i < 3; i++)
        if (!groups[i] || groups[i] > l->max_groups[i])
            return greta_fail(s->dev->log, GRETA_ERR_INVALID,
                              "kernel %s: %u groups in dimension %d: this device takes 1 to %u", name,
                              groups[i], i, l->max_groups[i]);
    return GRETA_OK;
}

static greta_status check_args(const struct greta_stream *s, const struct greta_dispatch *d) {
    const struct greta_limits *l = &s->dev->hal->limits;
    const char *name = d->kernel->name;
    uint32_t max_bindings = l->max_bindings < RT_MAX_BINDINGS ? l->max_bindings : RT_MAX_BINDINGS;
    if (d->n_bindings > max_bindings)
        return greta_fail(s->dev->log, GRETA_ERR_INVALID, "kernel %s: %u bindings, and at most %u are taken",
                          name, d->n_bindings, max_bindings);
    if (d->constants_bytes > RT_MAX_CONSTANTS_BYTES ||
        8 * d->n_bindings + d->constants_bytes > l->max_args_bytes)
        return greta_fail(
            s->dev->log, GRETA_ERR_INVALID,
            "kernel %s: %u bindings and %u bytes of constants: this device takes %u bytes, 8 a binding", name,
            d->n_bindings, d->constants_bytes, l->max_args_bytes);
    if (d->constants_bytes % 4)
        return greta_fail(s->dev->log, GRETA_ERR_INVALID,
                          "kernel %s: %u bytes of constants: not a multiple of 4", name, d->constants_bytes);
    if ((d->n_bindings && !d->bindings) || (d->constants_bytes && !d->constants))
        return greta_fail(s->dev->log, GRETA_ERR_INVALID, "kernel %s: no pointer to its arguments", name);
    return GRETA_OK;
}

static greta_status bind(const struct greta_stream *s, const char *name, const struct greta_binding *in,
                         struct hal_binding *out, struct rt_access *access) {
    uint64_t size = in->size_bytes;
    if (!size && in->buf && in->offset_bytes < in->buf->size_bytes)
        size = in->buf->size_bytes - in->offset_bytes;
    greta_status status = rt_buf_check(s, name, in->buf, in->offset_bytes, size, 1);
    if (status != GRETA_OK) return status;
    if (!size || size > UINT32_MAX)
        return greta_fail(
            s->dev->log, GRETA_ERR_INVALID,
            "kernel %s: a binding of %llu bytes: 1 byte to 4 GiB - 1 are taken, so split it by rows", name,
            (unsigned long long)size);
    if (in->access < GRETA_READ || in->access > GRETA_READ_WRITE)
        return greta_fail(s->dev->log, GRETA_ERR_INVALID, "kernel %s: a binding with no access given", name);
    uint64_t address = in->buf->address + in->offset_bytes;
    *out = (struct hal_binding){in->buf->hal, in->buf->offset_bytes + in->offset_bytes, size, in->access};
    *access = (struct rt_access){{address, address + size}, in->access};
    return GRETA_OK;
}

/* With a sink. */
static greta_status submit_told(struct greta_stream *s, const struct greta_dispatch *d,
                                const struct hal_cmd *cmd) {
    struct greta_dev *dev = s->dev;
    struct greta_record r = {.type = GRETA_RECORD_DISPATCH,
                             .name = d->kernel->name,
                             .groups = {d->groups[0], d->groups[1], d->groups[2]},
                             .recorded = s->recording != NULL,
                             .stream = s,
                             .label = d->label};
    (void)rt_before(dev, &r);
    if (!s->recording) r.start_ns = rt_record_start(dev);
    greta_status status =
        s->recording ? rt_recording_add(s, cmd)
                     : rt_dev_note(dev, dev->hal->ops->cmd_dispatch(dev->hal, s->hal, &cmd->dispatch));
    if (status == GRETA_OK) rt_tell(dev, &r);
    return status;
}

static greta_status submit(struct greta_stream *s, const struct greta_dispatch *d,
                           const struct hal_binding *bindings) {
    struct hal_cmd cmd = {.type = HAL_CMD_DISPATCH,
                          .dispatch = {.kernel = d->kernel->hal,
                                       .groups = {d->groups[0], d->groups[1], d->groups[2]},
                                       .n_bindings = d->n_bindings,
                                       .constants_bytes = d->constants_bytes,
                                       .bindings = bindings,
                                       .constants = d->constants}};
    if (s->dev->telemetry) return submit_told(s, d, &cmd);
    if (s->recording) return rt_recording_add(s, &cmd);
    return rt_dev_note(s->dev, s->dev->hal->ops->cmd_dispatch(s->dev->hal, s->hal, &cmd.dispatch));
}

static void note_host(struct greta_stream *s, const struct hal_buf *buf) {
    if (buf->host) (s->recording ? &s->recording->hazard : &s->hazard)->host_sees = true;
}

greta_status greta_stream_dispatch(struct greta_stream *s, const struct greta_dispatch *d) {
    greta_status status = rt_stream_check(s, "dispatch", true);
    if (status != GRETA_OK) return status;
    if (!d || !d->kernel || d->kernel->module->dev != s->dev)
        return greta_fail(s->dev->log, GRETA_ERR_INVALID, "dispatch: %s",
                          d && d->kernel ? "the kernel is another device's" : "no kernel given");
    status = check_grid(s, d->kernel->name, d->groups);
    if (status == GRETA_OK) status = check_args(s, d);
    if (status != GRETA_OK) return status;
    struct hal_binding bindings[RT_MAX_BINDINGS];
    struct rt_access accesses[RT_MAX_BINDINGS];
    for (uint32_t i = 0; i < d->n_bindings; i++) {
        status = bind(s, d->kernel->name, &d->bindings[i], &bindings[i], &accesses[i]);
        if (status != GRETA_OK) return status;
    }
    status = rt_stream_order(s, accesses, d->n_bindings);
    if (status != GRETA_OK) return status;
    for (uint32_t i = 0; i < d->n_bindings; i++)
        if (bindings[i].access & GRETA_WRITE) note_host(s, bindings[i].buf);
    return submit(s, d, bindings);
}

/* ---- flush and wait --------------------------------------------------------------------------------------------- */

static void finished(struct greta_stream *s, uint64_t clock) {
    if (atomic_load(&s->done_clock) < clock) atomic_store(&s->done_clock, clock);
}

greta_status rt_stream_flush(struct greta_stream *s) {
    struct greta_dev *dev = s->dev;
    struct greta_record r = {.type = GRETA_RECORD_FLUSH, .stream = s};
    (void)rt_before(dev, &r);
    uint64_t clock = atomic_load(&dev->clock);
    r.start_ns = rt_record_start(dev);
    greta_status status = GRETA_OK;
    if (dev->hal->ops->stream_flush) status = rt_dev_note(dev, dev->hal->ops->stream_flush(dev->hal, s->hal));
    if (status != GRETA_OK) return status;
    atomic_store(&s->flushed_clock, clock);
    rt_tell(dev, &r);
    return GRETA_OK;
}

greta_status rt_mark_record(struct greta_stream *s, struct rt_mark *mark) {
    struct greta_dev *dev = s->dev;
    greta_status status = GRETA_OK;
    if (!mark->event) status = rt_dev_note(dev, dev->hal->ops->event_create(dev->hal, &mark->event));
    if (status != GRETA_OK) return status;
    mark->clock = atomic_load(&dev->clock);
    status = rt_dev_note(dev, dev->hal->ops->event_record(dev->hal, mark->event, s->hal));
    mark->pending = status == GRETA_OK;
    return status;
}

greta_status rt_mark_wait(struct greta_stream *s, struct rt_mark *mark, uint64_t timeout_ns) {
    if (!mark->pending) return GRETA_OK;
    greta_status status =
        rt_dev_note(s->dev, s->dev->hal->ops->event_wait(s->dev->hal, mark->event, timeout_ns));
    if (status != GRETA_OK) return status;
    mark->pending = false;
    finished(s, mark->clock);
    return GRETA_OK;
}

/* Objects wait to be released, and this stream may never be waited for: leave a mark to ask later. */
static greta_status leave_mark(struct greta_stream *s) {
    struct rt_mark *spare = NULL;
    for (int i = 0; i < RT_N_MARKS; i++) {
        greta_status status = rt_mark_wait(s, &s->marks[i], 0);
        if (status != GRETA_OK && status != GRETA_ERR_TIMEOUT) return status;
        if (!s->marks[i].pending) spare = &s->marks[i];
    }
    rt_retire_collect(s->dev);
    return spare && atomic_load(&s->dev->n_retired) ? rt_mark_record(s, spare) : GRETA_OK;
}

greta_status greta_stream_flush(struct greta_stream *s) {
    greta_status status = rt_stream_check(s, "flush", false);
    if (status == GRETA_OK && atomic_load(&s->busy) && atomic_load(&s->dev->n_retired))
        status = leave_mark(s);
    return status == GRETA_OK ? rt_stream_flush(s) : status;
}

void *greta_stream_native(struct greta_stream *s) {
    if (rt_stream_check(s, "native handle", false) != GRETA_OK || !s->dev->hal->ops->stream_native)
        return NULL;
    rt_stream_touch(s);
    return s->dev->hal->ops->stream_native(s->dev->hal, s->hal);
}

/* Nothing is under way: the chunks are free again. */
static void staging_idle(struct greta_stream *s) {
    for (int i = 0; i < RT_N_CHUNKS; i++) {
        s->upload[i].mark.pending = false;
        s->upload[i].used_bytes = 0;
    }
}

greta_status rt_stream_sync(struct greta_stream *s) {
    struct greta_dev *dev = s->dev;
    greta_status status = s->hazard.host_sees ? rt_stream_barrier(s) : GRETA_OK;
    uint64_t start = rt_record_start(dev);
    if (status == GRETA_OK)
        status = rt_dev_note(dev, dev->hal->ops->event_record(dev->hal, s->wait_event, s->hal));
    if (status == GRETA_OK) status = rt_stream_flush(s);
    if (status == GRETA_OK)
        status = rt_dev_note(dev, dev->hal->ops->event_wait(dev->hal, s->wait_event, UINT64_MAX));
    if (status != GRETA_OK) return status;
    for (int i = 0; i < RT_N_MARKS; i++) s->marks[i].pending = false;
    staging_idle(s);
    atomic_store(&s->busy, false);
    rt_retire_collect(dev);
    rt_tell(dev, &(struct greta_record){.type = GRETA_RECORD_WAIT, .stream = s, .start_ns = start});
    return GRETA_OK;
}

greta_status greta_stream_wait(struct greta_stream *s) {
    greta_status status = rt_stream_check(s, "wait", false);
    return status == GRETA_OK ? rt_stream_sync(s) : status;
}
