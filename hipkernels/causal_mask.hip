/* One workgroup a row. */
#include "common/row.h"

GRETA_ARGS_BLOCK(CAUSAL_MASK);

template <u32 N_THREADS> GRETA_DEVICE void causal_mask_rows(const args_block &a) {
    u32 row = group_id<N_THREADS>();
    if (row >= a.n_rows) return;
    /* The first column to mask; the sum may pass 2^32. */
    u64 seen = (u64)a.pos + row + 1;
    for (u64 c = seen + thread_id(); c < a.n_cols; c += N_THREADS)
        out<float>(a.x, (row * a.n_cols + (u32)c) * 4, lowest());
}

GRETA_HIP_CAUSAL_MASK(GRETA_INSTANCE)
