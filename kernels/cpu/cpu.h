/*
 * What the host rows share: the argument blocks as structs, how groups divide the work, the entry points.
 *
 * A group takes an even share of the dispatch's work, whatever the number of groups is: so n_groups is a
 * matter of speed alone, and an output's bits never depend on it (no sum is ever split between groups).
 */
#ifndef KERNELS_CPU_CPU_H
#define KERNELS_CPU_CPU_H

#include "half.h"
#include "variant.h"

#include <greta/layout.h>

#include <math.h>
#include <string.h>

#define CPU_MEMBER_R(name) const void *name;
#define CPU_MEMBER_W(name) void *name;
#define CPU_ARGS(NAME, lname)                                                                           \
    struct cpu_args_##lname {                                                                           \
        GRETA_ARGS_##NAME(CPU_MEMBER_R, CPU_MEMBER_W, CPU_MEMBER_W, GRETA_MEMBER_U32, GRETA_MEMBER_F32) \
    };
GRETA_OP_LIST(CPU_ARGS)
#undef CPU_ARGS

/* The largest head that attention keeps on its stack. */
enum { CPU_MAX_HEAD_DIM = 256 };

struct cpu_range {
    uint64_t begin, end;
};

static inline uint64_t cpu_group_id(const struct greta_host_group *g) {
    return g->id[0] + (uint64_t)g->count[0] * (g->id[1] + (uint64_t)g->count[1] * g->id[2]);
}

/* This group's share of n items, in whole multiples of `grain` (but for the last). */
static inline struct cpu_range cpu_share(const struct greta_host_group *g, uint64_t n, uint64_t grain) {
    uint64_t n_groups = (uint64_t)g->count[0] * g->count[1] * g->count[2], n_grains = (n + grain - 1) / grain;
    uint64_t base = n_grains / n_groups, rest = n_grains % n_groups, i = cpu_group_id(g);
    uint64_t begin = i * base + (i < rest ? i : rest), end = begin + base + (i < rest);
    return (struct cpu_range){begin * grain < n ? begin * grain : n, end * grain < n ? end * grain : n};
}

/*
 * How many groups a dispatch is cut into: one where it is less than about 10 us of work (waking a thread costs more), else up to
 * four per thread, so that threads that are late or slow cost little. `work` in elements touched, scaled by what one costs;
 * CPU_GRAIN of it is about 5 us on one core.
 */
enum { CPU_GRAIN = 32 * 1024 };

static inline uint64_t cpu_groups_for(const struct greta_limits *limits, uint64_t work, uint64_t n_items) {
    uint64_t n_threads = limits->n_compute_units ? limits->n_compute_units : 1;
    uint64_t n = work / CPU_GRAIN;
    if (n_threads == 1 || n < 2) return 1;
    if (n > 4 * n_threads) n = 4 * n_threads;
    if (n > n_threads) n -= n % n_threads; /* else the last ones would run alone */
    return n < n_items ? n : n_items ? n_items : 1;
}

#ifdef CPU_X86
/*
 * F16C is not asked for by name, which clang 14 cannot: it is older than AVX2, and no CPU has only the latter. (The
 * instruction cpuid itself would answer, in 70 us on a virtual machine, and this is asked often.)
 */
static inline bool cpu_has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}
static inline bool cpu_has_avx512(void) {
    return cpu_has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}
#endif

/* act of the contracts; GELU's tanh is written so: 0.5 (1 + tanh(u)) = 1 / (1 + exp(-2u)). */
static inline float cpu_act(uint32_t act, float g) {
    float x = act == GRETA_ACT_GELU ? 1.5957691216f * (g + 0.044715f * g * g * g) : g;
    return g / (1 + expf(-x));
}

/* The first position that attention's token sees, of the n_seen up to its own. */
static inline uint64_t cpu_window_begin(uint64_t n_seen, uint32_t window) {
    return window && n_seen > window ? n_seen - window : 0;
}

