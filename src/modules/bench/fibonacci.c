/* fibonacci.c - benchmark: each number is the sum of the two before it, modulo a prime. Unit of
 * work: terms.
 *
 * One chain of additions, comparisons and choices, each of which waits for the one before: their
 * latency is what is measured. The modulus is opaque, so there is no closed form to find; the
 * checksum is the last number. */
#include "fluid/module.h"
#include "mix.h"
#include "sizes.h"

FLUID_EXPORT bench_open_fn bench_fibonacci_open;
FLUID_EXPORT bench_call_fn bench_fibonacci_call;
FLUID_EXPORT bench_close_fn bench_fibonacci_close;

static const struct bench_sizes sizes = {
    "terms", 1, {{4096, 0x1c1c5973}, {65536, 0x79509b4d}, {1048576, 0x3a36c770}}};

#define MODULUS 2147483629u /* the largest prime below 2^31 - 1: a sum of two fits a word */
#define POLL_TERMS 4096u    /* every size is a multiple */

int bench_fibonacci_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *err) {
    return bench_choose(bench, &sizes, size, err);
}

uint32_t bench_fibonacci_call(const struct fluid_bench *bench) {
    uint32_t modulus = mix_opaque(MODULUS), random = mix_seed();
    uint32_t before = mix_draw(&random) % modulus, last = mix_draw(&random) % modulus;
    for (uint64_t done = 0; done < bench->size; done += POLL_TERMS) {
        for (uint32_t i = 0; i < POLL_TERMS; i++) {
            uint32_t next = before + last;
            next -= next >= modulus ? modulus : 0;
            before = last;
            last = next;
        }
        if (fluid_poll())
            return 0;
    }
    return last;
}

void bench_fibonacci_close(struct fluid_bench *bench) {
    (void)bench;
}
