/* tensor_q5_1.c - module: weights in Q5_1, w = d * q + m. */
#include "fluid/tensor.h"
#include "five.h"
#include "half.h"

struct tile_block {
    uint16_t d, m; /* f16 */
    struct five_bits q;
};
_Static_assert(sizeof(struct tile_block) == 24, "GGUF layout");

#define TILE_BLOCK QUANT_BLOCK
#define TILE_NAME(prefix) prefix##_q5_1

TENSOR_INLINE void block_floats(float *out, const struct tile_block *block) {
    uint8_t q[QUANT_BLOCK];
    float d = half_to_float(block->d), m = half_to_float(block->m);
    five_unpack(q, &block->q);
    for (uint32_t i = 0; i < QUANT_BLOCK; i++)
        out[i] = d * (float)q[i] + m;
}

#include "tile_blocks.h"
