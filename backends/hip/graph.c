/*
 * Graphs: each segment of a list is recorded into a stream that is being captured, and becomes a graph of its own. A launch hands
 * them to the caller's stream one after another: whatever is in the stream before is finished first, so that a graph begins with
 * the full barrier that it must begin with.
 */
#include "hip.h"

#include <stdlib.h>

static greta_status record(struct hal_dev *dev, struct hal_stream *stream, const struct hal_cmd *cmd) {
    switch (cmd->type) {
    case HAL_CMD_DISPATCH: return hip_cmd_dispatch(dev, stream, &cmd->dispatch);
    case HAL_CMD_COPY: return hip_cmd_copy(dev, stream, &cmd->copy);
    case HAL_CMD_FILL: return hip_cmd_fill(dev, stream, &cmd->fill);
    case HAL_CMD_UPDATE: return hip_cmd_update(dev, stream, &cmd->update);
    case HAL_CMD_STAMP: return hip_cmd_stamp(dev, stream, &cmd->stamp);
    case HAL_CMD_BARRIER:
    case HAL_CMD_SPLIT: break;
    }
    return GRETA_OK;
}

/* Captures cmds[0..n). The capture is ended also where a command fails: the stream is used again. */
static greta_status capture(struct hip_device *dev, struct hal_stream *stream, const struct hal_cmd *cmds,
                            uint32_t n, hipGraphExec_t *out) {
    hipStream_t handle = ((struct hip_stream *)stream)->handle;
    hipGraph_t graph = NULL;
    greta_status status = HIP(dev, StreamBeginCapture, (handle, hipStreamCaptureModeThreadLocal),
                              "beginning to record a graph");
    if (status != GRETA_OK) return status;
    for (uint32_t i = 0; i < n && status == GRETA_OK; i++) status = record(&dev->base, stream, &cmds[i]);
    hipError_t ended = dev->fn->StreamEndCapture(handle, &graph);
    if (status == GRETA_OK) status = hip_check(dev, ended, "hipStreamEndCapture", "recording a graph");
    if (status == GRETA_OK)
        status = HIP(dev, GraphInstantiate, (out, graph, NULL, NULL, 0), "building a graph");
    if (ended == hipSuccess && graph) (void)dev->fn->GraphDestroy(graph);
    return status;
}

static bool does_work(const struct hal_cmd *cmd) {
    return cmd->type != HAL_CMD_BARRIER && cmd->type != HAL_CMD_SPLIT;
}

/* Segments without a command that does something are left out. */
static greta_status capture_all(struct hip_device *dev, struct hal_stream *stream, const struct hal_cmd *cmds,
                                uint32_t n_cmds, struct hip_graph *g) {
    greta_status status = GRETA_OK;
    for (uint32_t first = 0, end; first < n_cmds && status == GRETA_OK; first = end + 1) {
        bool work = false;
        for (end = first; end < n_cmds && cmds[end].type != HAL_CMD_SPLIT; end++)
            work |= does_work(&cmds[end]);
        if (!work) continue;
        status = capture(dev, stream, cmds + first, end - first, &g->segments[g->n_segments]);
        if (status == GRETA_OK) g->n_segments++;
    }
    return status;
}

greta_status hip_graph_build(struct hal_dev *base, const struct hal_cmd *cmds, uint32_t n_cmds,
                             struct hal_graph **out) {
    struct hip_device *dev = hip_device(base);
    struct hal_stream *stream = NULL;
    uint32_t n = 1;
    *out = NULL;
    for (uint32_t i = 0; i < n_cmds; i++) n += cmds[i].type == HAL_CMD_SPLIT;
    struct hip_graph *g = calloc(1, sizeof *g + n * sizeof *g->segments);
    if (!g) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    greta_status status = hip_stream_create(base, &stream);
    if (status == GRETA_OK) status = capture_all(dev, stream, cmds, n_cmds, g);
    hip_stream_destroy(base, stream);
    if (status != GRETA_OK) {
        hip_graph_destroy(base, &g->base);
        return status;
    }
    *out = &g->base;
    return GRETA_OK;
}

greta_status hip_graph_launch(struct hal_dev *base, struct hal_stream *stream, struct hal_graph *graph) {
    struct hip_device *dev = hip_device(base);
    const struct hip_graph *g = (const struct hip_graph *)graph;
    greta_status status = hip_enter(dev);
    for (uint32_t i = 0; i < g->n_segments && status == GRETA_OK; i++)
        status = HIP(dev, GraphLaunch, (g->segments[i], ((struct hip_stream *)stream)->handle),
                     "launching a graph");
    return status;
}

void hip_graph_destroy(struct hal_dev *base, struct hal_graph *hal) {
    struct hip_device *dev = hip_device(base);
    struct hip_graph *g = (struct hip_graph *)hal;
    if (!g) return;
    (void)dev->fn->SetDevice(dev->board->ordinal);
    for (uint32_t i = 0; i < g->n_segments; i++) (void)dev->fn->GraphExecDestroy(g->segments[i]);
    free(g);
}
