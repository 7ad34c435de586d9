/* One workgroup a row; see rows.glsl. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ARGMAX
#define out result /* the argument's name is a word of the language */
#include "common/greta.glsl"
#undef out
layout(constant_id = 1) const uint WIDTH = 4;
layout(constant_id = 2) const uint OWN = 4;
#include "common/rows.glsl"

const uint NO_INDEX = 0xFFFFFFFFu; /* also the answer for a row of NaN */

shared float partial_values[gl_WorkGroupSize.x / SUBGROUP_MIN];
shared uint partial_indices[gl_WorkGroupSize.x / SUBGROUP_MIN];

/* A NaN compares false and so never wins; the first -infinity must win over nothing. */
bool wins(float value, uint index, float best, uint best_index) {
    return value > best || (value == best && index < best_index);
}

void main() {
    uint row = group_id();
    if (row >= args.n_rows) return;
    uint n = args.n_cols / WIDTH, begin = row * args.n_cols * 4u, me = gl_LocalInvocationID.x;
    uint n_own = OWN * gl_WorkGroupSize.x;
    float best = LOWEST;
    uint best_index = NO_INDEX;
    for (uint first = me; first < n; first += n_own) {
        vec4 own[OWN];
        [[unroll]] for (uint o = 0; o < OWN; o++)
            own[o] = load_piece(args.x, begin + min(first + o * gl_WorkGroupSize.x, n - 1u) * PIECE_BYTES);
        /* A piece that is read twice cannot win twice. */
        [[unroll]] for (uint o = 0; o < OWN; o++)
            [[unroll]] for (uint e = 0; e < WIDTH; e++) {
                uint c = min(first + o * gl_WorkGroupSize.x, n - 1u) * WIDTH + e;
                if (wins(own[o][e], c, best, best_index)) {
                    best = own[o][e];
                    best_index = c;
                }
            }
    }
    float part = subgroupMax(best);
    uint part_index = subgroupMin(best == part ? best_index : NO_INDEX);
    if (subgroupElect()) {
        partial_values[gl_SubgroupID] = part;
        partial_indices[gl_SubgroupID] = part_index;
    }
    barrier();
    if (me > 0u) return;
    for (uint i = 1; i < gl_NumSubgroups; i++)
        if (wins(partial_values[i], partial_indices[i], partial_values[0], partial_indices[0])) {
            partial_values[0] = partial_values[i];
            partial_indices[0] = partial_indices[i];
        }
    OUT_U32(args.result, row * 4u, partial_indices[0]);
}
