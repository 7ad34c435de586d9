/* Statistics of samples against values worked out by hand. */
#include "check.h"

#include <greta/measure.h>

#include <math.h>

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

int main(void) {
    struct greta_stats s;
    double ten[11] = {10, 0, 9, 1, 8, 2, 7, 3, 6, 4, 5};
    greta_stats_make(ten, 11, &s);
    CHECK(s.n == 11 && near(s.mean, 5) && near(s.p50, 5) && near(s.p10, 1) && near(s.p90, 9));
    CHECK(near(s.p99, 9.9) && s.min == 0 && s.max == 10 && near(s.spread, 1.6));

    double two[2] = {4, 2};
    greta_stats_make(two, 2, &s);
    CHECK(near(s.p50, 3) && near(s.p99, 3.98) && near(s.spread, 1.6 / 3));

    double one[1] = {7};
    greta_stats_make(one, 1, &s);
    CHECK(near(s.p50, 7) && near(s.p99, 7) && s.spread == 0);

    greta_stats_make(one, 0, &s);
    CHECK(s.n == 0 && s.p50 == 0);
    return check_done();
}
