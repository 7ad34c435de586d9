/*
 * Buffers: each has memory of its own (rt pools small ones), a device address, and a mapping for as long as it lives
 * where the host can see it. All mapped memory is coherent: nothing is ever flushed or invalidated.
 */
#include "vk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const kind_names[GRETA_N_MEM_KINDS] = {"device", "upload", "readback", "unified"};

static uint64_t align_up(uint64_t n, uint64_t to) {
    return (n + to - 1) / to * to;
}

/* ---- heaps ------------------------------------------------------------------------------------------------------ */

static void ask_budget(const struct vk_device *dev, VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget) {
    *budget = (VkPhysicalDeviceMemoryBudgetPropertiesEXT){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 memory = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = budget};
    dev->instance->fn.GetPhysicalDeviceMemoryProperties2(dev->physical->handle, &memory);
}

/* What is left of each heap: what this device took against the heap's size, and the driver's word where it gives one. */
static void ask_free(struct vk_device *dev, uint64_t free_bytes[VK_MAX_MEMORY_HEAPS]) {
    const struct vk_physical *p = dev->physical;
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget;
    bool has_budget = p->has[VK_HAS_MEMORY_BUDGET] && !p->quirks.no_memory;
    if (has_budget) ask_budget(dev, &budget);
    for (uint32_t i = 0; i < p->memory.memoryHeapCount; i++) {
        uint64_t size = p->memory.memoryHeaps[i].size, used = atomic_load(&dev->heap_used_bytes[i]);
        free_bytes[i] = used < size ? size - used : 0;
        if (!has_budget) continue;
        uint64_t b = budget.heapBudget[i], u = budget.heapUsage[i], left = b > u ? b - u : 0;
        if (left < free_bytes[i]) free_bytes[i] = left;
    }
}

greta_status vk_dev_mem_info(struct hal_dev *base, struct greta_mem_info *out) {
    struct vk_device *dev = vk_device(base);
    const struct vk_physical *p = dev->physical;
    *out = (struct greta_mem_info){0};
    greta_status st = vk_alive(dev);
    if (st != GRETA_OK) return st;
    uint64_t free_bytes[VK_MAX_MEMORY_HEAPS] = {0};
    bool counted[VK_MAX_MEMORY_HEAPS] = {false};
    ask_free(dev, free_bytes);
    for (uint32_t i = 0; i < p->types[GRETA_MEM_DEVICE].n; i++) {
        uint32_t heap = p->memory.memoryTypes[p->types[GRETA_MEM_DEVICE].types[i]].heapIndex;
        if (counted[heap]) continue;
        counted[heap] = true;
        out->total_bytes += p->memory.memoryHeaps[heap].size;
        out->free_bytes += free_bytes[heap];
    }
    return GRETA_OK;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

#define IMPORTED VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT
#define EXPORTED VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT

static VkResult allocate(struct vk_device *dev, struct vk_buf *buf, uint32_t i_type, uint64_t bytes,
                         const void *import) {
    uint32_t i_heap = dev->physical->memory.memoryTypes[i_type].heapIndex;
    VkImportMemoryHostPointerInfoEXT imported = {.sType =
                                                     VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
                                                 .handleType = IMPORTED,
                                                 .pHostPointer = (void *)(uintptr_t)import};
    VkMemoryPriorityAllocateInfoEXT priority = {.sType = VK_STRUCTURE_TYPE_MEMORY_PRIORITY_ALLOCATE_INFO_EXT,
                                                .priority = buf->base.kind == GRETA_MEM_DEVICE ? 1.0F : 0.5F};
    VkMemoryAllocateFlagsInfo flags = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                       .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
    VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                 .pNext = &flags,
                                 .allocationSize = bytes,
                                 .memoryTypeIndex = i_type};
    if (dev->physical->features.priority.memoryPriority && !import) flags.pNext = &priority;
    /*
     * Each buffer has memory to itself. Told of that, NVIDIA's driver finds it in half the time, and kernels read it faster (an H200
     * 3.3 in place of 3.0 TB/s of weights); some drivers export no other.
     */
    VkMemoryDedicatedAllocateInfo dedicated = {.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
                                               .pNext = flags.pNext,
                                               .buffer = buf->handle};
    VkExportMemoryAllocateInfo exported = {
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, .pNext = &dedicated, .handleTypes = EXPORTED};
    flags.pNext = &dedicated;
    if (import) flags.pNext = &imported;
    if (buf->external == EXPORTED) flags.pNext = &exported;
    VkResult r = dev->fn.AllocateMemory(dev->handle, &info, NULL, &buf->memory);
    if (r != VK_SUCCESS) {
        buf->memory = VK_NULL_HANDLE;
        return r;
    }
    buf->memory_bytes = bytes;
    buf->i_type = i_type;
    buf->i_heap = i_heap;
    atomic_fetch_add(&dev->heap_used_bytes[i_heap], bytes);
    return VK_SUCCESS;
}

