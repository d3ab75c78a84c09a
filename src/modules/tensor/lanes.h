/* lanes.h - vectors of 16-bit integers, as wide as the variant computes quantised weights with.
 *
 * A q_vector is 16 bytes of one row; with AVX-512 VNNI it is 16 bytes of each of four rows, one in
 * each 128-bit lane. The instructions used here keep to their lanes, so the code that unpacks
 * weights is the same for both. */
#ifndef FLUID_TENSOR_LANES_H
#define FLUID_TENSOR_LANES_H

#include "simd.h"

#if defined(__AVX512BW__) && defined(__AVX512VNNI__)
#define TENSOR_VNNI
#include <immintrin.h>
typedef __m512i q_vector;
#define Q_OP(name) _mm512_##name
#define q_and _mm512_and_si512
#define q_xor _mm512_xor_si512
#else
typedef __m128i q_vector;
#define Q_OP(name) _mm_##name
#define q_and _mm_and_si128
#define q_xor _mm_xor_si128
#endif

#define q_set1_epi8 Q_OP(set1_epi8)
#define q_set1_epi16 Q_OP(set1_epi16)
#define q_slli_epi16 Q_OP(slli_epi16)
#define q_srli_epi16 Q_OP(srli_epi16)
#define q_srai_epi16 Q_OP(srai_epi16)

#endif
