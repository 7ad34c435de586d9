/* The shapes of the benches of single ops. */
#include "bench.h"
#include "vendor.h"
#include "verify.h"

#include <stdio.h>
#include <string.h>

#define N(a) (sizeof(a) / sizeof *(a))

static uint32_t given(uint32_t value, uint32_t otherwise) {
    return value ? value : otherwise;
}

static bool is_large(const struct bench_env *env) {
    return env->params.preset == PRESET_STANDARD || env->params.preset == PRESET_PERF;
}

/* ---- gemm ---- */

static greta_status gemm(struct bench_env *env, const struct bench *bench, uint32_t type, uint32_t m,
                         uint32_t n, uint32_t k, uint32_t a_order, uint32_t b_order) {
    struct kc_case c = {
        .call = {.op = GRETA_OP_GEMM, .keys = {type, a_order, b_order}, .scalars.gemm = {m, n, k}}};
    char key[160];
    snprintf(key, sizeof key, "%s/%s/m%u/n%u/k%u/%s-%s", bench->name, greta_type_get_info(type)->name, m, n,
             k, a_order ? "col" : "row", b_order ? "col" : "row");
    return bench_call(env, bench, key, &c);
}

static greta_status our_gemm(struct bench_env *env, const struct bench *bench) {
    static const uint32_t sizes[N_PRESETS][6] = {
        {128}, {64}, {128, 512, 1024}, {128, 512, 1024, 2048, 4096, 8192}};
    static const uint32_t types[] = {GRETA_TYPE_F32, GRETA_TYPE_F16, GRETA_TYPE_BF16, GRETA_TYPE_I8,
                                     GRETA_TYPE_FP8};
    /* Of a model: 512 tokens by a matrix of Llama-2-7B. */
    static const uint32_t llm[][2] = {{4096, 4096}, {11008, 4096}, {4096, 11008}};
    const struct bench_params *p = &env->params;
    greta_status status = GRETA_OK;
    for (unsigned t = 0; t < N(types) && !status; t++) {
        if (types[t] > GRETA_TYPE_BF16 && strcmp(bench->name, "roof") == 0) continue;
        if (p->m || p->n || p->k) {
            uint32_t any = p->m ? p->m : p->n ? p->n : p->k;
            status = gemm(env, bench, types[t], given(p->m, any), given(p->n, any), given(p->k, any),
                          GRETA_ORDER_ROW, GRETA_ORDER_ROW);
            continue;
        }
        for (unsigned i = 0; i < 6 && sizes[p->preset][i] && !status; i++) {
            uint32_t n = sizes[p->preset][i];
            status = gemm(env, bench, types[t], n, n, n, GRETA_ORDER_ROW, GRETA_ORDER_ROW);
        }
        unsigned n_llm = p->preset == PRESET_PERF ? N(llm) : is_large(env) ? 1 : 0;
        for (unsigned i = 0; i < n_llm && !status; i++)
            status = gemm(env, bench, types[t], 512, llm[i][0], llm[i][1], GRETA_ORDER_ROW, GRETA_ORDER_ROW);
        /* The other orders, on a shape of three different sides: an operand taken for its transpose cannot pass. */
        for (uint32_t orders = 1; orders < 4 && !status && !is_large(env); orders++)
            status = gemm(env, bench, types[t], 96, 64, 80, orders & 1, orders >> 1);
    }
    return status;
}

/* Beside the vendor's library, where the machine has it; that it has not is one line. */
greta_status bench_gemm(struct bench_env *env, const struct bench *bench) {
    const char *name = bench_vendor_name(env->dev), *asked = env->params.row;
    const bool beside =
        name && !strcmp(bench->name, "gemm") && !bench->rows && (!asked || strstr(name, asked));
    char reason[256] = "", key[32];
    greta_status status = GRETA_OK;
    if (beside && bench_vendor_open(env->stream, env->log, &env->vendor, reason, sizeof reason)) {
        snprintf(key, sizeof key, "gemm/%s", name);
        status = bench_skip(env, bench->name, key, reason);
    }
    if (!status) status = our_gemm(env, bench);
    bench_vendor_close(&env->vendor);
    return status;
}

