/* Eight invocations a unit of 32 elements, four elements each: what they have in common goes through LDS. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_QUANTIZE
#include "common/greta.glsl"
#include "greta/layout.h"

layout(constant_id = 1) const uint ALIGNED = 1; /* x at a multiple of 16 bytes, n_cols a multiple of 4 */

shared float largest[gl_WorkGroupSize.x];
shared int sums[gl_WorkGroupSize.x];

#define NOT_A_NUMBER uintBitsToFloat(0x7FC00000u)

/* By bits: a compiler may take it that there is neither. */
bool is_finite(float x) { return (floatBitsToUint(x) & 0x7F800000u) != 0x7F800000u; }

void main() {
    uint n_units = GRETA_Q8A_UNITS(args.n_cols), me = gl_LocalInvocationID.x;
    uint unit = group_id() * (gl_WorkGroupSize.x / 8u) + me / 8u, row = unit / n_units, in_row = unit % n_units;
    bool inside = row < args.n_rows;
    uint c = in_row * 32u + me % 8u * 4u, first = me / 8u * 8u;
    vec4 x = vec4(0.0);
    if (inside && ALIGNED == 1 && c < args.n_cols) x = IN_VEC4(args.x, (row * args.n_cols + c) * 4u);
    if (inside && ALIGNED != 1)
        [[unroll]] for (uint e = 0; e < 4u; e++)
            if (c + e < args.n_cols) x[e] = IN_F32(args.x, (row * args.n_cols + c + e) * 4u);

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
    uint at = row * GRETA_Q8A_ROW_BYTES(args.n_cols);
    uvec4 bytes = uvec4(q) & 255u;
    OUT_U32(args.y, at + c, bytes.x | bytes.y << 8 | bytes.z << 16 | bytes.w << 24);
    if (me % 8u > 0u) return;
    int sum = 0;
    [[unroll]] for (uint i = 0; i < 8u; i++) sum += sums[first + i];
    OUT_F32(args.y, at + GRETA_Q8A_D_OFFSET(args.n_cols) + in_row * 4u, d);
    OUT_F32(args.y, at + GRETA_Q8A_S_OFFSET(args.n_cols) + in_row * 4u, good ? d * float(sum) : NOT_A_NUMBER);
}
