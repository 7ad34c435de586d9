/* One thread an element. */
#include "common/act.h"

GRETA_ARGS_BLOCK(ACT_MUL);

template <u32 N_THREADS, u32 ACT> GRETA_DEVICE void act_mul_simple(const args_block &a) {
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    if (i < a.n) out<float>(a.y, i * 4, act_of<ACT>(load<float>(a.gate, i * 4)) * load<float>(a.up, i * 4));
}

GRETA_HIP_ACT_MUL(GRETA_INSTANCE)
