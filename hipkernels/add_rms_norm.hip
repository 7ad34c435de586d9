/* One workgroup a row. */
#include "common/row.h"

GRETA_ARGS_BLOCK(ADD_RMS_NORM);

template <u32 N_THREADS, u32 OWN> GRETA_DEVICE void add_rms_norm_rows(const args_block &a) {
    GRETA_LDS static float scratch[N_THREADS / WAVE];
    u32 row = group_id<N_THREADS>(), n = a.n_cols, begin = row * n * 4;
    if (row >= a.n_rows) return;
    auto add = [&](u32 c) { return row_load(a.x, begin + c * 4, c, n) + row_load(a.r, begin + c * 4, c, n); };
    row_pieces<N_THREADS, OWN> x;
    x.open(n, add);
    float sum = 0;
    x.each(add, [&](u32 c, f32x4 v) {
        row_store(a.x, begin + c * 4, c, n, v);
        sum += sum4(v * v);
    });
    sum = reduce_group<sum_of, N_THREADS>(sum, scratch);
    float factor = rsqrt(sum / (float)n + a.eps);
    /* What is not kept was stored by this same thread. */
    x.each([&](u32 c) { return row_load(a.x, begin + c * 4, c, n); },
           [&](u32 c, f32x4 v) {
               row_store(a.y, begin + c * 4, c, n, v * factor * row_load(a.w, c * 4, c, n));
           });
}

GRETA_HIP_ADD_RMS_NORM(GRETA_INSTANCE)
