/* tensor_act.c - module: elementwise operations. */
#include "fluid/module.h"
#include "fluid/tensor.h"
#include "expf.h"

FLUID_EXPORT swiglu_fn swiglu;
FLUID_EXPORT add_fn add;

TENSOR_INLINE v8f silu(v8f x) {
    return x / (exp_v8f(-x) + 1.0f);
}

void swiglu(float *gate, const float *up, uint64_t count) {
    size_t end = (size_t)count;
    for (size_t i = 0; i < end; i += EIGHT)
        v8f_store(gate + i, silu(v8f_load(gate + i, end - i)) * v8f_load(up + i, end - i), end - i);
}

void add(float *x, const float *y, uint64_t count) {
    size_t end = (size_t)count;
    for (size_t i = 0; i < end; i += EIGHT)
        v8f_store(x + i, v8f_load(x + i, end - i) + v8f_load(y + i, end - i), end - i);
}
