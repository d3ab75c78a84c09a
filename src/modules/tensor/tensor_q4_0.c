/* tensor_q4_0.c - module: weights in Q4_0, w = d * (nibble - 8). */
#include "fluid/module.h"
#include "half.h"
#include "nibble.h"

#define NIBBLE_BIAS 8

struct q_block {
    uint16_t d; /* f16 */
    uint8_t q[NIBBLE_BYTES];
};
_Static_assert(sizeof(struct q_block) == 18, "GGUF layout");

struct q_scales {
    __m128 d; /* lane r: of the group's row r */
};

TENSOR_INLINE void q_load(__m128i raw[Q_RAW], const struct q_block *block) {
    raw[0] = load_bytes(block->q);
}

TENSOR_INLINE void q_unpack(__m128i v[Q_VECTORS], const __m128i raw[Q_RAW]) {
    nibble_unpack_signed(v, raw[0]);
}

TENSOR_INLINE struct q_scales q_scales_of(const struct q_block *const block[ROW_GROUP]) {
    return (struct q_scales){half_scales(block[0]->d, block[1]->d, block[2]->d, block[3]->d)};
}

TENSOR_INLINE __m128 q_accumulate(__m128 acc, __m128i dots, struct q_scales s,
                                  const struct act_q16 *x) {
    __m128 scaled = _mm_mul_ps(_mm_cvtepi32_ps(dots), s.d);
    return _mm_add_ps(acc, _mm_mul_ps(scaled, _mm_set1_ps(x->d)));
}

#include "qmatmul.h"

FLUID_EXPORT matmul_fn matmul_q4_0;
FLUID_EXPORT row_fn row_q4_0;

void matmul_q4_0(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                 uint32_t cols, uint32_t n) {
    q_matmul(out, out_stride, w, x, rows, cols, n);
}

void row_q4_0(float *out, const void *w, uint32_t r, uint32_t cols) {
    uint32_t blocks = cols / QUANT_BLOCK;
    const struct q_block *block = (const struct q_block *)w + (size_t)r * blocks;
    for (uint32_t b = 0; b < blocks; b++, block++, out += QUANT_BLOCK) {
        float d = half_to_float(block->d);
        for (uint32_t i = 0; i < NIBBLE_BYTES; i++) {
            out[i] = d * (float)((block->q[i] & 15) - NIBBLE_BIAS);
            out[i + NIBBLE_BYTES] = d * (float)((block->q[i] >> 4) - NIBBLE_BIAS);
        }
    }
}
