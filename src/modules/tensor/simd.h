/* simd.h - SSE2 helpers shared by the tensor modules: loads, partial vectors, sums across lanes.
 *
 * Every variant (i686 .. x86-64-v3) compiles from the same intrinsics; what a later instruction set
 * does better is selected with the compiler's macros where it is used. */
#ifndef FLUID_TENSOR_SIMD_H
#define FLUID_TENSOR_SIMD_H

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

#define TENSOR_INLINE static inline __attribute__((always_inline))

#define ROW_GROUP 4 /* rows computed together: one lane of the result vector each */

/* 16 bytes in two halves. An emulator that keeps vector registers in memory (QEMU's TCG) copies a
 * whole load through a temporary, which costs a failed store-to-load forwarding: five times as
 * much. Not with AVX: next to VEX-encoded instructions these two would be slow on a real CPU. */
TENSOR_INLINE __m128i load_bytes(const void *p) {
#if defined(__AVX__) || __has_feature(address_sanitizer) /* would not see what assembly reads */
    return _mm_loadu_si128((const __m128i_u *)p);
#else
    typedef uint64_t __attribute__((may_alias, aligned(1))) half_vector;
    const half_vector *half = p;
    __m128i v;
    __asm__("movq %1, %0\n\tmovhps %2, %0" : "=&x"(v) : "m"(half[0]), "m"(half[1]));
    return v;
#endif
}

/* First count (1..3) floats of p, the other lanes zero; reads nothing behind them. */
TENSOR_INLINE __m128 load_partial(const float *p, uint32_t count) {
    return _mm_setr_ps(p[0], count > 1 ? p[1] : 0, count > 2 ? p[2] : 0, 0);
}

/* Stores the first count (1..4) lanes. */
TENSOR_INLINE void store_partial(float *p, __m128 v, uint32_t count) {
    if (count == 4) {
        _mm_storeu_ps(p, v);
        return;
    }
    float lanes[4];
    _mm_storeu_ps(lanes, v);
    for (uint32_t i = 0; i < count; i++)
        p[i] = lanes[i];
}

/* Lane r = sum of the lanes of v[r], in the same order for every r. */
TENSOR_INLINE __m128 sum_each_ps(const __m128 v[4]) {
    __m128 a = _mm_add_ps(_mm_unpacklo_ps(v[0], v[1]), _mm_unpackhi_ps(v[0], v[1]));
    __m128 b = _mm_add_ps(_mm_unpacklo_ps(v[2], v[3]), _mm_unpackhi_ps(v[2], v[3]));
    return _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a));
}

TENSOR_INLINE float sum_ps(__m128 v) {
    __m128 pair = _mm_add_ps(v, _mm_movehl_ps(v, v));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps(pair, pair, 1)));
}

#endif
