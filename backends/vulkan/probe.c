/* What devices there are, and what each can do: limits are asked of the driver, faults of drivers are a table. */
#include "vk.h"

#include <thread.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *vk_extension_name(enum vk_extension extension) {
#define NAME(name, string) string,
    static const char *const names[] = {VK_EXTENSION_LIST(NAME)};
#undef NAME
    return names[extension];
}

/* ---- features --------------------------------------------------------------------------------------------------- */

enum { NEEDED = 1 };

/* The features that are switched on where they exist; without a needed one a device is not listed. */
static const struct wanted {
    size_t offset;
    const char *name;
    unsigned flags;
} wanted[] = {
#define WANT(member, name, flags) {offsetof(struct vk_features, member.name), #name, flags},
    /* clang-format off */
    WANT(core.features, shaderInt64, NEEDED)
    WANT(core.features, shaderInt16, 0)
    WANT(core.features, shaderFloat64, 0)
    WANT(v11, storageBuffer16BitAccess, 0)
    WANT(v11, uniformAndStorageBuffer16BitAccess, 0)
    WANT(v11, storagePushConstant16, 0)
    WANT(v12, storagePushConstant8, 0)
    WANT(v11, variablePointers, 0)
    WANT(v11, variablePointersStorageBuffer, 0)
    WANT(v12, bufferDeviceAddress, NEEDED)
    WANT(v12, timelineSemaphore, NEEDED)
    WANT(v12, hostQueryReset, NEEDED)
    WANT(v12, vulkanMemoryModel, 0)
    WANT(v12, vulkanMemoryModelDeviceScope, 0)
    WANT(v12, storageBuffer8BitAccess, 0)
    WANT(v12, uniformAndStorageBuffer8BitAccess, 0)
    WANT(v12, shaderFloat16, 0)
    WANT(v12, shaderInt8, 0)
    WANT(v12, shaderBufferInt64Atomics, 0)
    WANT(v12, shaderSubgroupExtendedTypes, 0)
    WANT(v12, scalarBlockLayout, 0)
    WANT(v13, synchronization2, NEEDED)
    WANT(v13, maintenance4, NEEDED)
    WANT(v13, subgroupSizeControl, 0)
    WANT(v13, computeFullSubgroups, 0)
    WANT(v13, shaderIntegerDotProduct, 0)
    WANT(priority, memoryPriority, 0)
    WANT(pageable, pageableDeviceLocalMemory, 0)
    WANT(executable, pipelineExecutableInfo, 0)
    WANT(layout, workgroupMemoryExplicitLayout, 0)
    WANT(layout, workgroupMemoryExplicitLayoutScalarBlockLayout, 0)
    WANT(layout, workgroupMemoryExplicitLayout8BitAccess, 0)
    WANT(layout, workgroupMemoryExplicitLayout16BitAccess, 0)
    WANT(matrix, cooperativeMatrix, 0)
    WANT(matrix2, cooperativeMatrixWorkgroupScope, 0)
    WANT(matrix2, cooperativeMatrixFlexibleDimensions, 0)
    WANT(matrix2, cooperativeMatrixTensorAddressing, 0)
    WANT(bfloat16, shaderBFloat16Type, 0)
    WANT(bfloat16, shaderBFloat16DotProduct, 0)
    WANT(bfloat16, shaderBFloat16CooperativeMatrix, 0)
    WANT(float8, shaderFloat8, 0)
    WANT(float8, shaderFloat8CooperativeMatrix, 0)
/* clang-format on */
#undef WANT
};

static void chain(void ***tail, void *link, VkStructureType type, bool use) {
    VkBaseOutStructure *s = link;
    s->sType = type;
    s->pNext = NULL;
    if (!use) return;
    **tail = s;
    *tail = (void **)&s->pNext;
}

