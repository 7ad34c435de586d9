/*
 * Products of four bytes at once, from activations of 8 bits: a workgroup makes TILE x TILE results, an invocation OWN x OWN of
 * them. LDS holds one unit of 32 columns at a time: words along the columns, and for each half of a unit (some types have a
 * scale for 16) the scales and offsets of the weights, the scales and sums of the activations.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATMUL
#include "common/greta.glsl"
#include "common/decode_i8.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_Q8_0;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_Q8A;
layout(constant_id = 3) const uint TILE = 64; /* gl_WorkGroupSize.x is (TILE / OWN)^2 */

const uint OWN = 4, SIDE = TILE / OWN, WORDS = 8;
const uint LINE = TILE + 1u; /* spreads the lines over the banks */

shared uint tile_w[WORDS * LINE], tile_x[WORDS * LINE];
shared vec2 scales_w[2u * TILE]; /* scale, offset of each half */
shared vec2 scales_x[2u * TILE]; /* d, and d times the half's sum */

void stage(packed_weight w, uint first_row, uint first_token, uint unit) {
    uint row_bytes = GRETA_Q8A_ROW_BYTES(args.n_cols), d_offset = GRETA_Q8A_D_OFFSET(args.n_cols);
    /* A chunk of eight columns each. */
    for (uint i = gl_LocalInvocationID.x; i < TILE * 4u; i += gl_WorkGroupSize.x) {
        uint line = i / 4u, c = i % 4u, chunk = unit * 4u + c;
        bytes_8 v = chunk_bytes(load_chunk(w, W_FORMAT, min(first_row + line, args.n_rows - 1u), chunk), W_FORMAT, chunk);
        tile_w[2u * c * LINE + line] = v.q.x;
        tile_w[(2u * c + 1u) * LINE + line] = v.q.y;
        if ((c & 1u) == 0u) scales_w[c / 2u * TILE + line] = vec2(v.scale, v.offset);
        if ((c & 1u) == 0u) {
            uint base = min(first_token + line, args.n_tok - 1u) * row_bytes;
            uvec4 x = IN_UVEC4(args.x, base + unit * 32u + c * 8u);
            float d = IN_F32(args.x, base + d_offset + unit * 4u);
            [[unroll]] for (uint e = 0; e < 4u; e++) tile_x[(2u * c + e) * LINE + line] = x[e];
            int sum = dot8(x.xy, uvec2(0x01010101u)) + dot8(x.zw, uvec2(0x01010101u));
            scales_x[c / 2u * TILE + line] = vec2(d, d * float(sum));
        }
    }
}

void main() {
    uint n_tiles = (args.n_tok + TILE - 1u) / TILE;
    uint first_token = group_id() % n_tiles * TILE, first_row = group_id() / n_tiles * TILE;
    if (first_row >= args.n_rows) return;
    uint me = gl_LocalInvocationID.x, own_row = me % SIDE, own_token = me / SIDE;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);
    float sums[OWN * OWN];
    [[unroll]] for (uint i = 0; i < OWN * OWN; i++) sums[i] = 0.0;

    for (uint unit = 0; unit < args.n_cols / 32u; unit++) {
        stage(w, first_row, first_token, unit);
        barrier();
        [[unroll]] for (uint h = 0; h < 2u; h++) {
            int dots[OWN * OWN];
            [[unroll]] for (uint i = 0; i < OWN * OWN; i++) dots[i] = 0;
            [[unroll]] for (uint l = 4u * h; l < 4u * h + 4u; l++) {
                uint u[OWN], x[OWN];
                [[unroll]] for (uint i = 0; i < OWN; i++) u[i] = tile_w[l * LINE + own_row + i * SIDE];
                [[unroll]] for (uint j = 0; j < OWN; j++) x[j] = tile_x[l * LINE + own_token + j * SIDE];
                [[unroll]] for (uint j = 0; j < OWN; j++)
                    [[unroll]] for (uint i = 0; i < OWN; i++) dots[j * OWN + i] += dot4(u[i], x[j]);
            }
            [[unroll]] for (uint j = 0; j < OWN; j++) {
                vec2 x = scales_x[h * TILE + own_token + j * SIDE];
                [[unroll]] for (uint i = 0; i < OWN; i++) {
                    vec2 s = scales_w[h * TILE + own_row + i * SIDE];
                    sums[j * OWN + i] += s.x * (x.x * float(dots[j * OWN + i]));
                    if (has_offset(W_FORMAT)) sums[j * OWN + i] += s.y * x.y;
                }
            }
        }
        barrier();
    }
    [[unroll]] for (uint j = 0; j < OWN; j++)
        [[unroll]] for (uint i = 0; i < OWN; i++) {
            uint row = first_row + own_row + i * SIDE, token = first_token + own_token + j * SIDE;
            if (row < args.n_rows && token < args.n_tok)
                OUT_F32(args.y, (token * args.n_rows + row) * 4u, sums[j * OWN + i]);
        }
}
