/*
 * The backend from inside, on the emulated gfx942: what the conformance suites cannot reach. What it says of the device; code for
 * waves of another size; a device that is lost; and the library's own strictness, by its functions: handles, ranges, capture, and
 * memory that is rewritten before a copy has read it.
 * usage: emulated libamdhip64.so [lost]
 */
#include "check.h"

#include "hip.h"

#include <string.h>

static char said[2048];
static unsigned n_errors;

static void hear(void *user, enum greta_log_level level, const char *message) {
    (void)user;
    if (level == GRETA_LOG_ERROR) n_errors++;
    snprintf(said, sizeof said, "%s", message);
}
static const struct greta_log log_to = {.fn = hear, .max_level = GRETA_LOG_DEBUG};

static struct {
    void *instance;
    struct hal_dev *dev;
    const struct greta_dev_ops *ops;
    const struct hip_fns *fn;
    struct hal_stream *stream;
    hipStream_t raw;
} t;

static bool begin(const char *library) {
    const struct hal_open_params params = {.log = &log_to, .library = library};
    if (!CHECK(hip_backend.open(&params, &t.instance) == GRETA_OK)) return false;
    if (!CHECK(hip_backend.dev_open(t.instance, 0, &t.dev) == GRETA_OK)) return false;
    t.ops = t.dev->ops;
    t.fn = hip_device(t.dev)->fn;
    if (!CHECK(t.ops->stream_create(t.dev, &t.stream) == GRETA_OK)) return false;
    t.raw = ((struct hip_stream *)t.stream)->handle;
    return true;
}

static void end(void) {
    t.ops->stream_destroy(t.dev, t.stream);
    t.ops->dev_close(t.dev);
    hip_backend.close(t.instance);
}

/* ---- what it is --------------------------------------------------------------------------------------------------------- */

static void identity(void) {
    const struct greta_dev_info *info = &t.dev->info;
    const struct greta_limits *l = &t.dev->limits;
    CHECK(strstr(info->name, "emulated") && strcmp(info->arch, "gfx942") == 0 &&
          strcmp(info->backend, "hip") == 0);
    CHECK(l->is_emulated && !l->is_cpu && info->type == GRETA_DEV_CPU);
    CHECK(strstr(info->driver, "HIP 7.0") && info->memory_bytes == (uint64_t)192 << 30);
    CHECK(l->subgroup_min == 64 && l->subgroup_max == 64 && l->n_compute_units == 304 &&
          l->max_lds_bytes == 65536);
    CHECK(!l->unified && l->n_matrix_ops >= 8);
    CHECK(strcmp(hip_error_name(hipErrorNoBinaryForGpu), "hipErrorNoBinaryForGpu") == 0);
    CHECK(strcmp(hip_error_name((hipError_t)12345), "an unknown hipError_t") == 0);
}

/* ---- code for another wave ------------------------------------------------------------------------------------------------ */

/* The image with each ".wavefront_size: 64" of its notes made 32, as if a compiler had been told so. */
static void other_wave(void) {
    static const char key[] = ".wavefront_size";
    struct greta_image image = hip_update_image;
    unsigned char *copy = malloc(image.size_bytes);
    struct hal_module *module = NULL;
    struct hal_kernel *kernel = NULL;
    if (!copy) return;
    memcpy(copy, image.data, image.size_bytes);
    for (size_t i = 0; i + sizeof key < image.size_bytes; i++)
        if (memcmp(copy + i, key, sizeof key - 1) == 0 && copy[i + sizeof key - 1] == 64)
            copy[i + sizeof key - 1] = 32;
    image.data = copy;
    CHECK(t.ops->module_load(t.dev, &image, &module) == GRETA_OK);
    CHECK(t.ops->kernel_get(t.dev, module, "update", NULL, 0, &kernel) == GRETA_ERR_UNSUPPORTED && !kernel);
    CHECK(strstr(said, "waves of 32") && strstr(said, "waves of 64"));
    t.ops->module_unload(t.dev, module);
    free(copy);
}

