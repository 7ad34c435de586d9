/* What the files of HIP rows share. Inside kernels/ only. */
#ifndef KERNELS_ROWS_HIP_H
#define KERNELS_ROWS_HIP_H

#include "rows_gpu.h"
#include "weight_types.h"

enum { HIP_ALL_WEIGHTS = WEIGHT_PACKED };

/* A kernel that hipkernels/instances.h lists: an entry and the constants that make its symbol. */
struct hip_instance {
    const char *entry; /* "greta_fill_simple" */
    uint32_t n, constants[12];
};
#define HIP_INSTANCE(name, ...) {"greta_" #name, GRETA_COUNT(__VA_ARGS__), {__VA_ARGS__}},

/* Whether the list holds the kernel that the row needs for the call: NULL, or the condition that fails. */
const char *hip_find_instance(const struct hip_instance *list, uint32_t n_list, const struct greta_variant *v,
                              const struct greta_call *call);

/* The members that all rows have; image is greta_hip_<source>. */
#define HIP_ROW(op_, name_, source_, entry_, threads_, groups_)                                       \
    .name = name_, .op = GRETA_OP_##op_, .format = GRETA_IMAGE_AMDGPU, .image = &greta_hip_##source_, \
    .entry = "greta_" #entry_, .n_threads = threads_, .n_groups = groups_, .layout = GRETA_LAYOUT_PACKED

/* ---- rows_hip_tiles.c: conditions of the rows for matrix units, MFMA and WMMA; NULL or the one that fails ---- */

/* A unit for 16 x 16 blocks of the type, and what sides that are brought in pieces of 16 bytes want of their matrices. */
const char *hip_gemm_refusal(const struct greta_limits *limits, const struct greta_call *call);
const char *hip_matmul_refusal(const struct greta_limits *limits, const struct greta_call *call);
const char *hip_attn_refusal(const struct greta_limits *limits, const struct greta_call *call);

/* Of a row's tiles for a product of m x n: its time, in any unit. */
typedef double hip_tile_cost(const struct greta_variant *v, const struct greta_limits *limits,
                             const struct greta_call *call, uint64_t m, uint64_t n);
/* Whether another of the rows that ask this (their `unwise` is the same) serves the call in less time. */
const char *hip_tile_unwise(struct variant_rows rows, hip_tile_cost *cost, const struct greta_variant *v,
                            const struct greta_limits *limits, const struct greta_call *call, uint64_t m,
                            uint64_t n);

/* Their grids: gemm and matmul in tiles of tunables 0 x 1, attention in tiles of n_queries. */
uint64_t hip_gemm_groups(const struct greta_variant *v, const struct greta_limits *limits,
                         const struct greta_call *call);
uint64_t hip_matmul_groups(const struct greta_variant *v, const struct greta_limits *limits,
                           const struct greta_call *call);
uint64_t hip_attn_groups(const struct greta_call *call, uint32_t n_queries);

#endif
