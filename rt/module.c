#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { SPIRV_MAGIC = 0x07230203 };
static const char bundle_magic[] = "__CLANG_OFFLOAD_BUNDLE__";

static const char *const format_names[] = {"host", "SPIR-V", "AMDGPU"};

static greta_status check_image(struct greta_dev *dev, const struct greta_image *image) {
    const char *name = image->name ? image->name : "?";
    if (!image->data || !image->size_bytes)
        return greta_fail(dev->log, GRETA_ERR_INVALID, "module %s: the image is empty", name);
    if ((unsigned)image->format > GRETA_IMAGE_AMDGPU)
        return greta_fail(dev->log, GRETA_ERR_INVALID, "module %s: %u is no image format", name,
                          (unsigned)image->format);
    if (image->format != dev->format)
        return greta_fail(dev->log, GRETA_ERR_INVALID,
                          "module %s: a %s image, and the %s device runs %s images", name,
                          format_names[image->format], dev->hal->info.backend, format_names[dev->format]);
    uint32_t magic = 0;
    if (image->size_bytes >= 4) memcpy(&magic, image->data, 4);
    if (image->format == GRETA_IMAGE_SPIRV &&
        (magic != SPIRV_MAGIC || image->size_bytes % 4 || image->size_bytes < 20))
        return greta_fail(dev->log, GRETA_ERR_FORMAT, "module %s: %zu bytes that are not SPIR-V", name,
                          image->size_bytes);
    if (image->format == GRETA_IMAGE_AMDGPU &&
        (image->size_bytes < sizeof bundle_magic || memcmp(image->data, bundle_magic, sizeof bundle_magic - 1) != 0))
        return greta_fail(dev->log, GRETA_ERR_FORMAT, "module %s: not a clang offload bundle of code objects", name);
    return GRETA_OK;
}

static void kernel_free(struct greta_kernel *k) {
    free(k->name);
    free(k);
}

static void module_free(struct greta_module *m) {
    while (m->kernels) {
        struct greta_kernel *next = m->kernels->next;
        kernel_free(m->kernels);
        m->kernels = next;
    }
    pthread_cond_destroy(&m->built);
    pthread_mutex_destroy(&m->lock);
    free(m->name);
    free(m);
}

static void release(struct greta_dev *dev, struct rt_retire *retire) {
    struct greta_module *m = (struct greta_module *)retire;
    dev->hal->ops->module_unload(dev->hal, m->hal);
    module_free(m);
}

greta_status greta_module_load(struct greta_dev *dev, const struct greta_image *image,
                               struct greta_module **out) {
    if (!out) return GRETA_ERR_INVALID;
    *out = NULL;
    if (!dev || !image) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(dev)) return GRETA_ERR_DEVICE_LOST;
    greta_status status = check_image(dev, image);
    if (status != GRETA_OK) return status;
    uint64_t start = rt_record_start(dev);
    struct greta_module *m = calloc(1, sizeof *m);
    if (!m)
        return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "module %s: out of memory",
                          image->name ? image->name : "?");
    *m = (struct greta_module){.retire.release = release, .dev = dev};
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->built, NULL);
    m->name = strdup(image->name ? image->name : "?");
    status = m->name ? rt_dev_note(dev, dev->hal->ops->module_load(dev->hal, image, &m->hal))
                     : GRETA_ERR_NO_MEMORY;
    if (status != GRETA_OK) {
        module_free(m);
        return status;
    }
    atomic_fetch_add(&dev->refs, 1);
    rt_record(dev, GRETA_RECORD_MODULE_LOAD, m->name, image->size_bytes, NULL, start);
    *out = m;
    return GRETA_OK;
}

void greta_module_unload(struct greta_module **module) {
    struct greta_module *m = module ? *module : NULL;
    if (!m) return;
    *module = NULL;
    rt_retire(m->dev, &m->retire);
}

static struct greta_kernel *find(const struct greta_module *m, const char *name,
                                 const struct greta_constant *constants, uint32_t n) {
    for (struct greta_kernel *k = m->kernels; k; k = k->next)
        if (k->n_constants == n && strcmp(k->name, name) == 0 &&
            (!n || memcmp(k->constants, constants, n * sizeof *constants) == 0))
            return k;
    return NULL;
}

static struct greta_kernel *kernel_create(struct greta_module *m, const char *name,
                                          const struct greta_constant *constants, uint32_t n) {
    struct greta_kernel *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->module = m;
    k->n_constants = n;
    if (n) memcpy(k->constants, constants, n * sizeof *constants);
    k->name = strdup(name);
    if (!k->name) {
        free(k);
        return NULL;
    }
    return k;
}

static void unlink_kernel(struct greta_module *m, struct greta_kernel *k) {
    struct greta_kernel **p = &m->kernels;
    while (*p != k) p = &(*p)->next;
    *p = k->next;
}

/* The lock is held, and given up while the device compiles: others build other kernels meanwhile. */
static greta_status build(struct greta_module *m, struct greta_kernel *k) {
    struct greta_dev *dev = m->dev;
    k->next = m->kernels;
    m->kernels = k;
    pthread_mutex_unlock(&m->lock);
    uint64_t start = rt_record_start(dev);
    struct hal_kernel *hal = NULL;
    greta_status status = rt_dev_note(
        dev, dev->hal->ops->kernel_get(dev->hal, m->hal, k->name, k->constants, k->n_constants, &hal));
    if (status == GRETA_OK) rt_record(dev, GRETA_RECORD_KERNEL_GET, k->name, 0, NULL, start);
    pthread_mutex_lock(&m->lock);
    k->hal = hal;
    if (status != GRETA_OK) {
        unlink_kernel(m, k);
        kernel_free(k);
    }
    pthread_cond_broadcast(&m->built);
    return status;
}

greta_status greta_kernel_get(struct greta_module *m, const char *name,
                              const struct greta_constant *constants, uint32_t n_constants,
                              struct greta_kernel **out) {
    if (!out) return GRETA_ERR_INVALID;
    *out = NULL;
    if (!m || !name || (n_constants && !constants)) return GRETA_ERR_INVALID;
    if (rt_dev_is_lost(m->dev)) return GRETA_ERR_DEVICE_LOST;
    if (n_constants > RT_MAX_CONSTANTS)
        return greta_fail(m->dev->log, GRETA_ERR_INVALID, "kernel %s: %u constants, and at most %d are taken",
                          name, n_constants, RT_MAX_CONSTANTS);
    greta_status status = GRETA_OK;
    pthread_mutex_lock(&m->lock);
    struct greta_kernel *k;
    while ((k = find(m, name, constants, n_constants)) && !k->hal) pthread_cond_wait(&m->built, &m->lock);
    if (!k) {
        k = kernel_create(m, name, constants, n_constants);
        status =
            k ? build(m, k) : greta_fail(m->dev->log, GRETA_ERR_NO_MEMORY, "kernel %s: out of memory", name);
    }
    pthread_mutex_unlock(&m->lock);
    if (status == GRETA_OK) *out = k;
    return status;
}

const struct greta_kernel_info *greta_kernel_get_info(const struct greta_kernel *kernel) {
    return &kernel->hal->info;
}
