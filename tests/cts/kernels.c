/* The test kernels in C, and the look-up of every format's images. */
#include "cts.h"
#include "cts_spirv.h"
#include "cts_amdgpu.h"

enum { GROUP = 64 };

#define HOST_KERNEL(name) static void host_##name(const struct greta_host_group *g, const void *args)
#define LOOP(i, n) for (uint32_t i = g->id[0] * GROUP; i < (n) && i < (g->id[0] + 1) * GROUP; i++)

HOST_KERNEL(axpy) {
    const struct {
        const float *x, *y;
        float *z;
        uint32_t n;
        float c;
    } *a = args;
    LOOP(i, a->n) a->z[i] = a->x[i] + a->c * a->y[i];
}

HOST_KERNEL(step) {
    const struct { uint32_t *x, n; } *a = args;
    LOOP(i, a->n) a->x[i] = a->x[i] * 3 + 1;
}

HOST_KERNEL(ids) {
    const struct { uint32_t *y, n; } *a = args;
    uint32_t id = g->id[0] + g->count[0] * (g->id[1] + g->count[1] * g->id[2]);
    if (id < a->n) a->y[id] += 1 + id;
}

HOST_KERNEL(consts) {
    const struct { uint32_t *y, n; } *a = args;
    LOOP(i, a->n) a->y[i] = g->constants[1] + i * g->constants[2];
}

HOST_KERNEL(sum8) {
    const struct {
        const uint32_t *in[8];
        uint32_t *y, n;
    } *a = args;
    LOOP(i, a->n) {
        uint32_t sum = 0;
        for (int k = 0; k < 8; k++) sum += a->in[k][i];
        a->y[i] = sum;
    }
}

HOST_KERNEL(spin) {
    const struct { uint32_t *x, n; } *a = args;
    LOOP(i, a->n) {
        uint32_t v = a->x[i];
        for (uint32_t k = 0; k < g->constants[1]; k++) v = v * 3 + 1;
        a->x[i] = v;
    }
}

static const struct greta_host_entry host_entries[] = {
    [CTS_AXPY] = {"axpy", host_axpy}, [CTS_STEP] = {"step", host_step},
    [CTS_IDS] = {"ids", host_ids},    [CTS_CONSTS] = {"consts", host_consts},
    [CTS_SUM8] = {"sum8", host_sum8}, [CTS_SPIN] = {"spin", host_spin},
};

struct greta_image cts_image(enum greta_image_format format, enum cts_kernel kernel) {
    if (format == GRETA_IMAGE_HOST)
        return (struct greta_image){format, host_entries, sizeof host_entries, "cts"};
    if (format == GRETA_IMAGE_SPIRV) {
        const struct cts_spirv *s = &cts_spirv[kernel];
        return (struct greta_image){format, s->words, s->size_bytes, s->name};
    }
    return (struct greta_image){format, cts_amdgpu, cts_amdgpu_bytes,
                                "cts"}; /* of 0 bytes: built without its compiler */
}

const char *cts_entry(enum greta_image_format format, enum cts_kernel kernel) {
    return format == GRETA_IMAGE_SPIRV ? "main" : host_entries[kernel].name;
}

greta_status cts_kernel(struct greta_dev *dev, enum cts_kernel which, uint32_t k1, uint32_t k2,
                        struct greta_module **module, struct greta_kernel **kernel) {
    enum greta_image_format format = greta_dev_get_image_format(dev);
    struct greta_image image = cts_image(format, which);
    const struct greta_constant constants[] = {{0, GROUP}, {1, k1}, {2, k2}};
    *kernel = NULL;
    greta_status status = greta_module_load(dev, &image, module);
    if (!status) status = greta_kernel_get(*module, cts_entry(format, which), constants, 3, kernel);
    return cts_status(status, "cts_kernel");
}

greta_status cts_axpy(struct greta_stream *stream, struct greta_kernel *kernel, struct greta_buf *x,
                      struct greta_buf *y, struct greta_buf *z, uint32_t n, float c) {
    const struct {
        uint32_t n;
        float c;
    } constants = {n, c};
    const struct greta_binding b[] = {
        {x, 0, n * 4ull, GRETA_READ}, {y, 0, n * 4ull, GRETA_READ}, {z, 0, n * 4ull, GRETA_WRITE}};
    return greta_stream_dispatch(stream, &(struct greta_dispatch){.kernel = kernel,
                                                                  .groups = {(n + GROUP - 1) / GROUP, 1, 1},
                                                                  .n_bindings = 3,
                                                                  .bindings = b,
                                                                  .constants = &constants,
                                                                  .constants_bytes = sizeof constants});
}

greta_status cts_step(struct greta_stream *stream, struct greta_kernel *kernel, struct greta_buf *x,
                      uint64_t offset, uint32_t n) {
    const struct greta_binding b = {x, offset, n * 4ull, GRETA_READ_WRITE};
    return greta_stream_dispatch(stream, &(struct greta_dispatch){.kernel = kernel,
                                                                  .groups = {(n + GROUP - 1) / GROUP, 1, 1},
                                                                  .n_bindings = 1,
                                                                  .bindings = &b,
                                                                  .constants = &n,
                                                                  .constants_bytes = 4});
}

uint32_t cts_stepped(uint32_t x, uint32_t n_steps) {
    while (n_steps--) x = x * 3 + 1;
    return x;
}

void cts_pattern(uint32_t *data, size_t n, uint32_t seed) {
    for (size_t i = 0; i < n; i++) data[i] = ((uint32_t)i ^ (seed << 20)) * 2654435761u + seed;
}
