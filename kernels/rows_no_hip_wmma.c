/* In place of rows_hip_wmma.c where no code for gfx11 is built. */
#include "variant.h"

struct variant_rows variant_rows_hip_wmma(void) {
    return (struct variant_rows){NULL, 0};
}
