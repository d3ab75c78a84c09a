/* expf.h - e^x for eight floats, within 2 ulp for results that are normal numbers.
 *
 * x = k ln 2 + r with integer k and |r| <= ln 2 / 2; ln 2 is split so that k * LN2_HIGH is exact
 * (Cody and Waite, "Software Manual for the Elementary Functions", 1980). e^r by a polynomial,
 * times 2^k in two steps so that subnormal results and infinity come out by themselves. */
#ifndef FLUID_TENSOR_EXPF_H
#define FLUID_TENSOR_EXPF_H

#include "eight.h"

#define EXP_LOG2E 1.44269504088896341f
#define EXP_LN2_HIGH 0.693359375f /* 9 bits of mantissa */
#define EXP_LN2_LOW (-2.12194440e-4f)
#define EXP_MIN (-104.0f) /* e^x rounds to 0 below */
#define EXP_MAX 89.0f     /* e^x is infinite above */

/* 2^k for -126 <= k <= 127. */
TENSOR_INLINE v8f exp_power_of_two(v8i k) {
    return (v8f)((k + 127) << 23);
}

TENSOR_INLINE v8f exp_v8f(v8f x) {
    x = v8f_min(v8f_broadcast(EXP_MAX), v8f_max(v8f_broadcast(EXP_MIN), x)); /* NaN stays NaN */
    v8i k = v8f_round(x * EXP_LOG2E);
    v8f kf = v8f_of(k);
    v8f r = x - kf * EXP_LN2_HIGH;
    r = r - kf * EXP_LN2_LOW;

    /* e^r = 1 + r + r^2 p(r); minimax coefficients of Cephes' expf. */
    const float coefficients[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                                  4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
    v8f p = v8f_broadcast(coefficients[0]);
    for (int i = 1; i < 6; i++)
        p = p * r + coefficients[i];
    p = p * (r * r) + r;
    p = p + 1.0f;

    v8i half = k >> 1;
    p = p * exp_power_of_two(half);
    return p * exp_power_of_two(k - half);
}

#endif
