/* The tokenizers on small vocabularies: what they do, and what they say of broken ones. */
#include "../check.h"
#include "tiny_vocab.h"

#include <greta/tokenizer.h>

static greta_status make(const struct vocab *v, struct capture *c, struct greta_tokenizer **t) {
    struct writer w = {0};
    struct greta_gguf *g = NULL;
    struct greta_log log = capture_log(c);
    vocab_write(v, &w);
    *t = NULL;
    greta_status status = greta_gguf_open_memory(w.p, w.n, "vocab", &log, &g);
    if (CHECK(status == GRETA_OK)) status = greta_tokenizer_create(g, &log, t);
    greta_gguf_close(&g);
    memset(w.p, 0xee, w.n); /* nothing of the file is kept */
    w_free(&w);
    return status;
}

static struct greta_tokenizer *make_sound(const struct vocab *v) {
    static struct capture c; /* the tokenizer's log outlives this call */
    struct greta_tokenizer *t = NULL;
    if (!CHECK(make(v, &c, &t) == GRETA_OK && t)) {
        fprintf(stderr, "  %s\n", c.message);
        exit(1);
    }
    return t;
}

struct expected {
    const char *text;
    unsigned flags;
    size_t n;
    uint32_t ids[16];
};

static void check_ids(const struct greta_tokenizer *t, const struct expected *e) {
    uint32_t *ids = NULL;
    size_t n = 99;
    bool same = greta_tokenizer_encode(t, e->text, strlen(e->text), e->flags, &ids, &n) == GRETA_OK &&
                n == e->n && !memcmp(ids, e->ids, n * sizeof *ids);
    if (!CHECK(same)) {
        fprintf(stderr, "  '%s', flags %u:", e->text, e->flags);
        for (size_t i = 0; i < n; i++) fprintf(stderr, " %u", ids[i]);
        fprintf(stderr, "\n");
    }
    free(ids);
}

enum { PLAIN = 0, BOS = GRETA_TOKENIZE_BOS, SPECIAL = GRETA_TOKENIZE_SPECIAL };

static void test_spm(void) {
    static const struct expected cases[] = {
        {"", PLAIN, 0, {0}},
        {"", BOS, 1, {1}},
        {"a", BOS, 2, {1, 263}},
        {"ab", PLAIN, 2, {259, 262}},        /* "ab" is better than " a" */
        {"abab", PLAIN, 3, {263, 268, 261}}, /* "ba" first: "abab" is not reached */
        {"aba", PLAIN, 2, {263, 268}},       /* "ba" is better than "ab", and leaves " a" */
        {"\xc3\xa9", PLAIN, 2, {259, 265}},
        {"\xc3\xa8", PLAIN, 3, {259, 3 + 0xc3, 3 + 0xa8}},
        {"\xff"
         "a",
         PLAIN,
         3,
         {259, 3 + 0xff, 260}}, /* invalid UTF-8: byte by byte */
        {"a\xc3", PLAIN, 2, {263, 3 + 0xc3}},
        {"<s>", PLAIN, 4, {259, 3 + '<', 3 + 's', 3 + '>'}},
        {"<s>", SPECIAL, 1, {1}},
        {"a<s>a", SPECIAL, 3, {263, 1, 263}}, /* the space prefix comes back behind a special token */
        {"<s></s>", SPECIAL | BOS, 3, {1, 1, 2}},
        {"[tool]", PLAIN, 1, {266}}, /* user-defined ones are always recognized */
        {"[tool]x", PLAIN, 3, {266, 259, 3 + 'x'}},
        {"[tool]x", SPECIAL, 1, {267}}, /* the longest first */
        {"<0x41>",
         PLAIN,
         7,
         {259, 3 + '<', 3 + '0', 3 + 'x', 3 + '4', 3 + '1', 3 + '>'}}, /* text is no byte token */
    };
    struct vocab v = vocab_spm();
    struct greta_tokenizer *t = make_sound(&v);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_ids(t, &cases[i]);
    }
    uint32_t id;
    CHECK(greta_tokenizer_n_tokens(t) == v.n && greta_tokenizer_strips_space(t) &&
          greta_tokenizer_bos(t, &id) && id == 1);
    CHECK(greta_tokenizer_find(t, "abab", &id) && id == 264 && !greta_tokenizer_find(t, "abba", &id));
    CHECK(greta_tokenizer_is_stop(t, 1) && greta_tokenizer_is_stop(t, 2) && !greta_tokenizer_is_stop(t, 0));
    CHECK(!greta_tokenizer_is_stop(t, UINT32_MAX) && !greta_tokenizer_is_stop(t, v.n));
    struct greta_gguf_string s = greta_tokenizer_piece(t, 263, false);
    CHECK(s.len == 2 && !memcmp(s.data, " a", 2));
    s = greta_tokenizer_piece(t, 3 + 0xe9, false);
    CHECK(s.len == 1 && (unsigned char)s.data[0] == 0xe9);
    CHECK(greta_tokenizer_piece(t, 2, false).len == 0 && greta_tokenizer_piece(t, 2, true).len == 4);
    CHECK(greta_tokenizer_piece(t, 266, false).len == 6 && greta_tokenizer_piece(t, v.n, true).len == 0);
    greta_tokenizer_destroy(&t);
    CHECK(!t);
    greta_tokenizer_destroy(&t);
}

