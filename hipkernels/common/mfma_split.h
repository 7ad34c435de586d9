/*
 * Narrow products on matrix units: a workgroup makes few results, its waves take the parts of k in turn, and their sums are joined
 * through LDS in the order of the waves. Operands go from memory to registers: no wave reads what another one does.
 */
#ifndef HIPKERNELS_COMMON_MFMA_SPLIT_H
#define HIPKERNELS_COMMON_MFMA_SPLIT_H

#include "common/mfma.h"

/* sums as in tile_product, of every wave alike: a tile of M_BLOCKS x N_BLOCKS blocks. */
template <u32 TYPE, u32 N_WAVES, u32 M_BLOCKS, u32 N_BLOCKS> struct split_product {
    typedef unit_of<TYPE> unit;
    typedef typename unit::sums sums_4;
    static constexpr u32 BLOCKS = M_BLOCKS * N_BLOCKS;
    sums_4 sums[M_BLOCKS][N_BLOCKS];

    GRETA_METHOD void clear() {
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++)
            sums[i][j] = sums_4{0, 0, 0, 0};
    }
    GRETA_METHOD void multiply(const u32x4 (&m)[M_BLOCKS], const u32x4 (&n)[N_BLOCKS]) {
        GRETA_UNROLL for (u32 s = 0; s < unit::STEPS; s++) GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++)
            GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) sums[i][j] =
                unit::step(n[j], m[i], sums[i][j], s);
    }
    /* c is [n_rows_m][n_rows_n]; the tile begins at (tile_m, tile_n). */
    GRETA_METHOD void write(global_out c, u32 tile_m, u32 tile_n, u32 n_rows_m, u32 n_rows_n) {
        GRETA_LDS static sums_4 parts[N_WAVES][BLOCKS][WAVE];
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++)
            parts[wave_id()][i * N_BLOCKS + j][lane_id()] = sums[i][j];
        barrier();
        for (u32 block = wave_id(); block < BLOCKS; block += N_WAVES) {
            sums_4 total = parts[0][block][lane_id()];
            GRETA_UNROLL for (u32 w = 1; w < N_WAVES; w++) total += parts[w][block][lane_id()];
            u32 row = tile_m + block / N_BLOCKS * 16 + lane_id() % 16;
            u32 column = tile_n + block % N_BLOCKS * 16 + lane_id() / 16 * 4;
            if (row < n_rows_m && column < n_rows_n && n_rows_n % 4 == 0) {
                out<sums_4>(c, (row * n_rows_n + column) * 4, total);
            } else {
                GRETA_UNROLL for (u32 e = 0; e < 4; e++) if (row < n_rows_m && column + e < n_rows_n)
                    out(c, (row * n_rows_n + column + e) * 4, total[e]);
            }
        }
    }
};

#endif
