/* The commands of a graph while it is recorded, with copies of what they point at. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

void rt_recording_free(struct rt_recording **recording) {
    struct rt_recording *r = *recording;
    *recording = NULL;
    if (!r) return;
    arena_free(&r->arena);
    free(r->cmds);
    free(r);
}

/* The arena's copy of what a command points at. */
static bool keep(struct arena *a, const void **p, size_t bytes) {
    if (!bytes) return true;
    void *copy = arena_alloc(a, bytes);
    if (copy) memcpy(copy, *p, bytes);
    *p = copy;
    return copy != NULL;
}

static bool keep_args(struct arena *a, struct hal_cmd *cmd) {
    const void *bindings = cmd->dispatch.bindings;
    switch (cmd->type) {
    case HAL_CMD_DISPATCH:
        if (!keep(a, &bindings, cmd->dispatch.n_bindings * sizeof *cmd->dispatch.bindings)) return false;
        cmd->dispatch.bindings = bindings;
        return keep(a, &cmd->dispatch.constants, cmd->dispatch.constants_bytes);
    case HAL_CMD_UPDATE: return keep(a, &cmd->update.data, cmd->update.size_bytes);
    default: return true;
    }
}

static bool make_place(struct rt_recording *r) {
    if (r->n_cmds < r->n_places) return true;
    uint32_t n = r->n_places ? r->n_places * 2 : 64;
    struct hal_cmd *cmds = n > r->n_places ? realloc(r->cmds, n * sizeof *cmds) : NULL;
    if (!cmds) return false;
    r->cmds = cmds;
    r->n_places = n;
    return true;
}

greta_status rt_recording_add(struct greta_stream *s, const struct hal_cmd *cmd) {
    struct rt_recording *r = s->recording;
    struct hal_cmd copy = *cmd;
    if (r->failed == GRETA_OK && (!make_place(r) || !keep_args(&r->arena, &copy)))
        r->failed = greta_fail(s->dev->log, GRETA_ERR_NO_MEMORY, "graph: no host memory after %u commands",
                               r->n_cmds);
    if (r->failed == GRETA_OK) r->cmds[r->n_cmds++] = copy;
    return r->failed;
}
