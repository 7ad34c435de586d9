/* A loaded model, inside bridge/llm. */
#ifndef LLM_MODEL_H
#define LLM_MODEL_H

#include <greta/llm.h>

#include "arena.h"

struct arch;
struct keys;

/* What the file's keys say, checked. */
struct hparams {
    uint32_t n_vocab, n_embd, n_layer, n_head, n_head_kv, head_dim, n_ff, n_rot, n_ctx_train;
    uint32_t
        window; /* positions that the layers of arch->window_layers see, the token's own among them; 0: all */
    float rms_eps;
    float attn_scale, attn_softcap; /* of the scores; softcap 0: none */
    float embd_scale, final_softcap;
};

/* How positions become angles. Pair j turns by base^(-2j / n_rot) / factors[j] / factor, but for YaRN's fast ones. */
struct rope {
    double base, factor;
    double magnitude; /* of cosines and sines */
    double n_ctx_orig;
    double ext_factor, beta_fast, beta_slow; /* YaRN; ext_factor 0: none */
    bool needs_long;
    float *short_factors, *long_factors; /* for contexts up to n_ctx_orig, and above it; NULL: 1 */
};

/* Rows [row_begin, row_begin + n_rows) of a matrix, a whole tensor of its own in the weight's layout. */
struct weight_part {
    struct greta_buf *buf;
    uint64_t offset_bytes, size_bytes;
    uint32_t row_begin, n_rows;
    uint32_t i_slab; /* of load_pieces.h */
};

/* A matrix on the device; several parts only where a buffer cannot hold it. */
struct weight {
    uint32_t type, n_rows, n_cols, n_parts; /* type: on the device */
    enum greta_layout layout;
    struct weight_part *parts;
};

/* What an architecture does not have is NULL. */
struct layer {
    struct greta_buf *attn_norm, *ffn_norm, *post_attn_norm, *post_ffn_norm;
    struct greta_buf *q_norm, *k_norm; /* of each head */
    struct greta_buf *qkv_bias;
    struct weight q, k, v, o, gate, up, down;
};

/*
 * A tensor of the file, or a part of it, and where it goes: into a matrix, or a vector (then `vector` is set), as f32.
 * A matrix is the tensor's rows from `begin` on; a vector's buffer has `whole` elements, and the tensor fills those from
 * `begin` on.
 */
struct source {
    const struct greta_gguf_tensor *tensor;
    struct weight *matrix;
    struct greta_buf **vector;
    uint32_t begin, whole;
};

struct greta_model {
    struct greta_dev *dev;
    const struct greta_log *log;
    struct greta_plan *plan;
    struct greta_gguf *gguf; /* NULL once the weights are on a GPU */
    struct greta_tokenizer *tokenizer;
    char *chat_template;
    struct greta_model_info info;
    const struct arch *arch;
    struct hparams hp;
    struct rope rope;
    struct weight embd, output;
    struct greta_buf *output_norm;
    struct layer *layers;
    struct source *sources;
    uint32_t n_sources;
    struct greta_buf **bufs; /* all that the model owns */
    uint32_t n_bufs;
    uint32_t max_part_rows; /* of matrices in several parts; 0: there is none */
    struct arena arena;
};

/* Finds the architecture, reads and checks the keys. Errors name the file and the key. */
GRETA_MUST_USE greta_status hparams_read(struct keys *keys, struct hparams *out);
/* Finds every tensor, checks its shape and type, fills sources, the shapes of the matrices and RoPE's factors. */
GRETA_MUST_USE greta_status tensors_find(struct greta_model *model);
/* RoPE's keys; and its table for n positions from `first` on, of a session of n_ctx
 * tokens: {cos, sin} of n_rot / 2 pairs each. */
GRETA_MUST_USE greta_status rope_read(struct keys *keys, const struct hparams *hp, struct rope *out);
void rope_table(const struct greta_model *model, uint32_t n_ctx, uint32_t first, uint32_t n, float *out);
/* Splits matrices into parts by the device's limits. */
GRETA_MUST_USE greta_status weights_place(struct greta_model *model);
enum { WEIGHTS_SLAB_ALIGN = 256 };
/* The device's largest buffer, and at most `most`. */
uint64_t weights_max_bytes(const struct greta_model *model, uint64_t most);
/* The type in the file; on a device other than the host, what has no PACKED layout becomes F16 while loading. */
uint32_t weights_file_type(const struct source *source);
/* Bytes of the file that a source's matrix takes. */
uint64_t weights_file_bytes(const struct source *source);
/* Brings all of it onto the device; `beside`, where given, is called by one of its threads meanwhile, alone on the model's arena. */
GRETA_MUST_USE greta_status weights_load(struct greta_model *model, const struct greta_model_params *params,
                                         greta_status (*beside)(struct greta_model *model));
/* Device memory that weights_load will take: 0 for what stays in the mapped file. */
uint64_t weights_device_bytes(const struct greta_model *model);
/* Whether weights stay where they are, in host memory. */
bool weights_are_mapped(const struct greta_model *model);

#endif
