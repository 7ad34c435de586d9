/* Streams' commands: recorded in order, run late. */
#include "hip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- commands ---------------------------------------------------------------------------------------------------------- */

struct command *command_new(enum command_type type, size_t args_bytes) {
    struct command *c = calloc(1, sizeof *c + args_bytes);
    if (!c) return NULL;
    c->type = type;
    c->launch.args = c->args;
    c->launch.n_args = args_bytes;
    return c;
}

struct command *command_copy(const struct command *c) {
    struct command *copy = command_new(c->type, c->launch.n_args);
    if (!copy) return NULL;
    memcpy(copy, c, sizeof *c + c->launch.n_args);
    copy->next = NULL;
    copy->launch.args = copy->args;
    if (copy->event) copy->event->refs++;
    return copy;
}

void event_unref(struct ihipEvent_t *e) {
    if (e && --e->refs == 0) free(e);
}

static void command_free(struct command *c) {
    event_unref(c->event);
    free(c);
}

static void append(struct command_list *list, struct command *c) {
    if (!list->first) list->end = &list->first;
    *list->end = c;
    list->end = &c->next;
}

void commands_free(struct command_list *list) {
    while (list->first) {
        struct command *next = list->first->next;
        command_free(list->first);
        list->first = next;
    }
}

/* ---- running one --------------------------------------------------------------------------------------------------------- */

static hipError_t lose(hipError_t error) {
    hip_state.lost = error;
    return error;
}

static hipError_t run_transfer(const struct command *c) {
    if (!memory_holds(c->dst, c->bytes) || (c->type == COMMAND_COPY && !memory_holds(c->src, c->bytes)))
        return lose(hip_complain(hipErrorIllegalAddress, "a %s of %zu bytes ran after its memory was freed",
                                 c->type == COMMAND_COPY ? "copy" : "fill", c->bytes));
    if (c->type == COMMAND_COPY)
        memmove(c->dst, c->src, c->bytes);
    else
        for (size_t i = 0; i < c->bytes; i += 4) memcpy((char *)c->dst + i, &c->pattern, 4);
    hip_state.count += 1 + c->bytes / 256;
    return hipSuccess;
}

/* How much work a launch is, for events: the machine has no time, and every wave counts the same. */
static uint64_t waves(const struct gfx_launch *l) {
    uint64_t threads = (uint64_t)l->threads[0] * l->threads[1] * l->threads[2];
    return (uint64_t)l->groups[0] * l->groups[1] * l->groups[2] * ((threads + 63) / 64);
}

static hipError_t run_launch(const struct command *c) {
    if (hip_state.lose_after && ++hip_state.n_launches == hip_state.lose_after)
        return lose(hip_complain(hipErrorLaunchFailure, "launch %llu loses the device, as was asked for",
                                 (unsigned long long)hip_state.lose_after));
    enum gfx_status status = gfx_run(hip_state.machine, c->function->kernel, &c->launch);
    hip_state.count += 1 + waves(&c->launch);
    if (status == GFX_OK) return hipSuccess;
    return lose(hip_complain(status == GFX_TIMEOUT ? hipErrorLaunchTimeOut : hipErrorLaunchFailure, "%s",
                             gfx_error(hip_state.machine)));
}

static hipError_t run(struct command *c) {
    switch (c->type) {
    case COMMAND_COPY:
    case COMMAND_FILL: return run_transfer(c);
    case COMMAND_LAUNCH: c->function->module->n_pending--; return run_launch(c);
    case COMMAND_RECORD:
        if (c->recording > c->event->passed) {
            c->event->passed = c->recording;
            c->event->count = hip_state.count;
        }
        return hipSuccess;
    case COMMAND_WAIT: return hipSuccess;
    }
    return hipErrorUnknown;
}

/* ---- whose turn it is ------------------------------------------------------------------------------------------------------ */

static bool can_run(const struct ihipStream_t *s) {
    const struct command *c = s->commands.first;
    return c && (c->type != COMMAND_WAIT || c->event->passed >= c->recording);
}

static hipError_t run_first(struct ihipStream_t *s) {
    struct command *c = s->commands.first;
    hipError_t error = run(c);
    s->commands.first = c->next;
    command_free(c);
    return error;
}

hipError_t queue_step(void) {
    uint32_t n = 0;
    struct ihipStream_t *chosen = NULL;
    for (struct ihipStream_t *s = hip_state.streams; s; s = s->next)
        if (can_run(s) && hip_random(++n) == 0) chosen = s;
    return chosen ? run_first(chosen) : hipErrorNotReady;
}

/* Waits name recordings that came before them, so something can run as long as anything is left. */
static hipError_t step_or_fail(void) {
    hipError_t error = queue_step();
    return error == hipErrorNotReady ? hip_complain(hipErrorUnknown, "streams wait for each other") : error;
}

static bool is_done(const struct ihipStream_t *s) {
    if (s) return !s->commands.first;
    for (s = hip_state.streams; s; s = s->next)
        if (s->commands.first) return false;
    return true;
}

hipError_t queue_drain(struct ihipStream_t *s) {
    hipError_t error = hip_state.lost;
    while (error == hipSuccess && !is_done(s)) error = step_or_fail();
    return error;
}

hipError_t queue_until(struct ihipEvent_t *e) {
    hipError_t error = hip_state.lost;
    while (error == hipSuccess && e->passed < e->recorded) error = step_or_fail();
    return error;
}

hipError_t queue_turn(void) {
    hipError_t error = hip_state.lost;
    if (hip_random(8)) return error;
    for (uint32_t n = hip_random(16); n && error == hipSuccess; n--) error = queue_step();
    return error == hipErrorNotReady ? hipSuccess : error;
}

hipError_t queue_add(struct ihipStream_t *s, struct command *c) {
    if (!c) return hipErrorOutOfMemory;
    if (s->capture) {
        append(&s->capture->commands, c);
        return hipSuccess;
    }
    if (c->type == COMMAND_LAUNCH) c->function->module->n_pending++;
    append(&s->commands, c);
    return queue_turn();
}
