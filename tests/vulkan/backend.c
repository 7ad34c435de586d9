/*
 * The Vulkan backend from inside, on lavapipe: what the conformance suites, which go through rt, cannot reach. A missing
 * loader or driver, the cache's file, a device that is lost, planted faults that the validation layer and the guard pages
 * must catch.
 * usage: backend add.spv [no-driver | overrun | in-bounds]
 */
#include "check.h"

#include "vk.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct heard {
    unsigned n_errors, n_warnings;
    char last[1024];
};

static void hear(void *user, enum greta_log_level level, const char *message) {
    struct heard *h = user;
    if (level == GRETA_LOG_ERROR) h->n_errors++;
    if (level == GRETA_LOG_WARN) h->n_warnings++;
    snprintf(h->last, sizeof h->last, "%s", message);
}

static struct greta_image load_image(const char *path) {
    struct greta_image image = {.format = GRETA_IMAGE_SPIRV, .name = "add"};
    FILE *f = fopen(path, "rb");
    char *data = f ? malloc(1 << 16) : NULL;
    if (data) image.size_bytes = fread(data, 1, 1 << 16, f);
    if (f) fclose(f);
    image.data = data;
    return image;
}

/* ---- a device with what the tests need ------------------------------------------------------------------------------ */

enum { N = 1000, GROUP = 64 };

struct rig {
    struct heard heard;
    struct greta_log log;
    void *instance;
    struct hal_dev *dev;
    struct hal_module *module;
    struct hal_kernel *kernel;
    struct hal_stream *stream;
    struct hal_event *event;
    struct hal_buf *y, *b, *readback;
};

static bool rig_open_device(struct rig *r, const char *cache_dir, bool validation) {
    *r = (struct rig){0};
    r->log = (struct greta_log){.fn = hear, .user = &r->heard, .max_level = GRETA_LOG_INFO};
    const struct hal_open_params params = {.log = &r->log, .cache_dir = cache_dir, .validation = validation};
    if (vk_backend.open(&params, &r->instance) != GRETA_OK) return false;
    return vk_backend.dev_open(r->instance, 0, &r->dev) == GRETA_OK;
}

static greta_status get_kernel(struct rig *r, const struct greta_image *image) {
    const struct greta_constant constants[] = {{0, GROUP}, {1, 1}};
    greta_status st = r->dev->ops->module_load(r->dev, image, &r->module);
    if (st != GRETA_OK) return st;
    return r->dev->ops->kernel_get(r->dev, r->module, "main", constants, 2, &r->kernel);
}

static bool rig_open(struct rig *r, const struct greta_image *image, bool validation) {
    if (!rig_open_device(r, NULL, validation) || get_kernel(r, image) != GRETA_OK) return false;
    const struct greta_dev_ops *o = r->dev->ops;
    return o->stream_create(r->dev, &r->stream) == GRETA_OK &&
           o->event_create(r->dev, &r->event) == GRETA_OK &&
           o->buf_create(r->dev, N * 4, GRETA_MEM_DEVICE, &r->y) == GRETA_OK &&
           o->buf_create(r->dev, N * 4, GRETA_MEM_DEVICE, &r->b) == GRETA_OK &&
           o->buf_create(r->dev, N * 4, GRETA_MEM_READBACK, &r->readback) == GRETA_OK;
}

static void rig_close(struct rig *r) {
    if (r->dev) {
        const struct greta_dev_ops *o = r->dev->ops;
        if (r->stream) o->stream_destroy(r->dev, r->stream);
        if (r->event)
            o->event_destroy(r->dev,
                             r->event); /* after the stream that it was recorded on: it must not care */
        if (r->y) o->buf_destroy(r->dev, r->y);
        if (r->b) o->buf_destroy(r->dev, r->b);
        if (r->readback) o->buf_destroy(r->dev, r->readback);
        if (r->module) o->module_unload(r->dev, r->module);
        o->dev_close(r->dev);
    }
    if (r->instance) vk_backend.close(r->instance);
}

