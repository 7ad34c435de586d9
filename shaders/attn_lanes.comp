/*
 * Attention of several tokens, for devices whose invocations are the lanes of a CPU (common/lanes.glsl): an invocation has a token of its own
 * and all dimensions of one head, the lanes read a key together and hand it round. Nothing is summed across lanes, and there is no barrier. A
 * workgroup has eight tokens. HEAD_DIM is a multiple of 32; q, k and v lie at multiples of 16 bytes.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ATTN
#include "common/greta.glsl"
#include "common/act.glsl"
#include "common/lane_loads.glsl"
#include "common/kv.glsl"

layout(constant_id = 1) const uint KV_TYPE = GRETA_TYPE_F16;
layout(constant_id = 2) const uint HEAD_DIM = 64;

const uint BLOCKS = HEAD_DIM / 32u; /* dimensions that eight lanes read at once */

/* Of row `row`, the four dimensions of this lane from c on. */
vec4 load_own(uint64_t base, uint row, uint c) {
    uint n_cols = args.n_head_kv * HEAD_DIM, own = c + 4u * (gl_SubgroupInvocationID & 7u), element = row * n_cols + own;
    if (KV_TYPE == GRETA_TYPE_Q8_0) {
        uint at = kv_row(KV_TYPE, row, n_cols);
        return kv_scale(base, at, n_cols, own) * kv_codes(IN_U32(base, at + own));
    }
    if (KV_TYPE == GRETA_TYPE_F16) {
        uvec2 w = IN_UVEC2(base, element * 2u);
        return vec4(unpackHalf2x16(w.x), unpackHalf2x16(w.y));
    }
    return uintBitsToFloat(IN_UVEC4(base, element * 4u));
}

void main() {
    uint n_tiles = (args.n_tok + gl_WorkGroupSize.x - 1u) / gl_WorkGroupSize.x;
    if (group_id() >= n_tiles * args.n_head) return;
    /* The last tokens have the most to do: they go first. */
    uint head = group_id() % args.n_head, first = (n_tiles - 1u - group_id() / args.n_head) * gl_WorkGroupSize.x;
    uint c = head / (args.n_head / args.n_head_kv) * HEAD_DIM, pos = IN_U32(args.step, 4u);
    uint token = min(first + gl_LocalInvocationID.x, args.n_tok - 1u), at = (token * args.n_head + head) * HEAD_DIM * 4u;
    /* The positions that the lanes see, and those that this one does. */
    uint n_kv = min(pos + min(first + gl_WorkGroupSize.x, args.n_tok), args.n_ctx), seen = min(pos + first + 1u, args.n_ctx);
    uint own_kv = min(pos + token + 1u, args.n_ctx), own_first = args.window > 0u && own_kv > args.window ? own_kv - args.window : 0u;

    float q[HEAD_DIM], acc[HEAD_DIM];
    [[unroll]] for (uint d = 0; d < HEAD_DIM; d += 2u) {
        vec2 pair = uintBitsToFloat(IN_PAIR(args.q, at + d * 4u));
        q[d] = pair.x * args.scale;
        q[d + 1u] = pair.y * args.scale;
    }
    [[unroll]] for (uint d = 0; d < HEAD_DIM; d++) acc[d] = 0.0;
    /* The least float, not -infinity: its difference from itself is 0. */
    float largest = uintBitsToFloat(0xFF7FFFFFu), sum = 0.0;

    for (uint key = args.window > 0u && seen > args.window ? seen - args.window : 0u; key < n_kv; key++) {
        float score = 0.0;
        [[unroll]] for (uint b = 0; b < BLOCKS; b++) {
            vec4 k = load_own(args.k, key, c + b * 32u);
            [[unroll]] for (uint d = 0; d < 32u; d++) score += q[b * 32u + d] * subgroupBroadcast(k[d & 3u], d >> 2);
        }
        if (args.softcap > 0.0) score = args.softcap * tanh_of(score / args.softcap);
        bool sees = key >= own_first && key < own_kv;
        float so_far = largest;
        if (sees) largest = max(largest, score);
        float rescale = exp(so_far - largest), weight = sees ? exp(score - largest) : 0.0;
        sum = sum * rescale + weight;
        [[unroll]] for (uint b = 0; b < BLOCKS; b++) {
            vec4 v = load_own(args.v, key, c + b * 32u);
            [[unroll]] for (uint d = 0; d < 32u; d++)
                acc[b * 32u + d] = acc[b * 32u + d] * rescale + weight * subgroupBroadcast(v[d & 3u], d >> 2);
        }
    }
    if (first + gl_LocalInvocationID.x >= args.n_tok) return;
    [[unroll]] for (uint d = 0; d < HEAD_DIM; d++) OUT_F32(args.y, at + d * 4u, acc[d] / sum);
}
