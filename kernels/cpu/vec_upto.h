#ifndef KERNELS_CPU_VEC_UPTO_H
#define KERNELS_CPU_VEC_UPTO_H

#include "simd.h"

/* Lanes [i, n) of a loop step: whole vectors but for the last. */
SIMD_INLINE vf load_upto(const float *p, size_t i, size_t n) {
    return n - i >= VF_LANES ? vf_load(p + i) : vf_load_n(p + i, n - i);
}
SIMD_INLINE void store_upto(float *p, size_t i, size_t n, vf v) {
    if (n - i >= VF_LANES)
        vf_store(p + i, v);
    else
        vf_store_n(p + i, v, n - i);
}

#endif
