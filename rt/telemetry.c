#include "internal.h"

#include "clock.h"

uint64_t rt_record_start(const struct greta_dev *dev) {
    return dev->telemetry ? clock_ns() : 0;
}

void rt_tell(const struct greta_dev *dev, const struct greta_record *record) {
    if (!dev->telemetry) return;
    struct greta_record r = *record;
    r.end_ns = r.start_ns ? clock_ns() : 0;
    dev->telemetry->record(dev->telemetry->user, &r);
}

bool rt_before(const struct greta_dev *dev, const struct greta_record *record) {
    if (!dev->telemetry || !dev->telemetry->before) return true;
    return dev->telemetry->before(dev->telemetry->user, record);
}

void rt_record(const struct greta_dev *dev, enum greta_record_type type, const char *name, uint64_t bytes,
               const uint32_t groups[3], uint64_t start_ns) {
    if (!dev->telemetry) return;
    struct greta_record r = {.type = type, .name = name, .bytes = bytes, .start_ns = start_ns};
    for (int i = 0; groups && i < 3; i++) r.groups[i] = groups[i];
    rt_tell(dev, &r);
}
