/*
 * Prefill attention on matrix units, one pass over K and V: a workgroup has QUERIES tokens of one head, a subgroup M of
 * them; the positions come in blocks of KEYS, whose K and V pass through LDS as f16. Scores and weights go through LDS,
 * where an invocation knows its row; what an accumulator is scaled by per row is loaded as a matrix of equal columns.
 *
 * The workgroup has QUERIES / M subgroups of at least M invocations. HEAD_DIM is a multiple of 16, N and K; KEYS of 8, N and
 * K; q, k, v and y lie at multiples of 16 bytes.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define GRETA_ARGS GRETA_ARGS_ATTN
#include "common/greta.glsl"
#include "common/act.glsl"
#include "common/kv.glsl"

layout(constant_id = 1) const uint KV_TYPE = GRETA_TYPE_F16;
layout(constant_id = 2) const uint HEAD_DIM = 64;
layout(constant_id = 3) const uint M = 16; /* of the matrix unit */
layout(constant_id = 4) const uint N = 16;
layout(constant_id = 5) const uint K = 16;
layout(constant_id = 6) const uint QUERIES = 64;
layout(constant_id = 7) const uint KEYS = 32;

/* Lines of LDS in 16-byte words; one more word spreads the lines over the banks. */
const uint HEAD_CHUNKS = HEAD_DIM / 8u;
const uint HEAD_LINE = HEAD_CHUNKS + 1u;
const uint SCORE_LINE = KEYS / 4u + 1u;
const uint WEIGHT_LINE = KEYS / 8u + 1u;
const uint SCALE_LINE = N / 4u;
const uint N_SUBS = QUERIES / M;
const uint KV_CHUNKS = KEYS * HEAD_CHUNKS;
const uint KV_OWN = (KV_CHUNKS + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;
const uint HEAD_N = HEAD_DIM / N, HEAD_K = HEAD_DIM / K, KEYS_N = KEYS / N, KEYS_K = KEYS / K;
const uint KV_WORDS = 2u * KEYS * HEAD_LINE, QUERY_WORDS = QUERIES * HEAD_LINE;

shared uvec4 tile[KV_WORDS > QUERY_WORDS ? KV_WORDS : QUERY_WORDS]; /* first the queries, then a block's K and V */
shared vec4 scores[QUERIES * SCORE_LINE];
shared uvec4 weights[QUERIES * WEIGHT_LINE];
shared vec4 scales[QUERIES * SCALE_LINE];

layout(buffer_reference, std430, buffer_reference_align = 16) buffer ref_results { float v[]; };

#define ACCUMULATOR coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>

uvec4 next_k[KV_OWN], next_v[KV_OWN];

uint pack_f16(vec2 v) { return packFloat2x16(f16vec2(clamp(v, vec2(-65504.0), vec2(65504.0)))); }
uvec4 pack_chunk(vec4 lo, vec4 hi) {
    return uvec4(pack_f16(lo.xy), pack_f16(lo.zw), pack_f16(hi.xy), pack_f16(hi.zw));
}
uvec4 load_f32_chunk(uint64_t base, uint element) {
    return pack_chunk(IN_VEC4(base, element * 4u), IN_VEC4(base, element * 4u + 16u));
}
/* Eight elements from c on of a row of a cache. */
uvec4 load_kv_chunk(uint64_t base, uint row, uint c) {
    uint n_cols = args.n_head_kv * HEAD_DIM, element = row * n_cols + c;
    if (KV_TYPE == GRETA_TYPE_Q8_0) {
        uint at = kv_row(KV_TYPE, row, n_cols);
        uvec2 w = IN_UVEC2(base, at + c);
        float d = kv_scale(base, at, n_cols, c);
        return pack_chunk(d * kv_codes(w.x), d * kv_codes(w.y));
    }
    if (KV_TYPE == GRETA_TYPE_F16) return IN_UVEC4(base, element * 2u);
    return load_f32_chunk(base, element);
}

/* What lies past n_kv is not read: it may be anything, and a weight of zero does not undo a NaN. */
void fetch(uint begin, uint n_kv, uint group) {
    [[unroll]] for (uint o = 0; o < KV_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x, key = begin + i / HEAD_CHUNKS;
        next_k[o] = next_v[o] = uvec4(0u);
        if (i < KV_CHUNKS && key < n_kv) {
            uint c = group * HEAD_DIM + i % HEAD_CHUNKS * 8u;
            next_k[o] = load_kv_chunk(args.k, key, c);
            next_v[o] = load_kv_chunk(args.v, key, c);
        }
    }
}

void stage() {
    [[unroll]] for (uint o = 0; o < KV_OWN; o++) {
        uint i = gl_LocalInvocationID.x + o * gl_WorkGroupSize.x;
        uint at = i / HEAD_CHUNKS * HEAD_LINE + i % HEAD_CHUNKS;
        if (i < KV_CHUNKS) {
            tile[at] = next_k[o];
            tile[KEYS * HEAD_LINE + at] = next_v[o];
        }
    }
}

/* Reduces over the invocations that share a row: those M apart. */
float row_max(float x) {
    for (uint d = M; d < gl_SubgroupSize; d <<= 1u) x = max(x, subgroupShuffleXor(x, d));
    return x;
}
float row_add(float x) {
    for (uint d = M; d < gl_SubgroupSize; d <<= 1u) x += subgroupShuffleXor(x, d);
    return x;
}

/*
 * Those of a row's scores that this invocation reads. A rolled loop behind one branch: calls without a cap have the code that
 * they had.
 */
void cap_scores(uint line, uint part, uint n_parts) {
    float factor = args.scale / args.softcap;
    for (uint c = part; c < KEYS / 8u; c += n_parts)
        [[dont_unroll]] for (uint at = line * SCORE_LINE + c * 2u, end = at + 2u; at < end; at++) {
            vec4 z = scores[at] * factor;
            scores[at] = args.softcap * vec4(tanh_of(z.x), tanh_of(z.y), tanh_of(z.z), tanh_of(z.w));
        }
}

void set_row_scale(uint line, uint part, uint n_parts, float scale) {
    for (uint c = part; c < SCALE_LINE; c += n_parts) scales[line * SCALE_LINE + c] = vec4(scale);
}

void main() {
    uint n_tiles = (args.n_tok + QUERIES - 1u) / QUERIES;
    if (group_id() >= n_tiles * args.n_head) return;
    /* The last tokens have the most to do: they go first. */
    uint head = group_id() % args.n_head, first = (n_tiles - 1u - group_id() / args.n_head) * QUERIES;
    uint group = head / (args.n_head / args.n_head_kv), pos = IN_U32(args.step, 4u);
    uint n_kv = min(pos + min(first + QUERIES, args.n_tok), args.n_ctx);

    for (uint i = gl_LocalInvocationID.x; i < QUERIES * HEAD_CHUNKS; i += gl_WorkGroupSize.x) {
        uint token = min(first + i / HEAD_CHUNKS, args.n_tok - 1u);
        tile[i / HEAD_CHUNKS * HEAD_LINE + i % HEAD_CHUNKS] =
            load_f32_chunk(args.q, (token * args.n_head + head) * HEAD_DIM + i % HEAD_CHUNKS * 8u);
    }
    uint seen = min(pos + first + 1u, args.n_ctx); /* by the first row */
    uint start = args.window > 0u && seen > args.window ? seen - args.window : 0u;
    fetch(start, n_kv, group);
    barrier();

    uint sub = gl_SubgroupID * M; /* this subgroup's first query */
    coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> query[HEAD_K];
    [[unroll]] for (uint d = 0; d < HEAD_K; d++)
        coopMatLoad(query[d], tile, sub * HEAD_LINE + d * (K / 8u), HEAD_LINE, gl_CooperativeMatrixLayoutRowMajor);
    ACCUMULATOR acc[HEAD_N];
    [[unroll]] for (uint d = 0; d < HEAD_N; d++) acc[d] = ACCUMULATOR(0.0);

    uint line = sub + gl_SubgroupInvocationID % M; /* the row whose softmax this invocation makes a part of */
    uint part = gl_SubgroupInvocationID / M, n_parts = gl_SubgroupSize / M;
    uint row_kv = min(pos + min(first + line, args.n_tok - 1u) + 1u, args.n_ctx);
    uint row_first = args.window > 0u && row_kv > args.window ? row_kv - args.window : 0u;
    /* The least float, not -infinity: blocks before a row's window leave it as it is, and its difference from itself is 0. */
    float largest = uintBitsToFloat(0xFF7FFFFFu), sum = 0.0;
    uint n_seen = row_kv - row_first;
    float scale = (args.softcap > 0.0 ? 1.0 : args.scale) * 1.44269504; /* exp(x) = exp2(x * log2(e)) */

    for (uint begin = start; begin < n_kv; begin += KEYS) {
        barrier(); /* the tile's last readers */
        stage();
        barrier();
        if (begin + KEYS < n_kv) fetch(begin + KEYS, n_kv, group);

        [[unroll]] for (uint j = 0; j < KEYS_N; j++) {
            ACCUMULATOR s = ACCUMULATOR(0.0);
            [[unroll]] for (uint d = 0; d < HEAD_K; d++) {
                coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> k;
                coopMatLoad(k, tile, j * N * HEAD_LINE + d * (K / 8u), HEAD_LINE,
                            gl_CooperativeMatrixLayoutColumnMajor);
                s = coopMatMulAdd(query[d], k, s);
            }
            coopMatStore(s, scores, sub * SCORE_LINE + j * (N / 4u), SCORE_LINE, gl_CooperativeMatrixLayoutRowMajor);
        }
        barrier();

        if (args.softcap > 0.0) cap_scores(line, part, n_parts);
        uint offset = begin - row_first; /* what lies before row_first wraps around: it is past n_seen, too */
        float block_largest = largest;
        for (uint c = part; c < KEYS / 8u; c += n_parts)
            [[unroll]] for (uint e = 0; e < 8u; e++)
                if (offset + c * 8u + e < n_seen)
                    block_largest = max(block_largest, scores[line * SCORE_LINE + c * 2u + e / 4u][e & 3u] * scale);
        block_largest = row_max(block_largest);
        float block_sum = 0.0;
        for (uint c = part; c < KEYS / 8u; c += n_parts) {
            vec4 p[2];
            [[unroll]] for (uint e = 0; e < 8u; e++) {
                float s = scores[line * SCORE_LINE + c * 2u + e / 4u][e & 3u] * scale - block_largest;
                p[e / 4u][e & 3u] = offset + c * 8u + e < n_seen ? exp2(s) : 0.0;
                block_sum += p[e / 4u][e & 3u];
            }
            weights[line * WEIGHT_LINE + c] = pack_chunk(p[0], p[1]);
        }
        float rescale = exp2(largest - block_largest);
        sum = sum * rescale + row_add(block_sum);
        largest = block_largest;
        set_row_scale(line, part, n_parts, rescale);
        barrier();

        ACCUMULATOR factor;
        coopMatLoad(factor, scales, sub * SCALE_LINE, SCALE_LINE, gl_CooperativeMatrixLayoutRowMajor);
        coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> p[KEYS_K];
        [[unroll]] for (uint j = 0; j < KEYS_K; j++)
            coopMatLoad(p[j], weights, sub * WEIGHT_LINE + j * (K / 8u), WEIGHT_LINE, gl_CooperativeMatrixLayoutRowMajor);
        [[unroll]] for (uint d = 0; d < HEAD_N; d++) {
            acc[d] *= factor;
            [[unroll]] for (uint j = 0; j < KEYS_K; j++) {
                coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> v;
                coopMatLoad(v, tile, (KEYS + j * K) * HEAD_LINE + d * (N / 8u), HEAD_LINE,
                            gl_CooperativeMatrixLayoutRowMajor);
                acc[d] = coopMatMulAdd(p[j], v, acc[d]);
            }
        }
    }

    barrier();
    set_row_scale(line, part, n_parts, 1.0 / sum);
    barrier();
    ACCUMULATOR factor;
    coopMatLoad(factor, scales, sub * SCALE_LINE, SCALE_LINE, gl_CooperativeMatrixLayoutRowMajor);
    bool on_edge = first + QUERIES > args.n_tok, whole = first + sub + M <= args.n_tok;
    uint stride = args.n_head * HEAD_DIM;
    [[unroll]] for (uint d = 0; d < HEAD_N; d++) {
        acc[d] *= factor;
        if (whole)
            coopMatStore(acc[d], ref_results(args.y).v, (first + sub) * stride + head * HEAD_DIM + d * N, stride,
                         gl_CooperativeMatrixLayoutRowMajor);
        if (on_edge) { /* through LDS */
            if (!whole) coopMatStore(acc[d], scores, sub * SCORE_LINE, SCORE_LINE, gl_CooperativeMatrixLayoutRowMajor);
            barrier();
            if (!whole)
                for (uint e = gl_SubgroupInvocationID; e < M * N; e += gl_SubgroupSize) {
                    uint token = first + sub + e / N, at = (sub + e / N) * SCORE_LINE + e % N / 4u;
                    if (token < args.n_tok)
                        OUT_F32(args.y, (token * stride + head * HEAD_DIM + d * N + e % N) * 4u, scores[at][e & 3u]);
                }
            barrier();
        }
    }
}
