/* Blocks of the quantized types between the order of a GGUF file and the records of the PACKED layout
 * (layout.h). */
#ifndef KERNELS_QUANT_H
#define KERNELS_QUANT_H

#include <stdint.h>

/* `n` blocks at `blocks` -> their records; records[p] is where plane p's first record of the run lies. */
typedef void quant_pack_fn(const uint8_t *blocks, uint64_t n, uint8_t *const records[4]);

/* NULL for a type that is not quantized, or has no PACKED layout. */
quant_pack_fn *quant_pack_get(uint32_t type);

/* The way back. */
void quant_unpack(uint32_t type, uint8_t *blocks, uint64_t n, const uint8_t *const records[4]);

#endif
