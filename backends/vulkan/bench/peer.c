/*
 * bench-dispatch's peer: ggml's Vulkan backend, whose libraries are opened from a folder. A step is a graph of n nodes
 * ggml_scale(x, -1), which it records anew for each call, as it does for each token of a model. The few prototypes here
 * are of ggml's public headers, versions 0.9 to 0.27; a failure inside ggml ends the process, in ggml's own words.
 */
#include "dispatch.h"

#include <dl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ggml_context;
struct ggml_tensor;
struct ggml_cgraph;
struct ggml_backend;
struct ggml_backend_buffer;
struct ggml_init_params {
    size_t mem_size;
    void *mem_buffer;
    bool no_alloc;
};

struct ggml {
    struct ggml_context *(*init)(struct ggml_init_params params);
    void (*free)(struct ggml_context *ctx);
    size_t (*tensor_overhead)(void);
    size_t (*graph_overhead_custom)(size_t size, bool grads);
    struct ggml_tensor *(*new_tensor_1d)(struct ggml_context *ctx, int type, int64_t ne0);
    struct ggml_tensor *(*scale)(struct ggml_context *ctx, struct ggml_tensor *a, float s);
    struct ggml_cgraph *(*new_graph_custom)(struct ggml_context *ctx, size_t size, bool grads);
    void (*build_forward_expand)(struct ggml_cgraph *graph, struct ggml_tensor *tensor);
    struct ggml_backend_buffer *(*alloc_ctx_tensors)(struct ggml_context *ctx, struct ggml_backend *backend);
    void (*buffer_free)(struct ggml_backend_buffer *buffer);
    void (*tensor_set)(struct ggml_tensor *tensor, const void *data, size_t offset, size_t size);
    void (*tensor_get)(const struct ggml_tensor *tensor, void *data, size_t offset, size_t size);
    int (*graph_compute_async)(struct ggml_backend *backend, struct ggml_cgraph *graph);
    void (*synchronize)(struct ggml_backend *backend);
    void (*backend_free)(struct ggml_backend *backend);
    const char *(*version)(void);
};

#define SYMBOL(name, member, optional) \
    { name, offsetof(struct ggml, member), optional }
static const struct dl_symbol symbols[] = {
    SYMBOL("ggml_init", init, false),
    SYMBOL("ggml_free", free, false),
    SYMBOL("ggml_tensor_overhead", tensor_overhead, false),
    SYMBOL("ggml_graph_overhead_custom", graph_overhead_custom, false),
    SYMBOL("ggml_new_tensor_1d", new_tensor_1d, false),
    SYMBOL("ggml_scale", scale, false),
    SYMBOL("ggml_new_graph_custom", new_graph_custom, false),
    SYMBOL("ggml_build_forward_expand", build_forward_expand, false),
    SYMBOL("ggml_backend_alloc_ctx_tensors", alloc_ctx_tensors, false),
    SYMBOL("ggml_backend_buffer_free", buffer_free, false),
    SYMBOL("ggml_backend_tensor_set", tensor_set, false),
    SYMBOL("ggml_backend_tensor_get", tensor_get, false),
    SYMBOL("ggml_backend_graph_compute_async", graph_compute_async, false),
    SYMBOL("ggml_backend_synchronize", synchronize, false),
    SYMBOL("ggml_backend_free", backend_free, false),
    SYMBOL("ggml_version", version, true),
};

struct part {
    struct ggml_context *ctx;
    struct ggml_backend_buffer *buffer;
    struct ggml_cgraph *graph;
    struct ggml_tensor **tensors; /* n + 1 */
};

struct peer {
    uint32_t n;
    char name[64], base_path[512], backend_path[3][512];
    struct dl base, library;
    struct ggml fn;
    struct ggml_backend *backend;
    struct part parts[DISPATCH_N_KINDS];
};

static greta_status open_libraries(struct peer *p, const struct dispatch_params *params) {
    const char *dir = params->peer_dir;
    snprintf(p->base_path, sizeof p->base_path, "%s/libggml-base.so.0", dir);
    char plain[512];
    snprintf(plain, sizeof plain, "%s/libggml-base.so", dir);
    const char *const base[] = {p->base_path, plain, NULL};
    const char *const folders[] = {"", "ggml/", "ggml/backends0/"};
    for (int i = 0; i < 3; i++)
        snprintf(p->backend_path[i], sizeof p->backend_path[i], "%s/%slibggml-vulkan.so", dir, folders[i]);
    const char *const backend[] = {p->backend_path[0], p->backend_path[1], p->backend_path[2], NULL};
    struct greta_log log = *params->log;
    log.max_level = GRETA_LOG_DEBUG; /* what the loader misses is what a user must know */
    greta_status status = dl_open(&p->base, base, &log);
    if (!status) status = dl_load(&p->base, symbols, sizeof symbols / sizeof *symbols, &p->fn, params->log);
    if (!status) status = dl_open(&p->library, backend, &log);
    return status;
}

