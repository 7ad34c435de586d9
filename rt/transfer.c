#include "internal.h"

#include <string.h>

enum { CHUNK_BYTES = 4 << 20, CHUNK_ALIGN = 16 };

static struct rt_access access_of(const struct greta_buf *buf, uint64_t offset, uint64_t size,
                                  enum greta_access access) {
    return (struct rt_access){{buf->address + offset, buf->address + offset + size}, access};
}

static void note_host(struct greta_stream *s, const struct greta_buf *buf) {
    if (buf->hal->host) (s->recording ? &s->recording->hazard : &s->hazard)->host_sees = true;
}

/* ---- copy, fill, update ----------------------------------------------------------------------------------------- */

static greta_status submit(struct greta_stream *s, const struct hal_cmd *cmd) {
    if (s->recording) return rt_recording_add(s, cmd);
    struct hal_dev *hal = s->dev->hal;
    switch (cmd->type) {
    case HAL_CMD_COPY: return rt_dev_note(s->dev, hal->ops->cmd_copy(hal, s->hal, &cmd->copy));
    case HAL_CMD_FILL: return rt_dev_note(s->dev, hal->ops->cmd_fill(hal, s->hal, &cmd->fill));
    case HAL_CMD_UPDATE: return rt_dev_note(s->dev, hal->ops->cmd_update(hal, s->hal, &cmd->update));
    default: return GRETA_ERR_INTERNAL;
    }
}

/* Orders, submits and tells of one transfer command. */
static greta_status transfer(struct greta_stream *s, const struct hal_cmd *cmd,
                             const struct rt_access *accesses, uint32_t n, const struct greta_buf *dst,
                             enum greta_record_type type, uint64_t bytes) {
    struct greta_record r = {.type = type, .bytes = bytes, .recorded = s->recording != NULL, .stream = s};
    greta_status status = rt_stream_order(s, accesses, n);
    if (status != GRETA_OK) return status;
    if (dst) note_host(s, dst);
    (void)rt_before(s->dev, &r);
    if (!s->recording) r.start_ns = rt_record_start(s->dev);
    status = submit(s, cmd);
    if (status == GRETA_OK) rt_tell(s->dev, &r);
    return status;
}

static greta_status empty(const struct greta_stream *s, const char *what) {
    return greta_fail(s->dev->log, GRETA_ERR_INVALID, "%s: of 0 bytes", what);
}

greta_status greta_stream_copy(struct greta_stream *s, struct greta_buf *dst, uint64_t dst_offset,
                               struct greta_buf *src, uint64_t src_offset, uint64_t size) {
    greta_status status = rt_stream_check(s, "copy", true);
    if (status == GRETA_OK) status = rt_buf_check(s, "copy to", dst, dst_offset, size, 4);
    if (status == GRETA_OK) status = rt_buf_check(s, "copy from", src, src_offset, size, 4);
    if (status != GRETA_OK) return status;
    if (!size) return empty(s, "copy");
    struct rt_access a[2] = {access_of(dst, dst_offset, size, GRETA_WRITE),
                             access_of(src, src_offset, size, GRETA_READ)};
    if (a[0].range.begin < a[1].range.end && a[1].range.begin < a[0].range.end)
        return greta_fail(s->dev->log, GRETA_ERR_INVALID, "copy: source and destination overlap");
    struct hal_cmd cmd = {.type = HAL_CMD_COPY,
                          .copy = {.dst = dst->hal,
                                   .src = src->hal,
                                   .dst_offset_bytes = dst->offset_bytes + dst_offset,
                                   .src_offset_bytes = src->offset_bytes + src_offset,
                                   .size_bytes = size}};
    return transfer(s, &cmd, a, 2, dst, GRETA_RECORD_COPY, size);
}

