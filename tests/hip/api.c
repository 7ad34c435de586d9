/*
 * The backend's own prototypes and numbers against an official header: compiled only. HIP 5's header lacks what came later, and
 * numbers of HIP 6 are held against headers from HIP 6 on.
 */
#define __HIP_PLATFORM_AMD__
#include <hip/hip_runtime_api.h>
#include <hip/hip_version.h>

#define HIP_API_OFFICIAL
#include "hip_api.h"

#define SAME(name, number) _Static_assert((int)name == number, #name);
HIP_ERROR_LIST(SAME)
#if HIP_VERSION_MAJOR > 6 || (HIP_VERSION_MAJOR == 6 && HIP_VERSION_MINOR >= 3)
HIP_ERROR_LIST_6(SAME)
#endif
#if HIP_VERSION_MAJOR >= 8 /* HIP 7 got them one by one */
HIP_ERROR_LIST_7(SAME)
#endif

#define SAME_ATTRIBUTE(name, number) SAME(hipDeviceAttribute##name, number)
HIP_ATTRIBUTE_LIST(SAME_ATTRIBUTE)
#if HIP_VERSION_MAJOR >= 6
HIP_ATTRIBUTE_LIST_6(SAME_ATTRIBUTE)
#endif

SAME(hipMemcpyDefault, 4)
SAME(hipStreamCaptureModeThreadLocal, 1)
SAME(hipStreamNonBlocking, 1)
SAME(hipHostMallocMapped, 2)
SAME(hipHostMallocCoherent, 0x40000000)
SAME(hipHostRegisterMapped, 2)
_Static_assert(sizeof(hipUUID) == 16, "hipUUID");
_Static_assert(sizeof(hipIpcMemHandle_t) == 64, "hipIpcMemHandle_t");

#define SAME_TYPE(name, required, result, parameters) \
    _Static_assert(__builtin_types_compatible_p(__typeof__(&hip##name), result(*) parameters), #name);
HIP_FUNCTION_LIST(SAME_TYPE)
#if HIP_VERSION_MAJOR >= 6
HIP_FUNCTION_LIST_6(SAME_TYPE)
_Static_assert(sizeof(hipDeviceProp_tR0600) == 1472 && offsetof(hipDeviceProp_tR0600, gcnArchName) == 1160,
               "R0600");
#endif
