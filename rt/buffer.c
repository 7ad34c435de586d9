#include "internal.h"

#include <stdlib.h>

greta_status rt_hal_buf_create(struct greta_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                               struct hal_buf **out) {
    const struct greta_dev_ops *ops = dev->hal->ops;
    rt_retire_collect(dev);
    uint64_t start = rt_record_start(dev);
    greta_status status = rt_dev_note(dev, ops->buf_create(dev->hal, size_bytes, kind, out));
    if (status == GRETA_ERR_NO_DEVICE_MEMORY && atomic_load(&dev->n_retired)) {
        greta_logf(dev->log, GRETA_LOG_DEBUG,
                   "waiting for %u destroyed objects to be released, then trying again",
                   atomic_load(&dev->n_retired));
        if (greta_dev_wait(dev) == GRETA_OK)
            status = rt_dev_note(dev, ops->buf_create(dev->hal, size_bytes, kind, out));
    }
    if (status == GRETA_OK)
        rt_tell(dev, &(struct greta_record){
                         .type = GRETA_RECORD_ALLOC, .bytes = size_bytes, .kind = kind, .start_ns = start});
    return status;
}

static greta_status check(struct greta_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind) {
    const struct greta_limits *l = &dev->hal->limits;
    if (rt_dev_is_lost(dev)) return GRETA_ERR_DEVICE_LOST;
    if ((unsigned)kind >= GRETA_N_MEM_KINDS)
        return greta_fail(dev->log, GRETA_ERR_INVALID, "buffer: %u is no kind of memory", (unsigned)kind);
    if (!size_bytes || size_bytes > l->max_buf_bytes)
        return greta_fail(dev->log, GRETA_ERR_INVALID,
                          "buffer: %llu bytes: this device takes 1 to %llu bytes in one buffer",
                          (unsigned long long)size_bytes, (unsigned long long)l->max_buf_bytes);
    if (kind == GRETA_MEM_UNIFIED && !l->unified)
        return greta_fail(dev->log, GRETA_ERR_UNSUPPORTED,
                          "buffer: %s has no unified memory: use device memory and greta_stream_write",
                          dev->hal->info.name);
    return GRETA_OK;
}

static void release(struct greta_dev *dev, struct rt_retire *retire) {
    struct greta_buf *b = (struct greta_buf *)retire;
    if (b->block)
        rt_pool_put(dev, b->block);
    else if (b->wrapped)
        dev->hal->ops->buf_destroy(dev->hal, b->hal);
    else
        rt_hal_buf_destroy(dev, b->hal);
    free(b);
}

static struct greta_buf *handle_create(struct greta_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind) {
    struct greta_buf *b = calloc(1, sizeof *b);
    if (!b) {
        greta_logf(dev->log, GRETA_LOG_ERROR, "buffer: no host memory for its handle");
        return NULL;
    }
    *b = (struct greta_buf){.retire.release = release, .dev = dev, .size_bytes = size_bytes, .kind = kind};
    return b;
}

static void attach(struct greta_buf *b) {
    b->address = b->hal->address + b->offset_bytes;
    atomic_fetch_add(&b->dev->refs, 1);
}

/* A block of the pool, which gets one slab more where it has no room. */
static greta_status block_get(struct greta_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                              struct rt_block **out) {
    rt_retire_collect(dev);
    for (;;) {
        struct hal_buf *slab;
        greta_status status = rt_pool_get(dev, size_bytes, kind, out);
        if (status != GRETA_OK || *out) return status;
        status = rt_hal_buf_create(dev, RT_SLAB_BYTES, kind, &slab);
        if (status != GRETA_OK) return status;
        status = rt_pool_add(dev, slab);
        if (status != GRETA_OK) {
            rt_hal_buf_destroy(dev, slab);
            return status;
        }
    }
}

