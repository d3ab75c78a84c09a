/* tanh.c - the hyperbolic tangent in double; llvm-libc 19 has tanhf only. */
#include <math.h>

#include "double_double.h"

#define SMALL 0x1p-28 /* x^3 / 3 is below a quarter of x's last bit */
#define LARGE 20.0    /* 1 - tanh is below a quarter of 1's last bit */

/* With e = e^2x - 1: tanh x = e / (e + 2). */
double tanh(double x) {
    double size = fabs(x), result = 1;
    if (!(size >= SMALL)) /* NaN too */
        return x;
    if (size < LARGE) {
        int k;
        struct dd e = dd_expm1_reduced((struct dd){2 * size, 0}, &k);
        if (k != 0) {
            struct dd power = dd_scale(dd_add((struct dd){1, 0}, e), dd_power_of_two(k));
            e = dd_add(power, (struct dd){-1, 0});
        }
        result = dd_div(e, dd_add(e, (struct dd){2, 0})).hi;
    }
    return x < 0 ? -result : result;
}