/* ---- the library is strict --------------------------------------------------------------------------------------------------- */

static void handles(void) {
    hipEvent_t event = NULL;
    hipStream_t stream = NULL;
    void *p = NULL;
    int value = 0;
    CHECK(t.fn->EventCreateWithFlags(&event, 0) == hipSuccess && t.fn->EventDestroy(event) == hipSuccess);
    CHECK(t.fn->EventDestroy(event) == hipErrorInvalidHandle &&
          t.fn->EventRecord(event, t.raw) == hipErrorInvalidHandle);
    CHECK(t.fn->StreamCreateWithFlags(&stream, hipStreamNonBlocking) == hipSuccess);
    CHECK(t.fn->EventSynchronize((hipEvent_t)stream) == hipErrorInvalidHandle); /* another kind's */
    CHECK(t.fn->StreamDestroy(stream) == hipSuccess && t.fn->StreamDestroy(stream) == hipErrorInvalidHandle);
    CHECK(t.fn->MemsetD32Async(NULL, 0, 1, stream) == hipErrorInvalidHandle);
    CHECK(t.fn->Malloc(&p, 1000) == hipSuccess && t.fn->Free((char *)p + 256) == hipErrorInvalidValue);
    CHECK(t.fn->Free(p) == hipSuccess && t.fn->Free(p) == hipErrorInvalidValue);
    CHECK(t.fn->HostFree(&value) == hipErrorInvalidValue);
    CHECK(t.fn->DeviceGetAttribute(&value, hipDeviceAttributeWarpSize, 1) == hipErrorInvalidDevice);
    CHECK(t.fn->SetDevice(1) == hipErrorInvalidDevice);
}

static void ranges(void) {
    static uint32_t pageable[64];
    void *p = NULL;
    CHECK(t.fn->Malloc(&p, 1000) == hipSuccess);
    CHECK(t.fn->MemcpyAsync(p, p, 1001, hipMemcpyDefault, t.raw) == hipErrorInvalidValue);
    CHECK(t.fn->MemcpyAsync(p, pageable, 64, hipMemcpyDefault, t.raw) == hipErrorInvalidValue);
    CHECK(t.fn->MemsetD32Async(p, 1, 251, t.raw) == hipErrorInvalidValue);
    CHECK(t.fn->MemsetD32Async((char *)p + 2, 1, 1, t.raw) == hipErrorInvalidValue);
    CHECK(t.fn->MemsetD32Async(p, 1, 250, t.raw) == hipSuccess);
    CHECK(t.fn->HostRegister(pageable, sizeof pageable, hipHostRegisterMapped) == hipSuccess);
    CHECK(t.fn->HostRegister(pageable + 8, 16, hipHostRegisterMapped) == hipErrorHostMemoryAlreadyRegistered);
    CHECK(t.fn->MemcpyAsync(pageable, p, 64, hipMemcpyDefault, t.raw) == hipSuccess);
    CHECK(t.fn->DeviceSynchronize() == hipSuccess && pageable[15] == 1 && pageable[16] == 0);
    CHECK(t.fn->HostUnregister(pageable) == hipSuccess &&
          t.fn->HostUnregister(pageable) == hipErrorHostMemoryNotRegistered);
    CHECK(t.fn->Free(p) == hipSuccess);
}

