/* rows.h - four rows of float weights against one vector of activations. */
#ifndef FLUID_TENSOR_ROWS_H
#define FLUID_TENSOR_ROWS_H

#include "simd.h"

TENSOR_INLINE __m128 load_ps(const float *p) {
    return _mm_castsi128_ps(load_bytes(p));
}

/* Lane l of acc[r] += sum over c = l, l + 4, ... of row[r][c] * x[c], c < count, in ascending
 * order. */
TENSOR_INLINE void dot_rows_ps(__m128 acc[ROW_GROUP], const float *const row[ROW_GROUP],
                               const float *x, uint32_t count) {
    uint32_t c = 0;
    for (; c + 4 <= count; c += 4) {
        __m128 xc = load_ps(x + c);
        for (int r = 0; r < ROW_GROUP; r++)
            acc[r] = _mm_add_ps(acc[r], _mm_mul_ps(load_ps(row[r] + c), xc));
    }
    if (c == count)
        return;
    __m128 xc = load_partial(x + c, count - c);
    for (int r = 0; r < ROW_GROUP; r++)
        acc[r] = _mm_add_ps(acc[r], _mm_mul_ps(load_partial(row[r] + c, count - c), xc));
}

#endif
