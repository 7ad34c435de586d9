/* A device: its queue, the layout that all pipelines share, and the table of what it does. */
#include "vk.h"

#include <stdlib.h>

/* Those of the extensions that only carry properties need not be enabled, but may be. */
static VkResult create_handle(struct vk_device *dev) {
    const struct vk_physical *p = dev->physical;
    struct vk_features features = p->features;
    const char *extensions[VK_N_EXTENSIONS];
    uint32_t n = 0;
    for (int e = 0; e < VK_N_EXTENSIONS; e++)
        if (p->has[e]) extensions[n++] = vk_extension_name((enum vk_extension)e);
    const float priority = 1.0F;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = p->i_queue_family,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .pNext = vk_features_link(&features, p->has),
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue,
                                     .enabledExtensionCount = n,
                                     .ppEnabledExtensionNames = extensions};
    VkResult r = dev->instance->fn.CreateDevice(p->handle, &info, NULL, &dev->handle);
    if (r != VK_SUCCESS) dev->handle = NULL;
    return r;
}

static greta_status load_functions(struct vk_device *dev) {
    PFN_vkGetDeviceProcAddr get = dev->instance->fn.GetDeviceProcAddr;
#define LOAD(function, required)                                                                         \
    dev->fn.function = (PFN_vk##function)get(dev->handle, "vk" #function);                               \
    if ((required) && !dev->fn.function)                                                                 \
        return greta_fail(dev->base.log, GRETA_ERR_UNAVAILABLE,                                          \
                          "vulkan: the driver of %s lacks %s: install a newer one", dev->base.info.name, \
                          "vk" #function);
    VK_DEVICE_FUNCTIONS(LOAD)
#undef LOAD
    return GRETA_OK;
}

static VkResult create_layout(struct vk_device *dev) {
    const VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                       .size = dev->physical->limits.max_args_bytes};
    const VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                             .pushConstantRangeCount = 1,
                                             .pPushConstantRanges = &range};
    VkResult r = dev->fn.CreatePipelineLayout(dev->handle, &info, NULL, &dev->layout);
    if (r != VK_SUCCESS) dev->layout = VK_NULL_HANDLE;
    return r;
}

static greta_status open_parts(struct vk_device *dev) {
    VkResult r = create_handle(dev);
    if (r != VK_SUCCESS) return vk_fail(dev, r, "vkCreateDevice", "opening it");
    greta_status st = load_functions(dev);
    if (st != GRETA_OK) return st;
    dev->fn.GetDeviceQueue(dev->handle, dev->physical->i_queue_family, 0, &dev->queue);
    r = create_layout(dev);
    if (r != VK_SUCCESS) return vk_fail(dev, r, "vkCreatePipelineLayout", "opening it");
    return vk_cache_open(dev);
}

greta_status vk_dev_open(void *instance, uint32_t i_device, struct hal_dev **out) {
    const struct vk_instance *in = instance;
    *out = NULL;
    if (i_device >= in->n_devices)
        return greta_fail(in->log, GRETA_ERR_NOT_FOUND, "vulkan: there is no device %u, only %u in all",
                          i_device, in->n_devices);
    struct vk_device *dev = calloc(1, sizeof *dev);
    if (!dev) return greta_fail(in->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    dev->instance = in;
    dev->physical = &in->devices[i_device];
    dev->ops = vk_dev_ops;
    if (!dev->physical->timestamp_mask || dev->physical->limits.timestamp_period_ns == 0)
        dev->ops.event_elapsed = NULL;
    if (!dev->physical->limits.timestamp_bits) {
        dev->ops.stamps_create = NULL;
        dev->ops.stamps_destroy = NULL;
        dev->ops.cmd_stamp = NULL;
        dev->ops.stamps_read = NULL;
    }
    dev->base = (struct hal_dev){
        .ops = &dev->ops, .info = dev->physical->info, .limits = dev->physical->limits, .log = in->log};
    pthread_mutex_init(&dev->queue_lock, NULL);
    pthread_mutex_init(&dev->query_lock, NULL);
    greta_status st = open_parts(dev);
    if (st != GRETA_OK) {
        vk_dev_close(&dev->base);
        return st;
    }
    if (dev->physical->types[GRETA_MEM_READBACK].n &&
        !(dev->physical->memory.memoryTypes[dev->physical->types[GRETA_MEM_READBACK].types[0]].propertyFlags &
          VK_MEMORY_PROPERTY_HOST_CACHED_BIT))
        greta_logf(in->log, GRETA_LOG_WARN,
                   "vulkan: %s has no host-cached memory: reading results will be slow", dev->base.info.name);
    *out = &dev->base;
    return GRETA_OK;
}

void vk_dev_close(struct hal_dev *base) {
    struct vk_device *dev = vk_device(base);
    if (dev->handle && dev->fn.DestroyDevice) {
        if (dev->fn.DeviceWaitIdle) (void)dev->fn.DeviceWaitIdle(dev->handle);
        for (struct vk_query_pool *pool = dev->query_pools, *next; pool; pool = next) {
            next = pool->next;
            dev->fn.DestroyQueryPool(dev->handle, pool->handle, NULL);
            free(pool);
        }
        if (dev->cache) {
            vk_cache_save(dev);
            dev->fn.DestroyPipelineCache(dev->handle, dev->cache, NULL);
        }
        if (dev->layout) dev->fn.DestroyPipelineLayout(dev->handle, dev->layout, NULL);
        dev->fn.DestroyDevice(dev->handle, NULL);
    }
    pthread_mutex_destroy(&dev->queue_lock);
    pthread_mutex_destroy(&dev->query_lock);
    free(dev);
}

greta_status vk_dev_wait_idle(struct hal_dev *base) {
    struct vk_device *dev = vk_device(base);
    greta_status st = vk_alive(dev);
    if (st != GRETA_OK) return st;
    pthread_mutex_lock(&dev->queue_lock);
    VkResult r = dev->fn.QueueWaitIdle(dev->queue);
    pthread_mutex_unlock(&dev->queue_lock);
    return r == VK_SUCCESS ? GRETA_OK : vk_fail(dev, r, "vkQueueWaitIdle", "waiting for all work");
}

const struct greta_dev_ops vk_dev_ops = {
    .dev_close = vk_dev_close,
    .dev_mem_info = vk_dev_mem_info,
    .dev_wait_idle = vk_dev_wait_idle,
    .buf_create = vk_buf_create,
    .buf_export = vk_buf_export,
    .buf_destroy = vk_buf_destroy,
    .stream_create = vk_stream_create,
    .stream_destroy = vk_stream_destroy,
    .stream_flush = vk_stream_flush,
    .event_create = vk_event_create,
    .event_destroy = vk_event_destroy,
    .event_record = vk_event_record,
    .event_wait = vk_event_wait,
    .event_elapsed = vk_event_elapsed,
    .stream_wait_event = vk_stream_wait_event,
    .module_load = vk_module_load,
    .module_unload = vk_module_unload,
    .kernel_get = vk_kernel_get,
    .cmd_dispatch = vk_cmd_dispatch,
    .cmd_copy = vk_cmd_copy,
    .cmd_fill = vk_cmd_fill,
    .cmd_update = vk_cmd_update,
    .cmd_barrier = vk_cmd_barrier,
    .stamps_create = vk_stamps_create,
    .stamps_destroy = vk_stamps_destroy,
    .cmd_stamp = vk_cmd_stamp,
    .stamps_read = vk_stamps_read,
    .graph_build = vk_graph_build,
    .graph_launch = vk_graph_launch,
    .graph_destroy = vk_graph_destroy,
};
