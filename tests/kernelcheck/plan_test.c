/* Plans on the cpu device: choices, forced rows, what is said where nothing serves, no allocation once a shape is known, and
 * what happens where memory is out. */
#include "../alloc.h"
#include "verify.h"

#include <greta/env.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is common ---- */

static int n_wrong;
static char last_message[1200];

static void keep_message(void *user, enum greta_log_level level, const char *message) {
    (void)user;
    (void)level;
    snprintf(last_message, sizeof last_message, "%s", message);
}
static const struct greta_log test_log = {keep_message, NULL, GRETA_LOG_ERROR};

#define EXPECT(condition)                                                                        \
    do {                                                                                         \
        if (!(condition)) {                                                                      \
            n_wrong++;                                                                           \
            printf("FAIL line %d: %s (last message: %s)\n", __LINE__, #condition, last_message); \
        }                                                                                        \
    } while (0)

static bool said(const char *text) {
    return strstr(last_message, text) != NULL;
}

struct fixture {
    struct greta_ctx *ctx;
    struct greta_dev *dev;
    struct greta_stream *stream;
    struct greta_buf *bufs[4];
};

static greta_status fixture_open(struct fixture *f) {
    *f = (struct fixture){NULL};
    greta_status status =
        greta_ctx_create(&(struct greta_ctx_params){.log = &test_log, .n_threads = 2}, &f->ctx);
    if (!status) status = greta_dev_open(f->ctx, "cpu", NULL, &f->dev);
    if (!status) status = greta_stream_create(f->dev, &f->stream);
    for (int i = 0; !status && i < 4; i++) {
        status = greta_buf_create(f->dev, 65536, GRETA_MEM_DEVICE, &f->bufs[i]);
        if (!status) status = greta_stream_fill(f->stream, f->bufs[i], 0, 65536, 0);
    }
    return status;
}

static void fixture_close(struct fixture *f) {
    for (int i = 0; i < 4; i++) greta_buf_destroy(&f->bufs[i]);
    greta_stream_destroy(&f->stream);
    greta_dev_close(&f->dev);
    greta_ctx_destroy(&f->ctx);
}

static greta_status plan_make(struct fixture *f, enum greta_policy policy, const char *force,
                              struct greta_plan **out) {
    last_message[0] = 0;
    return greta_plan_create(f->dev, &(struct greta_plan_params){.policy = policy, .force = force}, out);
}

static struct greta_call matmul_call(const struct fixture *f, uint32_t w_type, uint32_t x_type) {
    struct greta_call call = {.op = GRETA_OP_MATMUL, .keys = {w_type, x_type}};
    call.scalars.matmul = (struct greta_scalars_matmul){4, 32, 64};
    for (int i = 0; f && i < 3; i++) call.bindings[i].buf = f->bufs[i];
    return call;
}

static const struct greta_variant *row_named(const char *name) {
    for (uint32_t i = 0; i < greta_variant_count(); i++)
        if (!strcmp(greta_variant_name(greta_variant_at(i)), name)) return greta_variant_at(i);
    return NULL;
}

/* ---- tests ---- */

static void test_op_info(void) {
    const struct greta_op_info *matvec = greta_op_get_info(GRETA_OP_MATVEC),
                               *rms = greta_op_get_info(GRETA_OP_ADD_RMS_NORM);
    EXPECT(!strcmp(matvec->name, "matvec") && matvec->n_bindings == 3 && matvec->n_scalars == 2 &&
           matvec->n_keys == 3);
    EXPECT(!strcmp(matvec->binding_names[2], "y") && matvec->access[2] == GRETA_READ_WRITE &&
           matvec->access[0] == GRETA_READ);
    EXPECT(!strcmp(matvec->key_names[0], "w_type") && !strcmp(matvec->scalar_names[1], "n_cols"));
    EXPECT(rms->access[0] == GRETA_READ_WRITE && rms->n_keys == 0 && rms->scalar_is_f32[2] &&
           !rms->scalar_is_f32[0]);
    EXPECT(!greta_op_get_info(GRETA_N_OPS));
    EXPECT(greta_type_from_ggml(12)->type == GRETA_TYPE_Q4_K && !greta_type_from_ggml(9));
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++) {
        const struct greta_type_info *t = greta_type_get_info(type);
        EXPECT(t && t->type == type && greta_type_from_ggml(t->ggml_type) == t);
    }
    EXPECT(greta_type_get_info(GRETA_TYPE_Q6_K)->block_bytes == 210 && !greta_type_get_info(99));
    EXPECT(!greta_variant_at(greta_variant_count()));
    for (uint32_t i = 0; i < greta_variant_count(); i++)
        for (uint32_t k = 0; k < i; k++) {
            const struct greta_variant *a = greta_variant_at(i), *b = greta_variant_at(k);
            EXPECT(a->format != b->format || strcmp(a->name, b->name));
        }
}

