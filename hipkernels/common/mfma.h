/*
 * Tiles on the MFMA units of CDNA. The unit is the 16-byte piece, whatever the type: lane l of a wave holds the piece l / 16 of row l % 16,
 * the unit takes it in 2 or 4 products (the order of k within 64 bytes does not matter, as long as it is the same on both sides).
 *
 * Which side is which: b's rows are the unit's first operand, so that a lane's four results are neighbours in a row of c.
 */
#ifndef HIPKERNELS_COMMON_MFMA_H
#define HIPKERNELS_COMMON_MFMA_H

#include "common/tile.h"

typedef short s16x4 __attribute__((ext_vector_type(4)));

/* ---- the products of two pieces, by type; `bytes` of an element ---- */

GRETA_DEVICE u32x2 half_piece(u32x4 piece, u32 i) {
    return i ? piece.zw : piece.xy;
}

template <u32 TYPE> struct unit_of;
#if defined(__GFX9__)
template <> struct unit_of<GRETA_TYPE_F32> {
    static constexpr u32 STEPS = 4, BYTES = 4;
    typedef f32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_f32_16x16x4f32(float_of(a[i]), float_of(b[i]), c, 0, 0, 0);
    }
};
template <> struct unit_of<GRETA_TYPE_F16> {
    static constexpr u32 STEPS = 2, BYTES = 2;
    typedef f32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_f32_16x16x16f16(__builtin_bit_cast(f16x4, half_piece(a, i)),
                                                     __builtin_bit_cast(f16x4, half_piece(b, i)), c, 0, 0, 0);
    }
};
template <> struct unit_of<GRETA_TYPE_BF16> {
    static constexpr u32 STEPS = 2, BYTES = 2;
    typedef f32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(__builtin_bit_cast(s16x4, half_piece(a, i)),
                                                         __builtin_bit_cast(s16x4, half_piece(b, i)), c, 0, 0,
                                                         0);
    }
};
#if defined(__gfx942__)
template <> struct unit_of<GRETA_TYPE_FP8> {
    static constexpr u32 STEPS = 2, BYTES = 1;
    typedef f32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_f32_16x16x32_fp8_fp8(__builtin_bit_cast(long, half_piece(a, i)),
                                                          __builtin_bit_cast(long, half_piece(b, i)), c, 0, 0,
                                                          0);
    }
};
template <> struct unit_of<GRETA_TYPE_I8> {
    static constexpr u32 STEPS = 2, BYTES = 1;
    typedef i32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_i32_16x16x32_i8(__builtin_bit_cast(long, half_piece(a, i)),
                                                     __builtin_bit_cast(long, half_piece(b, i)), c, 0, 0, 0);
    }
};
#else
template <> struct unit_of<GRETA_TYPE_I8> {
    static constexpr u32 STEPS = 4, BYTES = 1;
    typedef i32x4 sums;
    GRETA_DEVICE sums step(u32x4 a, u32x4 b, sums c, u32 i) {
        return __builtin_amdgcn_mfma_i32_16x16x16i8((int)a[i], (int)b[i], c, 0, 0, 0);
    }
};
#endif
#endif

/* ---- the tile ---- */

/* A workgroup makes TILE_M x TILE_N sums of c, a wave WAVE_M x WAVE_N of them. */
template <u32 TYPE, u32 TILE_M, u32 TILE_N, u32 WAVE_M, u32 WAVE_N> struct tile_product {
    typedef unit_of<TYPE> unit;
    typedef typename unit::sums sums_4;
    static constexpr u32 N_ACROSS = TILE_N / WAVE_N, N_THREADS = TILE_M / WAVE_M * N_ACROSS * WAVE;
    static constexpr u32 M_BLOCKS = WAVE_M / 16, N_BLOCKS = WAVE_N / 16;
    sums_4 sums[M_BLOCKS][N_BLOCKS]; /* lane l: row l % 16 of the block, columns l / 16 * 4 .. + 3 */
    u32 m_at, n_at;

    GRETA_METHOD u32 first_m() const { return wave_id() / N_ACROSS * WAVE_M; }
    GRETA_METHOD u32 first_n() const { return wave_id() % N_ACROSS * WAVE_N; }
    GRETA_METHOD void clear() {
        u32 at = piece_at(lane_id() % 16, lane_id() / 16);
        n_at = first_n() * 4 + at;
        m_at = TILE_N * 4 + first_m() * 4 + at;
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++)
            sums[i][j] = sums_4{0, 0, 0, 0};
    }
    GRETA_METHOD void multiply(lds_pieces stage) {
        u32x4 n[N_BLOCKS], m[M_BLOCKS];
        GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) n[j] = stage[n_at + j * 64];
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) m[i] = stage[m_at + i * 64];
        GRETA_UNROLL for (u32 s = 0; s < unit::STEPS; s++) GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++)
            GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) sums[i][j] =
                unit::step(n[j], m[i], sums[i][j], s);
    }

    /* c is [n_rows_m][n_rows_n], four bytes an element. */
    GRETA_METHOD void write(global_out c, u32 tile_m, u32 tile_n, u32 n_rows_m, u32 n_rows_n) {
        u32 row = tile_m + first_m() + lane_id() % 16, column = tile_n + first_n() + lane_id() / 16 * 4;
        bool fours = n_rows_n % 4 == 0;
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) GRETA_UNROLL for (u32 j = 0; j < N_BLOCKS; j++) {
            u32 r = row + i * 16, n = column + j * 16;
            if (r >= n_rows_m || n >= n_rows_n) continue;
            if (fours) {
                out<sums_4>(c, (r * n_rows_n + n) * 4, sums[i][j]);
            } else {
                GRETA_UNROLL for (u32 e = 0; e < 4; e++) if (n + e < n_rows_n)
                    out(c, (r * n_rows_n + n + e) * 4, sums[i][j][e]);
            }
        }
    }
};

#endif
