/* What every layer calls things: kinds of memory, images, bindings, limits, devices. */
#ifndef GRETA_TYPES_H
#define GRETA_TYPES_H

#include <greta/log.h>
#include <greta/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* DEVICE: fast for kernels, not mapped. UPLOAD: host writes, device reads. READBACK: device writes, host reads (cached).
 * UNIFIED: both, at full speed; only where limits.unified. */
enum greta_mem_kind { GRETA_MEM_DEVICE, GRETA_MEM_UPLOAD, GRETA_MEM_READBACK, GRETA_MEM_UNIFIED, GRETA_N_MEM_KINDS };

enum greta_access { GRETA_READ = 1, GRETA_WRITE = 2, GRETA_READ_WRITE = 3 };

enum greta_image_format { GRETA_IMAGE_HOST, GRETA_IMAGE_SPIRV, GRETA_IMAGE_AMDGPU };

/*
 * One workgroup of a kernel in C. `args` is the argument block: one pointer per binding in order, then the constants.
 * `keys` are the kernel_get constants' values in the order given there. Groups run in any order, on several threads.
 */
struct greta_host_group {
    uint32_t id[3], count[3];
    unsigned i_thread; /* of n_threads: for scratch memory of one thread's own */
    unsigned n_threads;
    const uint32_t *constants;
    uint32_t n_constants;
};
typedef void greta_host_fn(const struct greta_host_group *group, const void *args);

struct greta_host_entry {
    const char *name;
    greta_host_fn *fn;
};

/* Code as bytes. For GRETA_IMAGE_HOST `data` points at an array of greta_host_entry and size_bytes is its size.
 * The bytes must outlive the module. */
struct greta_image {
    enum greta_image_format format;
    const void *data;
    size_t size_bytes;
    const char *name; /* for messages; may be NULL */
};

/* A specialization constant: its id in SPIR-V; HIP and C take them by order. 32 bits, also for float and bool. */
struct greta_constant {
    uint32_t id, value;
};
/* A constant with this id is none of the code's: it asks for that subgroup size, where limits.subgroup_min < subgroup_max. It
 * goes last. Backends without a choice of sizes pass over it. */
#define GRETA_CONSTANT_SUBGROUP_SIZE 0xffffffffU

/* What the driver tells of a compiled kernel; 0 = not told. */
struct greta_kernel_info {
    uint32_t n_registers, scratch_bytes, lds_bytes, subgroup_size;
};

/* One size of the device's matrix unit: D (m x n) = A (m x k) * B (k x n) + C. Types are enum greta_component. */
enum greta_component {
    GRETA_COMPONENT_NONE,
    GRETA_COMPONENT_F32,
    GRETA_COMPONENT_F16,
    GRETA_COMPONENT_BF16,
    GRETA_COMPONENT_S8,
    GRETA_COMPONENT_S32,
    GRETA_COMPONENT_FP8,
    GRETA_COMPONENT_F64
};
struct greta_matrix_op {
    uint16_t m, n, k;
    uint8_t type_ab, type_cd; /* enum greta_component */
};

/* One kind of matrices that a whole workgroup of n_threads holds: their sizes are multiples of the unit's m, n and k. */
struct greta_group_matrix_op {
    struct greta_matrix_op unit;
    uint32_t n_threads;
};

/* Plain numbers; 0 = not supported or not known. */
/* How another API or another process gets at a buffer's memory. */
enum greta_export_type {
    GRETA_EXPORT_NONE,
    GRETA_EXPORT_MAPPABLE_FD, /* a file descriptor for mmap: the memory is the host's */
    GRETA_EXPORT_OPAQUE_FD,   /* a file descriptor that an API imports, on the same device and driver */
    GRETA_EXPORT_IPC          /* 64 bytes that another process opens, on the same device */
};

struct greta_export {
    enum greta_export_type type;
    int fd;               /* -1 where the type has none. The caller's, who closes it, or an importer's, who took it over */
    unsigned char ipc[64];
    uint64_t size_bytes;  /* of the memory, which an importer may have to name; the buffer begins where it does */
};

struct greta_limits {
    uint64_t max_buf_bytes;
    uint32_t max_bindings, max_args_bytes; /* args: 8 a binding plus the constants */
    uint32_t max_groups[3], max_group_threads, max_lds_bytes;
    uint32_t subgroup_min, subgroup_max;
    uint32_t n_compute_units;
    uint32_t buf_alignment, max_update_bytes;
    double timestamp_period_ns;
    uint32_t timestamp_bits; /* of the device's clock, which wraps after 2^bits ticks of that period; 0: commands cannot read it */
    bool unified, host_visible_vram, is_cpu;
    bool is_emulated; /* a program executes the code: results are the device's, times are counts of instructions */
    bool has_f16, has_i8, has_16bit_storage, has_8bit_storage, has_int_dot, has_bf16;
    bool has_graph;
    struct greta_matrix_op matrix_ops[16];
    uint32_t n_matrix_ops;
    uint32_t max_matrix_sums; /* results of the unit that a subgroup can keep in registers; 0: as many as fit */
    struct greta_group_matrix_op group_matrix_ops[8];
    uint32_t n_group_matrix_ops, max_group_matrix_size; /* size: of any dimension */
    uint64_t peak_bytes_per_s; /* measured, where a measurement is stored */
    enum greta_export_type export_type; /* what greta_buf_export gives; NONE: it is not supported */
    uint64_t peers; /* bit i: this device can reach the memory of device i of the same backend by itself; its own bit is 0 */
};

/* One thing that a device counts. */
struct greta_counter {
    const char *name; /* "lds_conflict_cycles": letters, digits, underscores */
    uint64_t value;
};

enum greta_dev_type { GRETA_DEV_OTHER, GRETA_DEV_CPU, GRETA_DEV_INTEGRATED, GRETA_DEV_DISCRETE };

struct greta_dev_info {
    char name[128];    /* "AMD Radeon 760M (RADV PHOENIX)" */
    char backend[16];  /* "vulkan" */
    char arch[32];     /* "gfx1103", or "" */
    char driver[96];   /* name and version */
    uint32_t i_device; /* index within the backend: "vulkan:0" */
    enum greta_dev_type type;
    uint8_t uuid[16];
    bool has_uuid;
    char pci[16]; /* "0000:c1:00.0", or "" */
    uint64_t memory_bytes;
};

struct greta_mem_info {
    uint64_t total_bytes, free_bytes; /* over all heaps that serve device memory */
};

#ifdef __cplusplus
}
#endif
#endif
