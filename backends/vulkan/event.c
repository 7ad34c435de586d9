/*
 * Events: a value of a stream's timeline, and a timestamp. Queries come from pools of the device that grow as events do.
 */
#include "vk.h"

#include <stdlib.h>

/* ---- queries ------------------------------------------------------------------------------------------------------ */

static greta_status add_pool(struct vk_device *dev) {
    struct vk_query_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return greta_fail(dev->base.log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    const VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                        .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                        .queryCount = VK_QUERIES_PER_POOL};
    VkResult r = dev->fn.CreateQueryPool(dev->handle, &info, NULL, &pool->handle);
    if (r != VK_SUCCESS) {
        free(pool);
        return vk_fail(dev, r, "vkCreateQueryPool", "creating an event");
    }
    dev->fn.ResetQueryPool(dev->handle, pool->handle, 0, VK_QUERIES_PER_POOL);
    pool->n_free = VK_QUERIES_PER_POOL;
    pool->next = dev->query_pools;
    dev->query_pools = pool;
    return GRETA_OK;
}

static greta_status take_query(struct vk_device *dev, struct vk_event *event) {
    greta_status st = GRETA_OK;
    pthread_mutex_lock(&dev->query_lock);
    struct vk_query_pool *pool = dev->query_pools;
    while (pool && !pool->n_free) pool = pool->next;
    if (!pool && (st = add_pool(dev)) == GRETA_OK) pool = dev->query_pools;
    if (pool) {
        uint32_t i = 0;
        while (pool->used[i]) i++;
        pool->used[i] = true;
        pool->n_free--;
        event->pool = pool;
        event->i_query = i;
    }
    pthread_mutex_unlock(&dev->query_lock);
    return st;
}

static void give_query(struct vk_device *dev, struct vk_event *event) {
    if (!event->pool) return;
    pthread_mutex_lock(&dev->query_lock);
    dev->fn.ResetQueryPool(dev->handle, event->pool->handle, event->i_query, 1);
    event->pool->used[event->i_query] = false;
    event->pool->n_free++;
    pthread_mutex_unlock(&dev->query_lock);
}

/* ---- events ------------------------------------------------------------------------------------------------------- */

greta_status vk_event_create(struct hal_dev *base, struct hal_event **out) {
    struct vk_device *dev = vk_device(base);
    *out = NULL;
    greta_status st = vk_alive(dev);
    if (st != GRETA_OK) return st;
    struct vk_event *event = calloc(1, sizeof *event);
    if (!event) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    if (dev->ops.event_elapsed) st = take_query(dev, event);
    if (st != GRETA_OK) {
        free(event);
        return st;
    }
    *out = &event->base;
    return GRETA_OK;
}

void vk_event_destroy(struct hal_dev *base, struct hal_event *hal) {
    struct vk_device *dev = vk_device(base);
    struct vk_event *event = (struct vk_event *)hal;
    if (!event) return;
    give_query(dev, event);
    vk_stream_unref(dev, event->stream);
    free(event);
}

/* A query that was written must be reset first: by the host where the device is done with it, which costs it nothing. */
static void write_timestamp(struct vk_device *dev, struct vk_event *event, VkCommandBuffer cb) {
    if (event->stream) {
        uint64_t now = 0;
        VkResult r = dev->fn.GetSemaphoreCounterValue(dev->handle, event->stream->timeline, &now);
        if (r == VK_SUCCESS && now >= event->value)
            dev->fn.ResetQueryPool(dev->handle, event->pool->handle, event->i_query, 1);
        else
            dev->fn.CmdResetQueryPool(cb, event->pool->handle, event->i_query, 1);
    }
    dev->fn.CmdWriteTimestamp2(cb, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, event->pool->handle, event->i_query);
}

greta_status vk_event_record(struct hal_dev *base, struct hal_event *hal, struct hal_stream *hal_stream) {
    struct vk_device *dev = vk_device(base);
    struct vk_event *event = (struct vk_event *)hal;
    struct vk_stream *s = (struct vk_stream *)hal_stream, *before = event->stream;
    pthread_mutex_lock(&s->lock);
    greta_status st = event->pool ? vk_stream_begin(dev, s) : vk_alive(dev);
    if (st == GRETA_OK) {
        if (event->pool) write_timestamp(dev, event, s->recorder.cb);
        bool open = s->recorder.cb || s->n_in_info;
        event->value = open ? s->next : s->next - 1;
        event->stream = s;
        vk_stream_ref(s);
    }
    pthread_mutex_unlock(&s->lock);
    if (st == GRETA_OK) vk_stream_unref(dev, before);
    return st;
}

greta_status vk_event_wait(struct hal_dev *base, struct hal_event *hal, uint64_t timeout_ns) {
    struct vk_device *dev = vk_device(base);
    struct vk_event *event = (struct vk_event *)hal;
    if (!event->stream) return vk_alive(dev);
    greta_status st = vk_stream_submit_to(dev, event->stream, event->value);
    return st == GRETA_OK ? vk_stream_wait_value(dev, event->stream, event->value, timeout_ns) : st;
}

static VkResult read_timestamp(struct vk_device *dev, const struct vk_event *event, uint64_t *ticks) {
    return dev->fn.GetQueryPoolResults(dev->handle, event->pool->handle, event->i_query, 1, sizeof *ticks,
                                       ticks, sizeof *ticks, VK_QUERY_RESULT_64_BIT);
}

greta_status vk_event_elapsed(struct hal_dev *base, struct hal_event *hal_from, struct hal_event *hal_to,
                              uint64_t *out_ns) {
    struct vk_device *dev = vk_device(base);
    uint64_t from = 0, to = 0, mask = dev->physical->timestamp_mask;
    *out_ns = 0;
    greta_status st = vk_alive(dev);
    if (st != GRETA_OK) return st;
    VkResult r = read_timestamp(dev, (struct vk_event *)hal_from, &from);
    if (r == VK_SUCCESS) r = read_timestamp(dev, (struct vk_event *)hal_to, &to);
    if (r == VK_NOT_READY)
        return greta_fail(base->log, GRETA_ERR_INVALID,
                          "vulkan: the time of an event that has not come to pass was asked");
    if (r != VK_SUCCESS) return vk_fail(dev, r, "vkGetQueryPoolResults", "reading timestamps");
    uint64_t ticks = (to - from) & mask;
    if (ticks > mask / 2) return GRETA_OK; /* `to` was before `from` */
    *out_ns = (uint64_t)((double)ticks * base->limits.timestamp_period_ns);
    return GRETA_OK;
}
