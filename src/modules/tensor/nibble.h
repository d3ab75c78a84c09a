/* nibble.h - blocks of 32 four-bit weights (Q4_0, Q4_1): unpacking and exact dot products.
 *
 * Byte i holds weight i in its low and weight i + 16 in its high nibble. Four products add up in a 16-bit
 * lane, and four lanes again: 16 * 15 * 127 = 30480 fits. The low halves of 16-bit products, because
 * emulators translate PMULLW to one instruction of the host, but call a function for PMADDUBSW. */
#ifndef FLUID_TENSOR_NIBBLE_H
#define FLUID_TENSOR_NIBBLE_H

#include "wide.h"
#include "fluid/tensor.h"

#define NIBBLE_BYTES (QUANT_BLOCK / 2)
#define Q_VECTORS WIDE_VECTORS

TENSOR_INLINE void nibble_unpack(__m128i v[WIDE_VECTORS], const uint8_t q[NIBBLE_BYTES]) {
    const __m128i mask = _mm_set1_epi16(15);
    __m128i packed = load_bytes(q);
    v[0] = _mm_and_si128(packed, mask);
    v[1] = _mm_and_si128(_mm_srli_epi16(packed, 8), mask);
    v[2] = _mm_and_si128(_mm_srli_epi16(packed, 4), mask);
    v[3] = _mm_srli_epi16(packed, 12);
}

TENSOR_INLINE void q_activations(__m128i v[Q_VECTORS], const struct act_q8 *x) {
    widen_epi8(v, x->q);
}

TENSOR_INLINE __m128i q_dots(const __m128i w[ROW_GROUP][Q_VECTORS], const __m128i x[Q_VECTORS]) {
    __m128i sums[ROW_GROUP];
    for (int r = 0; r < ROW_GROUP; r++) {
        __m128i low = _mm_add_epi16(_mm_mullo_epi16(w[r][0], x[0]), _mm_mullo_epi16(w[r][1], x[1]));
        __m128i high = _mm_add_epi16(_mm_mullo_epi16(w[r][2], x[2]), _mm_mullo_epi16(w[r][3], x[3]));
        sums[r] = _mm_add_epi16(low, high);
    }
    return sum_each_epi16(sums);
}

#endif
