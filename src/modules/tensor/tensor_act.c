/* tensor_act.c - module: elementwise operations. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "expf.h"
#include "rows.h"

FLUID_EXPORT swiglu_fn swiglu;
FLUID_EXPORT add_fn add;

TENSOR_INLINE __m128 silu_ps(__m128 x) {
    __m128 negative = _mm_xor_ps(x, _mm_set1_ps(-0.0f));
    return _mm_div_ps(x, _mm_add_ps(_mm_set1_ps(1.0f), exp_ps(negative)));
}

void swiglu(float *gate, const float *up, uint64_t count) {
    size_t i = 0, end = (size_t)count;
    for (; end - i >= 4; i += 4)
        _mm_storeu_ps(gate + i, _mm_mul_ps(silu_ps(load_ps(gate + i)), load_ps(up + i)));
    if (i < end) {
        uint32_t rest = (uint32_t)(end - i);
        __m128 v = silu_ps(load_partial(gate + i, rest));
        store_partial(gate + i, _mm_mul_ps(v, load_partial(up + i, rest)), rest);
    }
}

void add(float *x, const float *y, uint64_t count) {
    size_t i = 0, end = (size_t)count;
    for (; end - i >= 4; i += 4)
        _mm_storeu_ps(x + i, _mm_add_ps(load_ps(x + i), load_ps(y + i)));
    for (; i < end; i++)
        x[i] += y[i];
}
