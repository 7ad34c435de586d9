/* Statistics of samples against values worked out by hand. */
#include "check.h"

#include <greta/measure.h>

#include "noise.h"

#include <math.h>

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

/* Eight pieces one after another, by their medians: scatter within a piece is not seen, what changes between pieces is. */
static void intervals(void) {
    enum { N = 24 };
    double even[N], late[N], slowed[N], few[3] = {3, 1, 2};
    for (int i = 0; i < N; i++) {
        even[i] = i % 3 - 1;
        late[i] = i % 8 == 7 ? 900 : i % 2;
        slowed[i] = i < N / 2 ? even[i] : even[i] + 10;
    }
    struct noise_interval x = noise_interval(even, N);
    CHECK(x.low == 0 && x.mid == 0 && x.high == 0);
    x = noise_interval(slowed, N);
    CHECK(x.low == 0 && x.mid == 5 && x.high == 10);
    x = noise_interval(late, N);
    CHECK(x.low == 0 && x.high == 1 && x.mid == 0.5);
    x = noise_interval(few, 3);
    CHECK(x.low == 1 && x.mid == 2 && x.high == 3);
    x = noise_interval(few, 0);
    CHECK(x.low == 0 && x.mid == 0 && x.high == 0);
}

int main(void) {
    intervals();
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
