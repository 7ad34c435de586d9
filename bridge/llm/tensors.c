/* A file's tensors, matched with what its architecture has. */
#include "keys.h"
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t dim_size(const struct hparams *hp, enum dim d) {
    uint64_t q = (uint64_t)hp->n_head * hp->head_dim, kv = (uint64_t)hp->n_head_kv * hp->head_dim;

    switch (d) {
    case DIM_VOCAB: return hp->n_vocab;
    case DIM_EMBD: return hp->n_embd;
    case DIM_HEAD: return hp->head_dim;
    case DIM_Q: return q;
    case DIM_KV: return kv;
    case DIM_Q_KV: return q + kv;
    case DIM_Q_KV2: return q + 2 * kv;
    case DIM_FF: return hp->n_ff;
    case DIM_FF2: return 2 * (uint64_t)hp->n_ff;
    case DIM_NONE: break;
    }
    return 0;
}

static greta_status check_shape(const struct greta_model *m, const struct greta_gguf_tensor *t, uint64_t rows,
                                uint64_t cols) {
    if (t->ne[0] == cols && t->ne[1] == rows && t->ne[2] == 1 && t->ne[3] == 1) return GRETA_OK;
    return greta_fail(m->log, GRETA_ERR_FORMAT,
                      "%s: tensor %s is %llu x %llu x %llu x %llu; the file's keys make it %llu x %llu: "
                      "convert the model again",
                      greta_gguf_path(m->gguf), t->name, (unsigned long long)t->ne[0],
                      (unsigned long long)t->ne[1], (unsigned long long)t->ne[2],
                      (unsigned long long)t->ne[3], (unsigned long long)cols, (unsigned long long)rows);
}

static greta_status check_type(const struct greta_model *m, const struct greta_gguf_tensor *t, bool vector,
                               uint32_t *type) {
    const struct greta_type_info *info = greta_type_from_ggml(t->ggml_type);

    if (!info || (vector && info->quantized))
        return greta_fail(
            m->log, GRETA_ERR_UNSUPPORTED,
            "%s: tensor %s is of type %s, which is not supported here: convert it to another one",
            greta_gguf_path(m->gguf), t->name, greta_gguf_type_name(t->ggml_type));
    *type = info->type;
    return GRETA_OK;
}

/* Finds the tensor of one row of a list and appends it to the sources. */
static greta_status find(struct greta_model *m, const struct tensor_row *row, const char *name, void *base) {
    const struct greta_gguf_tensor *t = greta_gguf_tensor(m->gguf, name);
    struct source *source = &m->sources[m->n_sources];
    void *target = (char *)base + row->offset;
    bool vector = row->rows == DIM_NONE;
    uint64_t rows = vector ? 1 : dim_size(&m->hp, row->rows), cols = dim_size(&m->hp, row->cols);
    uint64_t whole = row->whole ? dim_size(&m->hp, row->whole) : vector ? cols : rows;
    uint32_t type = 0;
    greta_status status;

    if (!t) {
        if (row->optional) return GRETA_OK;
        return greta_fail(m->log, GRETA_ERR_FORMAT, "%s: the tensor %s is missing: convert the model again",
                          greta_gguf_path(m->gguf), name);
    }
    status = check_shape(m, t, vector ? 1 : whole, cols);
    if (!status) status = check_type(m, t, vector, &type);
    if (status) return status;
    *source = (struct source){
        .tensor = t, .begin = (uint32_t)dim_size(&m->hp, row->begin), .whole = (uint32_t)whole};
    if (vector) {
        source->vector = target;
    } else {
        source->matrix = target;
        *source->matrix = (struct weight){.type = type, .n_rows = (uint32_t)rows, .n_cols = (uint32_t)cols};
    }
    m->n_sources++;
    m->info.n_params += rows * cols;
    return GRETA_OK;
}

/* ---- divisors of the angles of RoPE, one per pair ---- */

static const char freqs[] = "rope_freqs.weight", shorts[] = "rope_factors_short.weight",
                  longs[] = "rope_factors_long.weight";

static bool is_rope_factors(const char *name) {
    return strcmp(name, freqs) == 0 || strcmp(name, shorts) == 0 || strcmp(name, longs) == 0;
}

static greta_status find_factors(struct greta_model *m, const char *name, float **out) {
    const struct greta_gguf_tensor *t = greta_gguf_tensor(m->gguf, name);
    const char *path = greta_gguf_path(m->gguf);
    uint32_t n = m->hp.n_rot / 2;
    greta_status status;

    *out = NULL;
    if (!t) return GRETA_OK;
    status = check_shape(m, t, 1, n);
    if (status) return status;
    if (greta_type_get_info(GRETA_TYPE_F32)->ggml_type != t->ggml_type)
        return greta_fail(m->log, GRETA_ERR_UNSUPPORTED,
                          "%s: tensor %s is of type %s; F32 is supported: convert the model again", path,
                          name, greta_gguf_type_name(t->ggml_type));
    *out = arena_array(&m->arena, n, sizeof **out);
    if (!*out) return greta_fail(m->log, GRETA_ERR_NO_MEMORY, "%s: no memory for the model", path);
    memcpy(*out, t->data, n * sizeof **out);
    for (uint32_t i = 0; i < n; i++)
        if (!((*out)[i] > 0) || isinf((*out)[i]))
            return greta_fail(m->log, GRETA_ERR_FORMAT,
                              "%s: tensor %s holds %g, which must be positive: convert the model again", path,
                              name, (double)(*out)[i]);
    return GRETA_OK;
}

