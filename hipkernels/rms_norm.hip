/* One workgroup a row. */
#include "common/row.h"

GRETA_ARGS_BLOCK(RMS_NORM);

template <u32 N_THREADS, u32 OWN> GRETA_DEVICE void rms_norm_rows(const args_block &a) {
    GRETA_LDS static float scratch[N_THREADS / WAVE];
    u32 row = group_id<N_THREADS>(), n = a.n_cols, begin = row * n * 4;
    if (row >= a.n_rows) return;
    auto read = [&](u32 c) { return row_load(a.x, begin + c * 4, c, n); };
    row_pieces<N_THREADS, OWN> x;
    x.open(n, read);
    float sum = 0;
    x.each(read, [&](u32, f32x4 v) { sum += sum4(v * v); });
    sum = reduce_group<sum_of, N_THREADS>(sum, scratch);
    float factor = rsqrt(sum / (float)n + a.eps);
    x.each(read, [&](u32 c, f32x4 v) {
        row_store(a.y, begin + c * 4, c, n, v * factor * row_load(a.w, c * 4, c, n));
    });
}

GRETA_HIP_RMS_NORM(GRETA_INSTANCE)
