/* The table of benches, their older names, and what a preset means. */
#include "bench.h"

#include "variant.h"

#include <stdio.h>
#include <string.h>

const char *preset_name(enum preset p) {
    static const char *const names[N_PRESETS] = {"smoke", "verify", "standard", "perf"};
    return (unsigned)p < N_PRESETS ? names[p] : "?";
}

enum {
    SMOKE = 1 << PRESET_SMOKE,
    VERIFY = 1 << PRESET_VERIFY,
    STANDARD = 1 << PRESET_STANDARD,
    PERF = 1 << PRESET_PERF,
    ALL = SMOKE | VERIFY | STANDARD | PERF
};

static const struct bench benches[] = {
    {"smoke", "opens the device, runs a kernel, reads it back", bench_smoke, 0, NULL, ALL},
    {"fill", "fills of a buffer", bench_fill, 0, NULL, ALL},
    {"noop_launch", "a dispatch of one small group, each waited for, and in a row", bench_noop, 0, NULL, ALL},
    {"vector_add", "a sum of two vectors", bench_vector_add, 0, NULL, ALL},
    {"alloc", "buffers made and destroyed", bench_alloc, 0, NULL, SMOKE | STANDARD | PERF},
    {"stream", "work on two streams that wait for each other", bench_stream, 0, NULL,
     SMOKE | STANDARD | PERF},
    {"dispatch", "recording a dispatch, and replaying it from a graph", bench_dispatch, 0, NULL,
     SMOKE | STANDARD | PERF},
    {"telemetry", "the cost of a sink of telemetry", bench_telemetry, 0, NULL, STANDARD | PERF},
    {"copies", "copies from the host, to the host, and on the device", bench_copies, 0, NULL, ALL},
    {"roof", "what the device can do at best: copies, and its matrix peak", bench_roof, 0, NULL, 0},
    {"membw_cpu", "the host's memory bandwidth", bench_membw, 0, NULL, STANDARD | PERF},
    {"memlat_cpu", "the host's memory latency", bench_memlat, 0, NULL, STANDARD | PERF},
    {"gemm", "matrix products, by every row", bench_gemm, GRETA_OP_GEMM, NULL, ALL},
    {"gemm_naive", "matrix products by the simplest row", bench_gemm, GRETA_OP_GEMM,
     "gemm_naive gemm_plain gemm_simple", 0},
    {"gemm_tiled", "matrix products by tiles in LDS", bench_gemm, GRETA_OP_GEMM,
     "gemm_tiled gemm_mfma_64x64$", 0},
    {"gemm_subgroup", "matrix products by exchange within a subgroup", bench_gemm, GRETA_OP_GEMM,
     "gemm_subgroup", 0},
    {"gemm_vec2", "matrix products two columns at a time", bench_gemm, GRETA_OP_GEMM, "gemm_vec2$", 0},
    {"gemm_vec2_32x8", "the same with tiles of 32 x 8", bench_gemm, GRETA_OP_GEMM, "gemm_vec2_32x8", 0},
    {"gemm_vec2_db", "the same with two buffers in LDS", bench_gemm, GRETA_OP_GEMM, "gemm_vec2_db", 0},
    {"gemm_coopmat", "matrix products on matrix units", bench_gemm, GRETA_OP_GEMM, "gemm_coopmat", 0},
    {"gemm_auto", "matrix products by the plan's own choice", bench_gemm, GRETA_OP_GEMM, "auto", 0},
    {"gemm_runtime_smoke", "the runtime under matrix products: profiles ultrasafe, fill, default",
     bench_gemm_runtime_smoke, 0, NULL, ALL},
    {"gemm_runtime_smoke_ultrasafe", "f32 by tiles, 64^3, one call a submit, each waited for",
     bench_ultrasafe, 0, NULL, 0},
    {"gemm_runtime_smoke_fill", "fills and copies only", bench_fills_and_copies, 0, NULL, 0},
    {"gemm_runtime_smoke_default", "the plan's own rows", bench_default_rows, 0, NULL, 0},
    {"layer_norm", "LayerNorm", bench_rows, GRETA_OP_LAYER_NORM, NULL, ALL},
    {"layer_norm_simple", "LayerNorm by the simplest row", bench_rows, GRETA_OP_LAYER_NORM,
     "layer_norm_simple layer_norm_plain", 0},
    {"layer_norm_tiled", "LayerNorm by a group a row", bench_rows, GRETA_OP_LAYER_NORM,
     "layer_norm_tiled layer_norm_wide", 0},
    {"rms_norm", "RMSNorm", bench_rows, GRETA_OP_RMS_NORM, NULL, ALL},
    {"rms_norm_simple", "RMSNorm by the simplest row", bench_rows, GRETA_OP_RMS_NORM,
     "rms_norm_simple rms_norm_plain", 0},
    {"rms_norm_tiled", "RMSNorm by a group a row", bench_rows, GRETA_OP_RMS_NORM,
     "rms_norm_tiled rms_norm_wide", 0},
    {"layer_rms_norm", "LayerNorm and RMSNorm, fused", bench_rows, GRETA_OP_LAYER_RMS_NORM, NULL, ALL},
    {"layer_rms_norm_simple", "the same by the simplest row", bench_rows, GRETA_OP_LAYER_RMS_NORM,
     "layer_rms_norm_simple layer_rms_norm_plain", 0},
    {"layer_rms_norm_tiled", "the same by a group a row", bench_rows, GRETA_OP_LAYER_RMS_NORM,
     "layer_rms_norm_tiled layer_rms_norm_wide", 0},
    {"softmax", "softmax over rows", bench_rows, GRETA_OP_SOFTMAX, NULL, ALL},
    {"softmax_simple", "softmax by the simplest row", bench_rows, GRETA_OP_SOFTMAX,
     "softmax_simple softmax_plain", 0},
    {"softmax_tiled", "softmax by a group a row", bench_rows, GRETA_OP_SOFTMAX, "softmax_tiled softmax_wide",
     0},
    {"causal_mask", "a causal mask in place", bench_mask, GRETA_OP_CAUSAL_MASK, NULL, ALL},
    {"silu", "SiLU of one vector times another", bench_elements, GRETA_OP_ACT_MUL, NULL, ALL},
    {"rope", "rotary embedding, dim 4096 with 32 heads", bench_rope, GRETA_OP_ROPE, NULL, ALL},
    {"kv_update", "writing keys and values, max_seq 2048", bench_kv, GRETA_OP_KV_UPDATE, NULL, ALL},
    {"attn_prefill", "attention of many tokens", bench_attn, GRETA_OP_ATTN, NULL, ALL},
    {"attn_decode", "attention of one token", bench_attn, GRETA_OP_ATTN_SPLIT, NULL, ALL},
    {"matvec", "quantized matrices times a vector", bench_matvec, GRETA_OP_MATVEC, NULL, ALL},
    {"llama_block", "one layer of Llama-2-7B, decoding", bench_block, 0, NULL, VERIFY | STANDARD | PERF},
    {"llm_primitives", "the ops of a layer of Llama-2-7B one by one, on the cpu", bench_primitives, 0, NULL,
     STANDARD | PERF},
};

