/*
 * How a function of the library is written. CALL(name, parameters, arguments) { body } defines hip<name>: the lock is taken, the
 * machine is there, and once the device is lost every call says so. CALL_END is for those that give something back: they work on.
 * Prototypes come from the backend's list, so that a difference does not compile.
 */
#ifndef GFX942_HIP_CALL_H
#define GFX942_HIP_CALL_H

#include "hip.h"

#define HIP_MEMORY_BYTES (UINT64_C(192) << 30)

#define PROTOTYPE(name, required, result, parameters) \
    __attribute__((visibility("default"))) result hip##name parameters;
HIP_FUNCTION_LIST(PROTOTYPE)
HIP_FUNCTION_LIST_6(PROTOTYPE)
#undef PROTOTYPE

/* Takes the lock and makes the machine; gives what the call must say at once, or hipSuccess. */
hipError_t hip_begin(bool also_lost);
void hip_end(void);
/* A call that must not be made while this thread captures a stream: it breaks the capture, as in the real library. */
hipError_t hip_unsafe(const char *call);

#define CALL_BODY(name, parameters, arguments, also_lost)     \
    static hipError_t do_##name parameters;                   \
    hipError_t hip##name parameters {                         \
        hipError_t error = hip_begin(also_lost);              \
        if (error == hipSuccess) error = do_##name arguments; \
        hip_end();                                            \
        return error;                                         \
    }                                                         \
    static hipError_t do_##name parameters
#define CALL(name, parameters, arguments) CALL_BODY(name, parameters, arguments, false)
#define CALL_END(name, parameters, arguments) CALL_BODY(name, parameters, arguments, true)

#endif
