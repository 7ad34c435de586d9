/* One thread an element. */
#include "common/device.h"

GRETA_ARGS_BLOCK(CAST);

template <u32 N_THREADS, u32 X_TYPE, u32 Y_TYPE> GRETA_DEVICE void cast_simple(const args_block &a) {
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    if (i < a.n) store_element<Y_TYPE>(a.y, i, load_element<X_TYPE>(a.x, i));
}

GRETA_HIP_CAST(GRETA_INSTANCE)
