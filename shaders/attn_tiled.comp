/*
 * Prefill attention on vector units, one pass over K and V, f32 throughout: a workgroup has QUERIES tokens of one head, and
 * takes the positions in blocks of KEYS through LDS, K and V one after the other in the same place. Of the scores an
 * invocation makes ROWS x 4, of the result ROWS tokens by every (KEYS / 4)-th piece of four dimensions.
 *
 * The workgroup has QUERIES / ROWS * KEYS / 4 invocations, QUERIES at least. HEAD_DIM is a multiple of 8; q, k, v lie at multiples of 16 bytes.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ATTN
#include "common/greta.glsl"
#include "common/act.glsl"
#include "common/kv.glsl"

layout(constant_id = 1) const uint KV_TYPE = GRETA_TYPE_F16;
layout(constant_id = 2) const uint HEAD_DIM = 64;
layout(constant_id = 3) const uint QUERIES = 32;
layout(constant_id = 4) const uint KEYS = 32;
layout(constant_id = 5) const uint ROWS = 4; /* queries of an invocation */

const uint PIECES = HEAD_DIM / 4u; /* of a head, four dimensions each */
const uint LINE = PIECES + 1u;     /* in LDS; one more vector spreads the lines over the banks */
const uint SIDE = KEYS / 4u;       /* invocations that share their queries */
const uint OWN = (PIECES + SIDE - 1u) / SIDE;
const uint SCORE_LINE = KEYS + 1u;

shared vec4 queries[QUERIES * LINE];
shared vec4 tile[KEYS * LINE];
shared float scores[QUERIES * SCORE_LINE];
shared float rescales[QUERIES], sums[QUERIES];

/* Four elements from c on of a row of a cache. */
vec4 load_kv(uint64_t base, uint row, uint c) {
    uint n_cols = args.n_head_kv * HEAD_DIM, element = row * n_cols + c;
    if (KV_TYPE == GRETA_TYPE_Q8_0) {
        uint at = kv_row(KV_TYPE, row, n_cols);
        return kv_scale(base, at, n_cols, c) * kv_codes(IN_U32(base, at + c));
    }
    if (KV_TYPE == GRETA_TYPE_F16) {
        uvec2 w = IN_UVEC2(base, element * 2u);
        return vec4(unpackHalf2x16(w.x), unpackHalf2x16(w.y));
    }
    return IN_VEC4(base, element * 4u);
}

/* What lies past n_kv may be anything, and a weight of zero does not undo a NaN. */
void stage(uint64_t base, uint begin, uint n_kv, uint group) {
    for (uint i = gl_LocalInvocationID.x; i < KEYS * PIECES; i += gl_WorkGroupSize.x) {
        uint key = begin + i / PIECES;
        vec4 v = vec4(0.0);
        if (key < n_kv) v = load_kv(base, key, group * HEAD_DIM + i % PIECES * 4u);
        tile[i / PIECES * LINE + i % PIECES] = v;
    }
}

/* The scores that this invocation made. A rolled loop behind one branch: calls without a cap have the code that they had. */
void cap_scores(uint own_query, uint side) {
    [[dont_unroll]] for (uint i = 0; i < ROWS; i++)
        [[unroll]] for (uint j = 0; j < 4u; j++) {
            uint at = (own_query + i) * SCORE_LINE + side + j * SIDE;
            scores[at] = args.softcap * tanh_of(scores[at] / args.softcap);
        }
}

