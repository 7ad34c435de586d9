#include "lazy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct greta_backend cpu_backend;

struct lazy_state lazy;

enum { MAX_BINDINGS = 16, MAX_CONSTANTS = 128, MAX_UPDATE = 256 };
enum entry_type { ENTRY_CMD, ENTRY_EVENT, ENTRY_WAIT };

struct lazy_buf {
    struct hal_buf hal;
    struct hal_buf *inner;
};
struct lazy_event {
    struct hal_event hal;
    struct lazy_stream *stream; /* that recorded it last */
    uint64_t seq, done;         /* done == seq: it has come to pass; seq 0: never recorded */
};
struct lazy_module {
    struct hal_module hal;
    struct hal_module *inner;
    struct lazy_kernel *kernels;
};
struct lazy_kernel {
    struct hal_kernel hal;
    struct lazy_kernel *next;
    struct lazy_module *module;
    struct hal_kernel *inner;
};

struct entry {
    enum entry_type type;
    struct hal_cmd cmd;
    struct hal_binding bindings[MAX_BINDINGS];
    unsigned char data[MAX_UPDATE]; /* constants or the update's bytes */
    struct lazy_event *event;
    uint64_t seq;
    struct lazy_graph *graph;
};
struct lazy_stream {
    struct hal_stream hal;
    struct lazy_stream *next;
    struct entry *entries;
    size_t n, n_places, n_flushed, n_done;
};
struct lazy_graph {
    struct hal_graph hal;
    size_t n;
    struct entry entries[];
};
struct lazy_dev {
    struct hal_dev hal;
    struct greta_dev_ops ops;
    struct hal_dev *inner;
    struct hal_stream *inner_stream;
    struct lazy_stream *streams;
    uint64_t random;
};
struct instance {
    void *inner;
    const struct greta_log *log;
};

