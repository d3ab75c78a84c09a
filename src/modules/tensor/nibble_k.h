/* nibble_k.h - Q4_K and Q5_K: w = d * scale * q - dmin * min for each 32 weights; of each 64
 * weights, byte i of q holds weights i and i + 32. The including module defines struct tile_block
 * with d, dmin, scales and q, and upper_bits(block, part, i)   what weight i of a part has above
 * its nibble
 */
#ifndef FLUID_TENSOR_NIBBLE_K_H
#define FLUID_TENSOR_NIBBLE_K_H

#include "superblock.h"

#define PART 32 /* weights with one scale */

TENSOR_INLINE void block_floats(float *out, const struct tile_block *block) {
    float d = half_to_float(block->d), dmin = half_to_float(block->dmin);
    for (uint32_t p = 0; p < SUPER_BLOCK / PART; p++) {
        struct scale_and_min s = super_scale(block->scales, p);
        const uint8_t *q = block->q + p / 2 * PART;
        float scale = d * (float)s.scale, min = dmin * (float)s.min;
        uint32_t shift = p % 2 * 4;
        for (uint32_t i = 0; i < PART; i++)
            *out++ = scale * (float)((q[i] >> shift & 15) + upper_bits(block, p, i)) - min;
    }
}

#endif
