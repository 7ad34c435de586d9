/*
 * The device's side: timestamps among the commands of a stream, in a ring that is read at each wait, and those of graphs. A submit
 * is the time from its first timestamp to its last; a kernel's time is from the end of the command before it to its own.
 */
#include "internal.h"

#include "clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- aligning ---- */

enum { ALIGN_TRIES = 4, ALIGN_EVERY_NS = 1000000000, ALIGN_STAMPS = 65 };

/* Places [0, n) in one submit; what the host's clock said before and after. */
static greta_status stamp_row(struct prof *p, uint32_t n, uint64_t ticks[], double *from_ns, double *to_ns) {
    greta_status status = GRETA_OK;
    *from_ns = (double)(clock_ns() - p->start_ns);
    for (uint32_t i = 0; i < n && status == GRETA_OK; i++)
        status = greta_stream_stamp(p->stream, p->align_stamps, i);
    if (status == GRETA_OK) status = greta_stream_wait(p->stream);
    *to_ns = (double)(clock_ns() - p->start_ns);
    return status == GRETA_OK ? greta_stamps_read(p->align_stamps, 0, n, ticks) : status;
}

static void tell_alignment(struct prof *p, uint64_t ticks, double host_ns, double uncertainty, double moved) {
    char text[512];
    int len = snprintf(
        text, sizeof text,
        "{\"ph\":\"i\",\"s\":\"p\",\"pid\":%d,\"tid\":0,\"ts\":%.3f,\"name\":\"clocks aligned\",\"args\":{"
        "\"ticks\":%" PRIu64 ",\"host_ns\":%.0f,\"uncertainty_ns\":%.0f,\"moved_ns\":%.0f}}",
        PROF_DEVICE_PID, host_ns / 1000, ticks, host_ns, uncertainty, moved);
    if (p->timeline.fd >= 0) prof_event(p, text, len);
}

/* The shortest of a few round trips: the timestamp lies somewhere in it, so its middle is wrong by half of it at most. */
void device_align(struct prof *p, bool now) {
    uint64_t best_ticks = 0;
    double best = 1e18, host_ns = 0;
    if (!p->stream || (!now && clock_ns() - p->aligned_ns < ALIGN_EVERY_NS)) return;
    for (int i = 0; i < ALIGN_TRIES; i++) {
        uint64_t ticks;
        double from, to;
        if (stamp_row(p, 1, &ticks, &from, &to) != GRETA_OK) return;
        if (!ticks || to - from >= best) continue;
        best = to - from;
        best_ticks = ticks;
        host_ns = (from + to) / 2;
    }
    p->aligned_ns = clock_ns();
    if (!best_ticks) return;
    double moved = align_add(&p->align, best_ticks, host_ns, best / 2);
    tell_alignment(p, best_ticks, host_ns, best / 2, moved);
}

/* What a timestamp takes where nothing is between two: the least that one costs. */
static void measure_stamp(struct prof *p) {
    uint64_t ticks[ALIGN_STAMPS];
    double from, to;
    if (stamp_row(p, ALIGN_STAMPS, ticks, &from, &to) != GRETA_OK || !ticks[0] || !ticks[ALIGN_STAMPS - 1])
        return;
    uint64_t first = align_unwrap(&p->align, ticks[0], from),
             last = align_unwrap(&p->align, ticks[ALIGN_STAMPS - 1], to);
    p->stamp_ns = (double)(last - first) * p->align.period_ns / (ALIGN_STAMPS - 1);
}

