/* tiles.h - matrix times batch for weights that are converted to float, a tile at a time.
 *
 * A template: the including module defines TILE_WEIGHT, what a row is an array of, and
 *     tile_floats(out, row, first, count)   columns first .. first + count of a row as floats
 * where first is a multiple of TILE_COLS, and count one of the type's block, at most TILE_COLS.
 * Then it calls tile_matmul and tile_row. Per (row, token), columns are added in one order,
 * whatever n and the row's place: a token's result does not depend on the batch it is in. */
#ifndef FLUID_TENSOR_TILES_H
#define FLUID_TENSOR_TILES_H

#include "fluid/tensor.h"
#include "rows.h"

#define TILE_COLS 256 /* floats of each of four rows on the stack: 4 KiB */
#define TILE_TOKENS 32

/* Columns first .. first + count of up to TILE_TOKENS tokens, added to acc. */
static void tile_add(__m128 acc[][ROW_GROUP], const TILE_WEIGHT *const row[ROW_GROUP],
                     const float *x, uint32_t cols, uint32_t first, uint32_t count,
                     uint32_t tokens) {
    float tile[ROW_GROUP][TILE_COLS];
    const float *tile_row[ROW_GROUP];
    for (int i = 0; i < ROW_GROUP; i++) {
        tile_floats(tile[i], row[i], first, count);
        tile_row[i] = tile[i];
    }
    for (uint32_t t = 0; t < tokens; t++)
        dot_rows_ps(acc[t], tile_row, x + (size_t)t * cols + first, count);
}

/* The operation of tensor.h; w (rows, stride), x (n, cols). A group at the end repeats its last
 * row; the surplus lanes are dropped. */
static void tile_matmul(float *out, uint32_t out_stride, const TILE_WEIGHT *w, size_t stride,
                        const float *x, uint32_t rows, uint32_t cols, uint32_t n) {
    for (uint32_t r = 0; r < rows; r += ROW_GROUP) {
        const TILE_WEIGHT *row[ROW_GROUP];
        uint32_t lanes = rows - r < ROW_GROUP ? rows - r : ROW_GROUP;
        for (uint32_t i = 0; i < ROW_GROUP; i++)
            row[i] = w + (i < lanes ? r + i : rows - 1) * stride;
        for (uint32_t t = 0; t < n; t += TILE_TOKENS) {
            __m128 acc[TILE_TOKENS][ROW_GROUP];
            uint32_t tokens = n - t < TILE_TOKENS ? n - t : TILE_TOKENS;
            for (uint32_t i = 0; i < tokens * ROW_GROUP; i++)
                acc[i / ROW_GROUP][i % ROW_GROUP] = _mm_setzero_ps();
            for (uint32_t first = 0; first < cols; first += TILE_COLS) {
                uint32_t count = cols - first < TILE_COLS ? cols - first : TILE_COLS;
                tile_add(acc, row, x + (size_t)t * cols, cols, first, count, tokens);
            }
            for (uint32_t i = 0; i < tokens; i++)
                store_partial(out + (size_t)(t + i) * out_stride + r, sum_each_ps(acc[i]), lanes);
        }
    }
}

/* out (cols,) */
TENSOR_INLINE void tile_dequantise(float *out, const TILE_WEIGHT *row, uint32_t cols) {
    for (uint32_t first = 0; first < cols; first += TILE_COLS)
        tile_floats(out + first, row, first, cols - first < TILE_COLS ? cols - first : TILE_COLS);
}

#endif
