/*
 * The search for the fastest row of a call: every row of the table that the device admits, with every set of its constants, is
 * checked against the reference, then measured beside the others.
 */
#ifndef GRETA_SEARCH_H
#define GRETA_SEARCH_H

#include <greta/tune.h>

#ifdef __cplusplus
extern "C" {
#endif

struct greta_search_params {
    enum greta_policy policy;
    bool more_rounding; /* rows that round their operands more than the row by default may be chosen */
    uint64_t seed;      /* of the data; 0: 1 */
    /* Told how much of a call's budget is used; false ends the search with what is known. May be NULL. */
    bool (*progress)(void *user, double part);
    void *user;
};

/* A call as the model makes it, without buffers; where ops read a step block, that. */
struct greta_search_call {
    struct greta_call call;
    uint32_t step[4];
    const char *
        held; /* the row of an earlier search: it stays unless another beats it beyond the noise; NULL: the default's */
};

struct greta_search_result {
    struct greta_tune_entry
        entry; /* its key, the choice and its times; row "": none gave a right result; no times where there is one alone */
    struct greta_tune_try *tries; /* all that were tried; greta_search_result_free */
    uint32_t n_tries;
    char default_row[GRETA_TUNE_TEXT];
    uint32_t n_candidates; /* rows and sets of constants that the device admits */
    uint32_t n_wrong;      /* of those tried: their result failed the check, or they failed to run */
    uint32_t n_rounding;   /* left out: they round more than the default */
    double
        noise; /* no row that was tried is faster than the chosen one by more than this part of the time; nor is its gain less sure */
    bool complete; /* all candidates were tried within the budget */
};
GRETA_API void greta_search_result_free(struct greta_search_result *result);

struct greta_search;
/* ERR_UNSUPPORTED, logged, on an emulated device: it has no times. */
GRETA_API GRETA_MUST_USE greta_status greta_search_create(struct greta_dev *dev,
                                                          const struct greta_search_params *params,
                                                          struct greta_search **out);
GRETA_API void greta_search_destroy(struct greta_search **search);
/* Rows and sets of constants that serve the call here; 1 or 0: there is nothing to choose. */
GRETA_API uint32_t greta_search_count(struct greta_search *search, const struct greta_call *call);
/*
 * Takes about budget_s, at least what the row by default and one round need. The row by default, or `held`, is kept unless another is faster by
 * more than the noise. Fails where the device does, with what fn's row failed where that is one row's fault alone noted in the tries.
 */
GRETA_API GRETA_MUST_USE greta_status greta_search_run(struct greta_search *search,
                                                       const struct greta_search_call *call, double budget_s,
                                                       struct greta_search_result *out);

#ifdef __cplusplus
}
#endif
#endif
