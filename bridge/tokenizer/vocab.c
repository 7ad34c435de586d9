#include "../gguf/quote.h"
#include "internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

greta_status vocab_broken(const struct greta_tokenizer *t, const struct greta_gguf *gguf, const char *format,
                          ...) {
    char what[400];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return greta_fail(&t->log, GRETA_ERR_FORMAT,
                      "%.500s: broken tokenizer: %s: fetch or convert the file again", greta_gguf_path(gguf),
                      what);
}

greta_status vocab_no_memory(const struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    return greta_fail(&t->log, GRETA_ERR_NO_MEMORY, "%.500s: no memory for its tokenizer",
                      greta_gguf_path(gguf));
}

static greta_status read_kind(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    struct greta_gguf_string model;
    const char *path = greta_gguf_path(gguf);
    struct quoted q;
    if (!greta_gguf_key(gguf, "tokenizer.ggml.model"))
        return greta_fail(&t->log, GRETA_ERR_NOT_FOUND, "%.500s: has no tokenizer", path);
    if (!greta_gguf_get_string(gguf, "tokenizer.ggml.model", &model))
        return vocab_broken(t, gguf, "tokenizer.ggml.model is not a text");
    quote(&q, model.data, model.len);
    if (!strcmp(q.text, "'no_vocab'") || !strcmp(q.text, "'none'"))
        return greta_fail(&t->log, GRETA_ERR_NOT_FOUND, "%.500s: has no tokenizer (%s)", path, q.text);
    t->spm = !strcmp(q.text, "'llama'");
    if (!t->spm && strcmp(q.text, "'gpt2'"))
        return greta_fail(&t->log, GRETA_ERR_UNSUPPORTED,
                          "%.500s: a tokenizer of the kind %s is not supported ('llama' and 'gpt2' are)",
                          path, q.text);
    return GRETA_OK;
}

static greta_status read_pre(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    struct greta_gguf_string name = {"default", strlen("default")};
    struct quoted q;
    if (greta_gguf_key(gguf, "tokenizer.ggml.pre") &&
        !greta_gguf_get_string(gguf, "tokenizer.ggml.pre", &name))
        return vocab_broken(t, gguf, "tokenizer.ggml.pre is not a text");
    else if (!greta_gguf_key(gguf, "tokenizer.ggml.pre"))
        greta_logf(
            &t->log, GRETA_LOG_WARN,
            "%.500s: does not name its pre-tokenizer (tokenizer.ggml.pre); taking 'default', which may cut "
            "text in other places than the model's own",
            greta_gguf_path(gguf));
    t->pre = pretokenizer_find(name.data, name.len);
    if (!t->pre)
        return greta_fail(
            &t->log, GRETA_ERR_UNSUPPORTED,
            "%.500s: the pre-tokenizer %s is not supported (default, gpt-2, llama-bpe, qwen2, smollm and "
            "their like are)",
            greta_gguf_path(gguf), quote(&q, name.data, name.len));
    return GRETA_OK;
}

static greta_status check_text(const struct greta_tokenizer *t, const struct greta_gguf *gguf, uint32_t id,
                               struct greta_gguf_string s) {
    struct quoted q;
    int32_t code;
    for (size_t i = 0; i < s.len; i += utf8_next(s.data + i, s.len - i, &code)) {
        utf8_next(s.data + i, s.len - i, &code);
        if (code < 0)
            return vocab_broken(t, gguf, "token %" PRIu32 " (%s) is not UTF-8", id, quote(&q, s.data, s.len));
    }
    return GRETA_OK;
}

