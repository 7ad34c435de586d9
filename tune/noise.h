/* Inside tune/: what the scatter within one run does not show. */
#ifndef TUNE_NOISE_H
#define TUNE_NOISE_H

#include <stdint.h>

/*
 * Of two rows measured in turn, n samples each in the order of time: the range of the ratios of their medians in the first, second and last
 * third, as a part of the middle one. 0 below 6 samples. Where the samples are independent that is about three deviations of the
 * ratio of all (the range of three is 1.69 deviations of one, and that of all is 1 / sqrt(3) of it); where other work comes and
 * goes while they are measured, it is more.
 */
double noise_of_thirds(const double *a, const double *b, uint32_t n);

#endif