static greta_status find_rope_factors(struct greta_model *m) {
    struct rope *r = &m->rope;
    float *all;
    greta_status status = find_factors(m, freqs, &all);

    if (!status) status = find_factors(m, shorts, &r->short_factors);
    if (!status) status = find_factors(m, longs, &r->long_factors);
    if (status) return status;
    if (!r->short_factors != !r->long_factors || (r->needs_long && !r->long_factors))
        return greta_fail(m->log, GRETA_ERR_FORMAT, "%s: the tensor %s is missing: convert the model again",
                          greta_gguf_path(m->gguf), r->short_factors ? longs : shorts);
    if (all && r->long_factors)
        return greta_fail(m->log, GRETA_ERR_FORMAT, "%s: both %s and %s are there: convert the model again",
                          greta_gguf_path(m->gguf), freqs, longs);
    if (all) r->short_factors = r->long_factors = all;
    return GRETA_OK;
}

/* ---- all of the file ---- */

static bool listed(const struct tensor_row *row, const char *name) {
    for (; row->name; row++)
        if (strcmp(name, row->name) == 0) return true;
    return false;
}

static size_t length(const struct tensor_row *row) {
    size_t n = 0;
    while (row[n].name) n++;
    return n;
}

static bool known(const struct greta_model *m, const char *name) {
    uint32_t i_layer;
    int end = 0;

    if (listed(arch_model_rows, name) || is_rope_factors(name)) return true;
    if (sscanf(name, "blk.%u.%n", &i_layer, &end) != 1 || !end || i_layer >= m->hp.n_layer) return false;
    if (listed(m->arch->layer, name + end)) return true;
    /* RoPE's frequencies as some old converters stored them: what the keys say anyway */
    return strcmp(name + end, "attn_rot_embd.weight") == 0 || strcmp(name + end, "attn_rot_embd") == 0;
}

static greta_status refuse_unknown(const struct greta_model *m) {
    for (uint64_t i = 0; i < greta_gguf_n_tensors(m->gguf); i++) {
        const char *name = greta_gguf_tensor_at(m->gguf, i)->name;
        if (!known(m, name))
            return greta_fail(
                m->log, GRETA_ERR_UNSUPPORTED,
                "%s: the tensor %s is not part of the architecture %s as supported: take another model",
                greta_gguf_path(m->gguf), name, m->arch->name);
    }
    return GRETA_OK;
}

/* n_vocab is the embedding's row count; a vocab_size that says otherwise shows a damaged file. */
static greta_status find_vocab(struct greta_model *m) {
    struct keys keys = {.gguf = m->gguf, .log = m->log, .arch = m->arch};
    const struct greta_gguf_tensor *t = greta_gguf_tensor(m->gguf, "token_embd.weight");
    uint64_t n;

    if (!t)
        return greta_fail(m->log, GRETA_ERR_FORMAT,
                          "%s: the tensor token_embd.weight is missing: convert the model again",
                          greta_gguf_path(m->gguf));
    if (t->ne[1] < 1 || t->ne[1] > 1u << 24)
        return greta_fail(m->log, GRETA_ERR_FORMAT,
                          "%s: tensor token_embd.weight has %llu rows: convert the model again",
                          greta_gguf_path(m->gguf), (unsigned long long)t->ne[1]);
    if (greta_gguf_get_u64(m->gguf, keys_name(&keys, "vocab_size"), &n) && n != t->ne[1])
        greta_logf(m->log, GRETA_LOG_WARN,
                   "%s: %s is %llu, but token_embd.weight has %llu rows: using the latter",
                   greta_gguf_path(m->gguf), keys.name, (unsigned long long)n, (unsigned long long)t->ne[1]);
    m->hp.n_vocab = (uint32_t)t->ne[1];
    return GRETA_OK;
}

greta_status tensors_find(struct greta_model *m) {
    const struct tensor_row *row;
    char name[96];
    greta_status status = find_vocab(m);

    if (status) return status;
    m->layers = arena_array(&m->arena, m->hp.n_layer, sizeof *m->layers);
    m->sources = arena_array(&m->arena, length(arch_model_rows) + length(m->arch->layer) * m->hp.n_layer,
                             sizeof *m->sources);
    if (!m->layers || !m->sources)
        return greta_fail(m->log, GRETA_ERR_NO_MEMORY, "%s: no memory for the model",
                          greta_gguf_path(m->gguf));
    for (row = arch_model_rows; row->name && !status; row++) status = find(m, row, row->name, m);
    for (uint32_t l = 0; l < m->hp.n_layer; l++)
        for (row = m->arch->layer; row->name && !status; row++) {
            snprintf(name, sizeof name, "blk.%u.%s", l, row->name);
            status = find(m, row, name, &m->layers[l]);
        }
    if (!status) status = find_rope_factors(m);
    if (!status) status = refuse_unknown(m);
    return status;
}