static bool out_of_memory(VkResult r) {
    return r == VK_ERROR_OUT_OF_DEVICE_MEMORY || r == VK_ERROR_OUT_OF_HOST_MEMORY ||
           r == VK_ERROR_TOO_MANY_OBJECTS;
}

/*
 * The best type whose heap has room. Drivers may grant more than a heap holds and lose the device later, so heaps are
 * counted here. The budget only makes a heap less welcome: another process may give its memory back.
 */
static VkResult allocate_best(struct vk_device *dev, struct vk_buf *buf, const VkMemoryRequirements *need) {
    const struct vk_physical *p = dev->physical;
    const struct vk_type_list *list = buf->base.kind == GRETA_MEM_DEVICE && need->size >= VK_LARGE_BYTES
                                          ? &p->large_types
                                          : &p->types[buf->base.kind];
    uint64_t free_bytes[VK_MAX_MEMORY_HEAPS] = {0};
    VkResult r = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    ask_free(dev, free_bytes);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < list->n; i++) {
            uint32_t type = list->types[i], heap = p->memory.memoryTypes[type].heapIndex;
            if (!(need->memoryTypeBits & (uint32_t)1 << type)) continue;
            uint64_t used = atomic_load(&dev->heap_used_bytes[heap]), size = p->memory.memoryHeaps[heap].size;
            if (!p->quirks.soft_heaps && (used > size || size - used < need->size)) continue;
            if ((free_bytes[heap] < need->size) != (pass == 1)) continue;
            r = allocate(dev, buf, type, need->size, NULL);
            if (!out_of_memory(r)) return r;
        }
    }
    return r;
}

static const VkBufferUsageFlags usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                                        VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;

void vk_memory_ask_export(struct vk_instance *in, struct vk_physical *p) {
    const VkPhysicalDeviceExternalBufferInfo asked = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
        .usage = usage,
        .handleType = EXPORTED};
    VkExternalBufferProperties got = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
    if (!p->has[VK_HAS_EXTERNAL_MEMORY_FD]) return;
    in->fn.GetPhysicalDeviceExternalBufferProperties(p->handle, &asked, &got);
    if (got.externalMemoryProperties.externalMemoryFeatures & VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT)
        p->limits.export_type = GRETA_EXPORT_OPAQUE_FD;
}

static VkResult make_buffer(struct vk_device *dev, struct vk_buf *buf) {
    const VkExternalMemoryBufferCreateInfo external = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO, .handleTypes = buf->external};
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .pNext = buf->external ? &external : NULL,
                                     .size = align_up(buf->base.size_bytes, 4),
                                     .usage = usage};
    VkResult r = dev->fn.CreateBuffer(dev->handle, &info, NULL, &buf->handle);
    if (r != VK_SUCCESS) buf->handle = VK_NULL_HANDLE;
    return r;
}

/* A device in host memory has its buffers from malloc, untouched: faults of 4 KiB pages took longer than filling it with weights. */
static void ask_huge_pages(const struct vk_buf *buf) {
    enum { HUGE_BYTES = 2 << 20 };
    const uintptr_t at = (uintptr_t)buf->base.host, begin = align_up(at, HUGE_BYTES),
                    end = (at + buf->memory_bytes) / HUGE_BYTES * HUGE_BYTES;
    if (end > begin)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE); /* refused: it stays as it is */
}

