/* Statistics of samples against values worked out by hand. */
#include "check.h"

#include <greta/measure.h>

#include "noise.h"

#include <math.h>

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

/* What each row's own scatter hides: one becomes slower while they are measured, or both, which changes nothing between them. */
static void thirds(void) {
    enum { N = 24 };
    double even[N], slowed[N], other[N], late[N];
    for (int i = 0; i < N; i++) {
        even[i] = 100 + i % 2;
        other[i] = 2 * even[i];
        slowed[i] = i < N / 3 ? 100 + i % 2 : 150 + 1.5 * (i % 2);
        late[i] = i % 8 == 7 ? 900 : 100 + i % 2;
    }
    CHECK(noise_of_thirds(even, even, N) == 0 && noise_of_thirds(even, other, N) == 0);
    CHECK(near(noise_of_thirds(slowed, even, N), 1. / 3)); /* 1, 1.5, 1.5 */
    CHECK(near(noise_of_thirds(even, slowed, N), 1. / 2)); /* 1, 2/3, 2/3 */
    CHECK(noise_of_thirds(slowed, slowed, N) == 0);
    CHECK(noise_of_thirds(late, even, N) < 0.011); /* a few late samples move no median */
    CHECK(noise_of_thirds(slowed, even, 5) == 0 && noise_of_thirds(slowed, even, 0) == 0);
}

int main(void) {
    thirds();
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
