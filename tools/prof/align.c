#include "align.h"

#include <math.h>

/* Two pairs this far apart give a rate: their uncertainty is then some millionths of what lies between them. */
#define RATE_NS 3e8
#define MAX_DRIFT 1e-3

static uint64_t mask(const struct align *a) {
    return a->bits < 64 ? ((uint64_t)1 << a->bits) - 1 : UINT64_MAX;
}

void align_init(struct align *a, double period_ns, uint32_t bits) {
    *a = (struct align){.period_ns = period_ns > 0 ? period_ns : 1, .bits = bits, .rate = 1};
}

uint64_t align_unwrap(const struct align *a, uint64_t raw, double near_host_ns) {
    uint64_t expected =
        a->ticks + (uint64_t)(int64_t)llround((near_host_ns - a->at_ns) / (a->period_ns * a->rate));
    uint64_t ahead = (raw - expected) & mask(a), behind = (expected - raw) & mask(a);
    return ahead <= behind ? expected + ahead : expected - behind;
}

double align_host(const struct align *a, uint64_t ticks) {
    return a->at_ns + (double)(int64_t)(ticks - a->ticks) * a->period_ns * a->rate;
}

double align_add(struct align *a, uint64_t raw, double host_ns, double uncertainty_ns) {
    if (!a->n_pairs++) {
        a->first = a->ticks = raw;
        a->first_ns = a->at_ns = host_ns;
        a->uncertainty_ns = uncertainty_ns;
        return 0;
    }
    uint64_t ticks = align_unwrap(a, raw, host_ns);
    double moved = host_ns - align_host(a, ticks);
    if (host_ns - a->first_ns > RATE_NS) {
        double rate = (host_ns - a->first_ns) / ((double)(ticks - a->first) * a->period_ns);
        if (fabs(rate - 1) < MAX_DRIFT) a->rate = rate;
    }
    a->ticks = ticks;
    a->at_ns = host_ns;
    a->uncertainty_ns = uncertainty_ns;
    return moved;
}
