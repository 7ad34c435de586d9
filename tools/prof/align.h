/* The device's clock on the host's: ticks that wrap, and a line through pairs of both clocks. */
#ifndef PROF_ALIGN_H
#define PROF_ALIGN_H

#include <stdbool.h>
#include <stdint.h>

struct align {
    double period_ns;       /* of a tick, as the device says */
    uint32_t bits;          /* the ticks wrap after 2^bits */
    uint64_t first, ticks;  /* of the first pair and of the last, counted on through wraps */
    double first_ns, at_ns; /* the host's time of both */
    double rate;            /* host time for device time: 1 and some millionths */
    double uncertainty_ns;  /* of the last pair: half of the time in which it was taken */
    uint32_t n_pairs;
};

void align_init(struct align *a, double period_ns, uint32_t bits);
/* A pair of both clocks. Gives by how much the line moved at this point; 0 for the first. */
double align_add(struct align *a, uint64_t raw_ticks, double host_ns, double uncertainty_ns);
/* Ticks as counted on, where the host's time is known to within half of a wrap. */
uint64_t align_unwrap(const struct align *a, uint64_t raw_ticks, double near_host_ns);
/* The host's time of them. */
double align_host(const struct align *a, uint64_t ticks);

#endif
