#include "app.h"
#include "commands.h"
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct logits {
    struct common common;
    const char *prompt, *tokens;
    bool json;
    uint32_t *ids; /* of `tokens` or, later, of `prompt`; malloc'ed */
    size_t n_ids;
};

/* "1,2,3" to ids. Returns GO_ON, or what to exit with. */
static int parse_ids(const struct command *command, const char *text, uint32_t **ids, size_t *n) {
    size_t capacity = 1;

    for (const char *c = text; *c; c++) capacity += *c == ',';
    *ids = malloc(capacity * sizeof **ids);
    *n = 0;
    while (*ids) {
        char *end;
        unsigned long long id;
        errno = 0;
        id = strtoull(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || errno || id > UINT32_MAX || (*end && *end != ',')) break;
        (*ids)[(*n)++] = (uint32_t)id;
        if (!*end) return GO_ON;
        text = end + 1;
    }
    if (*ids) {
        free(*ids);
        return usage_error(command, "--tokens takes ids as in 1,2,3, not \"%s\"", text);
    }
    say("no memory for the ids");
    return EXIT_FAILED;
}

static bool tokenize_prompt(const struct app *app, struct logits *l) {
    const struct greta_tokenizer *tokenizer;

    if (l->tokens) return true;
    tokenizer = app_tokenizer(app);
    if (!tokenizer) return false;
    if (greta_tokenizer_encode(tokenizer, l->prompt, strlen(l->prompt),
                               GRETA_TOKENIZE_BOS | GRETA_TOKENIZE_SPECIAL, &l->ids, &l->n_ids))
        return false;
    if (!l->n_ids) say("the prompt is empty");
    return l->n_ids > 0;
}

static bool member(const char *name, const char *value) {
    return out_printf("\"%s\": ", name) && out_json(value, strlen(value));
}

static bool print_json(const struct app *app, const struct logits *l, const float *logits) {
    const struct greta_model_info *info = greta_model_get_info(app->model);
    const char *x_types = l->n_ids == 1 ? info->decode_x_types : info->prefill_x_types;
    bool ok = out_printf("{") && member("model", app_model_name(&l->common)) && out_printf(", ") &&
              member("device", greta_dev_get_info(app->dev)->name) && out_printf(", ") &&
              member("backend", greta_dev_get_info(app->dev)->backend) && out_printf(",\n\"types\": {") &&
              member("weights", info->weight_types) && out_printf(", ") && member("activations", x_types) &&
              out_printf(", ") && member("kv", (const char *const[]){"F16", "F32", "Q8_0"}[l->common.kv]) &&
              out_printf("},\n\"tokens\": [");

    for (size_t i = 0; i < l->n_ids && ok; i++) ok = out_printf("%s%u", i ? ", " : "", l->ids[i]);
    if (ok) ok = out_printf("],\n\"logits\": [");
    for (uint32_t i = 0; i < info->n_vocab && ok; i++)
        ok = out_printf("%s", i ? ", " : "") && out_json_number(logits[i]);
    return ok && out_printf("]}\n") && out_flush();
}

/* The ten most likely, for people. */
static bool print_best(const struct app *app, const float *logits) {
    const struct greta_tokenizer *tokenizer = greta_model_get_tokenizer(app->model);
    uint32_t n_vocab = greta_model_get_info(app->model)->n_vocab, best[10];
    int n = 0;
    bool ok = true;

    for (uint32_t i = 0; i < n_vocab; i++) {
        int at = n;
        while (at > 0 && logits[best[at - 1]] < logits[i]) at--;
        if (at == 10) continue;
        if (n < 10) n++;
        memmove(best + at + 1, best + at, (size_t)(n - 1 - at) * sizeof *best);
        best[at] = i;
    }
    for (int i = 0; i < n && ok; i++) {
        struct greta_gguf_string piece = {"", 0};
        if (tokenizer) piece = greta_tokenizer_piece(tokenizer, best[i], true);
        ok = out_printf("%10.5f %7u ", (double)logits[best[i]], best[i]) && out_json(piece.data, piece.len) &&
             out_write("\n", 1);
    }
    return ok && out_flush();
}

static bool evaluate(struct app *app, struct logits *l) {
    const float *logits;
    uint32_t n_ctx;

    if (!app_open_session(app, &l->common) || !tokenize_prompt(app, l)) return false;
    n_ctx = greta_session_n_ctx(app->session);
    if (l->n_ids > n_ctx) {
        say("the prompt has %zu tokens and the context holds %u: shorten it, or give a larger --ctx",
            l->n_ids, n_ctx);
        return false;
    }
    if (greta_session_eval(app->session, l->ids, (uint32_t)l->n_ids, GRETA_WANT_LOGITS)) return false;
    logits = greta_session_logits(app->session);
    return l->json ? print_json(app, l, logits) : print_best(app, logits);
}

int command_logits(const struct command *command, int argc, char **argv) {
    struct logits l = {0};
    const struct option options[] = {
        MODEL_OPTION(l.common),
        {"prompt", 'p', OPTION_STRING, &l.prompt, "TEXT", "the prompt"},
        {"tokens", 0, OPTION_STRING, &l.tokens, "IDS",
         "the prompt as token ids, 1,2,3: the file needs no tokenizer"},
        {"json", 0, OPTION_FLAG, &l.json, NULL,
         "all logits, in vocabulary order, and the numeric types used; else the ten largest"},
        SESSION_OPTIONS(l.common),
        DEVICE_OPTIONS(l.common),
        {0},
    };
    struct app app = {0};
    int n, result = options_parse(command, options, argc, argv, NULL, 0, &n);
    bool ok;

    if (result != GO_ON) return result;
    if (!l.prompt == !l.tokens) return usage_error(command, "one prompt is needed: -p TEXT or --tokens IDS");
    if (l.tokens) result = parse_ids(command, l.tokens, &l.ids, &l.n_ids);
    if (result != GO_ON) return result;
    ok = app_open_model(&app, &l.common, l.tokens && l.json) && evaluate(&app, &l);
    app_close(&app);
    free(l.ids);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
