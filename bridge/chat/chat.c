#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define CHATML_TURN "'<|im_start|>'+message.role+'\n'+message.content+'<|im_end|>\n'"
#define CHATML_PROMPT "{{'<|im_start|>assistant\n'}}"
#define CHATML_SYSTEM(text) "'<|im_start|>system\n" text "<|im_end|>\n'"
/* What no row of the chatml family does: other messages than the conversation's, other words than theirs. */
#define CHATML_FORBIDS "think", "eos_token", "raise_exception", "date", "[1:]", "{%setm"
#define SMOLLM2 "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
#define QWEN25 "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
#define QWEN2 "You are a helpful assistant."
#define VIGOGNE                                                                                \
    "Vous \xc3\xaates Vigogne, un assistant IA cr\xc3\xa9\xc3\xa9 par Zaion Lab. Vous suivez " \
    "extr\xc3\xaamement bien "                                                                 \
    "les instructions. Aidez autant que vous le pouvez."
#define LLAMA2_SYSTEM "'<<SYS>>\n'+system_message+'\n<</SYS>>\n\n'+message.content"
#define LLAMA2_USER "'[INST] '+content.strip()+' [/INST]'}}"
#define LLAMA2_ANSWER "{{' '+content.strip()+' '+eos_token}}"
#define LLAMA3_TURN \
    "'<|start_header_id|>'+message.role+'<|end_header_id|>\n\n'+message.content|trim+'<|eot_id|>'"
#define LLAMA3_BOS "setcontent=bos_token+content"
#define LLAMA3_PROMPT "{{'<|start_header_id|>assistant<|end_header_id|>\n\n'}}"
#define PHI3_TURN(role) "{{'<|" role "|>\n'+message.content+'<|end|>\n'}}"
#define PHI3_END "{%ifadd_generation_prompt%}{{'<|assistant|>\n'}}{%else%}{{eos_token}}{%endif%}"
#define ALTERNATE "Conversation roles must alternate user/assistant/user/assistant/..."

/*
 * The five oldest first, each before its variants in looking up a name. A template that does more
 * than its row says (tools in the text, dates, another system message) must not be taken for it: that is
 * what `forbids` is for.
 */
