/* Text from a language model in under 70 lines: tell [MODEL.gguf [PROMPT]]; without a model, the built-in one. */
#include <greta/greta.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void log_line(void *user, enum greta_log_level level, const char *message) {
    (void)user, (void)level;
    fprintf(stderr, "%s\n", message);
}

static bool write_text(void *user, const char *data, size_t len) {
    return fwrite(data, 1, len, user) == len;
}

/* At most 200 tokens, greedy, as they come. The session has evaluated the prompt. */
static greta_status tell(struct greta_session *session, const struct greta_tokenizer *tokenizer) {
    struct greta_text text = {.write = write_text, .user = stdout};
    greta_status status = GRETA_OK;
    for (int i = 0; i < 200 && !status; i++) {
        uint32_t token;
        status = greta_session_argmax(session, &token);
        if (status || greta_tokenizer_is_stop(tokenizer, token)) break;
        struct greta_gguf_string piece = greta_tokenizer_piece(tokenizer, token, false);
        if (!greta_text_push(&text, piece.data, piece.len)) return GRETA_ERR_IO;
        status = greta_session_eval(session, &token, 1, GRETA_WANT_ARGMAX);
    }
    return greta_text_finish(&text) && putchar('\n') != EOF ? status : GRETA_ERR_IO;
}

int main(int argc, char **argv) {
    const char *prompt = argc > 2 ? argv[2] : "Once upon a time";
    const struct greta_log log = {.fn = log_line, .max_level = GRETA_LOG_WARN};
    struct greta_ctx *ctx = NULL;
    struct greta_dev *dev = NULL;
    struct greta_model *model = NULL;
    struct greta_session *session = NULL;
    const void *data;
    size_t size, n;
    uint32_t *ids = NULL;

    greta_status status = greta_ctx_create(&(struct greta_ctx_params){.log = &log}, &ctx);
    if (!status) status = greta_dev_open(ctx, NULL, NULL, &dev); /* the best device that works */
    if (!status && argc > 1)
        status = greta_model_load(dev, argv[1], NULL, &model);
    else if (!status)
        status = greta_builtin_model(&data, &size)
                     ? greta_model_load_memory(dev, data, size, "built in", NULL, &model)
                     : GRETA_ERR_NOT_FOUND;
    if (!status) status = greta_session_create(model, NULL, &session);
    const struct greta_tokenizer *tokenizer = model ? greta_model_get_tokenizer(model) : NULL;
    if (!status && !tokenizer) status = GRETA_ERR_NOT_FOUND;
    if (!status)
        status = greta_tokenizer_encode(tokenizer, prompt, strlen(prompt), GRETA_TOKENIZE_BOS, &ids, &n);
    if (!status) status = greta_session_eval(session, ids, (uint32_t)n, GRETA_WANT_ARGMAX);
    if (!status) status = tell(session, tokenizer);
    free(ids);
    greta_session_destroy(&session); /* destroyers accept NULL */
    greta_model_destroy(&model);
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    if (status) fprintf(stderr, "tell: %s\n", greta_status_text(status));
    return status ? 1 : 0;
}