void *vk_features_link(struct vk_features *f, const bool has[VK_N_EXTENSIONS]) {
    void *head = NULL, **tail = &head;
    chain(&tail, &f->core, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, true);
    chain(&tail, &f->v11, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, true);
    chain(&tail, &f->v12, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, true);
    chain(&tail, &f->v13, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES, true);
    chain(&tail, &f->priority, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PRIORITY_FEATURES_EXT,
          has[VK_HAS_MEMORY_PRIORITY]);
    chain(&tail, &f->pageable, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PAGEABLE_DEVICE_LOCAL_MEMORY_FEATURES_EXT,
          has[VK_HAS_PAGEABLE_MEMORY]);
    chain(&tail, &f->executable,
          VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR,
          has[VK_HAS_EXECUTABLE_PROPERTIES]);
    chain(&tail, &f->layout, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_WORKGROUP_MEMORY_EXPLICIT_LAYOUT_FEATURES_KHR,
          has[VK_HAS_EXPLICIT_LAYOUT]);
    chain(&tail, &f->matrix, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
          has[VK_HAS_COOPERATIVE_MATRIX]);
    chain(&tail, &f->matrix2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_FEATURES_NV,
          has[VK_HAS_COOPERATIVE_MATRIX2]);
    chain(&tail, &f->bfloat16, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_BFLOAT16_FEATURES_KHR,
          has[VK_HAS_BFLOAT16]);
    chain(&tail, &f->float8, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT8_FEATURES_EXT,
          has[VK_HAS_FLOAT8]);
    chain(&tail, &f->sm_builtins, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_FEATURES_NV,
          has[VK_HAS_NV_SM_BUILTINS]);
    return head;
}

/* Keeps of what the device has what is wanted. False where a needed feature is missing. */
static bool choose_features(struct vk_instance *in, struct vk_physical *p) {
    struct vk_features found = {0};
    in->fn.GetPhysicalDeviceFeatures2(p->handle, vk_features_link(&found, p->has));
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        VkBool32 on;
        memcpy(&on, (char *)&found + wanted[i].offset, sizeof on);
        if (!on && wanted[i].flags & NEEDED) {
            greta_logf(in->log, GRETA_LOG_DEBUG, "vulkan: %s is left out: it lacks %s", p->info.name,
                       wanted[i].name);
            return false;
        }
        memcpy((char *)&p->features + wanted[i].offset, &on, sizeof on);
    }
    return true;
}

static greta_status find_extensions(struct vk_instance *in, struct vk_physical *p) {
    uint32_t n = 0;
    VkResult r = in->fn.EnumerateDeviceExtensionProperties(p->handle, NULL, &n, NULL);
    VkExtensionProperties *list = r == VK_SUCCESS ? calloc(n + 1, sizeof *list) : NULL;
    if (r == VK_SUCCESS && !list) return greta_fail(in->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    if (r == VK_SUCCESS) r = in->fn.EnumerateDeviceExtensionProperties(p->handle, NULL, &n, list);
    for (uint32_t i = 0; i < n && (r == VK_SUCCESS || r == VK_INCOMPLETE); i++)
        for (int e = 0; e < VK_N_EXTENSIONS; e++)
            if (!strcmp(list[i].extensionName, vk_extension_name((enum vk_extension)e))) p->has[e] = true;
    free(list);
    return GRETA_OK;
}

/* ---- properties ------------------------------------------------------------------------------------------------- */

struct properties {
    VkPhysicalDeviceProperties2 core;
    VkPhysicalDeviceVulkan11Properties v11;
    VkPhysicalDeviceVulkan12Properties v12;
    VkPhysicalDeviceVulkan13Properties v13;
    VkPhysicalDevicePCIBusInfoPropertiesEXT pci;
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT import;
    VkPhysicalDeviceShaderCorePropertiesAMD amd;
    VkPhysicalDeviceShaderCoreProperties2AMD amd2;
    VkPhysicalDeviceShaderSMBuiltinsPropertiesNV nv;
    VkPhysicalDeviceCooperativeMatrix2PropertiesNV matrix2;
};

static void ask_properties(struct vk_instance *in, const struct vk_physical *p, struct properties *q) {
    *q = (struct properties){0};
    void *head = NULL, **tail = &head;
    chain(&tail, &q->core, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, true);
    chain(&tail, &q->v11, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES, true);
    chain(&tail, &q->v12, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES, true);
    chain(&tail, &q->v13, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES, true);
    chain(&tail, &q->pci, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT,
          p->has[VK_HAS_PCI_BUS_INFO]);
    chain(&tail, &q->import, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT,
          p->has[VK_HAS_EXTERNAL_MEMORY_HOST]);
    chain(&tail, &q->amd, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD,
          p->has[VK_HAS_AMD_SHADER_CORE]);
    chain(&tail, &q->amd2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_2_AMD,
          p->has[VK_HAS_AMD_SHADER_CORE2]);
    chain(&tail, &q->nv, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV,
          p->has[VK_HAS_NV_SM_BUILTINS]);
    chain(&tail, &q->matrix2, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_PROPERTIES_NV,
          p->has[VK_HAS_COOPERATIVE_MATRIX2]);
    in->fn.GetPhysicalDeviceProperties2(p->handle, head);
}

static enum greta_dev_type device_type(VkPhysicalDeviceType type) {
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_CPU: return GRETA_DEV_CPU;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: return GRETA_DEV_INTEGRATED;
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: return GRETA_DEV_DISCRETE;
    default: return GRETA_DEV_OTHER;
    }
}