/* What a plan does without where it has no row. */
static bool is_optional(int format, int op) {
    return op == GRETA_OP_QUANTIZE || op == GRETA_OP_ADD_RMS_NORM_QUANTIZE || op == GRETA_OP_UNPACK ||
           (op == GRETA_OP_MATVEC_SPLIT && format == GRETA_IMAGE_HOST);
}

/* Each format that has rows at all has an exact one for every op but those; exact rows round nothing. */
static void test_table(void) {
    bool any[3] = {false}, exact[3][GRETA_N_OPS] = {{false}};
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        bool is_exact = v->flags & VARIANT_EXACT, always = !(v->flags & VARIANT_FORCED_ONLY);
        any[v->format] = true;
        exact[v->format][v->op] |= is_exact && always;
        EXPECT(v->n_groups && v->image && v->entry && v->n_tunables <= VARIANT_MAX_TUNABLES);
        if (is_exact) EXPECT(v->operand_eps == 0 && (!v->w_types || v->x_type == GRETA_TYPE_F32));
    }
    for (int format = 0; format < 3; format++)
        for (int op = 0; op < GRETA_N_OPS; op++)
            EXPECT(!any[format] || exact[format][op] || is_optional(format, op));
}

/* Heads that share K and V are taken at once by as many as leave every compute unit a workgroup, on small GPUs. */
static void test_heads_at_once(void) {
    static const struct {
        uint32_t n_units, n_head, n_head_kv, n_split;
        const char *row;
    } cases[] = {{132, 32, 8, 4, "attn_split_one_512"}, {132, 32, 8, 17, "attn_split_one_512"},
                 {32, 32, 8, 3, "attn_split_pair"},     {32, 32, 8, 4, "attn_split_grouped"},
                 {32, 32, 8, 1, "attn_split_one"},      {8, 32, 8, 4, "attn_split_grouped"},
                 {8, 32, 32, 4, "attn_split_one"},      {8, 32, 16, 4, "attn_split_pair"},
                 {8, 9, 3, 4, "attn_split_grouped"}};
    for (unsigned i = 0; row_named("attn_split_grouped") && i < sizeof cases / sizeof *cases; i++) {
        struct greta_limits limits = {.n_compute_units = cases[i].n_units,
                                      .has_16bit_storage = true,
                                      .max_lds_bytes = 49152,
                                      .max_group_threads = 1024};
        struct greta_call call = {.op = GRETA_OP_ATTN_SPLIT, .keys = {GRETA_TYPE_F16, 128}};
        const struct greta_variant *first = NULL;
        call.scalars.attn_split = (struct greta_scalars_attn_split){
            cases[i].n_head, cases[i].n_head_kv, 256 * cases[i].n_split, cases[i].n_split, 0, 1, 0};
        for (uint32_t k = 0; !first && k < greta_variant_count(); k++) {
            const struct greta_variant *v = greta_variant_at(k);
            if (v->format == GRETA_IMAGE_SPIRV && !greta_variant_refusal(v, &limits, &call) &&
                !v->unwise(v, &limits, &call))
                first = v;
        }
        EXPECT(first && !strcmp(first->name, cases[i].row));
    }
}

/* The row of code for HIP that a GPU without matrix units takes. */
static const char *hip_row(const struct greta_call *call) {
    struct greta_limits limits = {
        .n_compute_units = 6, .subgroup_min = 32, .subgroup_max = 32, .max_group_threads = 1024};
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (v->format == GRETA_IMAGE_AMDGPU && !greta_variant_refusal(v, &limits, call) &&
            (!v->unwise || !v->unwise(v, &limits, call)))
            return v->name;
    }
    return "";
}

