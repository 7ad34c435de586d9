/*
 * Language models: load one from a GGUF file onto a device, evaluate tokens, choose the next one, turn tokens
 * into text.
 *
 *     greta_ctx_create -> greta_dev_open -> greta_model_load -> greta_session_create
 *     greta_tokenizer_encode -> greta_session_eval -> greta_session_sample -> greta_text_push ->
 * greta_session_eval ...
 *
 * A model may be used by several sessions; a session, and what belongs to it, by one thread at a time.
 * Messages go to the log of the device's ctx. Every call that evaluates, loads or reads blocks until it is
 * done.
 */
#ifndef GRETA_LLM_H
#define GRETA_LLM_H

#include <greta/kernels.h>
#include <greta/tokenizer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct greta_model;
struct greta_session;
struct greta_sampler;

/* ---- sessions' parameters ------------------------------------------------------------------------------ */

/* Q8_0: 8 bits, a scale for each 32; for models whose heads are multiples of 32. */
enum greta_kv_type { GRETA_KV_F16, GRETA_KV_F32, GRETA_KV_Q8_0 };

struct greta_session_params {
    uint32_t n_ctx;             /* tokens that it holds; 0: what the model was trained for, at most 4096 */
    enum greta_kv_type kv_type; /* of the cached keys and values */
    uint32_t n_chunk;           /* tokens of a prompt evaluated at once; 0: chosen for the device */
    /*
     * Told how many tokens of one eval are done. Returning false stops after that chunk: the eval is
     * GRETA_OK, and greta_session_n_past says how far it came. May be NULL.
     */
    bool (*progress)(void *user, uint32_t done, uint32_t total);
    void *user;
};

/* ---- models -------------------------------------------------------------------------------------------- */

struct greta_model_params {
    enum greta_policy policy;
    const char *force; /* as in greta_plan_params */
    bool (*tuned)(void *user, const struct greta_call *call, char *row,
                  size_t size); /* as in greta_plan_params; may be NULL */
    void *tuned_user;
    bool without_tokenizer; /* do not look at the file's tokenizer: for benches, and for files whose tokenizer
                               is not known */
    /* Memory of such a session is counted when the model is checked against the device's free memory. May be
     * NULL. */
    const struct greta_session_params *expect;
    void (*progress)(void *user, uint64_t done_bytes, uint64_t total_bytes); /* of weights. May be NULL */
    void *user;
};

/* The architectures that can be loaded, as general.architecture names them; NULL past the last. */
GRETA_API const char *greta_architecture_at(size_t i);

/*
 * Loads a GGUF file of one of these architectures. On the cpu the weights stay in the mapped file, which must not
 * be changed meanwhile; on a GPU they are repacked into the layout that its kernels read, and the file is
 * closed. Errors, each with one line that names the file, the key or tensor and the cause: ERR_IO,
 * ERR_FORMAT, ERR_UNSUPPORTED (another architecture, experts, a tensor or a key that it does not have, a
 * weight type without kernels), ERR_NO_DEVICE_MEMORY with the bytes needed and available, before anything is allocated.
 */
GRETA_API GRETA_MUST_USE greta_status greta_model_load(struct greta_dev *dev, const char *path,
                                                       const struct greta_model_params *params,
                                                       struct greta_model **out);
/* The same from memory, which must outlive the model. `name` is used in messages. */
GRETA_API GRETA_MUST_USE greta_status greta_model_load_memory(struct greta_dev *dev, const void *data,
                                                              size_t size_bytes, const char *name,
                                                              const struct greta_model_params *params,
                                                              struct greta_model **out);
/* Its sessions must be gone. */
GRETA_API void greta_model_destroy(struct greta_model **model);

struct greta_model_info {
    char name[128]; /* general.name, or "" */
    uint32_t n_vocab, n_embd, n_layer, n_head, n_head_kv, head_dim, n_ff, n_rot, n_ctx_train;
    float rms_eps;
    bool tied_output; /* output is the token embedding */
    uint64_t n_params;
    uint64_t weights_bytes;  /* on the device */
    uint64_t step_bytes;     /* of weights read for one token */
    char weight_types[96];   /* "Q4_K, Q6_K, F32": of the matrices, the most bytes first */
    char decode_x_types[32]; /* what activations are rounded to before a matrix: "F32", "Q8A" or "F32, Q8A" */
    char prefill_x_types[32];
};
GRETA_API const struct greta_model_info *greta_model_get_info(const struct greta_model *model);
/* NULL where the file has none (or without_tokenizer was asked for). Borrowed. */
GRETA_API const struct greta_tokenizer *greta_model_get_tokenizer(const struct greta_model *model);
/* The file's own chat template, zero-terminated, or NULL. Borrowed. */
GRETA_API const char *greta_model_get_chat_template(const struct greta_model *model);
GRETA_API struct greta_dev *greta_model_get_dev(const struct greta_model *model);
/* Device memory that a session takes, its scratch included. 0 where the params are not possible. */
GRETA_API uint64_t greta_model_session_bytes(const struct greta_model *model,
                                             const struct greta_session_params *params);

/* The model that is part of the library: a whole GGUF file in memory. False where it was built without one.
 */
GRETA_API bool greta_builtin_model(const void **data, size_t *size_bytes);

/* ---- sessions ------------------------------------------------------------------------------------------ */

/* ERR_NO_DEVICE_MEMORY with the bytes needed and available; ERR_INVALID for an n_ctx out of range. params may
 * be NULL. */
GRETA_API GRETA_MUST_USE greta_status greta_session_create(struct greta_model *model,
                                                           const struct greta_session_params *params,
                                                           struct greta_session **out);
GRETA_API void greta_session_destroy(struct greta_session **session);

