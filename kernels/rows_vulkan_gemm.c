/* The Vulkan rows of GEMM. In order of preference; the last takes every shape, type and order. */
#include "rows_vulkan.h"

#include "spirv_images.h"

/* ---- conditions ---- */

static const char no_16bit[] = "the device cannot store 16-bit values";
static const char no_type[] = "it does not read this type";
static const char misaligned[] = "a matrix does not begin at a multiple of 16 bytes";

static uint32_t element_bytes(const struct greta_call *call) {
    uint32_t type = call->keys[0];
    return type == GRETA_TYPE_F32 ? 4 : type <= GRETA_TYPE_BF16 ? 2 : 1;
}

/* What is contiguous in a and in b is a multiple of n elements. */
static bool lines_are_multiples(const struct greta_call *call, uint32_t n) {
    const struct greta_scalars_gemm *s = &call->scalars.gemm;
    uint32_t a = call->keys[1] == GRETA_ORDER_ROW ? s->k : s->m,
             b = call->keys[2] == GRETA_ORDER_ROW ? s->n : s->k;
    return a % n == 0 && b % n == 0;
}

/* Drivers that run shaders on the CPU (llvmpipe) end a shader's loops after 65,535 turns in all. */
static const char *naive_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    (void)v;
    if (limits->is_cpu && call->scalars.gemm.k > 65000)
        return "k is too large for a driver that runs shaders on the CPU";
    return limits->has_16bit_storage && limits->has_8bit_storage && limits->has_i8
               ? NULL
               : "the device cannot read 16-bit and 8-bit values";
}

static const char *float_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    (void)v;
    if (call->keys[0] > GRETA_TYPE_BF16) return no_type;
    return limits->has_16bit_storage ? NULL : no_16bit;
}

static const char *vec2_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    uint32_t pair = 2 * element_bytes(call);
    if (!lines_are_multiples(call, 2)) return "what is contiguous is odd";
    if (!is_aligned(call, 0, pair) || !is_aligned(call, 1, pair))
        return "a matrix does not begin at a pair's multiple";
    return float_refusal(v, limits, call);
}

static const char *dot4_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    (void)v;
    if (call->keys[0] != GRETA_TYPE_I8) return no_type;
    if (!limits->has_int_dot) return "the device has no dot product of bytes";
    return lines_are_multiples(call, 4) ? NULL : "what is contiguous is no multiple of 4";
}

/* Tunables of gemm_coopmat.comp, gemm_bf16_coopmat.comp and gemm_i8_coopmat.comp. */
enum { UNIT_M, UNIT_N, UNIT_K, TILE_M, TILE_N, STEP, SUB_M, SUB_N, BUFFERS };

static bool has_unit(const struct greta_limits *limits, const uint32_t *mnk, uint8_t ab, uint8_t cd) {
    for (uint32_t i = 0; i < limits->n_matrix_ops; i++) {
        const struct greta_matrix_op *op = &limits->matrix_ops[i];
        if (op->m == mnk[0] && op->n == mnk[1] && op->k == mnk[2] && op->type_ab == ab && op->type_cd == cd)
            return true;
    }
    return false;
}

static uint32_t coopmat_lds(const struct greta_variant *v, const struct greta_call *call, uint32_t word) {
    const uint32_t *t = v->tunables;
    bool a_rows = call->keys[1] == GRETA_ORDER_ROW, b_rows = call->keys[2] == GRETA_ORDER_ROW;
    uint32_t a = a_rows ? t[TILE_M] * (t[STEP] / word + 1) : t[STEP] * (t[TILE_M] / word + 1);
    uint32_t b = b_rows ? t[STEP] * (t[TILE_N] / word + 1) : t[TILE_N] * (t[STEP] / word + 1);
    return 16 * t[BUFFERS] * (a + b);
}

