/* One layer of Llama-2-7B decoding one token, or a small one like it for a verdict: the calls that the runner would make of it, as one. */
#include "bench.h"
#include "verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_DIM = 128, MAX_EMBD = 4096, MAX_CALLS = 10 };

struct layer {
    const char *name;
    uint32_t n_embd, n_ff, n_head, n_ctx, pos;
};
static const struct layer llama_7b = {"llama-2-7b", 4096, 11008, 32, 2048, 1023},
                          small = {"small", 512, 1024, 4, 256, 191};

enum tensor {
    W_Q,
    W_K,
    W_V,
    W_O,
    W_GATE,
    W_UP,
    W_DOWN,
    NORM,
    X,
    XN,
    Q,
    ATT,
    ACT,
    K_CACHE,
    V_CACHE,
    PARTIALS,
    TABLE,
    STEP,
    N_TENSORS
};

struct block {
    struct bench_env *env;
    const struct layer *of;
    uint32_t type;
    enum greta_layout layout;
    struct greta_buf *bufs[N_TENSORS];
    struct greta_call calls[MAX_CALLS];
    uint32_t n_calls;
};

static uint32_t rows_of(const struct block *b, enum tensor t) {
    return t == W_GATE || t == W_UP ? b->of->n_ff : b->of->n_embd;
}
static uint32_t cols_of(const struct block *b, enum tensor t) {
    return t == W_DOWN ? b->of->n_ff : b->of->n_embd;
}
static uint32_t n_split(const struct block *b) {
    return (b->of->pos + GRETA_ATTN_CHUNK) / GRETA_ATTN_CHUNK;
}

static uint64_t bytes_of(const struct block *b, enum tensor t) {
    switch (t) {
    case NORM:
    case X:
    case XN:
    case Q:
    case ATT: return b->of->n_embd * UINT64_C(4);
    case ACT: return b->of->n_ff * UINT64_C(4);
    case K_CACHE:
    case V_CACHE: return (uint64_t)b->of->n_ctx * b->of->n_embd * 2;
    case PARTIALS: return (uint64_t)b->of->n_head * n_split(b) * (2 + HEAD_DIM) * 4;
    case TABLE: return (uint64_t)b->of->n_ctx * HEAD_DIM / 2 * 8;
    case STEP: return 16;
    default: return greta_layout_bytes(b->layout, b->type, rows_of(b, t), cols_of(b, t));
    }
}

/* ---- what is in them ---- */

/* 64 rows of real blocks, over and over. */
static greta_status weight_write(struct block *b, enum tensor t, struct kc_rng *rng) {
    uint64_t n_rows = rows_of(b, t), n_cols = cols_of(b, t), bytes = bytes_of(b, t);
    uint8_t *rows = malloc((size_t)(64 * greta_layout_bytes(GRETA_LAYOUT_ROWS, b->type, 1, n_cols))),
            *packed = calloc(1, (size_t)bytes);
    greta_status status = rows && packed ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    if (!status) kc_fill_weights(rng, KC_NORMAL, b->type, 64, n_cols, rows);
    for (uint64_t r = 0; r < n_rows && !status; r += 64)
        status = greta_layout_pack(b->layout, b->type, n_rows, n_cols, r, r + 64, rows, packed);
    if (!status) status = greta_stream_write(b->env->stream, b->bufs[t], 0, packed, bytes);
    free(rows);
    free(packed);
    return status;
}

static greta_status floats_write(struct block *b, enum tensor t, struct kc_rng *rng) {
    uint64_t n = bytes_of(b, t) / 4;
    float *values = malloc((size_t)n * 4);
    if (!values) return GRETA_ERR_NO_MEMORY;
    for (uint64_t i = 0; i < n; i++) {
        double random = (double)(kc_random(rng) >> 11) * 0x1p-53,
               angle = (double)(i / HEAD_DIM) * pow(1e4, -(double)(i / 2 % (HEAD_DIM / 2)) / (HEAD_DIM / 2));
        values[i] = (float)(t == NORM    ? 0.5 + random
                            : t == TABLE ? (i % 2 ? sin(angle) : cos(angle))
                                         : 2 * random - 1);
    }
    greta_status status = greta_stream_write(b->env->stream, b->bufs[t], 0, values, n * 4);
    free(values);
    return status;
}