/* The texts, copied into one block. */
static greta_status read_texts(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    const struct greta_gguf_value *v = greta_gguf_key(gguf, "tokenizer.ggml.tokens");
    if (!v || v->type != GRETA_GGUF_ARRAY || v->element_type != GRETA_GGUF_STRING)
        return vocab_broken(t, gguf, "tokenizer.ggml.tokens, a list of texts, is missing");
    if (v->n == 0 || v->n >= UINT32_MAX / 4) return vocab_broken(t, gguf, "it has %" PRIu64 " tokens", v->n);
    const struct greta_gguf_string *strings = v->elements;
    size_t total = 0;
    for (uint64_t i = 0; i < v->n; i++) total += strings[i].len;
    char *p = arena_alloc(&t->arena, total);
    t->tokens = arena_array(&t->arena, (size_t)v->n, sizeof *t->tokens);
    if (!p || !t->tokens) return vocab_no_memory(t, gguf);
    t->n_tokens = (uint32_t)v->n;
    for (uint32_t i = 0; i < t->n_tokens; i++) {
        greta_status status = check_text(t, gguf, i, strings[i]);
        if (status) return status;
        memcpy(p, strings[i].data, strings[i].len);
        t->tokens[i].text = t->tokens[i].piece = (struct greta_gguf_string){p, strings[i].len};
        p += strings[i].len;
        if (strings[i].len > t->longest_text) t->longest_text = strings[i].len;
    }
    return GRETA_OK;
}

static const struct greta_gguf_value *find_array(const struct greta_gguf *gguf, const char *name) {
    const struct greta_gguf_value *v = greta_gguf_key(gguf, name);
    return v && v->type == GRETA_GGUF_ARRAY ? v : NULL;
}

static greta_status read_scores(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    const struct greta_gguf_value *v = find_array(gguf, "tokenizer.ggml.scores");
    if (!v || v->element_type != GRETA_GGUF_F32)
        return vocab_broken(t, gguf, "tokenizer.ggml.scores, a list of 32-bit floats, is missing");
    if (v->n != t->n_tokens)
        return vocab_broken(t, gguf, "%" PRIu64 " scores for %" PRIu32 " tokens", v->n, t->n_tokens);
    for (uint32_t i = 0; i < t->n_tokens; i++) {
        memcpy(&t->tokens[i].score, (const char *)v->elements + i * sizeof(float), sizeof(float));
        if (t->tokens[i].score != t->tokens[i].score)
            return vocab_broken(t, gguf, "the score of token %" PRIu32 " is not a number", i);
    }
    return GRETA_OK;
}

/* Names that end a turn or a text, whatever the file's ids say. */
static bool is_stop_name(struct greta_gguf_string s) {
    static const char *const names[] = {
        "<|eot_id|>",    "<|eom_id|>",      "<|im_end|>",         "<|end|>", "<end_of_turn>",
        "<|endoftext|>", "<|end_of_text|>", "<end_of_utterance>", "</s>",    "<EOT>",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == s.len && !memcmp(names[i], s.data, s.len)) return true;
    return false;
}

static greta_status read_types(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    const struct greta_gguf_value *v = greta_gguf_key(gguf, "tokenizer.ggml.token_type");
    if (v && (v->type != GRETA_GGUF_ARRAY ||
              (v->element_type != GRETA_GGUF_I32 && v->element_type != GRETA_GGUF_U32)))
        return vocab_broken(t, gguf, "tokenizer.ggml.token_type is not a list of 32-bit numbers");
    if (v && v->n != t->n_tokens)
        return vocab_broken(t, gguf, "%" PRIu64 " token types for %" PRIu32 " tokens", v->n, t->n_tokens);
    for (uint32_t i = 0; i < t->n_tokens; i++) {
        struct token *token = &t->tokens[i];
        uint32_t type = is_stop_name(token->text) ? TOKEN_CONTROL : TOKEN_NORMAL;
        if (v) memcpy(&type, (const char *)v->elements + i * sizeof type, sizeof type);
        if (type > TOKEN_BYTE)
            return vocab_broken(t, gguf, "token %" PRIu32 " is of the unknown type %" PRIu32, i, type);
        token->type = (unsigned char)type;
        token->stop = token_is_special(token) && is_stop_name(token->text);
    }
    return GRETA_OK;
}

