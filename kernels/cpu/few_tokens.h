#ifndef KERNELS_CPU_FEW_TOKENS_H
#define KERNELS_CPU_FEW_TOKENS_H

#include "cpu.h"

/* A matmul as a matvec of each token, whose activations take x_bytes: decoding a panel costs as much as several tokens do row by row. */
static inline void few_tokens(const struct greta_host_group *g, const struct cpu_args_matmul *a,
                              size_t x_bytes, greta_host_fn *matvec) {
    for (size_t t = 0; t < a->n_tok; t++) {
        struct cpu_args_matvec one = {.w = a->w,
                                      .x = (const uint8_t *)a->x + t * x_bytes,
                                      .y = (float *)a->y + t * a->n_rows,
                                      .n_rows = a->n_rows,
                                      .n_cols = a->n_cols};
        matvec(g, &one);
    }
}

#endif
