/*
 * HIP as far as it is called: types, numbers and functions of libamdhip64, in our own words, so that the build needs no ROCm.
 * tests/hip/api.c compiles these lists against an official header, which then gives the types (HIP_API_OFFICIAL).
 * Numbers are those of HIP 6 and 7 (hip_runtime_api.h of ROCm/HIP, tag rocm-6.3, and of ROCm/rocm-systems).
 */
#ifndef HIP_API_H
#define HIP_API_H

#include <stddef.h>

/* Every error by name. X(name, number). Deprecated synonyms are left out. */
#define HIP_ERROR_LIST(X)                       \
    X(hipSuccess, 0)                            \
    X(hipErrorInvalidValue, 1)                  \
    X(hipErrorOutOfMemory, 2)                   \
    X(hipErrorNotInitialized, 3)                \
    X(hipErrorDeinitialized, 4)                 \
    X(hipErrorProfilerDisabled, 5)              \
    X(hipErrorProfilerNotInitialized, 6)        \
    X(hipErrorProfilerAlreadyStarted, 7)        \
    X(hipErrorProfilerAlreadyStopped, 8)        \
    X(hipErrorInvalidConfiguration, 9)          \
    X(hipErrorInvalidPitchValue, 12)            \
    X(hipErrorInvalidSymbol, 13)                \
    X(hipErrorInvalidDevicePointer, 17)         \
    X(hipErrorInvalidMemcpyDirection, 21)       \
    X(hipErrorInsufficientDriver, 35)           \
    X(hipErrorMissingConfiguration, 52)         \
    X(hipErrorPriorLaunchFailure, 53)           \
    X(hipErrorInvalidDeviceFunction, 98)        \
    X(hipErrorNoDevice, 100)                    \
    X(hipErrorInvalidDevice, 101)               \
    X(hipErrorInvalidImage, 200)                \
    X(hipErrorInvalidContext, 201)              \
    X(hipErrorContextAlreadyCurrent, 202)       \
    X(hipErrorMapFailed, 205)                   \
    X(hipErrorUnmapFailed, 206)                 \
    X(hipErrorArrayIsMapped, 207)               \
    X(hipErrorAlreadyMapped, 208)               \
    X(hipErrorNoBinaryForGpu, 209)              \
    X(hipErrorAlreadyAcquired, 210)             \
    X(hipErrorNotMapped, 211)                   \
    X(hipErrorNotMappedAsArray, 212)            \
    X(hipErrorNotMappedAsPointer, 213)          \
    X(hipErrorECCNotCorrectable, 214)           \
    X(hipErrorUnsupportedLimit, 215)            \
    X(hipErrorContextAlreadyInUse, 216)         \
    X(hipErrorPeerAccessUnsupported, 217)       \
    X(hipErrorInvalidKernelFile, 218)           \
    X(hipErrorInvalidGraphicsContext, 219)      \
    X(hipErrorInvalidSource, 300)               \
    X(hipErrorFileNotFound, 301)                \
    X(hipErrorSharedObjectSymbolNotFound, 302)  \
    X(hipErrorSharedObjectInitFailed, 303)      \
    X(hipErrorOperatingSystem, 304)             \
    X(hipErrorInvalidHandle, 400)               \
    X(hipErrorIllegalState, 401)                \
    X(hipErrorNotFound, 500)                    \
    X(hipErrorNotReady, 600)                    \
    X(hipErrorIllegalAddress, 700)              \
    X(hipErrorLaunchOutOfResources, 701)        \
    X(hipErrorLaunchTimeOut, 702)               \
    X(hipErrorPeerAccessAlreadyEnabled, 704)    \
    X(hipErrorPeerAccessNotEnabled, 705)        \
    X(hipErrorSetOnActiveProcess, 708)          \
    X(hipErrorContextIsDestroyed, 709)          \
    X(hipErrorAssert, 710)                      \
    X(hipErrorHostMemoryAlreadyRegistered, 712) \
    X(hipErrorHostMemoryNotRegistered, 713)     \
    X(hipErrorLaunchFailure, 719)               \
    X(hipErrorCooperativeLaunchTooLarge, 720)   \
    X(hipErrorNotSupported, 801)                \
    X(hipErrorStreamCaptureUnsupported, 900)    \
    X(hipErrorStreamCaptureInvalidated, 901)    \
    X(hipErrorStreamCaptureMerge, 902)          \
    X(hipErrorStreamCaptureUnmatched, 903)      \
    X(hipErrorStreamCaptureUnjoined, 904)       \
    X(hipErrorStreamCaptureIsolation, 905)      \
    X(hipErrorStreamCaptureImplicit, 906)       \
    X(hipErrorCapturedEvent, 907)               \
    X(hipErrorStreamCaptureWrongThread, 908)    \
    X(hipErrorGraphExecUpdateFailure, 910)      \
    X(hipErrorUnknown, 999)                     \
    X(hipErrorRuntimeMemory, 1052)              \
    X(hipErrorRuntimeOther, 1053)