/* y += b for the words from `first` on to `end`. */
static struct hal_dispatch add_to_y(struct rig *r, struct hal_binding bindings[3], uint32_t constants[3],
                                    uint32_t first, uint32_t end) {
    bindings[0] = (struct hal_binding){r->y, 0, N * 4, GRETA_READ};
    bindings[1] = (struct hal_binding){r->b, 0, N * 4, GRETA_READ};
    bindings[2] = (struct hal_binding){r->y, 0, N * 4, GRETA_WRITE};
    constants[0] = end;
    constants[1] = first;
    constants[2] = 0;
    return (struct hal_dispatch){.kernel = r->kernel,
                                 .groups = {(end - first + GROUP - 1) / GROUP, 1, 1},
                                 .n_bindings = 3,
                                 .constants_bytes = 12,
                                 .bindings = bindings,
                                 .constants = constants};
}

/* Every word of y, read back, is `value`. */
static bool y_is(struct rig *r, uint32_t value) {
    const struct greta_dev_ops *o = r->dev->ops;
    const struct hal_copy copy = {.dst = r->readback, .src = r->y, .size_bytes = N * 4};
    if (o->cmd_barrier(r->dev, r->stream) != GRETA_OK || o->cmd_copy(r->dev, r->stream, &copy) != GRETA_OK)
        return false;
    if (o->event_record(r->dev, r->event, r->stream) != GRETA_OK) return false;
    if (o->event_wait(r->dev, r->event, UINT64_MAX) != GRETA_OK) return false;
    const uint32_t *words = r->readback->host;
    for (uint32_t i = 0; i < N; i++)
        if (words[i] != value) return false;
    return true;
}

static void fill(struct rig *r, struct hal_buf *buf, uint32_t pattern) {
    const struct hal_fill cmd = {.dst = buf, .size_bytes = N * 4, .pattern = pattern};
    CHECK(r->dev->ops->cmd_fill(r->dev, r->stream, &cmd) == GRETA_OK);
}

/* ---- tests ---------------------------------------------------------------------------------------------------------- */

static void test_no_loader(void) {
    struct heard heard = {0};
    struct greta_log log = {.fn = hear, .user = &heard, .max_level = GRETA_LOG_INFO};
    const char *const names[] = {"libno-such-vulkan.so.1", "libm.so.6"};
    for (int i = 0; i < 2; i++) {
        void *instance = &heard;
        const struct hal_open_params params = {.log = &log, .library = names[i]};
        CHECK(vk_backend.open(&params, &instance) == GRETA_ERR_UNAVAILABLE && !instance);
        CHECK(!heard.n_errors && strstr(heard.last, names[i]));
    }
}

static int test_no_driver(void) {
    struct heard heard = {0};
    struct greta_log log = {.fn = hear, .user = &heard, .max_level = GRETA_LOG_INFO};
    const struct hal_open_params params = {.log = &log};
    void *instance = &heard;
    CHECK(vk_backend.open(&params, &instance) == GRETA_ERR_UNAVAILABLE && !instance);
    CHECK(!heard.n_errors && strstr(heard.last, "driver"));
    return check_done();
}

