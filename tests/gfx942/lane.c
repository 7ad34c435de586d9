#include "lane.h"

#include <math.h>

/* floor and the differences are exact, so the result does not depend on the host's rounding direction. */
double round_to_format(double x, int man, int step, unsigned rm) {
    if (x == 0 || !isfinite(x)) return x;
    int e = ilogb(x) - man, q = e > step ? e : step;
    double y = ldexp(x, -q), f = floor(y), rest = y - f;
    bool up = rm == 0   ? rest > 0.5 || (rest == 0.5 && fmod(f, 2) != 0)
              : rm == 1 ? rest > 0
              : rm == 3 ? y < 0 && rest > 0
                        : false;
    return copysign(ldexp(up ? f + 1 : f, q), x);
}

uint32_t f16_of_f64(double x, unsigned rm) {
    uint32_t sign = signbit(x) ? 0x8000 : 0;
    if (isnan(x)) return 0x7e00 | sign | (bits64_of(x) >> 42 & 0x3ff);
    if (isinf(x)) return 0x7c00 | sign;
    double r = fabs(round_to_format(x, 10, -24, rm));
    if (r > 65504) return sign | (rm == 0 || (rm == 1 && !sign) || (rm == 2 && sign) ? 0x7c00 : 0x7bff);
    return f16_of_f32((float)r) | sign;
}

/* err is what the rounded sum s lacks; where there is an error and s is even, the odd neighbour on err's side is
   the sum rounded to odd. */
static double to_odd(double s, double err) {
    uint64_t u = bits64_of(s);
    if (err == 0 || (u & 1) || !isfinite(s)) return s;
    return f64_of(s == 0 ? 1 | bits64_of(err) >> 63 << 63 : (err > 0) == (s > 0) ? u + 1 : u - 1);
}

double add_odd(double a, double b) {
    double s = a + b, t = s - a;
    return to_odd(s, (a - (s - t)) + (b - t));
}

double fma_odd(double a, double b, double c) {
    double p = a * b, low = fma(a, b, -p), s = p + c, t = s - p;
    return to_odd(s, ((p - (s - t)) + (c - t)) + low);
}
