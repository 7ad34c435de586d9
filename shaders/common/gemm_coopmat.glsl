/*
 * GEMM by matrix units: a workgroup makes TILE_M x TILE_N results, a subgroup SUB_M x SUB_N of them in registers. LDS keeps
 * the order of memory, so that every load of it is one of 16 bytes: lines run along what is contiguous, and the unit is told
 * whether a line is a row or a column. The next step's words are fetched into registers while this one is multiplied; with two
 * BUFFERS they go to the other half of LDS, with one they wait until all have read it.
 *
 * The workgroup has (TILE_M / SUB_M) * (TILE_N / SUB_N) subgroups. k is a multiple of STEP, n of 4, what is contiguous a
 * multiple of a word; a, b and c lie at multiples of 16 bytes. m and n need not be multiples of the tile.
 *
 * Before the include: #define ELEMENT, SUM, PER_WORD (elements of 16 bytes).
 */
#ifndef SHADERS_GEMM_COOPMAT_GLSL
#define SHADERS_GEMM_COOPMAT_GLSL

layout(constant_id = 1) const uint TYPE = GRETA_TYPE_F16;
layout(constant_id = 2) const uint A_ORDER = GRETA_ORDER_ROW;
layout(constant_id = 3) const uint B_ORDER = GRETA_ORDER_ROW;
layout(constant_id = 4) const uint M = 16; /* of the matrix unit */
layout(constant_id = 5) const uint N = 16;
layout(constant_id = 6) const uint K = 16;
layout(constant_id = 7) const uint TILE_M = 128;
layout(constant_id = 8) const uint TILE_N = 128;
layout(constant_id = 9) const uint STEP = 32; /* of k at a time: a multiple of K and of a word */
layout(constant_id = 10) const uint SUB_M = 64;
layout(constant_id = 11) const uint SUB_N = 64;
layout(constant_id = 12) const uint BUFFERS = 2;

