/* One invocation a result: what the other rows are held against, and what takes any shape, type and order. */
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_8bit_storage : require
#define GRETA_ARGS GRETA_ARGS_GEMM
#include "common/greta.glsl"

layout(constant_id = 1) const uint TYPE = GRETA_TYPE_F32;
layout(constant_id = 2) const uint A_ORDER = GRETA_ORDER_ROW;
layout(constant_id = 3) const uint B_ORDER = GRETA_ORDER_ROW;

layout(buffer_reference, std430, buffer_reference_align = 1) readonly buffer ref_in_i8 { int8_t v; };

/* E4M3 FNUZ: bias 8, no infinities, 0x80 is the only NaN. */
float fp8_to_f32(uint bits) {
    uint e = (bits >> 3) & 15u, f = bits & 7u;
    float value = e > 0u ? uintBitsToFloat(((e + 119u) << 23) | (f << 20)) : float(f) * 0.0009765625;
    if (bits == 0x80u) return uintBitsToFloat(0x7FC00000u);
    return bits > 0x80u ? -value : value;
}

float element(uint64_t base, uint i) {
    if (TYPE == GRETA_TYPE_FP8) return fp8_to_f32(uint(ref_in_i8(ADDRESS(base, i)).v) & 255u);
    return load_element(base, i, TYPE);
}

void main() {
    uint at = group_id() * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (at >= args.m * args.n) return;
    uint i = at / args.n, j = at % args.n;
    uint a = A_ORDER == GRETA_ORDER_ROW ? i * args.k : i, a_step = A_ORDER == GRETA_ORDER_ROW ? 1u : args.m;
    uint b = B_ORDER == GRETA_ORDER_ROW ? j : j * args.k, b_step = B_ORDER == GRETA_ORDER_ROW ? args.n : 1u;
    float sum = 0.0;
    int whole = 0;
    for (uint l = 0; l < args.k; l++, a += a_step, b += b_step) {
        if (TYPE == GRETA_TYPE_I8)
            whole += int(ref_in_i8(ADDRESS(args.a, a)).v) * int(ref_in_i8(ADDRESS(args.b, b)).v);
        else
            sum += element(args.a, a) * element(args.b, b);
    }
    if (TYPE == GRETA_TYPE_I8)
        OUT_U32(args.c, at * 4u, uint(whole));
    else
        OUT_F32(args.c, at * 4u, sum);
}