void main() {
    uint n_tiles = (args.n_tok + QUERIES - 1u) / QUERIES;
    if (group_id() >= n_tiles * args.n_head) return;
    /* The last tokens have the most to do: they go first. */
    uint head = group_id() % args.n_head, first = (n_tiles - 1u - group_id() / args.n_head) * QUERIES;
    uint group = head / (args.n_head / args.n_head_kv), pos = IN_U32(args.step, 4u), me = gl_LocalInvocationID.x;
    uint n_kv = min(pos + min(first + QUERIES, args.n_tok), args.n_ctx);
    uint own_query = me / SIDE * ROWS, side = me % SIDE;

    for (uint i = me; i < QUERIES * PIECES; i += gl_WorkGroupSize.x) {
        uint token = min(first + i / PIECES, args.n_tok - 1u);
        queries[i / PIECES * LINE + i % PIECES] =
            IN_VEC4(args.q, ((token * args.n_head + head) * HEAD_DIM + i % PIECES * 4u) * 4u);
    }
    vec4 acc[ROWS * OWN];
    [[unroll]] for (uint i = 0; i < ROWS * OWN; i++) acc[i] = vec4(0.0);
    /* Of the softmax an invocation below QUERIES has one row. */
    uint row_kv = min(pos + min(first + me, args.n_tok - 1u) + 1u, args.n_ctx);
    /* The least float, not -infinity: blocks before a row's window leave it as it is, and its difference from itself is 0. */
    float largest = uintBitsToFloat(0xFF7FFFFFu), sum = 0.0;
    uint row_first = args.window > 0u && row_kv > args.window ? row_kv - args.window : 0u;
    uint seen = min(pos + first + 1u, args.n_ctx); /* by the first row */

    for (uint begin = args.window > 0u && seen > args.window ? seen - args.window : 0u; begin < n_kv; begin += KEYS) {
        barrier(); /* the tile's last readers; the queries */
        stage(args.k, begin, n_kv, group);
        barrier();
        /* Keys SIDE apart: neighbours read neighbouring lines. */
        vec4 dots[ROWS];
        [[unroll]] for (uint i = 0; i < ROWS; i++) dots[i] = vec4(0.0);
        for (uint p = 0; p < PIECES; p++) {
            vec4 k[4];
            [[unroll]] for (uint j = 0; j < 4u; j++) k[j] = tile[(side + j * SIDE) * LINE + p];
            [[unroll]] for (uint i = 0; i < ROWS; i++) {
                vec4 q = queries[(own_query + i) * LINE + p];
                dots[i] += vec4(dot(q, k[0]), dot(q, k[1]), dot(q, k[2]), dot(q, k[3]));
            }
        }
        [[unroll]] for (uint i = 0; i < ROWS; i++)
            [[unroll]] for (uint j = 0; j < 4u; j++)
                scores[(own_query + i) * SCORE_LINE + side + j * SIDE] = dots[i][j] * args.scale;
        if (args.softcap > 0.0) cap_scores(own_query, side);
        barrier();
        stage(args.v, begin, n_kv, group);
        if (me < QUERIES) {
            /* Positions of the block that the row sees. */
            uint n = min(KEYS, max(row_kv, begin) - begin), low = min(n, max(row_first, begin) - begin);
            float block_largest = largest;
            for (uint c = low; c < n; c++) block_largest = max(block_largest, scores[me * SCORE_LINE + c]);
            float rescale = exp(largest - block_largest);
            sum *= rescale;
            for (uint c = 0; c < KEYS; c++) {
                float weight = c - low < n - low ? exp(scores[me * SCORE_LINE + c] - block_largest) : 0.0;
                scores[me * SCORE_LINE + c] = weight;
                sum += weight;
            }
            largest = block_largest;
            rescales[me] = rescale;
            sums[me] = sum;
        }
        barrier();
        [[unroll]] for (uint i = 0; i < ROWS; i++)
            [[unroll]] for (uint o = 0; o < OWN; o++) acc[i * OWN + o] *= rescales[own_query + i];
        for (uint c = 0; c < KEYS; c++) {
            float weight[ROWS];
            [[unroll]] for (uint i = 0; i < ROWS; i++) weight[i] = scores[(own_query + i) * SCORE_LINE + c];
            [[unroll]] for (uint o = 0; o < OWN; o++) {
                uint p = side + o * SIDE;
                vec4 v = tile[c * LINE + (PIECES % SIDE == 0u ? p : min(p, PIECES - 1u))];
                [[unroll]] for (uint i = 0; i < ROWS; i++) acc[i * OWN + o] += weight[i] * v;
            }
        }
    }
    [[unroll]] for (uint i = 0; i < ROWS; i++) {
        uint token = first + own_query + i;
        float factor = 1.0 / sums[own_query + i];
        [[unroll]] for (uint o = 0; o < OWN; o++) {
            uint p = side + o * SIDE;
            uint at = ((token * args.n_head + head) * HEAD_DIM + p * 4u) * 4u;
            if (token < args.n_tok && p < PIECES)
                [[unroll]] for (uint e = 0; e < 4u; e++) OUT_F32(args.y, at + e * 4u, acc[i * OWN + o][e] * factor);
        }
    }
}
