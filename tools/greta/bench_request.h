/* What greta bench was asked for, and what is kept of it: bench.c asks and runs, bench_save.c keeps, bench_unused.c reads options. */
#ifndef GRETA_BENCH_REQUEST_H
#define GRETA_BENCH_REQUEST_H

#include "app.h"
#include "bench.h"
#include "bench_llm.h"

/* What is taken where nothing is given. */
#define BENCH_PROMPTS "512"
#define BENCH_DEPTHS "0"
enum { BENCH_DECODE = 128, BENCH_REPEATS = 5, BENCH_SEED = 1 };

enum { BENCH_MAX_NAMES = 32 };

struct bench_request {
    struct bench_llm llm;
    struct bench_params params;
    const char *prompts, *depths; /* as they were given */
    const char *names[BENCH_MAX_NAMES], *filter, *out;
    const struct bench *benches[BENCH_MAX_NAMES]; /* of the names; NULL: llm or load */
    struct bench of_row[BENCH_MAX_NAMES];         /* what those point to that no table has */
    int n_names, preset;                          /* -1: none named */
    bool json, csv, quiet, cold;
    char path[1024]; /* of the results, once they are saved */
};

/* ---- bench_save.c ---- */

/* Before hours are spent on what cannot be saved. */
bool bench_make_folder(const struct bench_request *q);
/*
 * Writes the results into the folder asked for, if one was, again and again into the same file: whatever ends a run, what was measured
 * is there. Nothing where there are none yet.
 */
bool bench_save(struct bench_request *q, struct app *app, const struct results *results);
/* "saved as ...", where it was. */
bool bench_tell_saved(const struct bench_request *q);
/* --json and --csv. */
bool bench_print(const struct bench_request *q, const struct results *r);
/* The last line. stopped: what ended it early; NULL: nothing did. */
bool bench_tell_status(const struct results *r, const char *stopped);

/* ---- bench_unused.c ---- */

/* What was given and has no effect is said, a line for each bench. */
void bench_tell_unused(const struct bench_request *q);

#endif
