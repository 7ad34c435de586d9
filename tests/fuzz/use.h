/* What both programs do with a file that opened: touch all that it gives, make its tokenizer, tokenize. */
#ifndef TESTS_FUZZ_USE_H
#define TESTS_FUZZ_USE_H

#include <greta/tokenizer.h>

#include <stdlib.h>
#include <string.h>

static inline void use_encode(const struct greta_tokenizer *t, const char *text, size_t len, unsigned flags) {
    uint32_t *ids = NULL;
    size_t n = 0;
    if (greta_tokenizer_encode(t, text, len, flags, &ids, &n)) return;
    for (size_t i = 0; i < n; i++) {
        if (ids[i] >= greta_tokenizer_n_tokens(t)) abort();
        struct greta_gguf_string s = greta_tokenizer_piece(t, ids[i], true);
        for (size_t k = 0; k < s.len; k++) *(volatile const char *)&s.data[k];
    }
    free(ids);
}

#endif
