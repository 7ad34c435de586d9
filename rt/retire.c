#include "internal.h"

#include <stdlib.h>

void rt_dev_unref(struct greta_dev *dev) {
    if (atomic_fetch_sub(&dev->refs, 1) != 1) return;
    struct greta_ctx *ctx = dev->ctx;
    if (dev->hal) {
        rt_pool_finish(dev);
        dev->hal->ops->dev_close(dev->hal);
    }
    pthread_mutex_destroy(&dev->pool.lock);
    pthread_mutex_destroy(&dev->wait_lock);
    pthread_mutex_destroy(&dev->lock);
    free(dev);
    rt_ctx_unref(ctx);
}

/* The clock's tick up to which every stream has finished. */
static uint64_t finished_clock(const struct greta_dev *dev) {
    uint64_t clock = UINT64_MAX;
    for (const struct greta_stream *s = dev->streams; s; s = s->next) {
        if (!atomic_load(&s->busy)) continue;
        uint64_t done = atomic_load(&s->done_clock);
        if (done < clock) clock = done;
    }
    return clock;
}

static void release(struct greta_dev *dev, struct rt_retire *r) {
    r->release(dev, r);
    rt_dev_unref(dev);
}

void rt_retire(struct greta_dev *dev, struct rt_retire *r) {
    r->next = NULL;
    if (dev->synchronous) {
        release(dev, r);
        return;
    }
    pthread_mutex_lock(&dev->lock);
    r->stamp = atomic_fetch_add(&dev->clock, 1);
    bool now = finished_clock(dev) > r->stamp;
    if (!now) {
        *dev->retired_end = r;
        dev->retired_end = &r->next;
        atomic_fetch_add(&dev->n_retired, 1);
    }
    pthread_mutex_unlock(&dev->lock);
    if (now) release(dev, r);
}

void rt_retire_collect(struct greta_dev *dev) {
    if (!atomic_load(&dev->n_retired)) return;
    struct rt_retire *list = NULL, **end = &list;
    pthread_mutex_lock(&dev->lock);
    uint64_t clock = finished_clock(dev);
    while (dev->retired && dev->retired->stamp < clock) {
        *end = dev->retired;
        end = &dev->retired->next;
        dev->retired = dev->retired->next;
        atomic_fetch_sub(&dev->n_retired, 1);
    }
    if (!dev->retired) dev->retired_end = &dev->retired;
    pthread_mutex_unlock(&dev->lock);
    *end = NULL;
    while (list) {
        struct rt_retire *next = list->next;
        release(dev, list);
        list = next;
    }
}
