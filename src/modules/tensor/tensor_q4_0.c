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

TENSOR_INLINE void q_load(__m128i raw[Q_RAW], const struct q_block *block) {
    raw[0] = load_bytes(block->q);
}

TENSOR_INLINE void q_unpack(q_vector v[Q_VECTORS], const q_vector raw[Q_RAW]) {
    nibble_unpack_signed(v, raw[0]);
}

#include "scale.h"
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
