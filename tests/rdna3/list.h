/* Which kernels the rdna3 test compiles. */
#ifndef RDNA3_LIST_H
#define RDNA3_LIST_H

#include "rdna3.h"

#include "variant.h"

/* One kernel to compile, and what came of it. */
struct rdna3_job {
    const struct greta_variant *v;
    uint32_t keys[GRETA_OP_MAX_KEYS];
    struct rdna3_row row;
    bool good;
};

enum rdna3_sets {
    RDNA3_OWN, /* each row with its own constants */
    RDNA3_ALL, /* with every set that the tuner may give it */
    RDNA3_EDGE /* with those of them of which no constant has a larger value that the row admits, values of the type of queries */
};

struct rdna3_list {
    const struct greta_limits *limits;
    bool matrix; /* rows that ask for a matrix unit, or all others */
    enum rdna3_sets sets;
    const char *only_row; /* NULL: all */
    uint32_t w_types; /* bit mask of 1 << GRETA_TYPE_* of weights; of values there is what goes with them */
    struct rdna3_job *jobs;
    uint32_t n, capacity, n_refused;
    struct greta_variant *with_set;
};

/* Fills jobs, for rdna3_list_free: with sets of constants each kernel once, whichever rows have it. False: no memory. */
bool rdna3_list_make(struct rdna3_list *list);
void rdna3_list_free(struct rdna3_list *list);

#endif
