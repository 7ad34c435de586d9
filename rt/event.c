#include "internal.h"

#include "clock.h"

#include <stdlib.h>

struct greta_event {
    struct rt_retire retire;
    struct greta_dev *dev;
    struct hal_event *hal;
    atomic_bool recorded;
    atomic_uint_fast64_t host_ns; /* of the recording: elapsed time where the device tells none */
};

static void release(struct greta_dev *dev, struct rt_retire *retire) {
    struct greta_event *e = (struct greta_event *)retire;
    dev->hal->ops->event_destroy(dev->hal, e->hal);
    free(e);
}

greta_status greta_event_create(struct greta_dev *dev, struct greta_event **out) {
    if (!out) return GRETA_ERR_INVALID;
    *out = NULL;
    if (!dev) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(dev)) return GRETA_ERR_DEVICE_LOST;
    struct greta_event *e = calloc(1, sizeof *e);
    if (!e) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "event: out of memory");
    e->retire.release = release;
    e->dev = dev;
    greta_status status = rt_dev_note(dev, dev->hal->ops->event_create(dev->hal, &e->hal));
    if (status != GRETA_OK) {
        free(e);
        return status;
    }
    atomic_fetch_add(&dev->refs, 1);
    *out = e;
    return GRETA_OK;
}

void greta_event_destroy(struct greta_event **event) {
    struct greta_event *e = event ? *event : NULL;
    if (!e) return;
    *event = NULL;
    rt_retire(e->dev, &e->retire);
}

static greta_status check(struct greta_event *e, const struct greta_dev *dev, bool must_be_recorded) {
    if (!e) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(e->dev)) return GRETA_ERR_DEVICE_LOST;
    if (dev && e->dev != dev) return greta_fail(dev->log, GRETA_ERR_INVALID, "event: it is another device's");
    if (must_be_recorded && !atomic_load(&e->recorded))
        return greta_fail(e->dev->log, GRETA_ERR_INVALID,
                          "event: it was never recorded, so nothing would end the wait");
    return GRETA_OK;
}

greta_status greta_event_record(struct greta_event *e, struct greta_stream *s) {
    greta_status status = rt_stream_check(s, "event record", false);
    if (status == GRETA_OK) status = check(e, s->dev, false);
    /* Who waits for the event may be the host: what was written is made visible to it. */
    if (status == GRETA_OK && s->hazard.host_sees) status = rt_stream_barrier(s);
    if (status != GRETA_OK) return status;
    rt_stream_touch(s);
    status = rt_dev_note(s->dev, s->dev->hal->ops->event_record(s->dev->hal, e->hal, s->hal));
    if (status != GRETA_OK) return status;
    atomic_store(&e->host_ns, clock_ns());
    atomic_store(&e->recorded, true);
    return GRETA_OK;
}

greta_status greta_event_wait(struct greta_event *e, uint64_t timeout_ns) {
    greta_status status = check(e, NULL, true);
    if (status != GRETA_OK) return status;
    uint64_t start = rt_record_start(e->dev);
    status = rt_dev_note(e->dev, e->dev->hal->ops->event_wait(e->dev->hal, e->hal, timeout_ns));
    if (status == GRETA_OK) rt_record(e->dev, GRETA_RECORD_WAIT, NULL, 0, NULL, start);
    return status;
}

greta_status greta_event_elapsed(struct greta_event *from, struct greta_event *to, uint64_t *out_ns) {
    if (!out_ns) return GRETA_ERR_INVALID;
    *out_ns = 0;
    greta_status status = check(from, NULL, true);
    if (status == GRETA_OK) status = check(to, from->dev, true);
    if (status != GRETA_OK) return status;
    struct greta_dev *dev = from->dev;
    const struct greta_dev_ops *ops = dev->hal->ops;
    status = rt_dev_note(dev, ops->event_wait(dev->hal, from->hal, 0));
    if (status == GRETA_OK) status = rt_dev_note(dev, ops->event_wait(dev->hal, to->hal, 0));
    if (status == GRETA_ERR_TIMEOUT)
        return greta_fail(dev->log, GRETA_ERR_INVALID,
                          "event: both must have come to pass before their time is asked for");
    if (status != GRETA_OK) return status;
    if (ops->event_elapsed) return rt_dev_note(dev, ops->event_elapsed(dev->hal, from->hal, to->hal, out_ns));
    uint64_t a = atomic_load(&from->host_ns), b = atomic_load(&to->host_ns);
    *out_ns = b > a ? b - a : 0;
    return GRETA_OK;
}

greta_status greta_stream_wait_event(struct greta_stream *s, struct greta_event *e) {
    greta_status status = rt_stream_check(s, "event wait", false);
    if (status == GRETA_OK) status = check(e, s->dev, true);
    if (status != GRETA_OK) return status;
    rt_stream_touch(s);
    return rt_dev_note(s->dev, s->dev->hal->ops->stream_wait_event(s->dev->hal, s->hal, e->hal));
}
