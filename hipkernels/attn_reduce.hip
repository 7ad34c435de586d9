/* For the sizes of heads that GRETA_EACH_HEAD lists. */
#include "common/attn_reduce.h"

GRETA_ARGS_BLOCK(ATTN_REDUCE);

template <u32 N_THREADS, u32 HEAD_DIM> GRETA_DEVICE void attn_reduce_simple(const args_block &a) {
    attn_reduce<N_THREADS>(a, HEAD_DIM);
}

GRETA_HIP_ATTN_REDUCE(GRETA_INSTANCE)
