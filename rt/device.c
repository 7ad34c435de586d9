#include "internal.h"

#include <stdlib.h>

greta_status rt_dev_note(struct greta_dev *dev, greta_status status) {
    if (status == GRETA_ERR_DEVICE_LOST && !atomic_exchange(&dev->lost, true))
        greta_logf(dev->log, GRETA_LOG_ERROR,
                   "%s was lost: nothing more runs on it; close it and open it again, with a smaller model "
                   "or context "
                   "if it happens again",
                   dev->hal->info.name);
    return status;
}

/* Puts the shims in front; each takes over the device that it is given, also where it fails. */
static greta_status wrap(struct greta_dev *dev, const struct greta_dev_params *params) {
    greta_status status = GRETA_OK;
    struct hal_dev *inner = dev->hal;
    if (params && params->fault.enabled) {
        struct hal_fault_params fault = {params->fault.fail_call, params->fault.fail_status,
                                         params->fault.lower};
        dev->hal = NULL;
        status = hal_fault_wrap(inner, &fault, &dev->hal);
        if (status != GRETA_OK) return status;
        dev->fault = inner = dev->hal;
    }
    if (params && params->trace.line) {
        dev->hal = NULL;
        status = hal_trace_wrap(inner, params->trace.line, params->trace.user, &dev->hal);
    }
    return status;
}

static struct greta_dev *dev_create(struct greta_ctx *ctx) {
    struct greta_dev *dev = calloc(1, sizeof *dev);
    if (!dev) {
        greta_logf(ctx->log, GRETA_LOG_ERROR, "device: out of memory");
        return NULL;
    }
    dev->ctx = ctx;
    dev->log = ctx->log;
    dev->telemetry = ctx->telemetry;
    dev->barrier_always = ctx->barrier_always;
    dev->retired_end = &dev->retired;
    atomic_init(&dev->refs, 1);
    atomic_init(&dev->clock, 1);
    pthread_mutex_init(&dev->lock, NULL);
    pthread_mutex_init(&dev->wait_lock, NULL);
    pthread_mutex_init(&dev->pool.lock, NULL);
    atomic_fetch_add(&ctx->refs, 1);
    return dev;
}

greta_status greta_dev_open(struct greta_ctx *ctx, const char *name, const struct greta_dev_params *params,
                            struct greta_dev **out) {
    if (!out) return GRETA_ERR_INVALID;
    *out = NULL;
    if (!ctx) return GRETA_ERR_INVALID;
    struct greta_dev *dev = dev_create(ctx);
    if (!dev) return GRETA_ERR_NO_MEMORY;
    const struct greta_backend *table;
    greta_status status = rt_probe_open(ctx, name, &table, &dev->hal);
    if (status == GRETA_OK) {
        dev->format = table->image_format;
        dev->synchronous = table->image_format == GRETA_IMAGE_HOST;
        status = wrap(dev, params);
    }
    if (status != GRETA_OK) {
        rt_dev_unref(dev);
        return status;
    }
    *out = dev;
    return GRETA_OK;
}

void greta_dev_close(struct greta_dev **dev) {
    struct greta_dev *d = dev ? *dev : NULL;
    if (!d) return;
    *dev = NULL;
    rt_retire_collect(d);
    unsigned n_alive = atomic_load(&d->refs) - 1 - atomic_load(&d->n_retired);
    if (n_alive)
        greta_logf(d->log, GRETA_LOG_WARN,
                   "%s: closed while %u of its objects are alive: it goes with the last of them",
                   d->hal->info.name, n_alive);
    rt_dev_unref(d);
}

const struct greta_dev_info *greta_dev_get_info(const struct greta_dev *dev) {
    return &dev->hal->info;
}

const struct greta_limits *greta_dev_get_limits(const struct greta_dev *dev) {
    return &dev->hal->limits;
}

enum greta_image_format greta_dev_get_image_format(const struct greta_dev *dev) {
    return dev->format;
}

const struct greta_log *greta_dev_get_log(const struct greta_dev *dev) {
    return dev->log;
}

greta_status greta_dev_mem_info(struct greta_dev *dev, struct greta_mem_info *out) {
    if (!out) return GRETA_ERR_INVALID;
    *out = (struct greta_mem_info){0};
    if (!dev) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(dev)) return GRETA_ERR_DEVICE_LOST;
    return rt_dev_note(dev, dev->hal->ops->dev_mem_info(dev->hal, out));
}

static void note_flushed(struct greta_dev *dev) {
    pthread_mutex_lock(&dev->lock);
    for (struct greta_stream *s = dev->streams; s; s = s->next)
        s->waited_clock = atomic_load(&s->flushed_clock);
    pthread_mutex_unlock(&dev->lock);
}

static void note_finished(struct greta_dev *dev) {
    pthread_mutex_lock(&dev->lock);
    for (struct greta_stream *s = dev->streams; s; s = s->next)
        if (atomic_load(&s->done_clock) < s->waited_clock) atomic_store(&s->done_clock, s->waited_clock);
    pthread_mutex_unlock(&dev->lock);
}

/* What was flushed before the wait is finished after it. Streams of other threads may record on meanwhile. */
greta_status greta_dev_wait(struct greta_dev *dev) {
    if (!dev) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(dev)) return GRETA_ERR_DEVICE_LOST;
    uint64_t start = rt_record_start(dev);
    pthread_mutex_lock(&dev->wait_lock);
    note_flushed(dev);
    greta_status status = rt_dev_note(dev, dev->hal->ops->dev_wait_idle(dev->hal));
    if (status == GRETA_OK) note_finished(dev);
    pthread_mutex_unlock(&dev->wait_lock);
    if (status != GRETA_OK) return status;
    rt_retire_collect(dev);
    rt_record(dev, GRETA_RECORD_WAIT, NULL, 0, NULL, start);
    return GRETA_OK;
}

greta_status greta_dev_counters(struct greta_dev *dev, struct greta_counter *out, uint32_t capacity,
                                uint32_t *n) {
    if (!n) return GRETA_ERR_INVALID;
    *n = 0;
    if (!dev || (capacity && !out)) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(dev)) return GRETA_ERR_DEVICE_LOST;
    if (!dev->hal->ops->dev_counters) return GRETA_ERR_UNSUPPORTED;
    return rt_dev_note(dev, dev->hal->ops->dev_counters(dev->hal, out, capacity, n));
}

uint64_t greta_dev_n_calls(const struct greta_dev *dev) {
    return dev->fault ? hal_fault_n_calls(dev->fault) : 0;
}
