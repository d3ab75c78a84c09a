/* tensor_q6_k.c - module: weights in Q6_K, w = d * scale * (q - 32) for each 16 weights. */
#include "superblock.h"

#define PART 32
#define SIX_BIAS 32

struct tile_block {
    uint8_t low[SUPER_BLOCK / 2];  /* of each 128 weights, byte i holds weights i and i + 64 */
    uint8_t high[SUPER_BLOCK / 4]; /* of each 128 weights, byte i: i, i + 32, + 64, + 96 */
    int8_t scales[SUPER_BLOCK / 16];
    uint16_t d; /* f16 */
};
_Static_assert(sizeof(struct tile_block) == 210, "GGUF layout");

#define TILE_BLOCK SUPER_BLOCK
#define TILE_NAME(prefix) prefix##_q6_k

TENSOR_INLINE void block_floats(float *out, const struct tile_block *block) {
    float d = half_to_float(block->d);
    for (uint32_t p = 0; p < SUPER_BLOCK / PART; p++) {
        uint32_t half = p / 4, part = p % 4;
        const uint8_t *low = block->low + half * 64 + part % 2 * PART;
        const uint8_t *high = block->high + half * 32;
        for (uint32_t i = 0; i < PART; i++) {
            int32_t q = (low[i] >> part / 2 * 4 & 15) | (high[i] >> part * 2 & 3) << 4;
            float scale = d * (float)block->scales[2 * p + i / 16];
            *out++ = scale * (float)(q - SIX_BIAS);
        }
    }
}

#include "tile_blocks.h"
