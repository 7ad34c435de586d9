/* Results of Vulkan: their names, what they mean here, and which of them loses a device. */
#include "vk.h"

const char *vk_result_name(VkResult result) {
#define NAME(name) \
    case name: return #name;
    switch (result) {
        NAME(VK_SUCCESS)
        NAME(VK_NOT_READY)
        NAME(VK_TIMEOUT)
        NAME(VK_INCOMPLETE)
        NAME(VK_ERROR_OUT_OF_HOST_MEMORY)
        NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY)
        NAME(VK_ERROR_INITIALIZATION_FAILED)
        NAME(VK_ERROR_DEVICE_LOST)
        NAME(VK_ERROR_MEMORY_MAP_FAILED)
        NAME(VK_ERROR_LAYER_NOT_PRESENT)
        NAME(VK_ERROR_EXTENSION_NOT_PRESENT)
        NAME(VK_ERROR_FEATURE_NOT_PRESENT)
        NAME(VK_ERROR_INCOMPATIBLE_DRIVER)
        NAME(VK_ERROR_TOO_MANY_OBJECTS)
        NAME(VK_ERROR_FORMAT_NOT_SUPPORTED)
        NAME(VK_ERROR_FRAGMENTED_POOL)
        NAME(VK_ERROR_UNKNOWN)
        NAME(VK_ERROR_OUT_OF_POOL_MEMORY)
        NAME(VK_ERROR_INVALID_EXTERNAL_HANDLE)
        NAME(VK_ERROR_FRAGMENTATION)
        NAME(VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS)
        NAME(VK_PIPELINE_COMPILE_REQUIRED)
        NAME(VK_ERROR_INVALID_SHADER_NV)
        NAME(VK_ERROR_NOT_PERMITTED_KHR)
    default: return "an unknown VkResult";
    }
#undef NAME
}

greta_status vk_result_status(VkResult result) {
    switch (result) {
    case VK_SUCCESS: return GRETA_OK;
    case VK_TIMEOUT: return GRETA_ERR_TIMEOUT;
    case VK_ERROR_OUT_OF_HOST_MEMORY: return GRETA_ERR_NO_MEMORY;
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    case VK_ERROR_TOO_MANY_OBJECTS:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
    case VK_ERROR_FRAGMENTATION: return GRETA_ERR_NO_DEVICE_MEMORY;
    case VK_ERROR_DEVICE_LOST: return GRETA_ERR_DEVICE_LOST;
    case VK_ERROR_FEATURE_NOT_PRESENT:
    case VK_ERROR_EXTENSION_NOT_PRESENT: return GRETA_ERR_UNSUPPORTED;
    case VK_ERROR_INITIALIZATION_FAILED:
    case VK_ERROR_INCOMPATIBLE_DRIVER: return GRETA_ERR_UNAVAILABLE;
    case VK_ERROR_INVALID_SHADER_NV: return GRETA_ERR_COMPILE;
    default: return GRETA_ERR_INTERNAL;
    }
}

greta_status vk_fail(struct vk_device *dev, VkResult result, const char *call, const char *what) {
    if (result != VK_ERROR_DEVICE_LOST)
        return greta_fail(dev->base.log, vk_result_status(result), "vulkan: %s: %s: %s (%s)",
                          dev->base.info.name, call, vk_result_name(result), what);
    if (!atomic_exchange(&dev->lost, true))
        greta_logf(dev->base.log, GRETA_LOG_ERROR,
                   "vulkan: %s: %s: %s (%s): a submit ran too long for the driver, or a kernel reached past "
                   "its memory; "
                   "the kernel log tells (dmesg). Open the device again, or choose another",
                   dev->base.info.name, call, vk_result_name(result), what);
    return GRETA_ERR_DEVICE_LOST;
}
