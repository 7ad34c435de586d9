/*
 * bench-dispatch's measure of what rt costs: the same kernel, arguments and barriers by plain Vulkan calls, with no check
 * and no bookkeeping at all. Recorded each time (one command buffer, its pool reset), and recorded once and handed over again.
 */
#include "../functions.h"
#include "dispatch.h"

#include <clock.h>
#include <dl.h>

#include <greta/env.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t code[] = {
#include "dispatch_spirv.h"
};

enum { MAX_DEVICES = 16, MAX_FAMILIES = 16 };

struct raw {
    const struct dispatch_params *params;
    uint32_t n, i_family, i_memory_type;
    uint64_t poll_ns, value;
    double period_ns;
    struct dl library;
    PFN_vkGetInstanceProcAddr get;
    struct vk_global_fns global;
    struct vk_instance_fns in;
    struct vk_device_fns fn;
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
    VkBuffer buffer;
    VkDeviceMemory memory;
    VkDeviceAddress address;
    float *host;
    VkShaderModule module;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    VkCommandPool pool, kept_pool;
    VkCommandBuffer cb, kept[DISPATCH_N_KINDS];
    VkSemaphore timeline;
    VkQueryPool queries;
};

static greta_status fail(const struct raw *r, const char *call, VkResult result) {
    return greta_fail(r->params->log, GRETA_ERR_UNAVAILABLE, "raw Vulkan: %s: VkResult %d", call,
                      (int)result);
}

/* ---- opening ---- */

#define TRY(call)                                                  \
    do {                                                           \
        VkResult result_ = (call);                                 \
        if (result_ != VK_SUCCESS) return fail(r, #call, result_); \
    } while (0)

static greta_status open_library(struct raw *r) {
    const char *given = greta_env_get(GRETA_ENV_VULKAN_LIBRARY);
    const char *const names[] = {given ? given : "libvulkan.so.1", NULL};
    static const struct dl_symbol symbol[] = {{"vkGetInstanceProcAddr", 0, false}};
    void *p = NULL;
    greta_status status = dl_open(&r->library, names, r->params->log);
    if (!status) status = dl_load(&r->library, symbol, 1, &p, r->params->log);
    if (status) return status;
    memcpy(&r->get, &p, sizeof p);
#define LOAD(name, required) r->global.name = (PFN_vk##name)r->get(NULL, "vk" #name);
    VK_GLOBAL_FUNCTIONS(LOAD)
#undef LOAD
    const VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                   .apiVersion = VK_API_VERSION_1_3};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &app};
    TRY(r->global.CreateInstance(&info, NULL, &r->instance));
#define LOAD(name, required) r->in.name = (PFN_vk##name)r->get(r->instance, "vk" #name);
    VK_INSTANCE_FUNCTIONS(LOAD)
#undef LOAD
    return GRETA_OK;
}

/* The device that rt has, by its UUID. *i_device: its place in the driver's own order. */
static greta_status find_device(struct raw *r, uint32_t *i_device) {
    VkPhysicalDevice devices[MAX_DEVICES];
    uint32_t n = MAX_DEVICES;
    VkResult result = r->in.EnumeratePhysicalDevices(r->instance, &n, devices);
    if (result != VK_SUCCESS && result != VK_INCOMPLETE) return fail(r, "vkEnumeratePhysicalDevices", result);
    for (uint32_t i = 0; i < n; i++) {
        VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
        VkPhysicalDeviceProperties2 p = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                         .pNext = &id};
        r->in.GetPhysicalDeviceProperties2(devices[i], &p);
        if (memcmp(id.deviceUUID, r->params->info->uuid, sizeof id.deviceUUID) != 0) continue;
        r->physical = devices[i];
        r->period_ns = p.properties.limits.timestampPeriod;
        /* As rt waits: it polls where the device does not share cores or power with the host. */
        r->poll_ns = r->params->info->type == GRETA_DEV_DISCRETE     ? 20000000
                     : r->params->info->type == GRETA_DEV_INTEGRATED ? 50000
                                                                     : 0;
        *i_device = i;
        return GRETA_OK;
    }
    return greta_fail(r->params->log, GRETA_ERR_UNAVAILABLE, "raw Vulkan: %s was not found again",
                      r->params->info->name);
}

