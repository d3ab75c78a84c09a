/* rows.h - four rows of float weights against one vector of activations. */
#ifndef FLUID_TENSOR_ROWS_H
#define FLUID_TENSOR_ROWS_H

#include "simd.h"
#ifdef __AVX512F__
#include <immintrin.h>
#endif

TENSOR_INLINE __m128 load_ps(const float *p) {
    return _mm_castsi128_ps(load_bytes(p));
}

#ifdef __AVX512F__
#define WIDE_COLS 16 /* floats of one row in a vector of 64 bytes */

/* Of four rows: 128-bit lane r of v[i] = lane i of row r. */
TENSOR_INLINE void transpose_lanes(__m512 v[ROW_GROUP]) {
    __m512 low01 = _mm512_shuffle_f32x4(v[0], v[1], _MM_SHUFFLE(1, 0, 1, 0));
    __m512 low23 = _mm512_shuffle_f32x4(v[2], v[3], _MM_SHUFFLE(1, 0, 1, 0));
    __m512 high01 = _mm512_shuffle_f32x4(v[0], v[1], _MM_SHUFFLE(3, 2, 3, 2));
    __m512 high23 = _mm512_shuffle_f32x4(v[2], v[3], _MM_SHUFFLE(3, 2, 3, 2));
    v[0] = _mm512_shuffle_f32x4(low01, low23, _MM_SHUFFLE(2, 0, 2, 0));
    v[1] = _mm512_shuffle_f32x4(low01, low23, _MM_SHUFFLE(3, 1, 3, 1));
    v[2] = _mm512_shuffle_f32x4(high01, high23, _MM_SHUFFLE(2, 0, 2, 0));
    v[3] = _mm512_shuffle_f32x4(high01, high23, _MM_SHUFFLE(3, 1, 3, 1));
}

/* The four rows in one vector: the same additions in the same order as below, so the same bits.
 * Returns the columns done, a multiple of WIDE_COLS. */
TENSOR_INLINE uint32_t dot_rows_wide(__m128 acc[ROW_GROUP], const float *const row[ROW_GROUP],
                                     const float *x, uint32_t count) {
    uint32_t c = 0;
    __m512 sums = _mm512_castps128_ps512(acc[0]);
    sums = _mm512_insertf32x4(sums, acc[1], 1);
    sums = _mm512_insertf32x4(sums, acc[2], 2);
    sums = _mm512_insertf32x4(sums, acc[3], 3);
    for (; c + WIDE_COLS <= count; c += WIDE_COLS) {
        __m512 w[ROW_GROUP];
        for (int r = 0; r < ROW_GROUP; r++)
            w[r] = _mm512_loadu_ps(row[r] + c);
        transpose_lanes(w);
        for (int i = 0; i < ROW_GROUP; i++) {
            __m512 xc = _mm512_broadcast_f32x4(load_ps(x + c + 4 * i));
            sums = _mm512_add_ps(sums, _mm512_mul_ps(w[i], xc));
        }
    }
    acc[0] = _mm512_castps512_ps128(sums);
    acc[1] = _mm512_extractf32x4_ps(sums, 1);
    acc[2] = _mm512_extractf32x4_ps(sums, 2);
    acc[3] = _mm512_extractf32x4_ps(sums, 3);
    return c;
}
#endif

/* Lane l of acc[r] += sum over c = l, l + 4, ... of row[r][c] * x[c], c < count, in ascending
 * order. */
TENSOR_INLINE void dot_rows_ps(__m128 acc[ROW_GROUP], const float *const row[ROW_GROUP],
                               const float *x, uint32_t count) {
    uint32_t c = 0;
#ifdef __AVX512F__
    c = dot_rows_wide(acc, row, x, count);
#endif
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
