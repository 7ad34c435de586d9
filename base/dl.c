#include "dl.h"

#include <dlfcn.h>
#include <string.h>

greta_status dl_open(struct dl *dl, const char *const *names, const struct greta_log *log) {
    *dl = (struct dl){0};
    for (size_t i = 0; names[i]; i++) {
        dl->handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (dl->handle) {
            dl->name = names[i];
            return GRETA_OK;
        }
        greta_logf(log, GRETA_LOG_DEBUG, "%s", dlerror());
    }
    return GRETA_ERR_UNAVAILABLE;
}

greta_status dl_load(const struct dl *dl, const struct dl_symbol *symbols, size_t n_symbols, void *table,
                     const struct greta_log *log) {
    for (size_t i = 0; i < n_symbols; i++) {
        void *p = dlsym(dl->handle, symbols[i].name);
        if (!p && !symbols[i].optional)
            return greta_fail(log, GRETA_ERR_UNAVAILABLE, "%s lacks %s: install a newer version of it", dl->name,
                              symbols[i].name);
        memcpy((char *)table + symbols[i].offset, &p, sizeof p);
    }
    return GRETA_OK;
}

void dl_close(struct dl *dl) {
    if (dl->handle) dlclose(dl->handle);
    *dl = (struct dl){0};
}