/* What is wanted of an eval: only the state; the most likely next token; the logits after the last token. */
enum greta_want { GRETA_WANT_NOTHING, GRETA_WANT_ARGMAX, GRETA_WANT_LOGITS };

/*
 * Evaluates n >= 1 tokens at positions n_past, n_past + 1, ... One token is a decode step: from the second
 * on, one update, one graph launch and one readback. More are a prefill, in chunks. ERR_INVALID, and nothing
 * is evaluated, where the context would overflow or an id is not in the vocabulary. After another error
 * n_past has the tokens that are in.
 */
GRETA_API GRETA_MUST_USE greta_status greta_session_eval(struct greta_session *session,
                                                         const uint32_t *tokens, uint32_t n,
                                                         enum greta_want want);
/* The same, and `each` is called with the logits after every token, in order. Returning false ends it,
 * GRETA_OK. */
GRETA_API GRETA_MUST_USE greta_status
greta_session_eval_each(struct greta_session *session, const uint32_t *tokens, uint32_t n,
                        bool (*each)(void *user, uint32_t i_token, const float *logits), void *user);
/* n_vocab logits of the last eval, which wanted them; else NULL. Valid until the next call on the session. */
GRETA_API const float *greta_session_logits(const struct greta_session *session);
/* The last eval's most likely token (the smallest id among equals). ERR_INVALID where it was not wanted. */
GRETA_API GRETA_MUST_USE greta_status greta_session_argmax(const struct greta_session *session,
                                                           uint32_t *token);
/* Forgets all tokens from n_past on. ERR_INVALID where there are fewer. O(1). */
GRETA_API GRETA_MUST_USE greta_status greta_session_rewind(struct greta_session *session, uint32_t n_past);
GRETA_API struct greta_model *greta_session_get_model(const struct greta_session *session);
/* That all of its work goes to, in order; the session's own. For events around it. */
GRETA_API struct greta_stream *greta_session_get_stream(const struct greta_session *session);
GRETA_API uint32_t greta_session_n_past(const struct greta_session *session);
GRETA_API uint32_t greta_session_n_ctx(const struct greta_session *session);

/*
 * Every call that an eval of n_tok tokens records which then sees n_kv positions, in order; with n_tok 1 that of a decode step. Bindings are those
 * of the session. For tuners: nothing is run. ERR_INVALID where n_tok passes a chunk or n_kv the context.
 */
GRETA_API GRETA_MUST_USE greta_status
greta_session_each_call(struct greta_session *session, uint32_t n_tok, uint32_t n_kv,
                        void (*fn)(void *user, const struct greta_call *call), void *user);

struct greta_session_stats {
    uint64_t n_prefill, n_decode; /* tokens */
    uint64_t prefill_ns, decode_ns;
    uint64_t kv_bytes, scratch_bytes;
    uint32_t n_chunk;
};
GRETA_API struct greta_session_stats greta_session_get_stats(const struct greta_session *session);

/* ---- choosing the next token --------------------------------------------------------------------------- */

/* {0} is greedy. */
struct greta_sampler_params {
    float temperature;    /* 0: the most likely token; else logits are divided by it */
    uint32_t top_k;       /* keep the k most likely; 0: all */
    float top_p;          /* keep the fewest most likely whose probabilities reach p; 0 or 1: all */
    float min_p;          /* keep those at least min_p as likely as the most likely; 0: all */
    float repeat_penalty; /* logits of recent tokens: divided by it where positive, multiplied where negative;
                             0 or 1: none */
    uint32_t n_repeat;    /* how many recent tokens; 0: 64 */
    uint64_t seed;        /* of its own generator (PCG32): the same seed draws the same */
};

/*
 * The order: repetition penalty, temperature, softmax, top-k, top-p, min-p (of the probabilities before any
 * was dropped), one draw among the rest. Equal logits are ordered by id. NaN counts as impossible.
 * ERR_INVALID, with the parameter named, where one is out of range.
 */
GRETA_API GRETA_MUST_USE greta_status greta_sampler_create(const struct greta_sampler_params *params,
                                                           const struct greta_log *log,
                                                           struct greta_sampler **out);
GRETA_API void greta_sampler_destroy(struct greta_sampler **sampler);
/* What an eval must want for this sampler: ARGMAX where greedy needs no logits on the host, else LOGITS. */
GRETA_API enum greta_want greta_sampler_want(const struct greta_sampler *sampler);
/* Counts a token as recent: the prompt's, and each that was chosen. */
GRETA_API void greta_sampler_accept(struct greta_sampler *sampler, uint32_t token);
/* ERR_NO_MEMORY, or ERR_INTERNAL where no logit is a number. */
GRETA_API GRETA_MUST_USE greta_status greta_sampler_choose(struct greta_sampler *sampler, const float *logits,
                                                           uint32_t n, uint32_t *token);
/* Chooses from the session's last eval (which wanted greta_sampler_want), and accepts the token. */
GRETA_API GRETA_MUST_USE greta_status greta_session_sample(struct greta_session *session,
                                                           struct greta_sampler *sampler, uint32_t *token);

/* ---- text as it comes ---------------------------------------------------------------------------------- */

/*
 * Passes bytes on in whole UTF-8 characters: the beginning of one is held back until the rest has come, and a
 * byte that is no part of any becomes U+FFFD. write returns false where it failed; then push and finish do,
 * too.
 */
struct greta_text {
    bool (*write)(void *user, const char *data, size_t len);
    void *user;
    unsigned char held[4]; /* begin with zeros */
    unsigned n_held;
};
GRETA_API bool greta_text_push(struct greta_text *text, const char *data, size_t len);
/* What is still held back is incomplete: one U+FFFD. The struct is as new afterwards. */
GRETA_API bool greta_text_finish(struct greta_text *text);

#ifdef __cplusplus
}
#endif
#endif
