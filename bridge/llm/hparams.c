/* The hyper-parameters of a model of architecture `llama`, read from the file's keys. */
#include "model.h"

#include <math.h>
#include <string.h>

struct field {
    const char *key;
    uint32_t min, max;
    bool required;
    size_t offset;
};

#define FIELD(name) offsetof(struct hparams, name)
static const struct field fields[] = {
    {"llama.context_length", 1, 1u << 30, true, FIELD(n_ctx_train)},
    {"llama.embedding_length", 1, 1u << 20, true, FIELD(n_embd)},
    {"llama.block_count", 1, 4096, true, FIELD(n_layer)},
    {"llama.feed_forward_length", 1, 1u << 24, true, FIELD(n_ff)},
    {"llama.attention.head_count", 1, 1u << 14, true, FIELD(n_head)},
    {"llama.attention.head_count_kv", 1, 1u << 14, false, FIELD(n_head_kv)},
    {"llama.attention.key_length", 1, 4096, false, FIELD(head_dim)},
    {"llama.rope.dimension_count", 2, 4096, false, FIELD(n_rot)},
};

static greta_status read_u32(const struct greta_gguf *gguf, const struct greta_log *log,
                             const struct field *f, uint32_t *out) {
    const char *path = greta_gguf_path(gguf);
    const struct greta_gguf_value *value = greta_gguf_key(gguf, f->key);
    uint64_t n;

    if (!value) {
        if (!f->required) return GRETA_OK;
        return greta_fail(log, GRETA_ERR_FORMAT, "%s: the key %s is missing", path, f->key);
    }
    if (value->type == GRETA_GGUF_ARRAY)
        return greta_fail(log, GRETA_ERR_UNSUPPORTED,
                          "%s: %s differs from layer to layer, which is not supported", path, f->key);
    if (!greta_gguf_get_u64(gguf, f->key, &n))
        return greta_fail(log, GRETA_ERR_FORMAT, "%s: the key %s is not a whole number", path, f->key);
    if (n < f->min || n > f->max)
        return greta_fail(log, GRETA_ERR_FORMAT, "%s: %s is %llu; it must be from %u to %u", path, f->key,
                          (unsigned long long)n, f->min, f->max);
    *out = (uint32_t)n;
    return GRETA_OK;
}

/* A real number in [min, max]; *out is left as it is where the key is missing and not required. */
static greta_status read_f64(const struct greta_gguf *gguf, const struct greta_log *log, const char *key,
                             bool required, double min, double max, double *out) {
    double x;

    if (!greta_gguf_key(gguf, key)) {
        if (!required) return GRETA_OK;
        return greta_fail(log, GRETA_ERR_FORMAT, "%s: the key %s is missing", greta_gguf_path(gguf), key);
    }
    if (!greta_gguf_get_f64(gguf, key, &x))
        return greta_fail(log, GRETA_ERR_FORMAT, "%s: the key %s is not a number", greta_gguf_path(gguf),
                          key);
    if (!(x >= min && x <= max))
        return greta_fail(log, GRETA_ERR_FORMAT, "%s: %s is %g; it must be from %g to %g",
                          greta_gguf_path(gguf), key, x, min, max);
    *out = x;
    return GRETA_OK;
}

static bool is(struct greta_gguf_string s, const char *word) {
    return s.len == strlen(word) && memcmp(s.data, word, s.len) == 0;
}

static greta_status check_architecture(const struct greta_gguf *gguf, const struct greta_log *log) {
    struct greta_gguf_string arch;

    if (!greta_gguf_get_string(gguf, "general.architecture", &arch))
        return greta_fail(log, GRETA_ERR_FORMAT, "%s: the key general.architecture is missing: not a model",
                          greta_gguf_path(gguf));
    if (!is(arch, "llama"))
        return greta_fail(log, GRETA_ERR_UNSUPPORTED, "%s: the architecture %.*s is not supported (llama is)",
                          greta_gguf_path(gguf), (int)(arch.len > 64 ? 64 : arch.len), arch.data);
    return GRETA_OK;
}

