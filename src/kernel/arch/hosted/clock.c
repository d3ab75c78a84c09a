/* clock.c - the time-stamp counter against Linux's monotonic clock. As with the PIT, counter and
 * clock are read as pairs, and how tight the pairs are is the measurement's uncertainty. */
#include <time.h>

#include "arch/x86/port.h"
#include "arch/x86/time.h"

#define NS_PER_S 1000000000ull
#define WINDOW_NS 2500000u

struct sample {
    uint64_t tsc;    /* middle of before and after */
    uint64_t spread; /* after - before */
    uint64_t ns;
};

static bool take_sample(struct sample *s) {
    struct timespec now;
    uint64_t before = time_cycles();
    if (clock_gettime(CLOCK_MONOTONIC_RAW, &now) != 0)
        return false;
    s->spread = time_cycles() - before;
    s->tsc = before + s->spread / 2;
    s->ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    return true;
}

bool time_measure(uint64_t *hz, uint64_t *error) {
    struct sample first, last;
    if (!take_sample(&first))
        return false;
    do {
        cpu_pause();
        if (!take_sample(&last))
            return false;
    } while (last.ns - first.ns < WINDOW_NS);
    uint64_t cycles = last.tsc - first.tsc, ns = last.ns - first.ns;
    if (cycles == 0 || cycles > UINT64_MAX / NS_PER_S)
        return false;
    *hz = cycles * NS_PER_S / ns;
    *error = ((first.spread + last.spread) << 16) / cycles;
    return *hz >= TIME_HZ_MIN && *hz <= TIME_HZ_MAX;
}
