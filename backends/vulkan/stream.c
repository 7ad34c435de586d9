/*
 * Streams. What is recorded is gathered, with the graphs' command buffers in between, and goes to the queue in one
 * vkQueueSubmit2: a decode step (an update, a graph, a readback) is one. A batch is what one submit took of the stream's
 * own command buffers; a ring of batches bounds how far the host runs ahead.
 */
#include "vk.h"

#include <clock.h>

#include <sched.h>
#include <stdlib.h>

/* ---- lifetime ----------------------------------------------------------------------------------------------------- */

void vk_stream_ref(struct vk_stream *s) {
    atomic_fetch_add(&s->refs, 1);
}

void vk_stream_unref(struct vk_device *dev, struct vk_stream *s) {
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1) return;
    if (s->timeline) dev->fn.DestroySemaphore(dev->handle, s->timeline, NULL);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void drop_waits(struct vk_device *dev, struct vk_batch *b) {
    for (uint32_t i = 0; i < b->n_waits; i++) vk_stream_unref(dev, b->wait_streams[i]);
    b->n_waits = 0;
}

static void drop_batches(struct vk_device *dev, struct vk_stream *s) {
    for (uint32_t i = 0; i < s->n_waits; i++) vk_stream_unref(dev, s->wait_streams[i]);
    s->n_waits = 0;
    for (int i = 0; i < VK_N_BATCHES; i++) {
        drop_waits(dev, &s->batches[i]);
        if (s->batches[i].pool) dev->fn.DestroyCommandPool(dev->handle, s->batches[i].pool, NULL);
        s->batches[i].pool = VK_NULL_HANDLE;
    }
}

static VkResult create_parts(struct vk_device *dev, struct vk_stream *s) {
    const VkSemaphoreTypeCreateInfo timeline = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                                .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &timeline};
    VkResult r = dev->fn.CreateSemaphore(dev->handle, &info, NULL, &s->timeline);
    if (r != VK_SUCCESS) s->timeline = VK_NULL_HANDLE;
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
                                          .queueFamilyIndex = dev->physical->i_queue_family};
    for (int i = 0; i < VK_N_BATCHES && r == VK_SUCCESS; i++) {
        r = dev->fn.CreateCommandPool(dev->handle, &pool, NULL, &s->batches[i].pool);
        if (r != VK_SUCCESS) s->batches[i].pool = VK_NULL_HANDLE;
    }
    return r;
}

greta_status vk_stream_create(struct hal_dev *base, struct hal_stream **out) {
    struct vk_device *dev = vk_device(base);
    *out = NULL;
    greta_status st = vk_alive(dev);
    if (st != GRETA_OK) return st;
    struct vk_stream *s = calloc(1, sizeof *s);
    if (!s) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    atomic_init(&s->refs, 1);
    pthread_mutex_init(&s->lock, NULL);
    s->next = 1;
    VkResult r = create_parts(dev, s);
    if (r != VK_SUCCESS) {
        drop_batches(dev, s);
        vk_stream_unref(dev, s);
        return vk_fail(dev, r, "vkCreateSemaphore or vkCreateCommandPool", "creating a stream");
    }
    *out = &s->base;
    return GRETA_OK;
}

/* Events may still point at the stream: its timeline lives until the last of them lets go. */
void vk_stream_destroy(struct hal_dev *base, struct hal_stream *hal) {
    struct vk_device *dev = vk_device(base);
    struct vk_stream *s = (struct vk_stream *)hal;
    if (!s) return;
    if (vk_stream_flush(base, hal) == GRETA_OK)
        (void)vk_stream_wait_value(dev, s, atomic_load(&s->submitted), UINT64_MAX);
    drop_batches(dev, s);
    vk_stream_unref(dev, s);
}

/* ---- waiting ------------------------------------------------------------------------------------------------------ */

/*
 * Polls for a while before it sleeps. On an H200 in a virtual machine a sleeping wait came 250 us after the device was done
 * (a decode step of 0.88 ms took 1.13 ms and more), and the next recording took three times as long on a core that had
 * cooled down. Where the device shares cores or power with the host, polling would slow down what it waits for.
 */
static uint64_t poll_ns(const struct vk_device *dev) {
    switch (dev->base.info.type) {
    case GRETA_DEV_DISCRETE: return 20000000;
    case GRETA_DEV_INTEGRATED: return 50000;
    default: return 0;
    }
}

