/*
 * gcore-rt: devices, buffers, streams, kernels and graphs, the same over every backend. Bytes only: no tensors, no models.
 *
 * Rules for all of it. A params struct that is {0} is meaningful. Outputs are NULL or zero on failure. Destroyers take the
 * address of the pointer, set it to NULL, and accept NULL. A ctx and a dev may be used from several threads; a stream, and
 * what is recorded on it, by one thread at a time. Errors are logged once, where the cause is known.
 */
#ifndef GRETA_RT_H
#define GRETA_RT_H

#include <greta/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct greta_ctx;
struct greta_dev;
struct greta_buf;
struct greta_stream;
struct greta_event;
struct greta_module;
struct greta_kernel;
struct greta_graph;
struct greta_stamps;

/* ---- telemetry ------------------------------------------------------------------------------------------------ */

enum greta_record_type {
    GRETA_RECORD_ALLOC, /* memory of the device: slabs and large buffers, not the small buffers in a slab */
    GRETA_RECORD_FREE,
    GRETA_RECORD_DISPATCH,
    GRETA_RECORD_COPY,
    GRETA_RECORD_FILL,
    GRETA_RECORD_UPDATE,
    GRETA_RECORD_BARRIER,
    GRETA_RECORD_FLUSH,
    GRETA_RECORD_WAIT,
    GRETA_RECORD_READ,
    GRETA_RECORD_WRITE,
    GRETA_RECORD_GRAPH_BUILD,
    GRETA_RECORD_GRAPH_LAUNCH,
    GRETA_RECORD_KERNEL_GET,
    GRETA_RECORD_MODULE_LOAD,
    GRETA_RECORD_GRAPH_BEGIN, /* what is recorded from here on belongs to one graph, until its GRAPH_BUILD */
    GRETA_N_RECORDS
};

/* What a dispatch is for, said by who records it. Only a sink reads it. */
struct greta_label {
    const char *op, *row; /* "matvec", "matvec_wide" */
    const void *call;     /* of greta_op_record: its struct greta_call. Others leave it NULL */
};

/* What happened, told to a sink while it happens. Times are host times of the call itself. Pointers are valid during the call. */
struct greta_record {
    enum greta_record_type type;
    const char *name; /* a kernel's or module's name, or NULL */
    uint64_t bytes;
    uint32_t groups[3];
    uint64_t start_ns, end_ns; /* monotonic clock; both 0 where only the fact counts */
    enum greta_mem_kind kind;  /* ALLOC, FREE */
    bool recorded;             /* into a graph: it has not run, and start_ns and end_ns are 0 */
    uint32_t n_commands;       /* GRAPH_BUILD: of the graph, barriers included, timestamps not */
    struct greta_stream *stream; /* of commands, FLUSH, WAIT (NULL: all of the device's), READ, WRITE, GRAPH_* */
    const void *graph;           /* GRAPH_BUILD, GRAPH_LAUNCH: which; only to tell one from another */
    const struct greta_label *label; /* DISPATCH, or NULL */
};

struct greta_telemetry {
    void (*record)(void *user, const struct greta_record *record);
    void *user;
    /*
     * May be NULL. Told before a DISPATCH, COPY, FILL, UPDATE (into a graph, too), FLUSH or GRAPH_LAUNCH, whose record then has no
     * times. Here and in `record` after the same types, the sink may call greta_stream_stamp on that stream. What it returns
     * counts for GRAPH_LAUNCH alone: whether the timestamps that are in the graph are to be written by this launch. Such a graph is
     * built twice, with them and without.
     */
    bool (*before)(void *user, const struct greta_record *record);
};

/* ---- context and probe ---------------------------------------------------------------------------------------- */

struct greta_ctx_params {
    const struct greta_log *log;             /* must outlive the ctx; NULL: silence */
    const struct greta_telemetry *telemetry; /* must outlive the ctx; NULL: none, at the cost of a branch */
    const char *cache_dir;                   /* NULL: $GRETA_CACHE, else $XDG_CACHE_HOME/greta, else ~/.cache/greta; "": none */
    unsigned n_threads;                      /* of the cpu device; 0: every processor of this process */
    bool validation;                         /* the API's validation layer; also $GRETA_VALIDATION=1 */
    bool barrier_always;                     /* a barrier before every command; also $GRETA_BARRIER=always */
};

