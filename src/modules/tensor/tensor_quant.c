/* tensor_quant.c - module: activations to 16 bits, in blocks of 32. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "rows.h"

#define QUANT_MAX 32767
#define QUANT_VECTORS (QUANT_BLOCK / 4)
/* Smaller scales are subnormal and imprecise; such a block becomes zero. */
#define SCALE_MIN 0x1p-126f

FLUID_EXPORT quantize_q16_fn quantize_q16;

TENSOR_INLINE __m128i max_epi32(__m128i a, __m128i b) {
    __m128i greater = _mm_cmpgt_epi32(a, b);
    return _mm_or_si128(_mm_and_si128(greater, a), _mm_andnot_si128(greater, b));
}

/* Largest |v[i]|; NaN when there is one: without the sign, floats order like the integers of their
 * bits. */
TENSOR_INLINE float largest_magnitude(const __m128 v[QUANT_VECTORS]) {
    const __m128i magnitude = _mm_set1_epi32(INT32_MAX);
    __m128i best = _mm_setzero_si128();
    for (int i = 0; i < QUANT_VECTORS; i++)
        best = max_epi32(best, _mm_and_si128(_mm_castps_si128(v[i]), magnitude));
    best = max_epi32(best, _mm_shuffle_epi32(best, _MM_SHUFFLE(1, 0, 3, 2)));
    best = max_epi32(best, _mm_shuffle_epi32(best, _MM_SHUFFLE(2, 3, 0, 1)));
    return _mm_cvtss_f32(_mm_castsi128_ps(best));
}

/* C's round(): halfway cases away from zero, |v| < 2^31. Adding 0.5 first would be wrong just below
 * 0.5. */
TENSOR_INLINE __m128i round_ps(__m128 v) {
    __m128i whole = _mm_cvttps_epi32(v);
    __m128 fraction = _mm_sub_ps(v, _mm_cvtepi32_ps(whole));
    __m128i up = _mm_castps_si128(_mm_cmpge_ps(fraction, _mm_set1_ps(0.5f)));
    __m128i down = _mm_castps_si128(_mm_cmple_ps(fraction, _mm_set1_ps(-0.5f)));
    return _mm_add_epi32(_mm_sub_epi32(whole, up), down); /* masks are -1 */
}

/* Sixteen values to q in the order of tensor.h: the even ones, then the odd ones. */
TENSOR_INLINE void store_split(int16_t q[QUANT_BLOCK / 2], __m128i low, __m128i high) {
    __m128i even = _mm_packs_epi32(_mm_srai_epi32(_mm_slli_epi32(low, 16), 16),
                                   _mm_srai_epi32(_mm_slli_epi32(high, 16), 16));
    __m128i odd = _mm_packs_epi32(_mm_srai_epi32(low, 16), _mm_srai_epi32(high, 16));
    _mm_storeu_si128((__m128i_u *)q, even);
    _mm_storeu_si128((__m128i_u *)(q + 8), odd);
}

static void quantize_block(struct act_q16 *out, const float *x) {
    __m128 v[QUANT_VECTORS];
    for (int i = 0; i < QUANT_VECTORS; i++)
        v[i] = load_ps(x + 4 * i);
    float d = largest_magnitude(v) / QUANT_MAX;
    if (d < SCALE_MIN) {
        *out = (struct act_q16){0};
        return;
    }
    __m128 scale = _mm_set1_ps(d);
    __m128i sums = _mm_setzero_si128();
    for (int i = 0; i < QUANT_VECTORS; i += 4) {
        __m128i q[4];
        for (int j = 0; j < 4; j++) {
            q[j] = round_ps(_mm_div_ps(v[i + j], scale));
            sums = _mm_add_epi32(sums, q[j]);
        }
        store_split(out->q + 4 * i, _mm_packs_epi32(q[0], q[1]), _mm_packs_epi32(q[2], q[3]));
    }
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, _MM_SHUFFLE(1, 0, 3, 2)));
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, _MM_SHUFFLE(2, 3, 0, 1)));
    out->d = d;
    out->sum = d * (float)_mm_cvtsi128_si32(sums);
}

void quantize_q16(struct act_q16 *out, const float *x, uint32_t cols, uint32_t n) {
    size_t blocks = (size_t)n * (cols / QUANT_BLOCK);
    for (size_t b = 0; b < blocks; b++)
        quantize_block(&out[b], x + b * QUANT_BLOCK);
}
