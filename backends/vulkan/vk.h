/*
 * The Vulkan backend's own header. Objects, and who may touch them:
 *  - an instance and what the probe found are constant once opened;
 *  - a device's queue is under queue_lock, its timestamp pools under query_lock, the heaps' use is atomic;
 *  - a stream has a lock, because a wait on an event from another thread may have to flush it;
 *  - lock order: stream, then queue. No two streams' locks are held at once.
 */
#ifndef VK_H
#define VK_H

#include <hal.h>

#include "functions.h"

#include <dl.h>

#include <pthread.h>
#include <stdatomic.h>

/* ---- features -------------------------------------------------------------------------------------------------- */

/* Extensions that are enabled where the device has them. X(enum name, extension name) */
#define VK_EXTENSION_LIST(X)                                                       \
    X(MEMORY_BUDGET, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME)                          \
    X(MEMORY_PRIORITY, VK_EXT_MEMORY_PRIORITY_EXTENSION_NAME)                      \
    X(PAGEABLE_MEMORY, VK_EXT_PAGEABLE_DEVICE_LOCAL_MEMORY_EXTENSION_NAME)         \
    X(EXTERNAL_MEMORY_HOST, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME)            \
    X(EXTERNAL_MEMORY_FD, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME)                \
    X(PCI_BUS_INFO, VK_EXT_PCI_BUS_INFO_EXTENSION_NAME)                            \
    X(EXECUTABLE_PROPERTIES, VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME) \
    X(EXPLICIT_LAYOUT, VK_KHR_WORKGROUP_MEMORY_EXPLICIT_LAYOUT_EXTENSION_NAME)     \
    X(COOPERATIVE_MATRIX, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME)                \
    X(COOPERATIVE_MATRIX2, VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME)              \
    X(BFLOAT16, VK_KHR_SHADER_BFLOAT16_EXTENSION_NAME)                             \
    X(FLOAT8, VK_EXT_SHADER_FLOAT8_EXTENSION_NAME)                                 \
    X(AMD_SHADER_CORE, VK_AMD_SHADER_CORE_PROPERTIES_EXTENSION_NAME)               \
    X(AMD_SHADER_CORE2, VK_AMD_SHADER_CORE_PROPERTIES_2_EXTENSION_NAME)            \
    X(NV_SM_BUILTINS, VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME)

enum vk_extension {
#define VK_EXTENSION_ENUM(name, string) VK_HAS_##name,
    VK_EXTENSION_LIST(VK_EXTENSION_ENUM)
#undef VK_EXTENSION_ENUM
        VK_N_EXTENSIONS
};

/* Every feature struct that is asked and set. Copies are relinked by vk_features_link. */
struct vk_features {
    VkPhysicalDeviceFeatures2 core;
    VkPhysicalDeviceVulkan11Features v11;
    VkPhysicalDeviceVulkan12Features v12;
    VkPhysicalDeviceVulkan13Features v13;
    VkPhysicalDeviceMemoryPriorityFeaturesEXT priority;
    VkPhysicalDevicePageableDeviceLocalMemoryFeaturesEXT pageable;
    VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable;
    VkPhysicalDeviceWorkgroupMemoryExplicitLayoutFeaturesKHR layout;
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix;
    VkPhysicalDeviceCooperativeMatrix2FeaturesNV matrix2;
    VkPhysicalDeviceShaderBfloat16FeaturesKHR bfloat16;
    VkPhysicalDeviceShaderFloat8FeaturesEXT float8;
    VkPhysicalDeviceShaderSMBuiltinsFeaturesNV sm_builtins;
};

extern const struct greta_backend vk_backend;

/* ---- instance and probe ----------------------------------------------------------------------------------------- */

/* Faults of drivers to work around: set by the probe's table, each with its reason there. */
struct vk_quirks {
    bool no_memory;       /* allocate nothing, never ask for the memory budget */
    bool soft_heaps;      /* the heaps' sizes are no limit */
    bool few_matrix_sums; /* the compiler keeps 8 results of the matrix unit in registers, not 16 */
};

enum { VK_MAX_TYPES = VK_MAX_MEMORY_TYPES };

/*
 * Device buffers from here on are in memory of a discrete device that the host does not see: it is there sooner (NVIDIA H200: 1.1 ms a GB,
 * 9 where the host could see it), and what large ones hold comes by copies of the device anyway.
 */
enum { VK_LARGE_BYTES = 16 << 20 };