static void test_images(const struct greta_image *image) {
    struct rig r;
    if (!CHECK(rig_open(&r, image, true))) return;
    const struct greta_dev_ops *o = r.dev->ops;
    struct hal_kernel *kernel;
    CHECK(o->kernel_get(r.dev, r.module, "no_such_entry", NULL, 0, &kernel) == GRETA_ERR_NOT_FOUND &&
          !kernel);
    CHECK(strstr(r.heard.last, "no_such_entry"));
    const struct greta_constant odd[] = {{GRETA_CONSTANT_SUBGROUP_SIZE, r.dev->limits.subgroup_max * 2}};
    CHECK(o->kernel_get(r.dev, r.module, "main", odd, 1, &kernel) == GRETA_ERR_UNSUPPORTED && !kernel);
    /* Cut off anywhere before its first function, a module is refused and not handed to the driver. */
    struct hal_module *module;
    for (size_t n = 0; n < 400; n += 4) {
        const struct greta_image cut = {
            .format = GRETA_IMAGE_SPIRV, .data = image->data, .size_bytes = n, .name = "cut"};
        CHECK(o->module_load(r.dev, &cut, &module) == GRETA_ERR_FORMAT && !module);
    }
    const uint32_t words[] = {0x07230203, 0x10600, 0, 10, 0, 2 << 16 | 17, 6022, 5 << 16 | 54, 1, 2, 0, 3};
    const struct greta_image needs_matrix = {GRETA_IMAGE_SPIRV, words, sizeof words, "needs_matrix"};
    if (!r.dev->limits.n_matrix_ops) {
        CHECK(o->module_load(r.dev, &needs_matrix, &module) == GRETA_ERR_UNSUPPORTED && !module);
        CHECK(strstr(r.heard.last, "CooperativeMatrixKHR"));
    }
    CHECK(!strstr(r.heard.last, "validation"));
    rig_close(&r);
}

/* More segments than one vkQueueSubmit2 takes, and more launches than a batch. */
static void test_segments(const struct greta_image *image) {
    enum { SEGMENTS = 150, LAUNCHES = 20 };
    struct rig r;
    if (!CHECK(rig_open(&r, image, true))) return;
    const struct greta_dev_ops *o = r.dev->ops;
    static struct hal_cmd cmds[SEGMENTS * 3];
    struct hal_binding bindings[3];
    uint32_t constants[3], n = 0;
    struct hal_graph *graph = NULL;
    for (int i = 0; i < SEGMENTS; i++) {
        if (i) cmds[n++].type = HAL_CMD_SPLIT;
        if (i) cmds[n++].type = HAL_CMD_BARRIER;
        cmds[n++] =
            (struct hal_cmd){.type = HAL_CMD_DISPATCH, .dispatch = add_to_y(&r, bindings, constants, 0, N)};
    }
    CHECK(o->graph_build(r.dev, cmds, n, &graph) == GRETA_OK);
    fill(&r, r.y, 5);
    fill(&r, r.b, 3);
    for (int i = 0; i < LAUNCHES && graph; i++) {
        CHECK(o->graph_launch(r.dev, r.stream, graph) == GRETA_OK);
        CHECK(o->cmd_barrier(r.dev, r.stream) == GRETA_OK);
    }
    CHECK(y_is(&r, 5 + 3 * SEGMENTS * LAUNCHES));
    CHECK(!r.heard.n_errors);
    if (graph) o->graph_destroy(r.dev, graph);
    rig_close(&r);
}

/* The layer must see a hazard that is planted: else its silence elsewhere says nothing. */
static void test_validation_sees(const struct greta_image *image) {
    struct rig r;
    if (!CHECK(rig_open(&r, image, true))) return;
    if (!((struct vk_instance *)r.instance)->validation) {
        printf("the validation layer is not installed: not tested\n");
    } else {
        const struct hal_copy copy = {.dst = r.readback, .src = r.y, .size_bytes = N * 4};
        CHECK(!r.heard.n_errors);
        fill(&r, r.y, 1);
        CHECK(r.dev->ops->cmd_copy(r.dev, r.stream, &copy) == GRETA_OK); /* with no barrier in between */
        CHECK(r.dev->ops->stream_flush(r.dev, r.stream) == GRETA_OK);
        CHECK(r.heard.n_errors && strstr(r.heard.last, "validation"));
        CHECK(atomic_load(&((struct vk_instance *)r.instance)->n_validation_errors) == r.heard.n_errors);
    }
    rig_close(&r);
}

