/* Logging: libraries of GRETA print nothing; they call this callback. */
#ifndef GRETA_LOG_H
#define GRETA_LOG_H

#include <greta/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum greta_log_level { GRETA_LOG_ERROR, GRETA_LOG_WARN, GRETA_LOG_INFO, GRETA_LOG_DEBUG };

/*
 * Where messages go. A NULL pointer to this struct, or a NULL fn, is silence. fn is called from any thread, at
 * most once per message, with one line without a newline. max_level: messages above it are not formatted; the
 * zero value passes errors only.
 */
struct greta_log {
    void (*fn)(void *user, enum greta_log_level level, const char *message);
    void *user;
    enum greta_log_level max_level;
};

/* Formats and passes one message. Messages are cut at 1023 bytes. */
GRETA_API void greta_logf(const struct greta_log *log, enum greta_log_level level, const char *format, ...)
    GRETA_PRINTF(3, 4);

/* Logs an error and returns `status`, so that the place that knows the cause says it: return greta_fail(...). */
GRETA_API greta_status greta_fail(const struct greta_log *log, greta_status status, const char *format, ...)
    GRETA_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