/* Memory types that serve a kind, best first. */
struct vk_type_list {
    uint32_t n;
    uint8_t types[VK_MAX_TYPES];
};

struct vk_physical {
    VkPhysicalDevice handle;
    struct greta_dev_info info;
    struct greta_limits limits;
    struct vk_features features; /* those that dev_open enables */
    bool has[VK_N_EXTENSIONS];
    struct vk_quirks quirks;
    VkPhysicalDeviceMemoryProperties memory;
    struct vk_type_list types[GRETA_N_MEM_KINDS];
    struct vk_type_list large_types; /* of device buffers from VK_LARGE_BYTES on */
    uint64_t min_import_bytes;       /* alignment of imported host memory, 0: none */
    uint32_t i_queue_family;
    uint64_t timestamp_mask; /* 0: no timestamps */
    uint32_t subgroup_default;
    VkSubgroupFeatureFlags subgroup_ops;
    bool can_choose_subgroup; /* a required size is allowed in compute shaders */
    VkDriverId driver_id;
    uint32_t vendor_id, device_id;
    uint8_t cache_uuid[VK_UUID_SIZE];
};

struct vk_instance {
    const struct greta_log *log;
    struct dl library;
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
    struct vk_global_fns global;
    struct vk_instance_fns fn;
    VkInstance handle;
    VkDebugUtilsMessengerEXT messenger;
    atomic_uint n_validation_errors;
    bool validation;
    char *cache_dir;
    struct vk_physical *devices;
    uint32_t n_devices;
};

/* Fills *devices with those that can be used; what is left out is said at debug level. */
greta_status vk_probe(struct vk_instance *instance);
/* Chains the structs whose extension is there; returns the head. */
void *vk_features_link(struct vk_features *features, const bool has[VK_N_EXTENSIONS]);
const char *vk_extension_name(enum vk_extension extension);
/* "gfx1103" where the device's name or PCI id tells, else "". */
const char *vk_arch_name(const char *device_name, uint32_t vendor_id, uint32_t device_id);
/* Which memory types serve which kind; sets limits.unified and limits.host_visible_vram. */
void vk_memory_ask_export(struct vk_instance *instance, struct vk_physical *physical);
void vk_memory_classify(struct vk_physical *physical);

/* ---- device ----------------------------------------------------------------------------------------------------- */

enum { VK_QUERIES_PER_POOL = 256 };

struct vk_query_pool {
    struct vk_query_pool *next;
    VkQueryPool handle;
    uint32_t n_free;
    bool used[VK_QUERIES_PER_POOL];
};

struct vk_device {
    struct hal_dev base;
    struct greta_dev_ops ops;
    const struct vk_instance *instance;
    const struct vk_physical *physical;
    struct vk_device_fns fn;
    VkDevice handle;
    VkQueue queue;
    pthread_mutex_t queue_lock, query_lock;
    VkPipelineLayout layout;
    VkPipelineCache cache;
    atomic_uint n_new_pipelines; /* since the cache was last saved */
    struct vk_query_pool *query_pools;
    atomic_bool lost;
    _Atomic uint64_t heap_used_bytes[VK_MAX_MEMORY_HEAPS];
};

static inline struct vk_device *vk_device(struct hal_dev *dev) {
    return (struct vk_device *)dev;
}

extern const struct greta_dev_ops vk_dev_ops;
greta_status vk_dev_open(void *instance, uint32_t i_device, struct hal_dev **out);
void vk_dev_close(struct hal_dev *dev);
greta_status vk_dev_mem_info(struct hal_dev *dev, struct greta_mem_info *out);
greta_status vk_dev_wait_idle(struct hal_dev *dev);

const char *vk_result_name(VkResult result);
greta_status vk_result_status(VkResult result);
/* Logs "call: NAME (what)" and gives the status; a lost device is remembered, and named once. */
greta_status vk_fail(struct vk_device *dev, VkResult result, const char *call, const char *what);
/* ERR_DEVICE_LOST once the device was lost. */
static inline greta_status vk_alive(struct vk_device *dev) {
    return atomic_load_explicit(&dev->lost, memory_order_relaxed) ? GRETA_ERR_DEVICE_LOST : GRETA_OK;
}

/* The pipeline cache on disk. A missing, foreign or broken file is an empty cache. */
greta_status vk_cache_open(struct vk_device *dev);
void vk_cache_save(struct vk_device *dev);

/* ---- buffers ---------------------------------------------------------------------------------------------------- */