static VkResult map_buffer(struct vk_device *dev, struct vk_buf *buf) {
    if (!(dev->physical->memory.memoryTypes[buf->i_type].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT))
        return VK_SUCCESS;
    VkResult r = dev->fn.MapMemory(dev->handle, buf->memory, 0, VK_WHOLE_SIZE, 0, &buf->base.host);
    if (r != VK_SUCCESS) buf->base.host = NULL;
    if (r == VK_SUCCESS && dev->physical->info.type == GRETA_DEV_CPU) ask_huge_pages(buf);
    return r;
}

/* ---- guard pages ------------------------------------------------------------------------------------------------- */

/*
 * Under validation a device in host memory gets buffers that end at a page without access: there the device's address
 * is the host's, so a kernel that runs past the end faults at the very address. (To the alignment of 4 that copies
 * need, and the driver's own.)
 */
static VkResult make_guarded(struct vk_device *dev, struct vk_buf *buf) {
    const struct vk_type_list *list = &dev->physical->types[buf->base.kind];
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), unit = dev->physical->min_import_bytes;
    buf->external = IMPORTED;
    VkResult r = make_buffer(dev, buf);
    if (r != VK_SUCCESS) return r;
    VkMemoryRequirements need;
    dev->fn.GetBufferMemoryRequirements(dev->handle, buf->handle, &need);
    if (unit < page) unit = page;
    uint64_t body = align_up(need.size, unit), offset = (body - need.size) / need.alignment * need.alignment;
    buf->pages_bytes = body + unit;
    void *pages = mmap(NULL, buf->pages_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) return VK_ERROR_OUT_OF_HOST_MEMORY;
    buf->pages = pages;
    if (mprotect((char *)pages + body, unit, PROT_NONE)) return VK_ERROR_OUT_OF_HOST_MEMORY;
    VkMemoryHostPointerPropertiesEXT importable = {.sType =
                                                       VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
    r = dev->fn.GetMemoryHostPointerPropertiesEXT(
        dev->handle, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, pages, &importable);
    if (r != VK_SUCCESS) return r;
    uint32_t bits = need.memoryTypeBits & importable.memoryTypeBits, i = 0;
    while (i < list->n && !(bits & (uint32_t)1 << list->types[i])) i++;
    if (i == list->n) return VK_ERROR_FEATURE_NOT_PRESENT;
    r = allocate(dev, buf, list->types[i], body, pages);
    if (r == VK_SUCCESS) r = dev->fn.BindBufferMemory(dev->handle, buf->handle, buf->memory, offset);
    if (r == VK_SUCCESS) buf->base.host = (char *)pages + offset;
    return r;
}

static bool wants_guard(const struct vk_device *dev) {
    return dev->instance->validation && dev->physical->info.type == GRETA_DEV_CPU &&
           dev->physical->min_import_bytes && dev->fn.GetMemoryHostPointerPropertiesEXT;
}

/* ---- create and destroy -------------------------------------------------------------------------------------------- */

static void release(struct vk_device *dev, struct vk_buf *buf) {
    if (buf->handle) dev->fn.DestroyBuffer(dev->handle, buf->handle, NULL);
    if (buf->memory) {
        dev->fn.FreeMemory(dev->handle, buf->memory, NULL);
        atomic_fetch_sub(&dev->heap_used_bytes[buf->i_heap], buf->memory_bytes);
    }
    if (buf->pages) munmap(buf->pages, buf->pages_bytes);
    *buf = (struct vk_buf){.base = {.size_bytes = buf->base.size_bytes, .kind = buf->base.kind}};
}

static VkResult make_plain(struct vk_device *dev, struct vk_buf *buf, const char **call) {
    VkMemoryRequirements need;
    *call = "vkCreateBuffer";
    VkResult r = make_buffer(dev, buf);
    if (r != VK_SUCCESS) return r;
    dev->fn.GetBufferMemoryRequirements(dev->handle, buf->handle, &need);
    *call = "vkAllocateMemory";
    r = allocate_best(dev, buf, &need);
    if (r != VK_SUCCESS) return r;
    *call = "vkBindBufferMemory";
    r = dev->fn.BindBufferMemory(dev->handle, buf->handle, buf->memory, 0);
    if (r != VK_SUCCESS) return r;
    *call = "vkMapMemory";
    return map_buffer(dev, buf);
}

