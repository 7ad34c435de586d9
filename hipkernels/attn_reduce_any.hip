/* For heads of any size. */
#include "common/attn_any.h"
#include "common/attn_reduce.h"

GRETA_ARGS_BLOCK_HEAD(ATTN_REDUCE);

template <u32 N_THREADS, u32 /* head_dim: a.head_dim */>
GRETA_DEVICE void attn_reduce_any(const args_block &a) {
    attn_reduce<N_THREADS>(a, a.head_dim);
}

GRETA_HIP_ATTN_REDUCE_ANY(GRETA_INSTANCE)
