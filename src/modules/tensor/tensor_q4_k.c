/* tensor_q4_k.c - module: weights in Q4_K, as nibble_k.h says. */
#include "superblock.h"

struct tile_block {
    uint16_t d, dmin; /* f16 */
    uint8_t scales[SUPER_SCALES];
    uint8_t q[SUPER_BLOCK / 2];
};
_Static_assert(sizeof(struct tile_block) == 144, "GGUF layout");

#define TILE_BLOCK SUPER_BLOCK
#define TILE_NAME(prefix) prefix##_q4_k

TENSOR_INLINE int32_t upper_bits(const struct tile_block *block, uint32_t part, uint32_t i) {
    (void)block, (void)part, (void)i;
    return 0;
}

#include "nibble_k.h"
#include "tile_blocks.h"
