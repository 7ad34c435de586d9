#include "app.h"
#include "commands.h"
#include "io.h"

#include <stdlib.h>
#include <string.h>

static bool print(const struct greta_tokenizer *tokenizer, const char *text, size_t len, unsigned flags) {
    uint32_t *ids;
    size_t n;
    bool ok = true;

    if (greta_tokenizer_encode(tokenizer, text, len, flags, &ids, &n)) return false;
    for (size_t i = 0; i < n && ok; i++) ok = out_printf("%s%u", i ? " " : "", ids[i]);
    free(ids);
    return ok && out_write("\n", 1) && out_flush();
}

int command_tokenize(const struct command *command, int argc, char **argv) {
    struct common common = {0};
    bool no_bos = false, no_special = false, ok;
    const struct option options[] = {
        MODEL_OPTION(common),
        {"no-bos", 0, OPTION_FLAG, &no_bos, NULL, "without the token that begins a text"},
        {"no-special", 0, OPTION_FLAG, &no_special, NULL, "take special tokens in the text as plain text"},
        {"verbose", 'v', OPTION_FLAG, &common.verbose, NULL, "say what is done, on standard error"},
        {0},
    };
    struct app app = {0};
    struct greta_gguf *gguf = NULL;
    struct greta_tokenizer *tokenizer = NULL;
    const char *given = NULL;
    char *text = NULL;
    size_t len = 0;
    int n, result = options_parse(command, options, argc, argv, &given, 1, &n);
    unsigned flags;

    if (result != GO_ON) return result;
    flags = (no_bos ? 0 : GRETA_TOKENIZE_BOS) | (no_special ? 0 : GRETA_TOKENIZE_SPECIAL);
    app_log(&app, &common);
    ok = app_open_gguf(&app, common.model, &gguf) &&
         greta_tokenizer_create(gguf, &app.log, &tokenizer) == GRETA_OK;
    if (ok && (!n || strcmp(given, "-") == 0)) ok = (text = read_text("-", &len)) != NULL;
    if (ok) ok = print(tokenizer, text ? text : given, text ? len : strlen(given), flags);
    free(text);
    greta_tokenizer_destroy(&tokenizer);
    greta_gguf_close(&gguf);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
