/* One thread an element. */
#include "common/device.h"

GRETA_ARGS_BLOCK(SCALE);

template <u32 N_THREADS> GRETA_DEVICE void scale_simple(const args_block &a) {
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    if (i < a.n) out<float>(a.y, i * 4, a.scale * load<float>(a.x, i * 4));
}

GRETA_HIP_SCALE(GRETA_INSTANCE)
