/* A group of lanes makes ROWS results: it reads the same rows of both weights side by side. */
#include "common/act.h"
#include "common/matvec.h"

GRETA_ARGS_BLOCK(MATVEC_GLU);

template <u32 N_THREADS, u32 W_TYPE, u32 X_TYPE, u32 ACT, u32 NORM, u32 ROWS>
GRETA_DEVICE void matvec_glu_rows(const args_block &a) {
    GRETA_LDS static u32x4 lds[x_tile<W_TYPE, X_TYPE>::BYTES / 16];
    GRETA_LDS static float scratch[N_THREADS / WAVE];
    row_teams teams = row_teams_of<W_TYPE>(a.n_cols);
    u32 group_first = group_id<N_THREADS>() * teams.n_teams<N_THREADS>() * ROWS,
        first = group_first + teams.team() * ROWS;
    if (group_first >= a.n_rows) return;

    packed_weight w = packed_open<W_TYPE>(a.w_gate, a.n_rows, a.n_cols);
    global_in bases[2 * ROWS];
    u32 rows[2 * ROWS];
    float sums[2 * ROWS];
    GRETA_UNROLL for (u32 i = 0; i < 2 * ROWS; i++) {
        bases[i] = i < ROWS ? a.w_gate : a.w_up;
        rows[i] = min_u32(first + i % ROWS, a.n_rows - 1);
    }
    rows_multiply<N_THREADS, W_TYPE, X_TYPE, NORM, 2 * ROWS>(matvec_x{a.x, a.norm, a.n_cols}, w, bases, rows,
                                                             teams, a.eps, lds, scratch, sums);
    GRETA_UNROLL for (u32 r = 0; r < ROWS; r++) if (teams.lane() == 0 && first + r < a.n_rows)
        out<float>(a.y, (first + r) * 4, act_of<ACT>(sums[r]) * sums[ROWS + r]);
}

GRETA_HIP_MATVEC_GLU(GRETA_INSTANCE)
