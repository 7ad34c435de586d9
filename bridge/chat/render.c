#include "internal.h"

#include <stdlib.h>
#include <string.h>

static bool has_role(const struct greta_chat_message *m, const char *role) {
    return !strcmp(m->role, role);
}

/* The system message that opens the conversation and, in *rest, what follows it. */
static const char *split_system(const struct conversation *c, struct conversation *rest) {
    *rest = *c;
    if (!has_role(&c->messages[0], "system")) return NULL;
    rest->messages++;
    rest->n--;
    return c->messages[0].content;
}

static void add_chatml(struct text *out, const char *role, const char *content) {
    text_add(out, "<|im_start|>");
    text_add(out, role);
    text_add(out, "\n");
    text_add(out, content);
    text_add(out, "<|im_end|>\n");
}

const char *render_chatml(const struct greta_chat_template *t, const struct conversation *c,
                          struct text *out) {
    if (t->bos_first) text_add(out, c->bos);
    if (t->default_system && !has_role(&c->messages[0], "system"))
        add_chatml(out, "system", t->default_system);
    for (size_t i = 0; i < c->n; i++) add_chatml(out, c->messages[i].role, c->messages[i].content);
    if (c->add_generation_prompt) text_add(out, "<|im_start|>assistant\n");
    return NULL;
}

/* An answer without what was thought before it. */
static const char *after_thinking(const char *content) {
    const char *from = content, *next;

    while ((next = strstr(from, "</think>"))) from = next + strlen("</think>");
    return from == content ? content : from + strspn(from, "\n");
}

/* What was thought: up to the first </think>, from the last <think> before it, without newlines around it. */
static size_t thinking(const char *content, const char **from) {
    const char *stop = strstr(content, "</think>"), *next;

    *from = content;
    if (!stop) return 0;
    while ((next = strstr(*from, "<think>")) && next < stop) *from = next + strlen("<think>");
    *from += strspn(*from, "\n");
    while (stop > *from && stop[-1] == '\n') stop--;
    return stop > *from ? (size_t)(stop - *from) : 0;
}

/* Earlier answers lose what was thought for them; one that comes after the last question keeps it. */
const char *render_qwen3(const struct greta_chat_template *t, const struct conversation *c,
                         struct text *out) {
    size_t i_query = c->n - 1;

    (void)t;
    for (size_t i = 0; i < c->n; i++)
        if (has_role(&c->messages[i], "user")) i_query = i;
    for (size_t i = 0; i < c->n; i++) {
        const struct greta_chat_message *m = &c->messages[i];
        const char *thought, *answer = after_thinking(m->content);
        size_t len = thinking(m->content, &thought);
        if (has_role(m, "user") || has_role(m, "system")) add_chatml(out, m->role, m->content);
        if (!has_role(m, "assistant")) continue;
        text_add(out, "<|im_start|>assistant\n");
        if (i > i_query && (len || i + 1 == c->n)) {
            text_add(out, "<think>\n");
            text_add_part(out, thought, len);
            text_add(out, "\n</think>\n\n");
            answer += strspn(answer, "\n");
        }
        text_add(out, answer);
        text_add(out, "<|im_end|>\n");
    }
    if (c->add_generation_prompt) text_add(out, "<|im_start|>assistant\n");
    return NULL;
}

const char *render_phi3(const struct greta_chat_template *t, const struct conversation *c, struct text *out) {
    for (size_t i = 0; i < c->n; i++) {
        const struct greta_chat_message *m = &c->messages[i];
        bool system = has_role(m, "system") && (*m->content || t->empty_system);
        if (!system && !has_role(m, "user") && !has_role(m, "assistant")) continue;
        text_add(out, "<|");
        text_add(out, m->role);
        text_add(out, "|>\n");
        text_add(out, m->content);
        text_add(out, "<|end|>\n");
    }
    text_add(out, c->add_generation_prompt ? "<|assistant|>\n" : c->eos);
    return NULL;
}

const char *render_gemma2(const struct greta_chat_template *t, const struct conversation *c,
                          struct text *out) {
    (void)t;
    if (has_role(&c->messages[0], "system")) return "System role not supported";
    text_add(out, c->bos);
    for (size_t i = 0; i < c->n; i++) {
        const struct greta_chat_message *m = &c->messages[i];
        if (has_role(m, "user") != (i % 2 == 0))
            return "Conversation roles must alternate user/assistant/user/assistant/...";
        text_add(out, "<start_of_turn>");
        text_add(out, has_role(m, "assistant") ? "model" : m->role);
        text_add(out, "\n");
        text_add_stripped(out, m->content);
        text_add(out, "<end_of_turn>\n");
    }
    if (c->add_generation_prompt) text_add(out, "<start_of_turn>model\n");
    return NULL;
}

static void add_zephyr(struct text *out, const char *role, const char *content, const char *eos) {
    text_add(out, "<|");
    text_add(out, role);
    text_add(out, "|>\n");
    text_add(out, content);
    text_add(out, eos);
    text_add(out, "\n");
}

