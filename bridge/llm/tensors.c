/*
 * The tensors of architecture `llama`: one table of names and shapes. A tensor that the table does not know
 * is an error, since ignoring one (a bias, an expert) would compute something else.
 */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum dim { DIM_NONE, DIM_VOCAB, DIM_EMBD, DIM_Q, DIM_KV, DIM_FF };

struct row {
    const char *name;
    enum dim rows, cols; /* DIM_NONE rows: a vector */
    size_t offset;       /* in struct layer, or in struct greta_model */
    bool optional;
};

#define IN_MODEL(member) offsetof(struct greta_model, member)
#define IN_LAYER(member) offsetof(struct layer, member)
static const struct row model_rows[] = {
    {"token_embd.weight", DIM_VOCAB, DIM_EMBD, IN_MODEL(embd), false},
    {"output_norm.weight", DIM_NONE, DIM_EMBD, IN_MODEL(output_norm), false},
    {"output.weight", DIM_VOCAB, DIM_EMBD, IN_MODEL(output), true},
};
static const struct row layer_rows[] = {
    {"attn_norm.weight", DIM_NONE, DIM_EMBD, IN_LAYER(attn_norm), false},
    {"attn_q.weight", DIM_Q, DIM_EMBD, IN_LAYER(q), false},
    {"attn_k.weight", DIM_KV, DIM_EMBD, IN_LAYER(k), false},
    {"attn_v.weight", DIM_KV, DIM_EMBD, IN_LAYER(v), false},
    {"attn_output.weight", DIM_EMBD, DIM_Q, IN_LAYER(o), false},
    {"ffn_norm.weight", DIM_NONE, DIM_EMBD, IN_LAYER(ffn_norm), false},
    {"ffn_gate.weight", DIM_FF, DIM_EMBD, IN_LAYER(gate), false},
    {"ffn_up.weight", DIM_FF, DIM_EMBD, IN_LAYER(up), false},
    {"ffn_down.weight", DIM_EMBD, DIM_FF, IN_LAYER(down), false},
};
enum {
    N_MODEL_ROWS = sizeof model_rows / sizeof *model_rows,
    N_LAYER_ROWS = sizeof layer_rows / sizeof *layer_rows
};

static uint64_t dim_size(const struct hparams *hp, enum dim d) {
    switch (d) {
    case DIM_VOCAB: return hp->n_vocab;
    case DIM_EMBD: return hp->n_embd;
    case DIM_Q: return (uint64_t)hp->n_head * hp->head_dim;
    case DIM_KV: return (uint64_t)hp->n_head_kv * hp->head_dim;
    case DIM_FF: return hp->n_ff;
    case DIM_NONE: break;
    }
    return 1;
}

static greta_status check_shape(const struct greta_model *m, const struct greta_gguf_tensor *t, uint64_t rows,
                                uint64_t cols) {
    if (t->ne[0] == cols && t->ne[1] == rows && t->ne[2] == 1 && t->ne[3] == 1) return GRETA_OK;
    return greta_fail(m->log, GRETA_ERR_FORMAT,
                      "%s: tensor %s is %llu x %llu x %llu x %llu; the file's keys make it %llu x %llu",
                      greta_gguf_path(m->gguf), t->name, (unsigned long long)t->ne[0],
                      (unsigned long long)t->ne[1], (unsigned long long)t->ne[2],
                      (unsigned long long)t->ne[3], (unsigned long long)cols, (unsigned long long)rows);
}

static greta_status check_type(const struct greta_model *m, const struct greta_gguf_tensor *t, bool vector,
                               uint32_t *type) {
    const struct greta_type_info *info = greta_type_from_ggml(t->ggml_type);

    if (!info || (vector && info->quantized))
        return greta_fail(m->log, GRETA_ERR_UNSUPPORTED,
                          "%s: tensor %s is of type %s, which is not supported here",
                          greta_gguf_path(m->gguf), t->name, greta_gguf_type_name(t->ggml_type));
    *type = info->type;
    return GRETA_OK;
}

/* Finds the tensor of one row of the table and appends it to the sources. */
static greta_status find(struct greta_model *m, const struct row *row, const char *name, void *base) {
    const struct greta_gguf_tensor *t = greta_gguf_tensor(m->gguf, name);
    struct source *source = &m->sources[m->n_sources];
    void *target = (char *)base + row->offset;
    uint64_t rows = dim_size(&m->hp, row->rows), cols = dim_size(&m->hp, row->cols);
    uint32_t type = 0;
    greta_status status;

    if (!t) {
        if (row->optional) return GRETA_OK;
        return greta_fail(m->log, GRETA_ERR_FORMAT, "%s: the tensor %s is missing", greta_gguf_path(m->gguf),
                          name);
    }
    status = check_shape(m, t, rows, cols);
    if (!status) status = check_type(m, t, row->rows == DIM_NONE, &type);
    if (status) return status;
    source->tensor = t;
    if (row->rows == DIM_NONE) {
        source->vector = target;
    } else {
        source->matrix = target;
        *source->matrix = (struct weight){.type = type, .n_rows = (uint32_t)rows, .n_cols = (uint32_t)cols};
    }
    m->n_sources++;
    m->info.n_params += rows * cols;
    return GRETA_OK;
}

