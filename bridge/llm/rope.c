/*
 * Rotary position embedding: all of its scalings are in the table of cosines and sines that the host makes. YaRN: Peng et
 * al., arXiv 2309.00071, with the bounds of the ramp rounded to whole pairs as its authors' code does; LongRoPE: Ding et
 * al., arXiv 2402.13753.
 */
#include "keys.h"
#include "model.h"

#include <math.h>

static greta_status read_yarn(struct keys *k, struct rope *r) {
    greta_status status;

    r->ext_factor = 1, r->beta_fast = 32, r->beta_slow = 1;
    status = keys_f64(k, "rope.scaling.factor", true, 1e-3, 1e6, &r->factor);
    if (!status) status = keys_f64(k, "rope.scaling.yarn_ext_factor", false, 0, 1, &r->ext_factor);
    if (!status) status = keys_f64(k, "rope.scaling.yarn_beta_fast", false, 1e-3, 1e6, &r->beta_fast);
    if (!status) status = keys_f64(k, "rope.scaling.yarn_beta_slow", false, 1e-3, 1e6, &r->beta_slow);
    r->magnitude = r->factor > 1 && r->ext_factor > 0 ? 1 + 0.1 * log(r->factor) : 1;
    if (!status) status = keys_f64(k, "rope.scaling.yarn_attn_factor", false, 1e-3, 1e3, &r->magnitude);
    if (!status && r->base <= 1)
        return greta_fail(k->log, GRETA_ERR_FORMAT,
                          "%s: %s is %g; with YaRN it must be more than 1: convert the model again",
                          greta_gguf_path(k->gguf), keys_name(k, "rope.freq_base"), r->base);
    return status;
}

/* Linear scaling, which files also write without naming it. scale_linear is its older key. */
static greta_status read_linear(struct keys *k, struct rope *r) {
    bool required = keys_is(k, "rope.scaling.type", "linear") && !keys_has(k, "rope.scale_linear");
    greta_status status = keys_f64(k, "rope.scale_linear", false, 1e-3, 1e6, &r->factor);

    return status ? status : keys_f64(k, "rope.scaling.factor", required, 1e-3, 1e6, &r->factor);
}

static greta_status read_scaling(struct keys *k, struct rope *r) {
    const char *path = greta_gguf_path(k->gguf);
    struct greta_gguf_string type;

    if (keys_is(k, "rope.scaling.type", "yarn")) return read_yarn(k, r);
    if (!keys_has(k, "rope.scaling.type") || keys_is(k, "rope.scaling.type", "linear"))
        return read_linear(k, r);
    if (keys_is(k, "rope.scaling.type", "none")) return GRETA_OK;
    if (keys_is(k, "rope.scaling.type", "longrope")) {
        r->needs_long = true;
        return keys_f64(k, "rope.scaling.factor", false, 1, 1, &r->factor); /* its factors are tensors */
    }
    if (!greta_gguf_get_string(k->gguf, k->name, &type))
        return greta_fail(k->log, GRETA_ERR_FORMAT, "%s: the key %s is not a text: convert the model again",
                          path, k->name);
    return greta_fail(k->log, GRETA_ERR_UNSUPPORTED,
                      "%s: RoPE scaling of type %.*s is not supported (none, linear, yarn, longrope and "
                      "rope_freqs.weight are): take another model",
                      path, (int)(type.len > 64 ? 64 : type.len), type.data);
}

greta_status rope_read(struct keys *k, const struct hparams *hp, struct rope *r) {
    double attn_factor = 1, base_swa;
    uint32_t n_ctx_orig = hp->n_ctx_train;
    greta_status status;

    *r = (struct rope){.base = 10000, .factor = 1, .magnitude = 1};
    status = keys_f64(k, "rope.freq_base", false, 1e-3, 1e12, &r->base);
    base_swa = r->base;
    if (!status) status = keys_f64(k, "rope.freq_base_swa", false, r->base, r->base, &base_swa);
    if (!status)
        status = keys_u32(k, "rope.scaling.original_context_length", false, 1, 1u << 30, &n_ctx_orig);
    if (!status) status = read_scaling(k, r);
    if (!status) status = keys_f64(k, "rope.scaling.attn_factor", false, 1e-3, 1e3, &attn_factor);
    r->n_ctx_orig = n_ctx_orig;
    r->magnitude *= attn_factor;
    return status;
}

/* ---- the table ---- */

/* The pair, as a real number, that turns `turns` times over the original context. */
static double pair_of_turns(const struct rope *r, uint32_t n_rot, double turns) {
    return n_rot * log(r->n_ctx_orig / (turns * 2 * acos(-1))) / (2 * log(r->base));
}

/* How much of pair j keeps its frequency: 1 for the fast ones, 0 for those that the factor slows down. */
static double kept(const struct rope *r, uint32_t n_rot, uint32_t j) {
    double low = fmax(floor(pair_of_turns(r, n_rot, r->beta_fast)), 0);
    double high = fmin(ceil(pair_of_turns(r, n_rot, r->beta_slow)), n_rot - 1);

    return (1 - fmin(fmax((j - low) / fmax(high - low, 1e-3), 0), 1)) * r->ext_factor;
}

static double frequency(const struct rope *r, uint32_t n_rot, const float *factors, uint32_t j) {
    double whole = pow(r->base, -2.0 * j / n_rot) / (factors ? factors[j] : 1), slow = whole / r->factor;
    double keep = r->ext_factor > 0 ? kept(r, n_rot, j) : 0;

    return slow * (1 - keep) + whole * keep;
}

void rope_table(const struct greta_model *m, uint32_t n_ctx, uint32_t first, uint32_t n, float *out) {
    const struct rope *r = &m->rope;
    const float *factors = n_ctx > r->n_ctx_orig ? r->long_factors : r->short_factors;
    uint32_t n_pairs = m->hp.n_rot / 2;

    for (uint32_t j = 0; j < n_pairs; j++) {
        double speed = frequency(r, m->hp.n_rot, factors, j);
        for (uint32_t p = 0; p < n; p++) {
            float *at = out + 2 * ((size_t)p * n_pairs + j);
            at[0] = (float)(r->magnitude * cos((first + p) * speed));
            at[1] = (float)(r->magnitude * sin((first + p) * speed));
        }
    }
}
