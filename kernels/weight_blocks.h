/* The decoding of weights (greta/weight_formats.h) in C: its words, on a little-endian machine. */
#ifndef KERNELS_WEIGHT_BLOCKS_H
#define KERNELS_WEIGHT_BLOCKS_H

#include "half.h"

#define GRETA_WEIGHT_BLOCKS
#define GRETA_WEIGHT_FN static inline __attribute__((always_inline))
#define GRETA_U32 uint32_t
typedef struct {
    uint32_t x, y, z, w;
} weight_words;
#define GRETA_U32X4 weight_words
#define GRETA_F32(x) ((float)(x))
#define GRETA_FROM_BITS(w) half_f32_from_bits(w)
#define GRETA_F16(w) half_f16_to_f32((uint16_t)(w))
#define GRETA_F16_HIGH(w) half_f16_to_f32((uint16_t)((w) >> 16))
#define GRETA_SIGNED(w, i) ((float)(int8_t)((w) >> 8 * (i)))

#include <greta/weight_formats.h>

/* Unsigned codes become what they stand for, plus BIAS: 0 .. 255. */
static inline __attribute__((always_inline)) void weight_values(uint32_t format, uint8_t q[32]) {
    const uint32_t words[4] = {GRETA_VALUES_WORD(format, 0), GRETA_VALUES_WORD(format, 1),
                               GRETA_VALUES_WORD(format, 2), GRETA_VALUES_WORD(format, 3)};
    uint8_t values[16];
    memcpy(values, words, sizeof values);
    for (int i = 0; i < 32 && GRETA_FORMAT_VALUES(format) != GRETA_VALUES_NONE; i++) q[i] = values[q[i]];
}

#endif
