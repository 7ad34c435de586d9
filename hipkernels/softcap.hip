/* One thread an element. */
#include "common/device.h"

GRETA_ARGS_BLOCK(SOFTCAP);

template <u32 N_THREADS> GRETA_DEVICE void softcap_simple(const args_block &a) {
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    if (i < a.n) out<float>(a.y, i * 4, a.cap * tanh_exact(load<float>(a.x, i * 4) / a.cap));
}

GRETA_HIP_SOFTCAP(GRETA_INSTANCE)
