/* tensor_rope.c - module: rotary position embedding of interleaved pairs. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "rows.h"

FLUID_EXPORT rope_fn rope;

/* Two pairs: x = a0 b0 a1 b1, table = c0 s0 c1 s1 -> a c - b s, b c + a s of each. */
TENSOR_INLINE __m128 rotate_pairs(__m128 x, __m128 table) {
    const __m128i negate_even = _mm_setr_epi32(INT32_MIN, 0, INT32_MIN, 0);
    __m128 cosine = _mm_shuffle_ps(table, table, _MM_SHUFFLE(2, 2, 0, 0));
    __m128 sine = _mm_shuffle_ps(table, table, _MM_SHUFFLE(3, 3, 1, 1));
    __m128 swapped = _mm_shuffle_ps(x, x, _MM_SHUFFLE(2, 3, 0, 1));
    __m128 cross = _mm_xor_ps(_mm_mul_ps(swapped, sine), _mm_castsi128_ps(negate_even));
    return _mm_add_ps(_mm_mul_ps(x, cosine), cross);
}

void rope(float *x, const float *table, uint32_t pos, uint32_t heads, uint32_t head_dim,
          uint32_t rope_dim, uint32_t n) {
    for (uint32_t t = 0; t < n; t++) {
        const float *angles = table + (size_t)(pos + t) * rope_dim; /* (rope_dim / 2, 2) */
        for (uint32_t h = 0; h < heads; h++, x += head_dim) {
            uint32_t i = 0;
            for (; i + 4 <= rope_dim; i += 4)
                _mm_storeu_ps(x + i, rotate_pairs(load_ps(x + i), load_ps(angles + i)));
            if (i < rope_dim)
                store_partial(x + i,
                              rotate_pairs(load_partial(x + i, 2), load_partial(angles + i, 2)), 2);
        }
    }
}
