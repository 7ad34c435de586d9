/*
 * The architectures. A tensor that a list does not name is an error when a file has it, since ignoring one (a bias, an
 * expert) would compute something else. Sources: the models' own configurations and code, and llama.cpp's names for GGUF.
 */
#include "arch.h"

#include "model.h"

#include <stdio.h>
#include <string.h>

#define IN_MODEL(member) .offset = offsetof(struct greta_model, member)
#define IN_LAYER(member) .offset = offsetof(struct layer, member)

const struct tensor_row arch_model_rows[] = {
    {"token_embd.weight", DIM_VOCAB, DIM_EMBD, IN_MODEL(embd)},
    {"output_norm.weight", DIM_NONE, DIM_EMBD, IN_MODEL(output_norm)},
    {"output.weight", DIM_VOCAB, DIM_EMBD, IN_MODEL(output), .optional = true},
    {0},
};

/* clang-format off */
/* What several have. */
#define NORMS \
    {"attn_norm.weight", DIM_NONE, DIM_EMBD, IN_LAYER(attn_norm)}, \
    {"ffn_norm.weight", DIM_NONE, DIM_EMBD, IN_LAYER(ffn_norm)}
#define QKV \
    {"attn_q.weight", DIM_Q, DIM_EMBD, IN_LAYER(q)}, \
    {"attn_k.weight", DIM_KV, DIM_EMBD, IN_LAYER(k)}, \
    {"attn_v.weight", DIM_KV, DIM_EMBD, IN_LAYER(v)}
#define GATE_UP \
    {"ffn_gate.weight", DIM_FF, DIM_EMBD, IN_LAYER(gate)}, \
    {"ffn_up.weight", DIM_FF, DIM_EMBD, IN_LAYER(up)}
#define O_DOWN \
    {"attn_output.weight", DIM_EMBD, DIM_Q, IN_LAYER(o)}, \
    {"ffn_down.weight", DIM_EMBD, DIM_FF, IN_LAYER(down)}
/* clang-format on */

static const struct tensor_row llama_layer[] = {NORMS, QKV, O_DOWN, GATE_UP, {0}};
static const struct tensor_row qwen2_layer[] = {
    NORMS,
    QKV,
    O_DOWN,
    GATE_UP,
    {"attn_q.bias", DIM_NONE, DIM_Q, IN_LAYER(qkv_bias), .whole = DIM_Q_KV2},
    {"attn_k.bias", DIM_NONE, DIM_KV, IN_LAYER(qkv_bias), .whole = DIM_Q_KV2, .begin = DIM_Q},
    {"attn_v.bias", DIM_NONE, DIM_KV, IN_LAYER(qkv_bias), .whole = DIM_Q_KV2, .begin = DIM_Q_KV},
    {0},
};
static const struct tensor_row qwen3_layer[] = {
    NORMS,
    QKV,
    O_DOWN,
    GATE_UP,
    {"attn_q_norm.weight", DIM_NONE, DIM_HEAD, IN_LAYER(q_norm)},
    {"attn_k_norm.weight", DIM_NONE, DIM_HEAD, IN_LAYER(k_norm)},
    {0},
};
static const struct tensor_row phi3_layer[] = {
    NORMS,
    {"attn_qkv.weight", DIM_Q, DIM_EMBD, IN_LAYER(q), .whole = DIM_Q_KV2},
    {"attn_qkv.weight", DIM_KV, DIM_EMBD, IN_LAYER(k), .whole = DIM_Q_KV2, .begin = DIM_Q},
    {"attn_qkv.weight", DIM_KV, DIM_EMBD, IN_LAYER(v), .whole = DIM_Q_KV2, .begin = DIM_Q_KV},
    O_DOWN,
    {"ffn_up.weight", DIM_FF, DIM_EMBD, IN_LAYER(gate), .whole = DIM_FF2},
    {"ffn_up.weight", DIM_FF, DIM_EMBD, IN_LAYER(up), .whole = DIM_FF2, .begin = DIM_FF},
    {0},
};
static const struct tensor_row gemma2_layer[] = {
    NORMS,
    QKV,
    O_DOWN,
    GATE_UP,
    {"post_attention_norm.weight", DIM_NONE, DIM_EMBD, IN_LAYER(post_attn_norm)},
    {"post_ffw_norm.weight", DIM_NONE, DIM_EMBD, IN_LAYER(post_ffn_norm)},
    {0},
};

static const struct arch archs[] = {
    {.name = "llama",
     .layer = llama_layer,
     .rope_mode = 0,
     .window_layers = WINDOW_ALL}, /* Mistral's files are of this architecture */
    {.name = "qwen2", .layer = qwen2_layer, .rope_mode = 1},
    {.name = "qwen3", .layer = qwen3_layer, .rope_mode = 1},
    {.name = "phi3", .layer = phi3_layer, .rope_mode = 1, .window_layers = WINDOW_ALL},
    {.name = "gemma2",
     .layer = gemma2_layer,
     .rope_mode = 1,
     .act = GRETA_ACT_GELU,
     .scale_embd = true,
     .window_layers = WINDOW_EVEN,
     .window = 4096,
     .attn_softcap = 50,
     .final_softcap = 30,
     .n_layer_wide_queries = 46}, /* the 27B model */
};
enum { N_ARCHS = sizeof archs / sizeof *archs };

const struct arch *arch_find(const char *name, size_t len) {
    for (int i = 0; i < N_ARCHS; i++)
        if (strlen(archs[i].name) == len && memcmp(archs[i].name, name, len) == 0) return &archs[i];
    return NULL;
}

const char *greta_architecture_at(size_t i) {
    return i < N_ARCHS ? archs[i].name : NULL;
}

const char *arch_names(char *out, size_t size) {
    size_t len = 0;

    *out = '\0';
    for (int i = 0; i < N_ARCHS && len < size; i++) {
        const char *before = i + 1 < N_ARCHS ? ", " : " and ";
        len += (size_t)snprintf(out + len, size - len, "%s%s", i ? before : "", archs[i].name);
    }
    return out;
}
