/* What the files of HIP rows share. Inside kernels/ only. */
#ifndef KERNELS_ROWS_HIP_H
#define KERNELS_ROWS_HIP_H

#include "variant.h"

enum { HIP_ALL_WEIGHTS = (1 << GRETA_N_PACKED_TYPES) - 1 };

/* A kernel that hipkernels/instances.h lists: an entry and the constants that make its symbol. */
struct hip_instance {
    const char *entry; /* "greta_fill_simple" */
    uint32_t n, constants[12];
};
#define HIP_INSTANCE(name, ...) {"greta_" #name, GRETA_COUNT(__VA_ARGS__), {__VA_ARGS__}},

/* Whether the list holds the kernel that the row needs for the call: NULL, or the condition that fails. */
const char *hip_find_instance(const struct hip_instance *list, uint32_t n_list, const struct greta_variant *v,
                              const struct greta_call *call);
/* Bindings may be empty where only shapes are asked about. */
bool hip_is_aligned(const struct greta_call *call, unsigned i_binding, uint64_t alignment);

/* The members that all rows have; image is greta_hip_<source>. */
#define HIP_ROW(op_, name_, source_, entry_, threads_, groups_)                                       \
    .name = name_, .op = GRETA_OP_##op_, .format = GRETA_IMAGE_AMDGPU, .image = &greta_hip_##source_, \
    .entry = "greta_" #entry_, .n_threads = threads_, .n_groups = groups_, .layout = GRETA_LAYOUT_PACKED

#endif
