/* tile_blocks.h - tiles.h for types in blocks. The including module defines
 *     struct tile_block                      as stored in the GGUF
 *     TILE_BLOCK                             weights in it, a divisor of TILE_COLS
 *     block_floats(out, block)               its weights as floats
 *     TILE_NAME(prefix)                      the operation's name: prefix_q5_0
 * This file exports both operations. */
#include "fluid/module.h"

TENSOR_INLINE void tile_floats(float *out, const struct tile_block *row, uint32_t first,
                               uint32_t count) {
    const struct tile_block *block = row + first / TILE_BLOCK;
    for (uint32_t c = 0; c < count; c += TILE_BLOCK)
        block_floats(out + c, block++);
}

#define TILE_WEIGHT struct tile_block
#include "tiles.h"

FLUID_EXPORT matmul_fn TILE_NAME(matmul);
FLUID_EXPORT row_fn TILE_NAME(row);

void TILE_NAME(matmul)(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                       uint32_t cols, uint32_t n) {
    tile_matmul(out, out_stride, w, cols / TILE_BLOCK, x, rows, cols, n);
}

void TILE_NAME(row)(float *out, const void *w, uint32_t r, uint32_t cols) {
    const struct tile_block *weights = w;
    tile_dequantise(out, weights + (size_t)r * (cols / TILE_BLOCK), cols);
}
