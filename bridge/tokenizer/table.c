#include "internal.h"

#include <clock.h>

#include <string.h>

static uint64_t rotate(uint64_t x, unsigned n) {
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
    v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

/*
 * SipHash-1-3 (Aumasson, Bernstein): short and, with a key that the file's author does not know, free of
 * planned collisions.
 */
uint64_t hash_bytes(uint64_t seed, const void *data, size_t len) {
    uint64_t k1 = seed * 0x9e3779b97f4a7c15u, word;
    uint64_t v[4] = {seed ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, seed ^ 0x6c7967656e657261u,
                     k1 ^ 0x7465646279746573u};
    const unsigned char *p = data;
    for (size_t left = len;; left -= 8, p += 8) {
        word = left < 8 ? (uint64_t)len << 56 : 0;
        memcpy(&word, p, left < 8 ? left : 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
        if (left < 8) break;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

size_t table_size(size_t n) {
    size_t size = 16;
    while (size < 2 * n) size *= 2;
    return size;
}

/* The slot of a text, or the empty one where it would go. */
static size_t slot_of(const struct greta_tokenizer *t, const char *text, size_t len) {
    const struct text_table *table = &t->by_text;
    for (size_t i = hash_bytes(table->seed, text, len) & table->mask;; i = (i + 1) & table->mask) {
        if (table->slots[i] == TOKEN_NONE) return i;
        const struct greta_gguf_string *s = &t->tokens[table->slots[i]].text;
        if (s->len == len && !memcmp(s->data, text, len)) return i;
    }
}

greta_status table_build(struct greta_tokenizer *t) {
    struct text_table *table = &t->by_text;
    size_t size = table_size(t->n_tokens);
    table->seed = clock_ns() ^ (uint64_t)(uintptr_t)t;
    table->slots = arena_array(&t->arena, size, sizeof *table->slots);
    if (!table->slots) return GRETA_ERR_NO_MEMORY;
    memset(table->slots, 0xff, size * sizeof *table->slots);
    table->mask = size - 1;
    for (uint32_t i = 0; i < t->n_tokens; i++) {
        const struct greta_gguf_string *s = &t->tokens[i].text;
        if (s->len) table->slots[slot_of(t, s->data, s->len)] = i;
    }
    return GRETA_OK;
}

uint32_t vocab_find(const struct greta_tokenizer *t, const char *text, size_t len) {
    return len ? t->by_text.slots[slot_of(t, text, len)] : TOKEN_NONE;
}