static void fill_info(struct vk_physical *p, const struct properties *q) {
    struct greta_dev_info *info = &p->info;
    const VkPhysicalDeviceProperties *core = &q->core.properties;
    snprintf(info->name, sizeof info->name, "%.127s", core->deviceName);
    snprintf(info->backend, sizeof info->backend, "vulkan");
    snprintf(info->arch, sizeof info->arch, "%s",
             vk_arch_name(core->deviceName, core->vendorID, core->deviceID));
    snprintf(info->driver, sizeof info->driver, "%.40s %.50s", q->v12.driverName, q->v12.driverInfo);
    info->type = device_type(core->deviceType);
    memcpy(info->uuid, q->v11.deviceUUID, sizeof info->uuid);
    for (size_t i = 0; i < sizeof info->uuid; i++) info->has_uuid |= info->uuid[i] != 0;
    if (p->has[VK_HAS_PCI_BUS_INFO])
        snprintf(info->pci, sizeof info->pci, "%04x:%02x:%02x.%x", q->pci.pciDomain & 0xffff,
                 q->pci.pciBus & 0xff, q->pci.pciDevice & 0xff, q->pci.pciFunction & 0xf);
    p->vendor_id = core->vendorID;
    p->device_id = core->deviceID;
    p->driver_id = q->v12.driverID;
    memcpy(p->cache_uuid, core->pipelineCacheUUID, sizeof p->cache_uuid);
}

static uint32_t compute_units(const struct vk_physical *p, const struct properties *q) {
    if (p->info.type == GRETA_DEV_CPU) return thread_n_cpus();
    if (p->has[VK_HAS_AMD_SHADER_CORE2] && q->amd2.activeComputeUnitCount)
        return q->amd2.activeComputeUnitCount;
    if (p->has[VK_HAS_AMD_SHADER_CORE])
        return q->amd.shaderEngineCount * q->amd.shaderArraysPerEngineCount *
               q->amd.computeUnitsPerShaderArray;
    return p->has[VK_HAS_NV_SM_BUILTINS] ? q->nv.shaderSMCount : 0;
}

static uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

enum { MAX_ARGS_BYTES = 256, MAX_UPDATE_BYTES = 256, MIN_ALIGNMENT = 16 };

