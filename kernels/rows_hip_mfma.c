/*
 * The rows of the HIP backend for matrix units (MFMA) and what goes with them: gemm, matmul, attention of many tokens. In order of
 * preference within each op, and before the rows of rows_hip.c. Waves are of 64: on GPUs without these units no row is for them.
 */
#include "rows_hip.h"

#include <greta/layout.h>

#include "../hipkernels/instances_mfma.h"
#include "hip_images.h"

static const struct hip_instance instances[] = {GRETA_HIP_MFMA_INSTANCES(HIP_INSTANCE)};

static const char *built(const struct greta_variant *v, const struct greta_limits *limits,
                         const struct greta_call *call) {
    (void)limits;
    return hip_find_instance(instances, sizeof instances / sizeof *instances, v, call);
}

/* ---- which tile ----
 * A compute unit makes one tile's products at a time however many it holds, so a row's time goes as the rounds of tiles times a tile's
 * area, over what of the unit's rate a tile of its size keeps. The shares are from the loops' instructions, not from a clock
 * (docs/en/mi300x_model.md): larger tiles wait less for LDS and memory. */

static const struct tile {
    uint32_t m, n;
    double share;
    double share_f32;   /* gemm: its products take 4 times as long: they hide the rest even in small tiles */
    double share_quant; /* matmul: what is decoded is used for as many products as the tile has tokens */
} tiles[] = {{256, 256, 0.95, 0.97, 0},    {256, 216, 0.97, 0.97, 0},    {256, 128, 0.92, 0.96, 0},
             {128, 256, 0.92, 0.96, 0.90}, {128, 128, 0.90, 0.96, 0.85}, {64, 64, 0.65, 0.95, 0.30},
             {64, 32, 0.50, 0.94, 0}};
enum { N_TILES = sizeof tiles / sizeof *tiles };

static double tile_share(const struct tile *t, const struct greta_call *call) {
    uint32_t type = call->keys[0]; /* of gemm, or of matmul's weights */
    if (call->op == GRETA_OP_GEMM) return type == GRETA_TYPE_F32 ? t->share_f32 : t->share;
    return type == GRETA_TYPE_F32 || type == GRETA_TYPE_F16 || type == GRETA_TYPE_BF16 ? t->share
                                                                                       : t->share_quant;
}

static double tile_cost(const struct greta_variant *v, const struct greta_limits *limits,
                        const struct greta_call *call, uint64_t m, uint64_t n) {
    uint32_t n_units = limits->n_compute_units ? limits->n_compute_units : 1;
    for (int i = 0; i < N_TILES; i++) {
        const struct tile *t = &tiles[i];
        if (t->m != v->tunables[0] || t->n != v->tunables[1]) continue;
        uint64_t rounds = div_up(div_up(m, t->m) * div_up(n, t->n), n_units);
        return (double)rounds * t->m * t->n / tile_share(t, call);
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
    const char *refusal = built(v, limits, call);
    return refusal ? refusal : hip_gemm_refusal(limits, call);
}

static const char *gemm_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    const struct greta_scalars_gemm *s = &call->scalars.gemm;
    return tile_unwise(v, limits, call, s->m, s->n);
}

/* For few results: so that every compute unit has some. */
static const char *gemm_split_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                     const struct greta_call *call) {
    const struct greta_scalars_gemm *s = &call->scalars.gemm;
    uint64_t n_larger = div_up(s->m, 2 * v->tunables[0]) * div_up(s->n, 2 * v->tunables[1]);
    return n_larger >= limits->n_compute_units / 2 ? "its tiles are small for so many results" : NULL;
}

static uint64_t gemm_simple_groups(const struct greta_variant *v, const struct greta_limits *limits,
                                   const struct greta_call *call) {
    (void)limits;
    return div_up((uint64_t)call->scalars.gemm.m * call->scalars.gemm.n, v->n_threads);
}

/* ---- matmul ---- */

enum { MATMUL_TOKENS };

static const char *matmul_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    const char *refusal = built(v, limits, call);
    return refusal ? refusal : hip_matmul_refusal(limits, call);
}

static const char *matmul_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    const struct greta_scalars_matmul *s = &call->scalars.matmul;
    if (s->n_tok <= v->tunables[MATMUL_TOKENS] / 2) return "n_tok is too small to fill its tiles";
    return tile_unwise(v, limits, call, s->n_tok, s->n_rows);
}

static const char *matmul_split_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                       const struct greta_call *call) {
    (void)limits;
    return call->scalars.matmul.n_tok > v->tunables[MATMUL_TOKENS] ? "n_tok is more than its tile" : NULL;
}

/* ---- attention ---- */

enum { ATTN_QUERY_BLOCKS };

static uint32_t attn_queries(const struct greta_variant *v) {
    return v->n_threads / 64 * v->tunables[ATTN_QUERY_BLOCKS] * 16;
}

