/* primes.c - benchmark: the primes below a limit, by the sieve of Eratosthenes, a byte for each
 * number. Unit of work: numbers.
 *
 * What is measured is how fast single bytes are written with ever larger strides, and a branch that
 * is hard to predict. The checksum is FNV-1a over the primes. */
#include "fluid/module.h"
#include "mix.h"
#include "sizes.h"

FLUID_EXPORT bench_open_fn bench_primes_open;
FLUID_EXPORT bench_call_fn bench_primes_call;
FLUID_EXPORT bench_close_fn bench_primes_close;

static const struct bench_sizes sizes = {
    "numbers", 1, {{10000, 0x5e402ccb}, {100000, 0x8ae15afe}, {1000000, 0x03ae3d90}}};

int bench_primes_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *err) {
    if (bench_choose(bench, &sizes, size, err) != 0)
        return -1;
    return bench_allocate(bench, (size_t)bench->size, err);
}

uint32_t bench_primes_call(const struct fluid_bench *bench) {
    uint8_t *composite = bench->work; /* (limit,) */
    uint32_t limit = mix_opaque((uint32_t)bench->size), checksum = MIX_START;
    memset(composite, 0, limit);
    for (uint32_t number = 2; number < limit; number++) {
        if (composite[number])
            continue;
        checksum = mix(checksum, number);
        if ((uint64_t)number * number >= limit)
            continue; /* its multiples have smaller divisors, too */
        for (uint32_t multiple = number * number; multiple < limit; multiple += number)
            composite[multiple] = 1;
        if (fluid_poll())
            return 0;
    }
    return checksum;
}

void bench_primes_close(struct fluid_bench *bench) {
    fluid_free(bench->work);
}
