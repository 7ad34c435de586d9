/* One thread an element. */
#include "common/device.h"

GRETA_ARGS_BLOCK(BIAS_ADD);

template <u32 N_THREADS> GRETA_DEVICE void bias_add_simple(const args_block &a) {
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    if (i < a.n_rows * a.n_cols)
        out<float>(a.y, i * 4, load<float>(a.y, i * 4) + in<float>(a.b, i % a.n_cols * 4));
}

GRETA_HIP_BIAS_ADD(GRETA_INSTANCE)
