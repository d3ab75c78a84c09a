/* half.h - IEEE 754 half precision (f16) to float without the F16C instructions.
 *
 * Shifted into a float's fields, exponent and mantissa of a half give the value times 2^-112 (the
 * difference of the exponent biases), subnormals included; a multiplication by 2^112 is exact.
 * Infinity and NaN (exponent 31) get the float exponent 255 by an OR. */
#ifndef FLUID_TENSOR_HALF_H
#define FLUID_TENSOR_HALF_H

#include "simd.h"

/* Four halves in the low 16 bits of the 32-bit lanes; what is above them is ignored. */
TENSOR_INLINE __m128 half4_to_float(__m128i halves) {
    __m128i bits = _mm_slli_epi32(_mm_and_si128(halves, _mm_set1_epi32(0x7fff)), 13);
    __m128i sign = _mm_slli_epi32(_mm_and_si128(halves, _mm_set1_epi32(0x8000)), 16);
    __m128i special = _mm_cmpgt_epi32(bits, _mm_set1_epi32((0x7c00 << 13) - 1));
    __m128i exponent = _mm_and_si128(special, _mm_set1_epi32(0x7f800000));
    __m128 value = _mm_mul_ps(_mm_castsi128_ps(bits), _mm_set1_ps(0x1p112f));
    return _mm_or_ps(value, _mm_castsi128_ps(_mm_or_si128(sign, exponent)));
}

/* The same, and every NaN is quiet, as from the instruction: of what is not multiplied at once. */
TENSOR_INLINE __m128 half4_to_quiet_float(__m128i halves) {
    __m128 value = half4_to_float(halves);
    __m128i nan = _mm_castps_si128(_mm_cmpunord_ps(value, value));
    return _mm_or_ps(value, _mm_castsi128_ps(_mm_and_si128(nan, _mm_set1_epi32(0x00400000))));
}

/* A pair of halves in each 32-bit lane. */
struct half_pairs {
    __m128 low, high;
};

/* Weights and the scales of blocks are nearly always normal numbers: then adding the difference of
 * the biases to the exponent suffices, and no multiplication is needed. */
TENSOR_INLINE struct half_pairs half_pairs_to_float(__m128i pairs) {
    /* x ^ 2x has zeros in the place of the exponent's upper four bits when all five are equal. */
    __m128i changes = _mm_xor_si128(pairs, _mm_slli_epi16(pairs, 1));
    __m128i equal =
        _mm_cmpeq_epi16(_mm_and_si128(changes, _mm_set1_epi16(0x7800)), _mm_setzero_si128());
    if (__builtin_expect(_mm_movemask_epi8(equal), 0))
        return (struct half_pairs){half4_to_quiet_float(pairs),
                                   half4_to_quiet_float(_mm_srli_epi32(pairs, 16))};
    const __m128i fields = _mm_set1_epi32((int)0x8fffe000);
    const __m128i bias = _mm_set1_epi32((127 - 15) << 23);
    __m128i low = _mm_srai_epi32(_mm_slli_epi32(pairs, 16), 3);
    __m128i high = _mm_srai_epi32(pairs, 3);
    return (struct half_pairs){_mm_castsi128_ps(_mm_add_epi32(_mm_and_si128(low, fields), bias)),
                               _mm_castsi128_ps(_mm_add_epi32(_mm_and_si128(high, fields), bias))};
}

/* Lane = the half nearest to that of v, of two the even one. |v| <= 65504. A half's fields are
 * those of the float with another bias; of a subnormal half the last bit is worth 2^-24, the last
 * bit of a float between 1/2 and 1, so that adding 1/2 rounds to it. */
TENSOR_INLINE __m128i half4_of_float(__m128 v) {
    const __m128i half = _mm_castps_si128(_mm_set1_ps(0.5f)), one = _mm_set1_epi32(1);
    __m128i all = _mm_castps_si128(v);
    __m128i bits = _mm_and_si128(all, _mm_set1_epi32(0x7fffffff));
    __m128i odd = _mm_and_si128(_mm_srli_epi32(bits, 13), one);
    __m128i bias = _mm_set1_epi32(0xfff - ((127 - 15) << 23));
    __m128i normal = _mm_srli_epi32(_mm_add_epi32(_mm_add_epi32(bits, bias), odd), 13);
    __m128 lifted = _mm_add_ps(_mm_castsi128_ps(bits), _mm_castsi128_ps(half));
    __m128i subnormal = _mm_sub_epi32(_mm_castps_si128(lifted), half);
    __m128i small = _mm_cmplt_epi32(bits, _mm_set1_epi32((127 - 14) << 23));
    __m128i sign = _mm_and_si128(_mm_srli_epi32(all, 16), _mm_set1_epi32(0x8000));
    __m128i value = _mm_or_si128(_mm_and_si128(small, subnormal), _mm_andnot_si128(small, normal));
    return _mm_or_si128(value, sign);
}

TENSOR_INLINE float half_to_float(uint16_t half) {
    return _mm_cvtss_f32(half4_to_quiet_float(_mm_cvtsi32_si128(half)));
}

#endif
