/*
 * Inside tune/: which of several rows is fastest, by times that are not to be trusted. It knows nothing of devices: a source gives the
 * times, which in tests is a simulation.
 */
#ifndef TUNE_RACE_H
#define TUNE_RACE_H

#include <greta/rt.h>

enum { RACE_HEAT = 16, RACE_FINAL = 64, RACE_FINALISTS = 10, RACE_TOO_SLOW = 8 /* times the hold's */ };

/* Differences below this part are none, however little the samples scatter. */
static const double race_least = 0.01;

struct racer {
    uint32_t order; /* the earlier one of several that are equally fast is taken */
    bool out;       /* set by the source where its row cannot be run; slow: left out for its time alone */
    bool slow, finalist, leaving; /* leaving: surely slower, not measured any more */
    uint32_t n_heat, n_final;
    double heat[RACE_HEAT],
        final[RACE_FINAL]; /* logarithms: of the time over the hold's beside it; of the lesser of two */
    double ns, spread;     /* median; (p90 - p10) / p50 */
    double cost_ns;        /* of the budget, by its last sample */
};

struct race {
    void *user;
    /* One sample of racer i. It sets `out` of a row that fails; an error ends the race. */
    greta_status (*sample)(void *user, uint32_t i, double *ns);
    /* Of the budget; 0 or less: there is no time for more than what a choice needs. */
    double (*left_ns)(void *user);
    double final_ns; /* of it that is to be left for the final */
    struct racer *at;
    uint32_t n, hold; /* hold: stays unless another is faster beyond the noise */

    double scatter; /* of single times in the heats */
    uint32_t n_finalists, finalists[RACE_FINALISTS + 2], n_blocks;
};

/* What is clearly slower is left out; *n racers may go on to the final: the hold, the row by default, then the fastest, at most RACE_FINALISTS + 2. */
greta_status race_heats(struct race *r, uint32_t *left, uint32_t *n);

/* Of those in `left` that are not out. */
greta_status race_final(struct race *r, const uint32_t *left, uint32_t n);

struct race_verdict {
    uint32_t chosen;
    double
        noise; /* no row that was tried is faster than the chosen one by more than this part; its gain is as sure */
};
/* By what the final has seen, among those that are not out now. ERR_NOT_FOUND: none is. */
greta_status race_choose(struct race *r, struct race_verdict *out);

#endif