static greta_status open_device(struct raw *r) {
    VkQueueFamilyProperties families[MAX_FAMILIES];
    uint32_t n = MAX_FAMILIES, pure = UINT32_MAX, mixed = UINT32_MAX;
    r->in.GetPhysicalDeviceQueueFamilyProperties(r->physical, &n, families);
    for (uint32_t i = n; i-- > 0;) /* as rt chooses: one without graphics where there is one */
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT &&
            !(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT))
            pure = i;
        else if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)
            mixed = i;
    r->i_family = pure < n ? pure : mixed;
    if (r->i_family >= n)
        return greta_fail(r->params->log, GRETA_ERR_UNAVAILABLE, "raw Vulkan: no compute queue");
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = r->i_family,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    VkPhysicalDeviceVulkan13Features v13 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
                                            .synchronization2 = VK_TRUE};
    VkPhysicalDeviceVulkan12Features v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
                                            .pNext = &v13,
                                            .bufferDeviceAddress = VK_TRUE,
                                            .timelineSemaphore = VK_TRUE,
                                            .hostQueryReset = VK_TRUE};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .pNext = &v12,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue};
    TRY(r->in.CreateDevice(r->physical, &info, NULL, &r->device));
#define LOAD(name, required) r->fn.name = (PFN_vk##name)r->in.GetDeviceProcAddr(r->device, "vk" #name);
    VK_DEVICE_FUNCTIONS(LOAD)
#undef LOAD
    r->fn.GetDeviceQueue(r->device, r->i_family, 0, &r->queue);
    return GRETA_OK;
}

static greta_status find_memory(struct raw *r, uint32_t allowed) {
    const VkMemoryPropertyFlags wanted[] = {
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
            VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT};
    VkPhysicalDeviceMemoryProperties2 p = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
    r->in.GetPhysicalDeviceMemoryProperties2(r->physical, &p);
    for (int k = 0; k < 2; k++)
        for (uint32_t i = 0; i < p.memoryProperties.memoryTypeCount; i++)
            if (allowed >> i & 1 &&
                (p.memoryProperties.memoryTypes[i].propertyFlags & wanted[k]) == wanted[k]) {
                r->i_memory_type = i;
                return GRETA_OK;
            }
    return greta_fail(r->params->log, GRETA_ERR_UNAVAILABLE, "raw Vulkan: no memory that the host sees");
}

static greta_status open_buffer(struct raw *r) {
    const uint64_t bytes = (r->n + UINT64_C(1)) * DISPATCH_BYTES;
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size = bytes,
                                     .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                              VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT};
    VkMemoryRequirements need;
    TRY(r->fn.CreateBuffer(r->device, &info, NULL, &r->buffer));
    r->fn.GetBufferMemoryRequirements(r->device, r->buffer, &need);
    greta_status status = find_memory(r, need.memoryTypeBits);
    if (status) return status;
    const VkMemoryAllocateFlagsInfo flags = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                             .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
    const VkMemoryAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                           .pNext = &flags,
                                           .allocationSize = need.size,
                                           .memoryTypeIndex = r->i_memory_type};
    void *host = NULL;
    TRY(r->fn.AllocateMemory(r->device, &allocate, NULL, &r->memory));
    TRY(r->fn.BindBufferMemory(r->device, r->buffer, r->memory, 0));
    TRY(r->fn.MapMemory(r->device, r->memory, 0, VK_WHOLE_SIZE, 0, &host));
    const VkBufferDeviceAddressInfo where = {.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
                                             .buffer = r->buffer};
    r->address = r->fn.GetBufferDeviceAddress(r->device, &where);
    r->host = host;
    return GRETA_OK;
}

struct args {
    VkDeviceAddress x, y;
    float scale;
};
enum { ARGS_BYTES = 20 };

static greta_status open_pipeline(struct raw *r) {
    const VkShaderModuleCreateInfo module = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = sizeof code, .pCode = code};
    const VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = 128};
    const VkPipelineLayoutCreateInfo layout = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                               .pushConstantRangeCount = 1,
                                               .pPushConstantRanges = &range};
    TRY(r->fn.CreateShaderModule(r->device, &module, NULL, &r->module));
    TRY(r->fn.CreatePipelineLayout(r->device, &layout, NULL, &r->layout));
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = r->module,
                  .pName = "main"},
        .layout = r->layout};
    TRY(r->fn.CreateComputePipelines(r->device, VK_NULL_HANDLE, 1, &info, NULL, &r->pipeline));
    return GRETA_OK;
}

