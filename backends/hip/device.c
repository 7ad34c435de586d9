/* A device, and the table of what it does. */
#include "hip.h"

#include <stdlib.h>

static void dev_close(struct hal_dev *base) {
    struct hip_device *dev = hip_device(base);
    if (dev->updates) hip_module_unload(base, dev->updates);
    if (dev->stamp_module) hip_module_unload(base, dev->stamp_module);
    pthread_mutex_destroy(&dev->stamp_lock);
    free(dev);
}

static greta_status dev_wait_idle(struct hal_dev *base) {
    struct hip_device *dev = hip_device(base);
    greta_status status = hip_enter(dev);
    return status == GRETA_OK ? HIP(dev, DeviceSynchronize, (), "waiting for all work") : status;
}

/* Of a library that is a program; hip_dev_open takes the entry away where there is none. */
static greta_status dev_counters(struct hal_dev *base, struct greta_counter *out, uint32_t capacity,
                                 uint32_t *n) {
    enum { MAX_COUNTERS = 64 };
    const char *names[MAX_COUNTERS];
    uint64_t values[MAX_COUNTERS];
    *n = hip_device(base)->counters(names, values, MAX_COUNTERS);
    if (*n > MAX_COUNTERS) *n = MAX_COUNTERS;
    for (uint32_t i = 0; i < *n && i < capacity; i++) out[i] = (struct greta_counter){names[i], values[i]};
    return GRETA_OK;
}

static const struct greta_dev_ops ops = {
    .dev_close = dev_close,
    .dev_mem_info = hip_dev_mem_info,
    .dev_wait_idle = dev_wait_idle,
    .dev_counters = dev_counters,
    .buf_create = hip_buf_create,
    .buf_destroy = hip_buf_destroy,
    .buf_wrap = hip_buf_wrap,
    .buf_export = hip_buf_export,
    .stream_create = hip_stream_create,
    .stream_destroy = hip_stream_destroy,
    .stream_native = hip_stream_native,
    .event_create = hip_event_create,
    .event_destroy = hip_event_destroy,
    .event_record = hip_event_record,
    .event_wait = hip_event_wait,
    .event_elapsed = hip_event_elapsed,
    .stream_wait_event = hip_stream_wait_event,
    .module_load = hip_module_load,
    .module_unload = hip_module_unload,
    .kernel_get = hip_kernel_get,
    .cmd_dispatch = hip_cmd_dispatch,
    .cmd_copy = hip_cmd_copy,
    .cmd_fill = hip_cmd_fill,
    .cmd_update = hip_cmd_update,
    .cmd_barrier = hip_cmd_barrier,
    .stamps_create = hip_stamps_create,
    .stamps_destroy = hip_stamps_destroy,
    .cmd_stamp = hip_cmd_stamp,
    .stamps_read = hip_stamps_read,
    .graph_build = hip_graph_build,
    .graph_launch = hip_graph_launch,
    .graph_destroy = hip_graph_destroy,
};

/* The kernel of updates is in the binary for every architecture that any kernel is there for: its absence says it all. */
static greta_status load_updates(struct hip_device *dev) {
    if (!hip_update_image.size_bytes)
        return greta_fail(dev->base.log, GRETA_ERR_UNSUPPORTED,
                          "hip: %s: this binary holds no device code for HIP: it was built without clang 19",
                          dev->base.info.name);
    greta_status status = hip_module_load(&dev->base, &hip_update_image, &dev->updates);
    if (status == GRETA_OK)
        status = hip_kernel_get(&dev->base, dev->updates, "update", NULL, 0, &dev->update);
    return status;
}

greta_status hip_dev_open(void *instance, uint32_t i_device, struct hal_dev **out) {
    const struct hip_instance *in = instance;
    *out = NULL;
    if (i_device >= in->n_boards)
        return greta_fail(in->log, GRETA_ERR_NOT_FOUND, "hip: there is no device %u, only %u in all",
                          i_device, in->n_boards);
    struct hip_device *dev = calloc(1, sizeof *dev);
    if (!dev) return greta_fail(in->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    dev->fn = &in->fn;
    dev->counters = in->counters;
    dev->ops = ops;
    if (!dev->counters) dev->ops.dev_counters = NULL;
    dev->board = &in->boards[i_device];
    pthread_mutex_init(&dev->stamp_lock, NULL);
    dev->base = (struct hal_dev){
        .ops = &dev->ops, .info = dev->board->info, .limits = dev->board->limits, .log = in->log};
    greta_status status = load_updates(dev);
    if (status != GRETA_OK) {
        dev_close(&dev->base);
        return status;
    }
    *out = &dev->base;
    return GRETA_OK;
}
