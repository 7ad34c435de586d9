/*
 * The HIP backend's own header. An instance and its boards are constant once opened; HIP itself is thread-safe, with the current
 * device a matter of each thread, so every entry sets it first (hip_enter). A module's list of kernels has a lock.
 * Order: a stream runs its commands one after another, each seeing what its predecessors wrote, so barriers are empty.
 */
#ifndef HIP_H
#define HIP_H

#include <hal.h>

#include "hip_api.h"

#include <dl.h>

#include <pthread.h>
#include <stdatomic.h>

extern const struct greta_backend hip_backend;

/* ---- instance --------------------------------------------------------------------------------------------------- */

struct hip_board {
    struct greta_dev_info info;
    struct greta_limits limits;
    char target[64]; /* "gfx942:sramecc+:xnack-": the architecture and its modes */
    int ordinal;     /* HIP's number of the device */
};

struct hip_instance {
    const struct greta_log *log;
    struct dl library;
    struct hip_fns fn;
    hip_counters_fn *counters; /* NULL in AMD's libraries */
    int version;               /* as hipRuntimeGetVersion tells it: 10,000,000 a major version */
    struct hip_board *boards;
    uint32_t n_boards;
};

/* Fills a board from what the library tells of device `ordinal`. */
greta_status hip_board_fill(struct hip_instance *instance, int ordinal, struct hip_board *board);

/* ---- device ------------------------------------------------------------------------------------------------------ */

struct hip_device {
    struct hal_dev base;
    struct greta_dev_ops ops; /* base.ops; without dev_counters where the library has none */
    const struct hip_fns *fn;
    hip_counters_fn *counters;
    const struct hip_board *board;
    atomic_bool lost;
    struct hal_module *updates; /* the kernel behind cmd_update */
    struct hal_kernel *update;
    pthread_mutex_t stamp_lock;
    struct hal_module *stamp_module; /* the kernel behind cmd_stamp; NULL until it is wanted */
    struct hal_kernel *stamp;
};

static inline struct hip_device *hip_device(struct hal_dev *dev) {
    return (struct hip_device *)dev;
}

greta_status hip_dev_open(void *instance, uint32_t i_device, struct hal_dev **out);

const char *hip_error_name(hipError_t error);
greta_status hip_error_status(hipError_t error);
/* OK for hipSuccess; else logs "call: NAME (what)" and gives the status. A lost device is remembered, and named once. */
greta_status hip_check(struct hip_device *dev, hipError_t error, const char *call, const char *what);
#define HIP(dev, function, args, what) hip_check(dev, (dev)->fn->function args, "hip" #function, what)
/* Makes the device the thread's current one. ERR_DEVICE_LOST once it was lost. */
greta_status hip_enter(struct hip_device *dev);

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

struct hip_buf {
    struct hal_buf base;
    bool wrapped; /* the caller's memory, registered */
};

greta_status hip_dev_mem_info(struct hal_dev *dev, struct greta_mem_info *out);
greta_status hip_buf_create(struct hal_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                            struct hal_buf **out);
void hip_buf_destroy(struct hal_dev *dev, struct hal_buf *buf);
greta_status hip_buf_export(struct hal_dev *dev, uint64_t size_bytes, struct hal_buf **out,
                            struct greta_export *handle);
greta_status hip_buf_wrap(struct hal_dev *dev, void *memory, uint64_t size_bytes, struct hal_buf **out);

/* ---- images ------------------------------------------------------------------------------------------------------ */

/* What a code object's notes tell of one kernel. */
struct hip_facts {
    char *name;
    struct greta_kernel_info info;
    uint32_t args_bytes; /* without the hidden ones behind them */
    uint32_t max_threads;
};

struct hip_code {
    const unsigned char *data; /* the ELF, inside the image */
    size_t size_bytes;
    struct hip_facts *kernels;
    uint32_t n_kernels;
};

/*
 * The image is a clang offload bundle: finds the code object for `target` and reads its notes. ERR_UNSUPPORTED, with what the
 * bundle holds in the message, where there is none; ERR_FORMAT where the bytes are not what they should be.
 */
greta_status hip_code_find(const struct greta_log *log, const struct greta_image *image, const char *target,
                           struct hip_code *out);
