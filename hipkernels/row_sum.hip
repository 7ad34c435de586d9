/* One workgroup a row. */
#include "common/row.h"

GRETA_ARGS_BLOCK(ROW_SUM);

template <u32 N_THREADS, u32 OWN> GRETA_DEVICE void row_sum_rows(const args_block &a) {
    GRETA_LDS static float scratch[N_THREADS / WAVE];
    u32 row = group_id<N_THREADS>(), n = a.n_cols, begin = row * n * 4;
    if (row >= a.n_rows) return;
    auto read = [&](u32 c) { return row_load(a.x, begin + c * 4, c, n); };
    row_pieces<N_THREADS, OWN> x;
    x.open(n, read);
    float sum = 0;
    x.each(read, [&](u32, f32x4 v) { sum += sum4(v); });
    sum = reduce_group<sum_of, N_THREADS>(sum, scratch);
    if (thread_id() == 0) out<float>(a.y, row * 4, sum);
}

GRETA_HIP_ROW_SUM(GRETA_INSTANCE)
