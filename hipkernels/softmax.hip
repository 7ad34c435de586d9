/* One workgroup a row; y may be x. */
#include "common/row.h"

GRETA_ARGS_BLOCK(SOFTMAX);

template <u32 N_THREADS, u32 OWN> GRETA_DEVICE void softmax_rows(const args_block &a) {
    GRETA_LDS static float scratch[N_THREADS / WAVE];
    u32 row = group_id<N_THREADS>(), n = a.n_cols, begin = row * n * 4;
    if (row >= a.n_rows) return;
    auto read = [&](u32 c) { return row_mask(row_load(a.x, begin + c * 4, c, n) * a.scale, c, n, lowest()); };
    row_pieces<N_THREADS, OWN> x;
    x.open(n, read);
    float largest = lowest(), sum = 0;
    x.each(read, [&](u32, f32x4 v) { largest = max_f32(largest, max4(v)); });
    largest = reduce_group<max_of, N_THREADS>(largest, scratch);
    auto weight = [&](f32x4 v) {
        return f32x4{exp_fast(v.x - largest), exp_fast(v.y - largest), exp_fast(v.z - largest),
                     exp_fast(v.w - largest)};
    };
    GRETA_UNROLL for (u32 o = 0; o < OWN; o++) if (x.first(o) < n) x.own[o] = weight(x.own[o]);
    x.each([&](u32 c) { return weight(read(c)); }, [&](u32, f32x4 v) { sum += sum4(v); });
    sum = reduce_group<sum_of, N_THREADS>(sum, scratch);
    float factor = 1 / sum;
    x.each([&](u32 c) { return weight(read(c)); },
           [&](u32 c, f32x4 v) { row_store(a.y, begin + c * 4, c, n, v * factor); });
}

GRETA_HIP_SOFTMAX(GRETA_INSTANCE)