GRETA_API GRETA_MUST_USE greta_status greta_ctx_create(const struct greta_ctx_params *params, struct greta_ctx **out);
GRETA_API void greta_ctx_destroy(struct greta_ctx **ctx);

/* One line of the probe. `usable` is what a trial dispatch with readback said; `reason` says why not, or why chosen. */
struct greta_probe_entry {
    struct greta_dev_info info;
    bool usable, chosen;
    uint32_t i_board; /* the same where two backends show one board (its UUID or PCI address tells) */
    char reason[256];
};

/*
 * Looks at every backend's devices, in the order of preference, with a trial dispatch on each (results are kept, so a
 * second call is cheap). Fills up to `capacity` entries, sets *n to how many there are.
 */
GRETA_API GRETA_MUST_USE greta_status greta_ctx_probe(struct greta_ctx *ctx, struct greta_probe_entry *entries, uint32_t capacity,
                                                      uint32_t *n);

/* ---- devices --------------------------------------------------------------------------------------------------- */

/* For tests and tools: what stands in front of the backend. Zero is nothing. */
struct greta_dev_params {
    struct {
        uint64_t fail_call;
        greta_status fail_status;
        struct greta_limits lower; /* non-zero fields lower the device's limits; true takes unified or host_visible_vram away */
        bool enabled;
    } fault;
    struct {
        void (*line)(void *user, const char *text); /* NULL: no trace */
        void *user;
    } trace;
};

/*
 * Opens a device. name: "hip:0", "vulkan:1", "cpu"; a backend's name alone means its first device; NULL or "": $GRETA_DEVICE,
 * else the probe's choice. Errors: ERR_INVALID for an unknown backend's name, ERR_NOT_FOUND for an index that is not there,
 * ERR_UNAVAILABLE where the backend has no library or its trial dispatch failed.
 */
GRETA_API GRETA_MUST_USE greta_status greta_dev_open(struct greta_ctx *ctx, const char *name, const struct greta_dev_params *params,
                                                     struct greta_dev **out);
/* A device that is closed before its buffers, streams, ... goes with the last of them. */
GRETA_API void greta_dev_close(struct greta_dev **dev);
GRETA_API const struct greta_dev_info *greta_dev_get_info(const struct greta_dev *dev);
GRETA_API const struct greta_limits *greta_dev_get_limits(const struct greta_dev *dev);
GRETA_API enum greta_image_format greta_dev_get_image_format(const struct greta_dev *dev);
GRETA_API const struct greta_log *greta_dev_get_log(const struct greta_dev *dev);
GRETA_API GRETA_MUST_USE greta_status greta_dev_mem_info(struct greta_dev *dev, struct greta_mem_info *out);
GRETA_API GRETA_MUST_USE greta_status greta_dev_wait(struct greta_dev *dev);
/*
 * What the device has counted of all work that was waited for: fills up to `capacity` counters, sets *n to how many there are; names
 * and their order stay, values only grow. The first call may be what begins the counting, so two calls, before and after, tell the
 * counts of what lies between them. For devices that are a program (limits.is_emulated); ERR_UNSUPPORTED on hardware.
 */
GRETA_API GRETA_MUST_USE greta_status greta_dev_counters(struct greta_dev *dev, struct greta_counter *out, uint32_t capacity, uint32_t *n);
/* With the fault shim: how many fallible calls were made so far. Else 0. */
GRETA_API uint64_t greta_dev_n_calls(const struct greta_dev *dev);

/* ---- buffers --------------------------------------------------------------------------------------------------- */

/*
 * size_bytes from 1 to limits.max_buf_bytes. Small buffers share slabs and are aligned to 256 bytes; memory of destroyed ones
 * is reused once the work that was recorded before has finished. Contents are undefined. GRETA_MEM_UNIFIED on a device
 * that is not unified is ERR_UNSUPPORTED.
 */