/* VK_TIMEOUT where the value has not come by `until_ns` of the clock. It looks at least once. */
static VkResult poll_value(struct vk_device *dev, struct vk_stream *s, uint64_t value, uint64_t until_ns) {
    for (;;) {
        for (int i = 0; i < 32; i++) {
            uint64_t now = 0;
            VkResult r = dev->fn.GetSemaphoreCounterValue(dev->handle, s->timeline, &now);
            if (r != VK_SUCCESS) return r;
            if (now >= value) return VK_SUCCESS;
            if (!until_ns) return VK_TIMEOUT;
        }
        if (clock_ns() >= until_ns) return VK_TIMEOUT;
        (void)sched_yield();
    }
}

/* In slices, so that a thread that waits for ever sees that another one lost the device. */
static VkResult sleep_for_value(struct vk_device *dev, struct vk_stream *s, uint64_t value,
                                uint64_t until_ns) {
    enum { SLICE_NS = 250000000 };
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &s->timeline,
                                      .pValues = &value};
    for (;;) {
        uint64_t now = clock_ns(), left = until_ns > now ? until_ns - now : 0;
        VkResult r = dev->fn.WaitSemaphores(dev->handle, &info, left < SLICE_NS ? left : SLICE_NS);
        if (r != VK_TIMEOUT || left <= SLICE_NS) return r;
        if (vk_alive(dev) != GRETA_OK) return VK_ERROR_DEVICE_LOST;
    }
}

greta_status vk_stream_wait_value(struct vk_device *dev, struct vk_stream *s, uint64_t value,
                                  uint64_t timeout_ns) {
    greta_status st = vk_alive(dev);
    if (st != GRETA_OK) return st;
    uint64_t now = timeout_ns ? clock_ns() : 0, polls = poll_ns(dev);
    uint64_t until = timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
    VkResult r = poll_value(dev, s, value, timeout_ns < polls ? until : polls ? now + polls : 0);
    if (r == VK_TIMEOUT && timeout_ns > polls) r = sleep_for_value(dev, s, value, until);
    if (r == VK_SUCCESS) return GRETA_OK;
    return r == VK_TIMEOUT ? GRETA_ERR_TIMEOUT : vk_fail(dev, r, "vkWaitSemaphores", "waiting for work");
}

/* ---- submitting ---------------------------------------------------------------------------------------------------- */

static greta_status end_buffer(struct vk_device *dev, struct vk_stream *s) {
    VkCommandBuffer cb = s->recorder.cb;
    s->recorder = (struct vk_recorder){0};
    VkResult r = dev->fn.EndCommandBuffer(cb);
    if (r != VK_SUCCESS) {
        /* What was recorded is gone, and events may stand for it: going on would be silent garbage. */
        atomic_store(&dev->lost, true);
        return vk_fail(dev, r, "vkEndCommandBuffer", "recording; the device is given up");
    }
    s->pending[s->n_pending++] = (VkCommandBufferSubmitInfo){
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = cb};
    s->n_in_info++;
    return GRETA_OK;
}

/* Ends a submit info: the timeline comes to s->next when its command buffers are done. */
static void cut(struct vk_stream *s) {
    s->info_has_graph = false;
    if (!s->n_in_info) return;
    s->info_cbs[s->n_infos++] = s->n_in_info;
    s->n_in_info = 0;
    s->next++;
}

