/*
 * Small sound files, cut at every byte and with extreme numbers at every place: never a crash, a hang or an
 * access outside.
 */
#include "../check.h"
#include "tiny_vocab.h"

#include <greta/tokenizer.h>

static uint64_t sink; /* keeps reads from being dropped */

static void read_value(const struct greta_gguf_value *v) {
    static const unsigned char sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    const unsigned char *bytes = v->elements;
    if (v->type == GRETA_GGUF_STRING && v->str.len) sink += (unsigned char)v->str.data[v->str.len - 1];
    if (v->type != GRETA_GGUF_ARRAY || v->n == 0) return;
    const struct greta_gguf_string *strings = v->elements;
    if (v->element_type != GRETA_GGUF_STRING)
        sink += bytes[v->n * sizes[v->element_type] - 1];
    else
        for (uint64_t i = 0; i < v->n; i++) sink += strings[i].len ? (unsigned char)strings[i].data[0] : 0;
}

static void use_tokenizer(const struct greta_gguf *g) {
    static const char text[] = "abab <s>[tool]x\xc3\xa9\xff 12";
    struct greta_tokenizer *t = NULL;
    if (greta_tokenizer_create(g, NULL, &t)) return;
    uint32_t *ids = NULL;
    size_t n = 0;
    if (!greta_tokenizer_encode(t, text, sizeof text - 1, GRETA_TOKENIZE_BOS | GRETA_TOKENIZE_SPECIAL, &ids,
                                &n))
        for (size_t i = 0; i < n; i++) {
            struct greta_gguf_string s = greta_tokenizer_piece(t, ids[i], true);
            if (s.len) sink += (unsigned char)s.data[s.len - 1];
            CHECK(ids[i] < greta_tokenizer_n_tokens(t));
        }
    free(ids);
    greta_tokenizer_destroy(&t);
}

/* Opens the bytes and, where they pass, touches all that they give. */
static bool use(const unsigned char *data, size_t n) {
    struct greta_gguf *g = NULL;
    if (greta_gguf_open_memory(data, n, "mutated", NULL, &g)) return false;
    struct greta_gguf_string name;
    for (uint64_t i = 0; i < greta_gguf_n_keys(g); i++) {
        read_value(greta_gguf_key_at(g, i, &name));
        sink += (unsigned char)name.data[name.len - 1];
    }
    for (uint64_t i = 0; i < greta_gguf_n_tensors(g); i++) {
        const struct greta_gguf_tensor *t = greta_gguf_tensor_at(g, i);
        const unsigned char *bytes = t->data;
        CHECK(bytes >= data && t->size_bytes > 0 && (size_t)(bytes - data) + t->size_bytes <= n);
        sink += bytes[t->size_bytes - 1] + strlen(t->name);
    }
    use_tokenizer(g);
    greta_gguf_close(&g);
    return true;
}

static unsigned char *copy_of(const struct writer *w, size_t n) {
    unsigned char *p = malloc(n ? n : 1); /* its own block of that size: a sanitizer sees one byte too many */
    if (!p) abort();
    if (n) memcpy(p, w->p, n);
    return p;
}

static void mutate(const struct writer *w, size_t step) {
    static const uint64_t extremes[] = {0,          1,          2,          0x7f,
                                        0xff,       0x7fffffff, 0x80000000, 0xfffffff0,
                                        0xffffffff, UINT64_MAX, 1ull << 63, UINT64_MAX / 16};
    CHECK(use(w->p, w->n));
    for (size_t n = 0; n < w->n; n += step) {
        unsigned char *p = copy_of(w, n);
        use(p, n);
        free(p);
    }
    unsigned char *p = copy_of(w, w->n);
    for (size_t at = 0; at + 4 <= w->n; at += step)
        for (size_t k = 0; k < sizeof extremes / sizeof *extremes; k++) {
            size_t size = extremes[k] > UINT32_MAX ? 8 : 4;
            if (at + size > w->n) continue;
            memcpy(p + at, &extremes[k], size);
            use(p, w->n);
            memcpy(p + at, w->p + at, size);
        }
    CHECK(use(p, w->n)); /* put back */
    free(p);
}

static void write_tensors(struct writer *w) {
    w_header(w, 3, 3, 4);
    w_key_u32(w, "general.alignment", 8);
    w_key_array(w, "a.texts", GRETA_GGUF_STRING, 2);
    w_string(w, "one");
    w_string(w, "two");
    w_key_array(w, "a.bools", GRETA_GGUF_BOOL, 3);
    w_zeros(w, 3);
    w_key(w, "a.f64", GRETA_GGUF_F64);
    w_u64(w, 0);
    w_tensor(w, "a", 0, 4, 2, 0);
    w_tensor(w, "b", 2, 32, 2, 32);
    w_tensor(w, "c", 12, 256, 1, 72);
    w_pad(w, 8);
    w_zeros(w, 72 + 144);
}

int main(void) {
    struct writer w = {0};
    write_tensors(&w);
    mutate(&w, 1);
    w_free(&w);
    struct vocab vocabs[] = {vocab_spm(), vocab_bpe()};
    for (size_t i = 0; i < 2; i++) {
        vocab_write(&vocabs[i], &w);
        mutate(&w, 7); /* no divisor of a power of two: every alignment is met */
        w_free(&w);
    }
    printf("read %llu\n", (unsigned long long)sink);
    return check_done();
}
