/* mix.h - what goes into a benchmark and what is made of its results: random numbers from a seed
 * that the compiler cannot see, and a checksum.
 *
 * Random: xorshift32 (Marsaglia 2003, "Xorshift RNGs", 13/17/5). Checksum: FNV-1a, a word at a time
 * where the original takes a byte. tests/host/bench_mix.py has the same in Python. */
#ifndef BENCH_MIX_H
#define BENCH_MIX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MIX_START 0x811c9dc5u
#define MIX_PRIME 0x01000193u
#define MIX_SEED 0x2545f491u

/* The value, of which the compiler knows nothing any more. */
static inline uint32_t mix_opaque(uint32_t value) {
    __asm__ volatile("" : "+r"(value));
    return value;
}

/* Where random numbers start. */
static inline uint32_t mix_seed(void) {
    return mix_opaque(MIX_SEED);
}

/* The next random number, never 0. */
static inline uint32_t mix_draw(uint32_t *random) {
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

/* -1 to 1, of 65536 values; exact. */
static inline float mix_draw_float(uint32_t *random) {
    return (float)(int32_t)(mix_draw(random) >> 16) / 32768.0f - 1.0f;
}

/* Fills (count,) with such numbers times `scale`, a power of two. */
static inline void mix_fill(float *to, size_t count, float scale, uint32_t *random) {
    for (size_t i = 0; i < count; i++)
        to[i] = mix_draw_float(random) * scale;
}

/* The checksum with one word more; the first one goes with MIX_START. */
static inline uint32_t mix(uint32_t sum, uint32_t word) {
    return (sum ^ word) * MIX_PRIME;
}

/* The same with the bits of (count,). */
static inline uint32_t mix_floats(uint32_t sum, const float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, &values[i], sizeof word);
        sum = mix(sum, word);
    }
    return sum;
}

#endif
