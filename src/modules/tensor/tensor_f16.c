/* tensor_f16.c - module: weights in F16, converted to float a tile at a time. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "half.h"
#include "rows.h"

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

TENSOR_INLINE void tile_floats(float *out, const uint16_t *row, uint32_t first, uint32_t count) {
    halves_to_floats(out, row + first, count);
}

#define TILE_WEIGHT uint16_t
#include "tiles.h"

void matmul_f16(float *out, uint32_t out_stride, const void *w, const void *x, uint32_t rows,
                uint32_t cols, uint32_t n, uint32_t ahead) {
    (void)ahead; /* rows are converted first */
    tile_matmul(out, out_stride, w, cols, x, rows, cols, n);
}

void row_f16(float *out, const void *w, uint32_t r, uint32_t rows, uint32_t cols) {
    (void)rows;
    halves_to_floats(out, (const uint16_t *)w + (size_t)r * cols, cols);
}