/* Those that came with HIP 6.3, and with HIP 7. */
#define HIP_ERROR_LIST_6(X)                  \
    X(hipErrorInvalidChannelDescriptor, 911) \
    X(hipErrorInvalidTexture, 912)
#define HIP_ERROR_LIST_7(X)                      \
    X(hipErrorInvalidResourceType, 914)          \
    X(hipErrorInvalidResourceConfiguration, 915) \
    X(hipErrorStreamDetached, 916)               \
    X(hipErrorInvalidClusterSize, 1054)

/* What hipDeviceGetAttribute is asked for. X(name without hipDeviceAttribute, number). */
#define HIP_ATTRIBUTE_LIST(X)      \
    X(Integrated, 16)              \
    X(MaxGridDimY, 30)             \
    X(MaxGridDimZ, 31)             \
    X(MaxThreadsPerBlock, 56)      \
    X(MultiprocessorCount, 63)     \
    X(MaxSharedMemoryPerBlock, 74) \
    X(WarpSize, 87)
#define HIP_ATTRIBUTE_LIST_6(X)  \
    X(HostRegisterSupported, 90) \
    X(WallClockRate, 10017)

#ifndef HIP_API_OFFICIAL

typedef enum hipError_t {
#define HIP_ENUM(name, number) name = number,
    HIP_ERROR_LIST(HIP_ENUM) HIP_ERROR_LIST_6(HIP_ENUM) HIP_ERROR_LIST_7(HIP_ENUM)
#undef HIP_ENUM
} hipError_t;

typedef enum hipDeviceAttribute_t {
#define HIP_ENUM(name, number) hipDeviceAttribute##name = number,
    HIP_ATTRIBUTE_LIST(HIP_ENUM) HIP_ATTRIBUTE_LIST_6(HIP_ENUM)
#undef HIP_ENUM
} hipDeviceAttribute_t;

typedef enum hipMemcpyKind { hipMemcpyDefault = 4 } hipMemcpyKind;
typedef enum hipStreamCaptureMode { hipStreamCaptureModeThreadLocal = 1 } hipStreamCaptureMode;

enum {
    hipStreamNonBlocking = 1,
    hipHostMallocMapped = 2,
    hipHostRegisterMapped = 2,
    hipHostMallocCoherent = 0x40000000
};

#define HIP_LAUNCH_PARAM_BUFFER_POINTER ((void *)1)
#define HIP_LAUNCH_PARAM_BUFFER_SIZE ((void *)2)
#define HIP_LAUNCH_PARAM_END ((void *)3)

typedef struct ihipStream_t *hipStream_t;
typedef struct ihipEvent_t *hipEvent_t;
typedef struct ihipModule_t *hipModule_t;
typedef struct ihipModuleSymbol_t *hipFunction_t;
typedef struct ihipGraph *hipGraph_t;
typedef struct hipGraphExec *hipGraphExec_t;
typedef struct hipGraphNode *hipGraphNode_t;
typedef void *hipDeviceptr_t;
typedef int hipDevice_t;
typedef struct hipIpcMemHandle_st {
    char reserved[64];
} hipIpcMemHandle_t;
typedef struct hipUUID_t {
    char bytes[16];
} hipUUID;

/* The layout "R0600" of HIP 6 and 7: only the architecture's name is read. hipGetDeviceProperties without that suffix fills
 * HIP 5's layout, silently. */
typedef struct hipDeviceProp_tR0600 {
    char name[256];
    char before[904];
    char gcnArchName[256];
    char after[56];
} hipDeviceProp_tR0600;

#endif

