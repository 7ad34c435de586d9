/* What the files of `greta tune` share. */
#ifndef GRETA_TUNE_COMMAND_H
#define GRETA_TUNE_COMMAND_H

#include "app.h"

#include <greta/search.h>

struct tune_request {
    struct common common;
    const char *op, *shape, *prompts, *database, *export, *import, *dir;
    bool list, check, images, again, more_rounding;
    float budget;
    uint64_t seed;
};

/* Calls with different keys, each to be tuned once. */
struct tune_job {
    struct greta_search_call call;
    double share; /* of the budget */
    uint32_t n_tok;
    bool left; /* there was no time for more than the default */
};
struct tune_jobs {
    struct tune_job *at;
    uint32_t n, capacity;
    bool failed;
};

/* ---- tune_calls.c ---- */

/* Every call that sessions of the model make: decode in each bucket of the context, prefill in each bucket of tokens. */
bool tune_calls_of_model(struct app *app, const struct tune_request *q, struct tune_jobs *out);
/* One call, from --op and --shape. False after a line that says why. */
bool tune_call_of_shape(struct app *app, const struct tune_request *q, struct tune_jobs *out);
/* Asks the lookups about every call of a prompt of n tokens, or of decode where n is 1. */
void tune_ask(struct app *app, uint32_t n, struct greta_tune_lookups *lookups);

/* ---- tune_images.c ---- */

/* Lists every piece of device code: name, hash, bytes, rows; writes them to q->dir where that is given. */
bool tune_images(const struct tune_request *q);

#endif