static void open_clock(struct prof *p) {
    const struct greta_limits *l = greta_dev_get_limits(p->dev);
    struct greta_stamps *stamps = NULL;
    struct greta_stream *stream = NULL;
    greta_status status = greta_stamps_create(p->dev, ALIGN_STAMPS, &stamps);
    if (status == GRETA_OK) status = greta_stream_create(p->dev, &stream);
    if (status != GRETA_OK) {
        greta_stamps_destroy(&stamps);
        greta_logf(p->log, GRETA_LOG_WARN,
                   "profile: %s has no timestamps that commands can take: times are the host's",
                   greta_dev_get_info(p->dev)->name);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->stream = stream;
    p->align_stamps = stamps;
    p->stamps = true;
    align_init(&p->align, l->timestamp_period_ns, l->timestamp_bits);
    device_align(p, true);
    p->stamps = p->align.n_pairs > 0;
    if (p->stamps && p->kernels_path) measure_stamp(p);
    pthread_mutex_unlock(&p->lock);
}

/* ---- lanes ---- */

static struct lane *lane_of(struct prof *p, struct greta_stream *stream) {
    for (struct lane *l = p->lanes; l; l = l->next)
        if (l->stream == stream) return l;
    struct lane *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->stream = stream;
    l->tid = ++p->n_lanes;
    l->ring = p->stamps ? calloc(PROF_PLACES, sizeof *l->ring) : NULL;
    if (l->ring && greta_stamps_create(p->dev, PROF_PLACES, &l->stamps) != GRETA_OK) {
        free(l->ring);
        l->ring = NULL;
    }
    l->next = p->lanes;
    p->lanes = l;
    return l;
}

static void name_lane(struct prof *p, struct lane *l) {
    char name[64];
    if (l->named) return;
    l->named = true;
    snprintf(name, sizeof name, "stream %u%s", l->tid, l->ring ? "" : " (times of the host)");
    prof_meta(p, PROF_DEVICE_PID, l->tid, "thread_name", name);
}

/* Where the ring is full and nothing has come to pass, what lies here is not known, and that is counted. */
static struct entry *stamp(struct prof *p, struct lane *l, enum entry_kind kind) {
    if (!l->ring) return NULL;
    if (l->head - l->tail == PROF_PLACES) device_drain(p, l);
    if (l->head - l->tail == PROF_PLACES ||
        greta_stream_stamp(l->stream, l->stamps, l->head % PROF_PLACES) != GRETA_OK) {
        l->lost = true;
        p->n_lost++;
        return NULL;
    }
    struct entry *e = &l->ring[l->head++ % PROF_PLACES];
    *e = (struct entry){.kind = kind, .lost_before = l->lost, .host_ns = clock_ns() - p->start_ns};
    l->lost = false;
    p->n_stamps++;
    return e;
}

/* ---- reading ---- */

/* Neighbours on a track do not overlap, also where the line through the clocks has moved. */
static void show(struct prof *p, struct lane *l, const char *name, const char *category, double from,
                 double to, const char *args) {
    if (p->timeline.fd < 0) return;
    name_lane(p, l);
    if (from < l->shown_ns) from = l->shown_ns;
    prof_slice(p, PROF_DEVICE_PID, l->tid, name, category, from, to > from ? to : from, args);
}

static void show_kernel(struct prof *p, struct lane *l, const struct kernel *k, const uint32_t groups[3],
                        double from, double to) {
    char args[512];
    if (!k || p->timeline.fd < 0) return;
    snprintf(args, sizeof args, "\"row\":\"%s\",\"shape\":\"%s\",\"groups\":[%u,%u,%u]",
             k->key.row ? k->key.row : "", k->shape, groups[0], groups[1], groups[2]);
    show(p, l, k->key.op, "kernel", from, to, args);
}

static void show_submit(struct prof *p, struct lane *l, const struct summary *s, double from, double to) {
    const char *name = *s->name ? s->name : s->n_launches || s->n_dispatches ? "kernels" : "copies";
    char args[256];
    struct line text = {args, args + sizeof args - 1};
    line_text(&text, "\"dispatches\":");
    line_number(&text, s->n_dispatches);
    line_text(&text, ",\"launches\":");
    line_number(&text, s->n_launches);
    line_text(&text, ",\"copies\":");
    line_number(&text, s->n_transfers);
    line_text(&text, ",\"bytes\":");
    line_number(&text, s->bytes);
    if (s->i_graph) line_text(&text, ",\"graph\":");
    if (s->i_graph) line_number(&text, s->i_graph);
    *text.at = 0;
    show(p, l, name, "submit", from, to, args);
    l->shown_ns = to;
    p->device_ns += to - from;
}

/* The timestamps inside a graph, of the launch that ended at `end`. */
static void read_graph(struct prof *p, struct lane *l, struct graph *g, double near_ns) {
    uint64_t ticks[PROF_BLOCK];
    double before = l->last_ns;
    for (uint32_t b = 0, place = 0; b < g->n_blocks; b++) {
        uint32_t n = g->n_items + 1 - place < PROF_BLOCK ? g->n_items + 1 - place : PROF_BLOCK;
        if (greta_stamps_read(g->blocks[b], 0, n, ticks) != GRETA_OK) return;
        for (uint32_t i = 0; i < n; i++, place++) {
            if (!ticks[i]) return;
            double at = align_host(&p->align, align_unwrap(&p->align, ticks[i], near_ns));
            if (at < before) at = before;
            const struct graph_item *item = place ? &g->items[place - 1] : NULL;
            if (item && item->kernel) {
                samples_add(&item->kernel->times_ns, at - before);
                show_kernel(p, l, item->kernel, item->groups, before, at);
            }
            before = at;
        }
    }
}

/* A launch; its first one is left out of the comparison: it finds no caches. */
static void finish_launch(struct prof *p, struct lane *l, const struct entry *e, double at) {
    struct graph *g = e->graph;
    if (!g) return;
    if (e->seq) {
        read_graph(p, l, g, at);
        g->pending = false;
    }
    if (!l->last_known || g->n_launches < 2) return;
    samples_add(e->seq ? &g->stamped_ns : &g->bare_ns, at - l->last_ns);
}

static void finish(struct prof *p, struct lane *l, const struct entry *e, uint64_t ticks) {
    double at = align_host(&p->align, align_unwrap(&p->align, ticks, (double)e->host_ns));
    if (at < l->last_ns) at = l->last_ns; /* the line has moved */
    if (e->lost_before) l->last_known = false;
    switch (e->kind) {
    case ENTRY_BEGIN: l->begin_ns = at; break;
    case ENTRY_KERNEL:
        if (!l->last_known) break;
        if (p->kernels_path && e->kernel) samples_add(&e->kernel->times_ns, at - l->last_ns);
        show_kernel(p, l, e->kernel, e->groups, l->last_ns, at);
        break;
    case ENTRY_OTHER: break;
    case ENTRY_LAUNCH: finish_launch(p, l, e, at); break;
    case ENTRY_END:
        if (l->begin_ns > 0) show_submit(p, l, &e->summary, l->begin_ns, at);
        l->begin_ns = 0;
        break;
    }
    /* A submit's first kernel begins a nanosecond after it: of two that begin together, readers take the one that is written first
     * as the outer, and a submit is written after its kernels. */
    l->last_ns = at + (e->kind == ENTRY_BEGIN);
    l->last_known = true;
}

void device_drain(struct prof *p, struct lane *l) {
    enum { STEP = 64 };
    uint64_t ticks[STEP];
    while (l->ring && l->tail != l->head) {
        uint32_t first = l->tail % PROF_PLACES, n = l->head - l->tail;
        if (n > STEP) n = STEP;
        if (n > PROF_PLACES - first) n = PROF_PLACES - first;
        if (greta_stamps_read(l->stamps, first, n, ticks) != GRETA_OK) return;
        for (uint32_t i = 0; i < n; i++) {
            if (!ticks[i]) return;
            finish(p, l, &l->ring[l->tail++ % PROF_PLACES], ticks[i]);
        }
    }
}

/* ---- graphs ---- */

static void graph_free(struct graph *g) {
    if (!g) return;
    for (uint32_t i = 0; i < g->n_blocks; i++) greta_stamps_destroy(&g->blocks[i]);
    free(g->blocks);
    free(g->items);
    free(g);
}

static struct graph *graph_find(struct prof *p, const void *id) {
    for (struct graph *g = p->graphs; g; g = g->next)
        if (g->id == id) return g;
    return NULL;
}

static bool add_item(struct graph *g, const struct graph_item *item) {
    if (g->n_items == g->capacity) {
        uint32_t n = g->capacity ? 2 * g->capacity : 128;
        struct graph_item *grown = realloc(g->items, n * sizeof *grown);
        if (!grown) return false;
        g->items = grown;
        g->capacity = n;
    }
    g->items[g->n_items++] = *item;
    return true;
}

/* A timestamp at `place` of the graph that is being recorded. */
static bool graph_stamp(struct prof *p, struct lane *l, struct graph *g, uint32_t place) {
    if (place / PROF_BLOCK == g->n_blocks) {
        struct greta_stamps **grown = realloc(g->blocks, (g->n_blocks + 1) * sizeof(struct greta_stamps *));
        if (!grown) return false;
        g->blocks = grown;
        if (greta_stamps_create(p->dev, PROF_BLOCK, &g->blocks[g->n_blocks]) != GRETA_OK) return false;
        g->n_blocks++;
    }
    return greta_stream_stamp(l->stream, g->blocks[place / PROF_BLOCK], place % PROF_BLOCK) == GRETA_OK;
}

static bool times_kernels(const struct prof *p, const struct lane *l) {
    return p->kernels_path && l->ring;
}

static void graph_begin(struct prof *p, struct lane *l) {
    graph_free(l->recording);
    l->recording = calloc(1, sizeof *l->recording);
    if (l->recording) l->recording->phase = prof_phase(p);
}

static void recorded_before(struct prof *p, struct lane *l) {
    struct graph *g = l->recording;
    if (g && !g->n_items && !g->n_blocks && times_kernels(p, l) && !graph_stamp(p, l, g, 0)) g->broken = true;
}

static void recorded_after(struct prof *p, struct lane *l, const struct greta_record *r) {
    struct graph *g = l->recording;
    struct graph_item item = {.groups = {r->groups[0], r->groups[1], r->groups[2]}};
    if (!g || g->broken) return;
    if (r->type == GRETA_RECORD_DISPATCH) item.kernel = kernels_get(&p->kernels, prof_phase(p), r);
    g->n_dispatches += r->type == GRETA_RECORD_DISPATCH;
    if (!add_item(g, &item) || (times_kernels(p, l) && !graph_stamp(p, l, g, g->n_items))) g->broken = true;
}

static void graph_built(struct prof *p, struct lane *l, const struct greta_record *r) {
    struct graph *g = l->recording, *old = graph_find(p, r->graph);
    l->recording = NULL;
    if (old) { /* another graph, destroyed since, had this address */
        struct graph **at = &p->graphs;
        while (*at != old) at = &(*at)->next;
        *at = old->next;
        graph_free(old);
    }
    if (!g) return;
    g->id = r->graph;
    g->number = ++p->n_graphs;
    g->n_commands = r->n_commands;
    g->next = p->graphs;
    p->graphs = g;
}

/* Every second launch takes the timestamps in it; the others show what they cost. */
static bool chooses_stamps(const struct prof *p, const struct lane *l, const struct graph *g) {
    return g && times_kernels(p, l) && !g->broken && !g->pending && g->n_launches % 2 == 1 && !l->lost;
}

static void launched(struct prof *p, struct lane *l, const struct greta_record *r) {
    struct graph *g = graph_find(p, r->graph);
    struct entry *e = times_kernels(p, l) ? stamp(p, l, ENTRY_LAUNCH) : NULL;
    l->summary.n_launches++;
    if (!g) return;
    g->n_launches++;
    l->summary.i_graph = g->number;
    l->summary.n_dispatches += g->n_dispatches;
    for (uint32_t i = 0; i < g->n_items && p->kernels_path; i++)
        if (g->items[i].kernel) kernel_called(g->items[i].kernel, g->items[i].groups, p->pos);
    if (e) e->graph = g;
    if (l->launch_stamped && e) {
        e->seq = ++g->seq;
        g->pending = true;
        p->n_stamps += g->n_items + 1;
    }
    l->launch_stamped = false;
}

/* ---- what is told ---- */

static void open_submit(struct prof *p, struct lane *l) {
    l->open = true;
    l->summary = (struct summary){0};
    l->begin_host_ns = clock_ns() - p->start_ns;
    snprintf(l->summary.name, sizeof l->summary.name, "%s", prof_phase_name(p));
    (void)stamp(p, l, ENTRY_BEGIN);
}

static void close_submit(struct prof *p, struct lane *l) {
    struct entry *e = stamp(p, l, ENTRY_END);
    if (e) e->summary = l->summary;
    l->open = false;
}

void device_before(struct prof *p, const struct greta_record *r, bool *launch_stamps) {
    struct lane *l = p->emulated ? NULL : lane_of(p, r->stream);
    if (!l) return;
    if (r->recorded) {
        recorded_before(p, l);
    } else if (r->type == GRETA_RECORD_FLUSH) {
        if (l->open && l->ring) close_submit(p, l);
    } else if (!l->open) {
        open_submit(p, l);
    }
    if (r->type != GRETA_RECORD_GRAPH_LAUNCH) return;
    *launch_stamps = l->launch_stamped = chooses_stamps(p, l, graph_find(p, r->graph));
}

/* Without timestamps a submit is what the host saw of it: from its first command to the end of the wait. */
static void waited(struct prof *p, struct lane *l, const struct greta_record *r) {
    if (l->ring) {
        device_drain(p, l);
    } else if (l->open) {
        show_submit(p, l, &l->summary, (double)l->begin_host_ns, (double)(r->end_ns - p->start_ns));
        l->open = false;
    }
}

static void command_after(struct prof *p, struct lane *l, const struct greta_record *r) {
    bool kernel = r->type == GRETA_RECORD_DISPATCH;
    if (kernel)
        l->summary.n_dispatches++;
    else
        l->summary.n_transfers++, l->summary.bytes += r->bytes;
    struct entry *e = times_kernels(p, l) ? stamp(p, l, kernel ? ENTRY_KERNEL : ENTRY_OTHER) : NULL;
    if (!e || !kernel) return;
    e->kernel = kernels_get(&p->kernels, prof_phase(p), r);
    memcpy(e->groups, r->groups, sizeof e->groups);
}

/* An emulated device: graphs are followed for their counts. */
static struct lane *lane_for(struct prof *p, const struct greta_record *r) {
    return r->stream ? lane_of(p, r->stream) : NULL;
}

void device_after(struct prof *p, const struct greta_record *r) {
    struct lane *l = lane_for(p, r);
    if (r->type == GRETA_RECORD_WAIT && !r->stream)
        for (struct lane *each = p->lanes; each; each = each->next) waited(p, each, r);
    if (!l) return;
    switch (r->type) {
    case GRETA_RECORD_GRAPH_BEGIN: graph_begin(p, l); break;
    case GRETA_RECORD_GRAPH_BUILD: graph_built(p, l, r); break;
    case GRETA_RECORD_GRAPH_LAUNCH: launched(p, l, r); break;
    case GRETA_RECORD_WAIT:
        waited(p, l, r);
        if (p->stamps) device_align(p, false);
        break;
    case GRETA_RECORD_DISPATCH:
    case GRETA_RECORD_COPY:
    case GRETA_RECORD_FILL:
    case GRETA_RECORD_UPDATE:
        if (r->recorded)
            recorded_after(p, l, r);
        else
            command_after(p, l, r);
        break;
    default: break;
    }
}

/* ---- a device ---- */

void prof_attach(struct prof *p, struct greta_dev *dev) {
    if (!p) return;
    const struct greta_dev_info *info = greta_dev_get_info(dev);
    pthread_mutex_lock(&p->lock);
    p->dev = dev;
    p->emulated = greta_dev_get_limits(dev)->is_emulated;
    snprintf(p->device, sizeof p->device, "%s (%s)", info->name, info->backend);
    for (uint32_t i = 0; i < p->n_phases && p->emulated; i++)
        p->phases[i].start_ns = i; /* one within the other */
    prof_meta(p, PROF_DEVICE_PID, 0, "process_name", p->device);
    pthread_mutex_unlock(&p->lock);
    if (!p->emulated) open_clock(p);
}

void device_free(struct prof *p) {
    for (struct lane *l = p->lanes, *next; l; l = next) {
        next = l->next;
        greta_stamps_destroy(&l->stamps);
        graph_free(l->recording);
        free(l->ring);
        free(l);
    }
    for (struct graph *g = p->graphs, *next; g; g = next) {
        next = g->next;
        graph_free(g);
    }
    p->lanes = NULL;
    p->graphs = NULL;
    greta_stamps_destroy(&p->align_stamps);
    greta_stream_destroy(&p->stream);
}

void prof_detach(struct prof *p) {
    if (!p || !p->dev) return;
    pthread_mutex_lock(&p->lock);
    for (struct lane *l = p->lanes; l; l = l->next) device_drain(p, l);
    device_align(p, true);
    if (!prof_report(p)) p->report_failed = true;
    device_free(p);
    p->dev = NULL;
    pthread_mutex_unlock(&p->lock);
}
