/*
 * Buffers: device memory, or pinned host memory that the device reaches at an address of its own. Pinned memory is coherent: what
 * a kernel wrote is seen by the host once an event behind it has come to pass, and nothing is flushed by hand.
 */
#include "hip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[GRETA_N_MEM_KINDS] = {"device", "upload", "readback", "unified"};

greta_status hip_dev_mem_info(struct hal_dev *base, struct greta_mem_info *out) {
    struct hip_device *dev = hip_device(base);
    size_t free_bytes = 0, total_bytes = 0;
    *out = (struct greta_mem_info){0};
    greta_status status = hip_enter(dev);
    if (status == GRETA_OK)
        status = HIP(dev, MemGetInfo, (&free_bytes, &total_bytes), "asking for free memory");
    if (status == GRETA_OK) *out = (struct greta_mem_info){total_bytes, free_bytes};
    return status;
}

static greta_status no_memory(struct hip_device *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                              const char *call) {
    struct greta_mem_info info;
    if (hip_dev_mem_info(&dev->base, &info) != GRETA_OK) info = (struct greta_mem_info){0};
    return greta_fail(dev->base.log, GRETA_ERR_NO_DEVICE_MEMORY,
                      "hip: %s: hipErrorOutOfMemory: no %" PRIu64 " bytes of %s memory on %s (%" PRIu64
                      " of %" PRIu64 " MiB free): take a smaller model or context, or another device",
                      call, size_bytes, kind_names[kind], dev->base.info.name, info.free_bytes >> 20,
                      info.total_bytes >> 20);
}

static greta_status allocate(struct hip_device *dev, struct hip_buf *buf) {
    const struct hip_fns *fn = dev->fn;
    void *p = NULL, *seen = NULL;
    bool pinned = buf->base.kind != GRETA_MEM_DEVICE;
    const char *call = pinned ? "hipHostMalloc" : "hipMalloc";
    hipError_t error =
        pinned ? fn->HostMalloc(&p, (size_t)buf->base.size_bytes, hipHostMallocMapped | hipHostMallocCoherent)
               : fn->Malloc(&p, (size_t)buf->base.size_bytes);
    if (error == hipErrorOutOfMemory) return no_memory(dev, buf->base.size_bytes, buf->base.kind, call);
    greta_status status = hip_check(dev, error, call, "creating a buffer");
    if (status != GRETA_OK) return status;
    if (pinned) {
        status = HIP(dev, HostGetDevicePointer, (&seen, p, 0), "creating a buffer");
        if (status != GRETA_OK) (void)fn->HostFree(p);
    }
    if (status != GRETA_OK) return status;
    buf->base.host = pinned ? p : NULL;
    buf->base.address = (uint64_t)(uintptr_t)(pinned ? seen : p);
    return GRETA_OK;
}

greta_status hip_buf_create(struct hal_dev *base, uint64_t size_bytes, enum greta_mem_kind kind,
                            struct hal_buf **out) {
    struct hip_device *dev = hip_device(base);
    *out = NULL;
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    struct hip_buf *buf = calloc(1, sizeof *buf);
    if (!buf) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    buf->base.size_bytes = size_bytes;
    buf->base.kind = kind;
    status = allocate(dev, buf);
    if (status != GRETA_OK) {
        free(buf);
        return status;
    }
    *out = &buf->base;
    return GRETA_OK;
}

/* Any memory of hipMalloc can be opened by other processes, but for what the library puts beside it in one block. */
greta_status hip_buf_export(struct hal_dev *base, uint64_t size_bytes, struct hal_buf **out,
                            struct greta_export *handle) {
    struct hip_device *dev = hip_device(base);
    hipIpcMemHandle_t ipc;
    *handle = (struct greta_export){.fd = -1};
    *out = NULL;
    if (!dev->fn->IpcGetMemHandle)
        return greta_fail(base->log, GRETA_ERR_UNSUPPORTED, "hip: the library has no hipIpcGetMemHandle");
    greta_status status = hip_buf_create(base, size_bytes, GRETA_MEM_DEVICE, out);
    if (status != GRETA_OK) return status;
    status = HIP(dev, IpcGetMemHandle, (&ipc, (void *)(uintptr_t)(*out)->address), "exporting a buffer");
    if (status != GRETA_OK) {
        hip_buf_destroy(base, *out);
        *out = NULL;
        return status;
    }
    handle->type = GRETA_EXPORT_IPC;
    handle->size_bytes = size_bytes;
    memcpy(handle->ipc, ipc.reserved, sizeof handle->ipc);
    return GRETA_OK;
}

void hip_buf_destroy(struct hal_dev *base, struct hal_buf *hal) {
    struct hip_device *dev = hip_device(base);
    struct hip_buf *buf = (struct hip_buf *)hal;
    if (!buf) return;
    (void)dev->fn->SetDevice(dev->board->ordinal);
    if (buf->wrapped)
        (void)dev->fn->HostUnregister(buf->base.host);
    else if (buf->base.host)
        (void)dev->fn->HostFree(buf->base.host);
    else
        (void)dev->fn->Free((void *)(uintptr_t)buf->base.address);
    free(buf);
}

/* What the driver refuses (pages of a mapped file, say) is unsupported: the caller copies then. */
static greta_status register_memory(struct hip_device *dev, void *memory, uint64_t size_bytes, void **seen) {
    const struct hip_fns *fn = dev->fn;
    if (!fn->HostRegister || !fn->HostUnregister) return GRETA_ERR_UNSUPPORTED;
    hipError_t error = fn->HostRegister(memory, (size_t)size_bytes, hipHostRegisterMapped);
    if (hip_error_status(error) == GRETA_ERR_DEVICE_LOST)
        return hip_check(dev, error, "hipHostRegister", "wrapping memory");
    if (error != hipSuccess) {
        greta_logf(dev->base.log, GRETA_LOG_DEBUG, "hip: hipHostRegister: %s", hip_error_name(error));
        return GRETA_ERR_UNSUPPORTED;
    }
    greta_status status = HIP(dev, HostGetDevicePointer, (seen, memory, 0), "wrapping memory");
    if (status != GRETA_OK) (void)fn->HostUnregister(memory);
    return status;
}

greta_status hip_buf_wrap(struct hal_dev *base, void *memory, uint64_t size_bytes, struct hal_buf **out) {
    struct hip_device *dev = hip_device(base);
    void *seen = NULL;
    *out = NULL;
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    struct hip_buf *buf = calloc(1, sizeof *buf);
    if (!buf) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    status = register_memory(dev, memory, size_bytes, &seen);
    if (status != GRETA_OK) {
        free(buf);
        return status;
    }
    buf->wrapped = true;
    buf->base = (struct hal_buf){.size_bytes = size_bytes,
                                 .address = (uint64_t)(uintptr_t)seen,
                                 .host = memory,
                                 .kind = GRETA_MEM_UNIFIED};
    *out = &buf->base;
    return GRETA_OK;
}
