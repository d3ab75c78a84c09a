/* expf.h - e^x for four floats, within 2 ulp for results that are normal numbers.
 *
 * x = k ln 2 + r with integer k and |r| <= ln 2 / 2; ln 2 is split so that k * LN2_HIGH is exact
 * (Cody and Waite, "Software Manual for the Elementary Functions", 1980). e^r by a polynomial,
 * times 2^k in two steps so that subnormal results and infinity come out by themselves. */
#ifndef FLUID_TENSOR_EXPF_H
#define FLUID_TENSOR_EXPF_H

#include "simd.h"

#define EXP_LOG2E 1.44269504088896341f
#define EXP_LN2_HIGH 0.693359375f /* 9 bits of mantissa */
#define EXP_LN2_LOW (-2.12194440e-4f)
#define EXP_MIN (-104.0f) /* e^x rounds to 0 below */
#define EXP_MAX 89.0f     /* e^x is infinite above */

/* 2^k for -126 <= k <= 127. */
TENSOR_INLINE __m128 exp_power_of_two(__m128i k) {
    return _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(k, _mm_set1_epi32(127)), 23));
}

TENSOR_INLINE __m128 exp_ps(__m128 x) {
    /* The second operand is returned for a NaN (Intel SDM vol. 2, MINPS): NaN stays NaN. */
    x = _mm_min_ps(_mm_set1_ps(EXP_MAX), _mm_max_ps(_mm_set1_ps(EXP_MIN), x));
    __m128i k = _mm_cvtps_epi32(_mm_mul_ps(x, _mm_set1_ps(EXP_LOG2E)));
    __m128 kf = _mm_cvtepi32_ps(k);
    __m128 r = _mm_sub_ps(x, _mm_mul_ps(kf, _mm_set1_ps(EXP_LN2_HIGH)));
    r = _mm_sub_ps(r, _mm_mul_ps(kf, _mm_set1_ps(EXP_LN2_LOW)));

    /* e^r = 1 + r + r^2 p(r); minimax coefficients of Cephes' expf. */
    const float coefficients[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                                  4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
    __m128 p = _mm_set1_ps(coefficients[0]);
    for (int i = 1; i < 6; i++)
        p = _mm_add_ps(_mm_mul_ps(p, r), _mm_set1_ps(coefficients[i]));
    p = _mm_add_ps(_mm_mul_ps(p, _mm_mul_ps(r, r)), r);
    p = _mm_add_ps(p, _mm_set1_ps(1.0f));

    __m128i half = _mm_srai_epi32(k, 1);
    p = _mm_mul_ps(p, exp_power_of_two(half));
    return _mm_mul_ps(p, exp_power_of_two(_mm_sub_epi32(k, half)));
}

#endif