static const char *coopmat_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                   const struct greta_call *call) {
    const uint32_t *t = v->tunables;
    bool whole = v->image == &greta_spirv_gemm_i8_coopmat, bf16 = v->image == &greta_spirv_gemm_bf16_coopmat;
    uint32_t word = whole ? 16 : 8;
    if (call->keys[0] != (whole ? GRETA_TYPE_I8 : bf16 ? GRETA_TYPE_BF16 : GRETA_TYPE_F16)) return no_type;
    if (!has_unit(limits, t,
                  whole  ? GRETA_COMPONENT_S8
                  : bf16 ? GRETA_COMPONENT_BF16
                         : GRETA_COMPONENT_F16,
                  whole ? GRETA_COMPONENT_S32 : GRETA_COMPONENT_F32))
        return "the device has no matrix unit of its size and type";
    if (whole ? !limits->has_i8 : bf16 ? !limits->has_bf16 : !limits->has_f16)
        return "the device has no arithmetic of its type";
    if (coopmat_lds(v, call, word) > limits->max_lds_bytes) return "it needs more LDS than the device has";
    if (limits->max_matrix_sums && t[SUB_M] / t[UNIT_M] * (t[SUB_N] / t[UNIT_N]) > limits->max_matrix_sums)
        return "its sums would not stay in registers";
    if (call->scalars.gemm.k % t[STEP]) return "k is no multiple of its step";
    if (call->scalars.gemm.n % 4) return "n is no multiple of 4";
    if (!lines_are_multiples(call, word)) return "what is contiguous is no multiple of 16 bytes";
    return is_aligned(call, 0, 16) && is_aligned(call, 1, 16) && is_aligned(call, 2, 16) ? NULL : misaligned;
}

static uint64_t tiles(const struct greta_call *call, uint32_t m, uint32_t n) {
    return div_up(call->scalars.gemm.m, m) * div_up(call->scalars.gemm.n, n);
}

static const char *tile_unwise(const struct greta_limits *limits, const struct greta_call *call, uint32_t m,
                               uint32_t n) {
    if (call->scalars.gemm.m <= m / 2 || call->scalars.gemm.n <= n / 2)
        return "c is too small to fill its tiles";
    return tiles(call, m, n) < limits->n_compute_units / 2 ? "its tiles are too few to fill the device"
                                                           : NULL;
}

static const char *coopmat_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    /* The smallest is better than any row without the unit. */
    return v->tunables[TILE_M] <= 32 ? NULL
                                     : tile_unwise(limits, call, v->tunables[TILE_M], v->tunables[TILE_N]);
}

/* Tunables of gemm_coopmat2.comp. */
enum { GROUP_M, GROUP_N, GROUP_STEP };

static const char *coopmat2_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                    const struct greta_call *call) {
    const uint32_t *t = v->tunables, most = limits->max_group_matrix_size;
    bool found = false;
    if (call->keys[0] != GRETA_TYPE_F16) return no_type;
    for (uint32_t i = 0; i < limits->n_group_matrix_ops; i++) {
        const struct greta_matrix_op *op = &limits->group_matrix_ops[i].unit;
        found |= limits->group_matrix_ops[i].n_threads == v->n_threads && t[GROUP_M] % op->m == 0 &&
                 t[GROUP_N] % op->n == 0 && t[GROUP_STEP] % op->k == 0;
    }
    if (!found || t[GROUP_M] > most || t[GROUP_N] > most || t[GROUP_STEP] > most)
        return "the device has no matrices of a workgroup of its size";
    if (!limits->has_16bit_storage) return no_16bit;
    return is_aligned(call, 0, 16) && is_aligned(call, 1, 16) && is_aligned(call, 2, 16) ? NULL : misaligned;
}

static const char *coopmat2_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                                   const struct greta_call *call) {
    return tile_unwise(limits, call, v->tunables[GROUP_M], v->tunables[GROUP_N]);
}

enum { VEC2_SIDE_M, VEC2_SIDE_N, VEC2_OWN_M, VEC2_OWN_N };

/* Of the smaller tiles there is no better row to take. */
static const char *vec2_unwise(const struct greta_variant *v, const struct greta_limits *limits,
                               const struct greta_call *call) {
    uint32_t m = v->tunables[VEC2_SIDE_M] * v->tunables[VEC2_OWN_M],
             n = v->tunables[VEC2_SIDE_N] * v->tunables[VEC2_OWN_N];
    return m * n <= 64 * 64 ? NULL : tile_unwise(limits, call, m, n);
}

/* ---- grids ---- */

enum { TILED_TILE };
enum { SUBGROUP_ROWS };
enum { DOT4_SIDE, DOT4_OWN };

GROUPS(naive_groups, div_up((uint64_t)s->gemm.m * s->gemm.n, v->n_threads))
GROUPS(tiled_groups, tiles(call, v->tunables[TILED_TILE], v->tunables[TILED_TILE]))
GROUPS(vec2_groups, tiles(call, v->tunables[VEC2_SIDE_M] * v->tunables[VEC2_OWN_M],
                          v->tunables[VEC2_SIDE_N] * v->tunables[VEC2_OWN_N]))
GROUPS(dot4_groups, tiles(call, v->tunables[DOT4_SIDE] * v->tunables[DOT4_OWN],
                          v->tunables[DOT4_SIDE] * v->tunables[DOT4_OWN]))
