/* The cpu backend: images are C functions, commands run at once on a pool of threads. */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "hal.h"
#include "thread.h"

#include <pthread.h>

enum { CPU_MAX_BINDINGS = 16, CPU_MAX_CONSTANTS_BYTES = 128 };

struct cpu_dev {
    struct hal_dev hal;
    struct thread_pool *pool;
};

struct cpu_buf {
    struct hal_buf hal;
    size_t mapped_bytes; /* from mmap; 0: from the allocator */
    bool wrapped;        /* the caller's memory */
};

struct cpu_event {
    struct hal_event hal;
    uint64_t time_ns;
};

struct cpu_stamps {
    struct hal_stamps hal;
    uint64_t times_ns[];
};

struct cpu_kernel {
    struct hal_kernel hal;
    struct cpu_kernel *next;
    greta_host_fn *fn;
    uint32_t n_constants;
    uint32_t constants[];
};

struct cpu_module {
    struct hal_module hal;
    struct greta_image image;
    pthread_mutex_t lock;
    struct cpu_kernel *kernels;
};

/* buffer.c */
void cpu_memory(uint64_t *total_bytes, uint64_t *available_bytes);
greta_status cpu_buf_create(struct hal_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                            struct hal_buf **out);
greta_status cpu_buf_wrap(struct hal_dev *dev, void *memory, uint64_t size_bytes, struct hal_buf **out);
greta_status cpu_buf_export(struct hal_dev *dev, uint64_t size_bytes, struct hal_buf **out,
                            struct greta_export *handle);
void cpu_buf_destroy(struct hal_dev *dev, struct hal_buf *buf);

/* module.c */
greta_status cpu_module_load(struct hal_dev *dev, const struct greta_image *image, struct hal_module **out);
void cpu_module_unload(struct hal_dev *dev, struct hal_module *module);
greta_status cpu_kernel_get(struct hal_dev *dev, struct hal_module *module, const char *name,
                            const struct greta_constant *constants, uint32_t n_constants,
                            struct hal_kernel **out);

/* stream.c */
greta_status cpu_stream_create(struct hal_dev *dev, struct hal_stream **out);
void cpu_stream_destroy(struct hal_dev *dev, struct hal_stream *stream);
greta_status cpu_event_create(struct hal_dev *dev, struct hal_event **out);
void cpu_event_destroy(struct hal_dev *dev, struct hal_event *event);
greta_status cpu_event_record(struct hal_dev *dev, struct hal_event *event, struct hal_stream *stream);
greta_status cpu_event_wait(struct hal_dev *dev, struct hal_event *event, uint64_t timeout_ns);
greta_status cpu_event_elapsed(struct hal_dev *dev, struct hal_event *from, struct hal_event *to,
                               uint64_t *out_ns);
greta_status cpu_stream_wait_event(struct hal_dev *dev, struct hal_stream *stream, struct hal_event *event);
greta_status cpu_cmd_dispatch(struct hal_dev *dev, struct hal_stream *stream, const struct hal_dispatch *cmd);
greta_status cpu_cmd_copy(struct hal_dev *dev, struct hal_stream *stream, const struct hal_copy *cmd);
greta_status cpu_cmd_fill(struct hal_dev *dev, struct hal_stream *stream, const struct hal_fill *cmd);
greta_status cpu_cmd_update(struct hal_dev *dev, struct hal_stream *stream, const struct hal_update *cmd);
greta_status cpu_cmd_barrier(struct hal_dev *dev, struct hal_stream *stream);
greta_status cpu_stamps_create(struct hal_dev *dev, uint32_t n, struct hal_stamps **out);
void cpu_stamps_destroy(struct hal_dev *dev, struct hal_stamps *stamps);
greta_status cpu_cmd_stamp(struct hal_dev *dev, struct hal_stream *stream, const struct hal_stamp *cmd);
greta_status cpu_stamps_read(struct hal_dev *dev, struct hal_stamps *stamps, uint32_t first, uint32_t n,
                             uint64_t *out_ticks);

#endif
