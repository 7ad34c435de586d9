#include "commands.h"
#include "generate.h"
#include "io.h"

#include <stdlib.h>
#include <string.h>

struct run {
    struct common common;
    struct greta_sampler_params sampling;
    const char *prompt, *file;
    uint32_t n_most;
    bool seeded, stats;
};

/* Tokenizes and evaluates the prompt. */
static bool read_prompt(struct app *app, struct greta_sampler *sampler, const char *text, size_t len) {
    uint32_t *ids, n_ctx = greta_session_n_ctx(app->session);
    size_t n_ids;
    bool ok = false;

    if (greta_tokenizer_encode(app_tokenizer(app), text, len, GRETA_TOKENIZE_BOS | GRETA_TOKENIZE_SPECIAL,
                               &ids, &n_ids))
        return false;
    if (!n_ids)
        say("the prompt is empty");
    else if (n_ids > n_ctx)
        say("the prompt has %zu tokens and the context holds %u: shorten it, or give a larger --ctx", n_ids,
            n_ctx);
    else
        ok = profiled_eval(app->prof, app->session, ids, (uint32_t)n_ids, greta_sampler_want(sampler)) ==
             GRETA_OK;
    for (size_t i = 0; ok && i < n_ids; i++) greta_sampler_accept(sampler, ids[i]);
    free(ids);
    return ok;
}

/* An editor or echo ends a text with a newline, which the model would take for the end of a paragraph. */
static void drop_newline(char *text, size_t *len) {
    if (*len && text[*len - 1] == '\n') --*len;
    if (text[*len] && *len && text[*len - 1] == '\r') --*len;
    text[*len] = 0;
}

/* With a newline at its end, whatever the model wrote. */
static enum end write_answer(struct app *app, struct generation *g) {
    enum end end = generate(g);

    if (end != END_OUTPUT && (!out_write("\n", 1) || !out_flush())) end = END_OUTPUT;
    if (end == END_CONTEXT) say("the context of %u tokens is full", greta_session_n_ctx(app->session));
    return end;
}

static int run(struct app *app, const struct run *r, const char *text, size_t len) {
    struct generation g = {.n_most = r->n_most};
    enum end end = END_ERROR;

    if (!app_open_model(app, &r->common, false) || !(g.tokenizer = app_tokenizer(app))) return EXIT_FAILED;
    if (greta_sampler_create(&r->sampling, &app->log, &g.sampler)) return EXIT_FAILED;
    if (app_open_session(app, &r->common) && read_prompt(app, g.sampler, text, len)) {
        g.session = app->session;
        g.prof = app->prof;
        end = write_answer(app, &g);
        if (r->stats && end != END_ERROR) print_stats(app, &g, r->sampling.seed);
    }
    greta_sampler_destroy(&g.sampler);
    return end == END_ERROR || end == END_OUTPUT ? EXIT_FAILED : EXIT_DONE;
}

int command_run(const struct command *command, int argc, char **argv) {
    struct run r = {.sampling = SAMPLING_DEFAULTS};
    const struct option options[] = {
        MODEL_OPTION(r.common),
        {"prompt", 'p', OPTION_STRING, &r.prompt, "TEXT", "the text to go on with"},
        {"file", 'f', OPTION_STRING, &r.file, "FILE",
         "a file that holds the text; a newline at its end is not part of it"},
        {"predict", 'n', OPTION_U32, &r.n_most, "N", "tokens to write; 0: until the model stops"},
        SAMPLING_OPTIONS(r.sampling, r.seeded),
        SESSION_OPTIONS(r.common),
        DEVICE_OPTIONS(r.common),
        PROFILE_OPTIONS(r.common),
        {"stats", 0, OPTION_FLAG, &r.stats, NULL, "times and memory, on standard error"},
        {0},
    };
    const char *dash = NULL;
    struct app app = {.command = "greta run"};
    char *text = NULL;
    size_t len = 0;
    int n, result = options_parse(command, options, argc, argv, &dash, 1, &n);

    if (result != GO_ON) return result;
    if (n && strcmp(dash, "-") != 0) return usage_error(command, "a prompt goes behind -p: \"%s\"", dash);
    if ((r.prompt != NULL) + (r.file != NULL) + n != 1)
        return usage_error(command, "one prompt is needed: -p TEXT, -f FILE or -");
    if (!r.prompt && !(text = read_text(n ? "-" : r.file, &len))) return EXIT_FAILED;
    if (text) drop_newline(text, &len);
    if (!r.seeded) r.sampling.seed = new_seed();
    result = run(&app, &r, r.prompt ? r.prompt : text, r.prompt ? strlen(r.prompt) : len);
    if (!app_close(&app) && result == EXIT_DONE) result = EXIT_FAILED;
    free(text);
    return result;
}
