/*
 * Matrix units: a workgroup makes TILE_ROWS x TILE_TOKENS results, a subgroup SUB_ROWS x SUB_TOKENS of them in registers.
 * Weights are decoded, and activations of f32 rounded, to the unit's 16-bit elements on their way into LDS; sums are f32. While a step
 * is multiplied the next one's memory is fetched into registers; with two BUFFERS it is stored into the other half of LDS, with one
 * it waits until all have read it. With two SLICES two subgroups share a piece of the result: each multiplies half of every step, and
 * their sums are joined at the end, so that few tiles still give a compute unit enough subgroups to hide its loads behind.
 *
 * The workgroup has SLICES * (TILE_ROWS / SUB_ROWS) * (TILE_TOKENS / SUB_TOKENS) subgroups. n_cols is a multiple of STEP, n_rows
 * of 4, x and y lie at multiples of 16 bytes; n_tok and n_rows need not be multiples of the tile.
 *
 * Before the include: #define ELEMENT_TYPE and ELEMENT_FORMAT, what the unit multiplies (F16 or BF16); pack_two, two floats as such elements;
 * finite_two, two elements of memory as those that are multiplied.
 */
#ifndef SHADERS_MATMUL_COOPMAT_GLSL
#define SHADERS_MATMUL_COOPMAT_GLSL

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F16;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint M = 16; /* of the matrix unit */
layout(constant_id = 4) const uint N = 16;
layout(constant_id = 5) const uint K = 16;
layout(constant_id = 6) const uint TILE_ROWS = 128;
layout(constant_id = 7) const uint TILE_TOKENS = 128;
layout(constant_id = 8) const uint STEP = 32; /* columns at a time: a multiple of K and of 8 */
layout(constant_id = 9) const uint SUB_ROWS = 64;
layout(constant_id = 10) const uint SUB_TOKENS = 32;
layout(constant_id = 11) const uint BUFFERS = 2;
layout(constant_id = 12) const uint SLICES = 1;

