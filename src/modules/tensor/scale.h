/* scale.h - the part of qmatmul.h's template that the types without an offset share: w = d * q. The
 * including module has defined struct q_block with its f16 scale d. */
#ifndef FLUID_TENSOR_SCALE_H
#define FLUID_TENSOR_SCALE_H

#include "half.h"
#include "fluid/tensor.h"

struct q_scales {
    __m128 d; /* lane r: of the group's row r */
};

TENSOR_INLINE struct q_scales q_scales_of(const struct q_block *const block[ROW_GROUP]) {
    return (struct q_scales){half_scales(block[0]->d, block[1]->d, block[2]->d, block[3]->d)};
}

TENSOR_INLINE __m128 q_accumulate(__m128 acc, __m128i dots, struct q_scales s,
                                  const struct act_q16 *x) {
    __m128 scaled = _mm_mul_ps(_mm_cvtepi32_ps(dots), s.d);
    return _mm_add_ps(acc, _mm_mul_ps(scaled, _mm_set1_ps(x->d)));
}

#endif
