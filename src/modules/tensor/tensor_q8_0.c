/* tensor_q8_0.c - module: weights in Q8_0, w = d * q. */
#include "fluid/module.h"
#include "half.h"
#include "wide.h"
#include "fluid/tensor.h"

#define Q_RAW 2
#define Q_VECTORS WIDE_VECTORS

struct q_block {
    uint16_t d; /* f16 */
    int8_t q[QUANT_BLOCK];
};
_Static_assert(sizeof(struct q_block) == 34, "GGUF layout");

struct q_scales {
    __m128 d; /* lane r: of the group's row r */
};

TENSOR_INLINE void q_load(__m128i raw[Q_RAW], const struct q_block *block) {
    raw[0] = load_bytes(block->q);
    raw[1] = load_bytes(block->q + 16);
}

TENSOR_INLINE void q_unpack(__m128i v[Q_VECTORS], const __m128i raw[Q_RAW]) {
    widen_epi8(v, raw[0], raw[1]);
}

TENSOR_INLINE void q_activations(__m128i v[Q_VECTORS], const struct act_q8 *x) {
    widen_epi8(v, load_bytes(x->q), load_bytes(x->q + 16));
}

/* The two 16-bit halves of each 32-bit lane, added. Cheaper than PMADDWD with ones where an
 * emulator calls a function for that. */
TENSOR_INLINE __m128i add_pairs_epi16(__m128i v) {
    return _mm_add_epi32(_mm_srai_epi32(_mm_slli_epi32(v, 16), 16), _mm_srai_epi32(v, 16));
}

/* |q| <= 127 for activations and 128 for weights: two products, 32512, fit a 16-bit lane. */
TENSOR_INLINE __m128i q_dots(const __m128i w[ROW_GROUP][Q_VECTORS], const __m128i x[Q_VECTORS]) {
    __m128i sums[ROW_GROUP];
    for (int r = 0; r < ROW_GROUP; r++) {
        __m128i low = _mm_add_epi16(_mm_mullo_epi16(w[r][0], x[0]), _mm_mullo_epi16(w[r][1], x[1]));
        __m128i high =
            _mm_add_epi16(_mm_mullo_epi16(w[r][2], x[2]), _mm_mullo_epi16(w[r][3], x[3]));
        sums[r] = _mm_add_epi32(add_pairs_epi16(low), add_pairs_epi16(high));
    }
    return sum_each_epi32(sums);
}

TENSOR_INLINE struct q_scales q_scales_of(const struct q_block *const block[ROW_GROUP]) {
    return (struct q_scales){half_scales(block[0]->d, block[1]->d, block[2]->d, block[3]->d)};
}

TENSOR_INLINE __m128 q_accumulate(__m128 acc, __m128i dots, struct q_scales s,
                                  const struct act_q8 *x) {
    __m128 scaled = _mm_mul_ps(_mm_cvtepi32_ps(dots), s.d);
    return _mm_add_ps(acc, _mm_mul_ps(scaled, _mm_set1_ps(x->d)));
}

#include "qmatmul.h"

FLUID_EXPORT matmul_fn matmul_q8_0;
FLUID_EXPORT row_fn row_q8_0;

void matmul_q8_0(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                 uint32_t cols, uint32_t n) {
    q_matmul(out, out_stride, w, x, rows, cols, n);
}

void row_q8_0(float *out, const void *w, uint32_t r, uint32_t cols) {
    uint32_t blocks = cols / QUANT_BLOCK;
    const struct q_block *block = (const struct q_block *)w + (size_t)r * blocks;
    for (uint32_t b = 0; b < blocks; b++, block++, out += QUANT_BLOCK) {
        float d = half_to_float(block->d);
        for (uint32_t i = 0; i < QUANT_BLOCK; i++)
            out[i] = d * (float)block->q[i];
    }
}
