/*
 * The device table: what a platform backend implements. Only rt sees this header.
 *
 * Handles are structs that a backend embeds as the first member of its own; the fields here are filled by the backend
 * and read by rt. Every entry takes the device first, so that a shim can stand in front of any backend: a shim passes
 * the inner backend's handles through and keeps none of its own.
 *
 * Rules for a backend:
 *  - Arguments are valid: rt has checked them against the limits. No entry is called with NULL where none is allowed.
 *  - On failure outputs are NULL or zero and nothing is half-built; the cause is logged once, here, with the native
 *    code's name.
 *  - A device is thread-safe, except that one stream is used by one thread at a time.
 *  - A stream is in order. Between two cmd_* calls there is NO implied memory dependency: rt calls cmd_barrier where one
 *    is needed (the cpu backend, which runs commands at once, has an empty one).
 *  - A handle is destroyed only when no pending work uses it: rt keeps retire lists.
 */
#ifndef GRETA_HAL_H
#define GRETA_HAL_H

#include <greta/types.h>

struct hal_buf {
    uint64_t size_bytes;
    uint64_t address; /* device address; for cpu the pointer's value */
    void *host;       /* mapped pointer, or NULL (GRETA_MEM_DEVICE; with limits.host_visible_vram only large ones) */
    enum greta_mem_kind kind;
};

struct hal_stream {
    int unused;
};
struct hal_event {
    int unused;
};
struct hal_module {
    int unused;
};
struct hal_graph {
    int unused;
};
struct hal_stamps {
    uint32_t n;
};
struct hal_kernel {
    struct greta_kernel_info info;
};

struct hal_binding {
    struct hal_buf *buf;
    uint64_t offset_bytes, size_bytes;
    enum greta_access access;
};

/* The argument block is {address of each binding, 8 bytes each, in order} then the constants. */
struct hal_dispatch {
    struct hal_kernel *kernel;
    uint32_t groups[3];
    uint32_t n_bindings, constants_bytes;
    const struct hal_binding *bindings;
    const void *constants;
};

struct hal_copy {
    struct hal_buf *dst, *src;
    uint64_t dst_offset_bytes, src_offset_bytes, size_bytes;
};

/* Fills with a 32-bit pattern; offset and size are multiples of 4. */
struct hal_fill {
    struct hal_buf *dst;
    uint64_t offset_bytes, size_bytes;
    uint32_t pattern;
};

/* Up to 256 bytes, inline, in stream order; offset and size are multiples of 4. `data` is read during the call. */
struct hal_update {
    struct hal_buf *dst;
    uint64_t offset_bytes;
    uint32_t size_bytes;
    const void *data;
};

/* The device's time, once every command before it has finished, into place i. */
struct hal_stamp {
    struct hal_stamps *stamps;
    uint32_t i;
};

/* HAL_CMD_SPLIT ends a segment: what follows goes into a further submit, so that no submit runs too long. */
enum hal_cmd_type {
    HAL_CMD_DISPATCH,
    HAL_CMD_COPY,
    HAL_CMD_FILL,
    HAL_CMD_UPDATE,
    HAL_CMD_BARRIER,
    HAL_CMD_SPLIT,
    HAL_CMD_STAMP
};

/* One entry of a recorded list; all pointers in it are valid during graph_build only. */
struct hal_cmd {
    enum hal_cmd_type type;
    union {
        struct hal_dispatch dispatch;
        struct hal_copy copy;
        struct hal_fill fill;
        struct hal_update update;
        struct hal_stamp stamp;
    };
};

struct hal_dev;

/* (o): may be NULL. */
struct greta_dev_ops {
    void (*dev_close)(struct hal_dev *dev);
    greta_status (*dev_mem_info)(struct hal_dev *dev, struct greta_mem_info *out);
    greta_status (*dev_wait_idle)(struct hal_dev *dev);
    /* (o) What the device has counted so far, of work that was waited for: fills up to `capacity` counters and sets *n to how many
     * there are, the same names in the same order in every call; values only grow. The first call may be what begins the counting.
     * For devices that are a program, whose counts repeat: NULL on hardware. */
    greta_status (*dev_counters)(struct hal_dev *dev, struct greta_counter *out, uint32_t capacity, uint32_t *n);

