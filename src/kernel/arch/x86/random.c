/* random.c - RDRAND (Intel SDM vol. 1, 7.3.17), or what takes its place. */
#include "arch/x86/random.h"

#include <stdbool.h>

#include "arch/x86/time.h"
#include "fluid/cpuid.h"

#define LOOKS 16        /* looks at the counter, each a bit or two of jitter */
#define RDRAND_TRIES 10 /* SDM vol. 1, 7.3.17.1: more than ten failures are a broken unit */
#define ECX_RDRAND (1u << 30)

static bool rdrand(uintptr_t *value) {
    bool valid = false;
    for (unsigned i = 0; i < RDRAND_TRIES && !valid; i++)
        __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(valid) : : "cc");
    return valid;
}

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014): each bit of z changes half of the result.
 */
static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t cpu_random(void) {
    uintptr_t low, high;
    uint64_t state = 0;
    if (cpuid(1, 0).ecx & ECX_RDRAND && rdrand(&low) && rdrand(&high))
        return (uint64_t)high << 32 ^ low;
    for (unsigned i = 0; i < LOOKS; i++)
        state = mix(state + time_cycles() + 0x9e3779b97f4a7c15u);
    return state;
}
