/* The roof of a device, from a run of the bench `roof`, kept in the cache folder. */
#ifndef BENCH_ROOF_H
#define BENCH_ROOF_H

#include "results.h"

/* False where none is kept. */
bool roof_load(const struct greta_dev_info *info, struct bench_roof *out);
/* Of each speed the larger one is kept, and comes back. False where there is no cache folder, or it cannot be written. */
bool roof_save(const struct greta_dev_info *info, struct bench_roof *roof);
/* From the results of `greta bench roof`. */
void roof_of(const struct results *r, struct bench_roof *out);

#endif
