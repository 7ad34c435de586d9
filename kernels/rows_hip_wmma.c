/*
 * The rows of the HIP backend for the matrix units of RDNA 3 (WMMA): gemm, matmul, attention of many tokens. In order of preference within
 * each op, and before the rows of rows_hip.c. Waves are of 32, and of the GPUs with such waves gfx11 alone has these units: on others no row
 * is for them.
 */
#include "rows_hip.h"

#include <greta/layout.h>

#include "../hipkernels/instances_wmma.h"
#include "hip_images.h"

static const struct hip_instance instances[] = {GRETA_HIP_WMMA_INSTANCES(HIP_INSTANCE)};

static const char *built(const struct greta_variant *v, const struct greta_call *call) {
    return hip_find_instance(instances, sizeof instances / sizeof *instances, v, call);
}

/* ---- which tile ----
 * As on CDNA (rows_hip_mfma.c): rounds of tiles, a tile's area, and what part of the loop the products have in the compiled code
 * (tests/hipstatic). A workgroup's waves share a workgroup processor, which is two compute units. */

static const struct tile {
    uint32_t m, n;
    double share;
} tiles[] = {{128, 128, 0.80}, {64, 256, 0.70}, {64, 128, 0.68}, {64, 64, 0.68}, {32, 64, 0.52}};

static double tile_cost(const struct greta_variant *v, const struct greta_limits *limits,
                        const struct greta_call *call, uint64_t m, uint64_t n) {
    (void)call;
    uint32_t n_units = limits->n_compute_units / 2 ? limits->n_compute_units / 2 : 1;
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        const struct tile *t = &tiles[i];
        if (t->m != v->tunables[0] || t->n != v->tunables[1]) continue;
        uint64_t waves = v->n_threads / 32, n_tiles = div_up(m, t->m) * div_up(n, t->n);
        /* Four SIMDs: a workgroup of fewer waves leaves room for another one beside it. */
        uint64_t rounds = waves < 4 ? div_up(n_tiles * waves, 4 * n_units) : div_up(n_tiles, n_units);
        return (double)rounds * t->m * t->n * (waves < 4 ? 4.0 / (double)waves : 1.0) / t->share;
    }
    return 1e300;
}

static struct variant_rows own_rows(void);

static const char *tile_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call, uint64_t m, uint64_t n) {
    return hip_tile_unwise(own_rows(), tile_cost, v, limits, call, m, n);
}

/* ---- gemm ---- */

static const char *gemm_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    const char *refusal = built(v, call);
    return refusal ? refusal : hip_gemm_refusal(limits, call);
}

static const char *gemm_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    return tile_unwise(v, limits, call, call->scalars.gemm.m, call->scalars.gemm.n);
}

/* ---- matmul ---- */

static const char *matmul_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    const char *refusal = built(v, call);
    return refusal ? refusal : hip_matmul_refusal(limits, call);
}

static const char *matmul_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    const struct greta_scalars_matmul *s = &call->scalars.matmul;
    if (s->n_tok < 8) return "n_tok is too small to fill its tiles";
    return tile_unwise(v, limits, call, s->n_tok, s->n_rows);
}

/* ---- attention ---- */

static uint32_t attn_queries(const struct greta_variant *v) {
    return v->n_threads / 32 * 16;
}

static const char *attn_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    const char *refusal = built(v, call);
    return refusal ? refusal : hip_attn_refusal(limits, call);
}

static uint64_t attn_groups(const struct greta_variant *v, const struct greta_limits *limits,
                            const struct greta_call *call) {
    (void)limits;
    return hip_attn_groups(call, attn_queries(v));
}

static const char *attn_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    uint32_t n_tok = call->scalars.attn.n_tok;
    if (n_tok < 16) return "n_tok is too small to fill its tiles";
    if (v->n_threads > 128 && (n_tok <= 64 || attn_groups(v, limits, call) < limits->n_compute_units))
        return "its tiles are too few to fill the device";
    return NULL;
}

/* ---- the table ---- */

#define ATTN(name_, threads_)                                                                        \
    {                                                                                                \
        HIP_ROW(ATTN, name_, attn_wmma, attn_wmma, threads_, attn_groups),                           \
            .subgroup_size = 32, .extras = EXTRA_KV_Q8_0 | EXTRA_WINDOW | EXTRA_SOFTCAP,             \
            .operand_eps = 0x1p-11, .refusal = attn_refusal, .unwise = attn_unwise, .n_tunables = 1, \
            .tunables = {                                                                            \
                32                                                                                   \
            }                                                                                        \
    }
#define GEMM(name_, threads_, ...)                                                                       \
    {                                                                                                    \
        HIP_ROW(GEMM, name_, gemm_wmma, gemm_wmma, threads_, hip_gemm_groups),                           \
            .flags = VARIANT_EXACT, .subgroup_size = 32, .refusal = gemm_refusal, .unwise = gemm_unwise, \
            .n_tunables = 4, .tunables = {                                                               \
                __VA_ARGS__                                                                              \
            }                                                                                            \
    }
#define MATMUL(name_, threads_, ...)                                                                     \
    {                                                                                                    \
        HIP_ROW(MATMUL, name_, matmul_wmma, matmul_wmma, threads_, hip_matmul_groups),                   \
            .subgroup_size = 32, .w_types = HIP_ALL_WEIGHTS, .x_type = GRETA_TYPE_F32,                   \
            .operand_eps = 0x1p-11, .refusal = matmul_refusal, .unwise = matmul_unwise, .n_tunables = 4, \
            .tunables = {                                                                                \
                __VA_ARGS__                                                                              \
            }                                                                                            \
    }

static const struct greta_variant rows[] = {
    GEMM("gemm_wmma_128x128", 256, 128, 128, 32, 64),
    GEMM("gemm_wmma_64x64", 128, 64, 64, 32, 32),
    MATMUL("matmul_wmma_128x128", 256, 128, 128, 32, 64),
    MATMUL("matmul_wmma_64x256", 256, 64, 256, 32, 64),
    MATMUL("matmul_wmma_64x128", 128, 64, 128, 32, 64),
    MATMUL("matmul_wmma_64x64", 128, 64, 64, 32, 32),
    MATMUL("matmul_wmma_32x64", 128, 32, 64, 32, 16),
    MATMUL("matmul_wmma_32x64_units", 64, 32, 64, 32, 32),
    ATTN("attn_wmma_128", 256),
    ATTN("attn_wmma_64", 128),
};

static struct variant_rows own_rows(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
struct variant_rows variant_rows_hip_wmma(void) {
    return own_rows();
}
