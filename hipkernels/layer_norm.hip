/* One workgroup a row. */
#include "common/row.h"

GRETA_ARGS_BLOCK(LAYER_NORM);

template <u32 N_THREADS, u32 OWN> GRETA_DEVICE void layer_norm_rows(const args_block &a) {
    GRETA_LDS static float scratch[N_THREADS / WAVE];
    u32 row = group_id<N_THREADS>(), n = a.n_cols, begin = row * n * 4;
    if (row >= a.n_rows) return;
    auto read = [&](u32 c) { return row_load(a.x, begin + c * 4, c, n); };
    row_pieces<N_THREADS, OWN> x;
    x.open(n, read);
    float sum = 0, squares = 0;
    x.each(read, [&](u32, f32x4 v) { sum += sum4(v); });
    float mean = reduce_group<sum_of, N_THREADS>(sum, scratch) / (float)n;
    x.each(read, [&](u32 c, f32x4 v) {
        f32x4 d = row_mask(v - mean, c, n, 0);
        squares += sum4(d * d);
    });
    squares = reduce_group<sum_of, N_THREADS>(squares, scratch);
    float factor = rsqrt(squares / (float)n + a.eps);
    x.each(read, [&](u32 c, f32x4 v) {
        f32x4 y = (v - mean) * factor * row_load(a.w, c * 4, c, n) + row_load(a.b, c * 4, c, n);
        row_store(a.y, begin + c * 4, c, n, y);
    });
}

GRETA_HIP_LAYER_NORM(GRETA_INSTANCE)
