/* The types of weights (greta/weights.h), as C names them. */
#ifndef KERNELS_WEIGHT_TYPES_H
#define KERNELS_WEIGHT_TYPES_H

#include <greta/op_args.h>

/* As rows name what they read. */
#define WEIGHT_BIT(X, name, ggml, elements, bytes) | 1u << GRETA_TYPE_##name
enum {
    WEIGHT_FLOATS = 0 GRETA_WEIGHT_FLOAT_LIST(WEIGHT_BIT, -),
    WEIGHT_INTEGERS = 0 GRETA_WEIGHT_INTEGER_LIST(WEIGHT_BIT, -),
    WEIGHT_QUANTS = 0 GRETA_WEIGHT_QUANT_LIST(WEIGHT_BIT, -),
    WEIGHT_PACKED = WEIGHT_FLOATS | WEIGHT_QUANTS,
    WEIGHT_CODEBOOKS = 0 GRETA_WEIGHT_CODEBOOK_LIST(WEIGHT_BIT, -)
};

/* Q4_0_BYTES: of a block. */
#define WEIGHT_BYTES(X, name, ggml, elements, bytes) name##_BYTES = bytes,
enum { GRETA_WEIGHT_LIST(WEIGHT_BYTES, -) };

#endif
