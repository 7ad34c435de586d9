/* Any text over small sound vocabularies, every pre-tokenizer among them: libFuzzer's entry. No byte may get lost. */
#include "../bridge/tiny_vocab.h"
#include "use.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct greta_tokenizer *make(const char *pre) {
    struct vocab v = pre ? vocab_bpe() : vocab_spm();
    struct writer w = {0};
    struct greta_gguf *g = NULL;
    struct greta_tokenizer *t = NULL;
    if (pre) v.pre = pre;
    vocab_write(&v, &w);
    if (greta_gguf_open_memory(w.p, w.n, "vocab", NULL, &g) || greta_tokenizer_create(g, NULL, &t)) abort();
    greta_gguf_close(&g);
    w_free(&w);
    return t;
}

/* The pieces together are the text; SentencePiece puts spaces in. */
static void check_round_trip(const struct greta_tokenizer *t, const char *text, size_t len) {
    uint32_t *ids = NULL;
    size_t n = 0, at = 0;
    if (greta_tokenizer_encode(t, text, len, 0, &ids, &n)) return;
    bool spaces = greta_tokenizer_strips_space(t);
    for (size_t i = 0; i < n; i++) {
        struct greta_gguf_string s = greta_tokenizer_piece(t, ids[i], true);
        for (size_t k = 0; k < s.len; k++) {
            if (at < len && s.data[k] == text[at])
                at++;
            else if (!spaces || s.data[k] != ' ')
                abort();
        }
    }
    if (at != len) abort();
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct greta_tokenizer *tokenizers[7];
    static const char *const pres[] = {NULL, "default", "gpt-2", "llama-bpe", "qwen2", "smollm", "smaug-bpe"};
    if (size == 0) return 0;
    size_t i = data[0] % 7;
    if (!tokenizers[i]) tokenizers[i] = make(pres[i]);
    use_encode(tokenizers[i], (const char *)data + 1, size - 1, data[0] / 7 % 4);
    /* A text may hold the mark that stands for a space: it comes back as one. */
    if (i || !memmem(data + 1, size - 1, MARK, 3))
        check_round_trip(tokenizers[i], (const char *)data + 1, size - 1);
    return 0;
}
