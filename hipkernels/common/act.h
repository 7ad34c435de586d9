/* The activations of act_mul and matvec_glu. */
#ifndef HIPKERNELS_COMMON_ACT_H
#define HIPKERNELS_COMMON_ACT_H

#include "device.h"

template <u32 ACT> GRETA_DEVICE float act_of(float g) {
    if (ACT == GRETA_ACT_SILU) return g / (1 + exp_fast(-g));
    /* 0.5 (1 + tanh(u)) = 1 / (1 + e^-2u) */
    float u = 0x1.988454p-1f * (g + 0.044715f * g * g * g);
    return g / (1 + exp_fast(-2 * u));
}

#endif
