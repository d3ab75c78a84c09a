/* tensor_q2_k.c - module: weights in Q2_K, w = d * scale * q - dmin * min for each 16 weights. */
#include "superblock.h"

#define PART 16 /* weights with one scale */

struct tile_block {
    uint8_t scales[SUPER_BLOCK / PART]; /* low half: scale, high half: min */
    uint8_t
        q[SUPER_BLOCK / 4]; /* of each 128 weights, byte i holds weights i, i + 32, + 64, + 96 */
    uint16_t d, dmin;       /* f16 */
};
_Static_assert(sizeof(struct tile_block) == 84, "GGUF layout");

#define TILE_BLOCK SUPER_BLOCK
#define TILE_NAME(prefix) prefix##_q2_k

TENSOR_INLINE void block_floats(float *out, const struct tile_block *block) {
    float d = half_to_float(block->d), dmin = half_to_float(block->dmin);
    for (uint32_t p = 0; p < SUPER_BLOCK / PART; p++) {
        const uint8_t *q = block->q + p / 8 * 32 + p % 2 * PART;
        float scale = d * (float)(block->scales[p] & 15);
        float min = dmin * (float)(block->scales[p] >> 4);
        uint32_t shift = p % 8 / 2 * 2;
        for (uint32_t i = 0; i < PART; i++)
            *out++ = scale * (float)(q[i] >> shift & 3) - min;
    }
}

#include "tile_blocks.h"