static greta_status fail_create(struct vk_device *dev, const struct vk_buf *buf, VkResult r,
                                const char *call) {
    if (!out_of_memory(r)) return vk_fail(dev, r, call, "creating a buffer");
    struct greta_mem_info info;
    if (vk_dev_mem_info(&dev->base, &info) != GRETA_OK) info = (struct greta_mem_info){0};
    return greta_fail(dev->base.log,
                      r == VK_ERROR_OUT_OF_HOST_MEMORY ? GRETA_ERR_NO_MEMORY : GRETA_ERR_NO_DEVICE_MEMORY,
                      "vulkan: %s: %s: no %" PRIu64 " bytes of %s memory on %s (%" PRIu64 " of %" PRIu64
                      " MiB free): take a smaller model or context, or another device",
                      call, vk_result_name(r), buf->base.size_bytes, kind_names[buf->base.kind],
                      dev->base.info.name, info.free_bytes >> 20, info.total_bytes >> 20);
}

static greta_status create(struct hal_dev *base, uint64_t size_bytes, enum greta_mem_kind kind, bool exported,
                           struct hal_buf **out) {
    struct vk_device *dev = vk_device(base);
    *out = NULL;
    greta_status st = vk_alive(dev);
    if (st != GRETA_OK) return st;
    struct vk_buf *buf = calloc(1, sizeof *buf);
    if (!buf) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    buf->base.size_bytes = size_bytes;
    buf->base.kind = kind;
    bool made = !exported && wants_guard(dev) && make_guarded(dev, buf) == VK_SUCCESS;
    if (!made) {
        const char *call = "vkCreateBuffer";
        release(dev, buf);
        if (exported) buf->external = EXPORTED;
        VkResult r = make_plain(dev, buf, &call);
        if (r != VK_SUCCESS) {
            release(dev, buf);
            st = fail_create(dev, buf, r, call);
            free(buf);
            return st;
        }
    }
    const VkBufferDeviceAddressInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
                                            .buffer = buf->handle};
    buf->base.address = dev->fn.GetBufferDeviceAddress(dev->handle, &info);
    *out = &buf->base;
    return GRETA_OK;
}

greta_status vk_buf_create(struct hal_dev *base, uint64_t size_bytes, enum greta_mem_kind kind,
                           struct hal_buf **out) {
    return create(base, size_bytes, kind, false, out);
}

greta_status vk_buf_export(struct hal_dev *base, uint64_t size_bytes, struct hal_buf **out,
                           struct greta_export *handle) {
    struct vk_device *dev = vk_device(base);
    *handle = (struct greta_export){.fd = -1};
    *out = NULL;
    if (!dev->fn.GetMemoryFdKHR)
        return greta_fail(base->log, GRETA_ERR_UNSUPPORTED, "vulkan: the driver lacks vkGetMemoryFdKHR");
    greta_status st = create(base, size_bytes, GRETA_MEM_DEVICE, true, out);
    if (st != GRETA_OK) return st;
    const struct vk_buf *buf = (const struct vk_buf *)*out;
    const VkMemoryGetFdInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR, .memory = buf->memory, .handleType = EXPORTED};
    VkResult r = dev->fn.GetMemoryFdKHR(dev->handle, &info, &handle->fd);
    if (r != VK_SUCCESS) {
        handle->fd = -1;
        vk_buf_destroy(base, *out);
        *out = NULL;
        return vk_fail(dev, r, "vkGetMemoryFdKHR", "exporting a buffer");
    }
    handle->type = GRETA_EXPORT_OPAQUE_FD;
    handle->size_bytes = buf->memory_bytes;
    return GRETA_OK;
}

void vk_buf_destroy(struct hal_dev *base, struct hal_buf *hal) {
    struct vk_buf *buf = (struct vk_buf *)hal;
    if (!buf) return;
    release(vk_device(base), buf);
    free(buf);
}
