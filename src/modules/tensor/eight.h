/* eight.h - vectors of eight 32-bit lanes.
 *
 * With AVX2 such a vector is one register, otherwise the compiler takes two of SSE2's for it. The
 * operators of the language work on all lanes; here is what it has no operator for. Integer
 * results are exact, float operations are done one by one in the order of the source: every variant
 * gives the same bits. */
#ifndef FLUID_TENSOR_EIGHT_H
#define FLUID_TENSOR_EIGHT_H

#include "half.h"
#ifdef __AVX2__
#include <immintrin.h>
#endif

/* Everything that takes or returns a vector is inlined: there is no call whose convention could
 * depend on the variant. */
#pragma clang diagnostic ignored "-Wpsabi"

#define EIGHT 8 /* lanes */

typedef int32_t v8i __attribute__((vector_size(32), may_alias));
typedef uint32_t v8u __attribute__((vector_size(32), may_alias));
typedef float v8f __attribute__((vector_size(32), may_alias));
typedef int16_t v16s __attribute__((vector_size(32), may_alias));
typedef uint16_t v16u __attribute__((vector_size(32), may_alias));

TENSOR_INLINE v8i v8i_join(__m128i low, __m128i high) {
    typedef int32_t v4 __attribute__((vector_size(16)));
    return __builtin_shufflevector((v4)low, (v4)high, 0, 1, 2, 3, 4, 5, 6, 7);
}

TENSOR_INLINE __m128i v8i_low(v8i v) {
    return (__m128i)__builtin_shufflevector(v, v, 0, 1, 2, 3);
}

TENSOR_INLINE __m128i v8i_high(v8i v) {
    return (__m128i)__builtin_shufflevector(v, v, 4, 5, 6, 7);
}

/* 32 bytes from anywhere. */
TENSOR_INLINE v8i v8i_load(const void *p) {
#ifdef __AVX2__
    return (v8i)_mm256_loadu_si256((const __m256i_u *)p);
#else
    return v8i_join(load_bytes(p), load_bytes((const char *)p + 16));
#endif
}

TENSOR_INLINE v8f v8f_broadcast(float value) {
    return (v8f){value, value, value, value, value, value, value, value};
}

TENSOR_INLINE v8f v8f_of(v8i v) {
    return __builtin_convertvector(v, v8f);
}

/* Eight bytes with a sign, from anywhere. */
TENSOR_INLINE v8i v8i_of_bytes(const int8_t *p) {
    __m128i bytes = _mm_loadl_epi64((const __m128i_u *)p);
#ifdef __AVX2__
    return (v8i)_mm256_cvtepi8_epi32(bytes);
#else
    __m128i words = _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
    return v8i_join(_mm_srai_epi32(_mm_unpacklo_epi16(words, words), 16),
                    _mm_srai_epi32(_mm_unpackhi_epi16(words, words), 16));
#endif
}

/* Eight f16, from anywhere. */
TENSOR_INLINE v8f v8f_halves(const void *half) {
    __m128i bits = load_bytes(half);
#ifdef __F16C__
    return (v8f)_mm256_cvtph_ps(bits);
#else
    __m128 low = half4_to_float(_mm_unpacklo_epi16(bits, bits));
    __m128 high = half4_to_float(_mm_unpackhi_epi16(bits, bits));
    return (v8f)v8i_join(_mm_castps_si128(low), _mm_castps_si128(high));
#endif
}

/* Ends of rows: seldom, and as loops in each place several times the code of what is often. */
#define TENSOR_SELDOM static __attribute__((noinline, cold, unused))

TENSOR_SELDOM void v8f_load_some(v8f *v, const float *p, size_t count) {
    *v = (v8f){0};
    for (size_t i = 0; i < count; i++)
        (*v)[i] = p[i];
}

TENSOR_SELDOM void v8f_store_some(float *p, const v8f *v, size_t count) {
    for (size_t i = 0; i < count; i++)
        p[i] = (*v)[i];
}

