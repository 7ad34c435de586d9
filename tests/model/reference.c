/*
 * A model of each architecture against the double-precision pass of reference.py: reference DEVICE MODEL.gguf, beside which
 * MODEL.logits lies: records of {n_tok, n_vocab, n_ctx, is_q8_0, f32 apart, tokens[n_tok], f32 logits[n_tok][n_vocab]}; is_q8_0: of
 * a pass with keys and values in 8 bits, from which another one may lie `apart` for values between two steps. The bounds are those
 * of docs/en/numeric.md.
 */
#include "check.h"

#include <greta/llm.h>

#include <math.h>
#include <string.h>

struct record {
    uint32_t n_tok, n_vocab, n_ctx, is_q8_0;
    float apart;
    uint32_t *tokens;
    float *logits;
};

struct comparison {
    const struct record *record;
    uint32_t first; /* the token of the record that index 0 stands for */
    float bound;
    uint32_t n_wrong, n_seen;
    float worst;
};

static bool read_record(FILE *file, struct record *r) {
    uint32_t head[4];
    float apart;
    size_t n;

    if (fread(head, sizeof *head, 4, file) != 4 || !CHECK(fread(&apart, sizeof apart, 1, file) == 1))
        return false;
    *r = (struct record){
        .n_tok = head[0], .n_vocab = head[1], .n_ctx = head[2], .is_q8_0 = head[3], .apart = apart};
    n = (size_t)r->n_tok * r->n_vocab;
    r->tokens = malloc(r->n_tok * sizeof *r->tokens);
    r->logits = malloc(n * sizeof *r->logits);
    return CHECK(r->tokens && r->logits) &&
           CHECK(fread(r->tokens, sizeof *r->tokens, r->n_tok, file) == r->n_tok) &&
           CHECK(fread(r->logits, sizeof *r->logits, n, file) == n);
}

static bool compare(void *user, uint32_t i_token, const float *logits) {
    struct comparison *c = user;
    const struct record *r = c->record;
    const float *want = r->logits + (size_t)(c->first + i_token) * r->n_vocab;
    bool right = true;

    for (uint32_t i = 0; i < r->n_vocab; i++) {
        float d = fabsf(logits[i] - want[i]);
        if (!(d <= c->bound)) right = false; /* NaN, too */
        if (d > c->worst) c->worst = d;
    }
    c->n_wrong += !right;
    c->n_seen++;
    return true;
}

/* The first n_first tokens as a prompt, the rest one by one. */
static void check_pass(struct greta_model *model, const struct record *r, enum greta_kv_type kv,
                       uint32_t n_chunk, uint32_t n_first, float bound, const char *what) {
    struct greta_session_params params = {.n_ctx = r->n_ctx, .kv_type = kv, .n_chunk = n_chunk};
    struct comparison c = {.record = r, .bound = bound};
    struct greta_session *s = NULL;
    bool ok = CHECK(greta_session_create(model, &params, &s) == GRETA_OK);

    if (ok && n_first) ok = CHECK(greta_session_eval_each(s, r->tokens, n_first, compare, &c) == GRETA_OK);
    for (c.first = n_first; c.first < r->n_tok && ok; c.first++) {
        ok = CHECK(greta_session_eval(s, r->tokens + c.first, 1, GRETA_WANT_LOGITS) == GRETA_OK);
        if (ok) compare(&c, 0, greta_session_logits(s));
    }
    if (!CHECK(c.n_wrong == 0 && c.n_seen == r->n_tok))
        fprintf(stderr,
                "%s, %u tokens at once, context %u: %u of %u tokens past the bound of %g, %g at most\n", what,
                n_first, r->n_ctx, c.n_wrong, c.n_seen, (double)bound, (double)c.worst);
    else
        printf("%s, %u tokens at once, context %u: %g at most\n", what, n_first, r->n_ctx, (double)c.worst);
    greta_session_destroy(&s);
}

/*
 * "rope=NAME" of this device's last row, which has the fewest conditions: a plan takes no fused op in place of one whose row is
 * named.
 */
