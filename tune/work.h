/* Inside tune/: one call made ready to be run by any row. */
#ifndef TUNE_WORK_H
#define TUNE_WORK_H

#include <greta/search.h>

#include "verify.h"

#include "thread.h"

/* Data on the host and the device; what is read, several times over, so that no cache holds it from call to call. */
struct work {
    struct greta_dev *dev;
    struct greta_plan *plan;
    struct greta_stream *stream;
    struct thread_pool *pool; /* for packing weights */
    const struct greta_op_info *info;
    struct kc_case c;
    struct kc_data data;
    struct kc_judge *judge;
    struct greta_buf *bufs[GRETA_OP_MAX_BINDINGS];
    uint64_t sizes[GRETA_OP_MAX_BINDINGS]; /* of one copy, rounded up */
    uint8_t *read[GRETA_OP_MAX_BINDINGS];  /* room for what is written */
    uint32_t n_copies;
};

GRETA_MUST_USE greta_status work_make(struct work *w, const struct greta_search_call *call, uint64_t seed);
void work_free(struct work *w);
/* The call with its buffers: copy number i of what is read. */
void work_bind(const struct work *w, uint32_t i, struct greta_call *call);
/* One run on fresh data and its judgement: the largest error, in bounds. n_tok as work_few gives it, or 0: the whole call. */
GRETA_MUST_USE greta_status work_check(struct work *w, const struct greta_variant *row, uint32_t n_tok,
                                       double *worst);
/* Tokens with which a large matmul is checked first: several tiles of each size, and an edge. 0: the call is small. */
uint32_t work_few(const struct work *w);

/* The call by a row, as greta_measure_fn has it. `n_tok`: fewer tokens than the call has; 0: all. */
struct work_run {
    struct work *work;
    const struct greta_variant *row;
    uint32_t n_tok;
};
greta_status work_record(void *user, struct greta_stream *stream, uint32_t i);

#endif
