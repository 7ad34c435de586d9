/*
 * The chat templates against the renderings of Jinja2 in chat/chat-templates.json, all cases of the
 * templates that are ours.
 */
#include "../check.h"
#include "json.h"
#include "writer.h"

#include <greta/chat.h>

/*
 * Which row each template of the data is; NULL: none of ours. Where the data leaves the text out, the row
 * is taken by name.
 */
static const struct {
    const char *id, *row;
} rows[] = {
    {"smollm2", "chatml-smollm2"},
    {"chatml", "chatml"},
    {"tinyllama-zephyr", "zephyr"},
    {"qwen2.5", "chatml-qwen2.5"},
    {"phi-3.5", "phi3"},
    {"mistral-v0.2", "mistral"},
    {"mistral-nemo", "mistral-nemo"},
    {"deepseek-r1-distill-qwen", NULL},
    {"llama-3", "llama3"},
    {"llama-3.2", NULL},
    {"llama-2", "llama2-vigogne"},
    {"gemma-2", "gemma2"},
};

static const char *row_of(const char *id) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].id, id)) return rows[i].row;
    check_at(false, id, __FILE__, __LINE__); /* a template that the table above does not know */
    return NULL;
}

static void check_recognition(const struct json *template, const char *row) {
    const struct json *text = json_get(template, "template");
    if (!text || !text->string) return;
    const struct greta_chat_template *t = greta_chat_template_recognize(text->string, strlen(text->string));
    if (!CHECK(row ? t && !strcmp(greta_chat_template_name(t), row) : !t))
        fprintf(stderr, "  %s was taken for %s\n", template->key,
                t ? greta_chat_template_name(t) : "nothing");
}

static void check_case(const struct json *data, const struct json *one, const char *row) {
    struct greta_chat_message messages[16];
    size_t n = 0;
    const struct json *conversation =
        json_get(json_get(data, "conversations"), json_get(one, "conversation")->string);
    for (const struct json *m = conversation->first; m && n < 16; m = m->next)
        messages[n++] =
            (struct greta_chat_message){json_get(m, "role")->string, json_get(m, "content")->string};
    const struct json *template = json_get(json_get(data, "templates"), json_get(one, "template")->string);
    bool prompt = json_get(one, "add_generation_prompt")->kind == 't';
    const struct json *expected = json_get(one, "expected"), *error = json_get(one, "error");
    struct capture c;
    struct greta_log log = capture_log(&c);
    char *out = NULL;
    greta_status status = greta_chat_render(greta_chat_template_by_name(row), messages, n, prompt,
                                            json_get(template, "bos_token")->string,
                                            json_get(template, "eos_token")->string, &log, &out);
    bool ok = error ? status == GRETA_ERR_INVALID && !out && c.n == 1 && strstr(c.message, error->string)
                    : status == GRETA_OK && out && c.n == 0 && !strcmp(out, expected->string);
    if (!CHECK(ok))
        fprintf(stderr, "  %s, %s, prompt %d:\n got      %s%s\n expected %s\n", template->key,
                json_get(one, "conversation")->string, prompt, out ? out : "", c.message,
                error ? error->string : expected->string);
    free(out);
}

int main(void) {
    const char *dir = getenv("GRETA_TEST_DATA");
    if (!dir) check_skip("GRETA_TEST_DATA is not set");
    char path[4096];
    snprintf(path, sizeof path, "%s/chat/chat-templates.json", dir);
    struct json *data = json_read(path);
    unsigned n_cases = 0;
    for (const struct json *t = json_get(data, "templates")->first; t; t = t->next)
        check_recognition(t, row_of(t->key));
    for (const struct json *one = json_get(data, "cases")->first; one; one = one->next) {
        const char *row = row_of(json_get(one, "template")->string);
        if (!row) continue;
        check_case(data, one, row);
        n_cases++;
    }
    CHECK(n_cases == 100);
    json_free(data);
    return check_done();
}