GRETA_API GRETA_MUST_USE greta_status greta_buf_create(struct greta_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                                                       struct greta_buf **out);
GRETA_API void greta_buf_destroy(struct greta_buf **buf);
GRETA_API uint64_t greta_buf_size(const struct greta_buf *buf);
GRETA_API enum greta_mem_kind greta_buf_kind(const struct greta_buf *buf);
/* Where the device sees its first byte. */
GRETA_API uint64_t greta_buf_address(const struct greta_buf *buf);
/*
 * The host's view, or NULL where the buffer is not mapped. What the host writes before a flush is seen by the work of that
 * flush; what the device wrote is seen after a wait.
 */
GRETA_API void *greta_buf_host(struct greta_buf *buf);
/* cpu device only: a buffer over the caller's memory (a mapped file), which must outlive it. Else ERR_UNSUPPORTED. */
GRETA_API GRETA_MUST_USE greta_status greta_buf_wrap(struct greta_dev *dev, void *memory, uint64_t size_bytes, struct greta_buf **out);

/*
 * A buffer of device memory that code outside this library shares: another API on the same device, or another process, by a handle of the
 * type limits.export_type. It is a buffer like any other; its memory lives as long as it does and as long as someone has it imported. Nothing
 * orders their accesses: wait for the stream before the other side reads. ERR_UNSUPPORTED where that type is NONE.
 */
GRETA_API GRETA_MUST_USE greta_status greta_buf_export(struct greta_dev *dev, uint64_t size_bytes, struct greta_buf **out,
                                                       struct greta_export *handle);

/* ---- modules and kernels --------------------------------------------------------------------------------------- */

GRETA_API GRETA_MUST_USE greta_status greta_module_load(struct greta_dev *dev, const struct greta_image *image, struct greta_module **out);
/* Unloads once the work recorded before has finished; its kernels go with it. */
GRETA_API void greta_module_unload(struct greta_module **module);
/* Thread-safe; the same arguments give the same kernel. The kernel belongs to the module. */
GRETA_API GRETA_MUST_USE greta_status greta_kernel_get(struct greta_module *module, const char *name, const struct greta_constant *constants,
                                                       uint32_t n_constants, struct greta_kernel **out);
GRETA_API const struct greta_kernel_info *greta_kernel_get_info(const struct greta_kernel *kernel);

/* ---- streams ---------------------------------------------------------------------------------------------------- */

struct greta_binding {
    struct greta_buf *buf;
    uint64_t offset_bytes, size_bytes; /* size 0: to the end of the buffer */
    enum greta_access access;
};

struct greta_dispatch {
    struct greta_kernel *kernel;
    uint32_t groups[3];
    uint32_t n_bindings, constants_bytes;
    const struct greta_binding *bindings;
    const void *constants;
    const struct greta_label *label; /* read during the call; may be NULL */
};

GRETA_API GRETA_MUST_USE greta_status greta_stream_create(struct greta_dev *dev, struct greta_stream **out);
/* Waits for its work. */
GRETA_API void greta_stream_destroy(struct greta_stream **stream);

/*
 * Recording. Commands run in order and each sees what its predecessors wrote. Everything is checked here: bindings inside
 * their buffers, sizes and groups within the limits, alignment of 4 for copies, fills and updates.
 * ERR_INVALID records nothing; commands of no groups or no bytes are invalid, writes and reads of no bytes do nothing.
 */
GRETA_API GRETA_MUST_USE greta_status greta_stream_dispatch(struct greta_stream *stream, const struct greta_dispatch *dispatch);
GRETA_API GRETA_MUST_USE greta_status greta_stream_copy(struct greta_stream *stream, struct greta_buf *dst, uint64_t dst_offset_bytes,
                                                        struct greta_buf *src, uint64_t src_offset_bytes, uint64_t size_bytes);
GRETA_API GRETA_MUST_USE greta_status greta_stream_fill(struct greta_stream *stream, struct greta_buf *dst, uint64_t offset_bytes,
                                                        uint64_t size_bytes, uint32_t pattern);
/* Up to 256 bytes, copied at the call, in stream order. */
GRETA_API GRETA_MUST_USE greta_status greta_stream_update(struct greta_stream *stream, struct greta_buf *dst, uint64_t offset_bytes,
                                                          const void *data, uint32_t size_bytes);
/* Any size, any kind of memory, staged where need be; the data is read before the call returns; in stream order. */
GRETA_API GRETA_MUST_USE greta_status greta_stream_write(struct greta_stream *stream, struct greta_buf *dst, uint64_t offset_bytes,
                                                         const void *data, uint64_t size_bytes);
