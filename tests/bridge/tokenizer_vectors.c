/* The tokenizers against the expected ids in vocab/ and in stories260K/golden.json. */
#include "../check.h"
#include "json.h"
#include "writer.h"

#include <greta/tokenizer.h>

static const char separator[] = "\n__ggml_vocab_test__\n";

static struct greta_tokenizer *open_tokenizer(const char *path) {
    static struct capture c;
    struct greta_log log = capture_log(&c);
    struct greta_gguf *g = NULL;
    struct greta_tokenizer *t = NULL;
    if (!CHECK(greta_gguf_open(path, &log, &g) == GRETA_OK &&
               greta_tokenizer_create(g, &log, &t) == GRETA_OK)) {
        fprintf(stderr, "  %s\n", c.message);
        exit(1);
    }
    greta_gguf_close(&g);
    return t;
}

static bool same_ids(const uint32_t *ids, size_t n, const char *line, const char *stop) {
    size_t i = 0;
    for (char *next; line < stop; line = next, i++) {
        unsigned long id = strtoul(line, &next, 10);
        if (next == line || next > stop) break;
        if (i >= n || ids[i] != id) return false;
    }
    return i == n;
}

/* Without BOS, as the expected ids are. */
static void check_text(const struct greta_tokenizer *t, const char *name, const char *text, size_t len,
                       const char *line, const char *stop) {
    uint32_t *ids = NULL;
    size_t n = 0;
    bool ok = greta_tokenizer_encode(t, text, len, 0, &ids, &n) == GRETA_OK && same_ids(ids, n, line, stop);
    if (!CHECK(ok)) {
        fprintf(stderr, "  %s, '%.*s'\n  expected %.*s\n  got     ", name, (int)len, text, (int)(stop - line),
                line);
        for (size_t i = 0; i < n; i++) fprintf(stderr, " %u", ids[i]);
        fprintf(stderr, "\n");
    }
    free(ids);
}

static void check_vectors(const char *dir, const char *vocab, const char *name) {
    char path[4096];
    size_t len, unused;
    snprintf(path, sizeof path, "%s/vocab/%s", dir, vocab);
    struct greta_tokenizer *t = open_tokenizer(path);
    snprintf(path, sizeof path, "%s/vocab/%s.inp", dir, name);
    char *texts = read_file(path, &len);
    snprintf(path, sizeof path, "%s/vocab/%s.out", dir, name);
    char *lines = read_file(path, &unused), *line = lines;
    if (!CHECK(texts && lines)) exit(1);
    size_t n = 0;
    for (char *p = texts, *end = texts + len; p < end; n++) {
        char *stop = strstr(p, separator), *line_stop = line ? strchr(line, '\n') : NULL;
        if (!CHECK(line_stop != NULL)) break;
        check_text(t, name, p, (size_t)((stop ? stop : end) - p), line, line_stop);
        line = line_stop + 1;
        p = stop ? stop + sizeof separator - 1 : end;
    }
    CHECK(n == 46);
    free(texts);
    free(lines);
    greta_tokenizer_destroy(&t);
}

/* Every model file has the tokenizer: its prompt and its text, with BOS. */
static void check_model(const char *dir, const struct json *golden, const struct json *model) {
    static const char *const fields[][2] = {{"prompt", "prompt_tokens"}, {"text", "text_tokens"}};
    char path[4096];
    snprintf(path, sizeof path, "%s/stories260K/%s", dir, json_get(model, "file")->string);
    struct greta_tokenizer *t = open_tokenizer(path);
    for (size_t i = 0; i < 2; i++) {
        const struct json *text = json_get(golden, fields[i][0]), *expected = json_get(model, fields[i][1]);
        uint32_t *ids = NULL;
        size_t n = 0, k = 0;
        if (!CHECK(text && text->string && expected)) continue;
        CHECK(!greta_tokenizer_encode(t, text->string, strlen(text->string), GRETA_TOKENIZE_BOS, &ids, &n));
        for (const struct json *id = expected->first; id; id = id->next, k++)
            if (!CHECK(k < n && ids[k] == id->number))
                fprintf(stderr, "  %s, %s, token %zu\n", path, fields[i][0], k);
        CHECK(k == n && n > 0);
        free(ids);
    }
    greta_tokenizer_destroy(&t);
}

static void check_golden(const char *dir) {
    char path[4096];
    snprintf(path, sizeof path, "%s/stories260K/golden.json", dir);
    struct json *golden = json_read(path);
    for (const struct json *m = json_get(golden, "models")->first; m; m = m->next)
        check_model(dir, golden, m);
    json_free(golden);
}

int main(void) {
    const char *dir = getenv("GRETA_TEST_DATA");
    if (!dir) check_skip("GRETA_TEST_DATA is not set");
    check_vectors(dir, "ggml-vocab-llama-spm.gguf", "ggml-vocab-llama-spm.gguf");
    check_vectors(dir, "ggml-vocab-gpt-2.gguf", "ggml-vocab-gpt-2.gguf");
    check_vectors(dir, "qwen2.5-vocab.gguf", "ggml-vocab-qwen2.gguf");
    check_vectors(dir, "qwen2.5-vocab.gguf", "ggml-vocab-deepseek-r1-qwen.gguf");
    check_golden(dir);
    return check_done();
}
