#include "app.h"
#include "commands.h"
#include "io.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct measure {
    struct common common;
    const char *file;
    bool json;
    const uint32_t *next; /* of the window: what follows token i */
    uint32_t n_next, n_vocab;
    double nll; /* the sum */
    uint64_t n;
};

/* -log softmax(logits)[id], in double. */
static double nll_of(const float *logits, uint32_t n, uint32_t id) {
    double max = -INFINITY, sum = 0;

    for (uint32_t i = 0; i < n; i++) max = fmax(max, logits[i]);
    for (uint32_t i = 0; i < n; i++) sum += exp(logits[i] - max);
    return log(sum) + max - logits[id];
}

static bool each(void *user, uint32_t i, const float *logits) {
    struct measure *m = user;

    if (i >= m->n_next) return true;
    m->nll += nll_of(logits, m->n_vocab, m->next[i]);
    m->n++;
    return true;
}

/* One window of at most n_ctx tokens. */
static bool window(struct app *app, struct measure *m, const uint32_t *tokens, uint32_t n) {
    bool ok;

    m->next = tokens + 1;
    m->n_next = n - 1;
    prof_begin(app->prof, "prefill", "window", 0);
    ok = greta_session_rewind(app->session, 0) == GRETA_OK &&
         greta_session_eval_each(app->session, tokens, n, each, m) == GRETA_OK;
    prof_end(app->prof);
    return ok;
}

/* The text without BOS; each window begins with it where the model has one. */
static bool windows(struct app *app, struct measure *m, const uint32_t *ids, size_t n, bool has_bos,
                    uint32_t bos) {
    uint32_t n_ctx = greta_session_n_ctx(app->session), room = n_ctx - has_bos;
    uint32_t *tokens = malloc((size_t)n_ctx * sizeof *tokens);
    bool ok = true;

    if (!tokens) say("no memory for %u tokens", n_ctx);
    if (!tokens) return false;
    tokens[0] = bos;
    for (size_t at = 0; at < n && ok; at += room) {
        uint32_t k = n - at < room ? (uint32_t)(n - at) : room;
        memcpy(tokens + has_bos, ids + at, k * sizeof *tokens);
        if (k + has_bos > 1) ok = window(app, m, tokens, k + has_bos);
    }
    free(tokens);
    return ok;
}

static bool measure(struct app *app, struct measure *m, const char *text, size_t len) {
    const struct greta_tokenizer *tokenizer;
    uint32_t *ids, bos = 0;
    size_t n;
    bool has_bos, ok;

    if (!app_open_model(app, &m->common, false) || !(tokenizer = app_tokenizer(app)) ||
        !app_open_session(app, &m->common))
        return false;
    m->n_vocab = greta_model_get_info(app->model)->n_vocab;
    if (greta_tokenizer_encode(tokenizer, text, len, GRETA_TOKENIZE_BOS, &ids, &n)) return false;
    has_bos = n && greta_tokenizer_bos(tokenizer, &bos) && ids[0] == bos;
    ok = greta_session_n_ctx(app->session) > 1;
    if (!ok) say("a context of 1 token foresees nothing: give a larger --ctx");
    if (ok) ok = windows(app, m, ids + has_bos, n - has_bos, has_bos, bos);
    if (ok && !isfinite(m->nll)) {
        say("%s gave no number for a token: its weights or the device are broken",
            app_model_name(&m->common));
        ok = false;
    }
    if (ok && !m->n) {
        say("%s: the text is too short: give one of two tokens or more",
            strcmp(m->file, "-") ? m->file : "standard input");
        ok = false;
    }
    free(ids);
    return ok;
}

static bool print(const struct measure *m) {
    double nll = m->nll / (double)m->n;

    if (m->json)
        return out_printf("{\"nll\": ") && out_json_number(nll) && out_printf(", \"ppl\": ") &&
               out_json_number(exp(nll)) && out_printf(", \"tokens\": %llu}\n", (unsigned long long)m->n) &&
               out_flush();
    return out_printf("perplexity %.4f (%.5f nats a token, over %llu tokens)\n", exp(nll), nll,
                      (unsigned long long)m->n) &&
           out_flush();
}

int command_perplexity(const struct command *command, int argc, char **argv) {
    struct measure m = {0};
    const struct option options[] = {
        MODEL_OPTION(m.common),
        {"file", 'f', OPTION_STRING, &m.file, "FILE", "the text; - is standard input"},
        {"json", 0, OPTION_FLAG, &m.json, NULL, "as JSON: nll, ppl, tokens"},
        SESSION_OPTIONS(m.common),
        DEVICE_OPTIONS(m.common),
        PROFILE_OPTIONS(m.common),
        {0},
    };
    struct app app = {.command = "greta perplexity"};
    char *text;
    size_t len;
    int n, result = options_parse(command, options, argc, argv, NULL, 0, &n);
    bool ok;

    if (result != GO_ON) return result;
    if (!m.file) return usage_error(command, "a text is needed: -f FILE");
    text = read_text(m.file, &len);
    if (!text) return EXIT_FAILED;
    ok = measure(&app, &m, text, len) && print(&m);
    ok = app_close(&app) && ok;
    free(text);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
