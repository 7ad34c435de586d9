/* Text to token ids and back: SentencePiece ("llama") and byte-level BPE ("gpt2") as GGUF files describe them. */
#ifndef GRETA_TOKENIZER_H
#define GRETA_TOKENIZER_H

#include <greta/gguf.h>

#ifdef __cplusplus
extern "C" {
#endif

struct greta_tokenizer;

/* ERR_NOT_FOUND where the file has no tokenizer ("no_vocab" too), ERR_UNSUPPORTED for a kind or pre-tokenizer we do not know
 * (named), ERR_FORMAT for a broken one. Keeps nothing of the gguf; `log` is copied and used by encode. Thread-safe once made. */
GRETA_API GRETA_MUST_USE greta_status greta_tokenizer_create(const struct greta_gguf *gguf, const struct greta_log *log,
                                                             struct greta_tokenizer **out);
GRETA_API void greta_tokenizer_destroy(struct greta_tokenizer **tokenizer);

enum { GRETA_TOKENIZE_BOS = 1,     /* put BOS (and EOS) where the file asks for it (add_bos_token) */
       GRETA_TOKENIZE_SPECIAL = 2 /* recognize control tokens in the text */ };

/* Ids of `len` bytes of text (invalid UTF-8 is taken byte by byte). *ids is malloc'ed: free() it; n may be 0. */
GRETA_API GRETA_MUST_USE greta_status greta_tokenizer_encode(const struct greta_tokenizer *tokenizer, const char *text, size_t len,
                                                             unsigned flags, uint32_t **ids, size_t *n);
/* The bytes a token stands for (control tokens: none, unless `special`). Borrowed; not zero-terminated. An id out of range
 * has none. For SentencePiece the text's leading space is the caller's to drop (greta_tokenizer_strips_space). */
GRETA_API struct greta_gguf_string greta_tokenizer_piece(const struct greta_tokenizer *tokenizer, uint32_t id, bool special);
GRETA_API bool greta_tokenizer_strips_space(const struct greta_tokenizer *tokenizer);
GRETA_API uint32_t greta_tokenizer_n_tokens(const struct greta_tokenizer *tokenizer);
GRETA_API bool greta_tokenizer_bos(const struct greta_tokenizer *tokenizer, uint32_t *id);
GRETA_API bool greta_tokenizer_eos(const struct greta_tokenizer *tokenizer, uint32_t *id);
/* Whether generation stops at this token: EOS, EOT, EOM, the usual end-of-turn names, and BOS. */
GRETA_API bool greta_tokenizer_is_stop(const struct greta_tokenizer *tokenizer, uint32_t id);
/* The id of a token by its exact text. */
GRETA_API bool greta_tokenizer_find(const struct greta_tokenizer *tokenizer, const char *text, uint32_t *id);

#ifdef __cplusplus
}
#endif
#endif