static void capture(void) {
    hipGraph_t graph = NULL;
    hipGraphExec_t exec = NULL;
    hipEvent_t event = NULL;
    uint32_t *p = NULL;
    void *q = NULL;
    CHECK(t.fn->HostMalloc((void **)&p, 64, hipHostMallocMapped) == hipSuccess);
    CHECK(t.fn->EventCreateWithFlags(&event, 0) == hipSuccess);
    CHECK(t.fn->StreamEndCapture(t.raw, &graph) == hipErrorIllegalState);
    CHECK(t.fn->StreamBeginCapture(t.raw, hipStreamCaptureModeThreadLocal) == hipSuccess);
    CHECK(t.fn->StreamBeginCapture(t.raw, hipStreamCaptureModeThreadLocal) == hipErrorIllegalState);
    CHECK(t.fn->Malloc(&q, 64) == hipErrorStreamCaptureUnsupported); /* and the capture is broken */
    CHECK(t.fn->StreamEndCapture(t.raw, &graph) == hipErrorStreamCaptureInvalidated && !graph);
    CHECK(t.fn->StreamBeginCapture(t.raw, hipStreamCaptureModeThreadLocal) == hipSuccess);
    CHECK(t.fn->EventSynchronize(event) == hipErrorStreamCaptureUnsupported);
    CHECK(t.fn->StreamEndCapture(t.raw, &graph) == hipErrorStreamCaptureInvalidated);
    p[0] = 5;
    CHECK(t.fn->StreamBeginCapture(t.raw, hipStreamCaptureModeThreadLocal) == hipSuccess);
    CHECK(t.fn->MemsetD32Async(p, 9, 1, t.raw) == hipSuccess);
    CHECK(t.fn->StreamEndCapture(t.raw, &graph) == hipSuccess && graph);
    CHECK(t.fn->DeviceSynchronize() == hipSuccess && p[0] == 5); /* recorded, not run */
    CHECK(t.fn->GraphInstantiate(&exec, graph, NULL, NULL, 0) == hipSuccess);
    CHECK(t.fn->GraphDestroy(graph) == hipSuccess && t.fn->GraphDestroy(graph) == hipErrorInvalidHandle);
    CHECK(t.fn->GraphLaunch(exec, t.raw) == hipSuccess && t.fn->DeviceSynchronize() == hipSuccess &&
          p[0] == 9);
    CHECK(t.fn->GraphExecDestroy(exec) == hipSuccess &&
          t.fn->GraphLaunch(exec, t.raw) == hipErrorInvalidHandle);
    CHECK(t.fn->EventDestroy(event) == hipSuccess && t.fn->HostFree(p) == hipSuccess);
}

/* A caller that does not wait before it rewrites what a copy reads, or before it reads what a copy writes, sees it go wrong. */
static void forgotten_waits(void) {
    enum { ROUNDS = 200 };
    uint32_t *up = NULL, *down = NULL;
    unsigned n_rewritten = 0, n_early = 0;
    CHECK(t.fn->HostMalloc((void **)&up, 64, hipHostMallocMapped) == hipSuccess);
    CHECK(t.fn->HostMalloc((void **)&down, 64, hipHostMallocMapped) == hipSuccess);
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        *up = i;
        CHECK(t.fn->MemcpyAsync(down, up, 4, hipMemcpyDefault, t.raw) == hipSuccess);
        n_early += *down != i;
        *up = i + 1000;
        CHECK(t.fn->DeviceSynchronize() == hipSuccess);
        n_rewritten += *down != i;
    }
    CHECK(n_rewritten > ROUNDS / 2 && n_rewritten < ROUNDS && n_early > ROUNDS / 2 && n_early < ROUNDS);
    CHECK(t.fn->HostFree(up) == hipSuccess && t.fn->HostFree(down) == hipSuccess);
}

