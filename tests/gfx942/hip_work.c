/* Modules, commands on streams, and graphs. */
#include "hip_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- modules ------------------------------------------------------------------------------------------------------------- */

/* The size is in the ELF itself: where its section headers end. */
static size_t elf_bytes(const unsigned char *elf) {
    uint64_t at;
    uint16_t size, n;
    memcpy(&at, elf + 40, 8);
    memcpy(&size, elf + 58, 2);
    memcpy(&n, elf + 60, 2);
    return (size_t)at + (size_t)size * n;
}

CALL(ModuleLoadData, (hipModule_t * module, const void *image), (module, image)) {
    if (!module || !image) return hipErrorInvalidValue;
    *module = NULL;
    hipError_t error = hip_unsafe("hipModuleLoadData");
    if (error != hipSuccess) return error;
    if (memcmp(image, "\177ELF\2\1", 6) != 0)
        return hip_complain(hipErrorInvalidImage,
                            "hipModuleLoadData: no ELF of 64 bits (bundles are the caller's to unpack)");
    struct ihipModule_t *m = calloc(1, sizeof *m);
    if (!m || !handle_add(m, HANDLE_MODULE)) {
        free(m);
        return hipErrorOutOfMemory;
    }
    enum gfx_status status = gfx_load(hip_state.machine, image, elf_bytes(image), &m->object);
    if (status != GFX_OK) {
        handle_remove(m);
        free(m);
        if (status == GFX_NO_MEMORY) return hipErrorOutOfMemory;
        return hip_complain(hipErrorNoBinaryForGpu, "hipModuleLoadData: %s", gfx_error(hip_state.machine));
    }
    *module = m;
    return hipSuccess;
}

CALL_END(ModuleUnload, (hipModule_t module), (module)) {
    if (!handle_is(module, HANDLE_MODULE))
        return hip_complain(hipErrorInvalidHandle, "hipModuleUnload: no module");
    if (module->n_pending && hip_state.lost == hipSuccess)
        return hip_complain(hipErrorIllegalState, "hipModuleUnload: %u launches of its kernels have not run",
                            module->n_pending);
    while (module->functions) {
        struct ihipModuleSymbol_t *next = module->functions->next;
        handle_remove(module->functions);
        free(module->functions);
        module->functions = next;
    }
    gfx_unload(hip_state.machine, module->object);
    handle_remove(module);
    free(module);
    return hipSuccess;
}

CALL(ModuleGetFunction, (hipFunction_t * function, hipModule_t module, const char *name),
     (function, module, name)) {
    if (!function || !name) return hipErrorInvalidValue;
    *function = NULL;
    if (!handle_is(module, HANDLE_MODULE))
        return hip_complain(hipErrorInvalidHandle, "hipModuleGetFunction: no module");
    const struct gfx_kernel *kernel = gfx_kernel(module->object, name);
    if (!kernel) return hipErrorNotFound;
    for (struct ihipModuleSymbol_t *f = module->functions; f; f = f->next)
        if (f->kernel == kernel) *function = f;
    if (*function) return hipSuccess;
    struct ihipModuleSymbol_t *f = calloc(1, sizeof *f);
    if (!f || !handle_add(f, HANDLE_FUNCTION)) {
        free(f);
        return hipErrorOutOfMemory;
    }
    *f = (struct ihipModuleSymbol_t){module->functions, module, kernel, false};
    module->functions = f;
    *function = f;
    return hipSuccess;
}

/* ---- commands --------------------------------------------------------------------------------------------------------------- */

static hipError_t check_stream(hipStream_t stream, const char *call) {
    if (!handle_is(stream, HANDLE_STREAM)) return hip_complain(hipErrorInvalidHandle, "%s: no stream", call);
    return hipSuccess;
}

/* Arguments come in one buffer with its size. Pointers to each of them are not in this library. */
static hipError_t read_extra(void **params, void **extra, const void **args, size_t *bytes) {
    if (params || !extra)
        return hip_complain(hipErrorNotSupported, "hipModuleLaunchKernel: arguments must come by `extra`");
    if (extra[0] != HIP_LAUNCH_PARAM_BUFFER_POINTER || extra[2] != HIP_LAUNCH_PARAM_BUFFER_SIZE ||
        extra[4] != HIP_LAUNCH_PARAM_END || !extra[3])
        return hip_complain(hipErrorInvalidValue, "hipModuleLaunchKernel: `extra` is not as it should be");
    *args = extra[1];
    memcpy(bytes, extra[3], sizeof *bytes);
    return *args || !*bytes ? hipSuccess : hipErrorInvalidValue;
}