/* Any size, any kind of memory; blocks until the data is here. */
GRETA_API GRETA_MUST_USE greta_status greta_stream_read(struct greta_stream *stream, struct greta_buf *src, uint64_t offset_bytes,
                                                        void *data, uint64_t size_bytes);
GRETA_API GRETA_MUST_USE greta_status greta_stream_flush(struct greta_stream *stream);
/*
 * For a library of the vendor's that puts work on the stream itself: the stream as the backend's API has it (a hipStream_t), or NULL where
 * there is none. Called before each such piece of work, outside of recordings; it runs in the stream's order, a wait waits for it,
 * and rt knows nothing of what it reads and writes.
 */
GRETA_API void *greta_stream_native(struct greta_stream *stream);
/* Flushes and waits for all of it. */
GRETA_API GRETA_MUST_USE greta_status greta_stream_wait(struct greta_stream *stream);

/* ---- events ----------------------------------------------------------------------------------------------------- */

GRETA_API GRETA_MUST_USE greta_status greta_event_create(struct greta_dev *dev, struct greta_event **out);
GRETA_API void greta_event_destroy(struct greta_event **event);
GRETA_API GRETA_MUST_USE greta_status greta_event_record(struct greta_event *event, struct greta_stream *stream);
/* timeout_ns 0 polls. ERR_TIMEOUT where it has not come to pass; ERR_INVALID where it was never recorded. */
GRETA_API GRETA_MUST_USE greta_status greta_event_wait(struct greta_event *event, uint64_t timeout_ns);
/* Device time between two events that have come to pass. */
GRETA_API GRETA_MUST_USE greta_status greta_event_elapsed(struct greta_event *from, struct greta_event *to, uint64_t *out_ns);
GRETA_API GRETA_MUST_USE greta_status greta_stream_wait_event(struct greta_stream *stream, struct greta_event *event);

/* ---- timestamps ------------------------------------------------------------------------------------------------- */

/*
 * n places for the device's time, all empty. ERR_UNSUPPORTED, without a message, where limits.timestamp_bits is 0. Destroyed only
 * once no graph with a stamp in it is launched any more.
 */
GRETA_API GRETA_MUST_USE greta_status greta_stamps_create(struct greta_dev *dev, uint32_t n, struct greta_stamps **out);
GRETA_API void greta_stamps_destroy(struct greta_stamps **stamps);
/*
 * Writes the device's time into place i once all that was recorded before has finished. May stand in a graph: then each launch
 * writes it. Outside of graphs the place must be empty. It orders nothing.
 */
GRETA_API GRETA_MUST_USE greta_status greta_stream_stamp(struct greta_stream *stream, struct greta_stamps *stamps, uint32_t i);
/*
 * Reads and empties the places [first, first + n): ticks of limits.timestamp_period_ns, which wrap after 2^timestamp_bits; 0 where
 * the device has not come to the stamp. Does not wait.
 */
GRETA_API GRETA_MUST_USE greta_status greta_stamps_read(struct greta_stamps *stamps, uint32_t first, uint32_t n, uint64_t *out_ticks);

/* ---- graphs ----------------------------------------------------------------------------------------------------- */

/*
 * Between begin and end, dispatches, copies, fills and updates on the stream go into a recording and nothing runs;
 * writes, reads, events and launches are ERR_INVALID. Buffers and kernels in it must outlive the graph.
 */
GRETA_API GRETA_MUST_USE greta_status greta_graph_begin(struct greta_stream *stream);
/* Inside a recording: what follows goes into a further submit (bounded submits for GPUs with a watchdog). */
GRETA_API GRETA_MUST_USE greta_status greta_graph_split(struct greta_stream *stream);
/* Ends the recording, also where it fails. */
GRETA_API GRETA_MUST_USE greta_status greta_graph_end(struct greta_stream *stream, struct greta_graph **out);
GRETA_API void greta_graph_destroy(struct greta_graph **graph);
GRETA_API GRETA_MUST_USE greta_status greta_graph_launch(struct greta_stream *stream, struct greta_graph *graph);

#ifdef __cplusplus
}
#endif
#endif