/* The notes of one code object: fills kernels and n_kernels. ERR_FORMAT, ERR_NO_MEMORY; says nothing. */
greta_status hip_notes_read(struct hip_code *code);
/* Frees what the notes filled. */
void hip_code_free(struct hip_code *code);

/* ---- modules ----------------------------------------------------------------------------------------------------- */

enum { HIP_MAX_ARGS_BYTES = 320 }; /* of a kernel: the block's limit, and an update with its pointer */

struct hip_kernel {
    struct hal_kernel base;
    hipFunction_t function;
    uint32_t threads, args_bytes;
    struct hip_kernel *next;
};

struct hip_module {
    struct hal_module base;
    struct hip_code code;
    void *copy; /* of the code object, where the image's alignment is not an ELF's */
    const char *name;
    hipModule_t handle;
    pthread_mutex_t lock; /* of the list */
    struct hip_kernel *kernels;
};

greta_status hip_module_load(struct hal_dev *dev, const struct greta_image *image, struct hal_module **out);
void hip_module_unload(struct hal_dev *dev, struct hal_module *module);
greta_status hip_kernel_get(struct hal_dev *dev, struct hal_module *module, const char *name,
                            const struct greta_constant *constants, uint32_t n_constants,
                            struct hal_kernel **out);
/* The image that holds the kernel of updates; its architectures are those that this binary has device code for. */
extern const struct greta_image hip_update_image;

/* ---- streams, events, graphs ------------------------------------------------------------------------------------- */

struct hip_stream {
    struct hal_stream base;
    hipStream_t handle;
};

greta_status hip_stream_create(struct hal_dev *dev, struct hal_stream **out);
void hip_stream_destroy(struct hal_dev *dev, struct hal_stream *stream);
void *hip_stream_native(struct hal_dev *dev, struct hal_stream *stream);
greta_status hip_stream_wait_event(struct hal_dev *dev, struct hal_stream *stream, struct hal_event *event);
greta_status hip_cmd_dispatch(struct hal_dev *dev, struct hal_stream *stream, const struct hal_dispatch *cmd);
greta_status hip_cmd_copy(struct hal_dev *dev, struct hal_stream *stream, const struct hal_copy *cmd);
greta_status hip_cmd_fill(struct hal_dev *dev, struct hal_stream *stream, const struct hal_fill *cmd);
greta_status hip_cmd_update(struct hal_dev *dev, struct hal_stream *stream, const struct hal_update *cmd);
greta_status hip_cmd_barrier(struct hal_dev *dev, struct hal_stream *stream);

struct hip_event {
    struct hal_event base;
    hipEvent_t handle;
};

greta_status hip_event_create(struct hal_dev *dev, struct hal_event **out);
void hip_event_destroy(struct hal_dev *dev, struct hal_event *event);
greta_status hip_event_record(struct hal_dev *dev, struct hal_event *event, struct hal_stream *stream);
greta_status hip_event_wait(struct hal_dev *dev, struct hal_event *event, uint64_t timeout_ns);
greta_status hip_event_elapsed(struct hal_dev *dev, struct hal_event *from, struct hal_event *to,
                               uint64_t *out_ns);

struct hip_stamps {
    struct hal_stamps base;
    struct hal_buf *buf; /* a word a place */
};

greta_status hip_stamps_create(struct hal_dev *dev, uint32_t n, struct hal_stamps **out);
void hip_stamps_destroy(struct hal_dev *dev, struct hal_stamps *stamps);
greta_status hip_cmd_stamp(struct hal_dev *dev, struct hal_stream *stream, const struct hal_stamp *cmd);
greta_status hip_stamps_read(struct hal_dev *dev, struct hal_stamps *stamps, uint32_t first, uint32_t n,
                             uint64_t *out_ticks);

struct hip_graph {
    struct hal_graph base;
    uint32_t n_segments;
    hipGraphExec_t segments[];
};

greta_status hip_graph_build(struct hal_dev *dev, const struct hal_cmd *cmds, uint32_t n_cmds,
                             struct hal_graph **out);
greta_status hip_graph_launch(struct hal_dev *dev, struct hal_stream *stream, struct hal_graph *graph);
void hip_graph_destroy(struct hal_dev *dev, struct hal_graph *graph);

#endif