/*
 * Phi 3's marks strip what is behind them, but for these; nothing in the file says so but its architecture. (The SentencePiece
 * ones: Phi 4, of the same architecture, has a byte-level BPE.)
 */
static void mark_strips(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    static const char *const not [] = {"<unk>", "<s>", "<|endoftext|>"};
    struct greta_gguf_string arch;

    if (!t->spm || !greta_gguf_get_string(gguf, "general.architecture", &arch)) return;
    if (arch.len != 4 || memcmp(arch.data, "phi3", 4)) return;
    for (uint32_t i = 0; i < t->n_tokens; i++) {
        struct token *token = &t->tokens[i];
        token->strips = token_is_special(token);
        for (size_t k = 0; k < sizeof not / sizeof *not ; k++)
            if (token->text.len == strlen(not [k]) && !memcmp(token->text.data, not [k], strlen(not [k])))
                token->strips = false;
    }
}

/* An id that the file may name; a number that is no token's is an error. */
static greta_status read_id(const struct greta_tokenizer *t, const struct greta_gguf *gguf, const char *name,
                            uint32_t *out) {
    uint64_t id = 0;
    if (!greta_gguf_key(gguf, name)) return GRETA_OK;
    if (!greta_gguf_get_u64(gguf, name, &id))
        return vocab_broken(t, gguf, "%s is not a token's number", name);
    if (id >= t->n_tokens)
        return vocab_broken(t, gguf, "%s is %" PRIu64 ", but there are %" PRIu32 " tokens", name, id,
                            t->n_tokens);
    *out = (uint32_t)id;
    return GRETA_OK;
}

