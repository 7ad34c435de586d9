/* Every entry of a codebook as a number; see codebook_entries.h. */
#include "codebook.h"
#include "codebook_entries.h"

#define NUMBER(x) x,

const uint16_t codebook_iq2_xxs[256] = {CODEBOOK_IQ2_XXS_LIST(NUMBER)};
const uint16_t codebook_iq2_xs[512] = {CODEBOOK_IQ2_XS_LIST(NUMBER)};
const uint16_t codebook_iq2_s[1024] = {CODEBOOK_IQ2_S_LIST(NUMBER)};
const uint16_t codebook_iq3_xxs[256] = {CODEBOOK_IQ3_XXS_LIST(NUMBER)};
const uint16_t codebook_iq3_s[512] = {CODEBOOK_IQ3_S_LIST(NUMBER)};
const uint16_t codebook_iq1[2048] = {CODEBOOK_IQ1_LIST(NUMBER)};
