/* Small vocabularies written as GGUF files: SentencePiece and byte-level BPE. */
#ifndef TESTS_BRIDGE_TINY_VOCAB_H
#define TESTS_BRIDGE_TINY_VOCAB_H

#include "writer.h"

enum { VOCAB_MOST = 512 };

/* What goes into the file. The arrays' lengths may be made to disagree. */
struct vocab {
    const char *model, *pre, *arch; /* NULL: no key */
    const char *texts[VOCAB_MOST];
    float scores[VOCAB_MOST];
    int32_t types[VOCAB_MOST];
    const char *merges[64];
    uint32_t n, n_scores, n_types, n_merges;
    uint32_t bos, eos, unk; /* UINT32_MAX: no key */
    bool no_tokens, no_merges, no_space_prefix;
};

enum { NORMAL = 1, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE };

static inline void v_token(struct vocab *v, const char *text, float score, int32_t type) {
    v->texts[v->n] = text;
    v->scores[v->n] = score;
    v->types[v->n] = type;
    v->n_scores = v->n_types = ++v->n;
}

/*
 * "<0x00>" .. "<0xFF>" of SentencePiece, and the printable characters that stand for bytes in byte-level
 * BPE.
 */
static inline void v_bytes(struct vocab *v, bool spm) {
    static char texts[2][256][8];
    unsigned other = 0x100;
    for (unsigned b = 0; b < 256; b++) {
        char *t = texts[spm][b];
        bool itself = (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b != 0xad);
        unsigned c = itself ? b : other++;
        if (spm)
            snprintf(t, 8, "<0x%02X>", b);
        else if (c < 0x80)
            snprintf(t, 8, "%c", (char)c);
        else
            snprintf(t, 8, "%c%c", (char)(0xc0 | c >> 6), (char)(0x80 | (c & 63)));
        v_token(v, t, 0, spm ? BYTE : NORMAL);
    }
}

#define MARK "\xe2\x96\x81"

/* 0 <unk>, 1 <s>, 2 </s>, 3 .. 258 bytes, then pieces. */
static inline struct vocab vocab_spm(void) {
    struct vocab v = {.model = "llama", .bos = 1, .eos = 2, .unk = 0};
    v_token(&v, "<unk>", 0, UNKNOWN);
    v_token(&v, "<s>", 0, CONTROL);
    v_token(&v, "</s>", 0, CONTROL);
    v_bytes(&v, true);
    v_token(&v, MARK, -1, NORMAL);          /* 259 */
    v_token(&v, "a", -2, NORMAL);           /* 260 */
    v_token(&v, "b", -3, NORMAL);           /* 261 */
    v_token(&v, "ab", -4, NORMAL);          /* 262 */
    v_token(&v, MARK "a", -5, NORMAL);      /* 263 */
    v_token(&v, "abab", -6, NORMAL);        /* 264 */
    v_token(&v, "\xc3\xa9", -7, NORMAL);    /* 265 */
    v_token(&v, "[tool]", 0, USER_DEFINED); /* 266 */
    v_token(&v, "[tool]x", 0, CONTROL);     /* 267 */
    v_token(&v, "ba", -3.5f, NORMAL);       /* 268 */
    return v;
}

/* 0 .. 255 bytes, then pieces. */
static inline struct vocab vocab_bpe(void) {
    struct vocab v = {.model = "gpt2", .pre = "gpt-2", .bos = UINT32_MAX, .eos = 258, .unk = UINT32_MAX};
    v_bytes(&v, false);
    v_token(&v, "ab", 0, NORMAL); /* 256 */
    v_token(&v,
            "\xc4\xa0"
            "a",
            0, NORMAL);                       /* 257: " a" */
    v_token(&v, "<|endoftext|>", 0, CONTROL); /* 258 */
    v_token(&v, "<|im_end|>", 0, CONTROL);    /* 259 */
    v_token(&v, "abab", 0, NORMAL);           /* 260 */
    v_token(&v, "zz", 0, NORMAL);             /* 261: no merge makes it */
    v.merges[0] = "a b";
    v.merges[1] = "\xc4\xa0 a";
    v.merges[2] = "ab ab";
    v.n_merges = 3;
    return v;
}

static inline void vocab_write(const struct vocab *v, struct writer *w) {
    bool spm = !v->pre, tokens = !v->no_tokens, merges = !spm && !v->no_merges;
    uint64_t n_keys = 1 + tokens + spm + (v->n_types > 0) + merges + !spm + (v->bos != UINT32_MAX) +
                      (v->eos != UINT32_MAX) + (v->unk != UINT32_MAX) + (v->arch != NULL) + v->no_space_prefix;
    w_header(w, 3, 0, n_keys);
    w_key_string(w, "tokenizer.ggml.model", v->model);
    if (v->arch) w_key_string(w, "general.architecture", v->arch);
    if (v->no_space_prefix) w_key_bool(w, "tokenizer.ggml.add_space_prefix", false);
    if (!spm) w_key_string(w, "tokenizer.ggml.pre", v->pre);
    if (tokens) {
        w_key_array(w, "tokenizer.ggml.tokens", GRETA_GGUF_STRING, v->n);
        for (uint32_t i = 0; i < v->n; i++) w_string(w, v->texts[i]);
    }
    if (spm) {
        w_key_array(w, "tokenizer.ggml.scores", GRETA_GGUF_F32, v->n_scores);
        w_bytes(w, v->scores, v->n_scores * sizeof(float));
    }
    if (v->n_types) {
        w_key_array(w, "tokenizer.ggml.token_type", GRETA_GGUF_I32, v->n_types);
        w_bytes(w, v->types, v->n_types * sizeof(int32_t));
    }
    if (merges) {
        w_key_array(w, "tokenizer.ggml.merges", GRETA_GGUF_STRING, v->n_merges);
        for (uint32_t i = 0; i < v->n_merges; i++) w_string(w, v->merges[i]);
    }
    if (v->bos != UINT32_MAX) w_key_u32(w, "tokenizer.ggml.bos_token_id", v->bos);
    if (v->eos != UINT32_MAX) w_key_u32(w, "tokenizer.ggml.eos_token_id", v->eos);
    if (v->unk != UINT32_MAX) w_key_u32(w, "tokenizer.ggml.unknown_token_id", v->unk);
}

#endif