const uint WORD = PER_WORD; /* elements */
const bool A_ROWS = A_ORDER == GRETA_ORDER_ROW, B_ROWS = B_ORDER == GRETA_ORDER_ROW;
/* A line and its words; one more word spreads the lines over the banks. */
const uint A_LINES = A_ROWS ? TILE_M : STEP, A_WORDS = (A_ROWS ? STEP : TILE_M) / WORD, A_LINE = A_WORDS + 1u;
const uint B_LINES = B_ROWS ? STEP : TILE_N, B_WORDS = (B_ROWS ? TILE_N : STEP) / WORD, B_LINE = B_WORDS + 1u;
const uint A_ALL = A_LINES * A_WORDS, B_ALL = B_LINES * B_WORDS;
const uint A_OWN = (A_ALL + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;
const uint B_OWN = (B_ALL + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;
const uint N_M = SUB_M / M, N_N = SUB_N / N;
const uint BAND = 8; /* tiles of rows whose tiles of columns are neighbours in time: they share the cache */

shared uvec4 tile_a[BUFFERS * A_LINES * A_LINE];
shared uvec4 tile_b[BUFFERS * B_LINES * B_LINE];

layout(buffer_reference, std430, buffer_reference_align = 16) buffer ref_results { SUM v[]; };

uvec4 next_a[A_OWN], next_b[B_OWN];

/* A word of a matrix: line and word count from the tile's; past the edge the last is read again. */
uvec4 load_word(uint64_t base, bool along_k, uint line, uint word, uint first, uint size, uint step) {
    uint i, stride;
    if (along_k) {
        stride = args.k / WORD;
        i = min(first + line, size - 1u) * stride + step * (STEP / WORD) + word;
    } else {
        stride = size / WORD;
        i = (step * STEP + line) * stride + min(first / WORD + word, stride - 1u);
    }
    return IN_UVEC4(base, i * 16u);
}

void fetch(uint first_m, uint first_n, uint step) {
    [[unroll]] for (uint o = 0; o < A_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        if (A_ALL % gl_WorkGroupSize.x == 0u || i < A_ALL)
            next_a[o] = load_word(args.a, A_ROWS, i / A_WORDS, i % A_WORDS, first_m, args.m, step);
    }
    [[unroll]] for (uint o = 0; o < B_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        if (B_ALL % gl_WorkGroupSize.x == 0u || i < B_ALL)
            next_b[o] = load_word(args.b, !B_ROWS, i / B_WORDS, i % B_WORDS, first_n, args.n, step);
    }
}

void stage(uint which) {
    [[unroll]] for (uint o = 0; o < A_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        if (A_ALL % gl_WorkGroupSize.x == 0u || i < A_ALL)
            tile_a[(which * A_LINES + i / A_WORDS) * A_LINE + i % A_WORDS] = next_a[o];
    }
    [[unroll]] for (uint o = 0; o < B_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        if (B_ALL % gl_WorkGroupSize.x == 0u || i < B_ALL)
            tile_b[(which * B_LINES + i / B_WORDS) * B_LINE + i % B_WORDS] = next_b[o];
    }
}

coopmat<SUM, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> sums[N_M * N_N];

void multiply(uint which, uint sub_m, uint sub_n) {
    [[unroll]] for (uint k = 0; k < STEP; k += K) {
        coopmat<ELEMENT, gl_ScopeSubgroup, M, K, gl_MatrixUseA> a[N_M];
        [[unroll]] for (uint i = 0; i < N_M; i++) {
            uint row = sub_m + i * M;
            if (A_ROWS)
                coopMatLoad(a[i], tile_a, (which * A_LINES + row) * A_LINE + k / WORD, A_LINE,
                            gl_CooperativeMatrixLayoutRowMajor);
            else
                coopMatLoad(a[i], tile_a, (which * A_LINES + k) * A_LINE + row / WORD, A_LINE,
                            gl_CooperativeMatrixLayoutColumnMajor);
        }
        [[unroll]] for (uint j = 0; j < N_N; j++) {
            coopmat<ELEMENT, gl_ScopeSubgroup, K, N, gl_MatrixUseB> b;
            uint column = sub_n + j * N;
            if (B_ROWS)
                coopMatLoad(b, tile_b, (which * B_LINES + k) * B_LINE + column / WORD, B_LINE,
                            gl_CooperativeMatrixLayoutRowMajor);
            else
                coopMatLoad(b, tile_b, (which * B_LINES + column) * B_LINE + k / WORD, B_LINE,
                            gl_CooperativeMatrixLayoutColumnMajor);
            [[unroll]] for (uint i = 0; i < N_M; i++) sums[j * N_M + i] = coopMatMulAdd(a[i], b, sums[j * N_M + i]);
        }
    }
}

/* On an edge of c: through this subgroup's own piece of LDS, which nobody reads any more. */
void store(uint first_m, uint first_n, uint sub_m, uint sub_n) {
    bool on_edge = first_m + TILE_M > args.m || first_n + TILE_N > args.n;
    uint piece = gl_SubgroupID * (M * N / 4u);
    [[unroll]] for (uint j = 0; j < N_N; j++)
        [[unroll]] for (uint i = 0; i < N_M; i++) {
            uint row = first_m + sub_m + i * M, column = first_n + sub_n + j * N;
            bool whole = row + M <= args.m && column + N <= args.n;
            if (whole)
                coopMatStore(sums[j * N_M + i], ref_results(args.c).v, row * args.n + column, args.n,
                             gl_CooperativeMatrixLayoutRowMajor);
            if (on_edge) {
                if (!whole)
                    coopMatStore(sums[j * N_M + i], tile_a, piece, N / 4u, gl_CooperativeMatrixLayoutRowMajor);
                barrier();
                if (!whole)
                    for (uint e = gl_SubgroupInvocationID; e < M * N; e += gl_SubgroupSize) {
                        uint r = e / N, c = e % N;
                        if (row + r < args.m && column + c < args.n)
                            OUT_U32(args.c, ((row + r) * args.n + column + c) * 4u, tile_a[piece + e / 4u][e & 3u]);
                    }
                barrier();
            }
        }
}

void main() {
    uint tiles_m = (args.m + TILE_M - 1u) / TILE_M, tiles_n = (args.n + TILE_N - 1u) / TILE_N;
    uint band = group_id() / (BAND * tiles_n), in_band = group_id() % (BAND * tiles_n);
    if (band * BAND >= tiles_m) return;
    uint height = min(BAND, tiles_m - band * BAND);
    uint first_m = (band * BAND + in_band % height) * TILE_M, first_n = in_band / height * TILE_N;
    if (first_n >= args.n) return;
    uint sub_m = gl_SubgroupID % (TILE_M / SUB_M) * SUB_M, sub_n = gl_SubgroupID / (TILE_M / SUB_M) * SUB_N;

    [[unroll]] for (uint i = 0; i < N_M * N_N; i++)
        sums[i] = coopmat<SUM, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>(SUM(0));
    uint n_steps = args.k / STEP;
    fetch(first_m, first_n, 0u);
    stage(0u);
    barrier();
    for (uint step = 0; step < n_steps; step++) {
        uint now = BUFFERS == 2u ? step & 1u : 0u;
        bool more = step + 1u < n_steps;
        if (more) fetch(first_m, first_n, step + 1u);
        multiply(now, sub_m, sub_n);
        if (BUFFERS == 1u) barrier();
        /* The other buffer was last read a step ago, before the barrier that every subgroup has passed. */
        if (more) stage(BUFFERS == 2u ? 1u - now : 0u);
        barrier();
    }
    store(first_m, first_n, sub_m, sub_n);
}

#endif