static void fill_limits(struct vk_physical *p, const struct properties *q) {
    struct greta_limits *l = &p->limits;
    const VkPhysicalDeviceLimits *v = &q->core.properties.limits;
    const struct vk_features *f = &p->features;
    l->max_buf_bytes = min_u64(q->v13.maxBufferSize, q->v11.maxMemoryAllocationSize);
    l->max_args_bytes = (uint32_t)min_u64(v->maxPushConstantsSize, MAX_ARGS_BYTES);
    l->max_bindings = l->max_args_bytes / 8;
    memcpy(l->max_groups, v->maxComputeWorkGroupCount, sizeof l->max_groups);
    l->max_group_threads = v->maxComputeWorkGroupInvocations;
    l->max_lds_bytes = v->maxComputeSharedMemorySize;
    p->subgroup_default = q->v11.subgroupSize;
    p->subgroup_ops =
        q->v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT ? q->v11.subgroupSupportedOperations : 0;
    p->can_choose_subgroup =
        f->v13.subgroupSizeControl && q->v13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT;
    l->subgroup_min = p->can_choose_subgroup ? q->v13.minSubgroupSize : p->subgroup_default;
    l->subgroup_max = p->can_choose_subgroup ? q->v13.maxSubgroupSize : p->subgroup_default;
    l->n_compute_units = compute_units(p, q);
    l->buf_alignment = (uint32_t)v->minStorageBufferOffsetAlignment;
    if (l->buf_alignment < MIN_ALIGNMENT) l->buf_alignment = MIN_ALIGNMENT;
    l->max_update_bytes = MAX_UPDATE_BYTES;
    if (isfinite(v->timestampPeriod) && v->timestampPeriod > 0 && p->timestamp_mask)
        l->timestamp_period_ns = v->timestampPeriod;
    if (l->timestamp_period_ns > 0) l->timestamp_bits = (uint32_t)__builtin_popcountll(p->timestamp_mask);
    l->is_cpu = p->info.type == GRETA_DEV_CPU;
    l->has_f16 = f->v12.shaderFloat16;
    l->has_i8 = f->v12.shaderInt8;
    l->has_16bit_storage = f->v11.storageBuffer16BitAccess;
    l->has_8bit_storage = f->v12.storageBuffer8BitAccess;
    l->has_int_dot = f->v13.shaderIntegerDotProduct;
    l->has_bf16 = f->bfloat16.shaderBFloat16Type;
    l->has_graph = true;
    p->min_import_bytes = p->has[VK_HAS_EXTERNAL_MEMORY_HOST] ? q->import.minImportedHostPointerAlignment : 0;
}

static enum greta_component component(VkComponentTypeKHR type) {
    switch ((int)type) {
    case VK_COMPONENT_TYPE_FLOAT16_KHR: return GRETA_COMPONENT_F16;
    case VK_COMPONENT_TYPE_FLOAT32_KHR: return GRETA_COMPONENT_F32;
    case VK_COMPONENT_TYPE_FLOAT64_KHR: return GRETA_COMPONENT_F64;
    case VK_COMPONENT_TYPE_SINT8_KHR: return GRETA_COMPONENT_S8;
    case VK_COMPONENT_TYPE_SINT32_KHR: return GRETA_COMPONENT_S32;
    case (int)VK_COMPONENT_TYPE_BFLOAT16_KHR: return GRETA_COMPONENT_BF16;
    case (int)VK_COMPONENT_TYPE_FLOAT8_E4M3_EXT: return GRETA_COMPONENT_FP8;
    default: return GRETA_COMPONENT_NONE;
    }
}

static void add_matrix_op(struct greta_limits *l, const VkCooperativeMatrixPropertiesKHR *m) {
    struct greta_matrix_op op = {(uint16_t)m->MSize, (uint16_t)m->NSize, (uint16_t)m->KSize,
                                 (uint8_t)component(m->AType), (uint8_t)component(m->CType)};
    if (m->scope != VK_SCOPE_SUBGROUP_KHR || m->AType != m->BType || m->CType != m->ResultType) return;
    if (m->saturatingAccumulation || !op.type_ab || !op.type_cd) return;
    for (uint32_t i = 0; i < l->n_matrix_ops; i++)
        if (!memcmp(&l->matrix_ops[i], &op, sizeof op)) return;
    if (l->n_matrix_ops < sizeof l->matrix_ops / sizeof *l->matrix_ops) l->matrix_ops[l->n_matrix_ops++] = op;
}

