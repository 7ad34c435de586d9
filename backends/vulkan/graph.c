/* Graphs: command buffers recorded once, one a segment, that a stream hands to the queue among its own. */
#include "vk.h"

#include <stdlib.h>

static void record(struct vk_device *dev, struct vk_recorder *r, const struct hal_cmd *cmd) {
    switch (cmd->type) {
    case HAL_CMD_DISPATCH: vk_record_dispatch(dev, r, &cmd->dispatch); break;
    case HAL_CMD_COPY: vk_record_copy(dev, r, &cmd->copy); break;
    case HAL_CMD_FILL: vk_record_fill(dev, r, &cmd->fill); break;
    case HAL_CMD_UPDATE: vk_record_update(dev, r, &cmd->update); break;
    case HAL_CMD_BARRIER: vk_record_barrier(dev, r); break;
    case HAL_CMD_STAMP: vk_record_stamp(dev, r, &cmd->stamp); break;
    case HAL_CMD_SPLIT: break;
    }
}

/* Records the segment that starts at cmds[*i] and leaves *i behind its end. */
static VkResult record_segment(struct vk_device *dev, VkCommandBuffer cb, const struct hal_cmd *cmds,
                               uint32_t n_cmds, uint32_t *i) {
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                            .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT};
    struct vk_recorder r = {.cb = cb};
    VkResult result = dev->fn.BeginCommandBuffer(cb, &begin);
    if (result != VK_SUCCESS) return result;
    if (*i == 0) vk_record_barrier(dev, &r);
    if (*i == 0) vk_record_stamps_reset(dev, &r, cmds, n_cmds);
    while (*i < n_cmds && cmds[*i].type != HAL_CMD_SPLIT) record(dev, &r, &cmds[(*i)++]);
    if (*i == n_cmds) vk_record_host_barrier(dev, &r); /* a launch may be the last that a submit takes */
    (*i)++;
    return dev->fn.EndCommandBuffer(cb);
}

static VkResult record_all(struct vk_device *dev, struct vk_graph *g, const struct hal_cmd *cmds,
                           uint32_t n_cmds) {
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = dev->physical->i_queue_family};
    VkResult r = dev->fn.CreateCommandPool(dev->handle, &pool, NULL, &g->pool);
    if (r != VK_SUCCESS) {
        g->pool = VK_NULL_HANDLE;
        return r;
    }
    const VkCommandBufferAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = g->pool,
                                              .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                              .commandBufferCount = g->n_segments};
    r = dev->fn.AllocateCommandBuffers(dev->handle, &info, g->segments);
    uint32_t i_cmd = 0;
    for (uint32_t i = 0; i < g->n_segments && r == VK_SUCCESS; i++)
        r = record_segment(dev, g->segments[i], cmds, n_cmds, &i_cmd);
    return r;
}

greta_status vk_graph_build(struct hal_dev *base, const struct hal_cmd *cmds, uint32_t n_cmds,
                            struct hal_graph **out) {
    struct vk_device *dev = vk_device(base);
    *out = NULL;
    greta_status st = vk_alive(dev);
    if (st != GRETA_OK) return st;
    uint32_t n_segments = 1;
    for (uint32_t i = 0; i < n_cmds; i++) n_segments += cmds[i].type == HAL_CMD_SPLIT;
    struct vk_graph *g = calloc(1, sizeof *g + n_segments * sizeof *g->segments);
    if (!g) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    g->n_segments = n_segments;
    VkResult r = record_all(dev, g, cmds, n_cmds);
    if (r != VK_SUCCESS) {
        vk_graph_destroy(base, &g->base);
        return vk_fail(dev, r, "vkCreateCommandPool to vkEndCommandBuffer", "building a graph");
    }
    vk_cache_save(
        dev); /* the kernels of a new graph are all built: a good moment, should the process be killed later */
    *out = &g->base;
    return GRETA_OK;
}

void vk_graph_destroy(struct hal_dev *base, struct hal_graph *hal) {
    struct vk_device *dev = vk_device(base);
    struct vk_graph *g = (struct vk_graph *)hal;
    if (!g) return;
    if (g->pool) dev->fn.DestroyCommandPool(dev->handle, g->pool, NULL);
    free(g);
}
