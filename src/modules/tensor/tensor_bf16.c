/* tensor_bf16.c - module: weights in BF16, the upper half of a float. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "rows.h"

TENSOR_INLINE void tile_floats(float *out, const uint16_t *row, uint32_t first, uint32_t count) {
    uint32_t c = 0;
    for (; c + 8 <= count; c += 8) {
        __m128i halves = load_bytes(row + first + c), zero = _mm_setzero_si128();
        _mm_storeu_ps(out + c, _mm_castsi128_ps(_mm_unpacklo_epi16(zero, halves)));
        _mm_storeu_ps(out + c + 4, _mm_castsi128_ps(_mm_unpackhi_epi16(zero, halves)));
    }
    for (; c < count; c++)
        out[c] = _mm_cvtss_f32(
            _mm_castsi128_ps(_mm_cvtsi32_si128((int)((uint32_t)row[first + c] << 16))));
}

#define TILE_WEIGHT uint16_t
#include "tiles.h"

FLUID_EXPORT matmul_fn matmul_bf16;
FLUID_EXPORT row_fn row_bf16;

void matmul_bf16(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                 uint32_t cols, uint32_t n, uint32_t ahead) {
    (void)ahead; /* rows are converted first */
    tile_matmul(out, out_stride, w, cols, x, rows, cols, n);
}

void row_bf16(float *out, const void *w, uint32_t r, uint32_t rows, uint32_t cols) {
    (void)rows;
    tile_dequantise(out, (const uint16_t *)w + (size_t)r * cols, cols);
}
