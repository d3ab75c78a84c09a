/* double_double.c - the exponential function with about 100 bits. */
#include "double_double.h"

#define HALVINGS 8 /* |x| <= ln 2 / 2 becomes at most 0.0014, where nine terms reach 2^-100 */
#define TERMS 10

static int nearest(double x) {
    return (int)(x < 0 ? x - 0.5 : x + 0.5);
}

struct dd dd_expm1_reduced(struct dd x, int *k) {
    *k = nearest(x.hi * 0x1.71547652b82fep+0); /* 1 / ln 2 */
    struct dd multiple = dd_ln2_times(*k);
    struct dd r = dd_add(x, (struct dd){-multiple.hi, -multiple.lo});
    r = dd_scale(r, 1.0 / (1 << HALVINGS));

    /* r + r^2/2! + ... as r (1 + r/2 (1 + r/3 (...))) */
    struct dd one = {1, 0}, sum = one;
    for (int n = TERMS; n >= 2; n--)
        sum = dd_add(one, dd_div(dd_mul(r, sum), (struct dd){n, 0}));
    sum = dd_mul(r, sum);
    /* (1 + s)^2 - 1 = 2s + s^2 keeps small results exact, where squaring 1 + s would not. */
    for (int i = 0; i < HALVINGS; i++)
        sum = dd_add(dd_scale(sum, 2), dd_mul(sum, sum));
    return sum;
}
