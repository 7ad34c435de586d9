/* Two files of results beside each other: what became faster, slower, or is missing. */
#ifndef REPORT_COMPARE_H
#define REPORT_COMPARE_H

#include "results.h"

enum verdict { SAME, FASTER, SLOWER, MISSING, NEW, BROKEN, MENDED, NO_TIME, N_VERDICTS };
/* "same", "faster" ... */
const char *verdict_name(enum verdict v);

/* One key of either file. */
struct comparison {
    const char *key;  /* borrowed from the results */
    const char *what; /* "time", or the name of the count that changed most */
    double base, now; /* p50 in ns, or the count; 0 where there is none */
    double change;    /* now / base - 1 */
    enum verdict verdict;
};

/* A smaller part of a time is none that a measurement tells: samples that lie so near to one another end its warm-up. */
#define COMPARE_RESOLUTION 0.03
/* Nor is half a microsecond: where a kernel takes less than to record it, its time is the host's. */
#define COMPARE_LEAST_NS 500

struct comparisons {
    struct comparison *at;
    uint32_t n, n_of[N_VERDICTS];
    uint32_t n_regressions; /* SLOWER by more than fail_above, MISSING, BROKEN and NO_TIME */
    uint32_t n_times;
    double drift; /* the median change of these: of the machine rather than of a kernel, where it is large */
};

/*
 * Times differ where their ranges from p10 to p90 do not overlap, and by more than COMPARE_RESOLUTION and COMPARE_LEAST_NS: what overlaps is noise. Counts, of emulated devices, repeat,
 * and differ where they differ; where both have times, these count. What has a time or counts on one side only is NO_TIME. A result that was
 * OK and failed now is BROKEN. fail_above is a fraction: 0.05.
 */
GRETA_MUST_USE greta_status results_compare(const struct results *base, const struct results *now,
                                            double fail_above, struct comparisons *out);
void comparisons_free(struct comparisons *c);

#endif
