/* In place of rows_hip.c where no code for AMD GPUs is built. */
#include "variant.h"

struct variant_rows variant_rows_hip(void) {
    return (struct variant_rows){NULL, 0};
}
struct variant_rows variant_rows_hip_mfma(void) {
    return (struct variant_rows){NULL, 0};
}
