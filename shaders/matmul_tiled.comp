/*
 * Vector units: a workgroup makes TILE x TILE results through LDS, an invocation OWN x OWN of them; f32 throughout. Any
 * shape: what lies past an edge is read as zero or from the last row, and not stored.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATMUL
#include "common/greta.glsl"
#include "common/decode.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint TILE = 64;   /* gl_WorkGroupSize.x is (TILE / OWN)^2 */
layout(constant_id = 4) const uint ALIGNED = 1; /* x at a multiple of 16 bytes, n_cols a multiple of 8 */

const uint OWN = 4;
const uint SIDE = TILE / OWN;
const uint STEP_CHUNKS = 2; /* of eight columns */
const uint N_CHUNKS = TILE * STEP_CHUNKS;
/* Column after column, OWN neighbours in one vector; one more vector spreads the columns over the banks. */
const uint LINE = SIDE + 1u;

shared vec4 tile_w[STEP_CHUNKS * 8u * LINE];
shared vec4 tile_x[STEP_CHUNKS * 8u * LINE];

void load_x(uint token, uint chunk, out vec4 lo, out vec4 hi) {
    uint at = token * args.n_cols + chunk * 8u;
    if (ALIGNED == 1) {
        lo = IN_VEC4(args.x, at * 4u);
        hi = IN_VEC4(args.x, at * 4u + 16u);
    } else {
        [[unroll]] for (uint e = 0; e < 8u; e++) {
            float x = chunk * 8u + e < args.n_cols ? IN_F32(args.x, (at + e) * 4u) : 0.0;
            if (e < 4u)
                lo[e] = x;
            else
                hi[e - 4u] = x;
        }
    }
}

void main() {
    uint n_tiles = (args.n_tok + TILE - 1u) / TILE;
    uint first_token = group_id() % n_tiles * TILE, first_row = group_id() / n_tiles * TILE;
    if (first_row >= args.n_rows) return;
    uint me = gl_LocalInvocationID.x, own_row = me % SIDE, own_token = me / SIDE;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);
    uint n_chunks = (args.n_cols + 7u) / 8u;

    vec4 sums[OWN]; /* a vector of rows for each token */
    [[unroll]] for (uint t = 0; t < OWN; t++) sums[t] = vec4(0.0);

    for (uint begin = 0; begin < n_chunks; begin += STEP_CHUNKS) {
        for (uint i = me; i < N_CHUNKS; i += gl_WorkGroupSize.x) {
            uint line = i / STEP_CHUNKS, c = i % STEP_CHUNKS, chunk = begin + c;
            vec4 w_lo = vec4(0.0), w_hi = vec4(0.0), x_lo = vec4(0.0), x_hi = vec4(0.0);
            if (chunk < n_chunks) {
                uint row = min(first_row + line, args.n_rows - 1u);
                chunk_values(load_chunk(w, W_FORMAT, row, chunk), W_FORMAT, chunk, w_lo, w_hi);
                load_x(min(first_token + line, args.n_tok - 1u), chunk, x_lo, x_hi);
            }
            [[unroll]] for (uint e = 0; e < 8u; e++) {
                uint at = (c * 8u + e) * LINE + line / OWN;
                tile_w[at][line % OWN] = e < 4u ? w_lo[e & 3u] : w_hi[e & 3u];
                tile_x[at][line % OWN] = e < 4u ? x_lo[e & 3u] : x_hi[e & 3u];
            }
        }
        barrier();
        [[unroll]] for (uint k = 0; k < STEP_CHUNKS * 8u; k++) {
            vec4 a = tile_w[k * LINE + own_row], x = tile_x[k * LINE + own_token];
            [[unroll]] for (uint t = 0; t < OWN; t++) sums[t] += a * x[t];
        }
        barrier();
    }
    [[unroll]] for (uint t = 0; t < OWN; t++)
        [[unroll]] for (uint r = 0; r < OWN; r++) {
            uint row = first_row + own_row * OWN + r, token = first_token + own_token * OWN + t;
            if (row < args.n_rows && token < args.n_tok)
                OUT_F32(args.y, (token * args.n_rows + row) * 4u, sums[t][r]);
        }
}
