/* tensor_q8_0.c - module: weights in Q8_0, w = d * q. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "half.h"
#include "wide.h"

#define Q_RAW 2

struct q_block {
    uint16_t d; /* f16 */
    int8_t q[QUANT_BLOCK];
};
_Static_assert(sizeof(struct q_block) == 34, "GGUF layout");

TENSOR_INLINE void q_load(__m128i raw[Q_RAW], const struct q_block *block) {
    raw[0] = load_bytes(block->q);
    raw[1] = load_bytes(block->q + 16);
}

TENSOR_INLINE void q_unpack(q_vector v[Q_VECTORS], const q_vector raw[Q_RAW]) {
    widen_epi8(v, raw[0], raw[1]);
}

#include "scale.h"
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