uint32_t lazy_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static struct lazy_dev *dev_of(struct hal_dev *dev) {
    return (struct lazy_dev *)dev;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static struct hal_buf *inner_buf(struct hal_buf *buf) {
    return ((struct lazy_buf *)buf)->inner;
}

static greta_status run_cmd(struct lazy_dev *d, struct entry *e) {
    const struct greta_dev_ops *ops = d->inner->ops;
    struct hal_binding bindings[MAX_BINDINGS];
    switch (e->cmd.type) {
    case HAL_CMD_DISPATCH: {
        struct hal_dispatch c = e->cmd.dispatch;
        for (uint32_t i = 0; i < c.n_bindings; i++) {
            bindings[i] = e->bindings[i];
            bindings[i].buf = inner_buf(bindings[i].buf);
        }
        c.bindings = bindings;
        c.constants = e->data;
        c.kernel = ((struct lazy_kernel *)c.kernel)->inner;
        return ops->cmd_dispatch(d->inner, d->inner_stream, &c);
    }
    case HAL_CMD_COPY: {
        struct hal_copy c = e->cmd.copy;
        c.dst = inner_buf(c.dst);
        c.src = inner_buf(c.src);
        return ops->cmd_copy(d->inner, d->inner_stream, &c);
    }
    case HAL_CMD_FILL: {
        struct hal_fill c = e->cmd.fill;
        c.dst = inner_buf(c.dst);
        return ops->cmd_fill(d->inner, d->inner_stream, &c);
    }
    case HAL_CMD_UPDATE: {
        struct hal_update c = e->cmd.update;
        c.dst = inner_buf(c.dst);
        c.data = e->data;
        return ops->cmd_update(d->inner, d->inner_stream, &c);
    }
    default: return GRETA_OK;
    }
}

static bool ends_batch(const struct entry *e) {
    return e->type == ENTRY_WAIT || (e->type == ENTRY_CMD && e->cmd.type == HAL_CMD_BARRIER);
}

/* Commands [begin, end), none a barrier, in a random order; events do not order what follows them. */
static void run_batch(struct lazy_dev *d, struct lazy_stream *s, size_t begin, size_t end) {
    size_t n = end - begin, *order = malloc((n + 1) * sizeof *order);
    if (!order) abort();
    for (size_t i = 0; i < n; i++) order[i] = begin + i;
    for (size_t i = n; i > 1; i--) {
        size_t j = lazy_random(&d->random) % i, t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
    for (size_t i = 0; i < n; i++)
        if (s->entries[order[i]].type == ENTRY_CMD) (void)!run_cmd(d, &s->entries[order[i]]);
    for (size_t i = begin; i < end; i++)
        if (s->entries[i].type == ENTRY_EVENT) s->entries[i].event->done = s->entries[i].seq;
    free(order);
}

static void run_until(struct lazy_dev *d, struct lazy_stream *s, size_t end);

static void run_event(struct lazy_dev *d, struct lazy_event *e, uint64_t seq) {
    if (e->done >= seq) return; /* its stream may be gone */
    struct lazy_stream *s = e->stream;
    for (size_t i = s->n_done; i < s->n; i++)
        if (s->entries[i].type == ENTRY_EVENT && s->entries[i].event == e && s->entries[i].seq == seq) {
            if (s->n_flushed < i + 1) s->n_flushed = i + 1;
            run_until(d, s, i + 1);
            return;
        }
}

static void run_until(struct lazy_dev *d, struct lazy_stream *s, size_t end) {
    while (s->n_done < end) {
        size_t batch = s->n_done;
        while (batch < end && !ends_batch(&s->entries[batch])) batch++;
        run_batch(d, s, s->n_done, batch);
        s->n_done = batch;
        if (batch == end) break;
        if (s->entries[batch].type == ENTRY_WAIT)
            run_event(d, s->entries[batch].event, s->entries[batch].seq);
        s->n_done++;
    }
    if (s->n_done == s->n) s->n = s->n_flushed = s->n_done = 0;
}

/* ---- what pending work uses ------------------------------------------------------------------------------------- */

static bool entry_uses_buf(const struct entry *e, const struct hal_buf *buf) {
    if (e->type != ENTRY_CMD) return false;
    switch (e->cmd.type) {
    case HAL_CMD_DISPATCH:
        for (uint32_t i = 0; i < e->cmd.dispatch.n_bindings; i++)
            if (e->bindings[i].buf == buf) return true;
        return false;
    case HAL_CMD_COPY: return e->cmd.copy.dst == buf || e->cmd.copy.src == buf;
    case HAL_CMD_FILL: return e->cmd.fill.dst == buf;
    case HAL_CMD_UPDATE: return e->cmd.update.dst == buf;
    default: return false;
    }
}

static bool entry_uses(const struct entry *e, const void *handle) {
    if (e->graph == handle || e->event == handle) return true;
    if (e->type == ENTRY_CMD && e->cmd.type == HAL_CMD_DISPATCH &&
        ((struct lazy_kernel *)e->cmd.dispatch.kernel)->module == handle)
        return true;
    return entry_uses_buf(e, handle);
}

static void check_unused(const struct lazy_dev *d, const void *handle, const char *what) {
    lazy.n_live--;
    for (const struct lazy_stream *s = d->streams; s; s = s->next)
        for (size_t i = s->n_done; i < s->n; i++)
            if (entry_uses(&s->entries[i], handle)) {
                fprintf(stderr, "a %s is destroyed that pending work uses\n", what);
                lazy.n_destroyed_in_use++;
                return;
            }
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static void *handle_create(size_t bytes) {
    void *p = calloc(1, bytes);
    if (p) lazy.n_live++;
    return p;
}

static greta_status dev_mem_info(struct hal_dev *dev, struct greta_mem_info *out) {
    return dev_of(dev)->inner->ops->dev_mem_info(dev_of(dev)->inner, out);
}

static greta_status dev_wait_idle(struct hal_dev *dev) {
    for (struct lazy_stream *s = dev_of(dev)->streams; s; s = s->next)
        run_until(dev_of(dev), s, s->n_flushed);
    return GRETA_OK;
}

static greta_status buf_create(struct hal_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                               struct hal_buf **out) {
    struct lazy_dev *d = dev_of(dev);
    struct lazy_buf *b = handle_create(sizeof *b);
    *out = NULL;
    if (!b) return GRETA_ERR_NO_MEMORY;
    greta_status status = d->inner->ops->buf_create(d->inner, size_bytes, kind, &b->inner);
    if (status != GRETA_OK) {
        lazy.n_live--;
        free(b);
        return status;
    }
    unsigned char *p = b->inner->host;
    for (uint64_t i = 0; i < size_bytes; i++) p[i] = (unsigned char)lazy_random(&d->random);
    b->hal = *b->inner;
    if (kind == GRETA_MEM_DEVICE) b->hal.host = NULL;
    *out = &b->hal;
    return GRETA_OK;
}

static void buf_destroy(struct hal_dev *dev, struct hal_buf *buf) {
    struct lazy_dev *d = dev_of(dev);
    struct lazy_buf *b = (struct lazy_buf *)buf;
    check_unused(d, buf, "buffer");
    memset(b->inner->host, 0xdd, (size_t)b->inner->size_bytes);
    d->inner->ops->buf_destroy(d->inner, b->inner);
    free(b);
}

static greta_status stream_create(struct hal_dev *dev, struct hal_stream **out) {
    struct lazy_stream *s = handle_create(sizeof *s);
    *out = s ? &s->hal : NULL;
    if (!s) return GRETA_ERR_NO_MEMORY;
    s->next = dev_of(dev)->streams;
    dev_of(dev)->streams = s;
    return GRETA_OK;
}

static void stream_destroy(struct hal_dev *dev, struct hal_stream *stream) {
    struct lazy_stream *s = (struct lazy_stream *)stream, **p = &dev_of(dev)->streams;
    while (*p != s) p = &(*p)->next;
    *p = s->next;
    lazy.n_live--;
    for (size_t i = s->n_done; i < s->n; i++)
        if (s->entries[i].type == ENTRY_EVENT) s->entries[i].event->done = s->entries[i].seq;
    if (s->n_done < s->n) lazy.n_destroyed_in_use++;
    free(s->entries);
    free(s);
}

static greta_status stream_flush(struct hal_dev *dev, struct hal_stream *stream) {
    (void)dev;
    struct lazy_stream *s = (struct lazy_stream *)stream;
    s->n_flushed = s->n;
    return GRETA_OK;
}

static greta_status push(struct hal_stream *stream, const struct entry *e) {
    struct lazy_stream *s = (struct lazy_stream *)stream;
    if (s->n == s->n_places) {
        size_t n = s->n_places ? 2 * s->n_places : 64;
        struct entry *entries = realloc(s->entries, n * sizeof *entries);
        if (!entries) return GRETA_ERR_NO_MEMORY;
        s->entries = entries;
        s->n_places = n;
    }
    s->entries[s->n++] = *e;
    return GRETA_OK;
}

static greta_status event_create(struct hal_dev *dev, struct hal_event **out) {
    (void)dev;
    struct lazy_event *e = handle_create(sizeof *e);
    *out = e ? &e->hal : NULL;
    return e ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}

static void event_destroy(struct hal_dev *dev, struct hal_event *event) {
    check_unused(dev_of(dev), event, "event");
    free(event);
}

static greta_status event_record(struct hal_dev *dev, struct hal_event *event, struct hal_stream *stream) {
    (void)dev;
    struct lazy_event *e = (struct lazy_event *)event;
    e->stream = (struct lazy_stream *)stream;
    struct entry entry = {.type = ENTRY_EVENT, .event = e, .seq = ++e->seq};
    return push(stream, &entry);
}

static greta_status event_wait(struct hal_dev *dev, struct hal_event *event, uint64_t timeout_ns) {
    struct lazy_event *e = (struct lazy_event *)event;
    if (!e->seq) lazy.n_never_recorded++;
    if (e->done == e->seq) return GRETA_OK;
    if (!timeout_ns && lazy_random(&dev_of(dev)->random) % 3) return GRETA_ERR_TIMEOUT;
    run_event(dev_of(dev), e, e->seq);
    return e->done == e->seq ? GRETA_OK : GRETA_ERR_TIMEOUT;
}

static greta_status stream_wait_event(struct hal_dev *dev, struct hal_stream *stream,
                                      struct hal_event *event) {
    (void)dev;
    struct lazy_event *e = (struct lazy_event *)event;
    if (!e->seq) lazy.n_never_recorded++;
    struct entry entry = {.type = ENTRY_WAIT, .event = e, .seq = e->seq};
    return push(stream, &entry);
}

/* rt's own trial brings a real bundle, whose kernel this does. */
static void trial(const struct greta_host_group *group, const void *args) {
    uint32_t *y, seed;
    memcpy(&y, args, sizeof y);
    memcpy(&seed, (const char *)args + 8, sizeof seed);
    for (uint32_t i = group->id[0] * 64; i < (group->id[0] + 1) * 64; i++) y[i] = i * 2654435761u + seed;
}
static const struct greta_host_entry trial_entries[] = {{"main", trial}};
static const struct lazy_image trial_image = LAZY_IMAGE(trial_entries);

static greta_status module_load(struct hal_dev *dev, const struct greta_image *image,
                                struct hal_module **out) {
    struct lazy_dev *d = dev_of(dev);
    bool is_trial = image->name && strcmp(image->name, "trial") == 0;
    const struct lazy_image *in = is_trial ? &trial_image : image->data;
    struct greta_image host = {GRETA_IMAGE_HOST, in->entries, in->n_entries * sizeof *in->entries,
                               image->name};
    struct lazy_module *m = handle_create(sizeof *m);
    *out = NULL;
    if (!m) return GRETA_ERR_NO_MEMORY;
    greta_status status = d->inner->ops->module_load(d->inner, &host, &m->inner);
    if (status != GRETA_OK) {
        lazy.n_live--;
        free(m);
        return status;
    }
    *out = &m->hal;
    return GRETA_OK;
}

static void module_unload(struct hal_dev *dev, struct hal_module *module) {
    struct lazy_dev *d = dev_of(dev);
    struct lazy_module *m = (struct lazy_module *)module;
    check_unused(d, module, "module");
    while (m->kernels) {
        struct lazy_kernel *next = m->kernels->next;
        free(m->kernels);
        m->kernels = next;
    }
    d->inner->ops->module_unload(d->inner, m->inner);
    free(m);
}

static greta_status kernel_get(struct hal_dev *dev, struct hal_module *module, const char *name,
                               const struct greta_constant *constants, uint32_t n, struct hal_kernel **out) {
    struct lazy_dev *d = dev_of(dev);
    struct lazy_module *m = (struct lazy_module *)module;
    struct lazy_kernel *k = calloc(1, sizeof *k);
    *out = NULL;
    if (!k) return GRETA_ERR_NO_MEMORY;
    greta_status status = d->inner->ops->kernel_get(d->inner, m->inner, name, constants, n, &k->inner);
    if (status != GRETA_OK) {
        free(k);
        return status;
    }
    k->module = m;
    k->next = m->kernels;
    m->kernels = k;
    *out = &k->hal;
    return GRETA_OK;
}

static void fill_entry(struct entry *e, const struct hal_cmd *cmd) {
    *e = (struct entry){.type = ENTRY_CMD, .cmd = *cmd};
    if (cmd->type == HAL_CMD_DISPATCH) {
        for (uint32_t i = 0; i < cmd->dispatch.n_bindings; i++) e->bindings[i] = cmd->dispatch.bindings[i];
        if (cmd->dispatch.constants_bytes)
            memcpy(e->data, cmd->dispatch.constants, cmd->dispatch.constants_bytes);
    }
    if (cmd->type == HAL_CMD_UPDATE) memcpy(e->data, cmd->update.data, cmd->update.size_bytes);
}

static greta_status push_cmd(struct hal_stream *stream, const struct hal_cmd *cmd) {
    struct entry e;
    fill_entry(&e, cmd);
    lazy.n_commands += cmd->type != HAL_CMD_BARRIER;
    lazy.n_barriers += cmd->type == HAL_CMD_BARRIER;
    return push(stream, &e);
}

#define COMMAND(name, NAME)                                                               \
    static greta_status cmd_##name(struct hal_dev *dev, struct hal_stream *stream,        \
                                   const struct hal_##name *cmd) {                        \
        (void)dev;                                                                        \
        return push_cmd(stream, &(struct hal_cmd){.type = HAL_CMD_##NAME, .name = *cmd}); \
    }
COMMAND(dispatch, DISPATCH)
COMMAND(copy, COPY)
COMMAND(fill, FILL)
COMMAND(update, UPDATE)

static greta_status cmd_barrier(struct hal_dev *dev, struct hal_stream *stream) {
    (void)dev;
    return push_cmd(stream, &(struct hal_cmd){.type = HAL_CMD_BARRIER});
}

static greta_status graph_build(struct hal_dev *dev, const struct hal_cmd *cmds, uint32_t n,
                                struct hal_graph **out) {
    (void)dev;
    struct lazy_graph *g = handle_create(sizeof *g + n * sizeof *g->entries);
    *out = g ? &g->hal : NULL;
    if (!g) return GRETA_ERR_NO_MEMORY;
    g->n = n;
    for (uint32_t i = 0; i < n; i++) {
        fill_entry(&g->entries[i], &cmds[i]);
        g->entries[i].graph = g;
    }
    return GRETA_OK;
}

static greta_status graph_launch(struct hal_dev *dev, struct hal_stream *stream, struct hal_graph *graph) {
    struct lazy_graph *g = (struct lazy_graph *)graph;
    greta_status status = cmd_barrier(dev, stream);
    lazy.n_launches++;
    for (size_t i = 0; i < g->n && status == GRETA_OK; i++) status = push(stream, &g->entries[i]);
    return status;
}

static void graph_destroy(struct hal_dev *dev, struct hal_graph *graph) {
    check_unused(dev_of(dev), graph, "graph");
    free(graph);
}

static void dev_close(struct hal_dev *dev) {
    struct lazy_dev *d = dev_of(dev);
    d->inner->ops->stream_destroy(d->inner, d->inner_stream);
    d->inner->ops->dev_close(d->inner);
    free(d);
}

static const struct greta_dev_ops table = {
    .dev_close = dev_close,
    .dev_mem_info = dev_mem_info,
    .dev_wait_idle = dev_wait_idle,
    .buf_create = buf_create,
    .buf_destroy = buf_destroy,
    .stream_create = stream_create,
    .stream_destroy = stream_destroy,
    .stream_flush = stream_flush,
    .event_create = event_create,
    .event_destroy = event_destroy,
    .event_record = event_record,
    .event_wait = event_wait,
    .stream_wait_event = stream_wait_event,
    .module_load = module_load,
    .module_unload = module_unload,
    .kernel_get = kernel_get,
    .cmd_dispatch = cmd_dispatch,
    .cmd_copy = cmd_copy,
    .cmd_fill = cmd_fill,
    .cmd_update = cmd_update,
    .cmd_barrier = cmd_barrier,
    .graph_build = graph_build,
    .graph_launch = graph_launch,
    .graph_destroy = graph_destroy,
};

/* ---- the backend ------------------------------------------------------------------------------------------------ */

static greta_status open_instance(const struct hal_open_params *params, void **out) {
    struct instance *in = calloc(1, sizeof *in);
    struct hal_open_params one = *params;
    one.n_threads = 1;
    *out = in;
    if (!in) return GRETA_ERR_NO_MEMORY;
    in->log = params->log;
    return cpu_backend.open(&one, &in->inner);
}

static void close_instance(void *instance) {
    struct instance *in = instance;
    if (in->inner) cpu_backend.close(in->inner);
    free(in);
}

static void rename_device(struct greta_dev_info *info) {
    snprintf(info->backend, sizeof info->backend, "lazy");
    snprintf(info->name, sizeof info->name, "lazy device");
}

static greta_status list(void *instance, struct greta_dev_info *infos, uint32_t capacity, uint32_t *n) {
    greta_status status = cpu_backend.list(((struct instance *)instance)->inner, infos, capacity, n);
    if (status == GRETA_OK && capacity) rename_device(infos);
    return status;
}

static greta_status dev_open(void *instance, uint32_t i_device, struct hal_dev **out) {
    struct instance *in = instance;
    struct lazy_dev *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d) return GRETA_ERR_NO_MEMORY;
    greta_status status = cpu_backend.dev_open(in->inner, i_device, &d->inner);
    if (status == GRETA_OK) status = d->inner->ops->stream_create(d->inner, &d->inner_stream);
    if (status != GRETA_OK) {
        if (d->inner) d->inner->ops->dev_close(d->inner);
        free(d);
        return status;
    }
    d->ops = table;
    if (lazy.no_graphs) d->ops.graph_build = NULL, d->ops.graph_launch = NULL, d->ops.graph_destroy = NULL;
    d->hal = *d->inner;
    d->hal.ops = &d->ops;
    d->random = lazy.seed;
    rename_device(&d->hal.info);
    d->hal.limits.unified = d->hal.limits.host_visible_vram = d->hal.limits.is_cpu = false;
    if (lazy.max_buf_bytes) d->hal.limits.max_buf_bytes = lazy.max_buf_bytes;
    *out = &d->hal;
    return GRETA_OK;
}

const struct greta_backend lazy_backend = {
    .name = "lazy",
    .image_format = GRETA_IMAGE_AMDGPU,
    .open = open_instance,
    .list = list,
    .dev_open = dev_open,
    .close = close_instance,
};
