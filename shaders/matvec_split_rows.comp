/*
 * A workgroup makes a piece of ROWS sums; of those that share them the last one to be done, told by a counter, adds the pieces in their
 * order, so that the result does not depend on which it is, and leaves the counter at 0 for the next call.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_MATVEC_SPLIT
#include "common/greta.glsl"
#include "common/decode.glsl"

layout(constant_id = 1) const uint W_FORMAT = GRETA_FORMAT_F32;
layout(constant_id = 2) const uint X_TYPE = GRETA_TYPE_F32;
layout(constant_id = 3) const uint ADD = 0;
layout(constant_id = 4) const uint ROWS = 2;
layout(constant_id = 5) const uint STEPS = 2;
layout(constant_id = 6) const uint ALIGNED = 1;

/* What other workgroups write in the same dispatch. */
layout(buffer_reference, std430, buffer_reference_align = 4) coherent buffer ref_common_u32 { uint v; };
layout(buffer_reference, std430, buffer_reference_align = 4) coherent buffer ref_common_f32 { float v; };

/* Chunks of a piece: whole units, so that a scale is read by one workgroup. Pieces at the end may be empty. */
uint piece_chunks(uint n) { return ((n + args.n_split - 1u) / args.n_split + 3u) & ~3u; }

#define SETS 1
#define PIECE_BEGIN(n) (group_id() % args.n_split * piece_chunks(n))
#define PIECE_END(n) min(PIECE_BEGIN(n) + piece_chunks(n), n)
#include "common/matvec.glsl"

shared uint n_before;

uint part_at(uint row, uint piece) { return (row * args.n_split + piece) * 4u; }

void main() {
    uint piece = group_id() % args.n_split, first = group_id() / args.n_split * ROWS, r = gl_LocalInvocationID.x;
    if (first >= args.n_rows) return;
    packed_weight w = packed_open(args.w, W_FORMAT, args.n_rows, args.n_cols);
    rows_multiply(w, W_FORMAT, uint64_t[SETS](args.w), first, args.n_rows);

    bool mine = r < ROWS && first + r < args.n_rows;
    if (mine) ref_common_f32(ADDRESS(args.parts, part_at(first + r, piece))).v = sum_of(r);
    memoryBarrierBuffer(); /* the parts before the counter */
    barrier();
    if (r == 0u) n_before = atomicAdd(ref_common_u32(ADDRESS(args.counters, first * 4u)).v, 1u);
    barrier();
    if (n_before != args.n_split - 1u) return;
    memoryBarrierBuffer();
    if (mine) {
        uint at = (first + r) * 4u;
        float sum = 0.0;
        for (uint s = 0; s < args.n_split; s++) sum += ref_common_f32(ADDRESS(args.parts, part_at(first + r, s))).v;
        OUT_F32(args.y, at, ADD == 1 ? LOAD_F32(args.y, at) + sum : sum);
    }
    if (r == 0u) ref_common_u32(ADDRESS(args.counters, first * 4u)).v = 0u;
}