/* Heads whose size a kernel was built for take that one, all others up to 256 the one for any size. */
static void test_any_heads(void) {
    static const uint32_t kv_types[] = {GRETA_TYPE_F32, GRETA_TYPE_F16, GRETA_TYPE_Q8_0};
    uint64_t n_any = 0;
    for (uint32_t head_dim = 1; row_named("attn_reduce_any") && head_dim <= 264; head_dim++)
        for (unsigned t = 0; t < 3; t++) {
            bool built = (head_dim & (head_dim - 1)) == 0
                             ? head_dim >= 8
                             : head_dim == 40 || head_dim == 48 || head_dim == 80 || head_dim == 96;
            struct greta_call attn = {.op = GRETA_OP_ATTN, .keys = {kv_types[t], head_dim}}, split = attn,
                              reduce = {.op = GRETA_OP_ATTN_REDUCE, .keys = {head_dim}};
            if (kv_types[t] == GRETA_TYPE_Q8_0 && head_dim % 32) continue;
            attn.scalars.attn = (struct greta_scalars_attn){3, 8, 2, 700, 0, 1, 0};
            split.op = GRETA_OP_ATTN_SPLIT;
            split.scalars.attn_split = (struct greta_scalars_attn_split){8, 2, 700, 3, 0, 1, 0};
            reduce.scalars.attn_reduce = (struct greta_scalars_attn_reduce){8, 3};
            const char *rows[] = {hip_row(&attn), hip_row(&split), hip_row(&reduce)};
            for (unsigned i = 0; i < 3; i++) {
                const char *tail = strstr(rows[i], "_any");
                EXPECT(head_dim > 256 ? !rows[i][0] : rows[i][0] && built == !tail);
                n_any += tail != NULL;
            }
        }
    EXPECT(!row_named("attn_reduce_any") || n_any == 3 * (2 * 246 + 3));
}

/* Split-K: on no cpu, and never below two pieces, or more than there are. */
static void test_split_matvec(struct fixture *f) {
    struct greta_plan *plan;
    struct greta_call call = {.op = GRETA_OP_MATVEC_SPLIT, .keys = {GRETA_TYPE_F16, GRETA_TYPE_F32}};
    EXPECT(plan_make(f, 0, "", &plan) == GRETA_OK);
    call.scalars.matvec_split = (struct greta_scalars_matvec_split){8, 64, 4};
    EXPECT(greta_op_binding_bytes(&call, 0) == 8 * 64 * 2 && greta_op_binding_bytes(&call, 1) == 64 * 4 &&
           greta_op_binding_bytes(&call, 2) == 8 * 4 && greta_op_binding_bytes(&call, 3) == 8 * 4 &&
           greta_op_binding_bytes(&call, 4) == 8 * 4 * 4);
    const struct greta_variant *row;
    for (uint32_t n_split = 0; n_split <= 33; n_split += 33) {
        call.scalars.matvec_split.n_split = n_split;
        EXPECT(greta_plan_choose(plan, &call, &row) == GRETA_ERR_INVALID && said("n_split"));
    }
    struct greta_call matvec = {
        .op = GRETA_OP_MATVEC, .keys = {GRETA_TYPE_F16, GRETA_TYPE_F32}, .scalars.matvec = {8, 65536}};
    EXPECT(greta_plan_split_matvec(plan, &matvec) == 1);
    struct greta_call split = greta_matvec_split_call(&matvec, 5, (struct greta_binding){.offset_bytes = 16},
                                                      (struct greta_binding){.offset_bytes = 32});
    EXPECT(split.op == GRETA_OP_MATVEC_SPLIT && split.scalars.matvec_split.n_rows == 8 &&
           split.scalars.matvec_split.n_cols == 65536 && split.scalars.matvec_split.n_split == 5 &&
           split.bindings[3].offset_bytes == 16 && split.bindings[4].offset_bytes == 32);
    greta_plan_destroy(&plan);
}

static void test_binding_bytes(void) {
    struct greta_call call = matmul_call(NULL, GRETA_TYPE_Q4_0, GRETA_TYPE_Q8A);
    EXPECT(greta_op_binding_bytes(&call, 0) == 32 * 2 * 18);
    EXPECT(greta_op_binding_bytes(&call, 1) == 4 * (64 + 16 + 16));
    EXPECT(greta_op_binding_bytes(&call, 2) == 4 * 32 * 4);
    call.layout = GRETA_LAYOUT_PACKED;
    EXPECT(greta_op_binding_bytes(&call, 0) == 32 * 2 * 16 + 32 * 2 * 2);
    call.scalars.matmul = (struct greta_scalars_matmul){UINT32_MAX, UINT32_MAX, UINT32_MAX - 31};
    for (uint32_t i = 0; i < 3; i++) EXPECT(greta_op_binding_bytes(&call, i) == UINT64_MAX);
}

