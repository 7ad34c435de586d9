/*
 * Rows of Q8A (greta/layout.h), four elements an invocation: eight neighbours hold a unit of 32, and what they have in common goes through
 * LDS. Every invocation of the workgroup calls it.
 */
#ifndef SHADERS_QUANTIZE_GLSL
#define SHADERS_QUANTIZE_GLSL

#include "greta/layout.h"

shared float largest[gl_WorkGroupSize.x];
shared int sums[gl_WorkGroupSize.x];

#define NOT_A_NUMBER uintBitsToFloat(0x7FC00000u)

/* By bits: a compiler may take it that there is neither. */
bool is_finite(float x) { return (floatBitsToUint(x) & 0x7F800000u) != 0x7F800000u; }

/* Elements c .. c + 3 of a row of n_cols; those past it are 0. inside: whether there is such a unit. */
void quantize_four(uint64_t y, uint row, uint n_cols, uint c, vec4 x, bool inside) {
    uint me = gl_LocalInvocationID.x, first = me / 8u * 8u;
    float most = 0.0;
    bool good = true;
    [[unroll]] for (uint e = 0; e < 4u; e++) {
        good = good && is_finite(x[e]);
        most = max(most, abs(x[e]));
    }
    largest[me] = good ? most : -1.0; /* a unit with an infinity or a NaN must not pass for numbers */
    barrier();
    [[unroll]] for (uint i = 0; i < 8u; i++) {
        most = max(most, largest[first + i]);
        good = good && largest[first + i] >= 0.0;
    }
    float d = good ? most / 127.0 : NOT_A_NUMBER;
    ivec4 q = ivec4(0);
    if (good && d > 0.0) q = ivec4(clamp(roundEven(x / d), vec4(-127.0), vec4(127.0)));
    sums[me] = q.x + q.y + q.z + q.w;
    barrier();
    if (!inside) return;
    uint at = row * GRETA_Q8A_ROW_BYTES(n_cols);
    uvec4 bytes = uvec4(q) & 255u;
    OUT_U32(y, at + c, bytes.x | bytes.y << 8 | bytes.z << 16 | bytes.w << 24);
    if (me % 8u > 0u) return;
    int sum = 0;
    [[unroll]] for (uint i = 0; i < 8u; i++) sum += sums[first + i];
    OUT_F32(y, at + GRETA_Q8A_D_OFFSET(n_cols) + c / 32u * 4u, d);
    OUT_F32(y, at + GRETA_Q8A_S_OFFSET(n_cols) + c / 32u * 4u, good ? d * float(sum) : NOT_A_NUMBER);
}

#endif
