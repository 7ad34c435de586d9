/* One thread four elements, eight a unit. */
#include "common/quantize.h"
#include "common/row.h"

GRETA_ARGS_BLOCK(QUANTIZE);

template <u32 N_THREADS> GRETA_DEVICE void quantize_simple(const args_block &a) {
    u32 n = a.n_cols, per_row = GRETA_Q8A_UNITS(n) * 8;
    u32 i = group_id<N_THREADS>() * N_THREADS + thread_id();
    u32 row = i / per_row, c = i % per_row * 4;
    f32x4 v = {0, 0, 0, 0};
    if (row < a.n_rows) v = row_load(a.x, (row * n + c) * 4, c, n);
    /* A unit's eight lanes are of one row. */
    if (row < a.n_rows) quantize_piece(a.y, row, n, c, v);
}

GRETA_HIP_QUANTIZE(GRETA_INSTANCE)