static void test_force(struct fixture *f) {
    struct greta_plan *plan;
    const struct greta_variant *row;
    EXPECT(plan_make(f, 0, "matvec", &plan) == GRETA_ERR_INVALID && !plan && said("op=row"));
    EXPECT(plan_make(f, 0, "matwreck=x", &plan) == GRETA_ERR_INVALID && said("matwreck"));
    EXPECT(plan_make(f, 0, "matmul=none_such", &plan) == GRETA_ERR_INVALID && said("none_such") &&
           said("matmul_plain"));
    EXPECT(plan_make(f, 0, ",matmul=matmul_plain,", &plan) == GRETA_OK);
    struct greta_call call = matmul_call(f, GRETA_TYPE_Q8_0, GRETA_TYPE_F32);
    EXPECT(greta_plan_x_type(plan, GRETA_TYPE_Q8_0, 4, 32, 64) == GRETA_TYPE_F32);
    EXPECT(greta_plan_choose(plan, &call, &row) == GRETA_OK && row == row_named("matmul_plain"));
    call.keys[1] = GRETA_TYPE_Q8A;
    EXPECT(greta_plan_choose(plan, &call, &row) == GRETA_ERR_INVALID && !row && said("asked for") &&
           said("matmul_plain"));
    greta_plan_destroy(&plan);
    EXPECT(!plan);
    setenv(greta_env_name(GRETA_ENV_FORCE), "matmul=from_env", 1);
    EXPECT(plan_make(f, 0, NULL, &plan) == GRETA_ERR_INVALID && said("from_env") && said("GRETA_FORCE"));
    EXPECT(plan_make(f, 0, "", &plan) == GRETA_OK); /* what is given stands before the variable */
    unsetenv(greta_env_name(GRETA_ENV_FORCE));
    greta_plan_destroy(&plan);
    greta_plan_destroy(&plan);
}

/* The first case of each op that is no product of 8-bit activations must have a row under every policy. */
struct exact {
    struct greta_plan *plan;
    enum greta_layout layout;
};

static void choose_exact(void *user, const struct kc_case *c) {
    const struct exact *e = user;
    const struct greta_variant *row;
    struct greta_call call = c->call;
    call.layout = e->layout;
    if (kc_is_product(call.op) && kc_x_type(&call) != GRETA_TYPE_F32) return;
    if (kc_is_product(call.op) && op_extras(&call) & EXTRA_NORM) return; /* of GPUs */
    if (call.op == GRETA_OP_MATVEC_SPLIT || call.op == GRETA_OP_UNPACK) return;
    EXPECT(greta_plan_choose(e->plan, &call, &row) == GRETA_OK && row && (row->flags & VARIANT_EXACT));
}

static void test_policy(struct fixture *f) {
    struct greta_plan *plan, *exact;
    EXPECT(plan_make(f, GRETA_POLICY_DEFAULT, "", &plan) == GRETA_OK);
    EXPECT(plan_make(f, GRETA_POLICY_EXACT, "", &exact) == GRETA_OK);
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++) {
        enum greta_layout layout, exact_layout;
        bool quantized = greta_type_get_info(type)->quantized && GRETA_TYPE_IS_PACKED(type);
        EXPECT(greta_plan_weight_layout(plan, type, &layout) == GRETA_OK);
        EXPECT(greta_plan_weight_layout(exact, type, &exact_layout) == GRETA_OK && layout == exact_layout);
        for (uint32_t n_tok = 1; n_tok <= 8; n_tok += 7) {
            EXPECT(greta_plan_x_type(exact, type, n_tok, 256, 256) == GRETA_TYPE_F32);
            if (quantized) EXPECT(greta_plan_x_type(plan, type, n_tok, 256, 256) == GRETA_TYPE_Q8A);
        }
    }
    enum greta_layout none;
    EXPECT(greta_plan_weight_layout(plan, GRETA_TYPE_U32, &none) == GRETA_ERR_INVALID);
    EXPECT(!greta_plan_split_attn(plan, 64, 4096)); /* few cores: nothing to gain */
    struct exact e = {exact, GRETA_LAYOUT_ROWS};
    for (int op = 0; op < GRETA_N_OPS; op++)
        if (op != GRETA_OP_QUANTIZE) kc_cases((enum greta_op)op, choose_exact, &e);
    greta_plan_destroy(&plan);
    greta_plan_destroy(&exact);
}