static greta_status open_commands(struct raw *r) {
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                             .pNext = &type};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = r->i_family};
    const VkQueryPoolCreateInfo queries = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                           .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                           .queryCount = 2};
    VkCommandBufferAllocateInfo cbs = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                       .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                       .commandBufferCount = 1};
    TRY(r->fn.CreateSemaphore(r->device, &semaphore, NULL, &r->timeline));
    TRY(r->fn.CreateQueryPool(r->device, &queries, NULL, &r->queries));
    TRY(r->fn.CreateCommandPool(r->device, &pool, NULL, &r->pool));
    TRY(r->fn.CreateCommandPool(r->device, &pool, NULL, &r->kept_pool));
    cbs.commandPool = r->pool;
    TRY(r->fn.AllocateCommandBuffers(r->device, &cbs, &r->cb));
    cbs.commandPool = r->kept_pool;
    cbs.commandBufferCount = DISPATCH_N_KINDS;
    TRY(r->fn.AllocateCommandBuffers(r->device, &cbs, r->kept));
    return GRETA_OK;
}

/* ---- a step ---- */

static void barrier(struct raw *r, VkCommandBuffer cb, VkPipelineStageFlags2 stages,
                    VkAccessFlags2 accesses) {
    const VkMemoryBarrier2 memory = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
        .srcAccessMask = VK_ACCESS_2_SHADER_WRITE_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT,
        .dstStageMask = stages,
        .dstAccessMask = accesses};
    const VkDependencyInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO, .memoryBarrierCount = 1, .pMemoryBarriers = &memory};
    r->fn.CmdPipelineBarrier2(cb, &info);
}

static greta_status record(struct raw *r, VkCommandBuffer cb, enum dispatch_kind kind, bool stamps) {
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    TRY(r->fn.BeginCommandBuffer(cb, &begin));
    if (stamps) r->fn.CmdResetQueryPool(cb, r->queries, 0, 2);
    if (stamps) r->fn.CmdWriteTimestamp2(cb, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, r->queries, 0);
    r->fn.CmdBindPipeline(cb, VK_PIPELINE_BIND_POINT_COMPUTE, r->pipeline);
    for (uint64_t i = 0; i < r->n; i++) {
        const struct args args = {r->address + (kind == DISPATCH_CHAIN ? i * DISPATCH_BYTES : 0),
                                  r->address + (i + 1) * DISPATCH_BYTES, -1};
        if (kind == DISPATCH_CHAIN || i == 0)
            barrier(r, cb, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT,
                    VK_ACCESS_2_SHADER_READ_BIT | VK_ACCESS_2_SHADER_WRITE_BIT |
                        VK_ACCESS_2_TRANSFER_READ_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT);
        r->fn.CmdPushConstants(cb, r->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, ARGS_BYTES, &args);
        r->fn.CmdDispatch(cb, 1, 1, 1);
    }
    if (stamps) r->fn.CmdWriteTimestamp2(cb, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, r->queries, 1);
    barrier(r, cb, VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT);
    TRY(r->fn.EndCommandBuffer(cb));
    return GRETA_OK;
}

static greta_status submit(struct raw *r, VkCommandBuffer cb) {
    const VkCommandBufferSubmitInfo command = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                               .commandBuffer = cb};
    const VkSemaphoreSubmitInfo signal = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                          .semaphore = r->timeline,
                                          .value = ++r->value,
                                          .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    const VkSubmitInfo2 info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .commandBufferInfoCount = 1,
                                .pCommandBufferInfos = &command,
                                .signalSemaphoreInfoCount = 1,
                                .pSignalSemaphoreInfos = &signal};
    TRY(r->fn.QueueSubmit2(r->queue, 1, &info, VK_NULL_HANDLE));
    return GRETA_OK;
}

static greta_status start_recorded(void *state, enum dispatch_kind kind) {
    struct raw *r = state;
    TRY(r->fn.ResetCommandPool(r->device, r->pool, 0));
    greta_status status = record(r, r->cb, kind, false);
    return status ? status : submit(r, r->cb);
}