/* Lines of LDS in 16-byte words, eight f16 each; one more word spreads the lines over the banks. */
const uint LINE_CHUNKS = STEP / 8u;
const uint LINE = LINE_CHUNKS + 1u;
const uint W_CHUNKS = TILE_ROWS * LINE_CHUNKS, X_CHUNKS = TILE_TOKENS * LINE_CHUNKS;
const uint W_OWN = (W_CHUNKS + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;
const uint X_OWN = (X_CHUNKS + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;
const uint N_ROWS = SUB_ROWS / M, N_TOKENS = SUB_TOKENS / N;
const uint N_SUBS = (TILE_ROWS / SUB_ROWS) * (TILE_TOKENS / SUB_TOKENS);
const uint X_WORDS = X_TYPE == GRETA_TYPE_F32 ? 2u : 1u; /* of a chunk, 16 bytes each */

shared uvec4 tile_w[BUFFERS * TILE_ROWS * LINE];
shared uvec4 tile_x[BUFFERS * TILE_TOKENS * LINE];

layout(buffer_reference, std430, buffer_reference_align = 16) buffer ref_results { float v[]; };

packed_chunk next_w[W_OWN];
uvec4 next_x[X_WORDS * X_OWN];

void fetch(packed_weight w, uint first_row, uint first_token, uint step) {
    [[unroll]] for (uint o = 0; o < W_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        uint row = min(first_row + i / LINE_CHUNKS, args.n_rows - 1u);
        if (W_CHUNKS % gl_WorkGroupSize.x == 0u || i < W_CHUNKS)
            next_w[o] = load_chunk(w, W_FORMAT, row, step * LINE_CHUNKS + i % LINE_CHUNKS);
    }
    [[unroll]] for (uint o = 0; o < X_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        uint token = min(first_token + i / LINE_CHUNKS, args.n_tok - 1u);
        uint at = (token * args.n_cols + step * STEP + i % LINE_CHUNKS * 8u) * (2u * X_WORDS);
        if (X_CHUNKS % gl_WorkGroupSize.x == 0u || i < X_CHUNKS)
            [[unroll]] for (uint word = 0; word < X_WORDS; word++)
                next_x[X_WORDS * o + word] = IN_UVEC4(args.x, at + 16u * word);
    }
}

uvec4 pack_chunk(vec4 lo, vec4 hi) {
    return uvec4(pack_two(lo.xy), pack_two(lo.zw), pack_two(hi.xy), pack_two(hi.zw));
}

uvec4 x_chunk(uint o) {
    if (X_TYPE == ELEMENT_TYPE) {
        uvec4 w = next_x[o];
        return uvec4(finite_two(w.x), finite_two(w.y), finite_two(w.z), finite_two(w.w));
    }
    return pack_chunk(uintBitsToFloat(next_x[X_WORDS * o]), uintBitsToFloat(next_x[X_WORDS * o + X_WORDS - 1u]));
}

void stage(uint buffer_, uint step) {
    [[unroll]] for (uint o = 0; o < W_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        uvec4 word = next_w[o].low;
        if (W_FORMAT != ELEMENT_FORMAT) {
            vec4 lo, hi;
            chunk_values(next_w[o], W_FORMAT, step * LINE_CHUNKS + i % LINE_CHUNKS, lo, hi);
            word = pack_chunk(lo, hi);
        }
        if (W_CHUNKS % gl_WorkGroupSize.x == 0u || i < W_CHUNKS)
            tile_w[(buffer_ * TILE_ROWS + i / LINE_CHUNKS) * LINE + i % LINE_CHUNKS] = word;
    }
    [[unroll]] for (uint o = 0; o < X_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        if (X_CHUNKS % gl_WorkGroupSize.x == 0u || i < X_CHUNKS)
            tile_x[(buffer_ * TILE_TOKENS + i / LINE_CHUNKS) * LINE + i % LINE_CHUNKS] = x_chunk(o);
    }
}

void main() {
    uint n_tiles = (args.n_tok + TILE_TOKENS - 1u) / TILE_TOKENS;
    uint first_token = group_id() % n_tiles * TILE_TOKENS, first_row = group_id() / n_tiles * TILE_ROWS;
    if (first_row >= args.n_rows) return;
    uint sub = gl_SubgroupID % N_SUBS, slice = gl_SubgroupID / N_SUBS;
    uint sub_row = sub % (TILE_ROWS / SUB_ROWS) * SUB_ROWS, sub_token = sub / (TILE_ROWS / SUB_ROWS) * SUB_TOKENS;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);

    coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> sums[N_ROWS * N_TOKENS];
    [[unroll]] for (uint i = 0; i < N_ROWS * N_TOKENS; i++)
        sums[i] = coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>(0.0);

    uint n_steps = args.n_cols / STEP;
    fetch(w, first_row, first_token, 0u);
    stage(0u, 0u);
    barrier();
    for (uint step = 0; step < n_steps; step++) {
        uint now = BUFFERS == 2u ? step & 1u : 0u;
        if (step + 1u < n_steps) fetch(w, first_row, first_token, step + 1u);
        [[unroll]] for (uint part = 0; part < STEP / SLICES; part += K) {
            uint k = slice * (STEP / SLICES) + part;
            coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> a[N_ROWS];
            [[unroll]] for (uint i = 0; i < N_ROWS; i++)
                coopMatLoad(a[i], tile_w, (now * TILE_ROWS + sub_row + i * M) * LINE + k / 8u, LINE,
                            gl_CooperativeMatrixLayoutRowMajor);
            [[unroll]] for (uint j = 0; j < N_TOKENS; j++) {
                coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> b;
                coopMatLoad(b, tile_x, (now * TILE_TOKENS + sub_token + j * N) * LINE + k / 8u, LINE,
                            gl_CooperativeMatrixLayoutColumnMajor);
                [[unroll]] for (uint i = 0; i < N_ROWS; i++)
                    sums[j * N_ROWS + i] = coopMatMulAdd(a[i], b, sums[j * N_ROWS + i]);
            }
        }
        if (BUFFERS == 1u) barrier();
        /* The other buffer was last read a step ago, before the barrier that every subgroup has passed. */
        if (step + 1u < n_steps) stage(BUFFERS == 2u ? 1u - now : 0u, step + 1u);
        barrier();
    }

    /* A slice's sums are added to the first's in their order: a line of units at a time through LDS, N_ROWS for each subgroup. */
    [[unroll]] for (uint s = 1; s < SLICES; s++)
        [[unroll]] for (uint j = 0; j < N_TOKENS; j++) {
            uint at = sub * N_ROWS * (M * N / 4u);
            if (slice == s)
                [[unroll]] for (uint i = 0; i < N_ROWS; i++)
                    coopMatStore(sums[j * N_ROWS + i], tile_w, at + i * (M * N / 4u), M / 4u,
                                 gl_CooperativeMatrixLayoutColumnMajor);
            barrier();
            if (slice == 0u)
                [[unroll]] for (uint i = 0; i < N_ROWS; i++) {
                    coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> more;
                    coopMatLoad(more, tile_w, at + i * (M * N / 4u), M / 4u, gl_CooperativeMatrixLayoutColumnMajor);
                    sums[j * N_ROWS + i] += more;
                }
            barrier();
        }

    /* On an edge of the matrix: through this subgroup's own piece of LDS, which nobody reads any more. */
    bool on_edge = first_row + TILE_ROWS > args.n_rows || first_token + TILE_TOKENS > args.n_tok;
    uint piece = sub * (M * N / 4u);
    bool mine = slice == 0u;
    [[unroll]] for (uint j = 0; j < N_TOKENS; j++)
        [[unroll]] for (uint i = 0; i < N_ROWS; i++) {
            uint row = first_row + sub_row + i * M, token = first_token + sub_token + j * N;
            bool whole = row + M <= args.n_rows && token + N <= args.n_tok;
            if (mine && whole)
                coopMatStore(sums[j * N_ROWS + i], ref_results(args.y).v, token * args.n_rows + row, args.n_rows,
                             gl_CooperativeMatrixLayoutColumnMajor);
            if (on_edge) {
                if (mine && !whole)
                    coopMatStore(sums[j * N_ROWS + i], tile_w, piece, M / 4u, gl_CooperativeMatrixLayoutColumnMajor);
                barrier();
                if (mine && !whole)
                    for (uint e = gl_SubgroupInvocationID; e < M * N; e += gl_SubgroupSize) {
                        uint r = e % M, t = e / M;
                        if (row + r < args.n_rows && token + t < args.n_tok)
                            OUT_F32(args.y, ((token + t) * args.n_rows + row + r) * 4u,
                                    uintBitsToFloat(tile_w[piece + e / 4u][e & 3u]));
                    }
                barrier();
            }
        }
}

#endif
