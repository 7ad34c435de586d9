/* One workgroup a row: the sum and its squares first, then the norm, rounded as it is made; see quantize.glsl. */
#version 460
#extension GL_GOOGLE_include_directive : require
#define GRETA_ARGS GRETA_ARGS_ADD_RMS_NORM_QUANTIZE
#include "common/greta.glsl"
#include "common/quantize.glsl"
#include "common/reduce.glsl"

layout(constant_id = 1) const uint ALIGNED = 1; /* x, r, w at multiples of 16 bytes, n_cols a multiple of 4 */

/* Elements c .. c + 3 of what begins at `base`; 0 past a row's end. */
vec4 load_four(uint64_t base, uint begin, uint c) {
    vec4 v = vec4(0.0);
    if (ALIGNED == 1) {
        if (c < args.n_cols) v = ref_vec4(ADDRESS(base, (begin + c) * 4u)).v;
        return v;
    }
    [[unroll]] for (uint e = 0; e < 4u; e++)
        if (c + e < args.n_cols) v[e] = LOAD_F32(base, (begin + c + e) * 4u);
    return v;
}

void store_four(uint64_t base, uint begin, uint c, vec4 v) {
    if (ALIGNED == 1) {
        if (c < args.n_cols) OUT_VEC4(base, (begin + c) * 4u, v);
        return;
    }
    [[unroll]] for (uint e = 0; e < 4u; e++)
        if (c + e < args.n_cols) OUT_F32(base, (begin + c + e) * 4u, v[e]);
}

void main() {
    uint row = group_id();
    if (row >= args.n_rows) return;
    uint n = GRETA_Q8A_UNITS(args.n_cols) * 32u, begin = row * args.n_cols, me = gl_LocalInvocationID.x;
    float sum = 0.0;
    for (uint c = me * 4u; c < args.n_cols; c += gl_WorkGroupSize.x * 4u) {
        vec4 x = load_four(args.x, begin, c) + load_four(args.r, begin, c);
        store_four(args.x, begin, c, x); /* read again below by this same invocation */
        sum += dot(x, x);
    }
    float factor = 1.0 / sqrt(workgroup_add(sum) / float(args.n_cols) + args.eps);
    for (uint first = 0; first < n; first += gl_WorkGroupSize.x * 4u) {
        uint c = first + me * 4u;
        vec4 x = load_four(args.x, begin, c) * factor * load_four(args.w, 0u, c);
        quantize_four(args.y, row, args.n_cols, c, x, c < n);
    }
}
