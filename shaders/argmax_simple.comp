/* One workgroup a row. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ARGMAX
#define out result /* the argument's name is a word of the language */
#include "common/greta.glsl"
#undef out

const uint NO_INDEX = 0xFFFFFFFFu; /* also the answer for a row of NaN */
#define LOWEST uintBitsToFloat(0xFF800000u) /* -infinity */

shared float partial_values[gl_WorkGroupSize.x / SUBGROUP_MIN];
shared uint partial_indices[gl_WorkGroupSize.x / SUBGROUP_MIN];

/* A NaN compares false and so never wins; the first -infinity must win over nothing. */
bool wins(float value, uint index, float best, uint best_index) {
    return value > best || (value == best && index < best_index);
}

void main() {
    uint row = group_id();
    if (row >= args.n_rows) return;
    float best = LOWEST;
    uint best_index = NO_INDEX;
    for (uint c = gl_LocalInvocationID.x; c < args.n_cols; c += gl_WorkGroupSize.x) {
        float x = IN_F32(args.x, (row * args.n_cols + c) * 4u);
        if (wins(x, c, best, best_index)) {
            best = x;
            best_index = c;
        }
    }
    float part = subgroupMax(best);
    uint part_index = subgroupMin(best == part ? best_index : NO_INDEX);
    if (subgroupElect()) {
        partial_values[gl_SubgroupID] = part;
        partial_indices[gl_SubgroupID] = part_index;
    }
    barrier();
    if (gl_LocalInvocationID.x > 0) return;
    for (uint i = 1; i < gl_NumSubgroups; i++)
        if (wins(partial_values[i], partial_indices[i], partial_values[0], partial_indices[0])) {
            partial_values[0] = partial_values[i];
            partial_indices[0] = partial_indices[i];
        }
    OUT_U32(args.result, row * 4u, partial_indices[0]);
}
