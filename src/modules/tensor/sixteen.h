/* sixteen.h - vectors of sixteen 32-bit lanes: two groups of eight rows side by side.
 *
 * With VNNI they are what a batch's tokens are multiplied by: activations, which are the same for
 * all rows, are read half as often, and there are half as many instructions. Operations are those
 * of eight.h's lanes, in the same order. Here are also VNNI's operations on eight lanes, and for
 * all variants how many groups a batch takes at once. */
#ifndef FLUID_TENSOR_SIXTEEN_H
#define FLUID_TENSOR_SIXTEEN_H

#include "eight.h"

#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512VNNI__)
#define TENSOR_VNNI

typedef int32_t v16i __attribute__((vector_size(64), may_alias));
typedef float v16f __attribute__((vector_size(64), may_alias));

TENSOR_INLINE v16i v16i_join(v8i first, v8i second) {
    return __builtin_shufflevector(first, second, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                                   15);
}

TENSOR_INLINE v16f v16f_join(v8f first, v8f second) {
    return (v16f)v16i_join((v8i)first, (v8i)second);
}

TENSOR_INLINE v8f v16f_first(v16f v) {
    return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
}

TENSOR_INLINE v8f v16f_second(v16f v) {
    return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
}

TENSOR_INLINE v16f v16f_of(v16i v) {
    return __builtin_convertvector(v, v16f);
}

/* The same four bytes in every lane. */
TENSOR_INLINE v16i v16i_broadcast(const void *p) {
    int32_t value;
    __builtin_memcpy(&value, p, sizeof value);
    return (v16i){0} + value;
}

/* sum + products of four bytes, those of w without a sign, those of x with one. */
TENSOR_INLINE v16i v16i_add_bytes(v16i sum, v16i w, v16i x) {
    return (v16i)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
}

/* sum + products of two pairs of 16-bit integers. */
TENSOR_INLINE v16i v16i_add_pairs(v16i sum, v16i a, v16i b) {
    return (v16i)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
}

TENSOR_INLINE v8i v8i_add_bytes(v8i sum, v8i w, v8i x) {
    return (v8i)_mm256_dpbusd_epi32((__m256i)sum, (__m256i)w, (__m256i)x);
}

TENSOR_INLINE v8i v8i_add_pairs(v8i sum, v8i a, v8i b) {
    return (v8i)_mm256_dpwssd_epi32((__m256i)sum, (__m256i)a, (__m256i)b);
}
#endif

/* Sums of a token: of as many groups as are multiplied at once. */
#ifdef TENSOR_VNNI
#define Q_GROUPS 2
typedef v16f q_lanes;

/* To the first of count values, all of them when there are as many. */
TENSOR_INLINE void q_lanes_store(float *out, q_lanes v, size_t count) {
    v8f_store(out, v16f_first(v), count);
    if (count > EIGHT)
        v8f_store(out + EIGHT, v16f_second(v), count - EIGHT);
}
#else
#define Q_GROUPS 1
typedef v8f q_lanes;

TENSOR_INLINE void q_lanes_store(float *out, q_lanes v, size_t count) {
    v8f_store(out, v, count);
}
#endif

#endif
