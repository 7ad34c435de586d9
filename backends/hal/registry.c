#include "hal.h"

extern const struct greta_backend cpu_backend;
#ifdef GRETA_WITH_HIP
extern const struct greta_backend hip_backend;
#endif
#ifdef GRETA_WITH_VULKAN
extern const struct greta_backend vk_backend;
#endif

const struct greta_backend *const hal_backends[] = {
#ifdef GRETA_WITH_HIP
    &hip_backend,
#endif
#ifdef GRETA_WITH_VULKAN
    &vk_backend,
#endif
    &cpu_backend,
    NULL,
};
