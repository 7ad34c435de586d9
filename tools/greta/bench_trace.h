/* Counts of the commands that a device is given, from the lines of the trace in front of it. */
#ifndef GRETA_BENCH_TRACE_H
#define GRETA_BENCH_TRACE_H

#include <jansson.h>
#include <stdint.h>

/* bytes of dispatches: those of all bindings, whole; of copies: what is copied. */
struct bench_commands {
    uint64_t dispatches, groups, bound_bytes, barriers, copies, copied_bytes, fills, updates, update_bytes,
        flushes, graph_launches;
};

enum { BENCH_MAX_GRAPHS = 32 };
struct bench_trace {
    struct bench_commands now, graphs[BENCH_MAX_GRAPHS]; /* graphs: what one launch of each gives */
    uint32_t numbers[BENCH_MAX_GRAPHS], n_graphs;
    struct bench_commands *building; /* the graph that lines with two spaces belong to */
};

/* For greta_dev_params.trace: user is a struct bench_trace. */
void bench_trace_line(void *user, const char *text);
/* {"dispatches": ...}, without what is 0. NULL where memory is out. */
json_t *bench_trace_between(const struct bench_commands *from, const struct bench_commands *to);

#endif