static const struct greta_chat_template templates[] = {
    {.name = "chatml",
     .render = render_chatml,
     .needs = {"{{" CHATML_TURN "}}", CHATML_PROMPT},
     .forbids = {"'<|im_start|>system", "tool", "bos_token", CHATML_FORBIDS}},
    {.name = "llama2",
     .render = render_llama2,
     .bos_first = true,
     .needs = {"{{bos_token}}", "{{" LLAMA2_USER, LLAMA2_ANSWER, LLAMA2_SYSTEM, ALTERNATE,
               "'<<SYS>>\n'+content.strip()"},
     .forbids = {"setsystem_message='", "tool"}},
    {.name = "llama3",
     .render = render_llama3,
     .always_prompts = true,
     .needs = {LLAMA3_TURN, LLAMA3_BOS, LLAMA3_PROMPT},
     .forbids = {"add_generation_prompt", "date_string", "tool", "'<|start_header_id|>system",
                 "raise_exception"}},
    {.name = "mistral",
     .render = render_mistral,
     .needs = {"{{bos_token}}", "{{'[INST] '+message.content+' [/INST]'}}", "{{message.content+eos_token}}",
               ALTERNATE, "Only user and assistant roles are supported!"},
     .forbids = {"system", "tool"}},
    {.name = "zephyr",
     .render = render_zephyr,
     .needs = {"{{'<|user|>\n'+message.content+eos_token}}\n{%",
               "{{'<|system|>\n'+message.content+eos_token}}\n{%",
               "{{'<|assistant|>\n'+message.content+eos_token}}\n{%",
               "{%ifloop.lastandadd_generation_prompt%}", "{{'<|assistant|>'}}\n{%"},
     .forbids = {"bos_token", "tool", "raise_exception"}},
    {.name = "chatml-bos",
     .render = render_chatml,
     .bos_first = true,
     .needs = {"{{bos_token}}", "{{" CHATML_TURN "}}", CHATML_PROMPT},
     .forbids = {"'<|im_start|>system", "tool", CHATML_FORBIDS}},
    {.name = "chatml-smollm2",
     .render = render_chatml,
     .default_system = SMOLLM2,
     .needs = {"{{" CHATML_TURN "}}", CHATML_PROMPT, "{%ifloop.firstandmessages[0].role!='system'%}",
               "{{" CHATML_SYSTEM(SMOLLM2) "}}"},
     .forbids = {"tool", "bos_token", CHATML_FORBIDS}},
    {.name = "chatml-qwen2",
     .render = render_chatml,
     .default_system = QWEN2,
     .needs = {"{{" CHATML_TURN "}}", CHATML_PROMPT, "{%ifloop.firstandmessages[0].role!='system'%}",
               "{{" CHATML_SYSTEM(QWEN2) "}}"},
     .forbids = {"tool", "bos_token", CHATML_FORBIDS}},
    {.name = "chatml-qwen2.5",
     .render = render_chatml,
     .default_system = QWEN25,
     .needs = {"{{" CHATML_TURN "}}", CHATML_PROMPT, "{%ifmessages[0].role=='system'%}",
               "{{'<|im_start|>system\n'+messages[0].content+'<|im_end|>\n'}}{%else%}{{" CHATML_SYSTEM(
                   QWEN25) "}}{%endif%}"},
     .forbids = {"bos_token", CHATML_FORBIDS}},
    {.name = "llama2-bos",
     .render = render_llama2,
     .bos_each = true,
     .needs = {"{{bos_token+" LLAMA2_USER, LLAMA2_ANSWER, LLAMA2_SYSTEM, ALTERNATE},
     .forbids = {"setsystem_message='", "tool", "'<<SYS>>\n'+content.strip()"}},
    {.name = "llama2-vigogne",
     .render = render_llama2,
     .bos_first = true,
     .default_system = VIGOGNE,
     .needs = {"{{bos_token}}", "{{" LLAMA2_USER, LLAMA2_ANSWER, LLAMA2_SYSTEM,
               "setsystem_message='" VIGOGNE "'", "'<<SYS>>\n'+content.strip()"},
     .forbids = {"tool"}},
    {.name = "llama3-prompt",
     .render = render_llama3,
     .needs = {LLAMA3_TURN, LLAMA3_BOS, "{%ifadd_generation_prompt%}" LLAMA3_PROMPT},
     .forbids = {"date_string", "tool", "'<|start_header_id|>system", "raise_exception"}},
    {.name = "mistral-v0.1",
     .render = render_mistral,
     .after_answer = " ",
     .needs = {"{{bos_token}}", "{{'[INST] '+message.content+' [/INST]'}}",
               "{{message.content+eos_token+' '}}", ALTERNATE,
               "Only user and assistant roles are supported!"},
     .forbids = {"system", "tool"}},
    {.name = "mistral-nemo",
     .render = render_mistral_nemo,
     .needs = {"{{bos_token}}", "{{'[INST]'+message.content+'[/INST]'}}",
               "{%ifloop.lastandsystem_messageisdefined%}{{'[INST]'+system_message+'\n\n'+message.content+'[/"
               "INST]'}}",
               "{{message.content+eos_token}}",
               "After the optional system message, conversation roles must alternate"},
     .forbids = {"'[INST] '", "think", "date"}},
    {.name = "qwen3",
     .render = render_qwen3,
     .needs =
         {"{%ifmessages[0].role=='system'%}{{'<|im_start|>system\n'+messages[0].content+'<|im_end|>\n'}}",
          "{%ifloop.index0>ns.last_query_index%}{%ifloop.lastor(notloop.lastandreasoning_content)%}"
          "{{'<|im_start|>'+message.role+'\n<think>\n'+reasoning_content.strip('\n')+'\n</"
          "think>\n\n'+content."
          "lstrip('\n')}}{%else%}{{'<|im_start|>'+message.role+'\n'+content}}",
          CHATML_PROMPT "{%ifenable_thinkingisdefinedandenable_thinkingisfalse%}"},
     .forbids = {"bos_token", "eos_token", "raise_exception", "date"}},
    {.name = "phi3",
     .render = render_phi3,
     .needs = {"{%ifmessage.role=='system'andmessage.content%}" PHI3_TURN("system"),
               "{%elifmessage.role=='user'%}" PHI3_TURN("user"),
               "{%elifmessage.role=='assistant'%}" PHI3_TURN("assistant"), PHI3_END},
     .forbids = {"bos_token", "tool", "raise_exception"}},
    {.name = "phi3-mini",
     .render = render_phi3,
     .empty_system = true,
     .needs = {"{%ifmessage.role=='system'%}" PHI3_TURN("system"),
               "{%elifmessage.role=='user'%}" PHI3_TURN("user"),
               "{%elifmessage.role=='assistant'%}" PHI3_TURN("assistant"), PHI3_END},
     .forbids = {"bos_token", "tool", "raise_exception"}},
    {.name = "gemma2",
     .render = render_gemma2,
     .needs = {"{{bos_token}}", "System role not supported", ALTERNATE, "{%setrole='model'%}",
               "{{'<start_of_turn>'+role+'\n'+message.content|trim+'<end_of_turn>\n'}}",
               "{%ifadd_generation_prompt%}{{'<start_of_turn>model\n'}}"},
     .forbids = {"tool", "first_user_prefix"}},
};

