/* A group of lanes makes ROWS results. */
#include "common/matvec.h"

GRETA_ARGS_BLOCK(MATVEC);

template <u32 N_THREADS, u32 W_TYPE, u32 X_TYPE, u32 ADD, u32 ROWS>
GRETA_DEVICE void matvec_rows(const args_block &a) {
    GRETA_LDS static u32x4 lds[x_tile<W_TYPE, X_TYPE>::BYTES / 16];
    row_teams teams = row_teams_of<W_TYPE>(a.n_cols);
    u32 group_first = group_id<N_THREADS>() * teams.n_teams<N_THREADS>() * ROWS,
        first = group_first + teams.team() * ROWS;
    if (group_first >= a.n_rows) return;

    packed_weight w = packed_open<W_TYPE>(a.w, a.n_rows, a.n_cols);
    global_in bases[ROWS];
    u32 rows[ROWS];
    float sums[ROWS], old[ROWS];
    GRETA_UNROLL for (u32 r = 0; r < ROWS; r++) {
        bases[r] = a.w;
        rows[r] = min_u32(first + r, a.n_rows - 1);
        if (ADD) old[r] = load<float>(a.y, rows[r] * 4); /* early: it is here when the sum is */
    }
    rows_multiply<N_THREADS, W_TYPE, X_TYPE, false, ROWS>(matvec_x{a.x, a.x, a.n_cols}, w, bases, rows, teams,
                                                          0, lds, nullptr, sums);
    GRETA_UNROLL for (u32 r = 0; r < ROWS; r++) if (teams.lane() == 0 && first + r < a.n_rows)
        out<float>(a.y, (first + r) * 4, ADD ? old[r] + sums[r] : sums[r]);
}

GRETA_HIP_MATVEC(GRETA_INSTANCE)