/* What would silently compute something else is refused here, by name. */
static greta_status check_refused(const struct greta_gguf *gguf, const struct greta_log *log,
                                  struct hparams *hp) {
    const char *path = greta_gguf_path(gguf);
    struct greta_gguf_string scaling;
    uint64_t n;
    bool causal;

    if (greta_gguf_get_u64(gguf, "llama.expert_count", &n) && n > 0)
        return greta_fail(log, GRETA_ERR_UNSUPPORTED, "%s: a mixture of %llu experts is not supported", path,
                          (unsigned long long)n);
    if (greta_gguf_get_bool(gguf, "llama.attention.causal", &causal) && !causal)
        return greta_fail(log, GRETA_ERR_UNSUPPORTED, "%s: attention that is not causal is not supported",
                          path);
    if (greta_gguf_get_u64(gguf, "llama.attention.value_length", &n) && n != hp->head_dim)
        return greta_fail(log, GRETA_ERR_UNSUPPORTED,
                          "%s: values of %llu beside keys of %u per head are not supported", path,
                          (unsigned long long)n, hp->head_dim);
    if (greta_gguf_get_string(gguf, "llama.rope.scaling.type", &scaling) && !is(scaling, "none") &&
        !is(scaling, "linear"))
        return greta_fail(
            log, GRETA_ERR_UNSUPPORTED,
            "%s: RoPE scaling of type %.*s is not supported (none, linear and rope_freqs.weight are)", path,
            (int)(scaling.len > 64 ? 64 : scaling.len), scaling.data);
    /* Within the window, sliding attention is attention: the context is held to it. */
    if (greta_gguf_get_u64(gguf, "llama.attention.sliding_window", &n) && n > 0 && n < hp->n_ctx_train) {
        greta_logf(
            log, GRETA_LOG_WARN,
            "%s: sliding window attention is not supported: the context is limited to its window of %llu",
            path, (unsigned long long)n);
        hp->n_ctx_train = (uint32_t)n;
    }
    return GRETA_OK;
}

static greta_status read_rope(const struct greta_gguf *gguf, const struct greta_log *log,
                              struct hparams *hp) {
    struct greta_gguf_string scaling;
    bool linear = greta_gguf_get_string(gguf, "llama.rope.scaling.type", &scaling) && is(scaling, "linear");
    greta_status status;

    hp->rope_base = 10000.0;
    hp->rope_scale = 1.0;
    status = read_f64(gguf, log, "llama.rope.freq_base", false, 1e-3, 1e12, &hp->rope_base);
    /* scale_linear is the older name, which needs no type beside it */
    if (!status) status = read_f64(gguf, log, "llama.rope.scale_linear", false, 1e-3, 1e6, &hp->rope_scale);
    if (!status && linear)
        status = read_f64(gguf, log, "llama.rope.scaling.factor", true, 1e-3, 1e6, &hp->rope_scale);
    return status;
}

static greta_status check_heads(const struct greta_gguf *gguf, const struct greta_log *log,
                                struct hparams *hp) {
    const char *path = greta_gguf_path(gguf);

    if (!hp->n_head_kv) hp->n_head_kv = hp->n_head;
    if (!hp->head_dim) {
        if (hp->n_embd % hp->n_head)
            return greta_fail(log, GRETA_ERR_FORMAT, "%s: an embedding of %u does not divide by %u heads",
                              path, hp->n_embd, hp->n_head);
        hp->head_dim = hp->n_embd / hp->n_head;
    }
    if (!hp->n_rot) hp->n_rot = hp->head_dim;
    if (hp->n_head % hp->n_head_kv)
        return greta_fail(log, GRETA_ERR_FORMAT, "%s: %u heads do not divide by %u key/value heads", path,
                          hp->n_head, hp->n_head_kv);
    if (hp->n_rot > hp->head_dim || hp->n_rot % 2)
        return greta_fail(
            log, GRETA_ERR_FORMAT,
            "%s: llama.rope.dimension_count is %u: it must be even, and at most %u, a head's size", path,
            hp->n_rot, hp->head_dim);
    return GRETA_OK;
}

greta_status hparams_read(const struct greta_gguf *gguf, const struct greta_log *log, struct hparams *out) {
    struct hparams hp = {0};
    double eps = 0;
    greta_status status = check_architecture(gguf, log);

    for (size_t i = 0; i < sizeof fields / sizeof *fields && !status; i++)
        status = read_u32(gguf, log, &fields[i], (uint32_t *)((char *)&hp + fields[i].offset));
    if (!status) status = read_f64(gguf, log, "llama.attention.layer_norm_rms_epsilon", true, 0.0, 1.0, &eps);
    hp.rms_eps = (float)eps;
    if (!status) status = check_heads(gguf, log, &hp);
    if (!status) status = read_rope(gguf, log, &hp);
    if (!status) status = check_refused(gguf, log, &hp);
    *out = status ? (struct hparams){0} : hp;
    return status;
}