enum { N_TEMPLATES = sizeof templates / sizeof *templates };

size_t greta_chat_template_count(void) {
    return N_TEMPLATES;
}

const struct greta_chat_template *greta_chat_template_at(size_t i) {
    return i < N_TEMPLATES ? &templates[i] : NULL;
}

const char *greta_chat_template_name(const struct greta_chat_template *t) {
    return t->name;
}

const struct greta_chat_template *greta_chat_template_by_name(const char *name) {
    for (size_t i = 0; i < N_TEMPLATES; i++)
        if (!strcmp(templates[i].name, name)) return &templates[i];
    return NULL;
}

static bool contains(const char *text, size_t len, const char *mark) {
    return memmem(text, len, mark, strlen(mark)) != NULL;
}

static bool fits(const struct greta_chat_template *t, const char *text, size_t len) {
    for (size_t i = 0; i < sizeof t->needs / sizeof *t->needs && t->needs[i]; i++)
        if (!contains(text, len, t->needs[i])) return false;
    for (size_t i = 0; i < sizeof t->forbids / sizeof *t->forbids && t->forbids[i]; i++)
        if (contains(text, len, t->forbids[i])) return false;
    return true;
}

const struct greta_chat_template *greta_chat_template_recognize(const char *jinja, size_t len) {
    size_t n = 0;
    char *text = jinja_normalize(jinja, len, &n);
    const struct greta_chat_template *found = NULL;
    for (size_t i = 0; text && i < N_TEMPLATES && !found; i++)
        if (fits(&templates[i], text, n)) found = &templates[i];
    free(text);
    return found;
}

greta_status greta_chat_render(const struct greta_chat_template *t, const struct greta_chat_message *messages,
                               size_t n_messages, bool add_generation_prompt, const char *bos,
                               const char *eos, const struct greta_log *log, char **out) {
    *out = NULL;
    if (n_messages == 0)
        return greta_fail(log, GRETA_ERR_INVALID, "a conversation needs at least one message");
    struct conversation c = {messages, n_messages, add_generation_prompt, bos ? bos : "", eos ? eos : ""};
    struct text text = {0};
    text_add(&text, "");
    const char *refusal = t->render(t, &c, &text);
    if (!refusal && !text.failed) {
        *out = text.data;
        return GRETA_OK;
    }
    free(text.data);
    if (refusal) return greta_fail(log, GRETA_ERR_INVALID, "chat template %s: %s", t->name, refusal);
    return greta_fail(log, GRETA_ERR_NO_MEMORY, "no memory to write down the conversation");
}
