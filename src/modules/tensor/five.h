/* five.h - blocks of 32 five-bit weights (Q5_0, Q5_1). Byte i of the nibbles holds weight i in its
 * low and weight i + 16 in its high half; bit i of `high` is bit 4 of weight i. */
#ifndef FLUID_TENSOR_FIVE_H
#define FLUID_TENSOR_FIVE_H

#include "simd.h"
#include "fluid/tensor.h"

struct five_bits {
    uint8_t high[QUANT_BLOCK / 8];
    uint8_t low[QUANT_BLOCK / 2];
};

/* q[i] = weight i, 0 .. 31. */
TENSOR_INLINE void five_unpack(uint8_t q[QUANT_BLOCK], const struct five_bits *bits) {
    for (uint32_t i = 0; i < QUANT_BLOCK / 2; i++) {
        uint32_t j = i + QUANT_BLOCK / 2;
        q[i] = (uint8_t)((bits->low[i] & 15) | (bits->high[i / 8] >> i % 8 & 1) << 4);
        q[j] = (uint8_t)(bits->low[i] >> 4 | (bits->high[j / 8] >> j % 8 & 1) << 4);
    }
}

#endif
