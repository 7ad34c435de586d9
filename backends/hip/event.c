#include "hip.h"

#include "clock.h"

#include <stdlib.h>
#include <time.h>

static hipEvent_t handle_of(struct hal_event *hal) {
    return ((struct hip_event *)hal)->handle;
}

greta_status hip_event_create(struct hal_dev *base, struct hal_event **out) {
    struct hip_device *dev = hip_device(base);
    *out = NULL;
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    struct hip_event *e = calloc(1, sizeof *e);
    if (!e) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    status = HIP(dev, EventCreateWithFlags, (&e->handle, 0), "creating an event");
    if (status != GRETA_OK) {
        free(e);
        return status;
    }
    *out = &e->base;
    return GRETA_OK;
}

void hip_event_destroy(struct hal_dev *base, struct hal_event *hal) {
    struct hip_device *dev = hip_device(base);
    if (!hal) return;
    (void)dev->fn->SetDevice(dev->board->ordinal);
    (void)dev->fn->EventDestroy(handle_of(hal));
    free(hal);
}

greta_status hip_event_record(struct hal_dev *base, struct hal_event *event, struct hal_stream *stream) {
    struct hip_device *dev = hip_device(base);
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    return HIP(dev, EventRecord, (handle_of(event), ((struct hip_stream *)stream)->handle),
               "recording an event");
}

/* HIP waits without end or not at all. A wait with an end asks again and again, at first without a rest. */
greta_status hip_event_wait(struct hal_dev *base, struct hal_event *event, uint64_t timeout_ns) {
    enum { SPIN_NS = 50000, REST_NS = 20000 };
    struct hip_device *dev = hip_device(base);
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    if (timeout_ns == UINT64_MAX)
        return HIP(dev, EventSynchronize, (handle_of(event)), "waiting for an event");
    for (uint64_t start = clock_ns();;) {
        hipError_t error = dev->fn->EventQuery(handle_of(event));
        if (error != hipErrorNotReady) return hip_check(dev, error, "hipEventQuery", "waiting for an event");
        uint64_t waited = clock_ns() - start;
        if (waited >= timeout_ns) return GRETA_ERR_TIMEOUT;
        if (waited > SPIN_NS) nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
    }
}

greta_status hip_event_elapsed(struct hal_dev *base, struct hal_event *from, struct hal_event *to,
                               uint64_t *out_ns) {
    struct hip_device *dev = hip_device(base);
    float ms = 0;
    *out_ns = 0;
    greta_status status = hip_enter(dev);
    if (status == GRETA_OK)
        status = HIP(dev, EventElapsedTime, (&ms, handle_of(from), handle_of(to)), "the time between events");
    if (status == GRETA_OK && ms > 0) *out_ns = (uint64_t)((double)ms * 1e6 + 0.5);
    return status;
}
