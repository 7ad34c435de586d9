/* What an architecture is, as data: the tensors that it has and the switches of its forward pass. */
#ifndef LLM_ARCH_H
#define LLM_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes that shapes are made of. Q: n_head * head_dim, KV: n_head_kv * head_dim. */
enum dim {
    DIM_NONE,
    DIM_VOCAB,
    DIM_EMBD,
    DIM_HEAD,
    DIM_Q,
    DIM_KV,
    DIM_Q_KV,  /* Q + KV */
    DIM_Q_KV2, /* Q + 2 KV: queries, keys and values, one behind another */
    DIM_FF,
    DIM_FF2 /* 2 FF: gate and up */
};

/*
 * One tensor of the file and what it becomes. `rows` DIM_NONE: a vector, of `cols`. Where `whole` is set it is a part: a
 * matrix is rows [begin, begin + rows) of a tensor of `whole` rows; a vector is elements [begin, begin + cols) of a buffer
 * of `whole`.
 */
struct tensor_row {
    const char *name; /* NULL ends a list. In a layer: what follows "blk.<i>." */
    enum dim rows, cols;
    size_t offset; /* in struct layer, or in struct greta_model */
    bool optional;
    enum dim whole, begin;
};

/* Layers whose attention sees only a window, where the file names one. */
enum window_layers { WINDOW_NONE, WINDOW_ALL, WINDOW_EVEN };

struct arch {
    const char *name; /* general.architecture, and the prefix of the file's keys */
    const struct tensor_row *layer;
    uint32_t rope_mode, act; /* as the ops' keys have them: GRETA_KEYS_ROPE, GRETA_ACT_* */
    bool scale_embd;         /* by sqrt(n_embd) */
    enum window_layers window_layers;
    uint32_t window;                    /* where the file does not say; 0: none */
    double attn_softcap, final_softcap; /* the same */
    /* Models of so many layers scale queries by 1 / sqrt(n_embd / n_head), the others by 1 / sqrt(head_dim). */
    uint32_t n_layer_wide_queries;
};

extern const struct tensor_row arch_model_rows[]; /* outside the layers: the same for all */
/* NULL: not supported. */
const struct arch *arch_find(const char *name, size_t len);
/* "llama, qwen2 and gemma2" */
const char *arch_names(char *out, size_t size);

#endif
