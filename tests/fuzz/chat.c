/* Any bytes as a chat template to recognize, and as the messages of a conversation: libFuzzer's entry. */
#include <greta/chat.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render(const uint8_t *data, size_t size) {
    static const char *const roles[] = {"user", "assistant", "system", "tool"};
    struct greta_chat_message messages[8];
    size_t n = 0;
    char *text = malloc(size + 1), *out = NULL;
    if (!text) return;
    memcpy(text, data, size);
    text[size] = 0;
    for (size_t i = 1; i < size && n < 8; i += strlen(text + i) + 2, n++)
        messages[n] = (struct greta_chat_message){roles[data[i - 1] % 4], text + i};
    for (size_t i = 0; i < greta_chat_template_count(); i++) {
        if (!greta_chat_render(greta_chat_template_at(i), messages, n, n % 2, "<s>", "</s>", NULL, &out) &&
            !out)
            abort();
        free(out);
        out = NULL;
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    greta_chat_template_recognize((const char *)data, size);
    if (size) render(data, size);
    return 0;
}