/* A graph's update writes what was recorded, however often it is replayed and whatever became of the caller's bytes. */
static void replayed_update(void) {
    uint32_t words[64], out = 0;
    struct hal_buf *buf = NULL;
    struct hal_graph *graph = NULL;
    for (uint32_t i = 0; i < 64; i++) words[i] = 100 + i;
    CHECK(t.ops->buf_create(t.dev, 512, GRETA_MEM_READBACK, &buf) == GRETA_OK);
    const struct hal_cmd cmds[] = {
        {.type = HAL_CMD_UPDATE,
         .update = {.dst = buf, .offset_bytes = 4, .size_bytes = sizeof words, .data = words}},
        {.type = HAL_CMD_SPLIT},
        {.type = HAL_CMD_BARRIER},
        {.type = HAL_CMD_SPLIT},
        {.type = HAL_CMD_UPDATE, .update = {.dst = buf, .offset_bytes = 0, .size_bytes = 4, .data = words}}};
    CHECK(t.ops->graph_build(t.dev, cmds, 5, &graph) == GRETA_OK);
    CHECK(((struct hip_graph *)graph)->n_segments == 2); /* the empty one is left out */
    memset(words, 0xee, sizeof words);
    uint32_t *host = buf->host;
    for (int round = 0; round < 3; round++) {
        memset(host, 0, 512);
        CHECK(t.ops->graph_launch(t.dev, t.stream, graph) == GRETA_OK &&
              t.ops->dev_wait_idle(t.dev) == GRETA_OK);
        for (uint32_t i = 0; i < 64; i++) out += host[1 + i] == 100 + i;
        CHECK(host[0] == 100 && host[65] == 0);
    }
    CHECK(out == 3 * 64);
    t.ops->graph_destroy(t.dev, graph);
    t.ops->buf_destroy(t.dev, buf);
}

/* ---- a device that is lost ------------------------------------------------------------------------------------------------------ */

static void lost(void) {
    const uint32_t word = 7;
    struct hal_buf *buf = NULL, *more = NULL;
    struct hal_event *event = NULL;
    CHECK(t.ops->buf_create(t.dev, 64, GRETA_MEM_DEVICE, &buf) == GRETA_OK);
    CHECK(t.ops->event_create(t.dev, &event) == GRETA_OK);
    const struct hal_update update = {.dst = buf, .size_bytes = 4, .data = &word};
    greta_status status = GRETA_OK;
    n_errors = 0;
    for (int i = 0; i < 5 && status == GRETA_OK; i++) status = t.ops->cmd_update(t.dev, t.stream, &update);
    if (status == GRETA_OK) status = t.ops->event_record(t.dev, event, t.stream);
    if (status == GRETA_OK) status = t.ops->event_wait(t.dev, event, UINT64_MAX);
    CHECK(status == GRETA_ERR_DEVICE_LOST);
    CHECK(n_errors == 1 && strstr(said, "hipErrorLaunchFailure"));
    CHECK(t.ops->buf_create(t.dev, 64, GRETA_MEM_DEVICE, &more) == GRETA_ERR_DEVICE_LOST && !more);
    CHECK(t.ops->cmd_update(t.dev, t.stream, &update) == GRETA_ERR_DEVICE_LOST);
    CHECK(t.ops->cmd_barrier(t.dev, t.stream) == GRETA_ERR_DEVICE_LOST);
    CHECK(t.ops->event_wait(t.dev, event, 0) == GRETA_ERR_DEVICE_LOST);
    CHECK(t.ops->dev_wait_idle(t.dev) == GRETA_ERR_DEVICE_LOST && n_errors == 1); /* told once */
    t.ops->event_destroy(t.dev, event);
    t.ops->buf_destroy(t.dev, buf);
}

int main(int argc, char **argv) {
    if (argc < 2 || !strchr(argv[1], '/')) check_skip(argc < 2 ? "no library given" : argv[1]);
    if (!hip_update_image.size_bytes) check_skip("this build has no device code: clang 19 was not found");
    bool lose = argc > 2 && strcmp(argv[2], "lost") == 0;
    if (lose) setenv("GFX942_LOSE_AFTER", "3", 1);
    if (!begin(argv[1])) return check_done();
    if (lose) {
        lost();
    } else {
        identity();
        other_wave();
        handles();
        ranges();
        capture();
        forgotten_waits();
        replayed_update();
    }
    end();
    return check_done();
}
