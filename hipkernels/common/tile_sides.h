/* Further sides of a tile (common/tile.h), which round to f16 on the way: rows of f32, and weights in the PACKED layout. */
#ifndef HIPKERNELS_COMMON_TILE_SIDES_H
#define HIPKERNELS_COMMON_TILE_SIDES_H

#include "common/decode.h"
#include "common/tile.h"

/*
 * f16 ends at 65504: what lies beyond stays finite, by a bit of the wave's mode register (FP16_OVFL) in place of two comparisons for
 * each element. A kernel that packs begins with this.
 */
GRETA_DEVICE void keep_f16_finite() {
    __builtin_amdgcn_s_setreg(1 | 23 << 6, 1);
}
GRETA_DEVICE u32 pack_f16(float lo, float hi) {
    f16x2 v = {(f16)lo, (f16)hi};
    return __builtin_bit_cast(u32, v);
}
GRETA_DEVICE u32x4 pack_piece(f32x4 lo, f32x4 hi) {
    return u32x4{pack_f16(lo.x, lo.y), pack_f16(lo.z, lo.w), pack_f16(hi.x, hi.y), pack_f16(hi.z, hi.w)};
}

/* The elements 4i .. 4i+7 of a piece of weights, as f16. */
template <u32 TYPE> GRETA_DEVICE u32x4 piece_f16(const packed_piece<TYPE> &p, u32 piece, u32 i) {
    if constexpr (TYPE == GRETA_TYPE_F16)
        return p.q;
    else
        return pack_piece(piece_values<TYPE>(p, piece, i), piece_values<TYPE>(p, piece, i + 1));
}

/* Rows of f32, a multiple of 8 long. k counts bytes of f16, as everywhere in a tile of f16. */
template <u32 ROWS, u32 N_THREADS> struct f32_side {
    static constexpr u32 OWN = (ROWS * 4 + N_THREADS - 1) / N_THREADS;
    static constexpr bool ALL = ROWS * 4 % N_THREADS == 0;
    global_in base;
    u32 offsets[OWN], at;
    f32x4 values[2][OWN][2];

    GRETA_METHOD bool owns(u32 i) const { return ALL || thread_id() + i * N_THREADS < ROWS * 4; }
    GRETA_METHOD void init(global_in matrix, u32 n_cols, u32 first_row, u32 n_rows) {
        base = matrix;
        at = piece_at(thread_id() / 4, thread_id() % 4);
        GRETA_UNROLL for (u32 i = 0; i < OWN; i++) {
            u32 row = min_u32(first_row + (thread_id() + i * N_THREADS) / 4, n_rows - 1);
            offsets[i] = row * n_cols * 4 + thread_id() % 4 * 32;
        }
    }
    GRETA_METHOD void fetch(u32 pair) {
        global_in from = scalar_base(base + (u64)pair * 256);
        GRETA_UNROLL for (u32 h = 0; h < 2; h++) GRETA_UNROLL for (u32 i = 0; i < OWN; i++) if (owns(i))
            GRETA_UNROLL for (u32 e = 0; e < 2; e++) values[h][i][e] =
                load<f32x4>(from + h * 128 + e * 16, offsets[i]);
    }
    GRETA_METHOD void fetch_tail(u32 pair, u32 k_bytes) {
        global_in from = scalar_base(base + (u64)pair * 256);
        GRETA_UNROLL for (u32 h = 0; h < 2; h++) {
            bool inside = pair * 128 + h * 64 + thread_id() % 4 * 16 < k_bytes;
            GRETA_UNROLL for (u32 i = 0; i < OWN; i++) GRETA_UNROLL for (u32 e = 0; e < 2; e++) {
                values[h][i][e] = f32x4{0, 0, 0, 0};
                if (inside && owns(i)) values[h][i][e] = load<f32x4>(from + h * 128 + e * 16, offsets[i]);
            }
        }
    }
    template <u32 H> GRETA_METHOD void store(lds_pieces to) {
        GRETA_UNROLL for (u32 i = 0; i < OWN; i++) if (owns(i)) to[at + i * N_THREADS] =
            pack_piece(values[H][i][0], values[H][i][1]);
    }
};

/*
 * Weights. A stage is one unit of 32 elements of each row; a thread has a piece of the decoder's (8, 16 or 32 elements: 1, 2 or 4
 * pieces of f16) of the same place of several rows. Rows of float types are padded to whole units, so only units are counted in the tail.
 */
template <u32 TYPE, u32 ROWS, u32 N_THREADS> struct weight_side {
    static constexpr u32 ELEMENTS = piece_elements(TYPE), PARTS = ELEMENTS / 8, PER_UNIT = 32 / ELEMENTS;
    static constexpr u32 OWN = (ROWS * PER_UNIT + N_THREADS - 1) / N_THREADS;
    static constexpr bool ALL = ROWS * PER_UNIT % N_THREADS == 0;
    packed_weight weight;
    u32 rows[OWN], first, n_units;
    packed_piece<TYPE> pieces[2][OWN];

    GRETA_METHOD u32 place(u32 i) const { return thread_id() + i * N_THREADS; }
    GRETA_METHOD bool owns(u32 i) const { return ALL || place(i) < ROWS * PER_UNIT; }
    GRETA_METHOD void init(global_in matrix, u32 n_cols, u32 first_row, u32 n_rows) {
        weight = packed_open<TYPE>(matrix, n_rows, n_cols);
        n_units = weight.n_units;
        GRETA_UNROLL for (u32 i = 0; i < OWN; i++) rows[i] =
            min_u32(first_row + place(i) / PER_UNIT, n_rows - 1);
    }
    GRETA_METHOD u32 piece_of(u32 unit) const { return unit * PER_UNIT + thread_id() % PER_UNIT; }
    GRETA_METHOD void fetch(u32 pair) {
        first = pair * 2;
        GRETA_UNROLL for (u32 h = 0; h < 2; h++) GRETA_UNROLL for (u32 i = 0; i < OWN; i++) if (owns(i))
            pieces[h][i] = load_piece<TYPE>(weight, rows[i], piece_of(first + h));
    }
    GRETA_METHOD void fetch_tail(u32 pair, u32) {
        first = pair * 2;
        GRETA_UNROLL for (u32 h = 0; h < 2; h++) GRETA_UNROLL for (u32 i = 0; i < OWN; i++) if (owns(i))
            pieces[h][i] = load_piece<TYPE>(weight, rows[i], piece_of(min_u32(first + h, n_units - 1)));
    }
    /* Past the end of k the other side is zero, and these, a unit read again, are finite only if the weights are. */
    template <u32 H> GRETA_METHOD void store(lds_pieces to) {
        bool inside = first + H < n_units;
        GRETA_UNROLL for (u32 i = 0; i < OWN; i++) if (owns(i)) GRETA_UNROLL for (u32 e = 0; e < PARTS; e++) {
            u32x4 piece = piece_f16<TYPE>(pieces[H][i], piece_of(first + H), 2 * e);
            u32 part = thread_id() % PER_UNIT * PARTS + e;
            to[piece_at(place(i) / PER_UNIT, part)] = inside ? piece : u32x4{0, 0, 0, 0};
        }
    }
};

#endif