static const char *unfused(struct greta_dev *dev, char *out, size_t size) {
    const struct greta_variant *last = NULL;

    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (greta_variant_op(v) == GRETA_OP_ROPE &&
            greta_variant_format(v) == greta_dev_get_image_format(dev))
            last = v;
    }
    if (last) snprintf(out, size, "rope=%s", greta_variant_name(last));
    return last ? out : NULL;
}

static void check_unfused(struct greta_dev *dev, const char *file, const struct record *r) {
    char force[96];
    struct greta_model_params params = {.policy = GRETA_POLICY_EXACT,
                                        .force = unfused(dev, force, sizeof force)};
    struct greta_model *model = NULL;

    if (!CHECK(params.force != NULL) || !CHECK(greta_model_load(dev, file, &params, &model) == GRETA_OK))
        return;
    check_pass(model, r, GRETA_KV_F32, 0, r->n_tok - 5, 1e-3f, "exact, op by op");
    greta_model_destroy(&model);
}

static void check_record(struct greta_dev *dev, const char *file, enum greta_policy policy,
                         const struct record *r) {
    struct greta_model_params params = {.policy = policy};
    const struct greta_model_info *info;
    struct greta_model *model = NULL;
    float bound;

    if (!CHECK(greta_model_load(dev, file, &params, &model) == GRETA_OK)) return;
    info = greta_model_get_info(model);
    CHECK(info->n_vocab == r->n_vocab);
    bound = strstr(info->decode_x_types, "Q8A") || strstr(info->prefill_x_types, "Q8A") ? 0.4f : 0.02f;
    if (r->is_q8_0) {
        bound = 1e-3f + r->apart;
        check_pass(model, r, GRETA_KV_Q8_0, 0, r->n_tok, bound, "exact, keys and values in 8 bits");
        check_pass(model, r, GRETA_KV_Q8_0, 0, 0, bound, "exact, keys and values in 8 bits");
    } else if (policy == GRETA_POLICY_EXACT) {
        check_pass(model, r, GRETA_KV_F32, 0, r->n_tok, 1e-3f, "exact");
        check_pass(model, r, GRETA_KV_F32, 7, r->n_tok, 1e-3f, "exact, in chunks of 7");
        check_pass(model, r, GRETA_KV_F32, 0, 3, 1e-3f, "exact");
    } else {
        check_pass(model, r, GRETA_KV_F16, 0, r->n_tok, bound, "default");
        check_pass(model, r, GRETA_KV_F16, 0, 0, bound, "default");
    }
    greta_model_destroy(&model);
}

static void say(void *user, enum greta_log_level level, const char *message) {
    (void)user, (void)level;
    fprintf(stderr, "%s\n", message);
}

int main(int argc, char **argv) {
    struct greta_log quiet = {0}, loud = {.fn = say};
    struct greta_ctx *ctx = NULL;
    struct greta_dev *dev = NULL;
    struct record r = {0};
    uint32_t n_records = 0;
    char name[4096];
    FILE *file;

    if (argc != 3 || strlen(argv[2]) + 8 > sizeof name) return 2;
    if (greta_ctx_create(&(struct greta_ctx_params){.log = &quiet, .cache_dir = ""}, &ctx) == GRETA_OK &&
        greta_dev_open(ctx, argv[1], NULL, &dev) != GRETA_OK)
        check_skip("there is no such device here");
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    snprintf(name, sizeof name, "%.*s.logits", (int)(strlen(argv[2]) - strlen(".gguf")), argv[2]);
    file = fopen(name, "rb");
    if (CHECK(greta_ctx_create(&(struct greta_ctx_params){.log = &loud, .cache_dir = ""}, &ctx) ==
              GRETA_OK) &&
        CHECK(greta_dev_open(ctx, argv[1], NULL, &dev) == GRETA_OK) && CHECK(file != NULL))
        for (; read_record(file, &r); n_records++) {
            check_record(dev, argv[2], GRETA_POLICY_EXACT, &r);
            if (!r.is_q8_0) {
                check_record(dev, argv[2], GRETA_POLICY_DEFAULT, &r);
                check_unfused(dev, argv[2], &r);
            }
            free(r.tokens);
            free(r.logits);
        }
    CHECK(n_records > 0);
    if (file) fclose(file);
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    return check_done();
}
