/* One's own kernel, once in C and once as SPIR-V, through the same dispatch: y[i] = 2.5 * x[i] on every device there is. */
#include <greta/rt.h>

#include <stdio.h>
#include <string.h>

enum { N = 1000, GROUP = 64 };

/* The SPIR-V of scale.comp: glslc --target-env=vulkan1.3 -mfmt=c -o scale.spv.inc scale.comp */
static const uint32_t scale_spirv[] =
#include "scale.spv.inc"
    ;

/* The same workgroup in C: the argument block is the bindings' pointers, then the constants. */
static void scale(const struct greta_host_group *group, const void *args) {
    const struct {
        const float *x;
        float *y;
        uint32_t n;
    } *a = args;
    float factor;
    memcpy(&factor, &group->constants[0], sizeof factor);
    for (uint32_t i = group->id[0] * GROUP; i < a->n && i < (group->id[0] + 1) * GROUP; i++)
        a->y[i] = factor * a->x[i];
}
static const struct greta_host_entry scale_host[] = {{"main", scale}};

static const struct greta_image images[] = {
    {GRETA_IMAGE_HOST, scale_host, sizeof scale_host, "scale"},
    {GRETA_IMAGE_SPIRV, scale_spirv, sizeof scale_spirv, "scale"},
};

/* Loads the image that this device runs, and gets its kernel with the factor set. */
static greta_status load(struct greta_dev *dev, struct greta_module **module, struct greta_kernel **kernel) {
    struct greta_constant factor = {.id = 1};
    memcpy(&factor.value, &(float){2.5f}, sizeof factor.value);
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        if (images[i].format != greta_dev_get_image_format(dev)) continue;
        greta_status status = greta_module_load(dev, &images[i], module);
        return status ? status : greta_kernel_get(*module, "main", &factor, 1, kernel);
    }
    return GRETA_ERR_UNSUPPORTED;
}

static greta_status run(struct greta_stream *stream, struct greta_kernel *kernel, struct greta_buf *x,
                        struct greta_buf *y, const float *in, float *out) {
    const uint32_t n = N;
    const struct greta_binding bindings[] = {{.buf = x, .access = GRETA_READ},
                                             {.buf = y, .access = GRETA_WRITE}};
    const struct greta_dispatch dispatch = {.kernel = kernel,
                                            .groups = {(N + GROUP - 1) / GROUP, 1, 1},
                                            .bindings = bindings,
                                            .n_bindings = 2,
                                            .constants = &n,
                                            .constants_bytes = sizeof n};
    greta_status status = greta_stream_write(stream, x, 0, in, N * sizeof *in);
    if (!status) status = greta_stream_dispatch(stream, &dispatch);
    return status ? status : greta_stream_read(stream, y, 0, out, N * sizeof *out); /* waits for it */
}

static greta_status try_device(struct greta_ctx *ctx, const char *name) {
    float in[N], out[N] = {0};
    for (int i = 0; i < N; i++) in[i] = (float)i;
    struct greta_dev *dev = NULL;
    struct greta_stream *stream = NULL;
    struct greta_buf *x = NULL, *y = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    greta_status status = greta_dev_open(ctx, name, NULL, &dev);
    if (!status) status = greta_stream_create(dev, &stream);
    if (!status) status = greta_buf_create(dev, sizeof in, GRETA_MEM_DEVICE, &x);
    if (!status) status = greta_buf_create(dev, sizeof out, GRETA_MEM_DEVICE, &y);
    if (!status) status = load(dev, &module, &kernel);
    if (!status) status = run(stream, kernel, x, y, in, out);
    for (int i = 0; i < N && !status; i++)
        if (out[i] != 2.5f * in[i]) status = GRETA_ERR_INTERNAL;
    printf("%-8s %s: %s\n", name, dev ? greta_dev_get_info(dev)->name : "-", greta_status_text(status));
    greta_module_unload(&module); /* destroyers accept NULL, and wait for the work recorded before */
    greta_buf_destroy(&y);
    greta_buf_destroy(&x);
    greta_stream_destroy(&stream);
    greta_dev_close(&dev);
    return status;
}

int main(void) {
    struct greta_ctx *ctx;
    if (greta_ctx_create(NULL, &ctx)) return 1;
    greta_status vulkan = try_device(ctx, "vulkan"), cpu = try_device(ctx, "cpu");
    greta_ctx_destroy(&ctx);
    return cpu || (vulkan && vulkan != GRETA_ERR_UNAVAILABLE && vulkan != GRETA_ERR_NOT_FOUND);
}