static greta_status tensors_make(struct block *b) {
    const uint32_t step[4] = {0, b->of->pos, b->of->pos + 1, 0};
    struct kc_rng rng = {b->env->params.seed};
    greta_status status = GRETA_OK;
    for (int t = 0; t < N_TENSORS && !status; t++) {
        status = greta_buf_create(b->env->dev, bytes_of(b, (enum tensor)t), GRETA_MEM_DEVICE, &b->bufs[t]);
        if (status) break;
        if (t <= W_DOWN)
            status = weight_write(b, (enum tensor)t, &rng);
        else if (t == NORM || t == X || t == TABLE)
            status = floats_write(b, (enum tensor)t, &rng);
        else if (t == K_CACHE || t == V_CACHE) /* f16: 0.0625 */
            status =
                greta_stream_fill(b->env->stream, b->bufs[t], 0, bytes_of(b, (enum tensor)t), 0x2C002C00);
    }
    return status ? status : greta_stream_update(b->env->stream, b->bufs[STEP], 0, step, sizeof step);
}

/* ---- the calls ---- */

static struct greta_call *add_call(struct block *b, enum greta_op op, const enum tensor *tensors,
                                   uint32_t n) {
    struct greta_call *c = &b->calls[b->n_calls++];
    *c = (struct greta_call){.op = op, .layout = b->layout};
    for (uint32_t i = 0; i < n; i++) c->bindings[i].buf = b->bufs[tensors[i]];
    return c;
}
#define CALL(op, ...)                                   \
    add_call(b, op, (const enum tensor[]){__VA_ARGS__}, \
             sizeof((const enum tensor[]){__VA_ARGS__}) / sizeof(enum tensor))

static void norm(struct block *b) {
    CALL(GRETA_OP_RMS_NORM, X, NORM, XN)->scalars.rms_norm =
        (struct greta_scalars_rms_norm){1, b->of->n_embd, 1e-5f};
}

static void qkv(struct block *b, bool with_norm) {
    struct greta_call *c = CALL(GRETA_OP_MATVEC_QKV, W_Q, W_K, W_V, with_norm ? X : XN, NORM, X, TABLE, STEP,
                                Q, K_CACHE, V_CACHE);
    const uint32_t keys[] = {b->type, b->type, GRETA_TYPE_F32, GRETA_TYPE_F16, 0, with_norm, 0};
    memcpy(c->keys, keys, sizeof keys);
    c->scalars.matvec_qkv = (struct greta_scalars_matvec_qkv){
        b->of->n_head, b->of->n_head, HEAD_DIM, HEAD_DIM, b->of->n_ctx, b->of->n_embd, 1e-5f};
}

static void glu(struct block *b, bool with_norm) {
    struct greta_call *c = CALL(GRETA_OP_MATVEC_GLU, W_GATE, W_UP, with_norm ? X : XN, NORM, ACT);
    const uint32_t keys[] = {b->type, GRETA_TYPE_F32, GRETA_ACT_SILU, with_norm};
    memcpy(c->keys, keys, sizeof keys);
    c->scalars.matvec_glu = (struct greta_scalars_matvec_glu){b->of->n_ff, b->of->n_embd, 1e-5f};
}

/* The residual is added by the matvec. */
static void matvec(struct block *b, enum tensor w, enum tensor x) {
    struct greta_call *c = CALL(GRETA_OP_MATVEC, w, x, X);
    const uint32_t keys[] = {b->type, GRETA_TYPE_F32, 1};
    memcpy(c->keys, keys, sizeof keys);
    c->scalars.matvec = (struct greta_scalars_matvec){b->of->n_embd, cols_of(b, w)};
}