GROUPS(coopmat_groups, tiles(call, v->tunables[TILE_M], v->tunables[TILE_N]))
GROUPS(coopmat2_groups, tiles(call, v->tunables[GROUP_M], v->tunables[GROUP_N]))

/* Enough for subgroups of the smallest size; with larger ones some groups find nothing to do. */
static uint64_t subgroup_groups(const struct greta_variant *v, const struct greta_limits *limits,
                                const struct greta_call *call) {
    uint32_t lanes = limits->subgroup_min ? limits->subgroup_min : 4,
             n_subgroups = v->n_threads / limits->subgroup_max;
    return div_up(tiles(call, v->tunables[SUBGROUP_ROWS], lanes), n_subgroups ? n_subgroups : 1);
}

/* ---- the table ---- */

#define ROW_P(n_params_, params_, name_, image_, flags_, threads_, lanes_, groups_, refusal_, unwise_, n_, \
              ...)                                                                                         \
    {                                                                                                      \
        .name = name_, .op = GRETA_OP_GEMM, .format = GRETA_IMAGE_SPIRV, .image = &greta_spirv_##image_,   \
        .entry = "main", .flags = flags_, .n_threads = threads_, .subgroup_size = lanes_,                  \
        .n_groups = groups_, .layout = GRETA_LAYOUT_PACKED, .refusal = refusal_, .unwise = unwise_,        \
        .n_params = n_params_, .params = params_, .n_tunables = n_, .tunables = {                          \
            __VA_ARGS__                                                                                    \
        }                                                                                                  \
    }
#define ROW(...) ROW_P(0, NULL, __VA_ARGS__)
/* What the tuner may set. */
static const struct variant_param coopmat_params[] = {{"step", STEP, {16, 32, 64}},
                                                      {"buffers", BUFFERS, {1, 2}}};
#define COOPMAT(name_, flags_, threads_, lanes_, ...)                                                        \
    ROW_P(2, coopmat_params, name_, gemm_coopmat, flags_, threads_, lanes_, coopmat_groups, coopmat_refusal, \
          coopmat_unwise, 9, __VA_ARGS__)
#define COOPMAT_I8(name_, flags_, threads_, lanes_, ...)                                                   \
    ROW(name_, gemm_i8_coopmat, flags_, threads_, lanes_, coopmat_groups, coopmat_refusal, coopmat_unwise, \
        9, __VA_ARGS__)
#define COOPMAT_BF16(name_, flags_, threads_, lanes_, ...)                                                   \
    ROW(name_, gemm_bf16_coopmat, flags_, threads_, lanes_, coopmat_groups, coopmat_refusal, coopmat_unwise, \
        9, __VA_ARGS__)
#define COOPMAT2(name_, flags_, threads_, ...)                                                            \
    ROW(name_, gemm_coopmat2, flags_, threads_, 0, coopmat2_groups, coopmat2_refusal, coopmat2_unwise, 3, \
        __VA_ARGS__)
#define VEC2(name_, ...) \
    ROW(name_, gemm_vec2, VARIANT_EXACT, 256, 0, vec2_groups, vec2_refusal, vec2_unwise, 6, __VA_ARGS__)

