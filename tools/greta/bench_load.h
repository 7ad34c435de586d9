/* greta bench load. */
#ifndef GRETA_BENCH_LOAD_H
#define GRETA_BENCH_LOAD_H

#include "app.h"
#include "results.h"

enum { BENCH_LOAD_MAX_REPEATS = 100 };

struct bench_load {
    struct common common;
    uint32_t n_repeats;
    bool cold, quiet;
    struct results *results; /* that each line is added to; NULL: none */
};
/* Measures on the open device; lines to standard output. False after an error, which is said. */
bool bench_load(struct bench_load *b, struct app *app);

#endif
