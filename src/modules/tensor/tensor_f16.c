/* tensor_f16.c - module: weights in F16, converted to float a tile at a time. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "half.h"
#include "rows.h"

#define TILE_COLS 256 /* floats of each of four rows on the stack: 4 KiB */
#define TILE_TOKENS 32

FLUID_EXPORT matmul_fn matmul_f16;
FLUID_EXPORT row_fn row_f16;

TENSOR_INLINE void halves_to_floats(float *out, const uint16_t *in, uint32_t count) {
    uint32_t c = 0;
#ifdef __AVX512F__
    for (; c + WIDE_COLS <= count; c += WIDE_COLS)
        _mm512_storeu_ps(out + c, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i_u *)(in + c))));
#endif
    for (; c + 8 <= count; c += 8) {
        struct half_pairs pairs = half_pairs_to_float(load_bytes(in + c));
        _mm_storeu_ps(out + c, _mm_unpacklo_ps(pairs.low, pairs.high));
        _mm_storeu_ps(out + c + 4, _mm_unpackhi_ps(pairs.low, pairs.high));
    }
    for (; c < count; c++)
        out[c] = half_to_float(in[c]);
}

/* Columns first .. first + count of up to TILE_TOKENS tokens, added to acc. */
static void f16_tile(__m128 acc[][ROW_GROUP], const uint16_t *const row[ROW_GROUP], const float *x,
                     uint32_t cols, uint32_t first, uint32_t count, uint32_t tokens) {
    float tile[ROW_GROUP][TILE_COLS];
    const float *tile_row[ROW_GROUP];
    for (int i = 0; i < ROW_GROUP; i++) {
        halves_to_floats(tile[i], row[i] + first, count);
        tile_row[i] = tile[i];
    }
    for (uint32_t t = 0; t < tokens; t++)
        dot_rows_ps(acc[t], tile_row, x + (size_t)t * cols + first, count);
}

/* A group at the end repeats its last row; the surplus lanes are dropped. */
void matmul_f16(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                uint32_t cols, uint32_t n) {
    for (uint32_t r = 0; r < rows; r += ROW_GROUP) {
        const uint16_t *row[ROW_GROUP];
        uint32_t lanes = rows - r < ROW_GROUP ? rows - r : ROW_GROUP;
        for (uint32_t i = 0; i < ROW_GROUP; i++)
            row[i] = (const uint16_t *)w + (size_t)(i < lanes ? r + i : rows - 1) * cols;
        for (uint32_t t = 0; t < n; t += TILE_TOKENS) {
            __m128 acc[TILE_TOKENS][ROW_GROUP];
            uint32_t tokens = n - t < TILE_TOKENS ? n - t : TILE_TOKENS;
            for (uint32_t i = 0; i < tokens * ROW_GROUP; i++)
                acc[i / ROW_GROUP][i % ROW_GROUP] = _mm_setzero_ps();
            for (uint32_t first = 0; first < cols; first += TILE_COLS) {
                uint32_t count = cols - first < TILE_COLS ? cols - first : TILE_COLS;
                f16_tile(acc, row, (const float *)x + (size_t)t * cols, cols, first, count, tokens);
            }
            for (uint32_t i = 0; i < tokens; i++)
                store_partial(out + (size_t)(t + i) * out_stride + r, sum_each_ps(acc[i]), lanes);
        }
    }
}

void row_f16(float *out, const void *w, uint32_t r, uint32_t cols) {
    halves_to_floats(out, (const uint16_t *)w + (size_t)r * cols, cols);
}
