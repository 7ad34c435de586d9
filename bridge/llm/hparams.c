/* The hyper-parameters of a model, read from the file's keys. */
#include "keys.h"
#include "model.h"

#include <math.h>

struct field {
    const char *suffix;
    uint32_t min, max;
    bool required;
    size_t offset;
};

#define FIELD(name) offsetof(struct hparams, name)
static const struct field fields[] = {
    {"context_length", 1, 1u << 30, true, FIELD(n_ctx_train)},
    {"embedding_length", 1, 1u << 20, true, FIELD(n_embd)},
    {"block_count", 1, 4096, true, FIELD(n_layer)},
    {"feed_forward_length", 1, 1u << 24, true, FIELD(n_ff)},
    {"attention.head_count", 1, 1u << 14, true, FIELD(n_head)},
    {"attention.head_count_kv", 1, 1u << 14, false, FIELD(n_head_kv)},
    {"attention.key_length", 1, 4096, false, FIELD(head_dim)},
    {"rope.dimension_count", 2, 4096, false, FIELD(n_rot)},
};

/* Numbers that would change the result, and that nothing here computes with; `neutral`, like 0, changes nothing. */
static const struct {
    const char *suffix;
    double neutral;
} refused[] = {
    {"attention.clamp_kqv", 0},
    {"attention.max_alibi_bias", 0},
    {"attention.output_scale", 1},
    {"attention.temperature_length", 0},
    {"embedding_scale", 1},
    {"logit_scale", 1},
    {"residual_scale", 1},
    {"router_logit_softcapping", 0},
    {"rope.scaling.yarn_log_multiplier", 0},
};

/* A number of either kind; 0 where the key is missing. */
static greta_status read_number(struct keys *k, const char *suffix, double *out) {
    uint64_t n;

    *out = 0;
    if (!greta_gguf_get_u64(k->gguf, keys_name(k, suffix), &n))
        return keys_f64(k, suffix, false, -INFINITY, INFINITY, out);
    *out = (double)n;
    return GRETA_OK;
}

/* What would silently compute something else is refused here, by name. */
static greta_status check_refused(struct keys *k, const struct hparams *hp) {
    const char *path = greta_gguf_path(k->gguf);
    uint32_t n_experts = 0, n_value = hp->head_dim;
    bool causal = true;
    double x;
    greta_status status = keys_u32(k, "expert_count", false, 0, UINT32_MAX, &n_experts);

    if (!status && n_experts)
        return greta_fail(k->log, GRETA_ERR_UNSUPPORTED,
                          "%s: a mixture of %u experts is not supported: take a model without experts", path,
                          n_experts);
    if (!status) status = keys_u32(k, "attention.value_length", false, 0, UINT32_MAX, &n_value);
    if (status) return status;
    if (n_value != hp->head_dim)
        return greta_fail(k->log, GRETA_ERR_UNSUPPORTED,
                          "%s: values of %u beside keys of %u per head are not supported: take another model",
                          path, n_value, hp->head_dim);
    if (keys_has(k, "attention.causal") && !greta_gguf_get_bool(k->gguf, k->name, &causal))
        return greta_fail(k->log, GRETA_ERR_FORMAT,
                          "%s: the key %s is not true or false: convert the model again", path, k->name);
    if (!causal)
        return greta_fail(k->log, GRETA_ERR_UNSUPPORTED,
                          "%s: attention that is not causal is not supported: take another model", path);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        status = read_number(k, refused[i].suffix, &x);
        if (status) return status;
        if (x != 0 && x != refused[i].neutral)
            return greta_fail(k->log, GRETA_ERR_UNSUPPORTED,
                              "%s: %s is %g, which is not supported: take another model", path, k->name, x);
    }
    return GRETA_OK;
}

enum { MAX_HEAD_DIM = 256 }; /* that the rows of attention take */

static greta_status check_heads(struct keys *k, struct hparams *hp) {
    const char *path = greta_gguf_path(k->gguf);

    if (!hp->n_head_kv) hp->n_head_kv = hp->n_head;
    if (!hp->head_dim) {
        if (hp->n_embd % hp->n_head)
            return greta_fail(k->log, GRETA_ERR_FORMAT,
                              "%s: an embedding of %u does not divide by %u heads: convert the model again",
                              path, hp->n_embd, hp->n_head);
        hp->head_dim = hp->n_embd / hp->n_head;
    }
    if (hp->head_dim > MAX_HEAD_DIM)
        return greta_fail(
            k->log, GRETA_ERR_UNSUPPORTED,
            "%s: heads of %u elements are not supported: take a model whose heads have at most %d", path,
            hp->head_dim, MAX_HEAD_DIM);
    if (!hp->n_rot) hp->n_rot = hp->head_dim;
    if (hp->n_head % hp->n_head_kv)
        return greta_fail(k->log, GRETA_ERR_FORMAT,
                          "%s: %u heads do not divide by %u key/value heads: convert the model again", path,
                          hp->n_head, hp->n_head_kv);
    if (hp->n_rot > hp->head_dim || hp->n_rot % 2)
        return greta_fail(k->log, GRETA_ERR_FORMAT,
                          "%s: %s is %u: RoPE turns an even number of elements, at most %u, a head's size: "
                          "convert the model again",
                          path, keys_has(k, "rope.dimension_count") ? k->name : "a head's size", hp->n_rot,
                          hp->head_dim);
    return GRETA_OK;
}