greta_status greta_buf_create(struct greta_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                              struct greta_buf **out) {
    if (!out) return GRETA_ERR_INVALID;
    *out = NULL;
    if (!dev) return GRETA_ERR_INVALID;
    greta_status status = check(dev, size_bytes, kind);
    if (status != GRETA_OK) return status;
    struct greta_buf *b = handle_create(dev, size_bytes, kind);
    if (!b) return GRETA_ERR_NO_MEMORY;
    if (rt_pool_serves(dev, size_bytes)) {
        status = block_get(dev, size_bytes, kind, &b->block);
        if (status == GRETA_OK) {
            b->hal = b->block->slab;
            b->offset_bytes = b->block->offset_bytes;
        }
    } else {
        status = rt_hal_buf_create(dev, size_bytes, kind, &b->hal);
    }
    if (status != GRETA_OK) {
        free(b);
        return status;
    }
    attach(b);
    *out = b;
    return GRETA_OK;
}

greta_status greta_buf_wrap(struct greta_dev *dev, void *memory, uint64_t size_bytes,
                            struct greta_buf **out) {
    if (!out) return GRETA_ERR_INVALID;
    *out = NULL;
    if (!dev || !memory || !size_bytes) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(dev)) return GRETA_ERR_DEVICE_LOST;
    if (!dev->hal->ops->buf_wrap)
        return greta_fail(dev->log, GRETA_ERR_UNSUPPORTED,
                          "buffer: %s cannot use the caller's memory: copy it", dev->hal->info.name);
    if ((uintptr_t)memory > UINTPTR_MAX - size_bytes)
        return greta_fail(dev->log, GRETA_ERR_INVALID, "buffer: %llu bytes pass the end of the address space",
                          (unsigned long long)size_bytes);
    struct greta_buf *b = handle_create(dev, size_bytes, GRETA_MEM_UNIFIED);
    if (!b) return GRETA_ERR_NO_MEMORY;
    b->wrapped = true;
    greta_status status = rt_dev_note(dev, dev->hal->ops->buf_wrap(dev->hal, memory, size_bytes, &b->hal));
    if (status != GRETA_OK) {
        free(b);
        return status;
    }
    attach(b);
    *out = b;
    return GRETA_OK;
}

greta_status greta_buf_export(struct greta_dev *dev, uint64_t size_bytes, struct greta_buf **out,
                              struct greta_export *handle) {
    if (out) *out = NULL;
    if (handle) *handle = (struct greta_export){.fd = -1};
    if (!dev || !out || !handle) return GRETA_ERR_INVALID;
    greta_status status = check(dev, size_bytes, GRETA_MEM_DEVICE);
    if (status != GRETA_OK) return status;
    if (!dev->hal->ops->buf_export || dev->hal->limits.export_type == GRETA_EXPORT_NONE)
        return greta_fail(dev->log, GRETA_ERR_UNSUPPORTED,
                          "buffer: %s cannot share its memory with other programs", dev->hal->info.name);
    struct greta_buf *b = handle_create(dev, size_bytes, GRETA_MEM_DEVICE);
    if (!b) return GRETA_ERR_NO_MEMORY;
    uint64_t start = rt_record_start(dev);
    status = rt_dev_note(dev, dev->hal->ops->buf_export(dev->hal, size_bytes, &b->hal, handle));
    if (status != GRETA_OK) {
        free(b);
        return status;
    }
    rt_tell(dev, &(struct greta_record){.type = GRETA_RECORD_ALLOC,
                                        .bytes = size_bytes,
                                        .kind = GRETA_MEM_DEVICE,
                                        .start_ns = start});
    attach(b);
    *out = b;
    return GRETA_OK;
}

void greta_buf_destroy(struct greta_buf **buf) {
    struct greta_buf *b = buf ? *buf : NULL;
    if (!b) return;
    *buf = NULL;
    rt_retire(b->dev, &b->retire);
}

uint64_t greta_buf_size(const struct greta_buf *buf) {
    return buf->size_bytes;
}

enum greta_mem_kind greta_buf_kind(const struct greta_buf *buf) {
    return buf->kind;
}

uint64_t greta_buf_address(const struct greta_buf *buf) {
    return buf ? buf->address : 0;
}

void *greta_buf_host(struct greta_buf *buf) {
    return buf->hal->host ? (unsigned char *)buf->hal->host + buf->offset_bytes : NULL;
}