static void attention(struct block *b, bool split) {
    struct greta_call *c;
    if (!split) {
        c = CALL(GRETA_OP_ATTN, Q, K_CACHE, V_CACHE, STEP, ATT);
        c->scalars.attn = (struct greta_scalars_attn){.n_tok = 1,
                                                      .n_head = b->of->n_head,
                                                      .n_head_kv = b->of->n_head,
                                                      .n_ctx = b->of->n_ctx,
                                                      .scale = 0.088f};
    } else {
        c = CALL(GRETA_OP_ATTN_SPLIT, Q, K_CACHE, V_CACHE, STEP, PARTIALS);
        c->scalars.attn_split = (struct greta_scalars_attn_split){.n_head = b->of->n_head,
                                                                  .n_head_kv = b->of->n_head,
                                                                  .n_ctx = b->of->n_ctx,
                                                                  .n_split = n_split(b),
                                                                  .scale = 0.088f};
    }
    c->keys[0] = GRETA_TYPE_F16;
    c->keys[1] = HEAD_DIM;
    if (!split) return;
    c = CALL(GRETA_OP_ATTN_REDUCE, PARTIALS, STEP, ATT);
    c->keys[0] = HEAD_DIM;
    c->scalars.attn_reduce = (struct greta_scalars_attn_reduce){b->of->n_head, n_split(b)};
}

/* With the norms inside the matrices, or before them. */
static void calls_make(struct block *b, struct greta_plan *plan, bool with_norm) {
    b->n_calls = 0;
    if (!with_norm) norm(b);
    qkv(b, with_norm);
    attention(b, greta_plan_split_attn(plan, HEAD_DIM, b->of->pos + 1));
    matvec(b, W_O, ATT);
    if (!with_norm) norm(b);
    glu(b, with_norm);
    matvec(b, W_DOWN, ACT);
}

static bool plan_serves(const struct block *b, struct greta_plan *plan) {
    bool ok = true;
    for (uint32_t i = 0; i < b->n_calls && ok; i++) {
        const struct greta_variant *row;
        ok = greta_plan_choose(plan, &b->calls[i], &row) == GRETA_OK;
    }
    return ok;
}

/* ---- running ---- */

struct run {
    struct block *block;
    struct greta_plan *plan;
    struct greta_graph *graph;
};

static greta_status record_calls(struct block *b, struct greta_plan *plan, struct greta_stream *stream) {
    greta_status status = GRETA_OK;
    for (uint32_t i = 0; i < b->n_calls && !status; i++) status = greta_op_record(plan, stream, &b->calls[i]);
    return status;
}

static greta_status launch(void *user, struct greta_stream *stream, uint32_t i) {
    struct run *r = user;
    (void)i;
    return greta_graph_launch(stream, r->graph);
}

static greta_status output(struct block *b, struct greta_plan *plan, float *out) {
    struct kc_rng rng = {b->env->params.seed + 1};
    greta_status status = floats_write(b, X, &rng);
    if (!status) status = record_calls(b, plan, b->env->stream);
    return status ? status
                  : greta_stream_read(b->env->stream, b->bufs[X], 0, out, b->of->n_embd * UINT64_C(4));
}

/* Against the same layer by an exact plan with norms of their own: within a hundredth of the largest value. *worst: in such hundredths. */
static greta_status check(struct block *b, struct greta_plan *plan, bool with_norm, double *worst) {
    float got[MAX_EMBD], want[MAX_EMBD];
    struct greta_plan *exact = NULL;
    double largest = 0, error = 0;
    greta_status status = output(b, plan, got);
    if (!status)
        status =
            greta_plan_create(b->env->dev, &(struct greta_plan_params){.policy = GRETA_POLICY_EXACT}, &exact);
    if (!status) {
        calls_make(b, exact, false);
        status = output(b, exact, want);
        calls_make(b, plan, with_norm);
    }
    for (uint32_t i = 0; i < b->of->n_embd && !status; i++) {
        double off = fabs((double)got[i] - want[i]);
        largest = fmax(largest, fabs(want[i]));
        if (!(off <= error)) error = isnan(off) ? INFINITY : off;
    }
    *worst = largest > 0 ? error / (0.01 * largest) : INFINITY;
    greta_plan_destroy(&exact);
    return status;
}

