#include "hal.h"

extern const struct greta_backend hal_cpu_backend;
#ifdef GRETA_WITH_VULKAN
extern const struct greta_backend hal_vulkan_backend;
#endif

const struct greta_backend *const hal_backends[] = {
#ifdef GRETA_WITH_VULKAN
    &hal_vulkan_backend,
#endif
    &hal_cpu_backend,
    NULL,
};
