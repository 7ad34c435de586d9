/*
 * What stands before every HIP source that is compiled for the host (docs/en/hip.md): the attributes and builtins of gfx11 that
 * hipkernels/ uses. Lanes are fibers (group.c). What crosses lanes is a meeting: a lane leaves its operands, and goes on once all lanes
 * of its wave have come to the same call, with what the ISA document of RDNA 3 says that it gets.
 */
#ifndef HIPSIM_DEVICE_H
#define HIPSIM_DEVICE_H

#define __GFX11__ 1
#define __gfx1103__ 1
#define GRETA_ANYWHERE __attribute__((aligned(1)))
#define GRETA_LDS __attribute__((section("hipsim_lds")))
#define amdgpu_flat_work_group_size(...) unused
#define amdgpu_waves_per_eu(...) unused
#ifndef HIPSIM_KEEP_ASM
#define __asm__(...) ((void)0) /* only ever empty: it hides values from the compiler */
#endif
#define __HIP_MEMORY_SCOPE_WORKGROUP 0
#define __hip_atomic_fetch_add(p, value, order, scope) hipsim_atomic_add((unsigned *)(p), value)

typedef unsigned hipsim_u32;
typedef float hipsim_f32x8 __attribute__((ext_vector_type(8)));
typedef int hipsim_i32x8 __attribute__((ext_vector_type(8)));
typedef int hipsim_i32x4 __attribute__((ext_vector_type(4)));
typedef _Float16 hipsim_f16x16 __attribute__((ext_vector_type(16)));
typedef short hipsim_s16x16 __attribute__((ext_vector_type(16)));

extern "C" {
#include "meet.h"
}

#define HIPSIM_INLINE static inline __attribute__((always_inline, unused))

/* ---- ids ---- */

HIPSIM_INLINE hipsim_u32 __builtin_amdgcn_workitem_id_x() {
    return hipsim_thread;
}
HIPSIM_INLINE hipsim_u32 __builtin_amdgcn_workgroup_id_x() {
    return hipsim_group[0];
}
HIPSIM_INLINE hipsim_u32 __builtin_amdgcn_workgroup_id_y() {
    return hipsim_group[1];
}
HIPSIM_INLINE hipsim_u32 __builtin_amdgcn_workgroup_id_z() {
    return hipsim_group[2];
}
HIPSIM_INLINE hipsim_u32 __builtin_amdgcn_grid_size_x() {
    return hipsim_grid[0];
}
HIPSIM_INLINE hipsim_u32 __builtin_amdgcn_grid_size_y() {
    return hipsim_grid[1];
}

/* ---- one lane's own ---- */

HIPSIM_INLINE hipsim_u32 __builtin_amdgcn_perm(hipsim_u32 high, hipsim_u32 low, hipsim_u32 pick) {
    return hipsim_perm(high, low, pick);
}
HIPSIM_INLINE int __builtin_amdgcn_sudot4(bool a_signed, int a, bool b_signed, int b, int sum, bool clamp) {
    return hipsim_dot4(a_signed, a, b_signed, b, sum, clamp);
}
HIPSIM_INLINE float __builtin_amdgcn_exp2f(float x) {
    return hipsim_exp2(x);
}
HIPSIM_INLINE float __builtin_amdgcn_rsqf(float x) {
    return hipsim_rsq(x);
}
HIPSIM_INLINE void __builtin_amdgcn_s_setreg(int field, hipsim_u32 value) {
    hipsim_setreg(field, value);
}
#define __builtin_amdgcn_fence(order, scope) ((void)0) /* what it orders, the barrier beside it does */
#define __builtin_amdgcn_sched_barrier(mask) ((void)0)
#define __builtin_amdgcn_sched_group_barrier(mask, n, group) ((void)0)
#define __builtin_amdgcn_s_setprio(priority) ((void)0)

/* ---- across lanes ---- */

