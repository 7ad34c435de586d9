#include "internal.h"

#include <stdlib.h>

greta_status greta_graph_begin(struct greta_stream *s) {
    greta_status status = rt_stream_check(s, "graph", false);
    if (status != GRETA_OK) return status;
    s->recording = calloc(1, sizeof *s->recording);
    if (!s->recording) return greta_fail(s->dev->log, GRETA_ERR_NO_MEMORY, "graph: out of memory");
    rt_tell(s->dev, &(struct greta_record){.type = GRETA_RECORD_GRAPH_BEGIN, .stream = s});
    return GRETA_OK;
}

greta_status greta_graph_split(struct greta_stream *s) {
    greta_status status = rt_stream_check(s, "graph split", true);
    if (status != GRETA_OK) return status;
    if (!s->recording)
        return greta_fail(s->dev->log, GRETA_ERR_INVALID, "graph split: no graph is being recorded");
    return rt_recording_add(s, &(struct hal_cmd){.type = HAL_CMD_SPLIT});
}

static void release(struct greta_dev *dev, struct rt_retire *retire) {
    struct greta_graph *g = (struct greta_graph *)retire;
    if (g->hal) dev->hal->ops->graph_destroy(dev->hal, g->hal);
    if (g->bare) dev->hal->ops->graph_destroy(dev->hal, g->bare);
    rt_recording_free(&g->replay);
    free(g);
}

/* The list without its timestamps, in place: the order of the rest stays. */
static void drop_stamps(struct rt_recording *r) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_cmds; i++)
        if (r->cmds[i].type != HAL_CMD_STAMP) r->cmds[n++] = r->cmds[i];
    r->n_cmds = n;
}

/* The graph and, where a sink may choose between them, the one without timestamps. */
static greta_status build_hal(struct greta_dev *dev, struct rt_recording *r, struct greta_graph *g) {
    struct hal_dev *hal = dev->hal;
    greta_status status = rt_dev_note(dev, hal->ops->graph_build(hal, r->cmds, r->n_cmds, &g->hal));
    if (status != GRETA_OK || !r->has_stamps || !dev->telemetry || !dev->telemetry->before) return status;
    drop_stamps(r);
    status = rt_dev_note(dev, hal->ops->graph_build(hal, r->cmds, r->n_cmds, &g->bare));
    if (status != GRETA_OK) hal->ops->graph_destroy(hal, g->hal);
    return status;
}

static greta_status build(struct greta_dev *dev, struct rt_recording **recording, struct greta_graph **out) {
    struct rt_recording *r = *recording;
    struct greta_graph *g = calloc(1, sizeof *g);
    if (!g) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "graph: out of memory");
    *g = (struct greta_graph){.retire.release = release, .dev = dev, .hazard = r->hazard};
    if (dev->hal->ops->graph_build) {
        greta_status status = build_hal(dev, r, g);
        if (status != GRETA_OK) {
            free(g);
            return status;
        }
    } else {
        g->replay = r;
        *recording = NULL;
    }
    atomic_fetch_add(&dev->refs, 1);
    *out = g;
    return GRETA_OK;
}

static uint32_t n_stamps(const struct rt_recording *r) {
    uint32_t n = 0;
    for (uint32_t i = 0; r->has_stamps && i < r->n_cmds; i++) n += r->cmds[i].type == HAL_CMD_STAMP;
    return n;
}

greta_status greta_graph_end(struct greta_stream *s, struct greta_graph **out) {
    if (out) *out = NULL;
    if (!s || !out) return GRETA_ERR_INVALID;
    struct rt_recording *r = s->recording;
    s->recording = NULL;
    uint64_t start = rt_record_start(s->dev);
    greta_status status = GRETA_OK;
    if (rt_dev_is_lost(s->dev))
        status = GRETA_ERR_DEVICE_LOST;
    else if (!r)
        status = greta_fail(s->dev->log, GRETA_ERR_INVALID, "graph end: no graph is being recorded");
    else if (r->failed != GRETA_OK)
        status = r->failed;
    uint32_t n = r ? r->n_cmds - n_stamps(r) : 0;
    if (status == GRETA_OK) status = build(s->dev, &r, out);
    if (status == GRETA_OK)
        rt_tell(s->dev, &(struct greta_record){.type = GRETA_RECORD_GRAPH_BUILD,
                                               .bytes = n * sizeof(struct hal_cmd),
                                               .start_ns = start,
                                               .n_commands = n,
                                               .stream = s,
                                               .graph = *out});
    rt_recording_free(&r);
    return status;
}

void greta_graph_destroy(struct greta_graph **graph) {
    struct greta_graph *g = graph ? *graph : NULL;
    if (!g) return;
    *graph = NULL;
    rt_retire(g->dev, &g->retire);
}

/* ---- launch ----------------------------------------------------------------------------------------------------- */

static greta_status replay_one(struct hal_dev *hal, struct hal_stream *stream, const struct hal_cmd *cmd) {
    const struct greta_dev_ops *ops = hal->ops;
    switch (cmd->type) {
    case HAL_CMD_DISPATCH: return ops->cmd_dispatch(hal, stream, &cmd->dispatch);
    case HAL_CMD_COPY: return ops->cmd_copy(hal, stream, &cmd->copy);
    case HAL_CMD_FILL: return ops->cmd_fill(hal, stream, &cmd->fill);
    case HAL_CMD_UPDATE: return ops->cmd_update(hal, stream, &cmd->update);
    case HAL_CMD_BARRIER: return ops->cmd_barrier(hal, stream);
    case HAL_CMD_SPLIT: return ops->stream_flush ? ops->stream_flush(hal, stream) : GRETA_OK;
    case HAL_CMD_STAMP: return ops->cmd_stamp(hal, stream, &cmd->stamp);
    }
    return GRETA_ERR_INTERNAL;
}

static greta_status replay(struct greta_stream *s, const struct rt_recording *r, bool stamps) {
    struct hal_dev *hal = s->dev->hal;
    greta_status status = hal->ops->cmd_barrier(hal, s->hal);
    for (uint32_t i = 0; status == GRETA_OK && i < r->n_cmds; i++)
        if (stamps || r->cmds[i].type != HAL_CMD_STAMP) status = replay_one(hal, s->hal, &r->cmds[i]);
    return status;
}

greta_status greta_graph_launch(struct greta_stream *s, struct greta_graph *g) {
    greta_status status = rt_stream_check(s, "graph launch", false);
    if (status != GRETA_OK) return status;
    if (!g || g->dev != s->dev)
        return greta_fail(s->dev->log, GRETA_ERR_INVALID, "graph launch: %s",
                          g ? "the graph is another device's" : "no graph given");
    struct greta_dev *dev = s->dev;
    struct greta_record r = {.type = GRETA_RECORD_GRAPH_LAUNCH, .stream = s, .graph = g};
    bool stamps = rt_before(dev, &r);
    struct hal_graph *hal = g->bare && !stamps ? g->bare : g->hal;
    r.start_ns = rt_record_start(dev);
    rt_stream_touch(s);
    status = rt_dev_note(dev, hal ? dev->hal->ops->graph_launch(dev->hal, s->hal, hal)
                                  : replay(s, g->replay, stamps));
    if (status == GRETA_OK) {
        s->hazard = g->hazard; /* the graph began with a full barrier: what was before is behind it */
        rt_tell(dev, &r);
        return GRETA_OK;
    }
    /* Some of it may have run: whatever comes next stands behind a barrier. */
    rt_hazard_add(&s->hazard, &(struct rt_access){{0, UINT64_MAX}, GRETA_READ_WRITE}, 1);
    return status;
}