/* The first count floats of p, all eight when it is larger, other lanes zero; reads nothing behind
 * them. */
TENSOR_INLINE v8f v8f_load(const float *p, size_t count) {
    v8f v;
    if (count >= EIGHT)
        return (v8f)v8i_load(p);
    v8f_load_some(&v, p, count);
    return v;
}

TENSOR_INLINE void v8f_store(float *p, v8f v, size_t count) {
    if (count >= EIGHT)
        __builtin_memcpy(p, &v, sizeof v);
    else
        v8f_store_some(p, &v, count);
}

/* The operation of the processor on all of a and b: with AVX2 at once, otherwise on two halves. */
#ifdef __AVX2__
#define V8I_BOTH(operation, a, b) ((v8i)_mm256_##operation((__m256i)(a), (__m256i)(b)))
#define V8F_BOTH(operation, a, b) ((v8f)_mm256_##operation((__m256)(a), (__m256)(b)))
#else
#define V8F_LOW(v) _mm_castsi128_ps(v8i_low((v8i)(v)))
#define V8F_HIGH(v) _mm_castsi128_ps(v8i_high((v8i)(v)))
#define V8F_JOIN(low, high) ((v8f)v8i_join(_mm_castps_si128(low), _mm_castps_si128(high)))
#define V8I_BOTH(operation, a, b)                                                                  \
    v8i_join(_mm_##operation(v8i_low(a), v8i_low(b)), _mm_##operation(v8i_high(a), v8i_high(b)))
#define V8F_BOTH(operation, a, b)                                                                  \
    V8F_JOIN(_mm_##operation(V8F_LOW(a), V8F_LOW(b)), _mm_##operation(V8F_HIGH(a), V8F_HIGH(b)))
#endif

/* The second operand where either is NaN (Intel SDM vol. 2, MINPS). */
TENSOR_INLINE v8f v8f_min(v8f a, v8f b) {
    return V8F_BOTH(min_ps, a, b);
}

TENSOR_INLINE v8f v8f_max(v8f a, v8f b) {
    return V8F_BOTH(max_ps, a, b);
}

/* To the nearest integer, of two the even one. */
TENSOR_INLINE v8i v8f_round(v8f v) {
#ifdef __AVX2__
    return (v8i)_mm256_cvtps_epi32((__m256)v);
#else
    return v8i_join(_mm_cvtps_epi32(V8F_LOW(v)), _mm_cvtps_epi32(V8F_HIGH(v)));
#endif
}

/* Lane = sum of the products of two pairs of 16-bit integers. */
TENSOR_INLINE v8i v8i_madd(v8i a, v8i b) {
    return V8I_BOTH(madd_epi16, a, b);
}

/* 16-bit lane = sum of the products of two pairs of bytes, those of a without a sign, those of b
 * with one; it has to fit. SSSE3 has an instruction for it, which QEMU's TCG, where code of that
 * level mostly runs, takes more time for than for the multiplications and shifts below: a token
 * twice as much. A processor without AVX2 would be a third faster with it. */
TENSOR_INLINE v8i v8i_maddubs(v8i a, v8i b) {
#ifdef __AVX2__
    return V8I_BOTH(maddubs_epi16, a, b);
#else
    v16s even = (v16s)((v16u)a & 255) * ((v16s)((v16u)b << 8) >> 8);
    return (v8i)(even + (v16s)((v16u)a >> 8) * ((v16s)b >> 8));
#endif
}

#ifdef __AVX2__
/* Each byte of v with its sign changed where the byte of by is negative, 0 where that is 0. */
TENSOR_INLINE v8i v8i_sign(v8i v, v8i by) {
    return V8I_BOTH(sign_epi8, v, by);
}

/* Magnitude of each byte; 128 for -128. */
TENSOR_INLINE v8i v8i_abs(v8i v) {
    return v8i_sign(v, v);
}
#endif

#endif
