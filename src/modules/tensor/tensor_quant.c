/* tensor_quant.c - module: activations to integers, in blocks of 32. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "rows.h"

#define QUANT_MAX 127
/* Smaller scales are subnormal and imprecise; such a block becomes zero. */
#define SCALE_MIN 0x1p-126f

FLUID_EXPORT quantize_fn quantize_q8, quantize_q8_k;

TENSOR_INLINE __m128i max_epi32(__m128i a, __m128i b) {
    __m128i greater = _mm_cmpgt_epi32(a, b);
    return _mm_or_si128(_mm_and_si128(greater, a), _mm_andnot_si128(greater, b));
}

/* Largest |x[i]|; NaN when there is one: without the sign, floats order like the integers of their
 * bits. */
TENSOR_INLINE float largest_magnitude(const float *x, uint32_t count) {
    const __m128i magnitude = _mm_set1_epi32(INT32_MAX);
    __m128i best = _mm_setzero_si128();
    for (uint32_t i = 0; i < count; i += 4)
        best = max_epi32(best, _mm_and_si128(_mm_castps_si128(load_ps(x + i)), magnitude));
    best = max_epi32(best, _mm_shuffle_epi32(best, _MM_SHUFFLE(1, 0, 3, 2)));
    best = max_epi32(best, _mm_shuffle_epi32(best, _MM_SHUFFLE(2, 3, 0, 1)));
    return _mm_cvtss_f32(_mm_castsi128_ps(best));
}

/* Sixteen values to 8 bits; returns the sum. */
TENSOR_INLINE int16_t quantize_16(int8_t *out, const float *x, __m128 factor) {
    __m128i q[4];
    for (int i = 0; i < 4; i++)
        q[i] = _mm_cvtps_epi32(_mm_mul_ps(load_ps(x + 4 * i), factor));
    __m128i low = _mm_packs_epi32(q[0], q[1]), high = _mm_packs_epi32(q[2], q[3]);
    _mm_storeu_si128((__m128i_u *)out, _mm_packs_epi16(low, high));
    __m128i sums = _mm_madd_epi16(_mm_add_epi16(low, high), _mm_set1_epi16(1));
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, _MM_SHUFFLE(1, 0, 3, 2)));
    sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, _MM_SHUFFLE(2, 3, 0, 1)));
    return (int16_t)_mm_cvtsi128_si32(sums);
}

/* A block of count values, and the sums of 16 each; returns d. */
TENSOR_INLINE float quantize_block(int8_t *q, int16_t *sums, const float *x, uint32_t count) {
    float largest = largest_magnitude(x, count), d = largest / QUANT_MAX;
    if (d < SCALE_MIN) {
        for (uint32_t i = 0; i < count; i++)
            sums[i / 16] = q[i] = 0;
        return 0;
    }
    __m128 factor = _mm_set1_ps(QUANT_MAX / largest);
    for (uint32_t i = 0; i < count; i += 16)
        sums[i / 16] = quantize_16(q + i, x + i, factor);
    return d;
}

void quantize_q8(void *out, const float *x, uint32_t cols, uint32_t n, uint32_t stride) {
    struct act_q8 *to = out;
    for (uint32_t c = 0; c < cols; c += QUANT_BLOCK, to += stride)
        for (uint32_t t = 0; t < n; t++) {
            const float *from = x + (size_t)t * cols + c;
            int16_t sums[QUANT_BLOCK / 16];
            to[t].d = quantize_block(to[t].q, sums, from, QUANT_BLOCK);
            to[t].sum = to[t].d * (float)(sums[0] + sums[1]);
            to[t].offset = -8 * (sums[0] + sums[1]);
        }
}

void quantize_q8_k(void *out, const float *x, uint32_t cols, uint32_t n, uint32_t stride) {
    struct act_q8_k *to = out;
    for (uint32_t c = 0; c < cols; c += SUPER_BLOCK, to += stride)
        for (uint32_t t = 0; t < n; t++)
            to[t].d = quantize_block(to[t].q, to[t].sums, x + (size_t)t * cols + c, SUPER_BLOCK);
}