static VkResult queue_submit(struct vk_device *dev, struct vk_stream *s) {
    VkSubmitInfo2 infos[VK_MAX_PENDING];
    VkSemaphoreSubmitInfo signals[VK_MAX_PENDING];
    const VkCommandBufferSubmitInfo *cbs = s->pending;
    for (uint32_t i = 0; i < s->n_infos; i++) {
        signals[i] = (VkSemaphoreSubmitInfo){.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                             .semaphore = s->timeline,
                                             .value = s->next - s->n_infos + i,
                                             .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
        infos[i] = (VkSubmitInfo2){.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                   .waitSemaphoreInfoCount = i ? 0 : s->n_waits,
                                   .pWaitSemaphoreInfos = s->waits,
                                   .commandBufferInfoCount = s->info_cbs[i],
                                   .pCommandBufferInfos = cbs,
                                   .signalSemaphoreInfoCount = 1,
                                   .pSignalSemaphoreInfos = &signals[i]};
        cbs += s->info_cbs[i];
    }
    pthread_mutex_lock(&dev->queue_lock);
    VkResult r = dev->fn.QueueSubmit2(dev->queue, s->n_infos, infos, VK_NULL_HANDLE);
    pthread_mutex_unlock(&dev->queue_lock);
    return r;
}

/* A batch that comes round again: its last submit must be done. */
static greta_status recycle(struct vk_device *dev, struct vk_stream *s, struct vk_batch *b) {
    if (!b->stale) return GRETA_OK;
    greta_status st = vk_stream_wait_value(dev, s, b->value, UINT64_MAX);
    if (st != GRETA_OK) return st;
    drop_waits(dev, b);
    VkResult r = b->n_used ? dev->fn.ResetCommandPool(dev->handle, b->pool, 0) : VK_SUCCESS;
    if (r != VK_SUCCESS) return vk_fail(dev, r, "vkResetCommandPool", "recording");
    b->n_used = 0;
    b->stale = false;
    return GRETA_OK;
}

/* The streams that were waited for live until the batch is done. */
static void rotate(struct vk_stream *s) {
    struct vk_batch *b = &s->batches[s->i_batch];
    for (uint32_t i = 0; i < s->n_waits; i++) b->wait_streams[b->n_waits++] = s->wait_streams[i];
    b->value = s->next - 1;
    s->i_batch = (s->i_batch + 1) % VK_N_BATCHES;
    s->batches[s->i_batch].stale = true;
}

greta_status vk_stream_submit(struct vk_device *dev, struct vk_stream *s) {
    greta_status st = vk_alive(dev);
    if (s->recorder.cb && st == GRETA_OK) {
        vk_record_host_barrier(dev, &s->recorder);
        st = end_buffer(dev, s);
    }
    if (st != GRETA_OK) return st;
    cut(s);
    if (!s->n_infos) return GRETA_OK;
    st = recycle(dev, s,
                 &s->batches[s->i_batch]); /* where only graphs were launched, it is still to be done */
    if (st != GRETA_OK) return st;
    VkResult r = queue_submit(dev, s);
    if (r != VK_SUCCESS) {
        if (r != VK_ERROR_DEVICE_LOST) atomic_store(&dev->lost, true); /* as in end_buffer */
        st = vk_fail(dev, r, "vkQueueSubmit2", "handing work to the device, which is given up");
        s->n_pending = s->n_infos = s->n_commands = 0;
        return st;
    }
    rotate(s);
    s->n_waits = s->n_pending = s->n_infos = s->n_commands = 0;
    atomic_store(&s->submitted, s->next - 1);
    return GRETA_OK;
}

greta_status vk_stream_submit_to(struct vk_device *dev, struct vk_stream *s, uint64_t value) {
    greta_status st = GRETA_OK;
    if (atomic_load(&s->submitted) >= value) return st;
    pthread_mutex_lock(&s->lock);
    if (atomic_load(&s->submitted) < value) st = vk_stream_submit(dev, s);
    pthread_mutex_unlock(&s->lock);
    return st;
}

greta_status vk_stream_flush(struct hal_dev *base, struct hal_stream *hal) {
    struct vk_stream *s = (struct vk_stream *)hal;
    pthread_mutex_lock(&s->lock);
    greta_status st = vk_stream_submit(vk_device(base), s);
    pthread_mutex_unlock(&s->lock);
    return st;
}

/* ---- recording ------------------------------------------------------------------------------------------------------ */

static greta_status start_buffer(struct vk_device *dev, struct vk_stream *s, struct vk_batch *b) {
    if (b->n_used == b->n_allocated) {
        const VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                                  .commandPool = b->pool,
                                                  .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                                  .commandBufferCount = 1};
        VkResult r = dev->fn.AllocateCommandBuffers(dev->handle, &info, &b->cbs[b->n_allocated]);
        if (r != VK_SUCCESS) return vk_fail(dev, r, "vkAllocateCommandBuffers", "recording");
        b->n_allocated++;
    }
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VkResult r = dev->fn.BeginCommandBuffer(b->cbs[b->n_used], &begin);
    if (r != VK_SUCCESS) return vk_fail(dev, r, "vkBeginCommandBuffer", "recording");
    s->recorder = (struct vk_recorder){.cb = b->cbs[b->n_used++]};
    return GRETA_OK;
}

greta_status vk_stream_begin(struct vk_device *dev, struct vk_stream *s) {
    greta_status st = vk_alive(dev);
    if (st == GRETA_OK && ++s->n_commands > VK_FLUSH_COMMANDS) st = vk_stream_submit(dev, s);
    if (s->recorder.cb || st != GRETA_OK) return st;
    if (s->n_pending == VK_MAX_PENDING || s->batches[s->i_batch].n_used == VK_BATCH_CBS) {
        /* A batch that is yet to be recycled has its old count: only one under way is full. */
        if (!s->batches[s->i_batch].stale) st = vk_stream_submit(dev, s);
    }
    if (st == GRETA_OK) st = recycle(dev, s, &s->batches[s->i_batch]);
    return st == GRETA_OK ? start_buffer(dev, s, &s->batches[s->i_batch]) : st;
}