static const struct greta_variant rows[] = {
    /* Named by tile and step: unit, tile, step, what a subgroup makes of it, buffers. */
    COOPMAT("gemm_coopmat_128x128_32", 0, 128, 32, 16, 16, 16, 128, 128, 32, 64, 64, 2),
    COOPMAT("gemm_coopmat_128x128_32_8", 0, 256, 32, 16, 16, 16, 128, 128, 32, 64, 32, 2),
    COOPMAT("gemm_coopmat_64x64_32", 0, 128, 32, 16, 16, 16, 64, 64, 32, 32, 32, 2),
    COOPMAT("gemm_coopmat_32x32_32", 0, 128, 32, 16, 16, 16, 32, 32, 32, 16, 16, 2),
    /* Others to be compared with it. */
    COOPMAT("gemm_coopmat_128x256_32", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 128, 256, 32, 64, 64, 1),
    COOPMAT("gemm_coopmat_256x128_32", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 256, 128, 32, 64, 64, 1),
    COOPMAT("gemm_coopmat_128x256_16", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 128, 256, 16, 64, 64, 2),
    COOPMAT("gemm_coopmat_256x128_16", VARIANT_FORCED_ONLY, 256, 32, 16, 16, 16, 256, 128, 16, 64, 64, 2),
    COOPMAT("gemm_coopmat_128x128_64", VARIANT_FORCED_ONLY, 128, 32, 16, 16, 16, 128, 128, 64, 64, 64, 1),
    COOPMAT("gemm_coopmat_128x128_32_1", VARIANT_FORCED_ONLY, 128, 32, 16, 16, 16, 128, 128, 32, 64, 64, 1),
    COOPMAT("gemm_coopmat_128x128_16", VARIANT_FORCED_ONLY, 128, 32, 16, 16, 16, 128, 128, 16, 64, 64, 2),
    COOPMAT("gemm_coopmat_128x256_32_128", VARIANT_FORCED_ONLY, 128, 32, 16, 16, 16, 128, 256, 32, 64, 128,
            1),
    COOPMAT("gemm_coopmat_n8", VARIANT_FORCED_ONLY, 128, 32, 16, 8, 16, 128, 128, 32, 64, 64, 2),
    COOPMAT2("gemm_coopmat2_128x128_32", VARIANT_FORCED_ONLY, 256, 128, 128, 32),
    COOPMAT2("gemm_coopmat2_128x128_64", VARIANT_FORCED_ONLY, 256, 128, 128, 64),
    COOPMAT2("gemm_coopmat2_128x256_32", VARIANT_FORCED_ONLY, 256, 128, 256, 32),
    COOPMAT2("gemm_coopmat2_128x256_64", VARIANT_FORCED_ONLY, 256, 128, 256, 64),
    COOPMAT2("gemm_coopmat2_256x128_64", VARIANT_FORCED_ONLY, 256, 256, 128, 64),
    COOPMAT2("gemm_coopmat2_128x128_64_4", VARIANT_FORCED_ONLY, 128, 128, 128, 64),
    COOPMAT2("gemm_coopmat2_64x64_64", VARIANT_FORCED_ONLY, 128, 64, 64, 64),
    COOPMAT_BF16("gemm_coopmat_bf16_128x128_32", 0, 128, 32, 16, 16, 16, 128, 128, 32, 64, 64, 2),
    COOPMAT_BF16("gemm_coopmat_bf16_64x64_32", 0, 128, 32, 16, 16, 16, 64, 64, 32, 32, 32, 2),
    COOPMAT_BF16("gemm_coopmat_bf16_32x32_32", 0, 128, 32, 16, 16, 16, 32, 32, 32, 16, 16, 2),
    COOPMAT_BF16("gemm_coopmat_bf16_8", 0, 64, 8, 8, 8, 8, 64, 64, 32, 32, 16, 2),
    COOPMAT_I8("gemm_coopmat_i8_128x128_64", 0, 256, 32, 16, 16, 32, 128, 128, 64, 64, 32, 2),
    COOPMAT_I8("gemm_coopmat_i8_64x64_64", 0, 128, 32, 16, 16, 32, 64, 64, 64, 32, 32, 2),
    COOPMAT_I8("gemm_coopmat_i8_32x32_64", 0, 128, 32, 16, 16, 32, 32, 32, 64, 16, 16, 2),
    COOPMAT_I8("gemm_coopmat_i8_k16", 0, 128, 32, 16, 16, 16, 64, 64, 32, 32, 32, 2), /* RDNA3's unit */
    ROW("gemm_dot4", gemm_dot4, VARIANT_EXACT, 256, 0, dot4_groups, dot4_refusal, NULL, 3, 16, 4, 32),
    VEC2("gemm_vec2_128", 16, 16, 8, 8, 8, 1),
    VEC2("gemm_vec2_db", 16, 16, 4, 4, 16, 2),
    VEC2("gemm_vec2", 16, 16, 4, 4, 16, 1),
    VEC2("gemm_vec2_32x8", 8, 32, 8, 2, 16, 1),
    ROW("gemm_tiled", gemm_tiled, VARIANT_EXACT, 256, 0, tiled_groups, float_refusal, NULL, 2, 64, 16),
    ROW("gemm_subgroup", gemm_subgroup, VARIANT_EXACT, 64, 0, subgroup_groups, float_refusal, NULL, 1, 8),
    /* The unit of Mesa's llvmpipe: after the rows that are faster there, for the tests. */
    COOPMAT("gemm_coopmat_8", 0, 64, 8, 8, 8, 8, 64, 64, 32, 32, 16, 2),
    COOPMAT("gemm_coopmat_8_1", 0, 64, 8, 8, 8, 8, 64, 64, 32, 32, 16, 1),
    ROW("gemm_naive", gemm_naive, VARIANT_EXACT, 64, 0, naive_groups, naive_refusal, NULL, 0, 0),
};

struct variant_rows variant_rows_vulkan_gemm(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
