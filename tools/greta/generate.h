/* The loop that run and chat share: choose a token, write its text, evaluate it. */
#ifndef GRETA_GENERATE_H
#define GRETA_GENERATE_H

#include "app.h"

#define SAMPLING_OPTIONS(p, seeded)                                                                          \
    {"temp", 0, OPTION_F32, &(p).temperature, "T", "0: always the most likely token; default 0.8", 0, 1e6},  \
        {"top-k", 0,      OPTION_U32, &(p).top_k, "K", "choose among the K most likely; 0: all; default 40", \
         0,       1 << 24},                                                                                  \
        {"top-p", 0, OPTION_F32, &(p).top_p, "P", "choose among those that reach P together; default 0.95",  \
         0,       1},                                                                                        \
        {"min-p",    0,   OPTION_F32,                                                                        \
         &(p).min_p, "P", "choose among those at least P times the best; default 0.05",                      \
         0,          1},                                                                                     \
        {"repeat-penalty",                                                                                   \
         0,                                                                                                  \
         OPTION_F32,                                                                                         \
         &(p).repeat_penalty,                                                                                \
         "R",                                                                                                \
         "make recent tokens less likely; 1: off; default 1",                                                \
         0,                                                                                                  \
         1e6},                                                                                               \
    {                                                                                                        \
        "seed", 0, OPTION_U64, &(p).seed, "S",                                                               \
            "the same seed gives the same text; else a new one each time", 0, 0, &(seeded)                   \
    }

/* The defaults that the help texts name. */
#define SAMPLING_DEFAULTS \
    { .temperature = 0.8f, .top_k = 40, .top_p = 0.95f, .min_p = 0.05f, .repeat_penalty = 1 }

enum end { END_STOP, END_COUNT, END_CONTEXT, END_INTERRUPTED, END_OUTPUT, END_ERROR };

struct generation {
    struct greta_session *session;
    const struct greta_tokenizer *tokenizer;
    struct greta_sampler *sampler;
    struct prof *prof;         /* may be NULL */
    uint32_t n_most;           /* tokens; 0: until the model stops */
    bool (*interrupted)(void); /* NULL: never */
    bool at_start;             /* the text begins the output: drop SentencePiece's space */
    uint32_t *tokens;          /* what was chosen, the stop token included; room for n_ctx. May be NULL */
    uint32_t n_tokens;
    char *text; /* all that was written, malloc'ed and zero-terminated, where keep_text */
    size_t text_len;
    bool keep_text;
    uint32_t n_kept;                   /* tokens of the prompt that the session held already */
    bool terminal;                     /* that is where the text goes: without control characters */
    uint64_t first_ns;                 /* clock at the first text */
    struct greta_session_stats before; /* as they were before the prompt: print_stats tells what came since */
};

/*
 * From a session that has evaluated the prompt, wanting greta_sampler_want. All tokens but the last chosen
 * are in it after.
 */
enum end generate(struct generation *g);

/* A seed where none was given. */
uint64_t new_seed(void);
void print_stats(const struct app *app, const struct generation *g, uint64_t seed);

#endif
