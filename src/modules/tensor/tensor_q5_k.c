/* tensor_q5_k.c - module: weights in Q5_K, as nibble_k.h says. */
#include "superblock.h"

struct tile_block {
    uint16_t d, dmin; /* f16 */
    uint8_t scales[SUPER_SCALES];
    uint8_t high[SUPER_BLOCK / 8]; /* bit b of byte i is bit 4 of weight 32 b + i */
    uint8_t q[SUPER_BLOCK / 2];
};
_Static_assert(sizeof(struct tile_block) == 176, "GGUF layout");

#define TILE_BLOCK SUPER_BLOCK
#define TILE_NAME(prefix) prefix##_q5_k

TENSOR_INLINE int32_t upper_bits(const struct tile_block *block, uint32_t part, uint32_t i) {
    return (block->high[i] >> part & 1) * 16;
}

#include "nibble_k.h"
#include "tile_blocks.h"