static greta_status one_row(struct bench_env *env, const struct bench *bench, const char *rows, uint32_t type,
                            uint32_t n) {
    struct bench one = *bench;
    one.rows = rows;
    return gemm(env, &one, type, n, n, n, GRETA_ORDER_ROW, GRETA_ORDER_ROW);
}

/*
 * Three profiles. ultrasafe: fp32 by the tiled row, 64^3, one call a submit, each waited for. fill: fills and copies
 * only. default: the plan's own rows at the preset's size.
 */
greta_status bench_gemm_runtime_smoke(struct bench_env *env, const struct bench *bench) {
    greta_status status = bench_ultrasafe(env, bench);
    if (!status) status = bench_fills_and_copies(env, bench);
    return status ? status : bench_default_rows(env, bench);
}

greta_status bench_ultrasafe(struct bench_env *env, const struct bench *bench) {
    const struct bench_params before = env->params;
    struct bench named = *bench;
    named.name = "gemm_runtime_smoke/ultrasafe";
    env->params.batch = 1;
    if (!env->params.iters) env->params.iters = 10;
    greta_status status = one_row(env, &named, "gemm_tiled gemm_plain gemm_simple", GRETA_TYPE_F32, 64);
    env->params = before;
    return status;
}

greta_status bench_fills_and_copies(struct bench_env *env, const struct bench *bench) {
    struct bench named = *bench;
    named.name = "gemm_runtime_smoke/fill";
    greta_status status = bench_fill(env, &named);
    named.name = "gemm_runtime_smoke/copy";
    return status ? status : bench_copies(env, &named);
}

greta_status bench_default_rows(struct bench_env *env, const struct bench *bench) {
    static const uint32_t size[N_PRESETS] = {128, 64, 1024, 1024};
    static const uint32_t types[] = {GRETA_TYPE_F32, GRETA_TYPE_F16};
    struct bench named = *bench;
    greta_status status = GRETA_OK;
    named.name = "gemm_runtime_smoke/default";
    for (unsigned t = 0; t < N(types) && !status; t++)
        status = one_row(env, &named, "auto", types[t], given(env->params.m, size[env->params.preset]));
    return status;
}

/* ---- rows ---- */

static greta_status rows_of(struct bench_env *env, const struct bench *bench, uint32_t rows, uint32_t cols) {
    struct kc_case c = {.call = {.op = (enum greta_op)bench->op}};
    char key[96];
    /* Two counts and a float, of every op of rows; of softmax the float is a factor. */
    c.call.scalars.rms_norm =
        (struct greta_scalars_rms_norm){rows, cols, bench->op == GRETA_OP_SOFTMAX ? 1.0f : 1e-5f};
    snprintf(key, sizeof key, "%s/%ux%u", bench->name, rows, cols);
    return bench_call(env, bench, key, &c);
}

static const uint32_t row_sizes[N_PRESETS][2] = {{64, 256}, {32, 128}, {256, 1024}, {256, 1024}};

greta_status bench_rows(struct bench_env *env, const struct bench *bench) {
    const struct bench_params *p = &env->params;
    greta_status status =
        rows_of(env, bench, given(p->rows, row_sizes[p->preset][0]), given(p->cols, row_sizes[p->preset][1]));
    if (status || p->rows || p->cols || !is_large(env)) return status;
    if (bench->op == GRETA_OP_RMS_NORM) status = rows_of(env, bench, 1, 40960);
    return status ? status : rows_of(env, bench, 1, 4096);
}

greta_status bench_mask(struct bench_env *env, const struct bench *bench) {
    const struct bench_params *p = &env->params;
    struct kc_case c = {.call = {.op = GRETA_OP_CAUSAL_MASK}};
    uint32_t rows = given(p->rows, row_sizes[p->preset][0]), cols = given(p->cols, row_sizes[p->preset][1]);
    char key[96];
    c.call.scalars.causal_mask = (struct greta_scalars_causal_mask){rows, cols, 0};
    snprintf(key, sizeof key, "%s/%ux%u", bench->name, rows, cols);
    return bench_call(env, bench, key, &c);
}

