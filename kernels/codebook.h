/*
 * The types whose weights come out of codebooks (IQ1_S .. IQ3_S) or are ternary (TQ1_0, TQ2_0): they are decoded by the cpu
 * only, and stand for F16 on other devices. The formats of the blocks are GGUF's.
 */
#ifndef KERNELS_CODEBOOK_H
#define KERNELS_CODEBOOK_H

#include "weight_types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Entries of the codebooks. Eight values of two bits: 0, 1, 2 stand for 8, 25, 43 (iq2), for -1, 0, 1 (iq1). Four values of
 * three bits: 4, 12, 20, 28, 36, 44, 52, 62 (iq3_xxs), 1, 3, 5 .. 15 (iq3_s).
 */
extern const uint16_t codebook_iq2_xxs[256], codebook_iq2_xs[512], codebook_iq2_s[1024],
    codebook_iq3_xxs[256], codebook_iq3_s[512], codebook_iq1[2048];

/* Bytes of a block of 256, 0 of any other type; whether `type` is one of them. */
static inline size_t codebook_block_bytes(uint32_t type) {
    switch (type) {
#define CODEBOOK_CASE(X, name, ggml, elements, bytes) \
    case GRETA_TYPE_##name: return bytes;
        GRETA_WEIGHT_CODEBOOK_LIST(CODEBOOK_CASE, -)
#undef CODEBOOK_CASE
    default: return 0;
    }
}
static inline bool codebook_has(uint32_t type) {
    return codebook_block_bytes(type) != 0;
}

/* Elements [32 i_unit, 32 i_unit + 32) of a row. */
void codebook_unit_f32(uint32_t type, const uint8_t *row, size_t i_unit, float out[32]);

#endif
