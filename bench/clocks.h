#ifndef BENCH_CLOCKS_H
#define BENCH_CLOCKS_H

#include <jansson.h>

/* Adds "clock_mhz", "memory_clock_mhz" and, where told, the largest of each; nothing where they cannot be read. pci: "0000:c1:00.0". */
void clocks_add(json_t *device, const char *pci);

#endif
