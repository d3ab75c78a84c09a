/* tensor_q3_k.c - module: weights in Q3_K, w = d * (scale - 32) * (q - 4) for each 16 weights. */
#include "superblock.h"

#define PART 16 /* weights with one scale */
#define SCALE_BIAS 32

struct tile_block {
    uint8_t high[SUPER_BLOCK / 8]; /* bit b of byte i is bit 2 of weight 32 b + i */
    uint8_t
        q[SUPER_BLOCK / 4]; /* of each 128 weights, byte i holds weights i, i + 32, + 64, + 96 */
    uint8_t scales[SUPER_SCALES]; /* sixteen of six bits */
    uint16_t d;                   /* f16 */
};
_Static_assert(sizeof(struct tile_block) == 110, "GGUF layout");

#define TILE_BLOCK SUPER_BLOCK
#define TILE_NAME(prefix) prefix##_q3_k

/* Four bits of each in bytes 0 .. 7, first the low halves; two in bytes 8 .. 11. */
TENSOR_INLINE int32_t scale_of(const struct tile_block *block, uint32_t p) {
    uint32_t low = block->scales[p % 8] >> p / 8 * 4 & 15;
    uint32_t high = block->scales[8 + p % 4] >> p / 4 * 2 & 3;
    return (int32_t)(low | high << 4) - SCALE_BIAS;
}

TENSOR_INLINE void block_floats(float *out, const struct tile_block *block) {
    float d = half_to_float(block->d);
    for (uint32_t p = 0; p < SUPER_BLOCK / PART; p++) {
        const uint8_t *q = block->q + p / 8 * 32 + p % 2 * PART;
        const uint8_t *high = block->high + p % 2 * PART;
        float scale = d * (float)scale_of(block, p);
        uint32_t shift = p % 8 / 2 * 2, bit = p / 2;
        for (uint32_t i = 0; i < PART; i++)
            *out++ = scale * (float)((q[i] >> shift & 3) + (high[i] >> bit & 1) * 4 - 4);
    }
}

#include "tile_blocks.h"