greta_status greta_stream_fill(struct greta_stream *s, struct greta_buf *dst, uint64_t offset, uint64_t size,
                               uint32_t pattern) {
    greta_status status = rt_stream_check(s, "fill", true);
    if (status == GRETA_OK) status = rt_buf_check(s, "fill", dst, offset, size, 4);
    if (status != GRETA_OK) return status;
    if (!size) return empty(s, "fill");
    struct rt_access a = access_of(dst, offset, size, GRETA_WRITE);
    struct hal_cmd cmd = {.type = HAL_CMD_FILL,
                          .fill = {.dst = dst->hal,
                                   .offset_bytes = dst->offset_bytes + offset,
                                   .size_bytes = size,
                                   .pattern = pattern}};
    return transfer(s, &cmd, &a, 1, dst, GRETA_RECORD_FILL, size);
}

static uint32_t max_update_bytes(const struct greta_stream *s) {
    uint32_t limit = s->dev->hal->limits.max_update_bytes;
    return limit && limit < RT_MAX_UPDATE_BYTES ? limit : RT_MAX_UPDATE_BYTES;
}

greta_status greta_stream_update(struct greta_stream *s, struct greta_buf *dst, uint64_t offset,
                                 const void *data, uint32_t size) {
    greta_status status = rt_stream_check(s, "update", true);
    if (status == GRETA_OK) status = rt_buf_check(s, "update", dst, offset, size, 4);
    if (status != GRETA_OK) return status;
    if (!size) return empty(s, "update");
    if (!data) return greta_fail(s->dev->log, GRETA_ERR_INVALID, "update: no data given");
    if (size > max_update_bytes(s))
        return greta_fail(s->dev->log, GRETA_ERR_INVALID,
                          "update: %u bytes, and at most %u are taken: use a write", size,
                          max_update_bytes(s));
    struct rt_access a = access_of(dst, offset, size, GRETA_WRITE);
    struct hal_cmd cmd = {
        .type = HAL_CMD_UPDATE,
        .update = {
            .dst = dst->hal, .offset_bytes = dst->offset_bytes + offset, .size_bytes = size, .data = data}};
    return transfer(s, &cmd, &a, 1, dst, GRETA_RECORD_UPDATE, size);
}

/* ---- staging ---------------------------------------------------------------------------------------------------- */

static uint64_t chunk_bytes(const struct greta_stream *s) {
    uint64_t max = s->dev->hal->limits.max_buf_bytes;
    return max < CHUNK_BYTES ? max : CHUNK_BYTES;
}

/* Room in the ring: at least a byte and at most `want`; waits for the oldest chunk once all are under way. */
static greta_status reserve(struct greta_stream *s, uint64_t want, struct rt_chunk **out, uint64_t *size) {
    for (;;) {
        struct rt_chunk *c = &s->upload[s->i_upload];
        greta_status status = GRETA_OK;
        if (!c->buf) status = rt_hal_buf_create(s->dev, chunk_bytes(s), GRETA_MEM_UPLOAD, &c->buf);
        if (status != GRETA_OK) return status;
        if (c->mark.pending) {
            status = rt_mark_wait(s, &c->mark, UINT64_MAX);
            if (status != GRETA_OK) return status;
            c->used_bytes = 0;
        }
        uint64_t room = c->buf->size_bytes - c->used_bytes;
        if (room) {
            *out = c;
            *size = want < room ? want : room;
            return GRETA_OK;
        }
        status = rt_mark_record(s, &c->mark);
        if (status == GRETA_OK) status = rt_stream_flush(s);
        if (status != GRETA_OK) return status;
        s->i_upload = (s->i_upload + 1) % RT_N_CHUNKS;
    }
}

static greta_status write_staged(struct greta_stream *s, struct greta_buf *dst, uint64_t offset,
                                 const unsigned char *data, uint64_t size) {
    while (size) {
        struct rt_chunk *c;
        uint64_t n;
        greta_status status = reserve(s, size, &c, &n);
        if (status != GRETA_OK) return status;
        memcpy((unsigned char *)c->buf->host + c->used_bytes, data, (size_t)n);
        struct rt_access a = access_of(dst, offset, n, GRETA_WRITE);
        struct hal_cmd cmd = {.type = HAL_CMD_COPY,
                              .copy = {.dst = dst->hal,
                                       .src = c->buf,
                                       .dst_offset_bytes = dst->offset_bytes + offset,
                                       .src_offset_bytes = c->used_bytes,
                                       .size_bytes = n}};
        uint64_t used = (c->used_bytes + n + CHUNK_ALIGN - 1) & ~(uint64_t)(CHUNK_ALIGN - 1);
        c->used_bytes = used < c->buf->size_bytes ? used : c->buf->size_bytes;
        status = transfer(s, &cmd, &a, 1, dst, GRETA_RECORD_COPY, n);
        if (status != GRETA_OK) return status;
        data += n, offset += n, size -= n;
    }
    return GRETA_OK;
}