greta_status bench_elements(struct bench_env *env, const struct bench *bench) {
    const struct bench_params *p = &env->params;
    struct kc_case c = {.call = {.op = GRETA_OP_ACT_MUL, .keys = {GRETA_ACT_SILU}}};
    uint32_t rows = given(p->rows, is_large(env) ? 128 : 4),
             cols = given(p->cols, is_large(env) ? 11008 : 1024);
    char key[96];
    if ((uint64_t)rows * cols > UINT32_MAX)
        return bench_skip(env, bench->name, bench->name, "a vector of it would pass 4 GiB");
    c.call.scalars.act_mul.n = rows * cols;
    snprintf(key, sizeof key, "%s/%ux%u", bench->name, rows, cols);
    return bench_call(env, bench, key, &c);
}

/* ---- positions ---- */

greta_status bench_rope(struct bench_env *env, const struct bench *bench) {
    greta_status status = GRETA_OK;
    for (uint32_t n_tok = 1; n_tok <= (is_large(env) ? 128 : 1) && !status; n_tok += 127) {
        struct kc_case c = {.call = {.op = GRETA_OP_ROPE, .keys = {0}}, .step = {0, 7, 7 + n_tok, 0}};
        char key[96];
        c.call.scalars.rope = (struct greta_scalars_rope){n_tok, 32, 128, 128};
        snprintf(key, sizeof key, "%s/dim4096/heads32/tokens%u", bench->name, n_tok);
        status = bench_call(env, bench, key, &c);
    }
    return status;
}

greta_status bench_kv(struct bench_env *env, const struct bench *bench) {
    struct kc_case c = {.call = {.op = GRETA_OP_KV_UPDATE, .keys = {GRETA_TYPE_F16}},
                        .step = {0, 1000, 1001, 0}};
    c.call.scalars.kv_update = (struct greta_scalars_kv_update){1, 4096, 2048};
    char key[96];
    snprintf(key, sizeof key, "%s/max_seq2048/dim4096/F16", bench->name);
    return bench_call(env, bench, key, &c);
}

/* ---- attention ---- */

static greta_status attn(struct bench_env *env, const struct bench *bench, uint32_t n_tok, uint32_t n_ctx,
                         uint32_t n_head_kv) {
    struct kc_case c = {.call = {.op = (enum greta_op)bench->op, .keys = {GRETA_TYPE_F16, 128}},
                        .step = {0, n_ctx - n_tok, n_ctx, 0}};
    char key[128];
    if (bench->op == GRETA_OP_ATTN)
        c.call.scalars.attn = (struct greta_scalars_attn){
            .n_tok = n_tok, .n_head = 32, .n_head_kv = n_head_kv, .n_ctx = n_ctx, .scale = 0.088f};
    else
        c.call.scalars.attn_split =
            (struct greta_scalars_attn_split){.n_head = 32,
                                              .n_head_kv = n_head_kv,
                                              .n_ctx = n_ctx,
                                              .n_split = (n_ctx + GRETA_ATTN_CHUNK - 1) / GRETA_ATTN_CHUNK,
                                              .scale = 0.088f};
    snprintf(key, sizeof key, "%s/heads32/kv%u/dim128/tokens%u/ctx%u", bench->name, n_head_kv, n_tok, n_ctx);
    return bench_call(env, bench, key, &c);
}

greta_status bench_attn(struct bench_env *env, const struct bench *bench) {
    static const uint32_t large[] = {1024, 4096};
    bool decode = bench->op == GRETA_OP_ATTN_SPLIT;
    greta_status status = GRETA_OK;
    if (!is_large(env)) return decode ? attn(env, bench, 1, 512, 8) : attn(env, bench, 32, 64, 8);
    for (unsigned i = 0; i < 2 * N(large) && !status; i++) {
        uint32_t n_ctx = large[i / 2], n_head_kv = i % 2 ? 8 : 32;
        if (decode)
            status = attn(env, bench, 1, n_ctx, n_head_kv);
        else if (i < 2)
            status = attn(env, bench, 256, 256, n_head_kv);
    }
    return status;
}

/* ---- matrix x vector ---- */

