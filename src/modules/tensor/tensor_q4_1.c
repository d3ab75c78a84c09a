/* tensor_q4_1.c - module: weights in Q4_1, w = d * nibble + m. */
#include "fluid/module.h"
#include "half.h"
#include "nibble.h"

struct q_block {
    uint16_t d, m; /* f16 */
    uint8_t q[NIBBLE_BYTES];
};
_Static_assert(sizeof(struct q_block) == 20, "GGUF layout");

struct q_scales {
    __m128 d, m; /* lane r: of the group's row r */
};

TENSOR_INLINE void q_load(__m128i raw[Q_RAW], const struct q_block *block) {
    raw[0] = load_bytes(block->q);
}

TENSOR_INLINE void q_unpack(q_vector v[Q_VECTORS], const q_vector raw[Q_RAW]) {
    nibble_unpack(v, raw[0]);
}

/* d in the low, m in the high half. */
TENSOR_INLINE int32_t q_both_scales(const struct q_block *block) {
    return (int32_t)(block->d | (uint32_t)block->m << 16);
}

TENSOR_INLINE struct q_scales q_scales_of(const struct q_block *const block[ROW_GROUP]) {
    struct half_pairs pairs =
        half_pairs_to_float(_mm_setr_epi32(q_both_scales(block[0]), q_both_scales(block[1]),
                                           q_both_scales(block[2]), q_both_scales(block[3])));
    return (struct q_scales){pairs.low, pairs.high};
}

TENSOR_INLINE __m128 q_accumulate(__m128 acc, __m128i dots, struct q_scales s,
                                  const struct act_q16 *x) {
    __m128 scaled = _mm_mul_ps(_mm_mul_ps(_mm_cvtepi32_ps(dots), s.d), _mm_set1_ps(x->d));
    return _mm_add_ps(acc, _mm_add_ps(scaled, _mm_mul_ps(s.m, _mm_set1_ps(x->sum))));
}

#include "qmatmul.h"

FLUID_EXPORT matmul_fn matmul_q4_1;
FLUID_EXPORT row_fn row_q4_1;

void matmul_q4_1(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                 uint32_t cols, uint32_t n) {
    q_matmul(out, out_stride, w, x, rows, cols, n);
}

void row_q4_1(float *out, const void *w, uint32_t r, uint32_t cols) {
    uint32_t blocks = cols / QUANT_BLOCK;
    const struct q_block *block = (const struct q_block *)w + (size_t)r * blocks;
    for (uint32_t b = 0; b < blocks; b++, block++, out += QUANT_BLOCK) {
        float d = half_to_float(block->d), m = half_to_float(block->m);
        for (uint32_t i = 0; i < NIBBLE_BYTES; i++) {
            out[i] = d * (float)(block->q[i] & 15) + m;
            out[i + NIBBLE_BYTES] = d * (float)(block->q[i] >> 4) + m;
        }
    }
}
