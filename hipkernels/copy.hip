/* One thread an element. */
#include "common/device.h"

GRETA_ARGS_BLOCK(COPY);

template <u32 N_THREADS> GRETA_DEVICE void copy_simple(const args_block &a) {
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    if (i < a.n) out<u32>(a.y, i * 4, load<u32>(a.x, i * 4));
}

GRETA_HIP_COPY(GRETA_INSTANCE)
