/*
 * One workgroup a chunk of GRETA_ATTN_CHUNK positions and HEADS query heads of one KV head: every K and V that it reads
 * serves them all. LANES invocations share one position, a piece of its head each.
 *
 * The including shader has a store_result(head, chunk, d, total, largest, sum): dimension d of the weighted values' sum, the
 * largest score, the sum of the weights. It calls attend_chunk.
 */
#ifndef SHADERS_ATTN_CHUNK_GLSL
#define SHADERS_ATTN_CHUNK_GLSL

#include "common/act.glsl"
#include "common/kv.glsl"
#include "common/reduce.glsl"

layout(constant_id = 1) const uint KV_TYPE = GRETA_TYPE_F16;
layout(constant_id = 2) const uint HEAD_DIM = 64;
layout(constant_id = 3) const uint HEADS = 1; /* query heads of a workgroup */
layout(constant_id = 4) const uint PIECE = 8; /* dimensions of an invocation: 8, or 1 for any head and alignment */

const uint N_PIECES = HEAD_DIM / PIECE;
/* Positions that the workgroup takes at once; invocations past PARALLEL * N_PIECES sit out. */
const uint PARALLEL = gl_WorkGroupSize.x / N_PIECES;
const uint UNROLL = 4;
#define LOWEST uintBitsToFloat(0xFF800000u) /* -infinity */

shared float query[HEADS * HEAD_DIM];
shared float scores[HEADS * GRETA_ATTN_CHUNK];
/* Dot products in pieces, a line for each position and head; later the sums of each position's weighted values. */
const uint DOT_LINE = N_PIECES + 1u; /* odd where N_PIECES is a power of two: no two lines begin in one bank */
const uint N_DOTS = UNROLL * PARALLEL * HEADS * DOT_LINE;
const uint N_SUMS = PARALLEL * HEAD_DIM;
shared float scratch[N_DOTS > N_SUMS ? N_DOTS : N_SUMS];

/* PIECE elements from c on of row `row` of a cache. */
void load_piece(uint64_t base, uint row, uint c, out float v[PIECE]) {
    uint n_cols = args.n_head_kv * HEAD_DIM, element = row * n_cols + c;
    if (PIECE == 8u) {
        vec4 lo, hi;
        if (KV_TYPE == GRETA_TYPE_Q8_0) {
            uint at = kv_row(KV_TYPE, row, n_cols);
            uvec2 w = IN_UVEC2(base, at + c);
            float d = kv_scale(base, at, n_cols, c);
            lo = d * kv_codes(w.x);
            hi = d * kv_codes(w.y);
        } else if (KV_TYPE == GRETA_TYPE_F16) {
            uvec4 w = IN_UVEC4(base, element * 2u);
            lo = vec4(unpackHalf2x16(w.x), unpackHalf2x16(w.y));
            hi = vec4(unpackHalf2x16(w.z), unpackHalf2x16(w.w));
        } else {
            lo = IN_VEC4(base, element * 4u);
            hi = IN_VEC4(base, element * 4u + 16u);
        }
        [[unroll]] for (uint e = 0; e < PIECE; e++) v[e] = e < 4u ? lo[e & 3u] : hi[e & 3u];
    } else {
        [[unroll]] for (uint e = 0; e < PIECE; e++) v[e] = kv_load(base, row, n_cols, c + e, KV_TYPE);
    }
}

/* scores[h][t] = scale * q . k, capped, for the heads first .. first + n_heads - 1 and positions begin .. begin + n - 1. */
void make_scores(uint first, uint column, uint n) {
    uint me = gl_LocalInvocationID.x, lane = me / N_PIECES, piece = me % N_PIECES;
    for (uint base = 0; base < n; base += UNROLL * PARALLEL) {
        if (lane < PARALLEL) {
            float k[UNROLL][PIECE];
            [[unroll]] for (uint u = 0; u < UNROLL; u++)
                load_piece(args.k, first + min(base + u * PARALLEL + lane, n - 1u), column + piece * PIECE, k[u]);
            [[unroll]] for (uint u = 0; u < UNROLL; u++)
                [[unroll]] for (uint h = 0; h < HEADS; h++) {
                    float sum = 0.0;
                    [[unroll]] for (uint e = 0; e < PIECE; e++)
                        sum += k[u][e] * query[h * HEAD_DIM + piece * PIECE + e];
                    scratch[((u * PARALLEL + lane) * HEADS + h) * DOT_LINE + piece] = sum;
                }
        }
        barrier();
        uint n_lines = UNROLL * PARALLEL * HEADS;
        for (uint line = me; line < n_lines; line += gl_WorkGroupSize.x) {
            uint t = base + line / HEADS;
            float sum = 0.0;
            for (uint p = 0; p < N_PIECES; p++) sum += scratch[line * DOT_LINE + p];
            sum *= args.scale;
            if (args.softcap > 0.0) sum = args.softcap * tanh_of(sum / args.softcap);
            if (t < n) scores[(line % HEADS) * GRETA_ATTN_CHUNK + t] = sum;
        }
        barrier();
    }
}

