/* greta bench llm. */
#ifndef GRETA_BENCH_LLM_H
#define GRETA_BENCH_LLM_H

#include "app.h"
#include "results.h"

enum { BENCH_LLM_MAX_SIZES = 16, BENCH_LLM_MAX_REPEATS = 100 };

struct bench_sizes {
    uint32_t at[BENCH_LLM_MAX_SIZES];
    int n;
};
/* "512,2048". False where it is none. */
bool bench_sizes_read(const char *text, struct bench_sizes *out);

struct bench_llm {
    struct common common;
    struct bench_sizes prompt, depth; /* lengths; 0: none of it */
    uint32_t n_decode, n_repeats;
    bool json;
    struct results *results; /* that each test is added to; NULL: none */
    uint32_t *tokens;        /* inside */
    bool first;
};
/* Opens the model and measures; lines to standard output. False after an error, which is said. */
bool bench_llm(struct bench_llm *b, struct app *app);

#endif