static hipError_t check_launch(const struct gfx_facts *facts, const struct gfx_launch *l, size_t args_bytes) {
    uint64_t threads = 1;
    for (int i = 0; i < 3; i++) {
        if (!l->groups[i] || !l->threads[i] || (uint64_t)l->groups[i] * l->threads[i] > UINT32_MAX)
            return hip_complain(hipErrorInvalidConfiguration, "%s: %u groups of %u threads", facts->name,
                                l->groups[i], l->threads[i]);
        threads *= l->threads[i];
    }
    if (threads > facts->max_threads || threads > GFX_GROUP_THREADS)
        return hip_complain(hipErrorInvalidValue, "%s: %llu threads a group, built for %u", facts->name,
                            (unsigned long long)threads, facts->max_threads);
    if ((uint64_t)facts->lds_bytes + l->dynamic_lds > GFX_LDS_BYTES) return hipErrorInvalidValue;
    if (args_bytes < facts->explicit_bytes)
        return hip_complain(hipErrorInvalidValue, "%s: %zu bytes of arguments, it takes %u", facts->name,
                            args_bytes, facts->explicit_bytes);
    return hipSuccess;
}

/* GFX942_KERNELS: a file that holds the name of each kernel that is launched. */
static void tell_kernel(struct ihipModuleSymbol_t *f, const char *name) {
    const char *path = getenv("GFX942_KERNELS");
    FILE *file = path && *path && !f->is_told ? fopen(path, "a") : NULL;
    if (!file) return;
    fprintf(file, "%s\n", name);
    fclose(file);
    f->is_told = true;
}

CALL(ModuleLaunchKernel,
     (hipFunction_t function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
      unsigned block_y, unsigned block_z, unsigned lds_bytes, hipStream_t stream, void **params,
      void **extra),
     (function, grid_x, grid_y, grid_z, block_x, block_y, block_z, lds_bytes, stream, params, extra)) {
    struct gfx_launch launch = {
        .groups = {grid_x, grid_y, grid_z}, .threads = {block_x, block_y, block_z}, .dynamic_lds = lds_bytes};
    struct gfx_facts facts;
    const void *args = NULL;
    size_t bytes = 0;
    hipError_t error = check_stream(stream, "hipModuleLaunchKernel");
    if (error == hipSuccess && !handle_is(function, HANDLE_FUNCTION))
        return hip_complain(hipErrorInvalidHandle, "hipModuleLaunchKernel: no function");
    if (error == hipSuccess) error = read_extra(params, extra, &args, &bytes);
    if (error != hipSuccess) return error;
    gfx_facts(function->kernel, &facts);
    error = check_launch(&facts, &launch, bytes);
    if (error != hipSuccess) return error;
    struct command *c = command_new(COMMAND_LAUNCH, bytes);
    if (!c) return hipErrorOutOfMemory;
    launch.args = c->args;
    launch.n_args = bytes;
    c->function = function;
    c->launch = launch;
    if (bytes) memcpy(c->args, args, bytes);
    tell_kernel(function, facts.name);
    return queue_add(stream, c);
}

CALL(MemcpyAsync, (void *dst, const void *src, size_t bytes, hipMemcpyKind kind, hipStream_t stream),
     (dst, src, bytes, kind, stream)) {
    hipError_t error = check_stream(stream, "hipMemcpyAsync");
    if (error != hipSuccess) return error;
    if (kind != hipMemcpyDefault)
        return hip_complain(hipErrorInvalidMemcpyDirection, "hipMemcpyAsync: kind %d", kind);
    if (!bytes) return hipSuccess;
    if (!memory_holds(dst, bytes) || !memory_holds(src, bytes))
        return hip_complain(
            hipErrorInvalidValue,
            "hipMemcpyAsync: %zu bytes from %p to %p: not inside the device's or pinned memory", bytes, src,
            dst);
    struct command *c = command_new(COMMAND_COPY, 0);
    if (!c) return hipErrorOutOfMemory;
    c->dst = dst;
    c->src = src;
    c->bytes = bytes;
    return queue_add(stream, c);
}

CALL(MemsetD32Async, (hipDeviceptr_t dst, int value, size_t count, hipStream_t stream),
     (dst, value, count, stream)) {
    hipError_t error = check_stream(stream, "hipMemsetD32Async");
    if (error != hipSuccess || !count) return error;
    if ((uintptr_t)dst % 4 || count > SIZE_MAX / 4 || !memory_holds(dst, count * 4))
        return hip_complain(hipErrorInvalidValue,
                            "hipMemsetD32Async: %zu words at %p: not inside the device's or pinned memory",
                            count, dst);
    struct command *c = command_new(COMMAND_FILL, 0);
    if (!c) return hipErrorOutOfMemory;
    c->dst = dst;
    c->bytes = count * 4;
    c->pattern = (uint32_t)value;
    return queue_add(stream, c);
}