static void test_refusals(struct fixture *f) {
    struct greta_plan *plan;
    const struct greta_variant *row;
    EXPECT(plan_make(f, 0, "", &plan) == GRETA_OK);
    struct greta_call call = matmul_call(f, GRETA_TYPE_Q4_0, GRETA_TYPE_F32);
    call.layout = GRETA_LAYOUT_PACKED;
    EXPECT(greta_plan_choose(plan, &call, &row) == GRETA_ERR_UNSUPPORTED && !row);
    EXPECT(said("matmul") && said("n_rows 32") && said("w_type Q4_0") && said("packed") &&
           said("matmul_plain: "));
    call.layout = GRETA_LAYOUT_ROWS;
    call.scalars.matmul.n_cols = 65;
    EXPECT(greta_op_record(plan, f->stream, &call) == GRETA_ERR_INVALID && said("no multiple") &&
           said("n_cols 65"));
    call.keys[0] = 77;
    EXPECT(greta_op_record(plan, f->stream, &call) == GRETA_ERR_INVALID);
    call = matmul_call(f, GRETA_TYPE_F32, GRETA_TYPE_F32);
    call.bindings[1].buf = NULL;
    EXPECT(greta_op_record(plan, f->stream, &call) == GRETA_ERR_INVALID && said("no buffer for x"));
    call = matmul_call(f, GRETA_TYPE_F32, GRETA_TYPE_F32);
    call.bindings[2].offset_bytes = 65536 - 16;
    EXPECT(greta_op_record(plan, f->stream, &call) == GRETA_ERR_INVALID &&
           said("y needs 512 bytes and has 16"));
    call.bindings[2].offset_bytes = UINT64_MAX - 3;
    EXPECT(greta_op_record(plan, f->stream, &call) == GRETA_ERR_INVALID);
    call.bindings[2] = (struct greta_binding){f->bufs[2], 0, 65537, 0};
    EXPECT(greta_op_record(plan, f->stream, &call) == GRETA_ERR_INVALID);
    call.scalars.matmul = (struct greta_scalars_matmul){UINT32_MAX, UINT32_MAX, UINT32_MAX};
    EXPECT(greta_op_record(plan, f->stream, &call) == GRETA_ERR_INVALID);
    call = (struct greta_call){.op = GRETA_N_OPS};
    EXPECT(greta_op_record(plan, f->stream, &call) == GRETA_ERR_INVALID);
    EXPECT(greta_plan_choose(plan, &call, &row) == GRETA_ERR_INVALID);
    EXPECT(greta_op_record_variant(plan, f->stream, row_named("matmul_plain"), &call) == GRETA_ERR_INVALID);
    call = (struct greta_call){.op = GRETA_OP_TOP_K, .scalars.top_k = {1, 200, 129}};
    EXPECT(greta_op_record(plan, f->stream, &call) == GRETA_ERR_INVALID && said("128"));
    call = (struct greta_call){
        .op = GRETA_OP_ATTN, .keys = {GRETA_TYPE_F16, 64}, .scalars.attn = {1, 9, 2, 64, 0, 1, 0}};
    EXPECT(greta_op_record(plan, f->stream, &call) == GRETA_ERR_INVALID && said("n_head_kv"));
    greta_plan_destroy(&plan);
}

/* y = w x over small integers, by the plan's own choice; once more with a dispatch of nothing. */
static void test_result(struct fixture *f) {
    struct greta_plan *plan;
    float w[4] = {1, 2, 3, 4}, x[2] = {5, -6}, y[2] = {0};
    struct greta_call call = {
        .op = GRETA_OP_MATVEC, .keys = {GRETA_TYPE_F32, GRETA_TYPE_F32}, .scalars.matvec = {2, 2}};
    EXPECT(plan_make(f, 0, "", &plan) == GRETA_OK);
    EXPECT(greta_plan_prepare(plan, &call, 1) == GRETA_OK && greta_plan_prepare(plan, NULL, 0) == GRETA_OK);
    for (int i = 0; i < 3; i++) call.bindings[i].buf = f->bufs[i];
    EXPECT(!greta_stream_write(f->stream, f->bufs[0], 0, w, sizeof w) &&
           !greta_stream_write(f->stream, f->bufs[1], 0, x, sizeof x));
    EXPECT(!greta_op_record(plan, f->stream, &call) &&
           !greta_stream_read(f->stream, f->bufs[2], 0, y, sizeof y));
    EXPECT(y[0] == -7 && y[1] == -9);
    struct greta_call wrong = call;
    wrong.layout = GRETA_LAYOUT_PACKED;
    EXPECT(greta_plan_prepare(plan, &wrong, 1) == GRETA_ERR_UNSUPPORTED);
    greta_plan_destroy(&plan);
}

