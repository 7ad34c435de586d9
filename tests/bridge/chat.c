/* The table of chat templates: names, recognition, and what the test data has no case for. */
#include "../check.h"
#include "writer.h"

#include <greta/chat.h>

static const struct greta_chat_message turns[] = {
    {"system", "S"}, {"user", " u1 "}, {"assistant", "\n a1\xc2\xa0"}, {"user", "u2"}};

static const struct greta_chat_message thoughts[] = {
    {"system", "S"}, {"user", "u1"}, {"assistant", "<think>\n\nhm\n</think>\n\na1"}, {"user", "u2"}};

static void check_render(const char *name, const struct greta_chat_message *messages, size_t n, bool prompt,
                         const char *expected) {
    const struct greta_chat_template *t = greta_chat_template_by_name(name);
    struct capture c;
    struct greta_log log = capture_log(&c);
    char *out = NULL;
    if (!CHECK(t != NULL)) return;
    CHECK(!strcmp(greta_chat_template_name(t), name));
    greta_status status = greta_chat_render(t, messages, n, prompt, "<s>", "</s>", &log, &out);
    if (!CHECK(status == GRETA_OK && !strcmp(out, expected)))
        fprintf(stderr, "  %s: %s%s\n", name, out ? out : "", c.message);
    free(out);
}

static void test_render(void) {
    check_render("llama2", turns, 4, true,
                 "<s>[INST] <<SYS>>\nS\n<</SYS>>\n\n u1 [/INST] a1 </s>[INST] u2 [/INST]");
    check_render("llama2", turns + 1, 1, true, "<s>[INST] u1 [/INST]"); /* no system message of its own */
    check_render("llama2-bos", turns, 4, true,
                 "<s>[INST] <<SYS>>\nS\n<</SYS>>\n\n u1 [/INST] a1 </s><s>[INST] u2 [/INST]");
    check_render("llama3-prompt", turns + 1, 1, false,
                 "<s><|start_header_id|>user<|end_header_id|>\n\nu1<|eot_id|>");
    check_render("chatml-bos", turns, 2, false,
                 "<s><|im_start|>system\nS<|im_end|>\n<|im_start|>user\n u1 <|im_end|>\n");
    check_render(
        "chatml-qwen2", turns + 1, 1, true,
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n u1 <|im_end|>\n"
        "<|im_start|>assistant\n");
    check_render("mistral-v0.1", turns + 1, 3, true,
                 "<s>[INST]  u1  [/INST]\n a1\xc2\xa0</s> [INST] u2 [/INST]");
    check_render(
        "phi3", turns, 3, true,
        "<|system|>\nS<|end|>\n<|user|>\n u1 <|end|>\n<|assistant|>\n\n a1\xc2\xa0<|end|>\n<|assistant|>\n");
    check_render("phi3", (struct greta_chat_message[]){{"system", ""}, {"user", "u"}}, 2, false,
                 "<|user|>\nu<|end|>\n</s>");
    check_render("phi3-mini", (struct greta_chat_message[]){{"system", ""}, {"user", "u"}}, 2, true,
                 "<|system|>\n<|end|>\n<|user|>\nu<|end|>\n<|assistant|>\n");
    check_render("gemma2", turns + 1, 3, true,
                 "<s><start_of_turn>user\nu1<end_of_turn>\n<start_of_turn>model\na1<end_of_turn>\n<start_of_"
                 "turn>user\nu2<end_of_turn>\n"
                 "<start_of_turn>model\n");
    check_render("qwen3", thoughts, 4, true,
                 "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nu1<|im_end|>\n<|im_start|>assistant\na1<"
                 "|im_end|>\n"
                 "<|im_start|>user\nu2<|im_end|>\n<|im_start|>assistant\n");
    check_render(
        "qwen3", thoughts + 1, 2, false,
        "<|im_start|>user\nu1<|im_end|>\n<|im_start|>assistant\n<think>\nhm\n</think>\n\na1<|im_end|>\n");
    check_render(
        "qwen3", (struct greta_chat_message[]){{"user", "u"}, {"assistant", "\na"}}, 2, false,
        "<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\na<|im_end|>\n");
    check_render("zephyr", &(struct greta_chat_message){"tool", "x"}, 1, true,
                 "<|assistant|>\n"); /* not its role */
}

static void check_refusal(const char *name, const struct greta_chat_message *messages, size_t n,
                          const char *words) {
    struct capture c;
    struct greta_log log = capture_log(&c);
    char *out = (char *)words;
    greta_status status =
        greta_chat_render(greta_chat_template_by_name(name), messages, n, true, "", "", &log, &out);
    CHECK(status == GRETA_ERR_INVALID && !out && c.n == 1 && strstr(c.message, words));
}