static double block_bytes(const struct block *b) {
    double bytes = 0;
    for (int t = W_Q; t <= W_DOWN; t++) bytes += (double)bytes_of(b, (enum tensor)t);
    return bytes + 2.0 * (b->of->pos + 1) * b->of->n_embd * 2;
}

static double block_flops(const struct layer *l) {
    return 2.0 * l->n_embd * (4.0 * l->n_embd + 3.0 * l->n_ff) + 4.0 * (l->pos + 1) * l->n_embd;
}

static greta_status block_of(struct bench_env *env, const struct layer *of, uint32_t type) {
    struct block b = {.env = env, .of = of, .type = type};
    struct run r = {&b, env->plan, NULL};
    char key[96], reason[96];
    struct bench_result result = {.name = "llama_block", .key = key, .check = "an exact plan"};
    struct greta_measure_params p = bench_measure_params(env, 20, 0);
    snprintf(key, sizeof key, "llama_block/%s/%s/context%u", of->name, greta_type_get_info(type)->name,
             of->pos + 1);
    greta_status status = greta_plan_weight_layout(env->plan, type, &b.layout);
    if (!status) status = tensors_make(&b);
    bool with_norm = true;
    if (!status) calls_make(&b, env->plan, true);
    if (!status && !greta_plan_fuses(env->plan, &b.calls[0])) calls_make(&b, env->plan, with_norm = false);
    if (!status && !plan_serves(&b, env->plan)) status = GRETA_ERR_UNSUPPORTED;
    if (!status) status = check(&b, env->plan, with_norm, &result.worst);
    result.bytes = block_bytes(&b);
    result.flops = block_flops(of);
    if (!status && result.worst <= 1) {
        status = greta_graph_begin(env->stream);
        if (!status) status = record_calls(&b, env->plan, env->stream);
        if (!status) status = greta_graph_end(env->stream, &r.graph);
        if (!status) status = bench_measure(env, launch, &r, &p, &result);
    }
    greta_graph_destroy(&r.graph);
    for (int t = 0; t < N_TENSORS; t++) greta_buf_destroy(&b.bufs[t]);
    if (status == GRETA_ERR_DEVICE_LOST || status == GRETA_ERR_NO_MEMORY) return status;
    if (status) {
        bool late = status == GRETA_ERR_TIMEOUT && result.predicted_ns > 0;
        result.status = late || status == GRETA_ERR_NO_DEVICE_MEMORY || status == GRETA_ERR_UNSUPPORTED
                            ? BENCH_SKIPPED
                            : BENCH_FAILED;
        result.reason =
            late ? bench_too_slow(env, &result, reason, sizeof reason) : greta_status_text(status);
    } else if (!(result.worst <= 1)) {
        snprintf(reason, sizeof reason, "its result is wrong by %.3g hundredths of the largest value",
                 result.worst);
        result.status = BENCH_FAILED;
        result.reason = reason;
    }
    result.shape = json_pack("{si ss si}", "calls", (int)b.n_calls, "w_type", greta_type_get_info(type)->name,
                             "context", (int)of->pos + 1);
    return bench_add(env, &result);
}

greta_status bench_block(struct bench_env *env, const struct bench *bench) {
    static const uint32_t types[] = {GRETA_TYPE_F16, GRETA_TYPE_Q8_0, GRETA_TYPE_Q4_K};
    greta_status status = GRETA_OK;
    const bool is_small = env->params.preset == PRESET_VERIFY && !env->params.own_sizes;
    (void)bench;
    for (int i = 0; i < 3 && !status; i++) status = block_of(env, is_small ? &small : &llama_7b, types[i]);
    return status;
}