/* Reads b past its end: without a guard page that would go well, and give wrong sums. */
static int child(const struct greta_image *image, bool overrun) {
    struct rig r;
    struct hal_binding bindings[3];
    uint32_t constants[3];
    if (!rig_open(&r, image, true)) return 2;
    if (!((struct vk_instance *)r.instance)->validation) return 77;
    fill(&r, r.y, 1);
    fill(&r, r.b, 1);
    if (r.dev->ops->cmd_barrier(r.dev, r.stream) != GRETA_OK) return 2;
    const struct hal_dispatch d = add_to_y(&r, bindings, constants, 0, N);
    if (overrun)
        bindings[1].offset_bytes = 128; /* past what the driver's alignment of 64 leaves behind the end */
    if (r.dev->ops->cmd_dispatch(r.dev, r.stream, &d) != GRETA_OK) return 2;
    int rc = y_is(&r, 2) ? 0 : 3;
    rig_close(&r);
    return rc;
}

/* A kernel that reaches past its buffer's end dies of it under validation, on a device in host memory. */
static void test_guard(const char *self, const char *spv) {
    for (int overrun = 0; overrun < 2; overrun++) {
        pid_t pid = fork();
        if (!pid) {
            if (!freopen("/dev/null", "w", stderr)) _exit(2); /* what a sanitizer says of it is no news */
            execl(self, self, spv, overrun ? "overrun" : "in-bounds", (char *)NULL);
            _exit(2);
        }
        int status = 0;
        if (!CHECK(pid > 0 && waitpid(pid, &status, 0) == pid)) return;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return;
        if (overrun)
            CHECK(WIFSIGNALED(status));
        else
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static VkResult lose_submit(VkQueue queue, uint32_t n, const VkSubmitInfo2 *infos, VkFence fence) {
    (void)queue, (void)n, (void)infos, (void)fence;
    return VK_ERROR_DEVICE_LOST;
}

/* Sticky, named once, and nobody waits for what will not come. */
static void test_lost(const struct greta_image *image) {
    struct rig r;
    if (!CHECK(rig_open(&r, image, false))) return;
    const struct greta_dev_ops *o = r.dev->ops;
    fill(&r, r.y, 1);
    CHECK(o->event_record(r.dev, r.event, r.stream) == GRETA_OK);
    ((struct vk_device *)r.dev)->fn.QueueSubmit2 = lose_submit;
    CHECK(o->event_wait(r.dev, r.event, UINT64_MAX) == GRETA_ERR_DEVICE_LOST);
    CHECK(strstr(r.heard.last, "VK_ERROR_DEVICE_LOST") && strstr(r.heard.last, "vkQueueSubmit2"));
    struct hal_buf *buf;
    struct greta_mem_info info;
    CHECK(o->buf_create(r.dev, 4, GRETA_MEM_DEVICE, &buf) == GRETA_ERR_DEVICE_LOST && !buf);
    CHECK(o->cmd_barrier(r.dev, r.stream) == GRETA_ERR_DEVICE_LOST);
    CHECK(o->stream_flush(r.dev, r.stream) == GRETA_ERR_DEVICE_LOST);
    CHECK(o->event_wait(r.dev, r.event, UINT64_MAX) == GRETA_ERR_DEVICE_LOST);
    CHECK(o->dev_mem_info(r.dev, &info) == GRETA_ERR_DEVICE_LOST);
    CHECK(o->dev_wait_idle(r.dev) == GRETA_ERR_DEVICE_LOST);
    CHECK(r.heard.n_errors == 1);
    rig_close(&r);
}

static VkResult refuse_memory(VkDevice device, const VkMemoryAllocateInfo *info,
                              const VkAllocationCallbacks *a, VkDeviceMemory *out) {
    (void)device, (void)info, (void)a;
    *out = VK_NULL_HANDLE;
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

static void test_out_of_memory(const struct greta_image *image) {
    struct rig r;
    if (!CHECK(rig_open(&r, image, false))) return;
    struct vk_device *dev = (struct vk_device *)r.dev;
    PFN_vkAllocateMemory allocate = dev->fn.AllocateMemory;
    struct hal_buf *buf = r.y;
    uint64_t used = atomic_load(&dev->heap_used_bytes[0]);
    dev->fn.AllocateMemory = refuse_memory;
    CHECK(r.dev->ops->buf_create(r.dev, 123456, GRETA_MEM_DEVICE, &buf) == GRETA_ERR_NO_DEVICE_MEMORY &&
          !buf);
    CHECK(r.heard.n_errors == 1 && strstr(r.heard.last, "123456 bytes of device memory"));
    dev->fn.AllocateMemory = allocate;
    CHECK(r.dev->ops->buf_create(r.dev, 123456, GRETA_MEM_DEVICE, &buf) == GRETA_OK && buf);
    CHECK(atomic_load(&dev->heap_used_bytes[0]) >= used + 123456);
    if (buf) r.dev->ops->buf_destroy(r.dev, buf);
    CHECK(atomic_load(&dev->heap_used_bytes[0]) == used);
    rig_close(&r);
}

static unsigned n_allocations, n_refusals; /* of count_memory: the first n_refusals allocations fail */
static PFN_vkAllocateMemory allocate_memory;

static VkResult count_memory(VkDevice device, const VkMemoryAllocateInfo *info,
                             const VkAllocationCallbacks *a, VkDeviceMemory *out) {
    if (n_allocations++ < n_refusals) return refuse_memory(device, info, a, out);
    return allocate_memory(device, info, a, out);
}

/* A full heap is passed over without asking the driver, which might grant it; a refused one by the next type. */
static void test_heaps(const struct greta_image *image) {
    struct rig r;
    if (!CHECK(rig_open(&r, image, false))) return;
    struct vk_device *dev = (struct vk_device *)r.dev;
    struct vk_physical *p = &((struct vk_instance *)r.instance)->devices[0];
    struct hal_buf *buf = NULL;
    allocate_memory = dev->fn.AllocateMemory;
    dev->fn.AllocateMemory = count_memory;
    p->types[GRETA_MEM_DEVICE] = (struct vk_type_list){2, {0, 0}};
    n_allocations = 0;
    n_refusals = 1;
    CHECK(r.dev->ops->buf_create(r.dev, 4096, GRETA_MEM_DEVICE, &buf) == GRETA_OK && n_allocations == 2);
    if (buf) r.dev->ops->buf_destroy(r.dev, buf);
    p->quirks.soft_heaps = false;
    p->memory.memoryHeaps[0].size = atomic_load(&dev->heap_used_bytes[0]) + (1 << 20);
    n_allocations = n_refusals = 0;
    CHECK(r.dev->ops->buf_create(r.dev, 2 << 20, GRETA_MEM_DEVICE, &buf) == GRETA_ERR_NO_DEVICE_MEMORY &&
          !buf);
    CHECK(n_allocations == 0);
    CHECK(r.dev->ops->buf_create(r.dev, 1 << 20, GRETA_MEM_DEVICE, &buf) == GRETA_OK && n_allocations == 1);
    struct greta_mem_info info = {0};
    CHECK(r.dev->ops->dev_mem_info(r.dev, &info) == GRETA_OK && info.free_bytes == 0 && info.total_bytes > 0);
    if (buf) r.dev->ops->buf_destroy(r.dev, buf);
    rig_close(&r);
}

/* ---- the cache's file ------------------------------------------------------------------------------------------------ */

/* Opens, builds a kernel and closes; how many warnings there were. */
static unsigned use_cache(const struct greta_image *image, const char *dir) {
    struct rig r;
    CHECK(rig_open_device(&r, dir, false) && get_kernel(&r, image) == GRETA_OK);
    unsigned n = r.heard.n_warnings;
    CHECK(!r.heard.n_errors);
    rig_close(&r);
    return n;
}

static bool exists(const char *path) {
    struct stat st;
    return !stat(path, &st);
}

/* As llvmpipe 26.2 does: it promises a header and gives less. */
static VkResult few_bytes(VkDevice dev, VkPipelineCache cache, size_t *n, void *data) {
    (void)dev, (void)cache;
    *n = data ? 20 : 32;
    if (data) memset(data, 0, *n);
    return VK_SUCCESS;
}

/* What cannot be read again is not written, else each run would warn of it. */
static void test_short_cache(const struct greta_image *image, const char *dir, const char *path) {
    struct rig r;
    if (!CHECK(rig_open_device(&r, dir, false))) return;
    ((struct vk_device *)r.dev)->fn.GetPipelineCacheData = few_bytes;
    CHECK(get_kernel(&r, image) == GRETA_OK);
    rig_close(&r);
    CHECK(!exists(path));
}

static void test_cache(const struct greta_image *image) {
    char top[] = "/tmp/greta-test-XXXXXX", dir[64], path[512], bad[512];
    struct rig r;
    if (!CHECK(mkdtemp(top)) || !CHECK(rig_open_device(&r, NULL, false))) return;
    const struct vk_physical *p = ((struct vk_device *)r.dev)->physical;
    snprintf(dir, sizeof dir, "%s/a/b", top); /* which it makes */
    int n = snprintf(path, sizeof path, "%s/vulkan-%04x-%04x-", dir, p->vendor_id, p->device_id);
    for (unsigned i = 0; i < VK_UUID_SIZE; i++)
        n += snprintf(path + n, sizeof path - (size_t)n, "%02x", p->cache_uuid[i]);
    snprintf(bad, sizeof bad, "%.500s.bad", path);
    snprintf(path + n, sizeof path - (size_t)n, ".bin");
    rig_close(&r);

    test_short_cache(image, dir, path);
    CHECK(use_cache(image, dir) == 0 && exists(path));
    CHECK(use_cache(image, dir) == 0 && !exists(bad)); /* its own file is good */
    FILE *f = fopen(path, "r+b");
    if (CHECK(f)) {
        fseek(f, -1, SEEK_END);
        int c = fgetc(f);
        fseek(f, -1, SEEK_END);
        fputc(c ^ 1, f);
        fclose(f);
    }
    CHECK(use_cache(image, dir) == 1 && exists(bad) && exists(path)); /* set aside, said, and written anew */
    CHECK(use_cache(image, dir) == 0);
    CHECK(truncate(path, 10) == 0 && use_cache(image, dir) == 1);
    CHECK(use_cache(image, "/dev/null/not-a-folder") == 0);
    (void)unlink(path);
    (void)unlink(bad);
    (void)rmdir(dir);
    dir[strlen(dir) - 2] = 0;
    (void)rmdir(dir);
    CHECK(rmdir(top) == 0); /* nothing else was left behind */
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    const char *what = argc > 2 ? argv[2] : "";
    struct greta_image image = load_image(argv[1]);
    if (!image.size_bytes) return 2;
    int rc = 0;
    if (!strcmp(what, "no-driver")) {
        rc = test_no_driver();
    } else if (*what) {
        rc = child(&image, !strcmp(what, "overrun"));
    } else {
        struct rig r;
        bool there = rig_open_device(&r, NULL, false);
        rig_close(&r);
        test_no_loader();
        if (!there) check_skip("there is no Vulkan device");
        test_images(&image);
        test_segments(&image);
        test_validation_sees(&image);
        test_guard(argv[0], argv[1]);
        test_lost(&image);
        test_out_of_memory(&image);
        test_heaps(&image);
        test_cache(&image);
        rc = check_done();
    }
    free((void *)(uintptr_t)image.data);
    return rc;
}
