/* Every Vulkan function that is called, once. X(name, required): a missing required one refuses the library or device. */
#ifndef VK_FUNCTIONS_H
#define VK_FUNCTIONS_H

#include "compat.h"

#define VK_GLOBAL_FUNCTIONS(X)                    \
    X(EnumerateInstanceVersion, true)             \
    X(EnumerateInstanceExtensionProperties, true) \
    X(EnumerateInstanceLayerProperties, true)     \
    X(CreateInstance, true)

#define VK_INSTANCE_FUNCTIONS(X)                              \
    X(DestroyInstance, true)                                  \
    X(EnumeratePhysicalDevices, true)                         \
    X(EnumerateDeviceExtensionProperties, true)               \
    X(GetPhysicalDeviceProperties, true)                      \
    X(GetPhysicalDeviceProperties2, true)                     \
    X(GetPhysicalDeviceFeatures2, true)                       \
    X(GetPhysicalDeviceMemoryProperties2, true)               \
    X(GetPhysicalDeviceExternalBufferProperties, true)        \
    X(GetPhysicalDeviceQueueFamilyProperties, true)           \
    X(CreateDevice, true)                                     \
    X(GetDeviceProcAddr, true)                                \
    X(CreateDebugUtilsMessengerEXT, false)                    \
    X(DestroyDebugUtilsMessengerEXT, false)                   \
    X(GetPhysicalDeviceCooperativeMatrixPropertiesKHR, false) \
    X(GetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV, false)

#define VK_DEVICE_FUNCTIONS(X)                   \
    X(DestroyDevice, true)                       \
    X(GetDeviceQueue, true)                      \
    X(DeviceWaitIdle, true)                      \
    X(QueueSubmit2, true)                        \
    X(QueueWaitIdle, true)                       \
    X(AllocateMemory, true)                      \
    X(FreeMemory, true)                          \
    X(MapMemory, true)                           \
    X(CreateBuffer, true)                        \
    X(DestroyBuffer, true)                       \
    X(GetBufferMemoryRequirements, true)         \
    X(BindBufferMemory, true)                    \
    X(GetBufferDeviceAddress, true)              \
    X(CreateSemaphore, true)                     \
    X(DestroySemaphore, true)                    \
    X(GetSemaphoreCounterValue, true)            \
    X(WaitSemaphores, true)                      \
    X(CreateQueryPool, true)                     \
    X(DestroyQueryPool, true)                    \
    X(ResetQueryPool, true)                      \
    X(GetQueryPoolResults, true)                 \
    X(CreateCommandPool, true)                   \
    X(DestroyCommandPool, true)                  \
    X(ResetCommandPool, true)                    \
    X(AllocateCommandBuffers, true)              \
    X(BeginCommandBuffer, true)                  \
    X(EndCommandBuffer, true)                    \
    X(CreateShaderModule, true)                  \
    X(DestroyShaderModule, true)                 \
    X(CreatePipelineLayout, true)                \
    X(DestroyPipelineLayout, true)               \
    X(CreatePipelineCache, true)                 \
    X(DestroyPipelineCache, true)                \
    X(GetPipelineCacheData, true)                \
    X(CreateComputePipelines, true)              \
    X(DestroyPipeline, true)                     \
    X(CmdBindPipeline, true)                     \
    X(CmdPushConstants, true)                    \
    X(CmdDispatch, true)                         \
    X(CmdCopyBuffer, true)                       \
    X(CmdFillBuffer, true)                       \
    X(CmdUpdateBuffer, true)                     \
    X(CmdPipelineBarrier2, true)                 \
    X(CmdResetQueryPool, true)                   \
    X(CmdWriteTimestamp2, true)                  \
    X(SetDeviceMemoryPriorityEXT, false)         \
    X(GetMemoryHostPointerPropertiesEXT, false)  \
    X(GetMemoryFdKHR, false)                     \
    X(GetPipelineExecutablePropertiesKHR, false) \
    X(GetPipelineExecutableStatisticsKHR, false)

#define VK_MEMBER(name, required) PFN_vk##name name;
struct vk_global_fns {
    VK_GLOBAL_FUNCTIONS(VK_MEMBER)
};
struct vk_instance_fns {
    VK_INSTANCE_FUNCTIONS(VK_MEMBER)
};
struct vk_device_fns {
    VK_DEVICE_FUNCTIONS(VK_MEMBER)
};
#undef VK_MEMBER

#endif
