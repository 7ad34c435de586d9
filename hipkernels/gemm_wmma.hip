/*
 * c = a b on the matrix units of RDNA 3, of f16, bf16 and bytes. What a row must hold to: a and b at multiples of 16 bytes, and each
 * matrix's contiguous direction a multiple of 16 bytes long. m, n and k need not be multiples of the tile.
 */
#include "common/wmma.h"

#include "instances_wmma.h"

GRETA_ARGS_BLOCK(GEMM);

/*
 * Elements of a column are neighbours, two bytes each: of each stage a thread loads eight lines of k, two elements of each, and makes pieces
 * of two rows of them. Every thread has the same to do: a branch would hold up what is computed before it.
 */
template <u32 ROWS, u32 N_THREADS> struct turned_pair_side {
    static_assert(N_THREADS == 2 * ROWS, "two rows a thread");
    global_in base;
    u32 row, first_k, offset, k_row_bytes;
    u32 lines[2][8];

    GRETA_METHOD void init(global_in matrix, u32 k_row_bytes_, u32 first_row, u32 n_rows) {
        u32 i = thread_id() / 4;
        base = matrix;
        k_row_bytes = k_row_bytes_;
        row = i / 4 * 8 + i % 2 * 4 + i / 2 % 2 * 2; /* neighbours four apart: see piece_at */
        first_k = thread_id() % 4 * 8;
        offset = first_k * k_row_bytes + min_u32(first_row + row, n_rows - 2) * 2;
    }
    GRETA_METHOD void fetch(u32 pair) {
        GRETA_UNROLL for (u32 h = 0; h < 2; h++) GRETA_UNROLL for (u32 e = 0; e < 8; e++) lines[h][e] =
            load<u32>(scalar_base(base + (u64)(pair * 64 + h * 32 + e) * k_row_bytes), offset);
    }
    GRETA_METHOD void fetch_tail(u32 pair, u32 k_bytes) {
        global_in from = scalar_base(base + (u64)pair * 64 * k_row_bytes);
        u32 n_left = k_bytes / 2 - pair * 64;
        GRETA_UNROLL for (u32 h = 0; h < 2; h++) GRETA_UNROLL for (u32 e = 0; e < 8; e++) {
            lines[h][e] = 0;
            if (first_k + h * 32 + e < n_left)
                lines[h][e] = load<u32>(from, offset + (h * 32 + e) * k_row_bytes);
        }
    }
    template <u32 H> GRETA_METHOD void store(lds_pieces to) {
        GRETA_UNROLL for (u32 e = 0; e < 2; e++) {
            u32x4 piece;
            GRETA_UNROLL for (u32 j = 0; j < 4; j++) piece[j] =
                __builtin_amdgcn_perm(lines[H][2 * j + 1], lines[H][2 * j], e ? 0x07060302u : 0x05040100u);
            to[piece_at(row + e, thread_id() % 4)] = piece;
        }
    }
};

template <bool TURNED, u32 ROWS, u32 N_THREADS> struct gemm_side {
    typedef direct_side<ROWS, N_THREADS> type;
};
template <u32 ROWS, u32 N_THREADS> struct gemm_side<true, ROWS, N_THREADS> {
    typedef turned_pair_side<ROWS, N_THREADS> type;
};

template <u32 N_THREADS, u32 TYPE, u32 A_ORDER, u32 B_ORDER, u32 TILE_M, u32 TILE_N, u32 WAVE_M, u32 WAVE_N>
GRETA_DEVICE void gemm_wmma(const args_block &a) {
    constexpr u32 BYTES = wmma_of<TYPE>::BYTES;
    constexpr bool TURN_A = A_ORDER != GRETA_ORDER_ROW, TURN_B = B_ORDER != GRETA_ORDER_COL;
    u32 n_tiles_m = (a.m + TILE_M - 1) / TILE_M, n_tiles_n = (a.n + TILE_N - 1) / TILE_N,
        group = group_id<N_THREADS>();
    if (group >= n_tiles_m * n_tiles_n) return;
    tile_place tile = place_tile(group, n_tiles_m, n_tiles_n);
    u32 k_bytes = a.k * BYTES;
    typename gemm_side<TURN_A, TILE_M, N_THREADS>::type m_side;
    typename gemm_side<TURN_B, TILE_N, N_THREADS>::type n_side;
    m_side.init(a.a, TURN_A ? a.m * BYTES : k_bytes, tile.m * TILE_M, a.m);
    n_side.init(a.b, TURN_B ? a.n * BYTES : k_bytes, tile.n * TILE_N, a.n);
    wmma_tile<TYPE, TILE_M, TILE_N, WAVE_M, WAVE_N> product;
    static_assert(product.N_THREADS == N_THREADS, "waves and threads");
    sum_over_k<TILE_M, TILE_N>(product, m_side, n_side, k_bytes / 128, k_bytes);
    product.write(a.c, tile.m * TILE_M, tile.n * TILE_N, a.m, a.n);
}
GRETA_HIP_GEMM_WMMA(GRETA_INSTANCE)
