/* One thread an element. */
#include "common/device.h"

GRETA_ARGS_BLOCK(FILL);

template <u32 N_THREADS> GRETA_DEVICE void fill_simple(const args_block &a) {
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    if (i < a.n) out<u32>(a.y, i * 4, a.value);
}

GRETA_HIP_FILL(GRETA_INSTANCE)