greta_status bench_matvec(struct bench_env *env, const struct bench *bench) {
    static const uint32_t types[] = {GRETA_TYPE_F16, GRETA_TYPE_Q8_0, GRETA_TYPE_Q4_0, GRETA_TYPE_Q4_K,
                                     GRETA_TYPE_Q6_K};
    static const uint32_t shapes[][2] = {{4096, 4096}, {11008, 4096}, {4096, 11008}, {4096, 14336}};
    const struct bench_params *p = &env->params;
    bool own = p->rows || p->cols;
    unsigned n = !own && p->preset == PRESET_PERF ? N(shapes) : 1;
    greta_status status = GRETA_OK;
    for (unsigned t = 0; t < N(types) && !status; t++)
        for (unsigned i = 0; i < n && !status; i++)
            for (int q8a = 0; q8a < 2 && !status; q8a++) {
                const uint32_t *shape = n > 1           ? shapes[i]
                                        : is_large(env) ? shapes[3]
                                                        : (const uint32_t[]){256, 1024};
                uint32_t rows = given(p->rows, shape[0]), cols = given(p->cols, shape[1]),
                         block = greta_type_get_info(types[t])->block_elements;
                struct kc_case c = {.call = {.op = GRETA_OP_MATVEC,
                                             .keys = {types[t], q8a ? GRETA_TYPE_Q8A : GRETA_TYPE_F32, 0}}};
                char key[128];
                if (q8a && (!greta_type_get_info(types[t])->quantized ||
                            greta_plan_x_type(env->plan, types[t], 1, rows, cols) != GRETA_TYPE_Q8A))
                    continue;
                c.call.scalars.matvec = (struct greta_scalars_matvec){rows, cols};
                snprintf(key, sizeof key, "%s/%s%s/%ux%u", bench->name, greta_type_get_info(types[t])->name,
                         q8a ? "/x8" : "", rows, cols);
                status = cols % block
                             ? bench_skip(env, bench->name, key, "cols is no multiple of the type's block")
                             : bench_call(env, bench, key, &c);
            }
    return status;
}

/* ---- the roof ---- */

/* Hardly anything is written: many devices read faster than they copy. */
static greta_status roof_read(struct bench_env *env) {
    const struct bench one = {.name = "roof", .op = GRETA_OP_MATVEC, .rows = "auto"};
    uint32_t n = env->limits->is_cpu ? 4096 : 16384;
    struct kc_case c = {.call = {.op = GRETA_OP_MATVEC, .keys = {GRETA_TYPE_F16, GRETA_TYPE_F32, 0}}};
    c.call.scalars.matvec = (struct greta_scalars_matvec){n, n};
    return bench_call(env, &one, "roof/read by a matvec", &c);
}

greta_status bench_roof(struct bench_env *env, const struct bench *bench) {
    const struct bench_params before = env->params;
    struct bench one = {.name = "roof", .op = GRETA_OP_GEMM, .rows = "auto"};
    uint32_t size = env->limits->is_cpu ? 512 : 4096;
    if (bench_counts(env))
        return bench_skip(env, bench->name, "roof", "an emulated device has counts, not speeds");
    env->params.preset = PRESET_PERF;
    env->params.m = env->params.n = env->params.k = size;
    greta_status status = bench_copy_kernel(env);
    if (!status) status = roof_read(env);
    if (!status) status = bench_gemm(env, &one);
    env->params = before;
    return status;
}

/* ---- all of them ---- */

/* The ops of a layer of Llama-2-7B in its shapes, one token and a prompt's rows: of the cpu, whose primitives they are. */
greta_status bench_primitives(struct bench_env *env, const struct bench *bench) {
    static const struct {
        const char *name;
        uint32_t rows, cols;
    } parts[] = {{"rms_norm", 1, 4096}, {"layer_norm", 1, 4096}, {"softmax", 32, 1024},
                 {"silu", 1, 11008},    {"rope", 0, 0},          {"kv_update", 0, 0},
                 {"attn_decode", 0, 0}, {"attn_prefill", 0, 0},  {"matvec", 4096, 4096}};
    const struct bench_params before = env->params;
    greta_status status = GRETA_OK;
    if (!env->limits->is_cpu) return bench_skip(env, bench->name, bench->name, "it is of the cpu device");
    for (unsigned i = 0; i < N(parts) && !status; i++) {
        char name[64];
        struct bench one = *bench_find(parts[i].name, &one);
        snprintf(name, sizeof name, "%s/%s", bench->name, one.name);
        one.name = name;
        env->params.rows = parts[i].rows;
        env->params.cols = parts[i].cols;
        status = one.run(env, &one);
    }
    env->params = before;
    return status;
}
