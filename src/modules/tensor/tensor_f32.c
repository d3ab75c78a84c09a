/* tensor_f32.c - module: weights in F32. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "rows.h"

FLUID_EXPORT matmul_fn matmul_f32;
FLUID_EXPORT row_fn row_f32;

/* A group at the end repeats its last row; the surplus lanes are dropped. */
void matmul_f32(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                uint32_t cols, uint32_t n, uint32_t ahead) {
    (void)ahead;
    for (uint32_t r = 0; r < rows; r += ROW_GROUP) {
        const float *row[ROW_GROUP];
        uint32_t lanes = rows - r < ROW_GROUP ? rows - r : ROW_GROUP;
        for (uint32_t i = 0; i < ROW_GROUP; i++)
            row[i] = (const float *)w + (size_t)(i < lanes ? r + i : rows - 1) * cols;
        for (uint32_t t = 0; t < n; t++) {
            __m128 acc[ROW_GROUP];
            for (int i = 0; i < ROW_GROUP; i++)
                acc[i] = _mm_setzero_ps();
            dot_rows_ps(acc, row, (const float *)x + (size_t)t * cols, cols);
            store_partial(out + (size_t)t * out_stride + r, sum_each_ps(acc), lanes);
        }
    }
}

void row_f32(float *out, const void *w, uint32_t r, uint32_t rows, uint32_t cols) {
    (void)rows;
    const float *row = (const float *)w + (size_t)r * cols;
    for (uint32_t c = 0; c < cols; c++)
        out[c] = row[c];
}
