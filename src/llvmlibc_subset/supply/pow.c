/* pow.c - x^y in double: e^(y ln x) with about 100 bits in between, rounded once. llvm-libc 19 has
 * powf only. Special cases as in C17 F.10.4.4. */
#include <errno.h>
#include <math.h>

#include "double_double.h"

#define SIGN (UINT64_C(1) << 63)
#define INFINITY_BITS (UINT64_C(0x7ff) << 52)
#define SERIES 24 /* terms of atanh: (3 - 2 sqrt 2)^48 is below 2^-120 */

enum parity { NO_INTEGER, EVEN, ODD };

static enum parity parity(double y) {
    y = fabs(y);
    if (y >= 0x1p53)
        return EVEN;
    if (y != floor(y))
        return NO_INTEGER;
    return (uint64_t)y % 2 != 0 ? ODD : EVEN;
}

/* ln x for finite x > 0. */
static struct dd log_dd(double x) {
    int k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    uint64_t bits = dd_bits(x);
    k += (int)(bits >> 52) - 1023;
    double m = dd_from_bits((bits & ((UINT64_C(1) << 52) - 1)) | dd_bits(1.0));
    if (m > 0x1.6a09e667f3bcdp+0) { /* sqrt 2 */
        m *= 0.5;
        k++;
    }
    /* ln m = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1) / (m + 1) */
    struct dd s = dd_div((struct dd){m - 1, 0}, dd_sum(m, 1)), square = dd_mul(s, s);
    struct dd one = {1, 0}, sum = {0, 0};
    for (int n = SERIES; n >= 0; n--)
        sum = dd_add(dd_div(one, (struct dd){2 * n + 1, 0}), dd_mul(square, sum));
    return dd_add(dd_ln2_times(k), dd_scale(dd_mul(s, sum), 2));
}

/* (1 + e) 2^k rounded once, also where the result is subnormal. */
static double round_scaled(struct dd e, int k) {
    struct dd y = dd_add((struct dd){1, 0}, e);
    if (k < -1022 || (k == -1022 && y.hi < 1)) {
        /* The last bit of grid + y is 2^-1074 of the result: the sum rounds there. */
        double grid = dd_power_of_two(52 - 1074 - k);
        double rounded = grid + y.hi, rest = y.hi - (rounded - grid);
        y = (struct dd){(rounded + (rest + y.lo)) - grid, 0};
    }
    double half = dd_power_of_two(k / 2);
    return y.hi * half * dd_power_of_two(k - k / 2);
}

/* Of a zero or infinite x: |x|^y with the sign that an odd y gives. */
static double pow_of_limit(double x, double y, double sign) {
    if (x == 0 && y < 0)
        errno = ERANGE;
    return sign * ((x == 0) == (y > 0) ? 0 : dd_from_bits(INFINITY_BITS));
}

double pow(double x, double y) {
    const double infinity = dd_from_bits(INFINITY_BITS);
    double size = fabs(x);
    if (y == 0 || x == 1)
        return 1;
    if (x != x || y != y)
        return x + y;
    if (fabs(y) == infinity)
        return size == 1 ? 1 : (size > 1) == (y > 0) ? infinity : 0;
    enum parity kind = parity(y);
    double sign = (dd_bits(x) & SIGN) != 0 && kind == ODD ? -1 : 1;
    if (x == 0 || size == infinity)
        return pow_of_limit(x, y, sign);
    if (x < 0 && kind == NO_INTEGER) {
        errno = EDOM;
        return (x - x) / (x - x);
    }
    struct dd log = log_dd(size);
    double estimate = y * log.hi;
    if (estimate > 710 || estimate < -746) { /* ln DBL_MAX 709.8, ln of half the least -745.2 */
        errno = ERANGE;
        return estimate > 0 ? sign * infinity : sign * 0.0;
    }
    struct dd product = dd_product(y, log.hi);
    product = dd_quick_sum(product.hi, product.lo + y * log.lo);
    int k;
    struct dd e = dd_expm1_reduced(product, &k);
    double result = sign * round_scaled(e, k);
    if (fabs(result) == infinity || result == 0)
        errno = ERANGE;
    return result;
}