/* A fused op stands aside for a row that somebody asked for, and where no row serves. */
static void test_fuses(struct fixture *f) {
    static const char *const aside[] = {"matvec=matvec_plain", "act_mul=act_mul_plain"};
    struct greta_call call = {.op = GRETA_OP_MATVEC_GLU, .keys = {GRETA_TYPE_Q4_1, GRETA_TYPE_Q8A}};
    struct greta_plan *plan;
    call.scalars.matvec_glu = (struct greta_scalars_matvec_glu){48, 64, 1e-5f};
    EXPECT(plan_make(f, 0, "", &plan) == GRETA_OK && greta_plan_fuses(plan, &call));
    call.scalars.matvec_glu.n_cols = 65;
    EXPECT(!greta_plan_fuses(plan, &call));
    call.scalars.matvec_glu.n_cols = 64;
    call.layout = GRETA_LAYOUT_PACKED;
    EXPECT(!greta_plan_fuses(plan, &call));
    call.layout = GRETA_LAYOUT_ROWS;
    greta_plan_destroy(&plan);
    for (int i = 0; i < 2; i++) {
        EXPECT(plan_make(f, 0, aside[i], &plan) == GRETA_OK && !greta_plan_fuses(plan, &call));
        greta_plan_destroy(&plan);
    }
    EXPECT(plan_make(f, 0, "matvec=matvec_plain,matvec_glu=matvec_glu_q8a_plain", &plan) == GRETA_OK &&
           greta_plan_fuses(plan, &call));
    greta_plan_destroy(&plan);
    EXPECT(plan_make(f, GRETA_POLICY_EXACT, "", &plan) == GRETA_OK && !greta_plan_fuses(plan, &call));
    call.keys[1] = GRETA_TYPE_F32;
    EXPECT(greta_plan_fuses(plan, &call));
    greta_plan_destroy(&plan);
}

/* So do a residual that a product adds and a norm that rounds; a norm in a product is not for the host at all. */
static void test_fuses_norms(struct fixture *f) {
    struct greta_call add = {.op = GRETA_OP_MATVEC, .keys = {GRETA_TYPE_F16, GRETA_TYPE_F32, 1}};
    struct greta_call round = {.op = GRETA_OP_ADD_RMS_NORM_QUANTIZE};
    struct greta_call norm = {.op = GRETA_OP_MATVEC_GLU, .keys = {GRETA_TYPE_F16, GRETA_TYPE_F32, 0, 1}};
    struct greta_plan *plan;
    add.scalars.matvec = (struct greta_scalars_matvec){48, 64};
    round.scalars.add_rms_norm_quantize = (struct greta_scalars_add_rms_norm_quantize){1, 64, 1e-5f};
    norm.scalars.matvec_glu = (struct greta_scalars_matvec_glu){48, 64, 1e-5f};
    EXPECT(plan_make(f, 0, "", &plan) == GRETA_OK && greta_plan_fuses(plan, &add) &&
           greta_plan_fuses(plan, &round));
    EXPECT(!greta_plan_fuses(plan, &norm));
    norm.keys[1] = GRETA_TYPE_Q8A;
    EXPECT(!greta_plan_fuses(plan, &norm)); /* no row anywhere: outside the contract */
    greta_plan_destroy(&plan);
    EXPECT(plan_make(f, 0, "add_rms_norm=add_rms_norm_plain", &plan) == GRETA_OK);
    EXPECT(!greta_plan_fuses(plan, &add) && !greta_plan_fuses(plan, &round));
    add.keys[2] = 0;
    EXPECT(greta_plan_fuses(plan, &add));
    greta_plan_destroy(&plan);
}

