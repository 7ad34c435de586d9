/* What the contracts demand of a call's shape. */
#ifndef KERNELS_SHAPE_H
#define KERNELS_SHAPE_H

#include <greta/kernels.h>

/* NULL where the scalars and keys are in the contract's range, else what is wrong, in words. */
const char *shape_fault(const struct greta_call *call);

#endif
