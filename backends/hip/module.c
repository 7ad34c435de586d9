/*
 * Modules are code objects, loaded whole; a kernel is a symbol in one. The constants of a kernel are part of its name:
 * "greta_matvec_rows" with 256, 3, 0 is greta_matvec_rows_256_3_0.
 */
#include "hip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "update.h"

const struct greta_image hip_update_image = {GRETA_IMAGE_AMDGPU, update_code, update_code_bytes,
                                             "this binary"};

/* ---- modules ---------------------------------------------------------------------------------------------------------- */

enum { ELF_ALIGN = 16 };

/* The library reads the ELF where it lies. */
static greta_status place(struct hip_device *dev, struct hip_module *m, const void **out) {
    *out = m->code.data;
    if (((uintptr_t)m->code.data & (ELF_ALIGN - 1)) == 0) return GRETA_OK;
    size_t bytes = (m->code.size_bytes + ELF_ALIGN - 1) & ~(size_t)(ELF_ALIGN - 1);
    m->copy = aligned_alloc(ELF_ALIGN, bytes);
    if (!m->copy) return greta_fail(dev->base.log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    memcpy(m->copy, m->code.data, m->code.size_bytes);
    *out = m->copy;
    return GRETA_OK;
}

static void release(struct hip_module *m) {
    hip_code_free(&m->code);
    pthread_mutex_destroy(&m->lock);
    free(m->copy);
    free(m);
}

greta_status hip_module_load(struct hal_dev *base, const struct greta_image *image, struct hal_module **out) {
    struct hip_device *dev = hip_device(base);
    const void *elf = NULL;
    *out = NULL;
    greta_status status = hip_enter(dev);
    if (status != GRETA_OK) return status;
    struct hip_module *m = calloc(1, sizeof *m);
    if (!m) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    pthread_mutex_init(&m->lock, NULL);
    m->name = image->name ? image->name : "?";
    status = hip_code_find(base->log, image, dev->board->target, &m->code);
    if (status == GRETA_OK) status = place(dev, m, &elf);
    if (status == GRETA_OK) status = HIP(dev, ModuleLoadData, (&m->handle, elf), m->name);
    if (status != GRETA_OK) {
        release(m);
        return status;
    }
    *out = &m->base;
    return GRETA_OK;
}

void hip_module_unload(struct hal_dev *base, struct hal_module *hal) {
    struct hip_device *dev = hip_device(base);
    struct hip_module *m = (struct hip_module *)hal;
    if (!m) return;
    for (struct hip_kernel *k = m->kernels, *next; k; k = next) {
        next = k->next;
        free(k);
    }
    (void)dev->fn->SetDevice(dev->board->ordinal);
    (void)dev->fn->ModuleUnload(m->handle);
    release(m);
}

/* ---- kernels ---------------------------------------------------------------------------------------------------------- */

enum { MAX_SYMBOL = 512 };

static greta_status make_symbol(struct hip_device *dev, const char *name,
                                const struct greta_constant *constants, uint32_t n, char symbol[MAX_SYMBOL]) {
    int used = snprintf(symbol, MAX_SYMBOL, "%s", name);
    for (uint32_t i = 0; i < n && used >= 0 && used < MAX_SYMBOL; i++)
        if (constants[i].id != GRETA_CONSTANT_SUBGROUP_SIZE)
            used += snprintf(symbol + used, (size_t)(MAX_SYMBOL - used), "_%u", constants[i].value);
    if (used >= 0 && used < MAX_SYMBOL) return GRETA_OK;
    return greta_fail(dev->base.log, GRETA_ERR_INVALID, "hip: kernel %s: its name and constants are too long",
                      name);
}

static const struct hip_facts *find(const struct hip_module *m, const char *symbol) {
    for (uint32_t i = 0; i < m->code.n_kernels; i++)
        if (strcmp(m->code.kernels[i].name, symbol) == 0) return &m->code.kernels[i];
    return NULL;
}

static greta_status check(struct hip_device *dev, const struct hip_module *m, const char *symbol,
                          const struct hip_facts *facts, uint32_t threads) {
    const struct greta_log *log = dev->base.log;
    const struct greta_limits *l = &dev->base.limits;
    if (!facts)
        return greta_fail(log, GRETA_ERR_NOT_FOUND, "hip: module %s has no kernel %s", m->name, symbol);
    if (facts->info.subgroup_size != l->subgroup_max)
        return greta_fail(log, GRETA_ERR_UNSUPPORTED,
                          "hip: kernel %s was built for waves of %u threads, and %s has waves of %u", symbol,
                          facts->info.subgroup_size, dev->base.info.name, l->subgroup_max);
    if (!threads || threads > facts->max_threads || threads > l->max_group_threads)
        return greta_fail(log, GRETA_ERR_INVALID,
                          "hip: kernel %s: %u threads a group: it was built for 1 to %u", symbol, threads,
                          facts->max_threads);
    if (facts->info.lds_bytes > l->max_lds_bytes)
        return greta_fail(log, GRETA_ERR_UNSUPPORTED, "hip: kernel %s needs %u bytes of LDS, and %s has %u",
                          symbol, facts->info.lds_bytes, dev->base.info.name, l->max_lds_bytes);
    if (facts->args_bytes > HIP_MAX_ARGS_BYTES)
        return greta_fail(log, GRETA_ERR_UNSUPPORTED,
                          "hip: kernel %s takes %u bytes of arguments: at most %d are passed", symbol,
                          facts->args_bytes, HIP_MAX_ARGS_BYTES);
    return GRETA_OK;
}

greta_status hip_kernel_get(struct hal_dev *base, struct hal_module *hal, const char *name,
                            const struct greta_constant *constants, uint32_t n_constants,
                            struct hal_kernel **out) {
    struct hip_device *dev = hip_device(base);
    struct hip_module *m = (struct hip_module *)hal;
    char symbol[MAX_SYMBOL];
    *out = NULL;
    greta_status status = hip_enter(dev);
    if (status == GRETA_OK) status = make_symbol(dev, name, constants, n_constants, symbol);
    if (status != GRETA_OK) return status;
    const struct hip_facts *facts = find(m, symbol);
    uint32_t threads = n_constants ? constants[0].value : facts ? facts->max_threads : 0;
    status = check(dev, m, symbol, facts, threads);
    if (status != GRETA_OK) return status;
    struct hip_kernel *k = calloc(1, sizeof *k);
    if (!k) return greta_fail(base->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    k->base.info = facts->info;
    k->threads = threads;
    k->args_bytes = facts->args_bytes;
    status = HIP(dev, ModuleGetFunction, (&k->function, m->handle, symbol), symbol);
    if (status != GRETA_OK) {
        free(k);
        return status;
    }
    pthread_mutex_lock(&m->lock);
    k->next = m->kernels;
    m->kernels = k;
    pthread_mutex_unlock(&m->lock);
    *out = &k->base;
    return GRETA_OK;
}