/* Names of earlier programs; each also with "_bench" behind it. */
static const char *const aliases[][2] = {
    {"vk_smoke", "smoke"},
    {"vk_fill", "fill"},
    {"vk_gemm", "gemm"},
    {"vk_gemm_runtime_smoke", "gemm_runtime_smoke"},
    {"vk_gemm_tiled", "gemm_tiled"},
    {"vk_gemm_tiled_ts", "gemm_tiled"},
    {"vk_gemm_auto_ts", "gemm_auto"},
    {"vk_gemm_f16acc32_tiled_ts", "gemm_tiled"},
    {"vk_gemm_f16acc32_tiled_vec2_ts", "gemm_vec2"},
    {"vk_gemm_f16acc32_tiled_vec2_32x8_ts", "gemm_vec2_32x8"},
    {"vk_gemm_f16acc32_tiled_vec2_db_ts", "gemm_vec2_db"},
    {"vk_layernorm", "layer_norm_simple"},
    {"vk_layernorm_tiled", "layer_norm_tiled"},
    {"vk_rmsnorm", "rms_norm_simple"},
    {"vk_rmsnorm_tiled", "rms_norm_tiled"},
    {"vk_softmax", "softmax_simple"},
    {"vk_softmax_tiled", "softmax_tiled"},
    {"vk_layernorm_rmsnorm_fused", "layer_rms_norm_simple"},
    {"vk_layernorm_rmsnorm_fused_tiled", "layer_rms_norm_tiled"},
    {"hip_noop_launch", "noop_launch"},
    {"hip_vec_add", "vector_add"},
    {"hip_fill", "fill"},
    {"hip_rmsnorm", "rms_norm"},
    {"hip_gemm", "gemm"},
    {"hip_attention", "attn_decode"},
    {"hip_llama_block", "llama_block"},
};
enum { N_BENCHES = sizeof benches / sizeof *benches, N_ALIASES = sizeof aliases / sizeof *aliases };

