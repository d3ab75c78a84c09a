/* nibble.h - blocks of 32 four-bit weights (Q4_0, Q4_1), as vectors that meet the activations.
 *
 * Byte i holds weight i in its low and weight i + 16 in its high nibble. */
#ifndef FLUID_TENSOR_NIBBLE_H
#define FLUID_TENSOR_NIBBLE_H

#include "fluid/tensor.h"
#include "wide.h"

#define NIBBLE_BYTES (QUANT_BLOCK / 2)
#define Q_RAW 1

/* Nibbles as 0 .. 15. */
TENSOR_INLINE void nibble_unpack(q_vector v[Q_VECTORS], q_vector packed) {
    const q_vector mask = q_set1_epi16(15);
    v[0] = q_and(packed, mask);
    v[1] = q_and(q_srli_epi16(packed, 8), mask);
    v[2] = q_and(q_srli_epi16(packed, 4), mask);
    v[3] = q_srli_epi16(packed, 12);
}

/* Nibbles - 8: with the upper bit of each inverted, they are four-bit integers with a sign. */
TENSOR_INLINE void nibble_unpack_signed(q_vector v[Q_VECTORS], q_vector packed) {
    q_vector nibbles = q_xor(packed, q_set1_epi8((char)0x88));
    v[0] = q_srai_epi16(q_slli_epi16(nibbles, 12), 12);
    v[1] = q_srai_epi16(q_slli_epi16(nibbles, 4), 12);
    v[2] = q_srai_epi16(q_slli_epi16(nibbles, 8), 12);
    v[3] = q_srai_epi16(nibbles, 12);
}

#endif