const char *render_zephyr(const struct greta_chat_template *t, const struct conversation *c,
                          struct text *out) {
    (void)t;
    for (size_t i = 0; i < c->n; i++) {
        const struct greta_chat_message *m = &c->messages[i];
        bool known = has_role(m, "user") || has_role(m, "system") || has_role(m, "assistant");
        if (known) add_zephyr(out, m->role, m->content, c->eos);
    }
    if (c->add_generation_prompt) text_add(out, "<|assistant|>\n");
    return NULL;
}

const char *render_llama3(const struct greta_chat_template *t, const struct conversation *c,
                          struct text *out) {
    text_add(out, c->bos);
    for (size_t i = 0; i < c->n; i++) {
        text_add(out, "<|start_header_id|>");
        text_add(out, c->messages[i].role);
        text_add(out, "<|end_header_id|>\n\n");
        text_add_stripped(out, c->messages[i].content);
        text_add(out, "<|eot_id|>");
    }
    if (c->add_generation_prompt || t->always_prompts)
        text_add(out, "<|start_header_id|>assistant<|end_header_id|>\n\n");
    return NULL;
}

/* The first user turn carries the system message, and the whole of it is stripped. */
static void add_llama2_user(struct text *out, const char *system, const char *content) {
    struct text turn = {0};
    if (system) {
        text_add(&turn, "<<SYS>>\n");
        text_add(&turn, system);
        text_add(&turn, "\n<</SYS>>\n\n");
    }
    text_add(&turn, content);
    text_add(out, "[INST] ");
    text_add_stripped(out, turn.data ? turn.data : "");
    text_add(out, " [/INST]");
    out->failed |= turn.failed;
    free(turn.data);
}

const char *render_llama2(const struct greta_chat_template *t, const struct conversation *c,
                          struct text *out) {
    struct conversation rest;
    const char *system = split_system(c, &rest);
    if (!system && t->default_system && !strstr(c->messages[0].content, "<<SYS>>"))
        system = t->default_system;
    if (t->bos_first) text_add(out, c->bos);
    for (size_t i = 0; i < rest.n; i++) {
        const struct greta_chat_message *m = &rest.messages[i];
        if (has_role(m, "user") != (i % 2 == 0))
            return "Conversation roles must alternate user/assistant/user/assistant/...";
        if (has_role(m, "user")) {
            if (t->bos_each) text_add(out, c->bos);
            add_llama2_user(out, i == 0 ? system : NULL, m->content);
        } else if (has_role(m, "assistant")) {
            text_add(out, " ");
            text_add_stripped(out, m->content);
            text_add(out, " ");
            text_add(out, c->eos);
        } else if (has_role(m, "system") && t->bos_first) {
            text_add(out, "<<SYS>>\n");
            text_add_stripped(out, m->content);
            text_add(out, "\n<</SYS>>\n\n");
        }
    }
    return NULL;
}

const char *render_mistral(const struct greta_chat_template *t, const struct conversation *c,
                           struct text *out) {
    text_add(out, c->bos);
    for (size_t i = 0; i < c->n; i++) {
        const struct greta_chat_message *m = &c->messages[i];
        if (has_role(m, "user") != (i % 2 == 0))
            return "Conversation roles must alternate user/assistant/user/assistant/...";
        if (has_role(m, "user")) {
            text_add(out, "[INST] ");
            text_add(out, m->content);
            text_add(out, " [/INST]");
        } else if (has_role(m, "assistant")) {
            text_add(out, m->content);
            text_add(out, c->eos);
            if (t->after_answer) text_add(out, t->after_answer);
        } else {
            return "Only user and assistant roles are supported!";
        }
    }
    return NULL;
}

const char *render_mistral_nemo(const struct greta_chat_template *t, const struct conversation *c,
                                struct text *out) {
    (void)t;
    struct conversation rest;
    const char *system = split_system(c, &rest);
    for (size_t i = 0; i < rest.n; i++)
        if (has_role(&rest.messages[i], "user") != (i % 2 == 0))
            return "After the optional system message, conversation roles must alternate "
                   "user/assistant/user/assistant/...";
    text_add(out, c->bos);
    for (size_t i = 0; i < rest.n; i++) {
        const struct greta_chat_message *m = &rest.messages[i];
        if (has_role(m, "user")) {
            text_add(out, "[INST]");
            if (system && i == rest.n - 1) { /* the last turn carries the system message */
                text_add(out, system);
                text_add(out, "\n\n");
            }
            text_add(out, m->content);
            text_add(out, "[/INST]");
        } else if (has_role(m, "assistant")) {
            text_add(out, m->content);
            text_add(out, c->eos);
        } else {
            return "Only user and assistant roles are supported, with the exception of an initial optional "
                   "system message!";
        }
    }
    return NULL;
}
