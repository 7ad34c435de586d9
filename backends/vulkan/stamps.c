/*
 * Timestamps: a query pool of their own. A query must be reset before it is written: on a stream by the host, at the beginning
 * and whenever one was read; in a graph by the graph itself, since it may be launched again before anybody has read.
 */
#include "vk.h"

#include <stdlib.h>

static struct vk_stamps *stamps_of(struct hal_stamps *hal) {
    return (struct vk_stamps *)hal;
}

greta_status vk_stamps_create(struct hal_dev *base, uint32_t n, struct hal_stamps **out) {
    struct vk_device *dev = vk_device(base);
    *out = NULL;
    greta_status st = vk_alive(dev);
    if (st != GRETA_OK) return st;
    struct vk_stamps *s = calloc(1, sizeof *s);
    if (!s) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    const VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                        .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                        .queryCount = n};
    VkResult r = dev->fn.CreateQueryPool(dev->handle, &info, NULL, &s->pool);
    if (r != VK_SUCCESS) {
        free(s);
        return vk_fail(dev, r, "vkCreateQueryPool", "creating timestamps");
    }
    dev->fn.ResetQueryPool(dev->handle, s->pool, 0, n);
    s->base.n = n;
    *out = &s->base;
    return GRETA_OK;
}

void vk_stamps_destroy(struct hal_dev *base, struct hal_stamps *hal) {
    struct vk_device *dev = vk_device(base);
    dev->fn.DestroyQueryPool(dev->handle, stamps_of(hal)->pool, NULL);
    free(hal);
}

void vk_record_stamp(struct vk_device *dev, struct vk_recorder *r, const struct hal_stamp *cmd) {
    dev->fn.CmdWriteTimestamp2(r->cb, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, stamps_of(cmd->stamps)->pool,
                               cmd->i);
}

/* One reset for each run of neighbouring places, in the order of the list: mostly one for all. */
void vk_record_stamps_reset(struct vk_device *dev, struct vk_recorder *r, const struct hal_cmd *cmds,
                            uint32_t n_cmds) {
    struct hal_stamps *stamps = NULL;
    uint32_t first = 0, n = 0;
    for (uint32_t i = 0; i <= n_cmds; i++) {
        const struct hal_cmd *c = i < n_cmds ? &cmds[i] : NULL;
        if (c && c->type != HAL_CMD_STAMP) continue;
        if (c && n && c->stamp.stamps == stamps && c->stamp.i == first + n) {
            n++;
            continue;
        }
        if (n) dev->fn.CmdResetQueryPool(r->cb, stamps_of(stamps)->pool, first, n);
        if (c) stamps = c->stamp.stamps, first = c->stamp.i, n = 1;
    }
}

static VkResult read_some(struct vk_device *dev, struct vk_stamps *s, uint32_t first, uint32_t n,
                          uint64_t (*found)[2]) {
    return dev->fn.GetQueryPoolResults(dev->handle, s->pool, first, n, n * sizeof *found, found,
                                       sizeof *found,
                                       VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT);
}

greta_status vk_stamps_read(struct hal_dev *base, struct hal_stamps *hal, uint32_t first, uint32_t n,
                            uint64_t *out_ticks) {
    enum { STEP = 64 };
    struct vk_device *dev = vk_device(base);
    struct vk_stamps *s = stamps_of(hal);
    greta_status st = vk_alive(dev);
    for (uint32_t at = 0; at < n; at += STEP) {
        uint64_t found[STEP][2] = {{0}};
        uint32_t k = n - at < STEP ? n - at : STEP, n_there = 0;
        VkResult r = st == GRETA_OK ? read_some(dev, s, first + at, k, found) : VK_NOT_READY;
        if (r != VK_SUCCESS && r != VK_NOT_READY) st = vk_fail(dev, r, "vkGetQueryPoolResults", "timestamps");
        for (uint32_t i = 0; i < k; i++) {
            bool there = found[i][1] != 0 && st == GRETA_OK;
            out_ticks[at + i] = there ? found[i][0] & dev->physical->timestamp_mask : 0;
            if (there && !out_ticks[at + i]) out_ticks[at + i] = 1; /* 0 says: not there */
            n_there += there;
        }
        for (uint32_t i = 0; i < k && n_there && n_there < k; i++)
            if (out_ticks[at + i]) dev->fn.ResetQueryPool(dev->handle, s->pool, first + at + i, 1);
        if (n_there == k) dev->fn.ResetQueryPool(dev->handle, s->pool, first + at, k);
    }
    return st;
}
