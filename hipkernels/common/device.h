/*
 * What every kernel includes first: the argument block of its op, accessors to memory, ids, reductions over a wave and a workgroup,
 * functions of the hardware. No header of ROCm, no libm.
 *
 * A source declares its block by GRETA_ARGS_BLOCK(<OP>), defines one template function a schedule, named <op>_<schedule>, whose
 * template arguments are the constants of a row (0: the workgroup's size, then the op's keys, then the tunables), and ends in
 * GRETA_HIP_<OP>(GRETA_INSTANCE): the list of instances.h.
 */
#ifndef HIPKERNELS_COMMON_DEVICE_H
#define HIPKERNELS_COMMON_DEVICE_H

#include "greta/op_args.h"
#include "greta/layout.h"
#include "instances.h"

#define GRETA_DEVICE static inline __attribute__((device, always_inline))
#define GRETA_MEMBER __attribute__((device, always_inline))
#ifndef GRETA_LDS /* tests/hipsim has its own */
#define GRETA_LDS __attribute__((shared))
#endif
#define GRETA_UNROLL _Pragma("unroll")
#define GRETA_PRAGMA(text) _Pragma(#text)
#define GRETA_UNROLL_BY(n) GRETA_PRAGMA(unroll n)
#define GRETA_NO_UNROLL _Pragma("nounroll")

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef _Float16 f16;

typedef float f32x2 __attribute__((ext_vector_type(2)));
typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef u32 u32x2 __attribute__((ext_vector_type(2)));
typedef u32 u32x4 __attribute__((ext_vector_type(4)));
typedef f16 f16x2 __attribute__((ext_vector_type(2)));
typedef f16 f16x4 __attribute__((ext_vector_type(4)));
typedef f16 f16x8 __attribute__((ext_vector_type(8)));
/* Vectors at any multiple of their element: the hardware loads and stores them at once. */
typedef f32x4 f32x4_u __attribute__((aligned(4)));
typedef u32x4 u32x4_u __attribute__((aligned(2)));
typedef u32x2 u32x2_u __attribute__((aligned(2)));
typedef f32x2 f32x2_u __attribute__((aligned(4)));

/* Lanes of a wave. */
#if defined(__GFX9__)
constexpr u32 WAVE = 64;
#else
constexpr u32 WAVE = 32;
#endif

/*
 * Pointers of the block are in the global address space (1): through any other the compiler makes flat loads, which wait for
 * LDS, too. `in` reads what the dispatch does not write, by way of the constant address space (4), so that reads may be moved, and
 * those that are the same for all lanes go through the scalar cache. `load` is for memory that the dispatch also writes. A base that is
 * the same for all lanes plus a 32-bit offset in bytes makes one instruction with a scalar base.
 */
#define GRETA_GLOBAL __attribute__((address_space(1)))
#define GRETA_CONSTANT __attribute__((address_space(4)))
typedef const GRETA_GLOBAL u8 *global_in;
typedef GRETA_GLOBAL u8 *global_out;

#define GRETA_ARG_IN(name) global_in name;
#define GRETA_ARG_OUT(name) global_out name;
#define GRETA_ARG_U32(name) u32 name;
#define GRETA_ARG_F32(name) float name;
#define GRETA_ARGS_BLOCK(OP)                                                                      \
    struct args_block {                                                                           \
        GRETA_ARGS_##OP(GRETA_ARG_IN, GRETA_ARG_OUT, GRETA_ARG_OUT, GRETA_ARG_U32, GRETA_ARG_F32) \
    }

#ifndef GRETA_ANYWHERE /* a host is strict where these GPUs are not: tests/hipsim asks for alignment 1 */
#define GRETA_ANYWHERE
#endif
template <typename T> struct memory_of {
    typedef T type GRETA_ANYWHERE;
};
template <typename T> GRETA_DEVICE T in(global_in base, u32 bytes) {
    return *(const GRETA_CONSTANT typename memory_of<T>::type *)(base + bytes);
}
template <typename T> GRETA_DEVICE T load(global_in base, u32 bytes) {
    return *(const GRETA_GLOBAL typename memory_of<T>::type *)(base + bytes);
}
template <typename T> GRETA_DEVICE void out(global_out base, u32 bytes, T value) {
    *(GRETA_GLOBAL typename memory_of<T>::type *)(base + bytes) = value;
}