static void test_refusals(void) {
    static const struct greta_chat_message odd[] = {{"user", "a"}, {"system", "b"}};
    check_refusal("mistral", odd, 2, "Only user and assistant roles are supported!");
    check_refusal("mistral-nemo", odd, 2, "with the exception of an initial optional system message!");
    check_refusal("llama2", turns + 2, 1, "must alternate");
    check_refusal("chatml", NULL, 0, "at least one message");
    check_refusal("gemma2", turns, 2, "System role not supported");
    check_refusal("gemma2", turns + 2, 1, "must alternate");
    CHECK(!greta_chat_template_by_name("gemma") && !greta_chat_template_by_name(""));
    CHECK(greta_chat_template_count() >= 5 && !greta_chat_template_at(greta_chat_template_count()));
    static const char *const five[] = {"chatml", "llama2", "llama3", "mistral", "zephyr"};
    for (size_t i = 0; i < 5; i++)
        CHECK(!strcmp(greta_chat_template_name(greta_chat_template_at(i)), five[i]));
}

#define TURN "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
#define LOOP "{% for message in messages %}"
#define END "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
#define MISTRAL(answer)                                                                                     \
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == " \
    "0) %}"                                                                                                 \
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif " \
    "%}"                                                                                                    \
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"                   \
    "{% elif message['role'] == 'assistant' %}{{ " answer " }}"                                             \
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"

#define PHI3(system, prompt)                                                                       \
    "{% for message in messages %}{% if message['role'] == 'system'" system                        \
    " %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}" \
    "{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}" \
    "{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}{% if "        \
    "add_generation_prompt %}"                                                                     \
    "{{ '" prompt "' }}{% else %}{{ eos_token }}{% endif %}"
#define QWEN3(prompt)                                                                                     \
    "{%- if messages[0].role == 'system' %}\n  {{- '<|im_start|>system\\n' + messages[0].content + "      \
    "'<|im_end|>\\n' }}\n"                                                                                \
    "{%- endif %}\n{%- for message in messages %}\n  {%- if loop.index0 > ns.last_query_index %}\n"       \
    "    {%- if loop.last or (not loop.last and reasoning_content) %}\n      {{- '<|im_start|>' + "       \
    "message.role + "                                                                                     \
    "'\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}\n" \
    "    {%- else %}\n      {{- '<|im_start|>' + message.role + '\\n' + content }}\n    {%- endif %}\n  " \
    "{%- endif %}\n"                                                                                      \
    "{%- endfor %}\n{%- if add_generation_prompt %}\n  {{- '" prompt "' }}\n"                             \
    "  {%- if enable_thinking is defined and enable_thinking is false %}\n    {{- "                       \
    "'<think>\\n\\n</think>\\n\\n' }}\n"                                                                  \
    "  {%- endif %}\n{%- endif %}\n"

/* The same template in other words is recognized; one that does something else is not. */
static void test_recognize(void) {
    static const struct {
        const char *jinja, *name;
    } cases[] = {
        {LOOP TURN END, "chatml"},
        {"{%- for message in messages -%}\n  {{- \"<|im_start|>\" + message.role + \"\n\" + message.content "
         "+ \"<|im_end|>\n\" -}}\n"
         "{%- endfor -%}{# done #}{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif "
         "-%}",
         "chatml"},
        {"{{ bos_token }}" LOOP TURN END, "chatml-bos"},
        {"{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
         "{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}" TURN END,
         "chatml-qwen2"},
        {"{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
         "{{ '<|im_start|>system\\nYou are a pirate.<|im_end|>\\n' }}{% endif %}" TURN END,
         NULL},
        {"{% for message in messages %}"
         "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>' + "
         "'\\n'}}" END,
         NULL},
        {LOOP "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>'}}" END, NULL},
        {LOOP TURN "{% if tools %}{{ tools }}{% endif %}" END, NULL},
        {MISTRAL("message['content'] + eos_token"), "mistral"},
        {MISTRAL("message['content'] + eos_token + ' '"), "mistral-v0.1"},
        {MISTRAL("message['content']|trim + eos_token"), NULL},
        {PHI3(" and message['content']", "<|assistant|>\n"), "phi3"},
        {PHI3("", "<|assistant|>\n"), "phi3-mini"},
        {PHI3("", "<|assistant|>"), NULL},
        {QWEN3("<|im_start|>assistant\\n"), "qwen3"},
        {QWEN3("<|im_start|>assistant\\n<think>\\n"), NULL},
        {"", NULL},
        {"{{", NULL},
        {"{{ 'an open string", NULL},
        {"{{ x['", NULL},
        {"{#", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct greta_chat_template *t =
            greta_chat_template_recognize(cases[i].jinja, strlen(cases[i].jinja));
        const char *name = t ? greta_chat_template_name(t) : NULL;
        if (!CHECK(name ? cases[i].name && !strcmp(name, cases[i].name) : !cases[i].name))
            fprintf(stderr, "  case %zu was taken for %s\n", i, name ? name : "nothing");
    }
}

/* Every beginning of a template in a block of its size: a sanitizer sees one byte too many. */
static void test_cut(void) {
    static const char text[] =
        "{%- if x['role'] == \"a\\n\" -%} {# c -#} {{ 'b' + \"c\" + y [ 'q' ] }}" LOOP TURN END;
    for (size_t n = 0; n < sizeof text; n++) {
        char *copy = malloc(n ? n : 1);
        if (!copy) abort();
        memcpy(copy, text, n);
        CHECK(!greta_chat_template_recognize(copy, n) || n >= sizeof text - 20);
        free(copy);
    }
}

int main(void) {
    test_render();
    test_refusals();
    test_recognize();
    test_cut();
    return check_done();
}
