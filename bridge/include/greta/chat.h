/*
 * Chat templates by name: chatml, llama2, llama3, mistral, zephyr, qwen3, phi3, gemma2, and variants of these that differ in a system
 * message of their own, in where BOS goes or in their spaces (chatml-smollm2, llama2-bos, mistral-nemo, ...): greta_chat_template_at lists them all.
 */
#ifndef GRETA_CHAT_H
#define GRETA_CHAT_H

#include <greta/log.h>
#include <greta/status.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct greta_chat_message {
    const char *role; /* "system", "user", "assistant" */
    const char *content;
};

struct greta_chat_template; /* a row of a constant table */

/* By name; NULL where there is none. */
GRETA_API const struct greta_chat_template *greta_chat_template_by_name(const char *name);
/* The template that a file's own Jinja text is, recognized by its marks; NULL where it is none of ours. */
GRETA_API const struct greta_chat_template *greta_chat_template_recognize(const char *jinja, size_t len);
GRETA_API const char *greta_chat_template_name(const struct greta_chat_template *t);
GRETA_API size_t greta_chat_template_count(void);
GRETA_API const struct greta_chat_template *greta_chat_template_at(size_t i);
/*
 * Renders a conversation, special tokens as text (BOS included where the template writes it: then tokenize without BOS).
 * `bos`, `eos`: their texts. *out is malloc'ed and zero-terminated. ERR_INVALID with the template's own words where it refuses
 * the conversation (roles that must alternate, ...).
 */
GRETA_API GRETA_MUST_USE greta_status greta_chat_render(const struct greta_chat_template *t, const struct greta_chat_message *messages,
                                                        size_t n_messages, bool add_generation_prompt, const char *bos, const char *eos,
                                                        const struct greta_log *log, char **out);

#ifdef __cplusplus
}
#endif
#endif
