/* What a row left of one call against the reference, however large the call is. */
#include "verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Products, in multiplications, up to which the whole reference takes a fraction of a second; tokens and rows that are looked at beyond. */
enum { WHOLE = 1 << 27, N_TOKENS = 8, N_EXACT_ROWS = 64, MAX_PARTS = N_TOKENS };

/* One run of the reference: `call` on data that begins at these places; the result's row t is in the large one row first + t. */
struct part {
    struct greta_call call;
    const void *data[GRETA_OP_MAX_BINDINGS];
    uint32_t step[4], token;
    struct ref_output outputs[GRETA_OP_MAX_BINDINGS];
};

struct kc_judge {
    const struct kc_case *c;
    const struct kc_data *data;
    const struct greta_op_info *info;
    uint64_t seed;
    double eps; /* of the parts' outputs; negative: there are none yet */
    struct part parts[MAX_PARTS];
    uint32_t n_parts; /* 0: a large GEMM */
    struct verify_gemm *gemm;
};

static double n_products(const struct greta_call *call, const uint32_t step[4]) {
    const union greta_scalars *s = &call->scalars;
    switch (call->op) {
    case GRETA_OP_GEMM: return (double)s->gemm.m * s->gemm.n * s->gemm.k;
    case GRETA_OP_MATVEC: return (double)s->matvec.n_rows * s->matvec.n_cols;
    case GRETA_OP_MATVEC_GLU: return 2.0 * s->matvec_glu.n_rows * s->matvec_glu.n_cols;
    case GRETA_OP_MATMUL: return (double)s->matmul.n_tok * s->matmul.n_rows * s->matmul.n_cols;
    case GRETA_OP_ATTN:
        return 2.0 * s->attn.n_head * call->keys[1] * s->attn.n_tok * (step[1] + 0.5 * (s->attn.n_tok + 1));
    default: return 0;
    }
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static bool repeats(const struct kc_case *c) {
    return c->w_period && (c->call.op == GRETA_OP_MATVEC || c->call.op == GRETA_OP_MATVEC_GLU ||
                           (c->call.op == GRETA_OP_MATMUL && c->x_period));
}

/* The rows and tokens that do not repeat: they come first in every binding. */
static void cut(const struct kc_case *c, struct greta_call *call) {
    if (call->op == GRETA_OP_MATMUL) {
        call->scalars.matmul.n_tok = least(call->scalars.matmul.n_tok, c->x_period);
        call->scalars.matmul.n_rows = least(call->scalars.matmul.n_rows, c->w_period);
    } else /* the same scalars */
        call->scalars.matvec.n_rows = least(call->scalars.matvec.n_rows, c->w_period);
}

/* Tokens of a long prompt: the first two, the last, and others between. */
static void sample_tokens(struct kc_judge *j) {
    const struct greta_scalars_attn *s = &j->c->call.scalars.attn;
    struct kc_rng rng = {j->seed};
    uint64_t row = (uint64_t)s->n_head * j->c->call.keys[1] * 4;
    for (uint32_t i = 0; i < N_TOKENS; i++) {
        struct part *p = &j->parts[i];
        uint32_t t = i < 2 ? i : i == 2 ? s->n_tok - 1 : (uint32_t)(kc_random(&rng) % s->n_tok);
        p->token = t;
        p->call.scalars.attn.n_tok = 1;
        memcpy(p->step, j->c->step, sizeof p->step);
        p->step[1] += t;
        p->step[2] = p->step[1] + 1;
        p->data[0] = j->data->bytes[0] + t * row;
        p->data[3] = p->step;
    }
    j->n_parts = N_TOKENS;
}

struct kc_judge *kc_judge_make(const struct kc_case *c, const struct kc_data *data, uint64_t seed) {
    struct kc_judge *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    *j = (struct kc_judge){
        .c = c, .data = data, .info = greta_op_get_info(c->call.op), .seed = seed, .eps = -1};
    bool large = n_products(&c->call, c->step) > WHOLE;
    if (large && c->call.op == GRETA_OP_GEMM) return j;
    for (int i = 0; i < MAX_PARTS; i++) {
        j->parts[i].call = c->call;
        for (int b = 0; b < GRETA_OP_MAX_BINDINGS; b++) j->parts[i].data[b] = data->bytes[b];
    }
    j->n_parts = 1;
    if (repeats(c)) cut(c, &j->parts[0].call);
    if (large && c->call.op == GRETA_OP_ATTN && c->call.scalars.attn.n_tok > N_TOKENS) sample_tokens(j);
    return j;
}

void kc_judge_free(struct kc_judge **judge) {
    struct kc_judge *j = *judge;
    if (!j) return;
    for (int i = 0; i < MAX_PARTS; i++) ref_free(j->parts[i].outputs);
    verify_gemm_free(&j->gemm);
    free(j);
    *judge = NULL;
}

static greta_status refer(struct kc_judge *j, double eps) {
    greta_status status = GRETA_OK;
    if (!j->n_parts && !j->gemm) {
        j->gemm = verify_gemm_make(&j->c->call, j->data->bytes[0], j->data->bytes[1], N_EXACT_ROWS, j->seed);
        return j->gemm ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    }
    if (j->eps == eps) return GRETA_OK;
    j->eps = -1;
    for (uint32_t i = 0; !status && i < j->n_parts; i++) {
        ref_free(j->parts[i].outputs);
        status = ref_run(&j->parts[i].call, j->parts[i].data, eps, j->parts[i].outputs);
    }
    if (!status) j->eps = eps;
    return status;
}

static void note(double got, double want, double bound, double *worst) {
    double error = fabs(got - want) / (bound > 0 ? bound : 0x1p-126);
    if (!(error <= *worst)) *worst = isnan(error) ? INFINITY : error;
}

/* y of a product whose operands repeat: every element. */
static void judge_repeated(const struct kc_judge *j, uint32_t fewer, const float *y, double *worst) {
    const struct greta_call *all = &j->c->call, *part = &j->parts[0].call;
    bool many = all->op == GRETA_OP_MATMUL;
    uint32_t i_y = j->info->n_bindings - 1;
    const struct ref_output *want = &j->parts[0].outputs[i_y];
    uint64_t n_tok = !many   ? 1
                     : fewer ? fewer
                             : all->scalars.matmul.n_tok,
             n_rows = many ? all->scalars.matmul.n_rows : all->scalars.matvec.n_rows;
    uint64_t own_tok = many ? part->scalars.matmul.n_tok : 1,
             own_rows = many ? part->scalars.matmul.n_rows : part->scalars.matvec.n_rows;
    for (uint64_t t = 0; t < n_tok; t++)
        for (uint64_t r = 0; r < n_rows; r++) {
            uint64_t k = t % own_tok * own_rows + r % own_rows;
            note(y[t * n_rows + r], want->value[k], want->bound[k], worst);
        }
}

/* Of some tokens; of all of them that they are numbers. */
static void judge_tokens(const struct kc_judge *j, const float *y, double *worst) {
    const struct greta_scalars_attn *s = &j->c->call.scalars.attn;
    uint64_t width = (uint64_t)s->n_head * j->c->call.keys[1];
    for (uint64_t i = 0; i < s->n_tok * width; i++)
        if (!isfinite(y[i])) *worst = INFINITY;
    for (uint32_t i = 0; i < j->n_parts; i++) {
        const struct ref_output *want = &j->parts[i].outputs[4];
        for (uint64_t k = 0; k < width; k++)
            note(y[j->parts[i].token * width + k], want->value[k], want->bound[k], worst);
    }
}

static void judge_whole(const struct kc_judge *j, uint8_t *const got[], double *worst) {
    for (uint32_t i = 0; i < j->info->n_bindings; i++) {
        struct ref_verdict v;
        if (j->parts[0].outputs[i].kind == REF_NOTHING || !got[i]) continue;
        ref_compare(&j->parts[0].outputs[i], got[i], j->data->bytes[i], &v);
        if (v.worst > *worst) *worst = v.worst;
        if (v.n_wrong && *worst <= 1) *worst = 2; /* what must be exact was not */
    }
}

greta_status kc_judge_result(struct kc_judge *j, double operand_eps, uint32_t n_tok, uint8_t *const got[],
                             double *worst) {
    greta_status status = refer(j, operand_eps);
    const float *y = (const float *)(const void *)got[j->info->n_bindings - 1];
    *worst = 0;
    if (status) return status;
    if (!j->n_parts)
        *worst = verify_gemm_worst(j->gemm, &j->c->call, y, operand_eps);
    else if (repeats(j->c))
        judge_repeated(j, n_tok, y, worst);
    else if (j->n_parts > 1)
        judge_tokens(j, y, worst);
    else
        judge_whole(j, got, worst);
    return GRETA_OK;
}
