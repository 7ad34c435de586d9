#include "cpu.h"

#include <stdlib.h>
#include <string.h>

greta_status cpu_module_load(struct hal_dev *dev, const struct greta_image *image, struct hal_module **out) {
    *out = NULL;
    if (image->size_bytes % sizeof(struct greta_host_entry))
        return greta_fail(dev->log, GRETA_ERR_FORMAT,
                          "cpu: module %s: %zu bytes are not a whole number of entries of %zu bytes",
                          image->name ? image->name : "?", image->size_bytes,
                          sizeof(struct greta_host_entry));
    struct cpu_module *m = calloc(1, sizeof *m);
    if (!m) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "cpu: no memory for a module");
    m->image = *image;
    pthread_mutex_init(&m->lock, NULL);
    *out = &m->hal;
    return GRETA_OK;
}

void cpu_module_unload(struct hal_dev *dev, struct hal_module *module) {
    (void)dev;
    struct cpu_module *m = (struct cpu_module *)module;
    while (m->kernels) {
        struct cpu_kernel *next = m->kernels->next;
        free(m->kernels);
        m->kernels = next;
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static greta_host_fn *find(const struct cpu_module *m, const char *name) {
    const struct greta_host_entry *entries = m->image.data;
    size_t n = m->image.size_bytes / sizeof *entries;
    for (size_t i = 0; i < n; i++)
        if (strcmp(entries[i].name, name) == 0) return entries[i].fn;
    return NULL;
}

greta_status cpu_kernel_get(struct hal_dev *dev, struct hal_module *module, const char *name,
                            const struct greta_constant *constants, uint32_t n_constants,
                            struct hal_kernel **out) {
    *out = NULL;
    struct cpu_module *m = (struct cpu_module *)module;
    greta_host_fn *fn = find(m, name);
    if (!fn)
        return greta_fail(dev->log, GRETA_ERR_NOT_FOUND, "cpu: module %s has no kernel named %s",
                          m->image.name ? m->image.name : "?", name);
    struct cpu_kernel *k = calloc(1, sizeof *k + n_constants * sizeof *k->constants);
    if (!k) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "cpu: no memory for the kernel %s", name);
    k->fn = fn;
    k->n_constants = n_constants;
    for (uint32_t i = 0; i < n_constants; i++) k->constants[i] = constants[i].value;
    pthread_mutex_lock(&m->lock);
    k->next = m->kernels;
    m->kernels = k;
    pthread_mutex_unlock(&m->lock);
    *out = &k->hal;
    return GRETA_OK;
}
