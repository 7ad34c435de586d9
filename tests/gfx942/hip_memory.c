/* Memory: the device's, and the host's where it is pinned. */
#include "hip_call.h"

#include <stdlib.h>
#include <string.h>

struct pinned {
    struct pinned *next;
    void *p;
    size_t bytes;
    bool registered; /* the caller's own memory */
};
static struct pinned *pins;

static struct pinned **find_pin(const void *p) {
    struct pinned **at = &pins;
    while (*at && (*at)->p != p) at = &(*at)->next;
    return at;
}

static bool inside(const void *p, size_t bytes, const void *base, size_t size) {
    uintptr_t at = (uintptr_t)p, from = (uintptr_t)base;
    return at >= from && at - from <= size && bytes <= size - (at - from);
}

bool memory_holds(const void *p, size_t bytes) {
    void *base;
    size_t size;
    if (gfx_find(hip_state.machine, p, &base, &size)) return inside(p, bytes, base, size);
    for (const struct pinned *pin = pins; pin; pin = pin->next)
        if (inside(p, bytes, pin->p, pin->bytes)) return true;
    return false;
}

static bool overlaps(const void *p, size_t bytes) {
    for (const struct pinned *pin = pins; pin; pin = pin->next)
        if ((uintptr_t)p < (uintptr_t)pin->p + pin->bytes && (uintptr_t)pin->p < (uintptr_t)p + bytes)
            return true;
    return false;
}

static hipError_t pin(void *p, size_t bytes, bool registered) {
    struct pinned *pin = malloc(sizeof *pin);
    if (!pin || !gfx_map(hip_state.machine, p, bytes)) {
        free(pin);
        return hipErrorOutOfMemory;
    }
    *pin = (struct pinned){pins, p, bytes, registered};
    pins = pin;
    return hipSuccess;
}

/* Work that is under way may use the memory: as the real library does, wait for all of it. */
static hipError_t unpin(void *p, bool registered, hipError_t not_found) {
    struct pinned **at = find_pin(p), *pin = *at;
    if (!pin || pin->registered != registered)
        return hip_complain(not_found, "%p is not the start of %s memory", p,
                            registered ? "registered" : "pinned");
    (void)queue_drain(NULL);
    (void)gfx_unmap(hip_state.machine, p);
    *at = pin->next;
    free(pin);
    if (!registered) free(p);
    return hipSuccess;
}

CALL(Malloc, (void **p, size_t bytes), (p, bytes)) {
    if (!p) return hipErrorInvalidValue;
    *p = NULL;
    hipError_t error = hip_unsafe("hipMalloc");
    if (error != hipSuccess || !bytes) return error;
    *p = gfx_alloc(hip_state.machine, bytes);
    return *p ? hipSuccess : hipErrorOutOfMemory;
}

/* Nobody opens it: another process has another machine. */
CALL(IpcGetMemHandle, (hipIpcMemHandle_t * handle, void *p), (handle, p)) {
    void *base;
    if (!handle || !gfx_find(hip_state.machine, p, &base, NULL) || base != p)
        return hip_complain(hipErrorInvalidValue, "hipIpcGetMemHandle: %p is not the start of device memory", p);
    memset(handle, 0, sizeof *handle);
    memcpy(handle->reserved, &p, sizeof p);
    return hipSuccess;
}

CALL_END(Free, (void *p), (p)) {
    if (!p) return hipSuccess;
    hipError_t error = hip_unsafe("hipFree");
    if (error != hipSuccess) return error;
    (void)queue_drain(NULL);
    if (gfx_free(hip_state.machine, p)) return hipSuccess;
    return hip_complain(hipErrorInvalidValue, "hipFree: %p is not the start of device memory", p);
}

CALL(HostMalloc, (void **p, size_t bytes, unsigned flags), (p, bytes, flags)) {
    enum { KNOWN = 0x7, COHERENT = 0x40000000 };
    if (!p || (flags & ~(unsigned)(KNOWN | COHERENT | 0xa0000000u))) return hipErrorInvalidValue;
    *p = NULL;
    hipError_t error = hip_unsafe("hipHostMalloc");
    if (error != hipSuccess || !bytes) return error;
    if (bytes > SIZE_MAX - 4095) return hipErrorOutOfMemory;
    void *memory = aligned_alloc(4096, (bytes + 4095) & ~(size_t)4095);
    if (!memory) return hipErrorOutOfMemory;
    error = pin(memory, bytes, false);
    if (error == hipSuccess)
        *p = memory;
    else
        free(memory);
    return error;
}

CALL_END(HostFree, (void *p), (p)) {
    if (!p) return hipSuccess;
    hipError_t error = hip_unsafe("hipHostFree");
    return error == hipSuccess ? unpin(p, false, hipErrorInvalidValue) : error;
}

CALL(HostRegister, (void *p, size_t bytes, unsigned flags), (p, bytes, flags)) {
    if (!p || !bytes || flags > 15) return hipErrorInvalidValue;
    hipError_t error = hip_unsafe("hipHostRegister");
    if (error != hipSuccess) return error;
    return overlaps(p, bytes) ? hipErrorHostMemoryAlreadyRegistered : pin(p, bytes, true);
}

CALL_END(HostUnregister, (void *p), (p)) {
    hipError_t error = hip_unsafe("hipHostUnregister");
    return error == hipSuccess ? unpin(p, true, hipErrorHostMemoryNotRegistered) : error;
}

CALL(HostGetDevicePointer, (void **device, void *host, unsigned flags), (device, host, flags)) {
    if (!device || flags) return hipErrorInvalidValue;
    *device = NULL;
    for (const struct pinned *pin = pins; pin; pin = pin->next)
        if (inside(host, 1, pin->p, pin->bytes)) *device = host;
    return *device ? hipSuccess
                   : hip_complain(hipErrorInvalidValue, "hipHostGetDevicePointer: %p is not pinned", host);
}

CALL(MemGetInfo, (size_t * free_bytes, size_t *total_bytes), (free_bytes, total_bytes)) {
    if (!free_bytes || !total_bytes) return hipErrorInvalidValue;
    uint64_t used = gfx_memory_used(hip_state.machine);
    *total_bytes = HIP_MEMORY_BYTES;
    *free_bytes = used < HIP_MEMORY_BYTES ? HIP_MEMORY_BYTES - used : 0;
    return hipSuccess;
}
