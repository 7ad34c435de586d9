/*
 * The rows of the HIP backend: hipkernels/<op>.hip with their constants, conditions and grids. In order of preference within each
 * op. A kernel is there for the constants that hipkernels/instances.h lists and for no others.
 */
#include "rows_hip.h"

#include <greta/layout.h>

#include "../hipkernels/instances.h"
#include "hip_images.h"

#include <string.h>

static const struct hip_instance instances[] = {GRETA_HIP_INSTANCES(HIP_INSTANCE)};

const char *hip_find_instance(const struct hip_instance *list, uint32_t n_list, const struct greta_variant *v,
                              const struct greta_call *call) {
    uint32_t wanted[1 + GRETA_OP_MAX_KEYS + VARIANT_MAX_TUNABLES] = {v->n_threads};
    uint32_t n_keys = greta_op_get_info(call->op)->n_keys, n = 1;
    for (uint32_t i = 0; i < n_keys; i++) wanted[n++] = call->keys[i];
    for (uint32_t i = 0; i < v->n_tunables; i++) wanted[n++] = v->tunables[i];
    for (uint32_t i = 0; i < n_list; i++)
        if (list[i].n == n && !memcmp(list[i].constants, wanted, n * sizeof *wanted) &&
            !strcmp(list[i].entry, v->entry))
            return NULL;
    return "no kernel was built for these keys";
}

bool hip_is_aligned(const struct greta_call *call, unsigned i_binding, uint64_t alignment) {
    const struct greta_binding *b = &call->bindings[i_binding];
    return !b->buf || b->offset_bytes % alignment == 0;
}

static uint64_t div_up(uint64_t n, uint64_t d) {
    return (n + d - 1) / d;
}

/* ---- conditions ---- */

static const char *built(const struct greta_variant *v, const struct greta_limits *limits,
                         const struct greta_call *call) {
    (void)limits;
    return hip_find_instance(instances, sizeof instances / sizeof *instances, v, call);
}

/* ---- grids ---- */

#define GROUPS(name, count)                                                                \
    static uint64_t name(const struct greta_variant *v, const struct greta_limits *limits, \
                         const struct greta_call *call) {                                  \
        const union greta_scalars *s = &call->scalars;                                     \
        (void)v, (void)limits;                                                             \
        return count;                                                                      \
    }
GROUPS(add_groups, div_up(s->add.n, v->n_threads))
GROUPS(fill_groups, div_up(s->fill.n, v->n_threads))
GROUPS(copy_groups, div_up(s->copy.n, v->n_threads))
GROUPS(cast_groups, div_up(s->cast.n, v->n_threads))

/* ---- the table ---- */

#define ROW(op_, name_, source_, threads_, groups_)                                                               \
    {                                                                                                             \
        HIP_ROW(op_, #name_, source_, name_, threads_, groups_), .flags = VARIANT_EXACT, .refusal = built         \
    }

static const struct greta_variant rows[] = {
    ROW(ADD, add_simple, add, 256, add_groups),
    ROW(FILL, fill_simple, fill, 256, fill_groups),
    ROW(COPY, copy_simple, copy, 256, copy_groups),
    ROW(CAST, cast_simple, cast, 256, cast_groups),
};

struct variant_rows variant_rows_hip(void) {
    return (struct variant_rows){rows, sizeof rows / sizeof *rows};
}
