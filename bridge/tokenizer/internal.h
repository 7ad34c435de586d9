/* What the tokenizer's files share. */
#ifndef BRIDGE_TOKENIZER_INTERNAL_H
#define BRIDGE_TOKENIZER_INTERNAL_H

#include <greta/tokenizer.h>

#include <arena.h>

#define TOKEN_NONE UINT32_MAX

/* The file's token types (tokenizer.ggml.token_type). */
enum token_type {
    TOKEN_UNDEFINED,
    TOKEN_NORMAL,
    TOKEN_UNKNOWN,
    TOKEN_CONTROL,
    TOKEN_USER_DEFINED,
    TOKEN_UNUSED,
    TOKEN_BYTE
};

struct token {
    struct greta_gguf_string text;  /* as the file has it */
    struct greta_gguf_string piece; /* the bytes it stands for */
    float score;
    unsigned char type;
    bool stop;
    bool strips; /* a mark that takes the white space behind it along */
};

/*
 * Whether a token is a mark rather than text: it stands for its text as it is, and is looked for as a
 * whole.
 */
static inline bool token_is_special(const struct token *t) {
    return t->type == TOKEN_CONTROL || t->type == TOKEN_UNKNOWN || t->type == TOKEN_USER_DEFINED;
}

/* Token ids by text. */
struct text_table {
    uint32_t *slots; /* TOKEN_NONE: empty */
    size_t mask;
    uint64_t seed; /* keeps a file from aiming for collisions */
};

/* What two neighbouring tokens become, of a byte-level BPE. */
struct merge {
    uint32_t left, right; /* left TOKEN_NONE: an empty slot */
    uint32_t rank, result;
};

struct merge_table {
    struct merge *slots;
    size_t mask;
};

/* A character of the text: one code point, or one byte that is no UTF-8. */
struct character {
    uint32_t offset;
    int32_t code; /* -1: an invalid byte */
    unsigned char class;
};

enum { CLASS_LETTER = 1, CLASS_NUMBER = 2, CLASS_SPACE = 4, CLASS_PUNCTUATION = 8 };

/* Where the piece that begins at `pos` ends: pos < result <= end. Nothing outside [pos, end) is looked at. */
typedef size_t pre_stage(const struct character *c, size_t pos, size_t end);

struct pretokenizer {
    const char *names[4]; /* tokenizer.ggml.pre */
    pre_stage *stages[5]; /* each splits what the one before it left; NULL ends them */
    bool add_bos;         /* where the file does not say */
    bool whole_words;     /* a word that is a token is taken whole, whatever the merges say */
};

struct greta_tokenizer {
    struct arena arena;
    struct greta_log log;
    bool spm; /* else byte-level BPE */
    bool add_bos, add_eos, add_space_prefix;
    uint32_t bos, eos, unk; /* TOKEN_NONE: none */
    struct token *tokens;
    uint32_t n_tokens;
    size_t longest_text;
    struct text_table by_text;
    uint32_t byte_tokens[256]; /* TOKEN_NONE where a byte has none */
    struct merge_table merges;
    const struct pretokenizer *pre;
    /*
     * What is recognized in a text: control, unknown and user-defined tokens, in byte order of their texts.
     */
    const struct token **specials;
    size_t n_specials;
    bool special_first[256]; /* the first bytes of these */
};

struct id_list {
    uint32_t *ids;
    size_t n, room;
};
bool id_push(struct id_list *list, uint32_t id);

/* Reading the file (vocab.c, merges.c). Errors are logged with the file's name. */
greta_status vocab_read(struct greta_tokenizer *t, const struct greta_gguf *gguf);
greta_status merges_read(struct greta_tokenizer *t, const struct greta_gguf *gguf);
GRETA_PRINTF(3, 4)
greta_status vocab_broken(const struct greta_tokenizer *t, const struct greta_gguf *gguf, const char *format,
                          ...);
greta_status vocab_no_memory(const struct greta_tokenizer *t, const struct greta_gguf *gguf);

/* table.c. The id of a text, TOKEN_NONE where there is none; of several, the last. */
greta_status table_build(struct greta_tokenizer *t);
uint32_t vocab_find(const struct greta_tokenizer *t, const char *text, size_t len);
uint64_t hash_bytes(uint64_t seed, const void *data, size_t len);
/* A power of two of at least twice n. */
size_t table_size(size_t n);

/* utf8.c. The length of the character at s (1 for an invalid byte), its code point or -1. */
size_t utf8_next(const char *s, size_t len, int32_t *code);
unsigned char unicode_class(int32_t code);
/*
 * Byte-level BPE writes each byte as a printable character. Returns its code point; -1 where a code stands
 * for none.
 */
unsigned bpe_char_of_byte(unsigned char byte);
int bpe_byte_of_char(int32_t code);
size_t utf8_put(char *out, unsigned code); /* code < 0x800 */

/* pretokenize.c. NULL: a pre-tokenizer that we do not know. */
const struct pretokenizer *pretokenizer_find(const char *name, size_t len);

/*
 * Merging neighbours, the best pair first (merge.c). `find` says what two neighbours become and how urgent
 * it is (lower first; equal: leftmost first); false: they stay apart.
 */
struct symbol {
    uint32_t offset, len; /* in the text; len 0: merged into its left neighbour */
    uint32_t token;       /* or TOKEN_NONE */
    uint32_t prev, next;
};
struct merger {
    struct symbol *symbols;
    uint32_t n_symbols;
    size_t symbols_room;
    struct candidate *heap;
    size_t n_heap, heap_room;
};
typedef bool merge_find_fn(const struct greta_tokenizer *t, const char *text, const struct symbol *left,
                           const struct symbol *right, double *priority, uint32_t *token);
bool merger_add(struct merger *m, uint32_t offset, uint32_t len, uint32_t token);
bool merger_run(struct merger *m, const struct greta_tokenizer *t, const char *text, merge_find_fn *find);
void merger_free(struct merger *m);

/* One run of text without special tokens. ERR_NO_MEMORY or OK; the text is under 1 GiB. */
greta_status spm_encode(const struct greta_tokenizer *t, const char *text, size_t len, bool space_prefix,
                        struct id_list *out);
greta_status bpe_encode(const struct greta_tokenizer *t, const char *text, size_t len, struct id_list *out);

/* The text cut at its special tokens (special.c). id TOKEN_NONE: plain text. */
struct span {
    uint32_t offset, len, id;
};
struct span_list {
    struct span *spans;
    size_t n, room;
};
greta_status special_index(struct greta_tokenizer *t);
greta_status special_split(const struct greta_tokenizer *t, const char *text, size_t len, bool control,
                           struct span_list *out);

#endif
