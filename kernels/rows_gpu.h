/* What the rows of all GPU backends share. Inside kernels/ only. */
#ifndef KERNELS_ROWS_GPU_H
#define KERNELS_ROWS_GPU_H

#include "variant.h"
#include "weight_types.h"

static inline uint64_t div_up(uint64_t n, uint64_t d) {
    return (n + d - 1) / d;
}

/* Bindings may be empty where only shapes are asked about. */
static inline bool is_aligned(const struct greta_call *call, unsigned i_binding, uint64_t alignment) {
    const struct greta_binding *b = &call->bindings[i_binding];
    return !b->buf || b->offset_bytes % alignment == 0;
}

#endif