static bool known(const struct greta_model *m, const char *name) {
    uint32_t i_layer;
    int end = 0;

    if (strcmp(name, "rope_freqs.weight") == 0) return true;
    for (int i = 0; i < N_MODEL_ROWS; i++)
        if (strcmp(name, model_rows[i].name) == 0) return true;
    if (sscanf(name, "blk.%u.%n", &i_layer, &end) != 1 || !end || i_layer >= m->hp.n_layer) return false;
    for (int i = 0; i < N_LAYER_ROWS; i++)
        if (strcmp(name + end, layer_rows[i].name) == 0) return true;
    /* RoPE's frequencies as some old converters stored them: what the keys say anyway */
    return strcmp(name + end, "attn_rot_embd.weight") == 0 || strcmp(name + end, "attn_rot_embd") == 0;
}

static greta_status refuse_unknown(const struct greta_model *m) {
    for (uint64_t i = 0; i < greta_gguf_n_tensors(m->gguf); i++) {
        const char *name = greta_gguf_tensor_at(m->gguf, i)->name;
        if (!known(m, name))
            return greta_fail(m->log, GRETA_ERR_UNSUPPORTED,
                              "%s: the tensor %s is not part of the architecture llama as supported",
                              greta_gguf_path(m->gguf), name);
    }
    return GRETA_OK;
}

/* n_vocab is the embedding's row count; a llama.vocab_size that says otherwise shows a damaged file. */
static greta_status find_vocab(struct greta_model *m) {
    const struct greta_gguf_tensor *t = greta_gguf_tensor(m->gguf, "token_embd.weight");
    uint64_t n;

    if (!t)
        return greta_fail(m->log, GRETA_ERR_FORMAT, "%s: the tensor token_embd.weight is missing",
                          greta_gguf_path(m->gguf));
    if (t->ne[1] < 1 || t->ne[1] > 1u << 24)
        return greta_fail(m->log, GRETA_ERR_FORMAT, "%s: tensor token_embd.weight has %llu rows",
                          greta_gguf_path(m->gguf), (unsigned long long)t->ne[1]);
    if (greta_gguf_get_u64(m->gguf, "llama.vocab_size", &n) && n != t->ne[1])
        greta_logf(m->log, GRETA_LOG_WARN,
                   "%s: llama.vocab_size is %llu, but token_embd.weight has %llu rows: using the latter",
                   greta_gguf_path(m->gguf), (unsigned long long)n, (unsigned long long)t->ne[1]);
    m->hp.n_vocab = (uint32_t)t->ne[1];
    return GRETA_OK;
}

/* Divisors of RoPE's angles, one per pair. */
static greta_status find_rope_factors(struct greta_model *m) {
    const struct greta_gguf_tensor *t = greta_gguf_tensor(m->gguf, "rope_freqs.weight");
    const char *path = greta_gguf_path(m->gguf);
    uint32_t n = m->hp.n_rot / 2, type = 0;
    greta_status status;

    if (!t) return GRETA_OK;
    status = check_shape(m, t, 1, n);
    if (!status) status = check_type(m, t, true, &type);
    if (status) return status;
    if (type != GRETA_TYPE_F32)
        return greta_fail(m->log, GRETA_ERR_UNSUPPORTED,
                          "%s: tensor rope_freqs.weight is of type %s; F32 is supported", path,
                          greta_gguf_type_name(t->ggml_type));
    m->rope_factors = arena_array(&m->arena, n, sizeof *m->rope_factors);
    if (!m->rope_factors) return greta_fail(m->log, GRETA_ERR_NO_MEMORY, "%s: no memory for the model", path);
    memcpy(m->rope_factors, t->data, n * sizeof *m->rope_factors);
    for (uint32_t i = 0; i < n; i++)
        if (!(m->rope_factors[i] > 0) || isinf(m->rope_factors[i]))
            return greta_fail(m->log, GRETA_ERR_FORMAT,
                              "%s: tensor rope_freqs.weight holds %g: it must be positive", path,
                              (double)m->rope_factors[i]);
    return GRETA_OK;
}

greta_status tensors_find(struct greta_model *m) {
    char name[64];
    greta_status status = find_vocab(m);

    if (status) return status;
    m->layers = arena_array(&m->arena, m->hp.n_layer, sizeof *m->layers);
    m->sources =
        arena_array(&m->arena, N_MODEL_ROWS + (size_t)N_LAYER_ROWS * m->hp.n_layer, sizeof *m->sources);
    if (!m->layers || !m->sources)
        return greta_fail(m->log, GRETA_ERR_NO_MEMORY, "%s: no memory for the model",
                          greta_gguf_path(m->gguf));
    for (int i = 0; i < N_MODEL_ROWS && !status; i++) status = find(m, &model_rows[i], model_rows[i].name, m);
    for (uint32_t l = 0; l < m->hp.n_layer; l++)
        for (int i = 0; i < N_LAYER_ROWS && !status; i++) {
            snprintf(name, sizeof name, "blk.%u.%s", l, layer_rows[i].name);
            status = find(m, &layer_rows[i], name, &m->layers[l]);
        }
    if (!status) status = find_rope_factors(m);
    if (!status) status = refuse_unknown(m);
    return status;
}