    greta_status (*buf_create)(struct hal_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind, struct hal_buf **out);
    void (*buf_destroy)(struct hal_dev *dev, struct hal_buf *buf);
    /* (o) A buffer over the caller's memory, which outlives it; host and device see the same bytes. NULL: ERR_UNSUPPORTED. */
    greta_status (*buf_wrap)(struct hal_dev *dev, void *memory, uint64_t size_bytes, struct hal_buf **out);
    /* (o) A buffer of GRETA_MEM_DEVICE with memory of its own, and a handle of limits.export_type by which another API or process gets at
     * it. Memory must be made for that: what buf_create gives is never exported. NULL: ERR_UNSUPPORTED. */
    greta_status (*buf_export)(struct hal_dev *dev, uint64_t size_bytes, struct hal_buf **out, struct greta_export *handle);

    greta_status (*stream_create)(struct hal_dev *dev, struct hal_stream **out);
    void (*stream_destroy)(struct hal_dev *dev, struct hal_stream *stream);
    /* (o) Hands recorded work to the device. NULL: the backend starts work as it is recorded. */
    greta_status (*stream_flush)(struct hal_dev *dev, struct hal_stream *stream);
    /* (o) The stream as the API has it, for a library of the vendor's that puts work on it; the calling thread is ready for calls of that
     * API on this device. NULL: there is none. */
    void *(*stream_native)(struct hal_dev *dev, struct hal_stream *stream);

    greta_status (*event_create)(struct hal_dev *dev, struct hal_event **out);
    void (*event_destroy)(struct hal_dev *dev, struct hal_event *event);
    /* Marks the point after all work recorded on the stream so far. May be recorded again; the last one counts. */
    greta_status (*event_record)(struct hal_dev *dev, struct hal_event *event, struct hal_stream *stream);
    /* ERR_TIMEOUT where it has not come to pass in timeout_ns (0 polls, UINT64_MAX waits for ever). Flushes the
     * recording stream if need be. rt never waits on an event that was never recorded. */
    greta_status (*event_wait)(struct hal_dev *dev, struct hal_event *event, uint64_t timeout_ns);
    /* (o) Device time between two events that have come to pass. NULL: host time is used. */
    greta_status (*event_elapsed)(struct hal_dev *dev, struct hal_event *from, struct hal_event *to, uint64_t *out_ns);
    /* Work recorded on `stream` from now on waits for the event (device side). */
    greta_status (*stream_wait_event)(struct hal_dev *dev, struct hal_stream *stream, struct hal_event *event);

    greta_status (*module_load)(struct hal_dev *dev, const struct greta_image *image, struct hal_module **out);
    void (*module_unload)(struct hal_dev *dev, struct hal_module *module); /* and its kernels */
    /* Compiles if need be; thread-safe, so that several are built in parallel. The kernel belongs to the module. */
    greta_status (*kernel_get)(struct hal_dev *dev, struct hal_module *module, const char *name,
                               const struct greta_constant *constants, uint32_t n_constants, struct hal_kernel **out);

    greta_status (*cmd_dispatch)(struct hal_dev *dev, struct hal_stream *stream, const struct hal_dispatch *cmd);
    greta_status (*cmd_copy)(struct hal_dev *dev, struct hal_stream *stream, const struct hal_copy *cmd);
    greta_status (*cmd_fill)(struct hal_dev *dev, struct hal_stream *stream, const struct hal_fill *cmd);
    greta_status (*cmd_update)(struct hal_dev *dev, struct hal_stream *stream, const struct hal_update *cmd);
    /* Everything before is finished and visible to everything after, device side, copies and host reads included. */
    greta_status (*cmd_barrier)(struct hal_dev *dev, struct hal_stream *stream);

