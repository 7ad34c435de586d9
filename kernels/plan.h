/* Inside a plan: which rows it may take, and what it has chosen so far. */
#ifndef KERNELS_PLAN_H
#define KERNELS_PLAN_H

#include "variant.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PLAN_MAX_FORCED = 8, PLAN_N_CHOICES = 1024 /* a power of two */ };

/* All that a row's conditions and its grid may depend on; compared as words. */
struct plan_key {
    uint32_t op, layout, keys[GRETA_OP_MAX_KEYS], scalars[GRETA_OP_MAX_SCALARS];
    uint64_t alignment; /* four bits a binding: log2 of its offset's alignment, at most 8 */
};

/* A row's kernel, ready to be dispatched. n_groups 0: there is nothing to do. */
struct plan_dispatch {
    const struct greta_variant *variant;
    struct greta_kernel *kernel;
    uint32_t groups[3];
    uint64_t need_bytes[GRETA_OP_MAX_BINDINGS];
};

struct plan_choice {
    bool used;
    struct plan_key key;
    struct plan_dispatch dispatch;
};

struct plan_module {
    const struct greta_image *image;
    struct greta_module *module;
};

/* A row with constants of its own. */
struct plan_instance {
    struct plan_instance *next;
    const struct greta_variant *row;
    struct greta_variant variant;
    char name[160];
};

struct greta_plan {
    struct greta_dev *dev;
    const struct greta_log *log;
    const struct greta_limits *limits;
    enum greta_image_format format;
    enum greta_policy policy;
    /* Rows by name, in the order given; where an op has any, no other row serves it. */
    const struct greta_variant *forced[GRETA_N_OPS][PLAN_MAX_FORCED];
    uint32_t n_forced[GRETA_N_OPS];
    /* Those that may be chosen unnamed, op after op in the table's order: of an op from first_row[op] on, before first_row[op + 1]. */
    const struct greta_variant **rows;
    uint32_t first_row[GRETA_N_OPS + 1];
    atomic_uint
        layouts[GRETA_N_WEIGHT_TYPES]; /* of weights: 0 not asked yet, 1 none, else 2 + enum greta_layout */
    bool (*tuned)(void *user, const struct greta_call *call, char *row, size_t size); /* greta_plan_params */
    void *tuned_user;

    pthread_mutex_t lock; /* of what follows */
    uint32_t n_modules, capacity_modules;
    struct plan_module *modules;
    struct plan_instance *instances;
    struct plan_choice *choices; /* one per slot: a later shape takes the slot of an earlier one */
};

/* instance.c: the row with the constants of ":rows=4:steps=2"; ERR_INVALID where a name or a value is none of its own. */
GRETA_MUST_USE greta_status plan_instance_read(struct greta_plan *plan, const struct greta_variant *row,
                                               const char *text, size_t len,
                                               const struct greta_variant **out);
void plan_instances_free(struct greta_plan *plan);

/* force.c */

/* A row of the plan's device by name, with constants where it has some; NULL where there is none. */
const struct greta_variant *plan_find_row(struct greta_plan *plan, enum greta_op op, const char *text,
                                          size_t len);
/* Reads "op=row,op=row" into the plan; one op may be named several times. */
GRETA_MUST_USE greta_status plan_force(struct greta_plan *plan, const char *text, const char *source);

/* choose.c */

/* The i-th row that may serve an op: forced ones, else those of the device's image format. NULL past the last. */
const struct greta_variant *plan_candidate(const struct greta_plan *plan, enum greta_op op, uint32_t i);
/* greta_variant_refusal, and the plan's own conditions. */
const char *plan_refusal(const struct greta_plan *plan, const struct greta_variant *variant,
                         const struct greta_call *call);
/* The first candidate that admits the call, or NULL: nothing is said. */
const struct greta_variant *plan_first(const struct greta_plan *plan, const struct greta_call *call);

#endif