static const char *attn_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    const char *refusal = built(v, limits, call);
    return refusal ? refusal : hip_attn_refusal(limits, call);
}

static uint64_t attn_groups(const struct greta_variant *v, const struct greta_limits *limits,
                            const struct greta_call *call) {
    (void)limits;
    return hip_attn_groups(call, attn_queries(v));
}

static const char *attn_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    if (call->scalars.attn.n_tok < 16) return "n_tok is too small to fill its tiles";
    if (v->tunables[ATTN_QUERY_BLOCKS] > 1 &&
        attn_groups(v, limits, call) < 2 * (uint64_t)limits->n_compute_units)
        return "its tiles are too few to fill the device";
    return NULL;
}

/* ---- the table ---- */

#define ATTN_EXTRAS (EXTRA_KV_Q8_0 | EXTRA_WINDOW | EXTRA_SOFTCAP)
#define ATTN(name_, ...)                                                                            \
    {                                                                                               \
        HIP_ROW(ATTN, name_, attn_mfma, attn_mfma, 256, attn_groups),                               \
            .subgroup_size = 64, .extras = ATTN_EXTRAS, .n_tunables = 2, .tunables = {__VA_ARGS__}, \
            .operand_eps = 0x1p-11, .refusal = attn_refusal, .unwise = attn_unwise                  \
    }

#define GEMM_TILES(name_, entry_, threads_, ...)                                                     \
    {                                                                                                \
        HIP_ROW(GEMM, name_, gemm, entry_, threads_, hip_gemm_groups),                               \
            .flags = VARIANT_EXACT, .subgroup_size = 64, .n_tunables = 4, .tunables = {__VA_ARGS__}, \
            .refusal = gemm_refusal, .unwise = gemm_unwise                                           \
    }
#define GEMM_SPLIT(name_, threads_, ...)                                                             \
    {                                                                                                \
        HIP_ROW(GEMM, name_, gemm, gemm_split, threads_, hip_gemm_groups),                           \
            .flags = VARIANT_EXACT, .subgroup_size = 64, .n_tunables = 2, .tunables = {__VA_ARGS__}, \
            .refusal = gemm_refusal, .unwise = gemm_split_unwise                                     \
    }
#define MATMUL(name_, entry_, threads_, n_tunables_, unwise_, ...)                        \
    {                                                                                     \
        HIP_ROW(MATMUL, name_, matmul_mfma, entry_, threads_, hip_matmul_groups),         \
            .subgroup_size = 64, .w_types = HIP_ALL_WEIGHTS, .x_type = GRETA_TYPE_F32,    \
            .n_tunables = n_tunables_, .tunables = {__VA_ARGS__}, .operand_eps = 0x1p-11, \
            .refusal = matmul_refusal, .unwise = unwise_                                  \
    }

static const struct greta_variant rows[] = {
    GEMM_SPLIT("gemm_split_16", 512, 16, 16),
    GEMM_SPLIT("gemm_split_32", 256, 32, 32),
    GEMM_TILES("gemm_mfma_256x256", gemm_mfma, 512, 256, 256, 128, 64),
    GEMM_TILES("gemm_pair_256x216", gemm_pair, 512, 256, 216, 64, 108),
    GEMM_TILES("gemm_mfma_256x128", gemm_mfma, 512, 256, 128, 64, 64),
    GEMM_TILES("gemm_mfma_128x128", gemm_mfma, 256, 128, 128, 64, 64),
    GEMM_TILES("gemm_mfma_64x64", gemm_mfma, 256, 64, 64, 32, 32),
    GEMM_TILES("gemm_mfma_64x32", gemm_mfma, 256, 64, 32, 32, 16),
    {HIP_ROW(GEMM, "gemm_simple", gemm, gemm_simple, 256, gemm_simple_groups), .flags = VARIANT_EXACT,
     .refusal = built},
    MATMUL("matmul_split_16", matmul_split, 512, 2, matmul_split_unwise, 16, 16),
    MATMUL("matmul_split_32", matmul_split, 512, 2, matmul_split_unwise, 32, 16),
    MATMUL("matmul_split_64", matmul_split, 512, 2, matmul_split_unwise, 64, 16),
    MATMUL("matmul_mfma_128x256", matmul_mfma, 512, 4, matmul_unwise, 128, 256, 64, 64),
    MATMUL("matmul_mfma_128x128", matmul_mfma, 256, 4, matmul_unwise, 128, 128, 64, 64),
    MATMUL("matmul_mfma_64x64", matmul_mfma, 256, 4, matmul_unwise, 64, 64, 32, 32),
    ATTN("attn_mfma_128x64", 2, 64),
    ATTN("attn_mfma_64x64", 1, 64),
    ATTN("attn_mfma_128x32", 2, 32),
    ATTN("attn_mfma_64x32", 1, 32),
};

static struct variant_rows own_rows(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
struct variant_rows variant_rows_hip_mfma(void) {
    return own_rows();
}