/* Every function that is called, once. X(name without hip, required, result, parameters). */
#define HIP_FUNCTION_LIST(X)                                                                                 \
    X(Init, true, hipError_t, (unsigned flags))                                                              \
    X(RuntimeGetVersion, true, hipError_t, (int *version))                                                   \
    X(GetDeviceCount, true, hipError_t, (int *count))                                                        \
    X(SetDevice, true, hipError_t, (int device))                                                             \
    X(DeviceGetName, true, hipError_t, (char *name, int len, hipDevice_t device))                            \
    X(DeviceGetUuid, false, hipError_t, (hipUUID * uuid, hipDevice_t device))                                \
    X(DeviceGetPCIBusId, true, hipError_t, (char *id, int len, int device))                                  \
    X(DeviceTotalMem, true, hipError_t, (size_t * bytes, hipDevice_t device))                                \
    X(DeviceGetAttribute, true, hipError_t, (int *value, hipDeviceAttribute_t attribute, int device))        \
    X(DeviceCanAccessPeer, false, hipError_t, (int *can, int device, int peer))                              \
    X(DeviceSynchronize, true, hipError_t, (void))                                                           \
    X(MemGetInfo, true, hipError_t, (size_t * free_bytes, size_t * total_bytes))                             \
    X(Malloc, true, hipError_t, (void **p, size_t bytes))                                                    \
    X(Free, true, hipError_t, (void *p))                                                                     \
    X(IpcGetMemHandle, false, hipError_t, (hipIpcMemHandle_t * handle, void *p))                             \
    X(HostMalloc, true, hipError_t, (void **p, size_t bytes, unsigned flags))                                \
    X(HostFree, true, hipError_t, (void *p))                                                                 \
    X(HostGetDevicePointer, true, hipError_t, (void **device, void *host, unsigned flags))                   \
    X(HostRegister, false, hipError_t, (void *p, size_t bytes, unsigned flags))                              \
    X(HostUnregister, false, hipError_t, (void *p))                                                          \
    X(StreamCreateWithFlags, true, hipError_t, (hipStream_t * stream, unsigned flags))                       \
    X(StreamDestroy, true, hipError_t, (hipStream_t stream))                                                 \
    X(StreamWaitEvent, true, hipError_t, (hipStream_t stream, hipEvent_t event, unsigned flags))             \
    X(EventCreateWithFlags, true, hipError_t, (hipEvent_t * event, unsigned flags))                          \
    X(EventDestroy, true, hipError_t, (hipEvent_t event))                                                    \
    X(EventRecord, true, hipError_t, (hipEvent_t event, hipStream_t stream))                                 \
    X(EventQuery, true, hipError_t, (hipEvent_t event))                                                      \
    X(EventSynchronize, true, hipError_t, (hipEvent_t event))                                                \
    X(EventElapsedTime, true, hipError_t, (float *ms, hipEvent_t from, hipEvent_t to))                       \
    X(ModuleLoadData, true, hipError_t, (hipModule_t * module, const void *image))                           \
    X(ModuleUnload, true, hipError_t, (hipModule_t module))                                                  \
    X(ModuleGetFunction, true, hipError_t, (hipFunction_t * function, hipModule_t module, const char *name)) \
    X(ModuleLaunchKernel, true, hipError_t,                                                                  \
      (hipFunction_t function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,          \
       unsigned block_y, unsigned block_z, unsigned lds_bytes, hipStream_t stream, void **params,            \
       void **extra))                                                                                        \
    X(MemcpyAsync, true, hipError_t,                                                                         \
      (void *dst, const void *src, size_t bytes, hipMemcpyKind kind, hipStream_t stream))                    \
    X(MemsetD32Async, true, hipError_t, (hipDeviceptr_t dst, int value, size_t count, hipStream_t stream))   \
    X(StreamBeginCapture, true, hipError_t, (hipStream_t stream, hipStreamCaptureMode mode))                 \
    X(StreamEndCapture, true, hipError_t, (hipStream_t stream, hipGraph_t * graph))                          \
    X(GraphInstantiate, true, hipError_t,                                                                    \
      (hipGraphExec_t * exec, hipGraph_t graph, hipGraphNode_t * error_node, char *log, size_t log_bytes))   \
    X(GraphLaunch, true, hipError_t, (hipGraphExec_t exec, hipStream_t stream))                              \
    X(GraphExecDestroy, true, hipError_t, (hipGraphExec_t exec))                                             \
    X(GraphDestroy, true, hipError_t, (hipGraph_t graph))
/* Not in HIP 5: optional, so that such a library can be told from one that is broken. */
#define HIP_FUNCTION_LIST_6(X) \
    X(GetDevicePropertiesR0600, false, hipError_t, (hipDeviceProp_tR0600 * properties, int device))

#ifndef HIP_API_OFFICIAL
struct hip_fns {
#define HIP_MEMBER(name, required, result, parameters) result(*name) parameters;
    HIP_FUNCTION_LIST(HIP_MEMBER) HIP_FUNCTION_LIST_6(HIP_MEMBER)
#undef HIP_MEMBER
};
#endif

/*
 * Not of HIP: a library that is a program (tests/gfx942) may have this function of its own. Fills up to `capacity` names and values of
 * what it has counted and gives how many there are; the first call begins the counting. No other call is known by this name.
 */
#define HIP_COUNTERS_NAME greta_hip_counters
typedef unsigned hip_counters_fn(const char **names, uint64_t *values, unsigned capacity);

#endif