static void fill_matrix_ops(struct vk_instance *in, struct vk_physical *p) {
    if (!p->features.matrix.cooperativeMatrix || !in->fn.GetPhysicalDeviceCooperativeMatrixPropertiesKHR)
        return;
    enum { MAX = 256 };
    VkCooperativeMatrixPropertiesKHR *list = calloc(MAX, sizeof *list);
    uint32_t n = MAX;
    for (uint32_t i = 0; list && i < MAX; i++)
        list[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
    VkResult r = list ? in->fn.GetPhysicalDeviceCooperativeMatrixPropertiesKHR(p->handle, &n, list)
                      : VK_ERROR_OUT_OF_HOST_MEMORY;
    if (r == VK_SUCCESS || r == VK_INCOMPLETE)
        for (uint32_t i = 0; i < n; i++) add_matrix_op(&p->limits, &list[i]);
    free(list);
}

/* Kernels that hold a matrix in a whole workgroup load it by tensors, too: all three features or none. */
static void fill_group_matrix_ops(struct vk_instance *in, struct vk_physical *p, uint32_t max_size) {
    const VkPhysicalDeviceCooperativeMatrix2FeaturesNV *f = &p->features.matrix2;
    struct greta_limits *l = &p->limits;
    enum { MAX = 64 };
    VkCooperativeMatrixFlexibleDimensionsPropertiesNV list[MAX];
    uint32_t n = MAX;
    if (!f->cooperativeMatrixWorkgroupScope || !f->cooperativeMatrixFlexibleDimensions ||
        !f->cooperativeMatrixTensorAddressing ||
        !in->fn.GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV)
        return;
    memset(list, 0, sizeof list);
    for (uint32_t i = 0; i < MAX; i++)
        list[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FLEXIBLE_DIMENSIONS_PROPERTIES_NV;
    VkResult r = in->fn.GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV(p->handle, &n, list);
    if (r != VK_SUCCESS && r != VK_INCOMPLETE) return;
    for (uint32_t i = 0; i < n && l->n_group_matrix_ops < 8; i++) {
        const VkCooperativeMatrixFlexibleDimensionsPropertiesNV *m = &list[i];
        struct greta_matrix_op unit = {(uint16_t)m->MGranularity, (uint16_t)m->NGranularity,
                                       (uint16_t)m->KGranularity, (uint8_t)component(m->AType),
                                       (uint8_t)component(m->CType)};
        if (m->scope != VK_SCOPE_WORKGROUP_KHR || m->AType != m->BType || m->CType != m->ResultType) continue;
        if (m->saturatingAccumulation || unit.type_ab != GRETA_COMPONENT_F16 ||
            unit.type_cd != GRETA_COMPONENT_F32)
            continue;
        l->group_matrix_ops[l->n_group_matrix_ops++] =
            (struct greta_group_matrix_op){unit, m->workgroupInvocations};
    }
    if (l->n_group_matrix_ops) l->max_group_matrix_size = max_size;
}

/*
 * A family that computes, without graphics where there is one: the desktop does not share it, and amdgpu lets a compute
 * ring run longer before it resets it. On an H200 both kinds copy and compute alike.
 */
static bool find_queue(struct vk_instance *in, struct vk_physical *p) {
    VkQueueFamilyProperties families[32];
    uint32_t n = 32;
    bool found = false, pure = false;
    in->fn.GetPhysicalDeviceQueueFamilyProperties(p->handle, &n, families);
    for (uint32_t i = 0; i < n; i++) {
        bool is_pure = !(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT);
        if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) || !families[i].queueCount ||
            (found && (pure || !is_pure)))
            continue;
        found = true;
        pure = is_pure;
        p->i_queue_family = i;
        uint32_t bits = families[i].timestampValidBits;
        p->timestamp_mask = bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    }
    if (!found)
        greta_logf(in->log, GRETA_LOG_DEBUG, "vulkan: %s is left out: it has no compute queue", p->info.name);
    return found;
}

/* ---- quirks ------------------------------------------------------------------------------------------------------ */

static bool lacks_heaps(const struct vk_physical *p) {
    return p->memory.memoryHeapCount == 0;
}
static bool is_cpu(const struct vk_physical *p) {
    return p->info.type == GRETA_DEV_CPU;
}