/* Which positions attention sees: all, or a window of some layers. */
static greta_status read_window(struct keys *k, struct hparams *hp) {
    uint32_t n = k->arch->window, period = k->arch->window_layers == WINDOW_EVEN ? 2 : 1, pattern = period;
    greta_status status = keys_u32(k, "attention.sliding_window", false, 0, UINT32_MAX, &n);

    if (!status && n) status = keys_u32(k, "attention.sliding_window_pattern", false, 0, 4096, &pattern);
    if (status) return status;
    if (pattern != period)
        return greta_fail(k->log, GRETA_ERR_UNSUPPORTED, "%s: %s is %u; %u is supported: take another model",
                          greta_gguf_path(k->gguf), k->name, pattern, period);
    if (n && n < hp->n_ctx_train && k->arch->window_layers == WINDOW_NONE)
        return greta_fail(
            k->log, GRETA_ERR_UNSUPPORTED,
            "%s: a sliding window (%s is %u) is not supported for this architecture: take another model",
            greta_gguf_path(k->gguf), keys_name(k, "attention.sliding_window"), n);
    hp->window = k->arch->window_layers == WINDOW_NONE ? 0 : n;
    return GRETA_OK;
}

static greta_status read_softcap(struct keys *k, const char *suffix, double by_default, float *out) {
    double x = by_default;
    greta_status status = keys_f64(k, suffix, false, 0, 1e6, &x);

    if (!status && x > 0 && x < 1e-3)
        return greta_fail(k->log, GRETA_ERR_FORMAT,
                          "%s: %s is %g; it must be 0, or from 0.001 to 1e+06: convert the model again",
                          greta_gguf_path(k->gguf), keys_name(k, suffix), x);
    *out = (float)x;
    return status;
}

static greta_status read_scales(struct keys *k, struct hparams *hp) {
    bool wide = k->arch->n_layer_wide_queries && hp->n_layer == k->arch->n_layer_wide_queries;
    double eps = 0, scale = 1 / sqrt(wide ? hp->n_embd / hp->n_head : hp->head_dim);
    greta_status status = keys_f64(k, "attention.layer_norm_rms_epsilon", true, 0, 1, &eps);

    if (!status) status = keys_f64(k, "attention.scale", false, 1e-6, 1e6, &scale);
    hp->rms_eps = (float)eps;
    hp->attn_scale = (float)scale;
    hp->embd_scale = k->arch->scale_embd ? (float)sqrt(hp->n_embd) : 1;
    if (!status) status = read_softcap(k, "attn_logit_softcapping", k->arch->attn_softcap, &hp->attn_softcap);
    if (!status)
        status = read_softcap(k, "final_logit_softcapping", k->arch->final_softcap, &hp->final_softcap);
    return status;
}

static greta_status find_architecture(struct keys *k) {
    const struct greta_gguf_value *value = greta_gguf_key(k->gguf, "general.architecture");
    struct greta_gguf_string name;
    char names[256];

    if (!value)
        return greta_fail(k->log, GRETA_ERR_FORMAT,
                          "%s: the key general.architecture is missing: take a model's file",
                          greta_gguf_path(k->gguf));
    if (!greta_gguf_get_string(k->gguf, "general.architecture", &name))
        return greta_fail(
            k->log, GRETA_ERR_FORMAT,
            "%s: the key general.architecture is of type %s; it must be a string: convert the model again",
            greta_gguf_path(k->gguf), keys_type_name(value));
    k->arch = arch_find(name.data, name.len);
    if (!k->arch)
        return greta_fail(k->log, GRETA_ERR_UNSUPPORTED,
                          "%s: the architecture %.*s is not supported (supported: %s)",
                          greta_gguf_path(k->gguf), (int)(name.len > 64 ? 64 : name.len), name.data,
                          arch_names(names, sizeof names));
    return GRETA_OK;
}

greta_status hparams_read(struct keys *k, struct hparams *out) {
    struct hparams hp = {0};
    greta_status status = find_architecture(k);

    for (size_t i = 0; i < sizeof fields / sizeof *fields && !status; i++)
        status = keys_u32(k, fields[i].suffix, fields[i].required, fields[i].min, fields[i].max,
                          (uint32_t *)((char *)&hp + fields[i].offset));
    if (!status) status = check_heads(k, &hp);
    if (!status) status = read_window(k, &hp);
    if (!status) status = read_scales(k, &hp);
    if (!status) status = check_refused(k, &hp);
    *out = status ? (struct hparams){0} : hp;
    return status;
}
