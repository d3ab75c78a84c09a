/* wide.h - 32 activations of a block as four vectors of 16-bit integers, without shuffles.
 *
 * A 16-bit lane holds two neighbouring bytes; shifts separate the even from the odd one. Weights
 * that are split the same way meet the right activations: v[0], v[1]: even and odd elements of 0 ..
 * 15     v[2], v[3]: of 16 .. 31 */
#ifndef FLUID_TENSOR_WIDE_H
#define FLUID_TENSOR_WIDE_H

#include "simd.h"

#define WIDE_VECTORS 4

TENSOR_INLINE void widen_epi8(__m128i v[WIDE_VECTORS], __m128i low, __m128i high) {
    v[0] = _mm_srai_epi16(_mm_slli_epi16(low, 8), 8);
    v[1] = _mm_srai_epi16(low, 8);
    v[2] = _mm_srai_epi16(_mm_slli_epi16(high, 8), 8);
    v[3] = _mm_srai_epi16(high, 8);
}

#endif