static void test_no_allocation(struct fixture *f) {
    struct greta_plan *plan;
    struct greta_call calls[2] = {matmul_call(f, GRETA_TYPE_Q4_1, GRETA_TYPE_Q8A),
                                  {.op = GRETA_OP_ADD, .scalars.add = {512}}};
    for (int i = 0; i < 3; i++) calls[1].bindings[i].buf = f->bufs[i];
    EXPECT(plan_make(f, 0, "", &plan) == GRETA_OK);
    for (int round = 0; round < 2; round++) {
        allocations_begin(ALLOC_COUNT);
        for (int i = 0; i < 1000; i++) EXPECT(greta_op_record(plan, f->stream, &calls[i % 2]) == GRETA_OK);
        atomic_store(&fail_at, 0);
        EXPECT(round == 0 || atomic_load(&n_allocations) == 0);
        EXPECT(greta_stream_wait(f->stream) == GRETA_OK);
    }
    greta_plan_destroy(&plan);
}

/* Each allocation fails in turn, until none is left to fail: an error every time, nothing worse. */
static void test_out_of_memory(struct fixture *f) {
    struct greta_call calls[3] = {
        matmul_call(f, GRETA_TYPE_Q4_1, GRETA_TYPE_Q8A),
        matmul_call(f, GRETA_TYPE_F16, GRETA_TYPE_F32),
        {.op = GRETA_OP_FILL, .bindings[0].buf = f->bufs[0], .scalars.fill = {512, 1}}};
    unsigned long n = 0;
    for (bool failed = true; failed && n < 1000; n++) {
        struct greta_plan *plan = NULL;
        allocations_begin(n + 1);
        greta_status status =
            greta_plan_create(f->dev, &(struct greta_plan_params){.force = "fill=fill_plain"}, &plan);
        if (!status) status = greta_plan_prepare(plan, calls, 3);
        for (int i = 0; !status && i < 3; i++) status = greta_op_record(plan, f->stream, &calls[i]);
        failed = atomic_load(&n_allocations) > n;
        atomic_store(&fail_at, 0);
        EXPECT(!status || status == GRETA_ERR_NO_MEMORY);
        if (!failed) EXPECT(!status);
        greta_plan_destroy(&plan);
    }
    EXPECT(n > 4 && n < 1000);
}

/* ---- one plan, several threads ---- */

struct worker {
    struct fixture *f;
    struct greta_plan *plan;
    pthread_t thread;
    int index;
    bool ok;
};

static void *worker_run(void *user) {
    struct worker *w = user;
    struct greta_stream *stream = NULL;
    struct greta_buf *buf = NULL;
    uint32_t got[64];
    w->ok =
        !greta_stream_create(w->f->dev, &stream) && !greta_buf_create(w->f->dev, 256, GRETA_MEM_DEVICE, &buf);
    for (uint32_t i = 1; w->ok && i < 200; i++) {
        uint32_t value = i * 4 + (uint32_t)w->index, n = 1 + i % 64; /* many shapes: slots are taken over */
        struct greta_call call = {.op = GRETA_OP_FILL, .bindings[0].buf = buf, .scalars.fill = {n, value}};
        w->ok = !greta_op_record(w->plan, stream, &call) &&
                !greta_stream_read(stream, buf, 0, got, sizeof got) && got[0] == value && got[n - 1] == value;
    }
    greta_buf_destroy(&buf);
    greta_stream_destroy(&stream);
    return NULL;
}

static void test_threads(struct fixture *f) {
    struct worker workers[4];
    struct greta_plan *plan;
    EXPECT(plan_make(f, 0, "", &plan) == GRETA_OK);
    for (int i = 0; i < 4; i++) {
        workers[i] = (struct worker){.f = f, .plan = plan, .index = i};
        EXPECT(pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(workers[i].thread, NULL);
        EXPECT(workers[i].ok);
    }
    greta_plan_destroy(&plan);
}

int main(void) {
    struct fixture f;
    test_op_info();
    test_table();
    test_heads_at_once();
    test_any_heads();
    test_binding_bytes();
    greta_status status = fixture_open(&f);
    EXPECT(!status);
    if (!status) {
        test_force(&f);
        test_split_matvec(&f);
        test_policy(&f);
        test_refusals(&f);
        test_result(&f);
        test_fuses(&f);
        test_fuses_norms(&f);
        test_no_allocation(&f);
        test_threads(&f);
        test_out_of_memory(&f);
    }
    fixture_close(&f);
    printf("%d wrong\n", n_wrong);
    return n_wrong != 0;
}