/* Elements [c, c + n) of a row of a Q8_0 cache, whole units. */
static inline void cpu_kv_store_q8_0(const float *x, size_t n, uint8_t *row, size_t n_cols, size_t c) {
    for (size_t u = 0; u < n; u += 32) {
        float max = 0, bad = 0;
        for (size_t i = u; i < u + 32; i++) {
            float size = fabsf(x[i]);
            max = size > max ? size : max;
            bad += x[i] * 0; /* NaN where there is no number */
        }
        uint16_t h = half_f32_to_f16(max / 127 + bad);
        float d = half_f16_to_f32(h);
        memcpy(row + GRETA_KV_SCALES_OFFSET(n_cols) + (c + u) / 32 * 2, &h, sizeof h);
        for (size_t i = u; i < u + 32; i++) {
            float q = d > 0 ? rintf(x[i] / d) : 0;
            row[c + i] = (uint8_t)(int8_t)(q > 127 ? 127 : q < -127 ? -127 : q);
        }
    }
}

/* Element c of a row of a Q8_0 cache. */
static inline float cpu_kv_load_q8_0(const uint8_t *row, size_t n_cols, size_t c) {
    uint16_t h;
    memcpy(&h, row + GRETA_KV_SCALES_OFFSET(n_cols) + c / 32 * 2, sizeof h);
    return half_f16_to_f32(h) * (float)(int8_t)row[c];
}

/* The plain C rows: every op, every type, every CPU. */
greta_host_fn cpu_row_lookup_plain, cpu_rms_norm_plain, cpu_add_rms_norm_plain, cpu_rope_plain,
    cpu_kv_update_plain, cpu_matvec_plain, cpu_matvec_q8a_plain, cpu_matmul_plain, cpu_matmul_q8a_plain,
    cpu_attn_plain, cpu_attn_split_plain, cpu_attn_reduce_plain, cpu_act_mul_plain, cpu_add_plain,
    cpu_argmax_plain, cpu_top_k_plain, cpu_fill_plain, cpu_copy_plain, cpu_cast_plain, cpu_quantize_plain,
    cpu_rope_kv_plain, cpu_matvec_glu_plain, cpu_matvec_glu_q8a_plain, cpu_matvec_qkv_plain,
    cpu_matvec_qkv_q8a_plain, cpu_add_rms_norm_quantize_plain, cpu_bias_add_plain, cpu_scale_plain,
    cpu_softcap_plain;

/* The vector rows, of the files vec_*.c; see simd.h. They are there on x86-64 only. */
greta_host_fn cpu_layer_norm_plain, cpu_layer_rms_norm_plain, cpu_softmax_plain, cpu_causal_mask_plain,
    cpu_row_sum_plain, cpu_row_max_plain, cpu_gemm_plain;
greta_host_fn cpu_layer_norm_avx2, cpu_layer_rms_norm_avx2, cpu_softmax_avx2, cpu_row_sum_avx2,
    cpu_row_max_avx2, cpu_gemm_avx2, cpu_layer_norm_avx512, cpu_layer_rms_norm_avx512, cpu_softmax_avx512,
    cpu_row_sum_avx512, cpu_row_max_avx512, cpu_gemm_avx512;
#define CPU_VECTOR_ROWS(isa)                                                                              \
    greta_host_fn cpu_matvec_##isa, cpu_matvec_q8a_##isa, cpu_matmul_##isa, cpu_matmul_q8a_##isa,         \
        cpu_attn_##isa, cpu_attn_split_##isa, cpu_rms_norm_##isa, cpu_add_rms_norm_##isa, cpu_rope_##isa, \
        cpu_kv_update_##isa, cpu_act_mul_##isa, cpu_add_##isa, cpu_argmax_##isa, cpu_cast_##isa,          \
        cpu_quantize_##isa, cpu_top_k_##isa, cpu_rope_kv_##isa, cpu_matvec_glu_##isa,                     \
        cpu_matvec_glu_q8a_##isa, cpu_matvec_qkv_##isa, cpu_matvec_qkv_q8a_##isa,                         \
        cpu_add_rms_norm_quantize_##isa, cpu_softcap_##isa
CPU_VECTOR_ROWS(avx2);
CPU_VECTOR_ROWS(avx512);

#endif
