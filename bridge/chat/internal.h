/* What the chat templates' files share. */
#ifndef BRIDGE_CHAT_INTERNAL_H
#define BRIDGE_CHAT_INTERNAL_H

#include <greta/chat.h>

/* Text that grows. After a failed allocation it takes nothing more. */
struct text {
    char *data; /* zero-terminated once anything was added */
    size_t len, room;
    bool failed;
};
void text_add(struct text *t, const char *s);
void text_add_part(struct text *t, const char *s, size_t len);
/* Without the white space around it, as str.strip() of Python and Jinja's trim see it. */
void text_add_stripped(struct text *t, const char *s);

struct conversation {
    const struct greta_chat_message *messages;
    size_t n;
    bool add_generation_prompt;
    const char *bos, *eos;
};

/* Renders; returns the words with which the template refuses the conversation, or NULL. */
typedef const char *chat_render_fn(const struct greta_chat_template *t, const struct conversation *c,
                                   struct text *out);

struct greta_chat_template {
    const char *name;
    chat_render_fn *render;
    const char *default_system; /* where the conversation has none; NULL: nothing */
    bool bos_first;             /* BOS opens the conversation */
    bool bos_each;              /* BOS opens every user turn */
    bool always_prompts;        /* the generation prompt comes whether asked for or not */
    bool empty_system;          /* a system message without text is a turn, too */
    const char *after_answer;   /* behind EOS; NULL: nothing */
    /* Marks in the normalized template text: all of `needs`, none of `forbids`. */
    const char *needs[6], *forbids[10];
};

chat_render_fn render_chatml, render_llama2, render_llama3, render_mistral, render_mistral_nemo,
    render_zephyr, render_qwen3, render_phi3, render_gemma2;

/*
 * A template's text with the freedom taken out of it, so that marks can be looked for: in tags no white
 * space but in strings, strings in single quotes with their escapes resolved and neighbours joined, x['y']
 * as x.y, comments and white-space control carried out. malloc'ed, *out_len bytes, never longer than the
 * text; NULL: no memory.
 */
char *jinja_normalize(const char *jinja, size_t len, size_t *out_len);

#endif
