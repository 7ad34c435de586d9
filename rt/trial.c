/* A device counts once it has run a kernel and its result has been read back. */
#include "internal.h"

#include <string.h>

enum { N_GROUPS = 2, GROUP_WORDS = 64, N_WORDS = N_GROUPS * GROUP_WORDS, TRIAL_BYTES = N_WORDS * 4 };
static const uint32_t MULTIPLIER = 2654435761u, SEED = 0x6772746bu;
static const uint64_t TIMEOUT_NS = UINT64_C(10) * 1000 * 1000 * 1000;

static void host_trial(const struct greta_host_group *group, const void *args) {
    struct {
        uint32_t *y;
        uint32_t seed;
    } a;
    memcpy(&a, args, sizeof(uint64_t) + sizeof(uint32_t));
    for (uint32_t i = group->id[0] * GROUP_WORDS; i < (group->id[0] + 1) * GROUP_WORDS; i++)
        a.y[i] = i * MULTIPLIER + a.seed;
}

static const struct greta_host_entry host_entries[] = {{"main", host_trial}};
static const uint32_t spirv_words[] = {
#include "trial_spirv.h"
};

#include "trial_amdgpu.h"

/* NULL data: this binary was built without a compiler for the format, and the trial is of transfers. */
static struct greta_image trial_image(enum greta_image_format format) {
    struct greta_image image = {.format = format, .name = "trial"};
    if (format == GRETA_IMAGE_HOST) image.data = host_entries, image.size_bytes = sizeof host_entries;
    if (format == GRETA_IMAGE_SPIRV) image.data = spirv_words, image.size_bytes = sizeof spirv_words;
    if (format == GRETA_IMAGE_AMDGPU && amdgpu_code_bytes > 0)
        image.data = amdgpu_code, image.size_bytes = amdgpu_code_bytes;
    return image;
}

struct trial {
    struct hal_dev *hal;
    struct hal_buf *buf, *readback;
    struct hal_stream *stream;
    struct hal_event *event;
    struct hal_module *module;
    const char *step;
};

static greta_status run_kernel(struct trial *t, const struct greta_image *image) {
    const struct greta_dev_ops *ops = t->hal->ops;
    struct hal_kernel *kernel = NULL;
    t->step = "loading a module";
    greta_status status = ops->module_load(t->hal, image, &t->module);
    if (status != GRETA_OK) return status;
    t->step = "building a kernel";
    status = ops->kernel_get(t->hal, t->module, "main", NULL, 0, &kernel);
    if (status != GRETA_OK) return status;
    t->step = "a dispatch";
    struct hal_binding binding = {t->buf, 0, TRIAL_BYTES, GRETA_WRITE};
    struct hal_dispatch d = {.kernel = kernel,
                             .groups = {N_GROUPS, 1, 1},
                             .n_bindings = 1,
                             .constants_bytes = sizeof SEED,
                             .bindings = &binding,
                             .constants = &SEED};
    return ops->cmd_dispatch(t->hal, t->stream, &d);
}

static greta_status create(struct trial *t) {
    const struct greta_dev_ops *ops = t->hal->ops;
    t->step = "creating buffers";
    greta_status status = ops->buf_create(t->hal, TRIAL_BYTES, GRETA_MEM_DEVICE, &t->buf);
    if (status == GRETA_OK) status = ops->buf_create(t->hal, TRIAL_BYTES, GRETA_MEM_READBACK, &t->readback);
    if (status != GRETA_OK) return status;
    t->step = "creating a stream";
    status = ops->stream_create(t->hal, &t->stream);
    return status == GRETA_OK ? ops->event_create(t->hal, &t->event) : status;
}

static greta_status read_back(struct trial *t) {
    const struct greta_dev_ops *ops = t->hal->ops;
    struct hal_copy copy = {.dst = t->readback, .src = t->buf, .size_bytes = TRIAL_BYTES};
    t->step = "a copy";
    greta_status status = ops->cmd_barrier(t->hal, t->stream);
    if (status == GRETA_OK) status = ops->cmd_copy(t->hal, t->stream, &copy);
    if (status == GRETA_OK) status = ops->cmd_barrier(t->hal, t->stream);
    if (status == GRETA_OK) status = ops->event_record(t->hal, t->event, t->stream);
    t->step = "submitting";
    if (status == GRETA_OK && ops->stream_flush) status = ops->stream_flush(t->hal, t->stream);
    if (status != GRETA_OK) return status;
    t->step = "waiting";
    return ops->event_wait(t->hal, t->event, TIMEOUT_NS);
}

static greta_status fill(struct trial *t) {
    const struct greta_dev_ops *ops = t->hal->ops;
    t->step = "a fill";
    struct hal_fill cmd = {.dst = t->buf, .size_bytes = TRIAL_BYTES, .pattern = SEED};
    return ops->cmd_fill(t->hal, t->stream, &cmd);
}

static greta_status compare(struct trial *t, bool kernel) {
    const unsigned char *host = t->readback->host;
    t->step = "comparing the values that came back";
    for (uint32_t i = 0; i < N_WORDS; i++) {
        uint32_t got, wanted = (kernel ? i * MULTIPLIER : 0) + SEED;
        memcpy(&got, host + 4 * (size_t)i, sizeof got);
        if (got != wanted) return GRETA_ERR_INTERNAL;
    }
    return GRETA_OK;
}

static void finish(struct trial *t) {
    const struct greta_dev_ops *ops = t->hal->ops;
    if (t->module) ops->module_unload(t->hal, t->module);
    if (t->event) ops->event_destroy(t->hal, t->event);
    if (t->stream) ops->stream_destroy(t->hal, t->stream);
    if (t->readback) ops->buf_destroy(t->hal, t->readback);
    if (t->buf) ops->buf_destroy(t->hal, t->buf);
}

greta_status rt_trial(struct hal_dev *hal, enum greta_image_format format, const char **step) {
    struct trial t = {.hal = hal};
    struct greta_image image = trial_image(format);
    greta_status status = create(&t);
    if (status == GRETA_OK) status = image.data ? run_kernel(&t, &image) : fill(&t);
    if (status == GRETA_OK) status = read_back(&t);
    if (status == GRETA_OK) status = compare(&t, image.data != NULL);
    *step = t.step;
    finish(&t);
    return status;
}
