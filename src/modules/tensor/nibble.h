/* nibble.h - blocks of 32 four-bit weights (Q4_0, Q4_1), as vectors that meet the activations.
 *
 * Byte i holds weight i in its low and weight i + 16 in its high nibble. */
#ifndef FLUID_TENSOR_NIBBLE_H
#define FLUID_TENSOR_NIBBLE_H

#include "wide.h"

#define NIBBLE_BYTES (QUANT_BLOCK / 2)
#define Q_RAW 1

/* Nibbles as 0 .. 15. */
TENSOR_INLINE void nibble_unpack(__m128i v[Q_VECTORS], __m128i packed) {
    const __m128i mask = _mm_set1_epi16(15);
    v[0] = _mm_and_si128(packed, mask);
    v[1] = _mm_and_si128(_mm_srli_epi16(packed, 8), mask);
    v[2] = _mm_and_si128(_mm_srli_epi16(packed, 4), mask);
    v[3] = _mm_srli_epi16(packed, 12);
}

/* Nibbles - 8: with the upper bit of each inverted, they are four-bit integers with a sign. */
TENSOR_INLINE void nibble_unpack_signed(__m128i v[Q_VECTORS], __m128i packed) {
    __m128i nibbles = _mm_xor_si128(packed, _mm_set1_epi8((char)0x88));
    v[0] = _mm_srai_epi16(_mm_slli_epi16(nibbles, 12), 12);
    v[1] = _mm_srai_epi16(_mm_slli_epi16(nibbles, 4), 12);
    v[2] = _mm_srai_epi16(_mm_slli_epi16(nibbles, 8), 12);
    v[3] = _mm_srai_epi16(nibbles, 12);
}

#endif
