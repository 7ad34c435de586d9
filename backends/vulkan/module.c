/* Modules are SPIR-V; a kernel is a compute pipeline of one entry point with its constants set. */
#include "vk.h"

#include <stdlib.h>
#include <string.h>

static const char *image_name(const struct greta_image *image) {
    return image->name ? image->name : "module";
}

greta_status vk_module_load(struct hal_dev *base, const struct greta_image *image, struct hal_module **out) {
    struct vk_device *dev = vk_device(base);
    *out = NULL;
    greta_status st = vk_alive(dev);
    if (st == GRETA_OK) st = vk_spirv_check(dev, image);
    if (st != GRETA_OK) return st;
    struct vk_module *module = calloc(1, sizeof *module);
    if (!module) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    module->image = *image;
    const VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                           .codeSize = image->size_bytes,
                                           .pCode = image->data};
    VkResult r = dev->fn.CreateShaderModule(dev->handle, &info, NULL, &module->handle);
    if (r != VK_SUCCESS) {
        free(module);
        return vk_fail(dev, r, "vkCreateShaderModule", image_name(image));
    }
    pthread_mutex_init(&module->lock, NULL);
    *out = &module->base;
    return GRETA_OK;
}

void vk_module_unload(struct hal_dev *base, struct hal_module *hal) {
    struct vk_device *dev = vk_device(base);
    struct vk_module *module = (struct vk_module *)hal;
    if (!module) return;
    for (struct vk_kernel *k = module->kernels, *next; k; k = next) {
        next = k->next;
        dev->fn.DestroyPipeline(dev->handle, k->pipeline, NULL);
        free(k);
    }
    dev->fn.DestroyShaderModule(dev->handle, module->handle, NULL);
    pthread_mutex_destroy(&module->lock);
    free(module);
}

/* ---- what the driver tells of a pipeline --------------------------------------------------------------------------- */

/* Each driver has its own words. */
static const struct {
    const char *name;
    size_t offset;
} statistics[] = {
    {"VGPRs", offsetof(struct greta_kernel_info, n_registers)},               /* RADV */
    {"Register Count", offsetof(struct greta_kernel_info, n_registers)},      /* NVIDIA */
    {"Scratch size", offsetof(struct greta_kernel_info, scratch_bytes)},      /* RADV */
    {"Local Memory Size", offsetof(struct greta_kernel_info, scratch_bytes)}, /* NVIDIA */
    {"LDS size", offsetof(struct greta_kernel_info, lds_bytes)},              /* RADV */
    {"Shared Memory Size", offsetof(struct greta_kernel_info, lds_bytes)},    /* NVIDIA */
};

static void keep_statistic(const VkPipelineExecutableStatisticKHR *s, struct greta_kernel_info *info) {
    uint64_t value = s->value.u64;
    if (s->format == VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_FLOAT64_KHR) value = (uint64_t)s->value.f64;
    for (size_t i = 0; i < sizeof statistics / sizeof *statistics; i++) {
        if (strcmp(s->name, statistics[i].name) != 0) continue;
        uint32_t v = (uint32_t)value; /* NVIDIA 580 leaves rubbish in the upper half of "Local Memory Size" */
        memcpy((char *)info + statistics[i].offset, &v, sizeof v);
    }
}

static void ask_statistics(struct vk_device *dev, struct vk_kernel *kernel) {
    enum { MAX = 32 };
    const VkPipelineInfoKHR pipeline = {.sType = VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR,
                                        .pipeline = kernel->pipeline};
    VkPipelineExecutablePropertiesKHR executable = {.sType =
                                                        VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR};
    uint32_t n = 1;
    VkResult r = dev->fn.GetPipelineExecutablePropertiesKHR(dev->handle, &pipeline, &n, &executable);
    if ((r != VK_SUCCESS && r != VK_INCOMPLETE) || n != 1) return;
    if (executable.subgroupSize) kernel->base.info.subgroup_size = executable.subgroupSize;
    const VkPipelineExecutableInfoKHR which = {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR,
                                               .pipeline = kernel->pipeline};
    VkPipelineExecutableStatisticKHR list[MAX];
    for (int i = 0; i < MAX; i++)
        list[i] =
            (VkPipelineExecutableStatisticKHR){.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR};
    n = MAX;
    r = dev->fn.GetPipelineExecutableStatisticsKHR(dev->handle, &which, &n, list);
    if (r != VK_SUCCESS && r != VK_INCOMPLETE) return;
    for (uint32_t i = 0; i < n; i++) keep_statistic(&list[i], &kernel->base.info);
}

/* ---- kernels --------------------------------------------------------------------------------------------------------- */

/* Which subgroup size is asked for (0: the driver's choice) and whether all subgroups can be full. */
struct subgroups {
    uint32_t size;
    bool full;
};

