#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct greta_stamps {
    struct rt_retire retire;
    struct greta_dev *dev;
    struct hal_stamps *hal;
};

static void release(struct greta_dev *dev, struct rt_retire *retire) {
    struct greta_stamps *s = (struct greta_stamps *)retire;
    dev->hal->ops->stamps_destroy(dev->hal, s->hal);
    free(s);
}

greta_status greta_stamps_create(struct greta_dev *dev, uint32_t n, struct greta_stamps **out) {
    if (!out) return GRETA_ERR_INVALID;
    *out = NULL;
    if (!dev || !n || n > 1u << 20) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(dev)) return GRETA_ERR_DEVICE_LOST;
    if (!dev->hal->limits.timestamp_bits || !dev->hal->ops->stamps_create) return GRETA_ERR_UNSUPPORTED;
    struct greta_stamps *s = calloc(1, sizeof *s);
    if (!s) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "timestamps: out of memory");
    s->retire.release = release;
    s->dev = dev;
    greta_status status = rt_dev_note(dev, dev->hal->ops->stamps_create(dev->hal, n, &s->hal));
    if (status != GRETA_OK) {
        free(s);
        return status;
    }
    atomic_fetch_add(&dev->refs, 1);
    *out = s;
    return GRETA_OK;
}

void greta_stamps_destroy(struct greta_stamps **stamps) {
    struct greta_stamps *s = stamps ? *stamps : NULL;
    if (!s) return;
    *stamps = NULL;
    rt_retire(s->dev, &s->retire);
}

static greta_status check(const struct greta_stamps *s, const struct greta_dev *dev, uint32_t first,
                          uint32_t n) {
    if (!s || !n) return GRETA_ERR_INVALID;
    if (s->dev != dev) return greta_fail(dev->log, GRETA_ERR_INVALID, "timestamp: they are another device's");
    if (first < s->hal->n && n <= s->hal->n - first) return GRETA_OK;
    return greta_fail(dev->log, GRETA_ERR_INVALID, "timestamp: %u at place %u: there are %u places", n, first,
                      s->hal->n);
}

greta_status greta_stream_stamp(struct greta_stream *stream, struct greta_stamps *stamps, uint32_t i) {
    greta_status status = rt_stream_check(stream, "timestamp", true);
    if (status == GRETA_OK) status = check(stamps, stream->dev, i, 1);
    if (status != GRETA_OK) return status;
    const struct hal_cmd cmd = {.type = HAL_CMD_STAMP, .stamp = {stamps->hal, i}};
    if (stream->recording) {
        stream->recording->has_stamps = true;
        return rt_recording_add(stream, &cmd);
    }
    struct hal_dev *hal = stream->dev->hal;
    rt_stream_touch(stream);
    return rt_dev_note(stream->dev, hal->ops->cmd_stamp(hal, stream->hal, &cmd.stamp));
}

greta_status greta_stamps_read(struct greta_stamps *s, uint32_t first, uint32_t n, uint64_t *out_ticks) {
    if (!out_ticks) return GRETA_ERR_INVALID;
    memset(out_ticks, 0, n * sizeof *out_ticks);
    if (!s) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(s->dev)) return GRETA_ERR_DEVICE_LOST;
    greta_status status = check(s, s->dev, first, n);
    if (status != GRETA_OK) return status;
    struct hal_dev *hal = s->dev->hal;
    return rt_dev_note(s->dev, hal->ops->stamps_read(hal, s->hal, first, n, out_ticks));
}
