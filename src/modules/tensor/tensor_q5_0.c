/* tensor_q5_0.c - module: weights in Q5_0, w = d * (q - 16). */
#include "fluid/tensor.h"
#include "five.h"
#include "half.h"

#define FIVE_BIAS 16

struct tile_block {
    uint16_t d; /* f16 */
    struct five_bits q;
};
_Static_assert(sizeof(struct tile_block) == 22, "GGUF layout");

#define TILE_BLOCK QUANT_BLOCK
#define TILE_NAME(prefix) prefix##_q5_0

TENSOR_INLINE void block_floats(float *out, const struct tile_block *block) {
    uint8_t q[QUANT_BLOCK];
    float d = half_to_float(block->d);
    five_unpack(q, &block->q);
    for (uint32_t i = 0; i < QUANT_BLOCK; i++)
        out[i] = d * (float)(q[i] - FIVE_BIAS);
}

#include "tile_blocks.h"
