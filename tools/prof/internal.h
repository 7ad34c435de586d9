/* The profiler's own view of its objects. */
#ifndef PROF_INTERNAL_H
#define PROF_INTERNAL_H

#include "align.h"
#include "prof.h"
#include "writer.h"

#include <greta/kernels.h>

#include <pthread.h>

enum {
    PROF_MAX_PHASES = 16, /* within each other */
    PROF_MAX_THREADS = 64,
    PROF_PLACES = 2048, /* timestamps of a stream that are not read yet */
    PROF_BLOCK = 256,   /* timestamps of a graph, in blocks of so many */
    PROF_SAMPLES = 256, /* of a kernel that are kept: each, every second, every fourth, ... */
    PROF_HOST_PID = 1,
    PROF_DEVICE_PID = 2,
};

/* ---- kernels.c ---- */

/* Each number, then every second, every fourth, ..., so that what is kept fits. */
struct samples {
    double at[PROF_SAMPLES], sum;
    uint64_t n_seen;
    uint32_t n, stride;
};
void samples_add(struct samples *s, double x);
/* Of those that are kept; sorts a copy. 0 where there are none. */
double samples_median(const struct samples *s);

/* What is called with one op, row and shape in one phase. */
struct kernel_key {
    const char *phase, *op, *row; /* op: the kernel's own name where nobody labelled it */
    uint32_t scalars[GRETA_OP_MAX_SCALARS], keys[GRETA_OP_MAX_KEYS], layout;
    uint32_t groups[3]; /* where nobody labelled it */
};

struct kernel {
    struct kernel_key key;
    struct greta_call call; /* without its bindings' buffers; op GRETA_N_OPS: unknown */
    char shape[192];
    uint64_t n_calls, n_groups;
    double bytes, flops;           /* of all calls */
    double once_bytes, once_flops; /* of one call, where they do not depend on the position */
    struct samples times_ns;
    uint32_t next; /* in the table's slot, plus 1 */
};

struct kernels {
    struct kernel **at;
    uint32_t n, capacity;
    uint32_t slots[1024]; /* index plus 1 */
};

/* The entry for a dispatch; NULL where memory is out. Valid until kernels_free. */
struct kernel *kernels_get(struct kernels *k, const char *phase, const struct greta_record *r);
/* A call with its first token at position pos. */
void kernel_called(struct kernel *k, const uint32_t groups[3], uint32_t pos);
void kernels_free(struct kernels *k);

/* ---- device.c ---- */

enum entry_kind { ENTRY_BEGIN, ENTRY_KERNEL, ENTRY_OTHER, ENTRY_LAUNCH, ENTRY_END };

/* What a submit was made of. */
struct summary {
    uint32_t n_dispatches, n_launches, n_transfers, i_graph;
    uint64_t bytes;
    char name[48]; /* of the phase in which it began */
};

/* A timestamp on its way: what lies between it and the one before. */
struct entry {
    enum entry_kind kind;
    bool lost_before;   /* one before it found no place: what lies between is not known */
    uint32_t seq;       /* LAUNCH: of the graph's launches with timestamps; 0: without */
    uint32_t groups[3]; /* KERNEL */
    uint64_t host_ns;
    struct kernel *kernel;
    struct graph *graph;
    struct summary summary; /* END */
};

struct graph_item {
    struct kernel *kernel; /* NULL: a copy, fill or update */
    uint32_t groups[3];
};

/* A graph that is being recorded, or is built. */
struct graph {
    struct graph *next;
    const void *id; /* NULL while it is recorded */
    uint32_t number;
    struct graph_item *items;
    uint32_t n_items, capacity;
    struct greta_stamps **blocks; /* place 0: the beginning; place i + 1: behind item i */
    uint32_t n_blocks, n_commands, n_dispatches;
    bool broken;  /* no memory for it: nothing in it is timed */
    bool pending; /* a launch with timestamps has not been read */
    uint32_t seq; /* of launches with timestamps */
    uint64_t n_launches;
    struct samples bare_ns, stamped_ns; /* of the launches but the first, on the device */
    const char *phase;
};

/* A stream, and its track. */
struct lane {
    struct lane *next;
    struct greta_stream *stream;
    struct greta_stamps *stamps;
    uint32_t tid;
    bool named, open, lost, launch_stamped;
    uint32_t head, tail; /* of the ring; they only grow */
    struct entry *ring;
    struct summary summary;
    uint64_t begin_host_ns;   /* without timestamps */
    double begin_ns, last_ns; /* of the submit, and of the timestamp before, on the host's clock */
    double shown_ns;          /* nothing on the track lies before it */
    bool last_known;
    struct graph *recording;
};

void device_before(struct prof *p, const struct greta_record *r, bool *launch_stamps);
void device_after(struct prof *p, const struct greta_record *r);
/* Reads what has come to pass. */
void device_drain(struct prof *p, struct lane *lane);
void device_free(struct prof *p);
/* Aligns the clocks where that is due. */
void device_align(struct prof *p, bool now);

/* ---- prof.c ---- */

struct phase {
    const char *word;
    char name[48];
    uint64_t start_ns;
};

struct prof {
    pthread_mutex_t lock;
    struct greta_telemetry telemetry;
    const struct greta_log *log;
    char command[48];
    struct writer timeline;
    char *kernels_path; /* NULL: no counters of kernels */
    uint64_t start_ns;

    struct phase phases[PROF_MAX_PHASES];
    uint32_t n_phases, n_phases_beyond;
    uint32_t pos;    /* of the phase; in a prompt, of the chunk */
    uint32_t n_rows; /* of the chunk that row_lookup began; 0: none since the last chunk's other ops */
    long main_tid, tids[PROF_MAX_THREADS];
    uint32_t n_tids;
    uint64_t memory[GRETA_N_MEM_KINDS], peak;

    struct greta_dev *dev; /* between attach and detach */
    char device[160];
    bool emulated;               /* counts, and no times */
    uint64_t counted;            /* the clock of an emulated device: things told */
    bool stamps;                 /* the device has them */
    struct greta_stream *stream; /* for aligning */
    struct greta_stamps *align_stamps;
    struct align align;
    uint64_t aligned_ns;
    double stamp_ns; /* what a timestamp takes */
    struct lane *lanes;
    struct graph *graphs;
    uint32_t n_lanes, n_graphs;
    uint64_t n_stamps, n_lost;
    double device_ns; /* of all submits */
    struct kernels kernels;
    bool report_failed;
};

/* Events are in nanoseconds since the profiler was opened. args: JSON members without braces, or "". */
void prof_slice(struct prof *p, int pid, long tid, const char *name, const char *category, double start_ns,
                double end_ns, const char *args);
void prof_meta(struct prof *p, int pid, long tid, const char *what, const char *name);
void prof_event(struct prof *p, const char *text, int len);
/* The word of the phase, "" outside of all; its name. */
const char *prof_phase(const struct prof *p);
const char *prof_phase_name(const struct prof *p);
uint64_t prof_now(struct prof *p);
/* report.c: the file and the table. */
bool prof_report(struct prof *p);

#endif
