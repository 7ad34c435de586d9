/* Inside tune/: how far a ratio of two rows can be trusted that were measured in turn while other work came and went. */
#ifndef TUNE_NOISE_H
#define TUNE_NOISE_H

#include <stdint.h>

enum { NOISE_BATCHES = 8 };

/*
 * Of n differences in the order of time: their median, and an interval that holds the true one. They are cut into at most
 * NOISE_BATCHES pieces one after another; low and high are the least and the greatest of the pieces' medians.
 *
 * A true median lies outside of the range of 8 independent estimates of it with a probability of 2 / 2^8: 99.2 %, whatever the
 * distribution (the interval of a median by order statistics: David and Nagaraja, Order Statistics, 7.1). Single samples of a busy
 * machine are not independent, as load lasts longer than a sample; neighbours in one piece may be alike, and the pieces still tell
 * what changes between them (batch means: Schmeiser, Batch size effects in the analysis of simulation output, 1982). What changes more
 * slowly than all of the pieces together is not seen. Fewer than 8 differences are pieces of one each, trusted so much the less.
 */
struct noise_interval {
    double low, mid, high;
};
struct noise_interval noise_interval(const double *differences, uint32_t n);
/* Sorts `values`; 0 of none. */
double noise_median(double *values, uint32_t n);

#endif
