/* One thread an element. */
#include "common/device.h"

GRETA_ARGS_BLOCK(ADD);

template <u32 N_THREADS> GRETA_DEVICE void add_simple(const args_block &a) {
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    if (i < a.n) out<float>(a.y, i * 4, load<float>(a.a, i * 4) + load<float>(a.b, i * 4));
}

GRETA_HIP_ADD(GRETA_INSTANCE)
