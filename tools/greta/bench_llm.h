/* greta bench llm. */
#ifndef GRETA_BENCH_LLM_H
#define GRETA_BENCH_LLM_H

#include "app.h"
#include "bench.h"
#include "bench_trace.h"

#include <signal.h>

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
    bool quiet;              /* no lines, the results are printed by others */
    struct results *results; /* that each test is added to */
    /* In place of times, of one run: an emulated device's counts, or the commands that went to the device (--check). */
    bool counts_device, counts_commands;
    struct bench_trace trace;
    volatile sig_atomic_t *interrupted; /* set: no further run is begun */
    double budget_s;                    /* of one test: fewer runs, or none */
    uint64_t max_warm_ns;               /* warm-up goes on until runs are stable, for at most so long */
    /* Inside: */
    struct greta_event *from, *to; /* around a run; NULL: the device has no clock, or no times are taken */
    uint32_t *tokens;
};
/* Opens the model and measures; lines to standard output. False after an error, which is said. */
bool bench_llm(struct bench_llm *b, struct app *app);

#endif