struct vk_buf {
    struct hal_buf base;
    VkExternalMemoryHandleTypeFlags external; /* what its memory is imported from or exported as; 0: neither */
    VkBuffer handle;
    VkDeviceMemory memory;
    uint64_t memory_bytes;
    uint32_t i_type, i_heap;
    void *pages; /* host pages behind imported memory (guard pages under validation), or NULL */
    uint64_t pages_bytes;
};

greta_status vk_buf_create(struct hal_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                           struct hal_buf **out);
greta_status vk_buf_export(struct hal_dev *dev, uint64_t size_bytes, struct hal_buf **out,
                           struct greta_export *handle);
void vk_buf_destroy(struct hal_dev *dev, struct hal_buf *buf);

/* ---- modules and kernels ---------------------------------------------------------------------------------------- */

struct vk_kernel {
    struct hal_kernel base;
    VkPipeline pipeline;
    struct vk_kernel *next;
};

struct vk_module {
    struct hal_module base;
    struct greta_image image;
    VkShaderModule handle;
    pthread_mutex_t lock; /* of the list */
    struct vk_kernel *kernels;
};

greta_status vk_module_load(struct hal_dev *dev, const struct greta_image *image, struct hal_module **out);
void vk_module_unload(struct hal_dev *dev, struct hal_module *module);
greta_status vk_kernel_get(struct hal_dev *dev, struct hal_module *module, const char *name,
                           const struct greta_constant *constants, uint32_t n_constants,
                           struct hal_kernel **out);

/* Looks through a SPIR-V module: is it well formed, and does the device have each capability that it asks for? */
greta_status vk_spirv_check(const struct vk_device *dev, const struct greta_image *image);
bool vk_spirv_has_entry(const struct greta_image *image, const char *name);
/* The workgroup's size in x with these constants; 0 where it cannot be told. */
uint32_t vk_spirv_group_x(const struct greta_image *image, const char *name,
                          const struct greta_constant *constants, uint32_t n_constants);

/* ---- recording --------------------------------------------------------------------------------------------------- */

/* What a command buffer has bound so far. */
struct vk_recorder {
    VkCommandBuffer cb;
    VkPipeline pipeline;
};

void vk_record_dispatch(struct vk_device *dev, struct vk_recorder *r, const struct hal_dispatch *cmd);
void vk_record_copy(struct vk_device *dev, struct vk_recorder *r, const struct hal_copy *cmd);
void vk_record_fill(struct vk_device *dev, struct vk_recorder *r, const struct hal_fill *cmd);
void vk_record_update(struct vk_device *dev, struct vk_recorder *r, const struct hal_update *cmd);
void vk_record_barrier(struct vk_device *dev, struct vk_recorder *r);
/* What came before is visible to the host: the end of each submit. */
void vk_record_host_barrier(struct vk_device *dev, struct vk_recorder *r);

/* ---- streams ------------------------------------------------------------------------------------------------------ */

enum {
    VK_N_BATCHES = 8,        /* submits under way per stream */
    VK_BATCH_CBS = 8,        /* command buffers of one: one more than graph launches in it */
    VK_MAX_PENDING = 64,     /* command buffers of one vkQueueSubmit2, graphs' segments included */
    VK_MAX_WAITS = 16,       /* other streams that one waits for */
    VK_FLUSH_COMMANDS = 256, /* a recording longer than this is submitted unasked */
};

struct vk_batch {
    VkCommandPool pool;
    VkCommandBuffer cbs[VK_BATCH_CBS];
    uint32_t n_allocated, n_used;
    bool stale;     /* holds what an earlier round left */
    uint64_t value; /* the timeline's value once the device is done with it */
    uint32_t n_waits;
    struct vk_stream *wait_streams[VK_MAX_WAITS]; /* their semaphores must outlive the wait */
};

struct vk_stream {
    struct hal_stream base;
    atomic_uint refs; /* the owner and each event recorded on it */
    pthread_mutex_t lock;
    VkSemaphore timeline;
    _Atomic uint64_t submitted; /* the last value that a submit signals */
    uint64_t next;              /* the value that the work being recorded will signal */
    struct vk_batch batches[VK_N_BATCHES];
    uint32_t i_batch;
    struct vk_recorder recorder; /* cb NULL: nothing is being recorded */
    uint32_t n_commands;         /* since the last submit */
    /* What the next vkQueueSubmit2 takes: command buffers, and how many of them end each submit info. */
    uint32_t n_pending, n_infos, n_in_info;
    bool info_has_graph;
    VkCommandBufferSubmitInfo pending[VK_MAX_PENDING];
    uint32_t info_cbs[VK_MAX_PENDING];
    uint32_t n_waits;
    VkSemaphoreSubmitInfo waits[VK_MAX_WAITS];
    struct vk_stream *wait_streams[VK_MAX_WAITS];
};

