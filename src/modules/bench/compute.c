/* compute.c - benchmark: integer and float arithmetic with branches that depend on random data.
 * Unit of work: points.
 *
 * For each of them a complex number c is drawn, and z = z^2 + c is repeated from 0 until |z| > 2,
 * 64 times at most (the Mandelbrot set); then two words are drawn, and Euclid's algorithm finds
 * their greatest common divisor. So there are float multiplications that wait for each other,
 * integer divisions, and two loops whose ends a processor cannot predict. The checksum is FNV-1a
 * over the number of repetitions, the bits of z, the number of divisions and the divisor. */
#include "fluid/module.h"
#include "mix.h"
#include "sizes.h"

FLUID_EXPORT bench_open_fn bench_compute_open;
FLUID_EXPORT bench_call_fn bench_compute_call;
FLUID_EXPORT bench_close_fn bench_compute_close;

static const struct bench_sizes sizes = {
    "points", 1, {{256, 0x297a13a1}, {4096, 0x255b1d1f}, {65536, 0xa237db26}}};

#define REPETITIONS 64u
#define POLL_POINTS 64u

static uint32_t repeat(float re, float im, uint32_t checksum) {
    float z[2] = {0, 0};
    uint32_t done = 0;
    for (; done < REPETITIONS; done++) {
        float re2 = z[0] * z[0], im2 = z[1] * z[1];
        if (re2 + im2 > 4)
            break;
        z[1] = 2 * z[0] * z[1] + im;
        z[0] = re2 - im2 + re;
    }
    return mix_floats(mix(checksum, done), z, 2);
}

static uint32_t divide(uint32_t a, uint32_t b, uint32_t checksum) {
    uint32_t done = 0;
    for (; b != 0; done++) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return mix(mix(checksum, done), a);
}

int bench_compute_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *err) {
    return bench_choose(bench, &sizes, size, err);
}

uint32_t bench_compute_call(const struct fluid_bench *bench) {
    uint32_t random = mix_seed(), checksum = MIX_START;
    for (uint64_t point = 0; point < bench->size; point++) {
        float re = mix_draw_float(&random) * 2, im = mix_draw_float(&random) * 2;
        uint32_t a = mix_draw(&random), b = mix_draw(&random);
        checksum = divide(a, b, repeat(re, im, checksum));
        if (point % POLL_POINTS == 0 && fluid_poll())
            return 0;
    }
    return checksum;
}

void bench_compute_close(struct fluid_bench *bench) {
    (void)bench;
}
