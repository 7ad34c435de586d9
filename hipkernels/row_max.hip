/* One workgroup a row. */
#include "common/row.h"

GRETA_ARGS_BLOCK(ROW_MAX);

template <u32 N_THREADS, u32 OWN> GRETA_DEVICE void row_max_rows(const args_block &a) {
    GRETA_LDS static float scratch[N_THREADS / WAVE];
    u32 row = group_id<N_THREADS>(), n = a.n_cols, begin = row * n * 4;
    if (row >= a.n_rows) return;
    auto read = [&](u32 c) { return row_load(a.x, begin + c * 4, c, n); };
    row_pieces<N_THREADS, OWN> x;
    x.open(n, read);
    /* fmax passes over a NaN. */
    float largest = lowest();
    x.each(read, [&](u32 c, f32x4 v) { largest = max_f32(largest, max4(row_mask(v, c, n, lowest()))); });
    largest = reduce_group<max_of, N_THREADS>(largest, scratch);
    if (thread_id() == 0) out<float>(a.y, row * 4, largest);
}

GRETA_HIP_ROW_MAX(GRETA_INSTANCE)
