/*
 * Tiles that share a column of blocks with a neighbour, so that n need not be cut at multiples of 16: two tiles of TILE_N (216) columns
 * cover 27 columns of blocks of 16 x 16. Each makes 13 of them, and of the one between them half the rows. All waves have the same
 * number of blocks: two waves lie across a tile; each has 6 whole columns, half the rows of the seventh between them, and a quarter of the
 * column that is shared with the neighbour. 27 blocks a wave, where 4096 x 4096 / (304 compute units x 8 waves) are 26.95.
 *
 * What a wave needs of the next stage is read from LDS while the products of this one go on, so no product waits behind a barrier; and in
 * the last pair of stages each column of blocks is finished and written before the next one is, so that stores hide behind products.
 */
#ifndef HIPKERNELS_COMMON_MFMA_PAIR_H
#define HIPKERNELS_COMMON_MFMA_PAIR_H

#include "common/mfma.h"

/* Nothing moves past this place when instructions are put in order. */
GRETA_DEVICE void keep_order() {
    __builtin_amdgcn_sched_barrier(0);
}

template <u32 TYPE, u32 TILE_M, u32 TILE_N, u32 WAVE_M, u32 WAVE_N> struct paired_product {
    typedef unit_of<TYPE> unit;
    typedef typename unit::sums sums_4;
    static constexpr u32 N_THREADS = TILE_M / WAVE_M * 2 * WAVE, M_BLOCKS = 4, WHOLE = (WAVE_N - 12) / 16;
    static constexpr u32 COLUMNS =
        WHOLE + 2; /* that a wave reads: the shared one, the one in the middle, its own */
    static constexpr u32 SHARED = 0, MIDDLE = 1, LAST = COLUMNS - 1;
    static constexpr u32 LOADED_N = TILE_N + 8, ROWS_N = 256; /* of b: that the tile needs, that lie in LDS */
    static_assert(WAVE_M == 64 && WAVE_N * 2 == TILE_N && WHOLE * 16 + 12 == WAVE_N && LOADED_N <= ROWS_N,
                  "27 blocks and the like");

    sums_4 whole[WHOLE][M_BLOCKS], middle[2], shared;
    u32 is_odd, m_at[M_BLOCKS], shared_at, middle_at, own_at;
    u32x4 n[COLUMNS], n_last[2], m[2][M_BLOCKS];

    /* The first row of b that tile i loads. */
    GRETA_DEVICE u32 first_row(u32 i) { return i / 2 * 2 * TILE_N + (i & 1) * (TILE_N - 8); }

    GRETA_METHOD u32 across() const { return wave_id() & 1; }
    /* The waves of a row of waves, and the tiles of a pair, take different blocks first: those of middle and shared. */
    GRETA_METHOD u32 block_row(u32 i) const { return i ^ (across() * 2 + is_odd); }
    GRETA_METHOD u32 block_column(u32 c) const {
        u32 own = c == SHARED ? 2 * WHOLE + 1 : c == MIDDLE ? WHOLE : c - 2 + across() * (WHOLE + 1);
        return is_odd ? c == SHARED ? 0 : own + 1 : own;
    }
    GRETA_METHOD void clear(u32 tile_n) {
        u32 at = piece_at(lane_id() % 16, lane_id() / 16);
        is_odd = tile_n & 1;
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) m_at[i] =
            wave_id() / 2 * WAVE_M * 4 + block_row(i) * 64 + at;
        shared_at = block_column(SHARED) * 64 + at;
        middle_at = block_column(MIDDLE) * 64 + at;
        own_at = block_column(2) * 64 + at;
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) GRETA_UNROLL for (u32 c = 0; c < WHOLE; c++)
            whole[c][i] = sums_4{0, 0, 0, 0};
        middle[0] = middle[1] = shared = sums_4{0, 0, 0, 0};
    }

    /* Stages lie at constant distances: an address serves both. */
    static constexpr u32 M_FIRST = ROWS_N * 4, STAGE = (TILE_M + ROWS_N) * 4;
    GRETA_METHOD u32x4 m_piece(lds_pieces lds, u32 h, u32 i) const {
        return (lds + m_at[i])[h * STAGE + M_FIRST];
    }
    GRETA_METHOD u32x4 n_piece(lds_pieces lds, u32 h, u32 c) const {
        if (c == SHARED) return (lds + shared_at)[h * STAGE];
        if (c == MIDDLE) return (lds + middle_at)[h * STAGE];
        return (lds + own_at)[h * STAGE + (c - 2) * 64];
    }

    /* The products of column c with a piece of b and those of a, for one half of them after the other. */
    GRETA_METHOD void column(u32 c, u32x4 piece, const u32x4 (&a)[M_BLOCKS]) {
        GRETA_UNROLL for (u32 s = 0; s < unit::STEPS; s++) {
            if (c == SHARED) shared = unit::step(piece, a[0], shared, s);
            if (c == MIDDLE)
                GRETA_UNROLL for (u32 i = 0; i < 2; i++) middle[i] = unit::step(piece, a[i], middle[i], s);
            if (c >= 2)
                GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) whole[c - 2][i] =
                    unit::step(piece, a[i], whole[c - 2][i], s);
        }
    }
    GRETA_METHOD void read_first(lds_pieces lds) {
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) m[0][i] = m_piece(lds, 0, i);
        GRETA_UNROLL for (u32 c = 0; c < LAST; c++) n[c] = n_piece(lds, 0, c);
        n_last[0] = n_piece(lds, 0, LAST);
    }
    /* The products of stage H; each piece gives its place to the other stage's as soon as it is done with. */
    template <u32 H> GRETA_METHOD void multiply(lds_pieces lds) {
        GRETA_UNROLL for (u32 c = 0; c < COLUMNS; c++) {
            if (c == MIDDLE) n_last[1 - H] = n_piece(lds, 1 - H, LAST);
            if (c >= 2 && c < 2 + M_BLOCKS) m[1 - H][c - 2] = m_piece(lds, 1 - H, c - 2);
            column(c, c == LAST ? n_last[H] : n[c], m[H]);
            if (c < LAST) n[c] = n_piece(lds, 1 - H, c);
            keep_order();
        }
    }

    /* c is [n_rows][n_columns], four bytes an element; the tile begins at first_m and first_n. */
    struct target {
        global_out c;
        u32 first_m, first_n, n_rows, n_columns;
        GRETA_METHOD bool is_inside() const {
            return first_m + TILE_M <= n_rows && first_n + LOADED_N <= n_columns && n_columns % 4 == 0;
        }
    };
    GRETA_METHOD void put(const target &to, bool is_inside, u32 i, u32 c, sums_4 value) const {
        u32 row = to.first_m + wave_id() / 2 * WAVE_M + block_row(i) * 16 + lane_id() % 16;
        u32 column = to.first_n + block_column(c) * 16 + lane_id() / 16 * 4,
            at = (row * to.n_columns + column) * 4;
        if (is_inside)
            out<sums_4>(to.c, at, value);
        else
            GRETA_UNROLL for (u32 e = 0; e < 4; e++) if (row < to.n_rows && column + e < to.n_columns)
                out(to.c, at + e * 4, value[e]);
    }
    GRETA_METHOD void put_blocks(const target &to, bool is_inside, u32 c) const {
        if (c == SHARED) put(to, is_inside, 0, c, shared);
        if (c == MIDDLE) GRETA_UNROLL for (u32 i = 0; i < 2; i++) put(to, is_inside, i, c, middle[i]);
        if (c >= 2) GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) put(to, is_inside, i, c, whole[c - 2][i]);
    }
    GRETA_METHOD void put_column(const target &to, u32 c) const {
        if (to.is_inside())
            put_blocks(to, true, c);
        else
            put_blocks(to, false, c);
    }
    /* The last pair of stages, whose first is in registers. */
    GRETA_METHOD void finish(lds_pieces lds, const target &to) {
        GRETA_UNROLL for (u32 i = 0; i < M_BLOCKS; i++) m[1][i] = m_piece(lds, 1, i);
        u32x4 next = n_piece(lds, 1, 0);
        GRETA_UNROLL for (u32 c = 0; c < COLUMNS; c++) {
            u32x4 piece = next;
            if (c < LAST) next = n_piece(lds, 1, c + 1);
            column(c, c == LAST ? n_last[0] : n[c], m[0]);
            column(c, piece, m[1]);
            keep_order();
            if (c) put_column(to, c - 1);
        }
        put_column(to, LAST);
    }

    /*
     * Over all of k: what is left of it behind whole pairs comes first. Of the two stages in LDS one is written (with what comes two
     * stages later) while the other one is read; what is to be written has been under way from memory for a stage or two.
     */
    template <typename M_SIDE, typename N_SIDE>
    GRETA_METHOD void run(M_SIDE &m_side, N_SIDE &n_side, u32 k_bytes, const target &to) {
        GRETA_LDS static u32x4 stages[2 * STAGE];
        lds_pieces lds = (lds_pieces)stages, s0 = lds, s1 = lds + STAGE;
        u32 n_pairs = k_bytes / 128, is_cut = k_bytes % 128 != 0, left = n_pairs + is_cut - 1,
            pair = 1 - is_cut;
        if (is_cut)
            n_side.fetch_tail(n_pairs, k_bytes), m_side.fetch_tail(n_pairs, k_bytes);
        else
            n_side.fetch(0), m_side.fetch(0);
        n_side.template store<0>(s0), m_side.template store<0>(s0 + M_FIRST);
        n_side.template store<1>(s1), m_side.template store<1>(s1 + M_FIRST);
        if (left) n_side.fetch(pair), m_side.fetch(pair);
        barrier();
        read_first(lds);
        if (left) {
            do {
                barrier();
                n_side.template store<0>(s0), m_side.template store<0>(s0 + M_FIRST);
                multiply<0>(lds);
                barrier();
                n_side.template store<1>(s1), m_side.template store<1>(s1 + M_FIRST);
                pair = min_u32(pair + 1, n_pairs - 1); /* the last one twice: a branch would cost more */
                n_side.fetch(pair), m_side.fetch(pair);
                multiply<1>(lds);
            } while (--left);
        }
        barrier();
        finish(lds, to);
    }
};

#endif