static greta_status choose_subgroups(const struct vk_device *dev, const struct vk_module *module,
                                     const char *name, const struct greta_constant *constants, uint32_t n,
                                     struct subgroups *out) {
    const struct greta_limits *l = &dev->physical->limits;
    *out = (struct subgroups){0};
    for (uint32_t i = 0; i < n; i++)
        if (constants[i].id == GRETA_CONSTANT_SUBGROUP_SIZE) out->size = constants[i].value;
    if (out->size &&
        (out->size < l->subgroup_min || out->size > l->subgroup_max || out->size & (out->size - 1)))
        return greta_fail(dev->base.log, GRETA_ERR_UNSUPPORTED,
                          "vulkan: %s asks for subgroups of %u; %s has %u to %u", image_name(&module->image),
                          out->size, dev->base.info.name, l->subgroup_min, l->subgroup_max);
    uint32_t x = vk_spirv_group_x(&module->image, name, constants, n),
             unit = out->size ? out->size : l->subgroup_max;
    out->full = dev->physical->features.v13.computeFullSubgroups && x && unit && x % unit == 0;
    if (!dev->physical->can_choose_subgroup) out->size = 0;
    return GRETA_OK;
}

static VkResult create_pipeline(struct vk_device *dev, const struct vk_module *module, const char *name,
                                const VkSpecializationInfo *constants, struct subgroups subgroups,
                                VkPipeline *out) {
    const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo required = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = subgroups.size};
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .flags = dev->physical->features.executable.pipelineExecutableInfo
                     ? VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR
                     : 0,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .pNext = subgroups.size ? &required : NULL,
                  .flags = subgroups.full ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT : 0,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module->handle,
                  .pName = name,
                  .pSpecializationInfo = constants},
        .layout = dev->layout};
    *out = VK_NULL_HANDLE;
    return dev->fn.CreateComputePipelines(dev->handle, dev->cache, 1, &info, NULL, out);
}

enum { MAX_CONSTANTS = 64 };

static greta_status build(struct vk_device *dev, const struct vk_module *module, const char *name,
                          const struct greta_constant *constants, uint32_t n, struct vk_kernel *kernel) {
    VkSpecializationMapEntry entries[MAX_CONSTANTS];
    const VkSpecializationInfo specialization = {
        .mapEntryCount = n, .pMapEntries = entries, .dataSize = n * sizeof *constants, .pData = constants};
    struct subgroups subgroups;
    for (uint32_t i = 0; i < n; i++)
        entries[i] = (VkSpecializationMapEntry){
            constants[i].id, (uint32_t)(i * sizeof *constants + offsetof(struct greta_constant, value)),
            sizeof constants[i].value};
    greta_status st = choose_subgroups(dev, module, name, constants, n, &subgroups);
    if (st != GRETA_OK) return st;
    VkResult r = create_pipeline(dev, module, name, n ? &specialization : NULL, subgroups, &kernel->pipeline);
    if (r != VK_SUCCESS || !kernel->pipeline) {
        st = vk_result_status(r);
        if (st == GRETA_ERR_DEVICE_LOST)
            return vk_fail(dev, r, "vkCreateComputePipelines", image_name(&module->image));
        if (st != GRETA_ERR_NO_MEMORY && st != GRETA_ERR_NO_DEVICE_MEMORY) st = GRETA_ERR_COMPILE;
        return greta_fail(dev->base.log, st, "vulkan: vkCreateComputePipelines: %s: %s of %s on %s",
                          vk_result_name(r), name, image_name(&module->image), dev->base.info.name);
    }
    const struct greta_limits *l = &dev->physical->limits;
    kernel->base.info.subgroup_size = subgroups.size                       ? subgroups.size
                                      : l->subgroup_min == l->subgroup_max ? l->subgroup_min
                                                                           : 0;
    if (dev->physical->features.executable.pipelineExecutableInfo) ask_statistics(dev, kernel);
    return GRETA_OK;
}

/* Nothing is locked while a pipeline is built: several threads build several at once. */
greta_status vk_kernel_get(struct hal_dev *base, struct hal_module *hal, const char *name,
                           const struct greta_constant *constants, uint32_t n_constants,
                           struct hal_kernel **out) {
    struct vk_device *dev = vk_device(base);
    struct vk_module *module = (struct vk_module *)hal;
    *out = NULL;
    greta_status st = vk_alive(dev);
    if (st != GRETA_OK) return st;
    if (!vk_spirv_has_entry(&module->image, name))
        return greta_fail(base->log, GRETA_ERR_NOT_FOUND, "vulkan: %s has no entry point %s",
                          image_name(&module->image), name);
    if (n_constants > MAX_CONSTANTS)
        return greta_fail(base->log, GRETA_ERR_UNSUPPORTED, "vulkan: %s: %u constants are more than %d",
                          image_name(&module->image), n_constants, (int)MAX_CONSTANTS);
    struct vk_kernel *kernel = calloc(1, sizeof *kernel);
    if (!kernel) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    st = build(dev, module, name, constants, n_constants, kernel);
    if (st != GRETA_OK) {
        free(kernel);
        return st;
    }
    atomic_fetch_add(&dev->n_new_pipelines, 1);
    pthread_mutex_lock(&module->lock);
    kernel->next = module->kernels;
    module->kernels = kernel;
    pthread_mutex_unlock(&module->lock);
    *out = &kernel->base;
    return GRETA_OK;
}
