// Kernels for mutants.py: a product on matrix units over LDS, a softmax over lanes and waves, and groups of which the last to arrive
// adds what the others stored.
#define GLOBAL __attribute__((address_space(1)))
#define KERNEL extern "C" __attribute__((global, amdgpu_flat_work_group_size(256, 256)))
#define DEVICE static __attribute__((device))
#define SHARED __attribute__((shared))

typedef _Float16 half4 __attribute__((ext_vector_type(4)));
typedef _Float16 half8 __attribute__((ext_vector_type(8)));
typedef float float4 __attribute__((ext_vector_type(4)));

DEVICE int thread() {
    return __builtin_amdgcn_workitem_id_x();
}

DEVICE void barrier() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}

// c[32][32] = a[32][64] b[32][64]^T
KERNEL void product(float GLOBAL *c, const half8 GLOBAL *a, const half8 GLOBAL *b) {
    SHARED _Float16 sa[32 * 64], sb[32 * 64];
    int t = thread(), wave = t >> 6, l = t & 63, r = (wave >> 1) * 16, q = (wave & 1) * 16;
    *(half8 *)(sa + 8 * t) = a[t];
    *(half8 *)(sb + 8 * t) = b[t];
    barrier();
    float4 sum = {0, 0, 0, 0};
    for (int k = 0; k < 64; k += 16) {
        half4 x = *(half4 *)(sa + (r + (l & 15)) * 64 + k + 4 * (l >> 4));
        half4 y = *(half4 *)(sb + (q + (l & 15)) * 64 + k + 4 * (l >> 4));
        sum = __builtin_amdgcn_mfma_f32_16x16x16f16(x, y, sum, 0, 0, 0);
    }
    for (int i = 0; i < 4; i++) c[(r + 4 * (l >> 4) + i) * 32 + q + (l & 15)] = sum[i];
}

DEVICE float wave_sum(float x) {
    for (int m = 1; m < 64; m <<= 1) {
        int from = 4 * ((thread() & 63) ^ m);
        x += __builtin_bit_cast(float, __builtin_amdgcn_ds_bpermute(from, __builtin_bit_cast(int, x)));
    }
    return x;
}

KERNEL void softmax(float GLOBAL *y, const float GLOBAL *x) {
    SHARED float sums[4];
    int t = thread();
    float e = __builtin_exp2f(x[t] * 1.44269504f), sum = wave_sum(e);
    if ((t & 63) == 0) sums[t >> 6] = sum;
    barrier();
    y[t] = e / (sums[0] + sums[1] + sums[2] + sums[3]);
}

// 16 groups
KERNEL void last(float GLOBAL *y, const float GLOBAL *x, float GLOBAL *part, unsigned GLOBAL *count) {
    SHARED unsigned arrived;
    int t = thread(), g = __builtin_amdgcn_workgroup_id_x();
    part[g * 256 + t] = x[g * 256 + t];
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "agent");
    barrier();
    if (t == 0) arrived = __hip_atomic_fetch_add((unsigned *)count, 1u, __ATOMIC_ACQ_REL, __HIP_MEMORY_SCOPE_AGENT);
    barrier();
    if (arrived != 15) return;
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "agent");
    float sum = 0;
    for (int i = 0; i < 16; i++) sum += part[i * 256 + t];
    y[t] = sum;
}

// All groups store, meet, and read what their neighbour stored; n groups.
KERNEL void meet(float GLOBAL *y, float GLOBAL *part, unsigned GLOBAL *count, int n) {
    int t = thread(), g = __builtin_amdgcn_workgroup_id_x();
    part[g * 256 + t] = g;
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "agent");
    barrier();
    if (t == 0) {
        __hip_atomic_fetch_add((unsigned *)count, 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
        while (__hip_atomic_load((unsigned *)count, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT) < (unsigned)n) {}
    }
    barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "agent");
    y[g * 256 + t] = part[(g + 1) % n * 256 + t];
}
