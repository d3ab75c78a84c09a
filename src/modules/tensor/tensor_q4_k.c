/* tensor_q4_k.c - module: weights in Q4_K, w = d * scale * q - dmin * min for each 32 weights. */
#include "superblock.h"

#define PART 32 /* weights with one scale */

struct tile_block {
    uint16_t d, dmin; /* f16 */
    uint8_t scales[SUPER_SCALES];
    uint8_t q[SUPER_BLOCK / 2]; /* of each 64 weights, byte i holds weights i and i + 32 */
};
_Static_assert(sizeof(struct tile_block) == 144, "GGUF layout");

#define TILE_BLOCK SUPER_BLOCK
#define TILE_NAME(prefix) prefix##_q4_k

TENSOR_INLINE void block_floats(float *out, const struct tile_block *block) {
    float d = half_to_float(block->d), dmin = half_to_float(block->dmin);
    for (uint32_t p = 0; p < SUPER_BLOCK / PART; p++) {
        struct scale_and_min s = super_scale(block->scales, p);
        const uint8_t *q = block->q + p / 2 * PART;
        float scale = d * (float)s.scale, min = dmin * (float)s.min;
        uint32_t shift = p % 2 * 4;
        for (uint32_t i = 0; i < PART; i++)
            *out++ = scale * (float)(q[i] >> shift & 15) - min;
    }
}

#include "tile_blocks.h"