static bool is_radv(const struct vk_physical *p) {
    return p->driver_id == VK_DRIVER_ID_MESA_RADV;
}

static const struct {
    bool (*applies)(const struct vk_physical *p);
    size_t offset;
    const char *reason;
} quirk_table[] = {
    {lacks_heaps, offsetof(struct vk_quirks, no_memory),
     "no memory heaps (a driver's null device): pipelines only; the memory budget's query crashes there"},
    {is_cpu, offsetof(struct vk_quirks, soft_heaps),
     "a device in host memory: the heap's size is a constant of the driver's, not how much there is"},
    {is_radv, offsetof(struct vk_quirks, few_matrix_sums),
     "with 16 results of the matrix unit in a subgroup, Mesa 25.0's compiler puts them into memory; 8 stay "
     "in registers"},
};

static void find_quirks(struct vk_instance *in, struct vk_physical *p) {
    for (size_t i = 0; i < sizeof quirk_table / sizeof *quirk_table; i++) {
        if (!quirk_table[i].applies(p)) continue;
        *(bool *)((char *)&p->quirks + quirk_table[i].offset) = true;
        greta_logf(in->log, GRETA_LOG_DEBUG, "vulkan: %s: %s", p->info.name, quirk_table[i].reason);
    }
}

/* ---- the probe ----------------------------------------------------------------------------------------------------- */

/* False: not a device for us (which was said). */
static bool probe_device(struct vk_instance *in, struct vk_physical *p) {
    VkPhysicalDeviceProperties core;
    in->fn.GetPhysicalDeviceProperties(p->handle, &core);
    snprintf(p->info.name, sizeof p->info.name, "%.127s", core.deviceName);
    if (core.apiVersion < VK_API_VERSION_1_3) {
        greta_logf(in->log, GRETA_LOG_DEBUG,
                   "vulkan: %s is left out: its driver has Vulkan %u.%u, 1.3 is needed", core.deviceName,
                   VK_API_VERSION_MAJOR(core.apiVersion), VK_API_VERSION_MINOR(core.apiVersion));
        return false;
    }
    if (find_extensions(in, p) != GRETA_OK) return false;
    if (!choose_features(in, p) || !find_queue(in, p)) return false;
    struct properties q;
    ask_properties(in, p, &q);
    fill_info(p, &q);
    fill_limits(p, &q);
    fill_matrix_ops(in, p);
    fill_group_matrix_ops(in, p, q.matrix2.cooperativeMatrixFlexibleDimensionsMaxDimension);
    VkPhysicalDeviceMemoryProperties2 memory = {.sType =
                                                    VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
    in->fn.GetPhysicalDeviceMemoryProperties2(p->handle, &memory);
    p->memory = memory.memoryProperties;
    find_quirks(in, p);
    if (p->quirks.few_matrix_sums) p->limits.max_matrix_sums = 8;
    vk_memory_classify(p);
    vk_memory_ask_export(in, p);
    return true;
}

greta_status vk_probe(struct vk_instance *in) {
    VkPhysicalDevice handles[32];
    uint32_t n = 32;
    VkResult r = in->fn.EnumeratePhysicalDevices(in->handle, &n, handles);
    if (r != VK_SUCCESS && r != VK_INCOMPLETE) {
        greta_logf(in->log, GRETA_LOG_INFO, "vulkan: no device (vkEnumeratePhysicalDevices: %s)",
                   vk_result_name(r));
        return r == VK_ERROR_OUT_OF_HOST_MEMORY ? GRETA_ERR_NO_MEMORY : GRETA_ERR_UNAVAILABLE;
    }
    in->devices = calloc(n + 1, sizeof *in->devices);
    if (!in->devices) return greta_fail(in->log, GRETA_ERR_NO_MEMORY, "vulkan: out of memory");
    for (uint32_t i = 0; i < n; i++) {
        struct vk_physical *p = &in->devices[in->n_devices];
        *p = (struct vk_physical){.handle = handles[i]};
        if (!probe_device(in, p)) continue;
        p->info.i_device = in->n_devices++;
    }
    return GRETA_OK;
}