static greta_status read_ids(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    uint32_t eot = TOKEN_NONE, eom = TOKEN_NONE;
    t->bos = t->eos = t->unk = TOKEN_NONE;
    if (t->spm && t->n_tokens > 2) t->unk = 0, t->bos = 1, t->eos = 2; /* SentencePiece's own */
    const struct {
        const char *name;
        uint32_t *id;
        bool stop;
    } rows[] = {{"tokenizer.ggml.unknown_token_id", &t->unk, false},
                {"tokenizer.ggml.bos_token_id", &t->bos, true},
                {"tokenizer.ggml.eos_token_id", &t->eos, true},
                {"tokenizer.ggml.eot_token_id", &eot, true},
                {"tokenizer.ggml.eom_token_id", &eom, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        greta_status status = read_id(t, gguf, rows[i].name, rows[i].id);
        if (status) return status;
        if (rows[i].stop && *rows[i].id != TOKEN_NONE) t->tokens[*rows[i].id].stop = true;
    }
    return GRETA_OK;
}

static greta_status read_flag(const struct greta_tokenizer *t, const struct greta_gguf *gguf,
                              const char *name, bool *out) {
    if (greta_gguf_key(gguf, name) && !greta_gguf_get_bool(gguf, name, out))
        return vocab_broken(t, gguf, "%s is not a bool", name);
    return GRETA_OK;
}

static greta_status read_flags(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    bool by_default = t->spm || t->pre->add_bos;
    t->add_bos = by_default && t->bos != TOKEN_NONE;
    t->add_space_prefix = t->spm;
    greta_status status;
    if ((status = read_flag(t, gguf, "tokenizer.ggml.add_bos_token", &t->add_bos)) ||
        (status = read_flag(t, gguf, "tokenizer.ggml.add_eos_token", &t->add_eos)) ||
        (status = read_flag(t, gguf, "tokenizer.ggml.add_space_prefix", &t->add_space_prefix)))
        return status;
    if (t->add_bos && t->bos == TOKEN_NONE)
        return vocab_broken(t, gguf, "add_bos_token is set, but there is no bos_token_id");
    if (t->add_eos && t->eos == TOKEN_NONE)
        return vocab_broken(t, gguf, "add_eos_token is set, but there is no eos_token_id");
    return GRETA_OK;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* "<0x0A>" */
static int parse_byte(struct greta_gguf_string s) {
    if (s.len != 6 || memcmp(s.data, "<0x", 3) || s.data[5] != '>') return -1;
    int high = hex_digit(s.data[3]), low = hex_digit(s.data[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Writes what a SentencePiece token stands for; at most as long as its text. -1: not a byte token's text. */
static int spm_piece(const struct token *token, char *out) {
    const char *s = token->text.data;
    size_t len = token->text.len, n = 0;
    if (token->type == TOKEN_BYTE) {
        int byte = parse_byte(token->text);
        if (byte >= 0) *out = (char)byte;
        return byte < 0 ? -1 : 1;
    }
    for (size_t i = 0; i < len;) {
        bool mark = len - i >= 3 && !memcmp(s + i, "\xe2\x96\x81", 3);
        out[n++] = mark ? ' ' : s[i];
        i += mark ? 3 : 1;
    }
    return (int)n;
}

static int bpe_piece(const struct token *token, char *out) {
    const char *s = token->text.data;
    size_t len = token->text.len, n = 0, step;
    int32_t code;
    for (size_t i = 0; i < len; i += step) {
        step = utf8_next(s + i, len - i, &code);
        int byte = bpe_byte_of_char(code);
        if (byte >= 0) {
            out[n++] = (char)byte;
        } else { /* a character that stands for no byte stands for itself */
            memcpy(out + n, s + i, step);
            n += step;
        }
    }
    return (int)n;
}

/* Special tokens stand for their text as it is. */
static greta_status make_pieces(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    size_t total = 0;
    for (uint32_t i = 0; i < t->n_tokens; i++) total += t->tokens[i].text.len;
    char *p = arena_alloc(&t->arena, total);
    if (!p) return vocab_no_memory(t, gguf);
    for (uint32_t i = 0; i < t->n_tokens; i++) {
        struct token *token = &t->tokens[i];
        struct quoted q;
        if (token_is_special(token)) continue;
        int n = t->spm ? spm_piece(token, p) : bpe_piece(token, p);
        if (n < 0)
            return vocab_broken(t, gguf, "token %" PRIu32 " (%s) is not of the form <0xNN>", i,
                                quote(&q, token->text.data, token->text.len));
        token->piece = (struct greta_gguf_string){p, (size_t)n};
        p += n;
    }
    return GRETA_OK;
}

/* SentencePiece falls back to the byte's own token, then to a token that is that one character. */
static void find_byte_tokens(struct greta_tokenizer *t) {
    for (unsigned b = 0; b < 256; b++) {
        char text[8];
        if (t->spm) {
            uint32_t id = vocab_find(t, text, (size_t)snprintf(text, sizeof text, "<0x%02X>", b));
            text[0] = (char)b;
            t->byte_tokens[b] = id != TOKEN_NONE ? id : vocab_find(t, text, 1);
        } else {
            t->byte_tokens[b] = vocab_find(t, text, utf8_put(text, bpe_char_of_byte((unsigned char)b)));
        }
    }
}

greta_status vocab_read(struct greta_tokenizer *t, const struct greta_gguf *gguf) {
    greta_status status = read_kind(t, gguf);
    if (status || (!t->spm && (status = read_pre(t, gguf)))) return status;
    if ((status = read_texts(t, gguf)) || (t->spm && (status = read_scores(t, gguf)))) return status;
    if ((status = read_types(t, gguf)) || (status = read_ids(t, gguf)) || (status = read_flags(t, gguf)) ||
        (status = make_pieces(t, gguf)))
        return status;
    mark_strips(t, gguf);
    if (table_build(t)) return vocab_no_memory(t, gguf);
    find_byte_tokens(t);
    return special_index(t) ? vocab_no_memory(t, gguf) : GRETA_OK;
}