const struct bench *bench_at(uint32_t i) {
    return i < N_BENCHES ? &benches[i] : NULL;
}

const char *bench_alias(uint32_t i, const char **stands_for) {
    *stands_for = i < N_ALIASES ? aliases[i][1] : NULL;
    return i < N_ALIASES ? aliases[i][0] : NULL;
}

/* The bench of an op whose table has the row, or rows whose names begin so, measured by these alone: "gemm_mfma_64x64", "gemm_mfma". */
static const struct bench *of_row(const char *name, struct bench *out) {
    const struct greta_variant *v;
    const struct bench *base = NULL;
    size_t len = strlen(name);
    for (uint32_t i = 0; (v = greta_variant_at(i)) && !base; i++) {
        const char *row = greta_variant_name(v);
        if (strncmp(row, name, len) != 0 || (row[len] && row[len] != '_')) continue;
        for (int b = 0; b < N_BENCHES && !base; b++)
            if (benches[b].op && benches[b].op == (uint32_t)greta_variant_op(v) && !benches[b].rows)
                base = &benches[b];
        if (base && strlen(base->name) >= len) base = NULL; /* "gem" is no row */
    }
    if (!base) return NULL;
    *out = *base;
    out->name = out->rows = name;
    out->presets = 0;
    return out;
}

static const struct bench *find(const char *name, size_t len) {
    for (int i = 0; i < N_BENCHES; i++)
        if (strlen(benches[i].name) == len && memcmp(benches[i].name, name, len) == 0) return &benches[i];
    return NULL;
}

static const struct bench *find_any(const char *name, size_t len) {
    for (int i = 0; i < N_ALIASES; i++)
        if (strlen(aliases[i][0]) == len && memcmp(aliases[i][0], name, len) == 0)
            return find(aliases[i][1], strlen(aliases[i][1]));
    return find(name, len);
}

const struct bench *bench_find(const char *name, struct bench *row) {
    static const char end[] = "_bench";
    size_t len = strlen(name), n = sizeof end - 1;
    const struct bench *found = find_any(name, len);
    if (!found && len > n && strcmp(name + len - n, end) == 0) found = find_any(name, len - n);
    return found ? found : of_row(name, row);
}

/* ---- the options that each has a use for ---- */

enum {
    OF_M = 1,
    OF_N = 2,
    OF_K = 4,
    OF_ROWS = 8,
    OF_COLS = 16,
    OF_ROW = 32,
    OF_ITERS = 64,
    OF_BATCH = 128,
    OF_COPIES = 256,
    OF_CALL = OF_ROW | OF_ITERS | OF_BATCH,
    OF_MATRIX = OF_CALL | OF_ROWS | OF_COLS
};

