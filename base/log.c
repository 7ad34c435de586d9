#include <greta/log.h>

#include <stdarg.h>
#include <stdio.h>

static void log_v(const struct greta_log *log, enum greta_log_level level, const char *format, va_list args) {
    if (!log || !log->fn || level > log->max_level) return;
    char message[1024];
    vsnprintf(message, sizeof message, format, args);
    log->fn(log->user, level, message);
}

void greta_logf(const struct greta_log *log, enum greta_log_level level, const char *format, ...) {
    va_list args;
    va_start(args, format);
    log_v(log, level, format, args);
    va_end(args);
}

greta_status greta_fail(const struct greta_log *log, greta_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    log_v(log, GRETA_LOG_ERROR, format, args);
    va_end(args);
    return status;
}
