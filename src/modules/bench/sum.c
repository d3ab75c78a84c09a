/* sum.c - benchmark: the sum of an array of random words, modulo 2^32. Unit of work: words.
 *
 * Additions in any order give the same, so a compiler may use all lanes it has; then it is the
 * bandwidth of the level of memory that the words fit into which is measured (16 KB, 256 KB, 4 MB).
 * The words lie in memory that is written elsewhere, so they have to be read. */
#include "fluid/module.h"
#include "mix.h"
#include "sizes.h"

FLUID_EXPORT bench_open_fn bench_sum_open;
FLUID_EXPORT bench_call_fn bench_sum_call;
FLUID_EXPORT bench_close_fn bench_sum_close;

static const struct bench_sizes sizes = {
    "words", 1, {{4096, 0x8a533872}, {65536, 0xa2c7cc79}, {1048576, 0x494fafa1}}};

#define POLL_WORDS 4096u /* every size is a multiple */

int bench_sum_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *err) {
    if (bench_choose(bench, &sizes, size, err) != 0 ||
        bench_allocate(bench, (size_t)bench->size * sizeof(uint32_t), err) != 0)
        return -1;
    uint32_t *words = bench->work, random = mix_seed();
    for (uint64_t i = 0; i < bench->size; i++)
        words[i] = mix_draw(&random);
    return 0;
}

uint32_t bench_sum_call(const struct fluid_bench *bench) {
    const uint32_t *words = bench->work;
    uint32_t sum = 0;
    for (uint64_t done = 0; done < bench->size; done += POLL_WORDS) {
        for (uint32_t i = 0; i < POLL_WORDS; i++)
            sum += words[done + i];
        if (fluid_poll())
            return 0;
    }
    return sum;
}

void bench_sum_close(struct fluid_bench *bench) {
    fluid_free(bench->work);
}