/* One kernel: symbol, constants. The block by value is its only argument. */
#define GRETA_INSTANCE(entry, ...)                                                                           \
    extern "C" __attribute__((                                                                               \
        global, amdgpu_flat_work_group_size(GRETA_FIRST(__VA_ARGS__, 0), GRETA_FIRST(__VA_ARGS__, 0)))) void \
    GRETA_SYMBOL(entry, __VA_ARGS__)(const args_block a) {                                                   \
        entry<__VA_ARGS__>(a);                                                                               \
    }

/* ---- ids ---- */

GRETA_DEVICE u32 thread_id() {
    return __builtin_amdgcn_workitem_id_x();
}
GRETA_DEVICE u32 lane_id() {
    return thread_id() & (WAVE - 1);
}
/* The same for all lanes: a scalar. */
GRETA_DEVICE u32 wave_id() {
    return __builtin_amdgcn_readfirstlane(thread_id() / WAVE);
}
/* Large grids are folded into y, so that the last line of groups may pass the end. */
template <u32 N_THREADS> GRETA_DEVICE u32 group_id() {
    u32 id = __builtin_amdgcn_workgroup_id_x(), y = __builtin_amdgcn_workgroup_id_y();
    if (y) id += y * (__builtin_amdgcn_grid_size_x() / N_THREADS);
    return id;
}
GRETA_DEVICE void barrier() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}

/* ---- numbers ---- */

GRETA_DEVICE u32 min_u32(u32 a, u32 b) {
    return a < b ? a : b;
}
GRETA_DEVICE u32 max_u32(u32 a, u32 b) {
    return a > b ? a : b;
}
GRETA_DEVICE u32 bits_of(float x) {
    return __builtin_bit_cast(u32, x);
}
GRETA_DEVICE float float_of(u32 bits) {
    return __builtin_bit_cast(float, bits);
}
GRETA_DEVICE float lowest() {
    return float_of(0xFF800000u); /* -infinity */
}
GRETA_DEVICE float max_f32(float a, float b) {
    return __builtin_fmaxf(a, b);
}
/* To 1 ulp. */
GRETA_DEVICE float rsqrt(float x) {
    return __builtin_amdgcn_rsqf(x);
}
/* 2^x to 1 ulp; what is below 2^-126 becomes 0. */
GRETA_DEVICE float exp2_fast(float x) {
    return __builtin_amdgcn_exp2f(x);
}
/* e^x by way of it: its relative error grows with |x| by half an ulp for each unit. */
GRETA_DEVICE float exp_fast(float x) {
    return exp2_fast(x * 0x1.715476p+0f);
}
/* e^x to about 1 ulp in all of f32's range: expanded by the compiler. */
GRETA_DEVICE float exp_exact(float x) {
    return __builtin_expf(x);
}
GRETA_DEVICE float tanh_exact(float x) {
    /* Past 10 it is 1 in f32. Where x is small, 1 - e^-2x cancels: a polynomial of the fraction's error stays under 4 ulp. */
    float a = __builtin_fabsf(x);
    float t;
    if (a < 0.3f) {
        float s = x * x;
        t = a * (1 + s * (-0x1.555556p-2f +
                          s * (0x1.111112p-3f +
                               s * (-0x1.ba1ba2p-5f + s * (0x1.664f48p-6f + s * -0x1.226e36p-7f)))));
    } else {
        float e = exp_exact(-2 * __builtin_fminf(a, 10));
        t = (1 - e) / (1 + e);
    }
    return x != x ? x : __builtin_copysignf(t, x);
}