/* Phi 3: marks take the white space behind them along, but for some. */
static void test_phi3(void) {
    static const struct expected cases[] = {
        {"[tool] \n\ta", SPECIAL, 2, {266, 263}},
        {"[tool]\n", PLAIN, 1, {266}},
        {"</s>\n[tool]  </s>a", SPECIAL, 4, {2, 266, 2, 263}},
        {"<s> a", SPECIAL, 3, {1, 259, 263}},
        {"a\n[tool]", PLAIN, 3, {263, 3 + '\n', 266}},
    };
    struct vocab v = vocab_spm();
    v.arch = "phi3";
    struct greta_tokenizer *t = make_sound(&v);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_ids(t, &cases[i]);
    greta_tokenizer_destroy(&t);
    v.arch = "llama";
    t = make_sound(&v);
    check_ids(t, &(struct expected){"[tool] a", PLAIN, 3, {266, 259, 263}});
    greta_tokenizer_destroy(&t);
}

/* Gemma 2: no space in front, and runs of spaces are tokens of their own. */
static void test_gemma2(void) {
    struct vocab v = vocab_spm();
    v.no_space_prefix = true;
    v_token(&v, "    ", 0, USER_DEFINED); /* 269 */
    struct greta_tokenizer *t = make_sound(&v);
    check_ids(t, &(struct expected){"ab a", BOS, 3, {1, 262, 263}});
    check_ids(t, &(struct expected){"a    b", PLAIN, 3, {260, 269, 261}});
    check_ids(t, &(struct expected){"</s>a", SPECIAL, 2, {2, 260}});
    CHECK(!greta_tokenizer_strips_space(t));
    greta_tokenizer_destroy(&t);
}