greta_status vk_stream_create(struct hal_dev *dev, struct hal_stream **out);
void vk_stream_destroy(struct hal_dev *dev, struct hal_stream *stream);
greta_status vk_stream_flush(struct hal_dev *dev, struct hal_stream *stream);
greta_status vk_stream_wait_event(struct hal_dev *dev, struct hal_stream *stream, struct hal_event *event);

void vk_stream_ref(struct vk_stream *stream);
void vk_stream_unref(struct vk_device *dev, struct vk_stream *stream);
/* Submits what is recorded, if `value` is not yet submitted. */
greta_status vk_stream_submit_to(struct vk_device *dev, struct vk_stream *stream, uint64_t value);
/* Waits until the timeline has come to `value`, which is submitted. */
greta_status vk_stream_wait_value(struct vk_device *dev, struct vk_stream *stream, uint64_t value,
                                  uint64_t timeout_ns);
/* With the lock held: a command buffer to record into (in stream->recorder). */
greta_status vk_stream_begin(struct vk_device *dev, struct vk_stream *stream);
/* With the lock held: hands everything to the device. */
greta_status vk_stream_submit(struct vk_device *dev, struct vk_stream *stream);

greta_status vk_cmd_dispatch(struct hal_dev *dev, struct hal_stream *stream, const struct hal_dispatch *cmd);
greta_status vk_cmd_copy(struct hal_dev *dev, struct hal_stream *stream, const struct hal_copy *cmd);
greta_status vk_cmd_fill(struct hal_dev *dev, struct hal_stream *stream, const struct hal_fill *cmd);
greta_status vk_cmd_update(struct hal_dev *dev, struct hal_stream *stream, const struct hal_update *cmd);
greta_status vk_cmd_barrier(struct hal_dev *dev, struct hal_stream *stream);

/* ---- events and graphs ------------------------------------------------------------------------------------------- */

struct vk_event {
    struct hal_event base;
    struct vk_stream *stream; /* NULL: never recorded */
    uint64_t value;
    struct vk_query_pool *pool; /* NULL: the device has no timestamps */
    uint32_t i_query;
};

greta_status vk_event_create(struct hal_dev *dev, struct hal_event **out);
void vk_event_destroy(struct hal_dev *dev, struct hal_event *event);
greta_status vk_event_record(struct hal_dev *dev, struct hal_event *event, struct hal_stream *stream);
greta_status vk_event_wait(struct hal_dev *dev, struct hal_event *event, uint64_t timeout_ns);
greta_status vk_event_elapsed(struct hal_dev *dev, struct hal_event *from, struct hal_event *to,
                              uint64_t *out_ns);

struct vk_stamps {
    struct hal_stamps base;
    VkQueryPool pool;
};

greta_status vk_stamps_create(struct hal_dev *dev, uint32_t n, struct hal_stamps **out);
void vk_stamps_destroy(struct hal_dev *dev, struct hal_stamps *stamps);
greta_status vk_stamps_read(struct hal_dev *dev, struct hal_stamps *stamps, uint32_t first, uint32_t n,
                            uint64_t *out_ticks);
greta_status vk_cmd_stamp(struct hal_dev *dev, struct hal_stream *stream, const struct hal_stamp *cmd);
void vk_record_stamp(struct vk_device *dev, struct vk_recorder *r, const struct hal_stamp *cmd);
/* Empties the places of every stamp in the list. */
void vk_record_stamps_reset(struct vk_device *dev, struct vk_recorder *r, const struct hal_cmd *cmds,
                            uint32_t n_cmds);

struct vk_graph {
    struct hal_graph base;
    VkCommandPool pool;
    uint32_t n_segments;
    VkCommandBuffer segments[];
};

greta_status vk_graph_build(struct hal_dev *dev, const struct hal_cmd *cmds, uint32_t n_cmds,
                            struct hal_graph **out);
greta_status vk_graph_launch(struct hal_dev *dev, struct hal_stream *stream, struct hal_graph *graph);
void vk_graph_destroy(struct hal_dev *dev, struct hal_graph *graph);

#endif