/* A command is: take the lock, have a command buffer, record, let go. */
#define COMMAND(name, type)                                                                     \
    greta_status vk_cmd_##name(struct hal_dev *base, struct hal_stream *hal, const type *cmd) { \
        struct vk_device *dev = vk_device(base);                                                \
        struct vk_stream *s = (struct vk_stream *)hal;                                          \
        pthread_mutex_lock(&s->lock);                                                           \
        greta_status st = vk_stream_begin(dev, s);                                              \
        if (st == GRETA_OK) vk_record_##name(dev, &s->recorder, cmd);                           \
        pthread_mutex_unlock(&s->lock);                                                         \
        return st;                                                                              \
    }
COMMAND(dispatch, struct hal_dispatch)
COMMAND(copy, struct hal_copy)
COMMAND(fill, struct hal_fill)
COMMAND(update, struct hal_update)
#undef COMMAND

/* Not counted: with timestamps and without, the same commands go into the same submits. */
greta_status vk_cmd_stamp(struct hal_dev *base, struct hal_stream *hal, const struct hal_stamp *cmd) {
    struct vk_device *dev = vk_device(base);
    struct vk_stream *s = (struct vk_stream *)hal;
    pthread_mutex_lock(&s->lock);
    uint32_t n = s->n_commands;
    s->n_commands = 0;
    greta_status st = vk_stream_begin(dev, s);
    if (s->n_commands) s->n_commands = n; /* else it has submitted */
    if (st == GRETA_OK) vk_record_stamp(dev, &s->recorder, cmd);
    pthread_mutex_unlock(&s->lock);
    return st;
}

greta_status vk_cmd_barrier(struct hal_dev *base, struct hal_stream *hal) {
    struct vk_device *dev = vk_device(base);
    struct vk_stream *s = (struct vk_stream *)hal;
    pthread_mutex_lock(&s->lock);
    greta_status st = vk_stream_begin(dev, s);
    if (st == GRETA_OK) vk_record_barrier(dev, &s->recorder);
    pthread_mutex_unlock(&s->lock);
    return st;
}

static greta_status launch(struct vk_device *dev, struct vk_stream *s, const struct vk_graph *g) {
    greta_status st = vk_alive(dev);
    if (s->recorder.cb && st == GRETA_OK) st = end_buffer(dev, s);
    if (s->info_has_graph) cut(s); /* a launch is at most one segment longer than was asked for */
    for (uint32_t i = 0; i < g->n_segments && st == GRETA_OK; i++) {
        if (i) cut(s);
        if (s->n_pending == VK_MAX_PENDING) st = vk_stream_submit(dev, s);
        if (st != GRETA_OK) break;
        s->pending[s->n_pending++] = (VkCommandBufferSubmitInfo){
            .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = g->segments[i]};
        s->n_in_info++;
        s->info_has_graph = true;
    }
    return st;
}

greta_status vk_graph_launch(struct hal_dev *base, struct hal_stream *hal, struct hal_graph *graph) {
    struct vk_stream *s = (struct vk_stream *)hal;
    pthread_mutex_lock(&s->lock);
    greta_status st = launch(vk_device(base), s, (const struct vk_graph *)graph);
    pthread_mutex_unlock(&s->lock);
    return st;
}

/* ---- waiting for another stream -------------------------------------------------------------------------------------- */

static void add_wait(struct vk_stream *s, struct vk_stream *other, uint64_t value) {
    for (uint32_t i = 0; i < s->n_waits; i++) {
        if (s->wait_streams[i] != other) continue;
        if (s->waits[i].value < value) s->waits[i].value = value;
        return;
    }
    vk_stream_ref(other);
    s->wait_streams[s->n_waits] = other;
    s->waits[s->n_waits++] = (VkSemaphoreSubmitInfo){.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                                     .semaphore = other->timeline,
                                                     .value = value,
                                                     .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
}

/*
 * The other stream's work is submitted first: with one queue, a wait that stands in front of its signal never ends. What
 * this stream has recorded so far is submitted too, since it does not wait.
 */
greta_status vk_stream_wait_event(struct hal_dev *base, struct hal_stream *hal, struct hal_event *hal_event) {
    struct vk_device *dev = vk_device(base);
    struct vk_stream *s = (struct vk_stream *)hal;
    const struct vk_event *event = (const struct vk_event *)hal_event;
    if (!event->stream || event->stream == s) return vk_alive(dev);
    greta_status st = vk_stream_submit_to(dev, event->stream, event->value);
    if (st != GRETA_OK) return st;
    pthread_mutex_lock(&s->lock);
    if (s->n_waits == VK_MAX_WAITS)
        st = vk_stream_begin(dev, s); /* an empty command buffer takes the waits along */
    if (st == GRETA_OK) st = vk_stream_submit(dev, s);
    if (st == GRETA_OK) add_wait(s, event->stream, event->value);
    pthread_mutex_unlock(&s->lock);
    return st;
}
