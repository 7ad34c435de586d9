/*
 * Pre-tokenizers: regular expressions written out as matchers. A stage is one expression; what lies between
 * two of its matches is a piece too. The expressions are those of the models' own tokenizers:
 *   gpt-2   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *   llama 3 (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *   qwen2   the same with \p{N} in place of \p{N}{1,3}
 */
#include "internal.h"

#include <string.h>

static bool is(const struct character *c, size_t pos, size_t end, unsigned classes) {
    return pos < end && (c[pos].class & classes);
}

static size_t run(const struct character *c, size_t pos, size_t end, unsigned classes) {
    while (is(c, pos, end, classes)) pos++;
    return pos;
}

/* [^\s\p{L}\p{N}]* */
static size_t run_others(const struct character *c, size_t pos, size_t end) {
    while (pos < end && !(c[pos].class & (CLASS_LETTER | CLASS_NUMBER | CLASS_SPACE))) pos++;
    return pos;
}

static int32_t code_at(const struct character *c, size_t pos, size_t end, bool fold) {
    if (pos >= end) return -1;
    int32_t code = c[pos].code;
    return fold && code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code;
}

/* 's, 't, 're, 've, 'm, 'll, 'd: how many characters, 0 for none. */
static size_t contraction(const struct character *c, size_t pos, size_t end, bool fold) {
    if (c[pos].code != '\'') return 0;
    int32_t a = code_at(c, pos + 1, end, fold), b = code_at(c, pos + 2, end, fold);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* \s+(?!\S)|\s+: the last space of several is left to the word that follows. */
static size_t spaces(const struct character *c, size_t pos, size_t end) {
    size_t stop = run(c, pos, end, CLASS_SPACE);
    if (stop == pos) return pos + 1; /* no expression matches: one character alone */
    return stop < end && stop - pos > 1 ? stop - 1 : stop;
}

static size_t gpt2(const struct character *c, size_t pos, size_t end) {
    size_t n = contraction(c, pos, end, false);
    if (n) return pos + n;
    size_t start = pos + (c[pos].code == ' '), stop;
    if ((stop = run(c, start, end, CLASS_LETTER)) > start) return stop;
    if ((stop = run(c, start, end, CLASS_NUMBER)) > start) return stop;
    if ((stop = run_others(c, start, end)) > start) return stop;
    return spaces(c, pos, end);
}

static bool is_newline(const struct character *c, size_t pos, size_t end) {
    return pos < end && (c[pos].code == '\r' || c[pos].code == '\n');
}

/* \s*[\r\n]+: up to the last newline among the spaces; pos where there is none. */
static size_t spaces_to_newline(const struct character *c, size_t pos, size_t end) {
    size_t stop = pos;
    for (size_t i = pos; is(c, i, end, CLASS_SPACE); i++)
        if (is_newline(c, i, end)) stop = i + 1;
    return stop;
}

static size_t llama3_digits(const struct character *c, size_t pos, size_t end, size_t most_digits) {
    size_t n = contraction(c, pos, end, true), stop;
    if (n) return pos + n;
    size_t start = pos + !(is_newline(c, pos, end) || is(c, pos, end, CLASS_LETTER | CLASS_NUMBER));
    if ((stop = run(c, start, end, CLASS_LETTER)) > start) return stop;
    if ((stop = run(c, pos, end - pos > most_digits ? pos + most_digits : end, CLASS_NUMBER)) > pos)
        return stop;
    start = pos + (c[pos].code == ' ');
    if ((stop = run_others(c, start, end)) > start) {
        while (is_newline(c, stop, end)) stop++;
        return stop;
    }
    stop = spaces_to_newline(c, pos, end);
    return stop > pos ? stop : spaces(c, pos, end);
}

static size_t llama3(const struct character *c, size_t pos, size_t end) {
    return llama3_digits(c, pos, end, 3);
}

static size_t qwen2(const struct character *c, size_t pos, size_t end) {
    return llama3_digits(c, pos, end, 1);
}

/* \p{N} */
static size_t single_numbers(const struct character *c, size_t pos, size_t end) {
    if (is(c, pos, end, CLASS_NUMBER)) return pos + 1;
    while (pos < end && !is(c, pos, end, CLASS_NUMBER)) pos++;
    return pos;
}

/* \p{N}+ */
static size_t numbers(const struct character *c, size_t pos, size_t end) {
    size_t stop = run(c, pos, end, CLASS_NUMBER);
    return stop > pos ? stop : single_numbers(c, pos, end);
}

static bool is_ascii_digit(const struct character *c, size_t pos, size_t end) {
    return pos < end && c[pos].code >= '0' && c[pos].code <= '9';
}

/* [0-9][0-9][0-9] */
static size_t three_digits(const struct character *c, size_t pos, size_t end) {
    size_t n = 0; /* digits just before i */
    for (size_t i = pos; i < end; i++) {
        n = is_ascii_digit(c, i, end) ? n + 1 : 0;
        if (n == 3) return i + 1 - pos == 3 ? i + 1 : i - 2;
    }
    return end;
}

static bool is_sign(const struct character *c, size_t pos, size_t end) {
    return is(c, pos, end, CLASS_PUNCTUATION) ||
           (pos < end && c[pos].code > 0 && c[pos].code < 0x80 && strchr("$+<=>^~|", (int)c[pos].code));
}

/* [\p{P}\$\+<=>\^~\|]+ */
static size_t signs(const struct character *c, size_t pos, size_t end) {
    bool first = is_sign(c, pos, end);
    while (pos < end && is_sign(c, pos, end) == first) pos++;
    return pos;
}

static const struct pretokenizer pretokenizers[] = {
    {.names = {"default"}, .stages = {signs, gpt2, numbers, three_digits}},
    {.names = {"gpt-2", "gpt2", "phi-2"}, .stages = {gpt2}},
    {.names = {"llama-bpe", "llama3", "llama-v3"}, .stages = {llama3}, .add_bos = true, .whole_words = true},
    {.names = {"smaug-bpe", "dbrx"}, .stages = {llama3}},
    {.names = {"qwen2", "deepseek-r1-qwen", "stablelm2"}, .stages = {qwen2}},
    {.names = {"smollm"}, .stages = {single_numbers, gpt2}},
};

const struct pretokenizer *pretokenizer_find(const char *name, size_t len) {
    for (size_t i = 0; i < sizeof pretokenizers / sizeof *pretokenizers; i++)
        for (size_t k = 0; k < 4 && pretokenizers[i].names[k]; k++)
            if (strlen(pretokenizers[i].names[k]) == len && !memcmp(pretokenizers[i].names[k], name, len))
                return &pretokenizers[i];
    return NULL;
}
