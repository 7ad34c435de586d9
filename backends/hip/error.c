/* Errors of HIP: their names, what they mean here, and which of them lose a device. */
#include "hip.h"

const char *hip_error_name(hipError_t error) {
    switch (error) {
#define NAME(name, number) \
    case name: return #name;
        HIP_ERROR_LIST(NAME)
        HIP_ERROR_LIST_6(NAME)
        HIP_ERROR_LIST_7(NAME)
#undef NAME
            default : return "an unknown hipError_t";
    }
}

greta_status hip_error_status(hipError_t error) {
    switch (error) {
    case hipSuccess: return GRETA_OK;
    case hipErrorInvalidValue:
    case hipErrorInvalidConfiguration: return GRETA_ERR_INVALID;
    case hipErrorOutOfMemory:
    case hipErrorLaunchOutOfResources:
    case hipErrorRuntimeMemory: return GRETA_ERR_NO_DEVICE_MEMORY;
    case hipErrorNoDevice:
    case hipErrorInvalidDevice:
    case hipErrorNotInitialized:
    case hipErrorInsufficientDriver: return GRETA_ERR_UNAVAILABLE;
    case hipErrorNotSupported:
    case hipErrorNoBinaryForGpu:
    case hipErrorHostMemoryAlreadyRegistered: return GRETA_ERR_UNSUPPORTED;
    case hipErrorInvalidImage:
    case hipErrorInvalidKernelFile:
    case hipErrorInvalidSource:
    case hipErrorSharedObjectInitFailed: return GRETA_ERR_COMPILE;
    case hipErrorNotFound:
    case hipErrorSharedObjectSymbolNotFound: return GRETA_ERR_NOT_FOUND;
    case hipErrorNotReady: return GRETA_ERR_TIMEOUT;
    /* After these nothing works on the device any more, as hip_runtime_api.h and CUDA's like-named errors have it. */
    case hipErrorDeinitialized:
    case hipErrorECCNotCorrectable:
    case hipErrorIllegalAddress:
    case hipErrorLaunchTimeOut:
    case hipErrorContextIsDestroyed:
    case hipErrorAssert:
    case hipErrorLaunchFailure: return GRETA_ERR_DEVICE_LOST;
    default: return GRETA_ERR_INTERNAL;
    }
}

greta_status hip_check(struct hip_device *dev, hipError_t error, const char *call, const char *what) {
    if (error == hipSuccess) return GRETA_OK;
    greta_status status = hip_error_status(error);
    const char *name = dev->base.info.name;
    if (status != GRETA_ERR_DEVICE_LOST)
        return greta_fail(dev->base.log, status, "hip: %s: %s: %s (%s)", name, call, hip_error_name(error),
                          what);
    if (!atomic_exchange(&dev->lost, true))
        greta_logf(dev->base.log, GRETA_LOG_ERROR,
                   "hip: %s: %s: %s (%s): a kernel reached past its memory or ran too long, or the board "
                   "failed; the kernel "
                   "log tells (dmesg). Start the program again, or choose another device",
                   name, call, hip_error_name(error), what);
    return status;
}

greta_status hip_enter(struct hip_device *dev) {
    if (atomic_load_explicit(&dev->lost, memory_order_relaxed)) return GRETA_ERR_DEVICE_LOST;
    return HIP(dev, SetDevice, (dev->board->ordinal), "making it the thread's device");
}
