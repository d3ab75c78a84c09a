/* matrix_mul.c - benchmark: products of square matrices of float as a textbook has them, row times
 * column. Unit of work: multiplications of matrices; the size is their order n.
 *
 * A call begins with a random matrix and multiplies it again and again with another one, whose
 * elements are small enough for the product not to grow without end. Each element is one sum, in
 * the order of k: additions that wait for each other, and columns that are read with a stride of
 * n floats. (gemm_tile.c has another order of loops.) The checksum is FNV-1a over the last product;
 * each operation is rounded once, so it is the same on every processor. */
#include "fluid/module.h"
#include "mix.h"
#include "sizes.h"

FLUID_EXPORT bench_open_fn bench_matrix_mul_open;
FLUID_EXPORT bench_call_fn bench_matrix_mul_call;
FLUID_EXPORT bench_close_fn bench_matrix_mul_close;

static const struct bench_sizes sizes = {
    "multiplications", 1, {{16, 0xbd68f941}, {64, 0x6c28fecc}, {128, 0x0ae2da32}}};

#define ELEMENTS 32768u /* of the products of one call together: 128, 8 or 2 matrices */

/* All (n, n). */
struct work {
    size_t n;
    float *first, *factor, *product, *other;
    _Alignas(64) float elements[];
};

/* n random elements that are multiplied with elements of `factor` have a sum of about their own
 * size when these are around sqrt(3 / n): a power of two is near enough. */
static float scale(size_t n) {
    float scale = 1;
    while (scale * scale * (float)n > 6)
        scale /= 2;
    return scale;
}

int bench_matrix_mul_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *err) {
    if (bench_choose(bench, &sizes, size, err) != 0)
        return -1;
    size_t n = (size_t)bench->size, count = n * n;
    uint32_t random = mix_seed();
    if (bench_allocate(bench, sizeof(struct work) + 4 * count * sizeof(float), err) != 0)
        return -1;
    struct work *w = bench->work;
    w->n = n;
    w->first = w->elements;
    w->factor = w->first + count;
    w->product = w->factor + count;
    w->other = w->product + count;
    mix_fill(w->first, count, 1, &random);
    mix_fill(w->factor, count, scale(n), &random);
    bench->units = ELEMENTS / count;
    return 0;
}

/* product = a b, all (n, n) */
static void multiply(float *product, const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            float sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += a[i * n + k] * b[k * n + j];
            product[i * n + j] = sum;
        }
    }
}

uint32_t bench_matrix_mul_call(const struct fluid_bench *bench) {
    const struct work *w = bench->work;
    const float *from = w->first;
    float *to = w->product;
    for (uint64_t i = 0; i < bench->units; i++) {
        multiply(to, from, w->factor, w->n);
        if (fluid_poll())
            return 0;
        from = to;
        to = to == w->product ? w->other : w->product;
    }
    return mix_floats(MIX_START, from, w->n * w->n);
}

void bench_matrix_mul_close(struct fluid_bench *bench) {
    fluid_free(bench->work);
}
