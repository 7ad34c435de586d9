/*
 * One workgroup a row. An element's rank is a key of 64 bits, all different: its value in an order-preserving form, then the
 * complement of its index. The k-th largest key is found digit by digit, eight bits at a time, from counts of the elements
 * that share the digits found so far; then what is at or above it is gathered and sorted. The digits of the index are looked
 * at only where equal values straddle the k-th place. Elements are read in pieces, see rows.glsl.
 */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_TOP_K
#include "common/greta.glsl"

layout(constant_id = 1) const uint WIDTH = 4;
layout(constant_id = 2) const uint OWN = 4;
#include "common/rows.glsl"

const uint MAX_K = 128;
const uint N_BINS = 256;

shared uint bins[N_BINS];
shared uint found_digit, found_above, found_here;
shared uint n_gathered;
shared uint top_keys[MAX_K], top_indices[MAX_K];

/* Ascending with the value; a NaN is below everything. */
uint order_key(float x) {
    uint bits = floatBitsToUint(x);
    if (isnan(x)) return 0u;
    if (x == 0.0) bits = 0u; /* -0 equals 0 */
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

/* Pieces first + o * size of a row; past the end the last is read again, and not to be used. */
void load_pieces(uint row, uint first, out vec4 own[OWN]) {
    [[unroll]] for (uint o = 0; o < OWN; o++) {
        uint piece = min(first + o * gl_WorkGroupSize.x, args.n_cols / WIDTH - 1u);
        own[o] = load_piece(args.x, row * args.n_cols * 4u + piece * PIECE_BYTES);
    }
}

/* The digit at `shift` of the wanted-th largest among the elements whose higher digits are those of (key, index). */
void find_digit(uint row, bool of_index, uint shift, uint key, uint index, uint wanted) {
    for (uint b = gl_LocalInvocationID.x; b < N_BINS; b += gl_WorkGroupSize.x) bins[b] = 0u;
    barrier();
    uint high = shift == 24u ? 0u : 0xFFFFFFFFu << (shift + 8u);
    for (uint first = gl_LocalInvocationID.x; first < args.n_cols / WIDTH; first += OWN * gl_WorkGroupSize.x) {
        vec4 own[OWN];
        load_pieces(row, first, own);
        [[unroll]] for (uint o = 0; o < OWN; o++)
            [[unroll]] for (uint e = 0; e < WIDTH; e++) {
                uint c = (first + o * gl_WorkGroupSize.x) * WIDTH + e;
                uint k = order_key(own[o][e]), digits = of_index ? ~c : k;
                bool same = of_index ? k == key && (~c & high) == (index & high) : (k & high) == (key & high);
                if (same && c < args.n_cols) atomicAdd(bins[(digits >> shift) & 255u], 1u);
            }
    }
    barrier();
    for (uint b = gl_LocalInvocationID.x; b < N_BINS; b += gl_WorkGroupSize.x) {
        uint above = 0u;
        for (uint i = N_BINS - 1u; i > b; i--) above += bins[i];
        if (above < wanted && wanted <= above + bins[b]) {
            found_digit = b;
            found_above = above;
            found_here = bins[b];
        }
    }
    barrier();
}

void main() {
    uint row = group_id();
    if (row >= args.n_rows) return;
    uint k_count = min(args.k, MAX_K);
    uint wanted = k_count, key = 0u, index = 0u;
    for (int shift = 24; shift >= 0; shift -= 8) {
        find_digit(row, false, uint(shift), key, 0u, wanted);
        key |= found_digit << shift;
        wanted -= found_above;
        barrier();
    }
    /* `wanted` of the elements equal to key are among the k largest: all of them, or those of the smallest index. */
    bool all_equal = found_here == wanted;
    barrier();
    for (int shift = 24; shift >= 0 && !all_equal; shift -= 8) {
        find_digit(row, true, uint(shift), key, index, wanted);
        index |= found_digit << shift;
        wanted -= found_above;
        barrier();
    }
    if (gl_LocalInvocationID.x == 0) n_gathered = 0u;
    barrier();
    for (uint first = gl_LocalInvocationID.x; first < args.n_cols / WIDTH; first += OWN * gl_WorkGroupSize.x) {
        vec4 own[OWN];
        load_pieces(row, first, own);
        [[unroll]] for (uint o = 0; o < OWN; o++)
            [[unroll]] for (uint e = 0; e < WIDTH; e++) {
                uint c = (first + o * gl_WorkGroupSize.x) * WIDTH + e, k = order_key(own[o][e]);
                if (c < args.n_cols && (k > key || (k == key && ~c >= index))) {
                    uint at = atomicAdd(n_gathered, 1u);
                    if (at < MAX_K) {
                        top_keys[at] = k;
                        top_indices[at] = c;
                    }
                }
            }
    }
    barrier();
    /* The place of each is the number of those before it: the order of gathering, which varies, does not matter. */
    for (uint i = gl_LocalInvocationID.x; i < k_count; i += gl_WorkGroupSize.x) {
        uint place = 0u;
        for (uint j = 0; j < k_count; j++)
            if (top_keys[j] > top_keys[i] || (top_keys[j] == top_keys[i] && top_indices[j] < top_indices[i])) place++;
        uint at = (row * args.k + place) * 4u;
        OUT_F32(args.values, at, IN_F32(args.x, (row * args.n_cols + top_indices[i]) * 4u));
        OUT_U32(args.indices, at, top_indices[i]);
    }
}
