/* A loaded model, inside bridge/llm. */
#ifndef LLM_MODEL_H
#define LLM_MODEL_H

#include <greta/llm.h>

#include "arena.h"

/* What the file's keys say, checked. */
struct hparams {
    uint32_t n_vocab, n_embd, n_layer, n_head, n_head_kv, head_dim, n_ff, n_rot, n_ctx_train;
    float rms_eps;
    double rope_base, rope_scale; /* angles are divided by rope_scale (linear scaling) */
};

/* Rows [row_begin, row_begin + n_rows) of a matrix, a whole tensor of its own in the weight's layout. */
struct weight_part {
    struct greta_buf *buf;
    uint64_t offset_bytes, size_bytes;
    uint32_t row_begin, n_rows;
};

/* A matrix on the device; several parts only where a buffer cannot hold it. */
struct weight {
    uint32_t type, n_rows, n_cols, n_parts; /* type: on the device */
    enum greta_layout layout;
    struct weight_part *parts;
};

struct layer {
    struct greta_buf *attn_norm, *ffn_norm;
    struct weight q, k, v, o, gate, up, down;
};

/* A tensor of the file and where it goes: a matrix, or a vector (then `vector` is set), as f32. */
struct source {
    const struct greta_gguf_tensor *tensor;
    struct weight *matrix;
    struct greta_buf **vector;
};

struct greta_model {
    struct greta_dev *dev;
    const struct greta_log *log;
    struct greta_plan *plan;
    struct greta_gguf *gguf; /* NULL once the weights are on a GPU */
    struct greta_tokenizer *tokenizer;
    char *chat_template;
    struct greta_model_info info;
    struct hparams hp;
    struct weight embd, output;
    struct greta_buf *output_norm;
    struct layer *layers;
    float *rope_factors; /* n_rot / 2 divisors of the angles (Llama 3's scaling), or NULL */
    struct source *sources;
    uint32_t n_sources;
    struct greta_buf **bufs; /* all that the model owns */
    uint32_t n_bufs;
    uint32_t max_part_rows; /* of matrices in several parts; 0: there is none */
    struct arena arena;
};

/* Reads and checks the keys. Errors name the file and the key. */
GRETA_MUST_USE greta_status hparams_read(const struct greta_gguf *gguf, const struct greta_log *log,
                                         struct hparams *out);
/*
 * Finds every tensor, checks its shape and type, fills sources, rope_factors and the shapes of the matrices.
 */
GRETA_MUST_USE greta_status tensors_find(struct greta_model *model);
/* Splits matrices into parts by the device's limits. */
GRETA_MUST_USE greta_status weights_place(struct greta_model *model);
/* Brings all of it onto the device. */
GRETA_MUST_USE greta_status weights_load(struct greta_model *model, const struct greta_model_params *params);
/* Device memory that weights_load will take: 0 for what stays in the mapped file. */
uint64_t weights_device_bytes(const struct greta_model *model);
/* Whether weights stay where they are, in host memory. */
bool weights_are_mapped(const struct greta_model *model);

#endif
