/* The runtime's own view of its objects. */
#ifndef RT_INTERNAL_H
#define RT_INTERNAL_H

#include <greta/rt.h>

#include "arena.h"
#include "hal.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    RT_MAX_BINDINGS = 16,
    RT_MAX_CONSTANTS_BYTES = 128,
    RT_MAX_CONSTANTS = 32, /* of kernel_get */
    RT_MAX_UPDATE_BYTES = 256,
    RT_HAZARD_RANGES = 32,
    RT_N_CHUNKS = 4,
    RT_N_MARKS = 4,
};

/* ---- env.c ------------------------------------------------------------------------------------------------------ */

/* GRETA_<BACKEND>_LIBRARY, or NULL. */
const char *rt_env_library(const char *backend);
/* By the rule of greta_ctx_params.cache_dir; NULL: none. The caller frees it. */
greta_status rt_env_cache_dir(const char *wanted, char **out);

/* ---- context.c, probe.c, trial.c -------------------------------------------------------------------------------- */

enum rt_trial { RT_TRIAL_NOT_MADE, RT_TRIAL_PASSED, RT_TRIAL_FAILED };

struct rt_board {
    struct greta_dev_info info;
    enum rt_trial trial;
    uint32_t i_board;      /* the same for every backend's view of one board */
    char reason[256];      /* of the trial */
    struct hal_dev *spare; /* left open by the trial, for the open that mostly follows */
};

struct rt_backend {
    const struct greta_backend *table;
    bool tried; /* to open it; `status` is the answer */
    greta_status status;
    char reason[256];     /* the last thing it said while it opened */
    char error[256];      /* the first error that it told of while a board was tried */
    struct greta_log log; /* passes on to the context's, and fills these two */
    const struct greta_log *outer;
    atomic_bool opening, trying;
    void *instance;
    uint32_t n_boards;
    struct rt_board *boards;
};

enum { RT_MAX_BACKENDS = 8 };

struct greta_ctx {
    atomic_uint refs; /* the user's, and one per device */
    const struct greta_log *log;
    const struct greta_telemetry *telemetry;
    char *cache_dir;
    unsigned n_threads;
    bool validation, barrier_always;
    pthread_mutex_t lock; /* of the boards */
    uint32_t n_backends;
    struct rt_backend backends[RT_MAX_BACKENDS];
};

void rt_ctx_unref(struct greta_ctx *ctx);
/* A device by name, or by GRETA_DEVICE, or by preference; tried, and open. */
greta_status rt_probe_open(struct greta_ctx *ctx, const char *name, const struct greta_backend **table,
                           struct hal_dev **out);
/* Runs a kernel and reads back what it wrote. On failure `step` names what it was at. */
greta_status rt_trial(struct hal_dev *hal, enum greta_image_format format, const char **step);

/* ---- retire.c --------------------------------------------------------------------------------------------------- */

/*
 * What is destroyed while work that uses it may still run. First member of every object that can be. A device's clock
 * ticks with each of them; a stream knows up to which tick its work has finished.
 */
struct rt_retire {
    struct rt_retire *next;
    uint64_t stamp;
    void (*release)(struct greta_dev *dev, struct rt_retire *retire);
};

/* One reference less; the device goes with the last one. */
void rt_dev_unref(struct greta_dev *dev);
/* Releases it now where nothing is pending, else later. Never fails. */
void rt_retire(struct greta_dev *dev, struct rt_retire *retire);
/* Releases what has become free. The caller holds the device. */
void rt_retire_collect(struct greta_dev *dev);

/* ---- pool.c ----------------------------------------------------------------------------------------------------- */

struct rt_block { /* a piece of a slab */
    struct rt_block *next;
    struct hal_buf *slab;
    uint64_t offset_bytes;
    uint32_t i_class;
    enum greta_mem_kind kind;
};

enum { RT_N_CLASSES = 9, RT_SLAB_BYTES = 1 << 20 }; /* classes of 256 bytes to 64 KiB */

struct rt_slab {
    struct rt_slab *next;
    struct hal_buf *buf;
    uint64_t used_bytes;
};

