/* tensor_norm.c - module: root mean square normalisation. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "rows.h"

FLUID_EXPORT rmsnorm_fn rmsnorm;

/* Two accumulators: the additions of one need not wait for the other. */
static float sum_of_squares(const float *x, uint32_t count) {
    __m128 even = _mm_setzero_ps(), odd = _mm_setzero_ps();
    uint32_t c = 0;
    for (; c + 8 <= count; c += 8) {
        __m128 a = load_ps(x + c), b = load_ps(x + c + 4);
        even = _mm_add_ps(even, _mm_mul_ps(a, a));
        odd = _mm_add_ps(odd, _mm_mul_ps(b, b));
    }
    for (; c < count; c += 4) {
        __m128 a = count - c >= 4 ? load_ps(x + c) : load_partial(x + c, count - c);
        even = _mm_add_ps(even, _mm_mul_ps(a, a));
    }
    return sum_ps(_mm_add_ps(even, odd));
}

void rmsnorm(float *out, const float *x, const float *w, uint32_t dim, float eps, uint32_t n) {
    for (uint32_t t = 0; t < n; t++, x += dim, out += dim) {
        float mean = sum_of_squares(x, dim) / (float)dim;
        __m128 root = _mm_sqrt_ss(_mm_set_ss(mean + eps));
        __m128 scale = _mm_set1_ps(1.0f / _mm_cvtss_f32(root));
        for (uint32_t c = 0; c < dim; c += 4) {
            uint32_t count = dim - c < 4 ? dim - c : 4;
            __m128 v = count == 4 ? load_ps(x + c) : load_partial(x + c, count);
            __m128 g = count == 4 ? load_ps(w + c) : load_partial(w + c, count);
            store_partial(out + c, _mm_mul_ps(_mm_mul_ps(v, scale), g), count);
        }
    }
}
