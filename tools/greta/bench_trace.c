#include "bench_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "dispatch #9 a module:matvec 64x1x1 r#2+0:4096 w#3+0:256": names may hold spaces. */
static void count_dispatch(const char *text, struct bench_commands *c) {
    uint64_t x = 0, y = 0, z = 0, size;
    c->dispatches++;
    const char *word = text;
    while ((word = strchr(word, ' ')) && sscanf(++word, "%" SCNu64 "x%" SCNu64 "x%" SCNu64, &x, &y, &z) != 3)
        continue;
    if (!word) return;
    c->groups += x * y * z;
    while ((word = strchr(word, ':')))
        if (sscanf(++word, "%" SCNu64, &size) == 1) c->bound_bytes += size;
}

static uint64_t size_of(const char *text) {
    const char *colon = strrchr(text, ':');
    uint64_t size = 0;
    if (colon) (void)sscanf(colon + 1, "%" SCNu64, &size);
    return size;
}

static void count_command(const char *text, struct bench_commands *c) {
    if (strncmp(text, "dispatch ", 9) == 0) {
        count_dispatch(text, c);
    } else if (strncmp(text, "copy ", 5) == 0) {
        c->copies++;
        c->copied_bytes += size_of(text);
    } else if (strncmp(text, "update ", 7) == 0) {
        c->updates++;
        c->update_bytes += size_of(text);
    } else {
        c->fills += strncmp(text, "fill ", 5) == 0;
        c->barriers += strcmp(text, "barrier") == 0;
        c->flushes += strncmp(text, "flush ", 6) == 0;
    }
}

static struct bench_commands *graph_of(struct bench_trace *t, uint32_t number) {
    for (uint32_t i = 0; i < t->n_graphs; i++)
        if (t->numbers[i] == number) return &t->graphs[i];
    uint32_t i = t->n_graphs < BENCH_MAX_GRAPHS ? t->n_graphs++ : BENCH_MAX_GRAPHS - 1;
    t->numbers[i] = number;
    t->graphs[i] = (struct bench_commands){0};
    return &t->graphs[i];
}

static void add(struct bench_commands *to, const struct bench_commands *c) {
    uint64_t *a = (uint64_t *)to;
    const uint64_t *b = (const uint64_t *)c;
    for (size_t i = 0; i < sizeof *c / sizeof *b; i++) a[i] += b[i];
}

void bench_trace_line(void *user, const char *text) {
    struct bench_trace *t = user;
    uint32_t number;
    if (strncmp(text, "  ", 2) == 0) {
        if (t->building) count_command(text + 2, t->building);
    } else if (sscanf(text, "graph_build #%" SCNu32, &number) == 1) {
        t->building = graph_of(t, number);
    } else if (sscanf(text, "graph_launch #%" SCNu32, &number) == 1) {
        t->now.graph_launches++;
        add(&t->now, graph_of(t, number));
    } else {
        count_command(text, &t->now);
    }
}

json_t *bench_trace_between(const struct bench_commands *from, const struct bench_commands *to) {
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {{"dispatches", to->dispatches - from->dispatches},
                  {"groups", to->groups - from->groups},
                  {"bound_bytes", to->bound_bytes - from->bound_bytes},
                  {"barriers", to->barriers - from->barriers},
                  {"copies", to->copies - from->copies},
                  {"copied_bytes", to->copied_bytes - from->copied_bytes},
                  {"fills", to->fills - from->fills},
                  {"updates", to->updates - from->updates},
                  {"update_bytes", to->update_bytes - from->update_bytes},
                  {"flushes", to->flushes - from->flushes},
                  {"graph_launches", to->graph_launches - from->graph_launches}};
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof counts / sizeof *counts && out; i++)
        if (counts[i].count)
            json_object_set_new(out, counts[i].name, json_integer((json_int_t)counts[i].count));
    return out;
}
