/* Timestamps: a kernel of one thread writes each to pinned memory. Its module is loaded when the first are asked for. */
#include "hip.h"

#include <stdlib.h>
#include <string.h>

#include "stamp.h"

static const struct greta_image image = {GRETA_IMAGE_AMDGPU, stamp_code, stamp_code_bytes, "stamp"};

static greta_status load(struct hip_device *dev) {
    pthread_mutex_lock(&dev->stamp_lock);
    greta_status status = GRETA_OK;
    if (!dev->stamp_module) status = hip_module_load(&dev->base, &image, &dev->stamp_module);
    if (status == GRETA_OK && !dev->stamp)
        status = hip_kernel_get(&dev->base, dev->stamp_module, "stamp", NULL, 0, &dev->stamp);
    pthread_mutex_unlock(&dev->stamp_lock);
    return status;
}

greta_status hip_stamps_create(struct hal_dev *base, uint32_t n, struct hal_stamps **out) {
    struct hip_device *dev = hip_device(base);
    *out = NULL;
    greta_status status = load(dev);
    struct hip_stamps *s = status == GRETA_OK ? calloc(1, sizeof *s) : NULL;
    if (status != GRETA_OK) return status;
    if (!s) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    status = hip_buf_create(base, n * sizeof(uint64_t), GRETA_MEM_READBACK, &s->buf);
    if (status != GRETA_OK) {
        free(s);
        return status;
    }
    memset(s->buf->host, 0, n * sizeof(uint64_t));
    s->base.n = n;
    *out = &s->base;
    return GRETA_OK;
}

void hip_stamps_destroy(struct hal_dev *base, struct hal_stamps *hal) {
    struct hip_stamps *s = (struct hip_stamps *)hal;
    hip_buf_destroy(base, s->buf);
    free(s);
}

greta_status hip_cmd_stamp(struct hal_dev *base, struct hal_stream *stream, const struct hal_stamp *cmd) {
    const struct hal_binding place = {.buf = ((struct hip_stamps *)cmd->stamps)->buf,
                                      .offset_bytes = cmd->i * sizeof(uint64_t),
                                      .size_bytes = sizeof(uint64_t),
                                      .access = GRETA_WRITE};
    return hip_cmd_dispatch(
        base, stream,
        &(struct hal_dispatch){
            .kernel = hip_device(base)->stamp, .groups = {1, 1, 1}, .n_bindings = 1, .bindings = &place});
}

/* The device may be writing a place that is read: whole words, so it is there or it is not. */
greta_status hip_stamps_read(struct hal_dev *base, struct hal_stamps *hal, uint32_t first, uint32_t n,
                             uint64_t *out_ticks) {
    volatile uint64_t *places = (uint64_t *)((struct hip_stamps *)hal)->buf->host + first;
    (void)base;
    for (uint32_t i = 0; i < n; i++) {
        out_ticks[i] = places[i];
        if (out_ticks[i]) places[i] = 0;
    }
    return GRETA_OK;
}