static greta_status start_kept(void *state, enum dispatch_kind kind) {
    struct raw *r = state;
    return submit(r, r->kept[kind]);
}

static greta_status wait(void *state) {
    struct raw *r = state;
    for (uint64_t until = r->poll_ns ? clock_ns() + r->poll_ns : 0; until && clock_ns() < until;
         (void)sched_yield())
        for (int i = 0; i < 32; i++) {
            uint64_t now = 0;
            TRY(r->fn.GetSemaphoreCounterValue(r->device, r->timeline, &now));
            if (now >= r->value) return GRETA_OK;
        }
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &r->timeline,
                                      .pValues = &r->value};
    TRY(r->fn.WaitSemaphores(r->device, &info, UINT64_MAX));
    return GRETA_OK;
}

static greta_status device_ns(void *state, enum dispatch_kind kind, double *out) {
    struct raw *r = state;
    uint64_t stamps[2] = {0, 0};
    TRY(r->fn.ResetCommandPool(r->device, r->pool, 0));
    greta_status status = record(r, r->cb, kind, true);
    if (!status) status = submit(r, r->cb);
    if (!status) status = wait(r);
    if (status) return status;
    TRY(r->fn.GetQueryPoolResults(r->device, r->queries, 0, 2, sizeof stamps, stamps, sizeof *stamps,
                                  VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
    *out = (double)(stamps[1] - stamps[0]) * r->period_ns;
    return GRETA_OK;
}

static greta_status write(void *state, const float *x) {
    struct raw *r = state;
    memcpy(r->host, x, (r->n + UINT64_C(1)) * DISPATCH_BYTES);
    return GRETA_OK;
}

static greta_status read(void *state, enum dispatch_kind kind, float *x) {
    struct raw *r = state;
    (void)kind;
    memcpy(x, r->host, (r->n + UINT64_C(1)) * DISPATCH_BYTES);
    return GRETA_OK;
}

static void finish(void *state) {
    struct raw *r = state;
    if (r->device) {
        (void)r->fn.DeviceWaitIdle(r->device);
        if (r->queries) r->fn.DestroyQueryPool(r->device, r->queries, NULL);
        if (r->timeline) r->fn.DestroySemaphore(r->device, r->timeline, NULL);
        if (r->pool) r->fn.DestroyCommandPool(r->device, r->pool, NULL);
        if (r->kept_pool) r->fn.DestroyCommandPool(r->device, r->kept_pool, NULL);
        if (r->pipeline) r->fn.DestroyPipeline(r->device, r->pipeline, NULL);
        if (r->layout) r->fn.DestroyPipelineLayout(r->device, r->layout, NULL);
        if (r->module) r->fn.DestroyShaderModule(r->device, r->module, NULL);
        if (r->buffer) r->fn.DestroyBuffer(r->device, r->buffer, NULL);
        if (r->memory) r->fn.FreeMemory(r->device, r->memory, NULL);
        r->fn.DestroyDevice(r->device, NULL);
    }
    if (r->instance) r->in.DestroyInstance(r->instance, NULL);
    dl_close(&r->library);
    free(r);
}

static greta_status open(struct raw *r, uint32_t *i_device) {
    greta_status status = open_library(r);
    if (!status) status = find_device(r, i_device);
    if (!status) status = open_device(r);
    if (!status) status = open_buffer(r);
    if (!status) status = open_pipeline(r);
    if (!status) status = open_commands(r);
    for (int kind = 0; kind < DISPATCH_N_KINDS && !status; kind++)
        status = record(r, r->kept[kind], (enum dispatch_kind)kind, false);
    return status;
}

greta_status dispatch_open_raw(const struct dispatch_params *params, uint32_t *i_device,
                               struct dispatch_way *ways, uint32_t *n_ways) {
    struct raw *r = calloc(1, sizeof *r);
    if (!r) return GRETA_ERR_NO_MEMORY;
    r->params = params;
    r->n = params->n;
    greta_status status = open(r, i_device);
    if (status) {
        finish(r);
        return status;
    }
    ways[(*n_ways)++] =
        (struct dispatch_way){"raw calls, recorded", r, start_recorded, wait, device_ns, write, read, finish};
    ways[(*n_ways)++] =
        (struct dispatch_way){"raw calls, kept", r, start_kept, wait, NULL, write, read, NULL};
    return GRETA_OK;
}