/* ---- graphs ------------------------------------------------------------------------------------------------------------------ */

CALL(StreamBeginCapture, (hipStream_t stream, hipStreamCaptureMode mode), (stream, mode)) {
    hipError_t error = check_stream(stream, "hipStreamBeginCapture");
    if (error != hipSuccess) return error;
    if ((unsigned)mode > 2) return hipErrorInvalidValue;
    if (stream->capture)
        return hip_complain(hipErrorIllegalState, "hipStreamBeginCapture: it is being captured already");
    stream->capture = calloc(1, sizeof *stream->capture);
    if (!stream->capture) return hipErrorOutOfMemory;
    stream->capture_broken = false;
    stream->mode = mode;
    stream->capturer = pthread_self();
    return hipSuccess;
}

static hipError_t end_capture(hipStream_t stream) {
    if (stream->capture_broken) return hipErrorStreamCaptureInvalidated;
    return handle_add(stream->capture, HANDLE_GRAPH) ? hipSuccess : hipErrorOutOfMemory;
}

CALL_END(StreamEndCapture, (hipStream_t stream, hipGraph_t *graph), (stream, graph)) {
    hipError_t error = check_stream(stream, "hipStreamEndCapture");
    if (error != hipSuccess || !graph) return error != hipSuccess ? error : hipErrorInvalidValue;
    *graph = NULL;
    if (!stream->capture)
        return hip_complain(hipErrorIllegalState, "hipStreamEndCapture: it is not being captured");
    if (!pthread_equal(stream->capturer, pthread_self())) return hipErrorStreamCaptureWrongThread;
    error = end_capture(stream);
    if (error == hipSuccess) {
        *graph = stream->capture;
    } else {
        commands_free(&stream->capture->commands);
        free(stream->capture);
    }
    stream->capture = NULL;
    return error;
}

/* A copy of each command, at the end of a stream or of another list. */
static hipError_t copy_commands(const struct command_list *from, struct command_list *to) {
    for (const struct command *c = from->first; c; c = c->next) {
        struct command *copy = command_copy(c);
        if (!copy) return hipErrorOutOfMemory;
        if (!to->first) to->end = &to->first;
        *to->end = copy;
        to->end = &copy->next;
    }
    return hipSuccess;
}

CALL(GraphInstantiate,
     (hipGraphExec_t * exec, hipGraph_t graph, hipGraphNode_t *error_node, char *log, size_t log_bytes),
     (exec, graph, error_node, log, log_bytes)) {
    (void)error_node, (void)log, (void)log_bytes;
    if (!exec) return hipErrorInvalidValue;
    *exec = NULL;
    if (!handle_is(graph, HANDLE_GRAPH))
        return hip_complain(hipErrorInvalidHandle, "hipGraphInstantiate: no graph");
    struct hipGraphExec *e = calloc(1, sizeof *e);
    if (!e || copy_commands(&graph->commands, &e->commands) != hipSuccess || !handle_add(e, HANDLE_EXEC)) {
        if (e) commands_free(&e->commands);
        free(e);
        return hipErrorOutOfMemory;
    }
    *exec = e;
    return hipSuccess;
}

CALL(GraphLaunch, (hipGraphExec_t exec, hipStream_t stream), (exec, stream)) {
    struct command_list list = {0};
    hipError_t error = check_stream(stream, "hipGraphLaunch");
    if (error != hipSuccess) return error;
    if (!handle_is(exec, HANDLE_EXEC)) return hip_complain(hipErrorInvalidHandle, "hipGraphLaunch: no graph");
    if (stream->capture)
        return hip_complain(hipErrorStreamCaptureUnsupported, "hipGraphLaunch: the stream is being captured");
    if (copy_commands(&exec->commands, &list) != hipSuccess) {
        commands_free(&list);
        return hipErrorOutOfMemory;
    }
    for (struct command *c = list.first, *next; c; c = next) {
        next = c->next;
        c->next = NULL;
        hipError_t added = queue_add(stream, c);
        if (error == hipSuccess) error = added;
    }
    return error;
}

CALL_END(GraphExecDestroy, (hipGraphExec_t exec), (exec)) {
    if (!handle_is(exec, HANDLE_EXEC))
        return hip_complain(hipErrorInvalidHandle, "hipGraphExecDestroy: no graph");
    handle_remove(exec);
    commands_free(&exec->commands);
    free(exec);
    return hipSuccess;
}

CALL_END(GraphDestroy, (hipGraph_t graph), (graph)) {
    if (!handle_is(graph, HANDLE_GRAPH))
        return hip_complain(hipErrorInvalidHandle, "hipGraphDestroy: no graph");
    handle_remove(graph);
    commands_free(&graph->commands);
    free(graph);
    return hipSuccess;
}