struct rt_pool {
    pthread_mutex_t lock;
    struct rt_slab *slabs[GRETA_N_MEM_KINDS]; /* the first has room, perhaps */
    struct rt_block *free[GRETA_N_MEM_KINDS][RT_N_CLASSES];
};

/* Whether a buffer of this size is a block of a slab. */
bool rt_pool_serves(const struct greta_dev *dev, uint64_t size_bytes);
/* NULL where no slab has room for it: add one. */
greta_status rt_pool_get(struct greta_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                         struct rt_block **out);
/* Takes over a buffer of RT_SLAB_BYTES. */
greta_status rt_pool_add(struct greta_dev *dev, struct hal_buf *slab);
void rt_pool_put(struct greta_dev *dev, struct rt_block *block);
void rt_pool_finish(struct greta_dev *dev);

/* ---- device.c --------------------------------------------------------------------------------------------------- */

struct greta_dev {
    atomic_uint refs; /* the user's, and one per object made from it */
    struct greta_ctx *ctx;
    struct hal_dev *hal;   /* the outermost shim */
    struct hal_dev *fault; /* the fault shim, or NULL */
    const struct greta_log *log;
    const struct greta_telemetry *telemetry;
    enum greta_image_format format;
    bool synchronous; /* commands have run when their call returns: nothing is ever pending */
    bool barrier_always;
    atomic_bool lost;

    pthread_mutex_t lock;      /* of the streams' list and the retire list */
    pthread_mutex_t wait_lock; /* one greta_dev_wait at a time */
    struct greta_stream *streams;
    struct rt_retire *retired, **retired_end;
    atomic_uint n_retired;
    atomic_uint_fast64_t clock;
    struct rt_pool pool;
};

/* Passes `status` on, and remembers a lost device. */
greta_status rt_dev_note(struct greta_dev *dev, greta_status status);
static inline bool rt_dev_is_lost(struct greta_dev *dev) {
    return atomic_load_explicit(&dev->lost, memory_order_relaxed);
}

/* ---- telemetry.c ------------------------------------------------------------------------------------------------ */

/* The time, or 0 where nobody listens. */
uint64_t rt_record_start(const struct greta_dev *dev);
/* Tells the sink, if there is one; end_ns is now where start_ns is not 0. */
void rt_tell(const struct greta_dev *dev, const struct greta_record *record);
/* Asks the sink before a command; true where there is none. */
bool rt_before(const struct greta_dev *dev, const struct greta_record *record);
void rt_record(const struct greta_dev *dev, enum greta_record_type type, const char *name, uint64_t bytes,
               const uint32_t groups[3], uint64_t start_ns);
/* Gives a table's buffer back, and tells of it. */
static inline void rt_hal_buf_destroy(struct greta_dev *dev, struct hal_buf *buf) {
    rt_tell(dev,
            &(struct greta_record){.type = GRETA_RECORD_FREE, .bytes = buf->size_bytes, .kind = buf->kind});
    dev->hal->ops->buf_destroy(dev->hal, buf);
}

/* ---- buffer.c --------------------------------------------------------------------------------------------------- */

struct greta_buf {
    struct rt_retire retire;
    struct greta_dev *dev;
    struct hal_buf *hal;
    struct rt_block *block; /* NULL: hal is this buffer's own */
    uint64_t offset_bytes;  /* in hal */
    uint64_t size_bytes, address;
    enum greta_mem_kind kind;
    bool wrapped; /* the caller's memory */
};

/* A table's buffer, told to the telemetry, with a second try after waiting for memory on the retire list. */
greta_status rt_hal_buf_create(struct greta_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                               struct hal_buf **out);

/* ---- module.c --------------------------------------------------------------------------------------------------- */

struct greta_kernel {
    struct greta_kernel *next;
    struct greta_module *module;
    struct hal_kernel *hal; /* NULL while it is being built */
    char *name;
    uint32_t n_constants;
    struct greta_constant constants[RT_MAX_CONSTANTS];
};

struct greta_module {
    struct rt_retire retire;
    struct greta_dev *dev;
    struct hal_module *hal;
    char *name;
    pthread_mutex_t lock;
    pthread_cond_t built;
    struct greta_kernel *kernels;
};

/* ---- hazard.c --------------------------------------------------------------------------------------------------- */

