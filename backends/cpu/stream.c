/* Commands run while they are recorded, so that streams and events hold nothing to wait for. */
#include "cpu.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>

greta_status cpu_stream_create(struct hal_dev *dev, struct hal_stream **out) {
    *out = calloc(1, sizeof **out);
    return *out ? GRETA_OK : greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "cpu: no memory for a stream");
}

void cpu_stream_destroy(struct hal_dev *dev, struct hal_stream *stream) {
    (void)dev;
    free(stream);
}

greta_status cpu_event_create(struct hal_dev *dev, struct hal_event **out) {
    *out = NULL;
    struct cpu_event *e = calloc(1, sizeof *e);
    if (!e) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "cpu: no memory for an event");
    *out = &e->hal;
    return GRETA_OK;
}

void cpu_event_destroy(struct hal_dev *dev, struct hal_event *event) {
    (void)dev;
    free(event);
}

greta_status cpu_event_record(struct hal_dev *dev, struct hal_event *event, struct hal_stream *stream) {
    (void)dev, (void)stream;
    ((struct cpu_event *)event)->time_ns = clock_ns();
    return GRETA_OK;
}

greta_status cpu_event_wait(struct hal_dev *dev, struct hal_event *event, uint64_t timeout_ns) {
    (void)dev, (void)event, (void)timeout_ns;
    return GRETA_OK;
}

greta_status cpu_event_elapsed(struct hal_dev *dev, struct hal_event *from, struct hal_event *to,
                               uint64_t *out_ns) {
    (void)dev;
    uint64_t a = ((struct cpu_event *)from)->time_ns, b = ((struct cpu_event *)to)->time_ns;
    *out_ns = b > a ? b - a : 0;
    return GRETA_OK;
}

greta_status cpu_stream_wait_event(struct hal_dev *dev, struct hal_stream *stream, struct hal_event *event) {
    (void)dev, (void)stream, (void)event;
    return GRETA_OK;
}

struct launch {
    const struct cpu_kernel *kernel;
    uint64_t first; /* the loop's index 0: grids past 2^32 groups run in several loops */
    uint32_t count[3];
    unsigned n_threads;
    _Alignas(16) unsigned char args[CPU_MAX_BINDINGS * 8 + CPU_MAX_CONSTANTS_BYTES];
};

static void run_group(void *user, uint32_t i, unsigned i_thread) {
    const struct launch *l = user;
    uint64_t id = l->first + i;
    struct greta_host_group g = {
        .count = {l->count[0], l->count[1], l->count[2]},
        .i_thread = i_thread,
        .n_threads = l->n_threads,
        .constants = l->kernel->constants,
        .n_constants = l->kernel->n_constants,
    };
    if (id < l->count[0]) {
        g.id[0] = (uint32_t)id; /* the common grid, without the divisions */
    } else {
        g.id[0] = (uint32_t)(id % l->count[0]);
        g.id[1] = (uint32_t)(id / l->count[0] % l->count[1]);
        g.id[2] = (uint32_t)(id / l->count[0] / l->count[1]);
    }
    l->kernel->fn(&g, l->args);
}

greta_status cpu_cmd_dispatch(struct hal_dev *dev, struct hal_stream *stream,
                              const struct hal_dispatch *cmd) {
    (void)stream;
    struct cpu_dev *d = (struct cpu_dev *)dev;
    struct launch l;
    l.kernel = (const struct cpu_kernel *)cmd->kernel;
    l.n_threads = thread_pool_n_threads(d->pool);
    memcpy(l.count, cmd->groups, sizeof l.count);
    for (uint32_t i = 0; i < cmd->n_bindings; i++) {
        uint64_t address = cmd->bindings[i].buf->address + cmd->bindings[i].offset_bytes;
        memcpy(l.args + 8 * i, &address, sizeof address);
    }
    if (cmd->constants_bytes) memcpy(l.args + 8 * cmd->n_bindings, cmd->constants, cmd->constants_bytes);
    uint64_t n = (uint64_t)cmd->groups[0] * cmd->groups[1] * cmd->groups[2];
    for (l.first = 0; l.first < n; l.first += UINT32_MAX) {
        uint64_t left = n - l.first;
        thread_pool_loop(d->pool, left < UINT32_MAX ? (uint32_t)left : UINT32_MAX, run_group, &l);
    }
    return GRETA_OK;
}

static unsigned char *at(const struct hal_buf *buf, uint64_t offset) {
    return (unsigned char *)buf->host + offset;
}

greta_status cpu_cmd_copy(struct hal_dev *dev, struct hal_stream *stream, const struct hal_copy *cmd) {
    (void)dev, (void)stream;
    memmove(at(cmd->dst, cmd->dst_offset_bytes), at(cmd->src, cmd->src_offset_bytes),
            (size_t)cmd->size_bytes);
    return GRETA_OK;
}

greta_status cpu_cmd_fill(struct hal_dev *dev, struct hal_stream *stream, const struct hal_fill *cmd) {
    (void)dev, (void)stream;
    unsigned char *p = at(cmd->dst, cmd->offset_bytes);
    for (uint64_t i = 0; i < cmd->size_bytes; i += 4) memcpy(p + i, &cmd->pattern, 4);
    return GRETA_OK;
}

greta_status cpu_cmd_update(struct hal_dev *dev, struct hal_stream *stream, const struct hal_update *cmd) {
    (void)dev, (void)stream;
    memcpy(at(cmd->dst, cmd->offset_bytes), cmd->data, cmd->size_bytes);
    return GRETA_OK;
}

greta_status cpu_cmd_barrier(struct hal_dev *dev, struct hal_stream *stream) {
    (void)dev, (void)stream;
    return GRETA_OK;
}

/* ---- timestamps: the host's clock ---- */

greta_status cpu_stamps_create(struct hal_dev *dev, uint32_t n, struct hal_stamps **out) {
    struct cpu_stamps *s = calloc(1, sizeof *s + n * sizeof *s->times_ns);
    *out = s ? &s->hal : NULL;
    if (!s) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "cpu: no memory for %u timestamps", n);
    s->hal.n = n;
    return GRETA_OK;
}

void cpu_stamps_destroy(struct hal_dev *dev, struct hal_stamps *stamps) {
    (void)dev;
    free(stamps);
}

greta_status cpu_cmd_stamp(struct hal_dev *dev, struct hal_stream *stream, const struct hal_stamp *cmd) {
    (void)dev, (void)stream;
    ((struct cpu_stamps *)cmd->stamps)->times_ns[cmd->i] = clock_ns();
    return GRETA_OK;
}

greta_status cpu_stamps_read(struct hal_dev *dev, struct hal_stamps *stamps, uint32_t first, uint32_t n,
                             uint64_t *out_ticks) {
    uint64_t *times_ns = ((struct cpu_stamps *)stamps)->times_ns + first;
    (void)dev;
    memcpy(out_ticks, times_ns, n * sizeof *times_ns);
    memset(times_ns, 0, n * sizeof *times_ns);
    return GRETA_OK;
}
