/*
 * Streams. The library starts work as it is recorded and runs a stream's commands one after another, so nothing is flushed and a
 * barrier has nothing to do. The same calls, made on a stream that is being captured, become the nodes of a graph: what they copy
 * at the call (arguments, fill patterns) is what every replay sees.
 */
#include "hip.h"

#include <stdlib.h>
#include <string.h>

static struct hip_stream *stream_of(struct hal_stream *hal) {
    return (struct hip_stream *)hal;
}

static void *address_of(const struct hal_buf *buf, uint64_t offset_bytes) {
    return (void *)(uintptr_t)(buf->address + offset_bytes);
}

greta_status hip_stream_create(struct hal_dev *base, struct hal_stream **out) {
    struct hip_device *dev = hip_device(base);
    *out = NULL;
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    struct hip_stream *s = calloc(1, sizeof *s);
    if (!s) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    status = HIP(dev, StreamCreateWithFlags, (&s->handle, hipStreamNonBlocking), "creating a stream");
    if (status != GRETA_OK) {
        free(s);
        return status;
    }
    *out = &s->base;
    return GRETA_OK;
}

void hip_stream_destroy(struct hal_dev *base, struct hal_stream *hal) {
    struct hip_device *dev = hip_device(base);
    struct hip_stream *s = stream_of(hal);
    if (!s) return;
    (void)dev->fn->SetDevice(dev->board->ordinal);
    (void)dev->fn->StreamDestroy(s->handle);
    free(s);
}

void *hip_stream_native(struct hal_dev *base, struct hal_stream *hal) {
    return hip_enter(hip_device(base)) == GRETA_OK ? stream_of(hal)->handle : NULL;
}

greta_status hip_stream_wait_event(struct hal_dev *base, struct hal_stream *hal, struct hal_event *event) {
    struct hip_device *dev = hip_device(base);
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    return HIP(dev, StreamWaitEvent, (stream_of(hal)->handle, ((struct hip_event *)event)->handle, 0),
               "a stream's wait for an event");
}

/* ---- commands ----------------------------------------------------------------------------------------------------------- */

/* `args` has HIP_MAX_ARGS_BYTES bytes, of which `bytes` are filled and the rest is zero. */
static greta_status launch(struct hip_device *dev, struct hip_stream *s, const struct hip_kernel *k,
                           const uint32_t groups[3], unsigned char *args, uint32_t bytes) {
    /* The library reads as many bytes as the kernel takes; the block may lack a struct's padding. */
    if (bytes > k->args_bytes || bytes + 8 <= k->args_bytes)
        return greta_fail(dev->base.log, GRETA_ERR_INVALID,
                          "hip: a dispatch of %u bytes of arguments to a kernel that takes %u", bytes,
                          k->args_bytes);
    size_t size = k->args_bytes;
    void *extra[] = {HIP_LAUNCH_PARAM_BUFFER_POINTER, args, HIP_LAUNCH_PARAM_BUFFER_SIZE, &size,
                     HIP_LAUNCH_PARAM_END};
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    return HIP(dev, ModuleLaunchKernel,
               (k->function, groups[0], groups[1], groups[2], k->threads, 1, 1, 0, s->handle, NULL, extra),
               "a dispatch");
}

greta_status hip_cmd_dispatch(struct hal_dev *base, struct hal_stream *hal, const struct hal_dispatch *cmd) {
    unsigned char args[HIP_MAX_ARGS_BYTES] = {0};
    for (uint32_t i = 0; i < cmd->n_bindings; i++) {
        uint64_t address = cmd->bindings[i].buf->address + cmd->bindings[i].offset_bytes;
        memcpy(args + 8 * i, &address, sizeof address);
    }
    if (cmd->constants_bytes) memcpy(args + 8 * cmd->n_bindings, cmd->constants, cmd->constants_bytes);
    return launch(hip_device(base), stream_of(hal), (const struct hip_kernel *)cmd->kernel, cmd->groups, args,
                  8 * cmd->n_bindings + cmd->constants_bytes);
}

/* The direction is the library's to find: all memory here is the device's, or pinned. */
greta_status hip_cmd_copy(struct hal_dev *base, struct hal_stream *hal, const struct hal_copy *cmd) {
    struct hip_device *dev = hip_device(base);
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    return HIP(dev, MemcpyAsync,
               (address_of(cmd->dst, cmd->dst_offset_bytes), address_of(cmd->src, cmd->src_offset_bytes),
                (size_t)cmd->size_bytes, hipMemcpyDefault, stream_of(hal)->handle),
               "a copy");
}

greta_status hip_cmd_fill(struct hal_dev *base, struct hal_stream *hal, const struct hal_fill *cmd) {
    struct hip_device *dev = hip_device(base);
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    return HIP(dev, MemsetD32Async,
               (address_of(cmd->dst, cmd->offset_bytes), (int)cmd->pattern, (size_t)(cmd->size_bytes / 4),
                stream_of(hal)->handle),
               "a fill");
}

/* The words travel as arguments of a kernel (update.hip). */
greta_status hip_cmd_update(struct hal_dev *base, struct hal_stream *hal, const struct hal_update *cmd) {
    struct hip_device *dev = hip_device(base);
    const struct hip_kernel *k = (const struct hip_kernel *)dev->update;
    unsigned char args[HIP_MAX_ARGS_BYTES] = {0};
    uint64_t address = cmd->dst->address + cmd->offset_bytes;
    uint32_t n = cmd->size_bytes / 4;
    memcpy(args, &address, 8);
    memcpy(args + 8, &n, 4);
    memcpy(args + 12, cmd->data, cmd->size_bytes);
    return launch(dev, stream_of(hal), k, (const uint32_t[]){1, 1, 1}, args, k->args_bytes);
}

greta_status hip_cmd_barrier(struct hal_dev *base, struct hal_stream *hal) {
    (void)hal;
    return atomic_load_explicit(&hip_device(base)->lost, memory_order_relaxed) ? GRETA_ERR_DEVICE_LOST
                                                                               : GRETA_OK;
}
