/* Computed by the compiler: constant data, so no start pays for it and no thread has to wait for it. */
#include "codebook_bytes.h"

#include "../codebook_entries.h"

#define TWO(x, i) ((uint64_t)(x) >> 2 * (i)&3)
#define THREE(x, i) ((uint32_t)(x) >> 3 * (i)&7)
#define EIGHT_OF(byte, x)                                                                     \
    (byte(TWO(x, 0)) | byte(TWO(x, 1)) << 8 | byte(TWO(x, 2)) << 16 | byte(TWO(x, 3)) << 24 | \
     byte(TWO(x, 4)) << 32 | byte(TWO(x, 5)) << 40 | byte(TWO(x, 6)) << 48 | byte(TWO(x, 7)) << 56)
#define FOUR_OF(byte, x) \
    (byte(THREE(x, 0)) | byte(THREE(x, 1)) << 8 | byte(THREE(x, 2)) << 16 | byte(THREE(x, 3)) << 24)

#define IQ2_BYTE(code) (8 + 17 * ((code)&1) + 35 * ((code) >> 1))
#define IQ1_BYTE(code) (8 * (code))
#define IQ3_XXS_BYTE(code) (4 + 8 * (code) + 2 * ((code) / 7))
#define IQ3_S_BYTE(code) (1 + 2 * (code))

#define IQ2(x) EIGHT_OF(IQ2_BYTE, x),
#define IQ1(x) EIGHT_OF(IQ1_BYTE, x),
#define IQ3_XXS(x) FOUR_OF(IQ3_XXS_BYTE, x),
#define IQ3_S(x) FOUR_OF(IQ3_S_BYTE, x),

const uint64_t cpu_iq2_xxs_bytes[256] = {CODEBOOK_IQ2_XXS_LIST(IQ2)};
const uint64_t cpu_iq2_xs_bytes[512] = {CODEBOOK_IQ2_XS_LIST(IQ2)};
const uint64_t cpu_iq2_s_bytes[1024] = {CODEBOOK_IQ2_S_LIST(IQ2)};
const uint64_t cpu_iq1_bytes[2048] = {CODEBOOK_IQ1_LIST(IQ1)};
const uint32_t cpu_iq3_xxs_bytes[256] = {CODEBOOK_IQ3_XXS_LIST(IQ3_XXS)};
const uint32_t cpu_iq3_s_bytes[512] = {CODEBOOK_IQ3_S_LIST(IQ3_S)};
