/* Status codes: every function of GRETA that can fail returns one. */
#ifndef GRETA_STATUS_H
#define GRETA_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GRETA_API __attribute__((visibility("default")))
#define GRETA_MUST_USE __attribute__((warn_unused_result))
#define GRETA_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define GRETA_API
#define GRETA_MUST_USE
#define GRETA_PRINTF(fmt, args)
#endif

/* X(NAME, what a user is told). GRETA_ERR_DEVICE_LOST is sticky: a device that returned it returns it ever after. */
#define GRETA_STATUS_LIST(X)                                                                                 \
    X(OK, "ok")                                                                                              \
    X(ERR_INVALID, "invalid argument or use")                                                                \
    X(ERR_UNSUPPORTED, "not supported")                                                                      \
    X(ERR_UNAVAILABLE, "not available on this machine")                                                      \
    X(ERR_NO_MEMORY, "out of host memory")                                                                   \
    X(ERR_NO_DEVICE_MEMORY, "out of device memory")                                                          \
    X(ERR_NOT_FOUND, "not found")                                                                            \
    X(ERR_FORMAT, "malformed data")                                                                          \
    X(ERR_IO, "input/output error")                                                                          \
    X(ERR_TIMEOUT, "timed out")                                                                              \
    X(ERR_COMPILE, "the device code could not be built")                                                     \
    X(ERR_DEVICE_LOST, "the device was lost")                                                                \
    X(ERR_INTERNAL, "internal error")

typedef enum greta_status {
#define GRETA_STATUS_ENUM(name, text) GRETA_##name,
    GRETA_STATUS_LIST(GRETA_STATUS_ENUM)
#undef GRETA_STATUS_ENUM
} greta_status;

/* The constant's name without its prefix ("ERR_IO"), or "?" for a value that is none of them. Never NULL. */
GRETA_API const char *greta_status_name(greta_status status);
/* A few words for a user ("input/output error"). Never NULL. */
GRETA_API const char *greta_status_text(greta_status status);

#ifdef __cplusplus
}
#endif
#endif