struct rt_range {
    uint64_t begin, end; /* device addresses */
};

struct rt_access {
    struct rt_range range;
    enum greta_access access;
};

/* What was read and written since the last barrier: supersets, once there are more ranges than places. */
struct rt_hazard {
    uint32_t n_reads, n_writes;
    bool host_sees; /* something written is in memory that the host may read */
    struct rt_range reads[RT_HAZARD_RANGES], writes[RT_HAZARD_RANGES];
};

bool rt_hazard_conflicts(const struct rt_hazard *h, const struct rt_access *accesses, uint32_t n);
void rt_hazard_add(struct rt_hazard *h, const struct rt_access *accesses, uint32_t n);
void rt_hazard_clear(struct rt_hazard *h);

/* ---- stream.c --------------------------------------------------------------------------------------------------- */

/* A point in a stream: once the event has come to pass, all that was recorded before the clock's tick is finished. */
struct rt_mark {
    struct hal_event *event;
    uint64_t clock;
    bool pending;
};

struct rt_chunk { /* of staging memory */
    struct hal_buf *buf;
    struct rt_mark mark;
    uint64_t used_bytes;
};

struct greta_stream {
    struct greta_dev *dev;
    struct hal_stream *hal;
    struct greta_stream *next; /* in the device's list */
    struct rt_hazard hazard;
    struct rt_recording *recording; /* between graph_begin and graph_end */
    atomic_bool busy;               /* something was recorded since the last complete wait */
    atomic_uint_fast64_t done_clock, flushed_clock;
    uint64_t waited_clock; /* flushed_clock at the start of greta_dev_wait */
    struct hal_event *wait_event;
    struct rt_mark marks[RT_N_MARKS]; /* at flushes, while something waits to be released */
    struct rt_chunk upload[RT_N_CHUNKS];
    uint32_t i_upload;
    struct hal_buf *readback;
};

/* ERR_DEVICE_LOST, or ERR_INVALID with a message where `what` may not stand inside a graph's recording. */
greta_status rt_stream_check(struct greta_stream *stream, const char *what, bool recordable);
/* A barrier where one of the accesses needs it; then notes them. */
greta_status rt_stream_order(struct greta_stream *stream, const struct rt_access *accesses, uint32_t n);
greta_status rt_stream_barrier(struct greta_stream *stream);
/* Makes what was written visible to the host, then waits for everything. */
greta_status rt_stream_sync(struct greta_stream *stream);
greta_status rt_stream_flush(struct greta_stream *stream);
/* Records a mark and flushes; waits for one. */
greta_status rt_mark_record(struct greta_stream *stream, struct rt_mark *mark);
greta_status rt_mark_wait(struct greta_stream *stream, struct rt_mark *mark, uint64_t timeout_ns);
static inline void rt_stream_touch(struct greta_stream *stream) {
    atomic_store_explicit(&stream->busy, true, memory_order_relaxed);
}
/* Whether [offset, offset + size) lies inside; says what is wrong where not. */
greta_status rt_buf_check(const struct greta_stream *stream, const char *what, const struct greta_buf *buf,
                          uint64_t offset_bytes, uint64_t size_bytes, uint64_t alignment);

/* ---- recording.c ------------------------------------------------------------------------------------------------ */

struct rt_recording {
    struct arena arena; /* what the commands point at */
    struct hal_cmd *cmds;
    uint32_t n_cmds, n_places;
    struct rt_hazard hazard;
    bool has_stamps;
    greta_status failed; /* no memory for a command: the recording is worthless */
};

/* Appends a command, with copies of what it points at. */
greta_status rt_recording_add(struct greta_stream *stream, const struct hal_cmd *cmd);
void rt_recording_free(struct rt_recording **recording);

/* ---- graph.c ---------------------------------------------------------------------------------------------------- */

struct greta_graph {
    struct rt_retire retire;
    struct greta_dev *dev;
    struct hal_graph *hal;       /* NULL: the list is replayed */
    struct hal_graph *bare;      /* without its timestamps; NULL: there are none, or nobody chooses */
    struct rt_recording *replay; /* NULL where hal is there */
    struct rt_hazard hazard;     /* at its end */
};

#endif
