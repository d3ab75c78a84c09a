/* superblock.h - what the "K" types have in common: 256 weights, whose scales are small integers
 * that one or two f16 numbers multiply (ggml-common.h, "super-block quantization structures"). */
#ifndef FLUID_TENSOR_SUPERBLOCK_H
#define FLUID_TENSOR_SUPERBLOCK_H

#include "simd.h"
#include "half.h"

#define SUPER_BLOCK 256
#define SUPER_SCALES 12 /* bytes of eight scales and eight minima in six bits (Q4_K, Q5_K) */

struct scale_and_min {
    uint8_t scale, min; /* 0 .. 63 */
};

/* Number i of eight. The first four stand in the lower six bits of bytes 0 .. 3 and 4 .. 7; of the
 * others four bits are in bytes 8 .. 11, and two on top of the first ones. */
TENSOR_INLINE struct scale_and_min super_scale(const uint8_t packed[SUPER_SCALES], uint32_t i) {
    if (i < 4)
        return (struct scale_and_min){packed[i] & 63, packed[i + 4] & 63};
    return (struct scale_and_min){
        (uint8_t)((packed[i + 4] & 15) | packed[i - 4] >> 6 << 4),
        (uint8_t)(packed[i + 4] >> 4 | packed[i] >> 6 << 4),
    };
}

#endif
