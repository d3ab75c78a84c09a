/* nibble.h - blocks of 32 four-bit weights (Q4_0, Q4_1): unpacking and exact dot products.
 *
 * Byte i holds weight i in its low and weight i + 16 in its high nibble. Four products add up in a
 * 16-bit lane, and four lanes again: 16 * 15 * 127 = 30480 fits. The low halves of 16-bit products,
 * because emulators translate PMULLW to one instruction of the host, but call a function for
 * PMADDUBSW. */
#ifndef FLUID_TENSOR_NIBBLE_H
#define FLUID_TENSOR_NIBBLE_H

#include "wide.h"
#include "fluid/tensor.h"

#define NIBBLE_BYTES (QUANT_BLOCK / 2)
#define Q_RAW 1
#define Q_VECTORS WIDE_VECTORS

TENSOR_INLINE void nibble_unpack(__m128i v[WIDE_VECTORS], __m128i packed) {
    const __m128i mask = _mm_set1_epi16(15);
    v[0] = _mm_and_si128(packed, mask);
    v[1] = _mm_and_si128(_mm_srli_epi16(packed, 8), mask);
    v[2] = _mm_and_si128(_mm_srli_epi16(packed, 4), mask);
    v[3] = _mm_srli_epi16(packed, 12);
}

TENSOR_INLINE void q_activations(__m128i v[Q_VECTORS], const struct act_q8 *x) {
    widen_epi8(v, load_bytes(x->q), load_bytes(x->q + 16));
}

/* 16-bit lanes that add up to the dot product of one row. */
TENSOR_INLINE __m128i nibble_dot(const __m128i w[Q_VECTORS], const __m128i x[Q_VECTORS]) {
    __m128i low = _mm_add_epi16(_mm_mullo_epi16(w[0], x[0]), _mm_mullo_epi16(w[1], x[1]));
    __m128i high = _mm_add_epi16(_mm_mullo_epi16(w[2], x[2]), _mm_mullo_epi16(w[3], x[3]));
    return _mm_add_epi16(low, high);
}

#endif
