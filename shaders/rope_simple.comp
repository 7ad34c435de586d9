/* One invocation a pair. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ROPE
#include "common/greta.glsl"

layout(constant_id = 1) const uint MODE = 0;

void main() {
    uint n_pairs = args.n_rot / 2u;
    uint i = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (i >= args.n_tok * args.n_head * n_pairs) return;
    uint j = i % n_pairs, head = i / n_pairs; /* head: of all tokens' heads */
    uint pos = IN_U32(args.step, 4u) + head / args.n_head;
    uint at = (pos * n_pairs + j) * 8u;
    float c = IN_F32(args.table, at), s = IN_F32(args.table, at + 4u);
    uint first = head * args.head_dim + (MODE == 0 ? 2u * j : j);
    uint a = first * 4u, b = (first + (MODE == 0 ? 1u : n_pairs)) * 4u;
    float x = LOAD_F32(args.x, a), y = LOAD_F32(args.x, b);
    OUT_F32(args.x, a, x * c - y * s);
    OUT_F32(args.x, b, x * s + y * c);
}
