/*
 * What the host rows share: the argument blocks as structs, how groups divide the work, the entry points.
 *
 * A group takes an even share of the dispatch's work, whatever the number of groups is: so n_groups is a
 * matter of speed alone, and an output's bits never depend on it (no sum is ever split between groups).
 */
#ifndef KERNELS_CPU_CPU_H
#define KERNELS_CPU_CPU_H

#include "variant.h"

#include <greta/layout.h>

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

/* The plain C rows: every op, every type, every CPU. */
greta_host_fn cpu_row_lookup_plain, cpu_rms_norm_plain, cpu_add_rms_norm_plain, cpu_rope_plain,
    cpu_kv_update_plain, cpu_matvec_plain, cpu_matvec_q8a_plain, cpu_matmul_plain, cpu_matmul_q8a_plain,
    cpu_attn_plain, cpu_attn_split_plain, cpu_attn_reduce_plain, cpu_silu_mul_plain, cpu_add_plain,
    cpu_argmax_plain, cpu_top_k_plain, cpu_fill_plain, cpu_copy_plain, cpu_cast_plain, cpu_quantize_plain,
    cpu_rope_kv_plain, cpu_matvec_glu_plain, cpu_matvec_glu_q8a_plain, cpu_matvec_qkv_plain,
    cpu_matvec_qkv_q8a_plain;

/* The vector rows, of the files vec_*.c; see simd.h. They are there on x86-64 only. */
#define CPU_VECTOR_ROWS(isa)                                                                              \
    greta_host_fn cpu_matvec_##isa, cpu_matvec_q8a_##isa, cpu_matmul_##isa, cpu_matmul_q8a_##isa,         \
        cpu_attn_##isa, cpu_attn_split_##isa, cpu_rms_norm_##isa, cpu_add_rms_norm_##isa, cpu_rope_##isa, \
        cpu_kv_update_##isa, cpu_silu_mul_##isa, cpu_add_##isa, cpu_argmax_##isa, cpu_cast_##isa,         \
        cpu_quantize_##isa, cpu_top_k_##isa, cpu_rope_kv_##isa, cpu_matvec_glu_##isa,                     \
        cpu_matvec_glu_q8a_##isa, cpu_matvec_qkv_##isa, cpu_matvec_qkv_q8a_##isa
CPU_VECTOR_ROWS(avx2);
CPU_VECTOR_ROWS(avx512);

#endif
