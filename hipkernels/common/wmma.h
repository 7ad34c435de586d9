/*
 * Tiles on the WMMA units of RDNA 3 (gfx11), in waves of 32.
 *
 * A product is 16 x 16 x 16. Lane i holds 16 elements of row i % 16 of each side, lanes 16 to 31 the same as lanes 0 to 15: two pieces of
 * f16, one of bytes. Its eight results are the rows 2 v + i / 16 (v = 0 .. 7) of column i % 16 (RDNA 3 ISA, 7.9). a's rows are the rows,
 * so that sixteen lanes write neighbours of a row of c.
 */
#ifndef HIPKERNELS_COMMON_WMMA_H
#define HIPKERNELS_COMMON_WMMA_H

#include "common/tile.h"

typedef f16 f16x16 __attribute__((ext_vector_type(16)));
typedef short s16x16 __attribute__((ext_vector_type(16)));
typedef float f32x8 __attribute__((ext_vector_type(8)));
typedef int i32x8 __attribute__((ext_vector_type(8)));
typedef u32 u32x8 __attribute__((ext_vector_type(8)));

GRETA_DEVICE u32x8 join(u32x4 low, u32x4 high) {
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}

/* ---- one product, by type; `PIECES` of a row that it takes ---- */

template <u32 TYPE> struct wmma_of;
template <> struct wmma_of<GRETA_TYPE_F16> {
    static constexpr u32 PIECES = 2, BYTES = 2;
    typedef f32x8 sums;
    typedef u32x8 operand;
    GRETA_DEVICE operand read(lds_pieces first, lds_pieces second) { return join(*first, *second); }
    GRETA_DEVICE sums multiply(operand a, operand b, sums c) {
        return __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(__builtin_bit_cast(f16x16, a),
                                                          __builtin_bit_cast(f16x16, b), c);
    }
};
template <> struct wmma_of<GRETA_TYPE_BF16> {
    static constexpr u32 PIECES = 2, BYTES = 2;
    typedef f32x8 sums;
    typedef u32x8 operand;
    GRETA_DEVICE operand read(lds_pieces first, lds_pieces second) { return join(*first, *second); }
    GRETA_DEVICE sums multiply(operand a, operand b, sums c) {
        return __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(__builtin_bit_cast(s16x16, a),
                                                           __builtin_bit_cast(s16x16, b), c);
    }
};
template <> struct wmma_of<GRETA_TYPE_I8> {
    static constexpr u32 PIECES = 1, BYTES = 1;
    typedef i32x8 sums;
    typedef u32x4 operand;
    GRETA_DEVICE operand read(lds_pieces first, lds_pieces) { return *first; }
    GRETA_DEVICE sums multiply(operand a, operand b, sums c) {
        return __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32(true, __builtin_bit_cast(i32x4, a), true,
                                                          __builtin_bit_cast(i32x4, b), c, false);
    }
};

/* A workgroup makes TILE_M x TILE_N sums of c, a wave WAVE_M x WAVE_N of them. */
template <u32 TYPE, u32 TILE_M, u32 TILE_N, u32 WAVE_M, u32 WAVE_N> struct wmma_tile {
    typedef wmma_of<TYPE> unit;
    typedef typename unit::sums sums_8;
    static constexpr u32 N_ACROSS = TILE_N / WAVE_N, N_THREADS = TILE_M / WAVE_M * N_ACROSS * WAVE;
    static constexpr u32 M_BLOCKS = WAVE_M / 16, N_BLOCKS = WAVE_N / 16;
    sums_8 sums[M_BLOCKS][N_BLOCKS];
    u32 at[4]; /* of each piece of the lane's row, in a block of 16 rows */

    GRETA_METHOD u32 first_m() const { return wave_id() / N_ACROSS * WAVE_M; }
    GRETA_METHOD u32 first_n() const { return wave_id() % N_ACROSS * WAVE_N; }
    GRETA_METHOD void clear() {
        GRETA_UNROLL for (u32 p = 0; p < 4; p++) at[p] = piece_at(lane_id() % 16, p);
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++)
            sums[i][j] = sums_8{0, 0, 0, 0, 0, 0, 0, 0};
    }
    GRETA_METHOD void multiply(lds_pieces stage) {
        lds_pieces n_rows = stage + first_n() * 4, m_rows = stage + TILE_N * 4 + first_m() * 4;
        GRETA_UNROLL for (u32 p = 0; p < 4; p += unit::PIECES) {
            typename unit::operand n[N_BLOCKS], m;
            u32 first = at[p], second = at[p + unit::PIECES - 1];
            GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) n[j] =
                unit::read(n_rows + first + j * 64, n_rows + second + j * 64);
            GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) {
                m = unit::read(m_rows + first + i * 64, m_rows + second + i * 64);
                GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) sums[i][j] =
                    unit::multiply(m, n[j], sums[i][j]);
            }
        }
    }

    /* c is [n_rows_m][n_rows_n], four bytes an element. */
    GRETA_METHOD void write(global_out c, u32 tile_m, u32 tile_n, u32 n_rows_m, u32 n_rows_n) {
        u32 row = tile_m + first_m() + lane_id() / 16, column = tile_n + first_n() + lane_id() % 16;
        bool whole = tile_m + TILE_M <= n_rows_m && tile_n + TILE_N <= n_rows_n;
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) GRETA_UNROLL for (u32 v = 0; v < 8; v++) {
            u32 r = row + i * 16 + v * 2, at_row = (r * n_rows_n + column) * 4;
            if (whole) {
                GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) out(c, at_row + j * 64, sums[i][j][v]);
            } else {
                GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS;
                                  j++) if (r < n_rows_m && column + j * 16 < n_rows_n)
                    out(c, at_row + j * 64, sums[i][j][v]);
            }
        }
    }
};

#endif