static void test_bpe(void) {
    static const struct expected cases[] = {
        {"", BOS, 0, {0}},
        {"ab", BOS, 1, {256}}, /* no BOS unless the file says so */
        {"abab", PLAIN, 1, {260}},
        {"ababab", PLAIN, 2, {260, 256}}, /* of equal pairs the leftmost */
        {" a", PLAIN, 1, {257}},
        {"  ab", PLAIN, 3, {' ', ' ', 256}}, /* the last space goes with the word, where "a b" merges first */
        {"zz", PLAIN, 2, {'z', 'z'}},
        {"\xff\n", PLAIN, 2, {0xff, '\n'}},
        {"<|im_end|>", SPECIAL, 1, {259}},
        {"a<|im_end|><|endoftext|>b", SPECIAL, 4, {'a', 259, 258, 'b'}},
    };
    struct vocab v = vocab_bpe();
    struct greta_tokenizer *t = make_sound(&v);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_ids(t, &cases[i]);
    }
    uint32_t id;
    CHECK(!greta_tokenizer_bos(t, &id) && !greta_tokenizer_strips_space(t));
    CHECK(greta_tokenizer_is_stop(t, 258) && greta_tokenizer_is_stop(t, 259) &&
          !greta_tokenizer_is_stop(t, 256));
    struct greta_gguf_string s = greta_tokenizer_piece(t, 257, false);
    CHECK(s.len == 2 && !memcmp(s.data, " a", 2));
    for (uint32_t b = 0; b < 256; b++) {
        s = greta_tokenizer_piece(t, b, false);
        CHECK(s.len == 1 && (unsigned char)s.data[0] == b);
    }
    greta_tokenizer_destroy(&t);

    v.pre = "llama-bpe"; /* whole words, BOS by default */
    v.bos = 258;
    t = make_sound(&v);
    check_ids(t, &(struct expected){"zz", BOS, 2, {258, 261}});
    check_ids(t, &(struct expected){"1234", PLAIN, 4, {'1', '2', '3', '4'}});
    greta_tokenizer_destroy(&t);
}

/*
 * Words are told apart by a token that spans them: "ab" is one token only where both letters are in one
 * word.
 */
static void test_pretokenizers(void) {
    static const struct {
        const char *pre, *text;
        size_t n; /* tokens: each pair that is left in one word is one */
    } cases[] = {
        {"gpt-2", "1212", 2},    {"qwen2", "1212", 4}, {"smollm", "1212", 4}, {"llama-bpe", "1212", 3},
        {"default", "1212", 3},  {"gpt-2", "\n\n", 1}, {"gpt-2", "\n\nx", 3}, {"llama-bpe", "\n\nx", 2},
        {"llama-bpe", "!\n", 1}, {"gpt-2", "!\n", 2},  {"gpt-2", "'s", 1},    {"gpt-2", "'S", 2},
        {"llama-bpe", "'S", 1},  {"default", "$$", 1}, {"qwen2", "(x", 1},    {"gpt-2", "(x", 2},
    };
    static const char *const pairs[][2] = {{"12", "1 2"},
                                           {"\xc4\x8a\xc4\x8a", "\xc4\x8a \xc4\x8a"},
                                           {"!\xc4\x8a", "! \xc4\x8a"},
                                           {"'s", "' s"},
                                           {"'S", "' S"},
                                           {"$$", "$ $"},
                                           {"(x", "( x"}};
    struct vocab v = vocab_bpe();
    v.n_merges = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        v_token(&v, pairs[i][0], 0, NORMAL);
        v.merges[v.n_merges++] = pairs[i][1];
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        v.pre = cases[i].pre;
        struct greta_tokenizer *t = make_sound(&v);
        uint32_t *ids = NULL;
        size_t n = 0;
        CHECK(greta_tokenizer_encode(t, cases[i].text, strlen(cases[i].text), 0, &ids, &n) == GRETA_OK);
        if (!CHECK(n == cases[i].n)) fprintf(stderr, "  %s '%s': %zu\n", cases[i].pre, cases[i].text, n);
        free(ids);
        greta_tokenizer_destroy(&t);
    }
}

static void expect_broken(struct vocab v, greta_status expected, const char *what) {
    struct capture c;
    struct greta_tokenizer *t = NULL;
    greta_status status = make(&v, &c, &t);
    bool ok = CHECK(status == expected) && CHECK(!t && c.n == 1) && CHECK(strstr(c.message, what) != NULL) &&
              CHECK(!strncmp(c.message, "vocab: ", 7));
    if (!ok) fprintf(stderr, "  %s: %s\n", what, c.message);
    greta_tokenizer_destroy(&t);
}

