/* wide.h - 32 weights of a block as four vectors of 16-bit integers, without shuffles.
 *
 * A 16-bit lane holds two neighbouring bytes; shifts separate the even from the odd one.
 * Activations stand in the same order (tensor.h): v[0], v[1]: even and odd values of 0 .. 15; v[2],
 * v[3]: of 16 .. 31. */
#ifndef FLUID_TENSOR_WIDE_H
#define FLUID_TENSOR_WIDE_H

#include "lanes.h"

#define Q_VECTORS 4

TENSOR_INLINE void widen_epi8(q_vector v[Q_VECTORS], q_vector low, q_vector high) {
    v[0] = q_srai_epi16(q_slli_epi16(low, 8), 8);
    v[1] = q_srai_epi16(low, 8);
    v[2] = q_srai_epi16(q_slli_epi16(high, 8), 8);
    v[3] = q_srai_epi16(high, 8);
}

#endif