static const struct {
    bench_fn *run;
    uint32_t options;
} uses[] = {
    {bench_smoke, OF_ITERS},
    {bench_fill, OF_ITERS | OF_BATCH},
    {bench_noop, OF_ITERS},
    {bench_vector_add, OF_N | OF_ITERS | OF_BATCH},
    {bench_alloc, OF_ITERS},
    {bench_stream, OF_ITERS},
    {bench_dispatch, OF_ITERS},
    {bench_telemetry, OF_ITERS},
    {bench_copies, OF_ITERS | OF_BATCH | OF_COPIES},
    {bench_roof, OF_ITERS | OF_BATCH},
    {bench_gemm, OF_M | OF_N | OF_K | OF_CALL},
    {bench_gemm_runtime_smoke, OF_M | OF_CALL | OF_COPIES},
    {bench_ultrasafe, OF_ROW | OF_ITERS},
    {bench_fills_and_copies, OF_ITERS | OF_BATCH | OF_COPIES},
    {bench_default_rows, OF_M | OF_CALL},
    {bench_rows, OF_MATRIX},
    {bench_mask, OF_MATRIX},
    {bench_elements, OF_MATRIX},
    {bench_matvec, OF_MATRIX},
    {bench_rope, OF_CALL},
    {bench_kv, OF_CALL},
    {bench_attn, OF_CALL},
    {bench_block, OF_ITERS | OF_BATCH},
    {bench_primitives, OF_CALL},
};

const char *bench_unused(const struct bench *bench, const struct bench_params *given, char *out,
                         size_t size) {
    const struct {
        const char *name;
        bool given;
    } options[] = {
        {"--m", given->m},         {"--n", given->n},         {"--k", given->k},
        {"--rows", given->rows},   {"--cols", given->cols},   {"--row", given->row},
        {"--iters", given->iters}, {"--batch", given->batch}, {"--compute-only", given->compute_only}};
    uint32_t used = 0;
    size_t n = 0;
    for (unsigned i = 0; bench && i < sizeof uses / sizeof *uses; i++)
        if (uses[i].run == bench->run) used = uses[i].options;
    *out = 0;
    for (unsigned i = 0; i < sizeof options / sizeof *options && n < size; i++)
        if (options[i].given && !(used >> i & 1))
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", options[i].name);
    return out;
}

double bench_budget_s(const struct bench_env *env) {
    static const double seconds[N_PRESETS] = {1, 1, 3, 6};
    double usual = env->params.own_sizes ? 10 : seconds[env->params.preset];
    return env->params.budget_s > 0 ? env->params.budget_s : usual;
}

double bench_enough_s(const struct bench_env *env) {
    static const double seconds[N_PRESETS] = {0, 0, 0.2, 0.4};
    const struct bench_params *p = &env->params;
    return p->own_sizes || p->iters || p->batch || p->budget_s > 0 ? 0 : seconds[p->preset];
}

struct greta_measure_params bench_measure_params(const struct bench_env *env, uint32_t iters,
                                                 uint32_t batch) {
    double budget = bench_budget_s(env);
    bool quick =
        !env->params.own_sizes && env->params.preset <= PRESET_VERIFY; /* for a verdict, not for figures */
    return (struct greta_measure_params){.n_samples = env->params.iters ? env->params.iters : iters,
                                         .n_calls = env->params.batch ? env->params.batch : batch,
                                         .warm_ns = (uint64_t)(budget * 0.2e9),
                                         .min_warm_ns = quick ? 1 : 0,
                                         .budget_ns = (uint64_t)(budget * 1e9)};
}

greta_status bench_add(struct bench_env *env, struct bench_result *result) {
    const bool go_on = !env->tell || env->tell(env->user, result);
    greta_status status =
        results_add(env->results, result); /* what was told is kept, whatever ends the run */
    return status ? status : go_on ? GRETA_OK : GRETA_ERR_IO;
}

greta_status bench_skip(struct bench_env *env, const char *name, const char *key, const char *reason) {
    struct bench_result r = {.name = name, .key = key, .status = BENCH_SKIPPED, .reason = reason};
    return bench_add(env, &r);
}