    /* (o) All three or none. NULL: rt replays the list by the cmd_* entries. A graph begins with a full barrier and may
     * be launched again before its last launch has finished (in stream order). */
    greta_status (*graph_build)(struct hal_dev *dev, const struct hal_cmd *cmds, uint32_t n_cmds, struct hal_graph **out);
    greta_status (*graph_launch)(struct hal_dev *dev, struct hal_stream *stream, struct hal_graph *graph);
    void (*graph_destroy)(struct hal_dev *dev, struct hal_graph *graph);

    /*
     * (o) Timestamps: n places for the device's time, each empty until a stamp is written to it. All four or none; NULL, and
     * limits.timestamp_bits 0: commands cannot read a clock. A stamp orders nothing and no barrier is needed around it.
     * On a stream an empty place takes one stamp; in a graph a place takes one stamp in each launch, whether it was read or not.
     */
    greta_status (*stamps_create)(struct hal_dev *dev, uint32_t n, struct hal_stamps **out);
    void (*stamps_destroy)(struct hal_dev *dev, struct hal_stamps *stamps);
    greta_status (*cmd_stamp)(struct hal_dev *dev, struct hal_stream *stream, const struct hal_stamp *cmd);
    /* The places [first, first + n), in ticks of limits.timestamp_period_ns from a zero of the device's own, modulo
     * 2^timestamp_bits; 0 where the stamp has not come to pass. Does not wait. What was read is empty again. */
    greta_status (*stamps_read)(struct hal_dev *dev, struct hal_stamps *stamps, uint32_t first, uint32_t n, uint64_t *out_ticks);
};

/* First member of a backend's device. info and limits are filled by dev_open. */
struct hal_dev {
    const struct greta_dev_ops *ops;
    struct greta_dev_info info;
    struct greta_limits limits;
    const struct greta_log *log;
};

struct hal_open_params {
    const struct greta_log *log;
    const char *cache_dir; /* for compiled pipelines; NULL: none is kept */
    const char *library;   /* overrides the library's name (GRETA_VULKAN_LIBRARY, GRETA_HIP_LIBRARY); NULL: the usual names */
    unsigned n_threads;    /* of the cpu backend; 0: all */
    bool validation;       /* ask for the API's validation layer */
};

struct greta_backend {
    const char *name;
    enum greta_image_format image_format;
    /* Opens the backend's library. ERR_UNAVAILABLE is a normal answer, with the reason logged at info level. */
    greta_status (*open)(const struct hal_open_params *params, void **out_instance);
    /* Fills up to `capacity` infos and sets *n to how many devices there are. */
    greta_status (*list)(void *instance, struct greta_dev_info *infos, uint32_t capacity, uint32_t *n);
    greta_status (*dev_open)(void *instance, uint32_t i_device, struct hal_dev **out);
    void (*close)(void *instance);
};

/* The registry: NULL-terminated, in order of the probe's preference. A backend defines one const struct greta_backend,
 * cpu_backend, vk_backend or hip_backend, and has its line in hal/registry.c. */
extern const struct greta_backend *const hal_backends[];

/* Shims. Both take over `inner` (closing the shim closes it), also when they fail. */
struct hal_fault_params {
    uint64_t fail_call;           /* the n-th fallible call (1-based) fails; 0: none does */
    greta_status fail_status;     /* with this status */
    struct greta_limits lower;    /* every non-zero field lowers the inner device's limit; true takes unified or
                                     host_visible_vram away (then the host sees no GRETA_MEM_DEVICE) */
};
greta_status hal_fault_wrap(struct hal_dev *inner, const struct hal_fault_params *params, struct hal_dev **out);
uint64_t hal_fault_n_calls(const struct hal_dev *dev);

/* Writes one line per call, "dispatch matvec_f16 128x1x1 ..." with stable numbers in place of pointers. */
greta_status hal_trace_wrap(struct hal_dev *inner, void (*line)(void *user, const char *text), void *user, struct hal_dev **out);

#endif
