/* wide.h - 32 weights of a block as four vectors of 16-bit integers, without shuffles, and their
 * exact dot products with activations.
 *
 * A 16-bit lane holds two neighbouring bytes; shifts separate the even from the odd one.
 * Activations stand in the same order (tensor.h): v[0], v[1]: even and odd values of 0 .. 15; v[2],
 * v[3]: of 16 .. 31. */
#ifndef FLUID_TENSOR_WIDE_H
#define FLUID_TENSOR_WIDE_H

#include "simd.h"
#include "fluid/tensor.h"

#define Q_VECTORS 4

TENSOR_INLINE void widen_epi8(__m128i v[Q_VECTORS], __m128i low, __m128i high) {
    v[0] = _mm_srai_epi16(_mm_slli_epi16(low, 8), 8);
    v[1] = _mm_srai_epi16(low, 8);
    v[2] = _mm_srai_epi16(_mm_slli_epi16(high, 8), 8);
    v[3] = _mm_srai_epi16(high, 8);
}

TENSOR_INLINE void q_activations(__m128i v[Q_VECTORS], const struct act_q16 *x) {
    for (int i = 0; i < Q_VECTORS; i++)
        v[i] = load_bytes(x->q + 8 * i);
}

/* 32-bit lanes that add up to the dot product: 32 * 128 * 32767 < 2^27. PMADDWD is a function call
 * for an emulator, but splitting q in two for PMULLW needs more registers than there are. */
TENSOR_INLINE __m128i q_dot(const __m128i w[Q_VECTORS], const __m128i x[Q_VECTORS]) {
    __m128i low = _mm_add_epi32(_mm_madd_epi16(w[0], x[0]), _mm_madd_epi16(w[1], x[1]));
    __m128i high = _mm_add_epi32(_mm_madd_epi16(w[2], x[2]), _mm_madd_epi16(w[3], x[3]));
    return _mm_add_epi32(low, high);
}

#endif