/* The peer sees one device, ours, by its place in the driver's order. */
static greta_status open_backend(struct peer *p, const struct dispatch_params *params, uint32_t i_device) {
    struct {
        struct ggml_backend *(*init)(size_t i_device);
    } vk;
    static const struct dl_symbol symbol[] = {{"ggml_backend_vk_init", 0, false}};
    char number[16];
    snprintf(number, sizeof number, "%u", i_device);
    greta_status status = dl_load(&p->library, symbol, 1, &vk, params->log);
    if (status) return status;
    setenv("GGML_VK_VISIBLE_DEVICES", number, 0);
    p->backend = vk.init(0);
    return p->backend ? GRETA_OK : GRETA_ERR_UNAVAILABLE;
}

static greta_status build(struct peer *p, enum dispatch_kind kind) {
    enum { F32 = 0 };
    struct part *part = &p->parts[kind];
    const size_t bytes = p->fn.tensor_overhead() * (p->n + 1) + p->fn.graph_overhead_custom(p->n + 1, false);
    part->tensors = calloc(p->n + 1, sizeof(struct ggml_tensor *));
    part->ctx = p->fn.init((struct ggml_init_params){.mem_size = bytes, .no_alloc = true});
    if (!part->tensors || !part->ctx) return GRETA_ERR_NO_MEMORY;
    part->tensors[0] = p->fn.new_tensor_1d(part->ctx, F32, DISPATCH_FLOATS);
    part->graph = p->fn.new_graph_custom(part->ctx, p->n + 1, false);
    for (uint32_t i = 0; i < p->n; i++) {
        part->tensors[i + 1] = p->fn.scale(part->ctx, part->tensors[kind == DISPATCH_CHAIN ? i : 0], -1);
        p->fn.build_forward_expand(part->graph, part->tensors[i + 1]);
    }
    part->buffer = p->fn.alloc_ctx_tensors(part->ctx, p->backend);
    return part->buffer ? GRETA_OK : GRETA_ERR_NO_DEVICE_MEMORY;
}

static greta_status start(void *state, enum dispatch_kind kind) {
    struct peer *p = state;
    return p->fn.graph_compute_async(p->backend, p->parts[kind].graph) == 0 ? GRETA_OK : GRETA_ERR_INTERNAL;
}

static greta_status wait(void *state) {
    struct peer *p = state;
    p->fn.synchronize(p->backend);
    return GRETA_OK;
}

static greta_status write(void *state, const float *x) {
    struct peer *p = state;
    for (int kind = 0; kind < DISPATCH_N_KINDS; kind++)
        for (uint32_t i = 0; i <= p->n; i++)
            p->fn.tensor_set(p->parts[kind].tensors[i], x + (size_t)i * DISPATCH_FLOATS, 0, DISPATCH_BYTES);
    return GRETA_OK;
}

static greta_status read(void *state, enum dispatch_kind kind, float *x) {
    struct peer *p = state;
    for (uint32_t i = 0; i <= p->n; i++)
        p->fn.tensor_get(p->parts[kind].tensors[i], x + (size_t)i * DISPATCH_FLOATS, 0, DISPATCH_BYTES);
    return GRETA_OK;
}

/* The libraries stay open: they have threads and handlers of their own that outlive a dlclose badly. */
static void finish(void *state) {
    struct peer *p = state;
    for (int kind = 0; kind < DISPATCH_N_KINDS; kind++) {
        if (p->parts[kind].buffer) p->fn.buffer_free(p->parts[kind].buffer);
        if (p->parts[kind].ctx) p->fn.free(p->parts[kind].ctx);
        free(p->parts[kind].tensors);
    }
    if (p->backend) p->fn.backend_free(p->backend);
    free(p);
}

greta_status dispatch_open_peer(const struct dispatch_params *params, uint32_t i_device,
                                struct dispatch_way *ways, uint32_t *n_ways) {
    struct peer *p = calloc(1, sizeof *p);
    if (!p) return GRETA_ERR_NO_MEMORY;
    p->n = params->n;
    greta_status status = open_libraries(p, params);
    if (!status) status = open_backend(p, params, i_device);
    for (int kind = 0; kind < DISPATCH_N_KINDS && !status; kind++)
        status = build(p, (enum dispatch_kind)kind);
    if (status) {
        finish(p);
        return status;
    }
    snprintf(p->name, sizeof p->name, "ggml %s", p->fn.version ? p->fn.version() : "");
    ways[(*n_ways)++] = (struct dispatch_way){p->name, p, start, wait, NULL, write, read, finish};
    return GRETA_OK;
}