GRETA_DEVICE float f16_to_f32(u32 bits) {
    return (float)__builtin_bit_cast(f16, (u16)bits);
}
GRETA_DEVICE float bf16_to_f32(u32 bits) {
    return float_of(bits << 16);
}
/* Round to nearest even; a NaN stays one. */
GRETA_DEVICE u32 f32_to_bf16(float x) {
    u32 bits = bits_of(x);
    if (x != x) return bits >> 16 | 64;
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

/* An element of a tensor of F32, F16 or BF16. */
template <u32 TYPE> GRETA_DEVICE float load_element(global_in base, u32 i) {
    if (TYPE == GRETA_TYPE_F32) return in<float>(base, i * 4);
    if (TYPE == GRETA_TYPE_F16) return (float)in<f16>(base, i * 2);
    return bf16_to_f32(in<u16>(base, i * 2));
}
template <u32 TYPE> GRETA_DEVICE void store_element(global_out base, u32 i, float value) {
    if (TYPE == GRETA_TYPE_F32)
        out<float>(base, i * 4, value);
    else if (TYPE == GRETA_TYPE_F16)
        out<f16>(base, i * 2, (f16)value);
    else
        out<u16>(base, i * 2, (u16)f32_to_bf16(value));
}

/* The byte of i of a word, or four of them, as floats. */
GRETA_DEVICE float byte_to_f32(u32 w, u32 i) {
    return (float)(w >> 8 * i & 255);
}
GRETA_DEVICE float signed_byte_to_f32(u32 w, u32 i) {
    return (float)((int)(w << (24 - 8 * i)) >> 24);
}

/* ---- reductions: all lanes are active, and every lane gets the result ---- */

/* Lane i reads x of another lane of its row of 16: a DPP control. */
template <int CONTROL> GRETA_DEVICE u32 dpp(u32 x) {
    return (u32)__builtin_amdgcn_update_dpp(0, (int)x, CONTROL, 15, 15, true);
}
enum { DPP_XOR_1 = 0xB1, DPP_XOR_2 = 0x4E, DPP_HALF_MIRROR = 0x141, DPP_MIRROR = 0x140 };

GRETA_DEVICE u32 read_lane(u32 x, u32 lane) {
    return (u32)__builtin_amdgcn_readlane((int)x, (int)lane);
}

struct sum_of {
    static GRETA_MEMBER float f(float a, float b) { return a + b; }
};
struct max_of {
    static GRETA_MEMBER float f(float a, float b) { return __builtin_fmaxf(a, b); }
};

/*
 * Over each aligned group of N lanes, a power of two of at most 16: pairs, fours, then the mirror of eight and of sixteen, whose
 * other half holds the other part.
 */
template <typename OP, u32 N> GRETA_DEVICE float reduce_row(float x) {
    if (N > 1) x = OP::f(x, float_of(dpp<DPP_XOR_1>(bits_of(x))));
    if (N > 2) x = OP::f(x, float_of(dpp<DPP_XOR_2>(bits_of(x))));
    if (N > 4) x = OP::f(x, float_of(dpp<DPP_HALF_MIRROR>(bits_of(x))));
    if (N > 8) x = OP::f(x, float_of(dpp<DPP_MIRROR>(bits_of(x))));
    return x;
}

/* x of the lane whose number differs in bit 4. */
GRETA_DEVICE float swap_16(float x) {
    return float_of((u32)__builtin_amdgcn_ds_swizzle((int)bits_of(x), 0x401F));
}

/* Over aligned groups of N lanes, N up to WAVE. */
template <typename OP, u32 N> GRETA_DEVICE float reduce_lanes(float x) {
    x = reduce_row<OP, (N < 16 ? N : 16)>(x);
    if (N == 32 && WAVE == 64) {
        x = OP::f(x, swap_16(x));
    } else if (N > 16) {
        float total = float_of(read_lane(bits_of(x), 0));
        GRETA_UNROLL for (u32 i = 16; i < N; i += 16) total =
            OP::f(total, float_of(read_lane(bits_of(x), i)));
        x = total;
    }
    return x;
}
template <typename OP> GRETA_DEVICE float reduce_wave(float x) {
    return reduce_lanes<OP, WAVE>(x);
}

/* Over the workgroup. `scratch`: N_THREADS / WAVE floats of LDS; barriers stand before it is written and after. */
template <typename OP, u32 N_THREADS> GRETA_DEVICE float reduce_group(float x, float *scratch) {
    x = reduce_wave<OP>(x);
    constexpr u32 N_WAVES = N_THREADS / WAVE;
    if (N_WAVES == 1) return x;
    barrier();
    if (lane_id() == 0) scratch[wave_id()] = x;
    barrier();
    x = scratch[0];
    GRETA_UNROLL for (u32 i = 1; i < N_WAVES; i++) x = OP::f(x, scratch[i]);
    return x;
}

#endif
