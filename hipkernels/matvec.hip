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

#if defined(__GFX9__)
/*
 * The same by n_split groups for each of its results: each sums a piece of the columns, and the last one to be done, told by a counter,
 * adds the pieces in their order. What one die writes another reads: hence the fences of the whole device.
 */
namespace split {
GRETA_ARGS_BLOCK(MATVEC_SPLIT);

template <u32 N_THREADS, u32 W_TYPE, u32 X_TYPE, u32 ADD, u32 ROWS>
GRETA_DEVICE void matvec_split_rows(const args_block &a) {
    GRETA_LDS static u32x4 lds[x_tile<W_TYPE, X_TYPE>::BYTES / 16];
    GRETA_LDS static u32 n_before;
    u32 columns = GRETA_HIP_SPLIT_COLUMNS(a.n_cols, a.n_split), piece = group_id<N_THREADS>() % a.n_split;
    row_teams teams = row_teams_of<W_TYPE>(columns);
    u32 group_first = group_id<N_THREADS>() / a.n_split * teams.n_teams<N_THREADS>() * ROWS,
        first = group_first + teams.team() * ROWS, begin = piece * columns;
    if (group_first >= a.n_rows) return;

    packed_weight w = packed_open<W_TYPE>(a.w, a.n_rows, a.n_cols);
    global_in bases[ROWS];
    u32 rows[ROWS];
    float sums[ROWS];
    GRETA_UNROLL for (u32 r = 0; r < ROWS; r++) {
        bases[r] = a.w;
        rows[r] = min_u32(first + r, a.n_rows - 1);
        sums[r] = 0;
    }
    if (begin < a.n_cols)
        rows_multiply<N_THREADS, W_TYPE, X_TYPE, false, ROWS>(
            matvec_x{a.x, a.x, a.n_cols}, w, bases, rows, teams, 0, lds, nullptr, sums,
            column_range{begin, min_u32(begin + columns, a.n_cols)});
    GRETA_UNROLL for (u32 r = 0; r < ROWS; r++) if (teams.lane() == 0 && first + r < a.n_rows)
        out<float>(a.parts, ((first + r) * a.n_split + piece) * 4, sums[r]);

    GRETA_GLOBAL u32 *counter = (GRETA_GLOBAL u32 *)(a.counters + group_first * 4);
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "agent");
    barrier();
    if (thread_id() == 0)
        n_before = __hip_atomic_fetch_add(counter, 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
    barrier();
    if (n_before != a.n_split - 1) return;
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "agent");
    GRETA_UNROLL for (u32 r = 0; r < ROWS; r++) if (teams.lane() == 0 && first + r < a.n_rows) {
        u32 at = (first + r) * 4;
        float sum = 0;
        for (u32 s = 0; s < a.n_split; s++) sum += load<float>(a.parts, at * a.n_split + s * 4);
        out<float>(a.y, at, ADD ? load<float>(a.y, at) + sum : sum);
    }
    if (thread_id() == 0) *counter = 0;
}

GRETA_HIP_MATVEC_SPLIT(GRETA_INSTANCE)
} // namespace split
#endif
