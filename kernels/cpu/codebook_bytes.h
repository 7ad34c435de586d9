/*
 * The codebooks' entries as the bytes that they stand for, the first in the lowest: eight of iq2 (8, 25, 43), eight of iq1 (0, 8,
 * 16: eight times the value, and 8 more), four of iq3. A vector of weights is a few loads from them.
 */
#ifndef KERNELS_CPU_CODEBOOK_BYTES_H
#define KERNELS_CPU_CODEBOOK_BYTES_H

#include <stdint.h>

extern const uint64_t cpu_iq2_xxs_bytes[256], cpu_iq2_xs_bytes[512], cpu_iq2_s_bytes[1024],
    cpu_iq1_bytes[2048];
extern const uint32_t cpu_iq3_xxs_bytes[256], cpu_iq3_s_bytes[512];

#endif