static void test_broken(void) {
    struct vocab spm = vocab_spm(), bpe = vocab_bpe(), v;
    v = spm, v.model = "no_vocab", expect_broken(v, GRETA_ERR_NOT_FOUND, "has no tokenizer");
    v = spm, v.model = "bert", expect_broken(v, GRETA_ERR_UNSUPPORTED, "'bert'");
    v = bpe, v.pre = "tekken", expect_broken(v, GRETA_ERR_UNSUPPORTED, "pre-tokenizer 'tekken'");
    v = spm, v.no_tokens = true, expect_broken(v, GRETA_ERR_FORMAT, "tokenizer.ggml.tokens");
    v = spm, v.n = 0, expect_broken(v, GRETA_ERR_FORMAT, "0 tokens");
    v = spm, v.n_scores--, expect_broken(v, GRETA_ERR_FORMAT, "268 scores for 269 tokens");
    v = spm, v.n_types--, expect_broken(v, GRETA_ERR_FORMAT, "268 token types for 269 tokens");
    v = spm, v.types[5] = 7, expect_broken(v, GRETA_ERR_FORMAT, "token 5 is of the unknown type 7");
    v = spm, v.types[5] = -1, expect_broken(v, GRETA_ERR_FORMAT, "token 5 is of the unknown type");
    v = spm, v.scores[260] = (float)(0.0 / strtod("0", NULL)),
    expect_broken(v, GRETA_ERR_FORMAT, "score of token 260");
    v = spm, v.texts[260] = "\xc3(", expect_broken(v, GRETA_ERR_FORMAT, "token 260 ('\\xc3(') is not UTF-8");
    v = spm, v.texts[9] = "<0xZZ>", expect_broken(v, GRETA_ERR_FORMAT, "<0xNN>");
    v = spm, v.bos = v.n, expect_broken(v, GRETA_ERR_FORMAT, "bos_token_id is 269");
    v = spm, v.eos = UINT32_MAX - 1, expect_broken(v, GRETA_ERR_FORMAT, "eos_token_id is 4294967294");
    v = bpe, v.no_merges = true, expect_broken(v, GRETA_ERR_FORMAT, "tokenizer.ggml.merges");
    static const char *const merges[] = {"ab", "a ", " a", "", "a  b", "a q\xc4\xa0", "a c"};
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++)
        v = bpe, v.merges[1] = merges[i], expect_broken(v, GRETA_ERR_FORMAT, "merge 1 ('");
    struct writer w = {0};
    struct greta_gguf *g = NULL;
    struct greta_tokenizer *t = NULL;
    w_header(&w, 3, 0, 0);
    CHECK(greta_gguf_open_memory(w.p, w.n, "none", NULL, &g) == GRETA_OK);
    CHECK(greta_tokenizer_create(g, NULL, &t) == GRETA_ERR_NOT_FOUND && !t);
    greta_gguf_close(&g);
    w_free(&w);
}

/*
 * Long runs of one letter, of spaces and of special tokens: a quadratic algorithm would not come back in a
 * test's time.
 */
static void test_long(void) {
    static const char *const units[] = {"a", "ab", " ", "<", "<s>", "\xf0\x9f\x98\x80", "[tool]", "1"};
    struct vocab vocabs[] = {vocab_spm(), vocab_bpe()};
    size_t len = 1 << 20;
    char *text = malloc(len);
    if (!text) abort();
    for (size_t i = 0; i < 2; i++) {
        struct greta_tokenizer *t = make_sound(&vocabs[i]);
        for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
            for (size_t j = 0; j < len; j++) text[j] = units[k][j % strlen(units[k])];
            uint32_t *ids = NULL;
            size_t n = 0, bytes = 0;
            CHECK(greta_tokenizer_encode(t, text, len, SPECIAL, &ids, &n) == GRETA_OK && n > 0);
            for (size_t j = 0; j < n; j++) bytes += greta_tokenizer_piece(t, ids[j], true).len;
            CHECK(bytes >= len); /* nothing is lost; SentencePiece adds spaces */
            free(ids);
        }
        greta_tokenizer_destroy(&t);
    }
    free(text);
}

int main(void) {
    test_spm();
    test_phi3();
    test_gemma2();
    test_bpe();
    test_pretokenizers();
    test_broken();
    test_long();
    return check_done();
}