HIPSIM_INLINE hipsim_u32 hipsim_meet_1(unsigned kind, hipsim_u32 parameter, hipsim_u32 x) {
    hipsim_u32 result;
    hipsim_meet(kind, parameter, &x, &result);
    return result;
}
HIPSIM_INLINE void __builtin_amdgcn_s_barrier() {
    hipsim_meet(HIPSIM_BARRIER, 0, 0, 0);
}
HIPSIM_INLINE hipsim_u32 __builtin_amdgcn_readfirstlane(hipsim_u32 x) {
    return hipsim_meet_1(HIPSIM_READ_FIRST, 0, x);
}
HIPSIM_INLINE int __builtin_amdgcn_readlane(int x, int lane) {
    return (int)hipsim_meet_1(HIPSIM_READ_LANE, (hipsim_u32)lane, (hipsim_u32)x);
}
HIPSIM_INLINE int __builtin_amdgcn_update_dpp(int, int x, int control, int rows, int banks, bool bound) {
    return (int)hipsim_meet_1(
        HIPSIM_DPP, (hipsim_u32)(control | rows << 12 | banks << 16 | (bound ? 1 << 20 : 0)), (hipsim_u32)x);
}
HIPSIM_INLINE int __builtin_amdgcn_ds_swizzle(int x, int pattern) {
    return (int)hipsim_meet_1(HIPSIM_SWIZZLE, (hipsim_u32)pattern, (hipsim_u32)x);
}
HIPSIM_INLINE int __builtin_amdgcn_ds_bpermute(int bytes, int x) {
    struct {
        hipsim_u32 x, lane;
    } in = {(hipsim_u32)x, (hipsim_u32)bytes / 4 % HIPSIM_WAVE};
    hipsim_u32 result;
    hipsim_meet(HIPSIM_BPERMUTE, 0, &in, &result);
    return (int)result;
}
/* Lane i of a row of 16 gets the lane of the other row whose number is nibble i of the two words. */
HIPSIM_INLINE hipsim_u32 __builtin_amdgcn_permlanex16(hipsim_u32, hipsim_u32 x, hipsim_u32 low,
                                                      hipsim_u32 high, bool, bool) {
    hipsim_u32 at = hipsim_thread % 16, nibble = (at < 8 ? low : high) >> at % 8 * 4 & 15;
    struct {
        hipsim_u32 x, lane;
    } in = {x, (hipsim_thread % HIPSIM_WAVE & 16 ^ 16) | nibble};
    hipsim_u32 result;
    hipsim_meet(HIPSIM_BPERMUTE, 1, &in, &result);
    return result;
}

template <typename AB, typename CD>
HIPSIM_INLINE CD hipsim_wmma(unsigned kind, hipsim_u32 parameter, AB a, AB b, CD c) {
    static_assert(sizeof(AB) == 16 || sizeof(AB) == 32, "8 or 4 words");
    struct hipsim_wmma_operands in = {};
    CD result;
    __builtin_memcpy(in.a, &a, sizeof a);
    __builtin_memcpy(in.b, &b, sizeof b);
    __builtin_memcpy(in.c, &c, sizeof c);
    hipsim_meet(kind, parameter, &in, &result);
    return result;
}
HIPSIM_INLINE hipsim_f32x8 __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(hipsim_f16x16 a, hipsim_f16x16 b,
                                                                      hipsim_f32x8 c) {
    return hipsim_wmma(HIPSIM_WMMA_F16, 0, a, b, c);
}
HIPSIM_INLINE hipsim_f32x8 __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(hipsim_s16x16 a, hipsim_s16x16 b,
                                                                       hipsim_f32x8 c) {
    return hipsim_wmma(HIPSIM_WMMA_BF16, 0, a, b, c);
}
HIPSIM_INLINE hipsim_i32x8 __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32(bool a_signed, hipsim_i32x4 a,
                                                                      bool b_signed, hipsim_i32x4 b,
                                                                      hipsim_i32x8 c, bool clamp) {
    return hipsim_wmma(HIPSIM_WMMA_I8,
                       (hipsim_u32)a_signed | (hipsim_u32)b_signed << 1 | (hipsim_u32)clamp << 2, a, b, c);
}

#endif
