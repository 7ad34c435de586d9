/* Any bytes as a GGUF file: libFuzzer's entry. */
#include "use.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_tensors(const struct greta_gguf *g, const uint8_t *data, size_t size) {
    for (uint64_t i = 0; i < greta_gguf_n_tensors(g); i++) {
        const struct greta_gguf_tensor *t = greta_gguf_tensor_at(g, i);
        const uint8_t *p = t->data;
        if (p < data || (size_t)(p - data) > size || t->size_bytes > size - (size_t)(p - data)) abort();
        if (greta_gguf_tensor(g, t->name) != t) abort();
    }
}

static void use_keys(const struct greta_gguf *g) {
    struct greta_gguf_string name;
    for (uint64_t i = 0; i < greta_gguf_n_keys(g); i++) {
        const struct greta_gguf_value *v = greta_gguf_key_at(g, i, &name);
        const struct greta_gguf_string *strings = v->elements;
        if (v->type != GRETA_GGUF_ARRAY || v->element_type != GRETA_GGUF_STRING) continue;
        for (uint64_t k = 0; k < v->n; k++)
            if (strings[k].len) *(volatile const char *)&strings[k].data[strings[k].len - 1];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1); /* the fuzzer's own may not be aligned */
    struct greta_gguf *g = NULL;
    struct greta_tokenizer *t = NULL;
    if (!copy) return 0;
    if (size) memcpy(copy, data, size);
    if (!greta_gguf_open_memory(copy, size, "fuzz", NULL, &g)) {
        use_tensors(g, copy, size);
        use_keys(g);
        if (!greta_tokenizer_create(g, NULL, &t))
            use_encode(t, (const char *)copy, size < 300 ? size : 300, 3);
        greta_tokenizer_destroy(&t);
        greta_gguf_close(&g);
    }
    free(copy);
    return 0;
}