/* Turns head h's scores into weights. */
void soften(uint h, uint n, out float largest, out float sum) {
    float part = LOWEST;
    for (uint t = gl_LocalInvocationID.x; t < n; t += gl_WorkGroupSize.x)
        part = max(part, scores[h * GRETA_ATTN_CHUNK + t]);
    largest = workgroup_max(part);
    part = 0.0;
    for (uint t = gl_LocalInvocationID.x; t < n; t += gl_WorkGroupSize.x) {
        float weight = exp(scores[h * GRETA_ATTN_CHUNK + t] - largest);
        scores[h * GRETA_ATTN_CHUNK + t] = weight;
        part += weight;
    }
    sum = workgroup_add(part);
}

void store_result(uint head, uint chunk, uint d, float total, float largest, float sum);

/* n_split: of the dispatch; a group past the end returns. */
void attend_chunk(uint n_split) {
    uint group_size = args.n_head / args.n_head_kv, n_tiles = (group_size + HEADS - 1u) / HEADS;
    uint tile = group_id() % n_tiles, group = group_id() / n_tiles % args.n_head_kv;
    uint split = group_id() / n_tiles / args.n_head_kv;
    uint n_kv = min(IN_U32(args.step, 8u), args.n_ctx), begin = split * GRETA_ATTN_CHUNK;
    if (split >= n_split || begin >= n_kv) return;
    uint end = min(begin + GRETA_ATTN_CHUNK, n_kv), me = gl_LocalInvocationID.x;
    begin = max(begin, args.window > 0u && n_kv > args.window ? n_kv - args.window : 0u);
    uint column = group * HEAD_DIM;
    uint n_heads = min(HEADS, group_size - tile * HEADS), head = group * group_size + tile * HEADS;
    uint lane = me / N_PIECES, piece = me % N_PIECES;

    if (begin >= end) { /* wholly before the window */
        for (uint i = me; i < n_heads * HEAD_DIM; i += gl_WorkGroupSize.x)
            store_result(head + i / HEAD_DIM, split, i % HEAD_DIM, 0.0, LOWEST, 0.0);
        return;
    }
    uint n = end - begin;
    for (uint i = me; i < HEADS * HEAD_DIM; i += gl_WorkGroupSize.x)
        query[i] = i < n_heads * HEAD_DIM ? IN_F32(args.q, (head * HEAD_DIM + i) * 4u) : 0.0;
    barrier();
    make_scores(begin, column, n);
    float largest[HEADS], sum[HEADS];
    [[unroll]] for (uint h = 0; h < HEADS; h++) soften(h, n, largest[h], sum[h]);
    barrier();

    float acc[HEADS][PIECE];
    [[unroll]] for (uint h = 0; h < HEADS; h++)
        [[unroll]] for (uint e = 0; e < PIECE; e++) acc[h][e] = 0.0;
    if (lane < PARALLEL)
        for (uint base = lane; base < n; base += UNROLL * PARALLEL) {
            float v[UNROLL][PIECE];
            [[unroll]] for (uint u = 0; u < UNROLL; u++)
                load_piece(args.v, begin + min(base + u * PARALLEL, n - 1u), column + piece * PIECE, v[u]);
            [[unroll]] for (uint u = 0; u < UNROLL; u++) {
                uint t = base + u * PARALLEL;
                [[unroll]] for (uint h = 0; h < HEADS; h++) {
                    float weight = t < n ? scores[h * GRETA_ATTN_CHUNK + t] : 0.0;
                    [[unroll]] for (uint e = 0; e < PIECE; e++) acc[h][e] += weight * v[u][e];
                }
            }
        }
    [[unroll]] for (uint h = 0; h < HEADS; h++) {
        if (h < n_heads) {
            if (lane < PARALLEL)
                [[unroll]] for (uint e = 0; e < PIECE; e++) scratch[lane * HEAD_DIM + piece * PIECE + e] = acc[h][e];
            barrier();
            for (uint d = me; d < HEAD_DIM; d += gl_WorkGroupSize.x) {
                float total = 0.0;
                for (uint p = 0; p < PARALLEL; p++) total += scratch[p * HEAD_DIM + d];
                store_result(head + h, split, d, total, largest[h], sum[h]);
            }
            barrier();
        }
    }
}

#endif
