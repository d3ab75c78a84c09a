/* gemm_tile.c - benchmark: a product of square matrices of float, tile by tile. Unit of work:
 * multiplications; the size is 1000 n + tile, for matrices (n, n) and tiles (tile, tile).
 *
 * It is run with one tile after the other, to see which fits a machine's caches best:
 *
 *     /bench gemm_tile 128008
 *     /bench gemm_tile 128016        and so on: the fewest cycles for each win
 *
 * A tile of 0 stands for all of them: a call multiplies once with each, its cycles for each are the
 * mean, which the best one has to be below. Each element is summed in the order of k whatever the
 * tile, so the checksum, FNV-1a over the product, depends on n alone; every product is checked. */
#include "fluid/module.h"
#include "mix.h"
#include "sizes.h"

FLUID_EXPORT bench_open_fn bench_gemm_tile_open;
FLUID_EXPORT bench_call_fn bench_gemm_tile_call;
FLUID_EXPORT bench_close_fn bench_gemm_tile_close;

#define SIZE(n, tile) ((n) * 1000u + (tile))
#define SUM_64 0x5c6c7917u
#define SUM_128 0xc93299fcu

static const struct bench_sizes sizes = {"multiplications",
                                         0,
                                         {{SIZE(64, 0), SUM_64},
                                          {SIZE(128, 0), SUM_128},
                                          {SIZE(128, 8), SUM_128},
                                          {SIZE(128, 16), SUM_128},
                                          {SIZE(128, 32), SUM_128},
                                          {SIZE(128, 64), SUM_128}}};
static const size_t every_tile[] = {8, 16, 32, 64}; /* n is a multiple of each */
#define TILES (sizeof every_tile / sizeof every_tile[0])

struct work {
    size_t n, tile;   /* tile 0: every one */
    float *a, *b, *c; /* (n, n) */
    _Alignas(64) float elements[];
};

int bench_gemm_tile_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *err) {
    if (bench_choose(bench, &sizes, size, err) != 0)
        return -1;
    size_t n = (size_t)bench->size / 1000, count = n * n;
    uint32_t random = mix_seed();
    if (bench_allocate(bench, sizeof(struct work) + 3 * count * sizeof(float), err) != 0)
        return -1;
    struct work *w = bench->work;
    w->n = n;
    w->tile = (size_t)bench->size % 1000;
    w->a = w->elements;
    w->b = w->a + count;
    w->c = w->b + count;
    mix_fill(w->a, 2 * count, 1, &random);
    bench->units = w->tile != 0 ? 1 : TILES;
    return 0;
}

/* c += a b for one tile of each, which begin here; rows are n floats apart. */
static void multiply_tile(float *restrict c, const float *restrict a, const float *restrict b,
                          size_t n, size_t tile) {
    for (size_t i = 0; i < tile; i++)
        for (size_t k = 0; k < tile; k++)
            for (size_t j = 0; j < tile; j++)
                c[i * n + j] += a[i * n + k] * b[k * n + j];
}

/* The checksum of c = a b; 0 when somebody wants it to stop. */
static uint32_t multiply(const struct work *w, size_t tile) {
    size_t n = w->n;
    memset(w->c, 0, n * n * sizeof(float));
    for (size_t i = 0; i < n; i += tile) {
        for (size_t k = 0; k < n; k += tile)
            for (size_t j = 0; j < n; j += tile)
                multiply_tile(w->c + i * n + j, w->a + i * n + k, w->b + k * n + j, n, tile);
        if (fluid_poll())
            return 0;
    }
    return mix_floats(MIX_START, w->c, n * n);
}

uint32_t bench_gemm_tile_call(const struct fluid_bench *bench) {
    const struct work *w = bench->work;
    if (w->tile != 0)
        return multiply(w, w->tile);
    for (size_t i = 0; i < TILES; i++) {
        uint32_t checksum = multiply(w, every_tile[i]);
        if (checksum != bench->checksum)
            return checksum;
    }
    return bench->checksum;
}

void bench_gemm_tile_close(struct fluid_bench *bench) {
    fluid_free(bench->work);
}