/* ---- write and read --------------------------------------------------------------------------------------------- */

greta_status greta_stream_write(struct greta_stream *s, struct greta_buf *dst, uint64_t offset,
                                const void *data, uint64_t size) {
    greta_status status = rt_stream_check(s, "write", false);
    if (status == GRETA_OK) status = rt_buf_check(s, "write", dst, offset, size, 1);
    if (status != GRETA_OK || !size) return status;
    if (!data) return greta_fail(s->dev->log, GRETA_ERR_INVALID, "write: no data given");
    uint64_t start = rt_record_start(s->dev);
    unsigned char *host = greta_buf_host(dst);
    if (host && (s->dev->synchronous || !atomic_load(&s->busy))) /* nothing of this stream is under way */
        memcpy(host + offset, data, (size_t)size);
    else if (size <= max_update_bytes(s) && !((offset | size) & 3))
        status = greta_stream_update(s, dst, offset, data, (uint32_t)size);
    else
        status = write_staged(s, dst, offset, data, size);
    if (status == GRETA_OK)
        rt_tell(s->dev, &(struct greta_record){
                            .type = GRETA_RECORD_WRITE, .bytes = size, .stream = s, .start_ns = start});
    return status;
}

/* Memory that the host may read: others are uncached, or not mapped. */
static bool host_readable(const struct greta_buf *buf) {
    return buf->hal->host &&
           (buf->dev->synchronous || buf->kind == GRETA_MEM_READBACK || buf->kind == GRETA_MEM_UNIFIED);
}

static greta_status read_staged(struct greta_stream *s, struct greta_buf *src, uint64_t offset,
                                unsigned char *data, uint64_t size) {
    greta_status status = GRETA_OK;
    if (!s->readback) status = rt_hal_buf_create(s->dev, chunk_bytes(s), GRETA_MEM_READBACK, &s->readback);
    while (status == GRETA_OK && size) {
        uint64_t n = size < s->readback->size_bytes ? size : s->readback->size_bytes;
        struct rt_access a = access_of(src, offset, n, GRETA_READ);
        struct hal_cmd cmd = {.type = HAL_CMD_COPY,
                              .copy = {.dst = s->readback,
                                       .src = src->hal,
                                       .src_offset_bytes = src->offset_bytes + offset,
                                       .size_bytes = n}};
        status = transfer(s, &cmd, &a, 1, NULL, GRETA_RECORD_COPY, n);
        s->hazard.host_sees = true; /* the staging buffer */
        if (status == GRETA_OK) status = rt_stream_sync(s);
        if (status != GRETA_OK) return status;
        memcpy(data, s->readback->host, (size_t)n);
        data += n, offset += n, size -= n;
    }
    return status;
}

greta_status greta_stream_read(struct greta_stream *s, struct greta_buf *src, uint64_t offset, void *data,
                               uint64_t size) {
    greta_status status = rt_stream_check(s, "read", false);
    if (status == GRETA_OK) status = rt_buf_check(s, "read", src, offset, size, 1);
    if (status != GRETA_OK || !size) return status;
    if (!data) return greta_fail(s->dev->log, GRETA_ERR_INVALID, "read: no place for the data given");
    uint64_t start = rt_record_start(s->dev);
    if (host_readable(src)) {
        status = rt_stream_sync(s);
        if (status == GRETA_OK) memcpy(data, (unsigned char *)greta_buf_host(src) + offset, (size_t)size);
    } else {
        status = read_staged(s, src, offset, data, size);
    }
    if (status == GRETA_OK)
        rt_tell(s->dev, &(struct greta_record){
                            .type = GRETA_RECORD_READ, .bytes = size, .stream = s, .start_ns = start});
    return status;
}
