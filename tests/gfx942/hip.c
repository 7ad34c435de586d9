/* The library's state, devices, streams and events. */
#include "hip_call.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hip_state hip_state;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- state --------------------------------------------------------------------------------------------------------------- */

uint32_t hip_random(uint32_t n) { /* xorshift64* (Vigna 2016) */
    uint64_t x = hip_state.random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    hip_state.random = x;
    return n ? (uint32_t)((x * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n : 0;
}

hipError_t hip_complain(hipError_t error, const char *format, ...) {
    va_list args;
    fprintf(stderr, "gfx942: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return error;
}

static uint64_t number(const char *name) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : 0;
}

static void report(void) {
    struct gfx_stats s;
    gfx_stats(hip_state.machine, &s);
    fprintf(
        stderr,
        "gfx942: %llu launches, %llu groups, %llu waves, %llu instructions, %llu bytes loaded, %llu stored\n",
        (unsigned long long)s.launches, (unsigned long long)s.groups, (unsigned long long)s.waves,
        (unsigned long long)s.instructions, (unsigned long long)s.bytes_loaded,
        (unsigned long long)s.bytes_stored);
}

/* A name of letters, digits and underscores: "LDS" is "instructions_lds". */
static const char *class_counter(unsigned cls) {
    static char names[16][32];
    if (!names[cls][0]) {
        snprintf(names[cls], sizeof names[cls], "instructions_%s", gfx_class_name(cls));
        for (char *c = names[cls]; *c; c++) *c = *c == ' ' ? '_' : (char)tolower((unsigned char)*c);
    }
    return names[cls];
}

static unsigned fill_counters(const char **names, uint64_t *values, unsigned capacity) {
    struct gfx_stats s;
    unsigned n = 0;
    gfx_stats_start(hip_state.machine);
    gfx_stats(hip_state.machine, &s);
    const struct {
        const char *name;
        uint64_t value;
    } plain[] = {{"launches", s.launches},
                 {"groups", s.groups},
                 {"waves", s.waves},
                 {"instructions", s.instructions},
                 {"mfma_flops", s.mfma_flops},
                 {"lds_accesses", s.lds_accesses},
                 {"lds_cycles", s.lds_cycles},
                 {"lds_conflict_cycles", s.lds_conflict_cycles},
                 {"bytes_loaded", s.bytes_loaded},
                 {"line_bytes_loaded", s.lines_loaded * 128},
                 {"bytes_stored", s.bytes_stored},
                 {"line_bytes_stored", s.lines_stored * 128},
                 {"barriers", s.barriers},
                 {"waits", s.waits}};
    for (; n < sizeof plain / sizeof *plain; n++) {
        if (n >= capacity) continue;
        names[n] = plain[n].name;
        values[n] = plain[n].value;
    }
    for (unsigned c = 0; gfx_class_name(c); c++, n++) {
        if (n >= capacity) continue;
        names[n] = class_counter(c);
        values[n] = s.by_class[c];
    }
    return n;
}

/* The one name that AMD's library does not have. */
__attribute__((visibility("default"))) hip_counters_fn HIP_COUNTERS_NAME;
unsigned HIP_COUNTERS_NAME(const char **names, uint64_t *values, unsigned capacity) {
    unsigned n = hip_begin(true) == hipSuccess ? fill_counters(names, values, capacity) : 0;
    hip_end();
    return n;
}

static bool start(void) {
    struct gfx_options options = {.poison = true, // fresh memory is never zero by luck
                                  .seed = number("GFX942_SEED"),
                                  .n_threads = (uint32_t)number("GFX942_THREADS"),
                                  .stats = number("GFX942_STATS") != 0};
    hip_state.random = options.seed * UINT64_C(0x9e3779b97f4a7c15) + 88172645463325252u;
    hip_state.lose_after = number("GFX942_LOSE_AFTER");
    hip_state.machine = gfx_create(&options);
    if (hip_state.machine && options.stats) (void)atexit(report);
    return hip_state.machine != NULL;
}

hipError_t hip_begin(bool also_lost) {
    pthread_mutex_lock(&lock);
    if (!hip_state.machine && !start()) return hipErrorNoDevice;
    return also_lost ? hipSuccess : hip_state.lost;
}

void hip_end(void) {
    pthread_mutex_unlock(&lock);
}

hipError_t hip_unsafe(const char *call) {
    for (struct ihipStream_t *s = hip_state.streams; s; s = s->next) {
        if (!s->capture || !pthread_equal(s->capturer, pthread_self())) continue;
        s->capture_broken = true;
        return hip_complain(hipErrorStreamCaptureUnsupported, "%s while a stream is being captured", call);
    }
    return hipSuccess;
}

/* ---- devices ----------------------------------------------------------------------------------------------------------------- */

CALL(Init, (unsigned flags), (flags)) {
    return flags ? hipErrorInvalidValue : hipSuccess;
}

CALL(RuntimeGetVersion, (int *version), (version)) {
    if (!version) return hipErrorInvalidValue;
    *version = 70000000;
    return hipSuccess;
}

CALL(GetDeviceCount, (int *count), (count)) {
    if (!count) return hipErrorInvalidValue;
    *count = 1;
    return hipSuccess;
}

static hipError_t check_device(int device) {
    return device == 0 ? hipSuccess : hipErrorInvalidDevice;
}

CALL(SetDevice, (int device), (device)) {
    return check_device(device);
}

CALL(DeviceGetName, (char *name, int len, hipDevice_t device), (name, len, device)) {
    if (!name || len <= 0) return hipErrorInvalidValue;
    snprintf(name, (size_t)len, "%s", GFX_NAME);
    return check_device(device);
}

CALL(DeviceGetUuid, (hipUUID * uuid, hipDevice_t device), (uuid, device)) {
    if (!uuid) return hipErrorInvalidValue;
    memcpy(uuid->bytes, "emulated gfx942", sizeof uuid->bytes);
    return check_device(device);
}

CALL(DeviceGetPCIBusId, (char *id, int len, int device), (id, len, device)) {
    if (!id || len < 13) return hipErrorInvalidValue;
    snprintf(id, (size_t)len, "ffff:00:00.0");
    return check_device(device);
}

CALL(DeviceTotalMem, (size_t * bytes, hipDevice_t device), (bytes, device)) {
    if (!bytes) return hipErrorInvalidValue;
    *bytes = HIP_MEMORY_BYTES;
    return check_device(device);
}

CALL(DeviceGetAttribute, (int *value, hipDeviceAttribute_t attribute, int device),
     (value, attribute, device)) {
    if (!value) return hipErrorInvalidValue;
    switch (attribute) {
    case hipDeviceAttributeIntegrated: *value = 0; break;
    case hipDeviceAttributeMaxGridDimY:
    case hipDeviceAttributeMaxGridDimZ: *value = 65536; break;
    case hipDeviceAttributeMaxThreadsPerBlock: *value = GFX_GROUP_THREADS; break;
    case hipDeviceAttributeMultiprocessorCount: *value = GFX_PROCESSORS; break;
    case hipDeviceAttributeMaxSharedMemoryPerBlock: *value = GFX_LDS_BYTES; break;
    case hipDeviceAttributeWarpSize: *value = GFX_WAVE; break;
    case hipDeviceAttributeHostRegisterSupported: *value = 1; break;
    case hipDeviceAttributeWallClockRate: *value = 1000000; break; /* a count is told as a nanosecond */
    default:
        return hip_complain(hipErrorInvalidValue,
                            "hipDeviceGetAttribute: %d is not an attribute of this library", attribute);
    }
    return check_device(device);
}

CALL(GetDevicePropertiesR0600, (hipDeviceProp_tR0600 * properties, int device), (properties, device)) {
    if (!properties) return hipErrorInvalidValue;
    memset(properties, 0, sizeof *properties);
    snprintf(properties->name, sizeof properties->name, "%s", GFX_NAME);
    snprintf(properties->gcnArchName, sizeof properties->gcnArchName, "%s", GFX_ARCH);
    return check_device(device);
}

CALL(DeviceCanAccessPeer, (int *can, int device, int peer), (can, device, peer)) {
    if (!can) return hipErrorInvalidValue;
    *can = 0;
    return check_device(device) == hipSuccess ? check_device(peer) : hipErrorInvalidDevice;
}

CALL(DeviceSynchronize, (void), ()) {
    hipError_t error = hip_unsafe("hipDeviceSynchronize");
    return error == hipSuccess ? queue_drain(NULL) : error;
}

/* ---- streams --------------------------------------------------------------------------------------------------------------------- */

CALL(StreamCreateWithFlags, (hipStream_t * stream, unsigned flags), (stream, flags)) {
    if (!stream || flags > 1) return hipErrorInvalidValue;
    struct ihipStream_t *s = calloc(1, sizeof *s);
    *stream = NULL;
    if (!s || !handle_add(s, HANDLE_STREAM)) {
        free(s);
        return hipErrorOutOfMemory;
    }
    s->next = hip_state.streams;
    hip_state.streams = s;
    *stream = s;
    return hipSuccess;
}

CALL_END(StreamDestroy, (hipStream_t stream), (stream)) {
    if (!handle_is(stream, HANDLE_STREAM))
        return hip_complain(hipErrorInvalidHandle, "hipStreamDestroy: no stream");
    if (stream->capture)
        return hip_complain(hipErrorStreamCaptureUnsupported, "hipStreamDestroy: it is being captured");
    (void)queue_drain(stream);
    struct ihipStream_t **at = &hip_state.streams;
    while (*at != stream) at = &(*at)->next;
    *at = stream->next;
    handle_remove(stream);
    commands_free(&stream->commands);
    free(stream);
    return hipSuccess;
}

/* ---- events ------------------------------------------------------------------------------------------------------------------------ */

CALL(EventCreateWithFlags, (hipEvent_t * event, unsigned flags), (event, flags)) {
    if (!event || flags) return hipErrorInvalidValue; /* flags that the backend does not use are not there */
    struct ihipEvent_t *e = calloc(1, sizeof *e);
    *event = NULL;
    if (!e || !handle_add(e, HANDLE_EVENT)) {
        free(e);
        return hipErrorOutOfMemory;
    }
    e->refs = 1;
    *event = e;
    return hipSuccess;
}

CALL_END(EventDestroy, (hipEvent_t event), (event)) {
    if (!handle_is(event, HANDLE_EVENT))
        return hip_complain(hipErrorInvalidHandle, "hipEventDestroy: no event");
    handle_remove(event);
    event_unref(event);
    return hipSuccess;
}

static hipError_t add_event_command(hipStream_t stream, hipEvent_t event, enum command_type type,
                                    uint64_t recording) {
    struct command *c = command_new(type, 0);
    if (!c) return hipErrorOutOfMemory;
    c->event = event;
    c->recording = recording;
    event->refs++;
    return queue_add(stream, c);
}

static hipError_t check_pair(hipStream_t stream, hipEvent_t event, const char *call) {
    if (!handle_is(stream, HANDLE_STREAM)) return hip_complain(hipErrorInvalidHandle, "%s: no stream", call);
    if (!handle_is(event, HANDLE_EVENT)) return hip_complain(hipErrorInvalidHandle, "%s: no event", call);
    if (!stream->capture) return hipSuccess;
    stream->capture_broken = true; /* forks and joins are not in this library */
    return hip_complain(hipErrorStreamCaptureUnsupported, "%s on a stream that is being captured", call);
}

CALL(EventRecord, (hipEvent_t event, hipStream_t stream), (event, stream)) {
    hipError_t error = check_pair(stream, event, "hipEventRecord");
    if (error != hipSuccess) return error;
    event->recorded = ++hip_state.n_recordings;
    return add_event_command(stream, event, COMMAND_RECORD, event->recorded);
}

CALL(StreamWaitEvent, (hipStream_t stream, hipEvent_t event, unsigned flags), (stream, event, flags)) {
    hipError_t error = check_pair(stream, event, "hipStreamWaitEvent");
    if (error != hipSuccess || flags) return error != hipSuccess ? error : hipErrorInvalidValue;
    return event->recorded ? add_event_command(stream, event, COMMAND_WAIT, event->recorded) : hipSuccess;
}

static hipError_t check_event(hipEvent_t event, const char *call) {
    if (!handle_is(event, HANDLE_EVENT)) return hip_complain(hipErrorInvalidHandle, "%s: no event", call);
    return hip_unsafe(call);
}

CALL(EventQuery, (hipEvent_t event), (event)) {
    hipError_t error = check_event(event, "hipEventQuery");
    if (error == hipSuccess && event->passed < event->recorded) error = queue_step();
    if (error == hipErrorNotReady) error = hipSuccess;
    if (error != hipSuccess) return error;
    return event->passed < event->recorded ? hipErrorNotReady : hipSuccess;
}

CALL(EventSynchronize, (hipEvent_t event), (event)) {
    hipError_t error = check_event(event, "hipEventSynchronize");
    return error == hipSuccess ? queue_until(event) : error;
}

/* No time but a count, of which a thousand million are told as a second. */
CALL(EventElapsedTime, (float *ms, hipEvent_t from, hipEvent_t to), (ms, from, to)) {
    if (!ms) return hipErrorInvalidValue;
    hipError_t error = check_event(from, "hipEventElapsedTime");
    if (error == hipSuccess) error = check_event(to, "hipEventElapsedTime");
    if (error != hipSuccess) return error;
    if (!from->recorded || !to->recorded) return hipErrorInvalidHandle;
    if (from->passed < from->recorded || to->passed < to->recorded) return hipErrorNotReady;
    *ms = (float)((double)(int64_t)(to->count - from->count) * 1e-6);
    return hipSuccess;
}
