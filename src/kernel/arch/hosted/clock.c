/* clock.c (hosted) - Linux's monotonic clock: how long the process is up, and what the time-stamp
 * counter is calibrated against. As with the PIT, counter and clock are read as pairs, and how
 * tight the pairs are is the measurement's uncertainty. */
#include <errno.h>
#include <time.h>

#include "arch/x86/clock.h"
#include "arch/x86/port.h"
#include "arch/x86/time.h"
#include "arch/x86/timer.h"

#define NS_PER_S CLOCK_NS_PER_S
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

static uint64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: the clock exists on every Linux */
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static const struct clock_counter monotonic = {"Linux", NS_PER_S, UINT64_MAX, monotonic_ns};
static uint64_t entry_ns; /* on that clock */

void clock_init(void) {
    entry_ns = monotonic_ns() - time_ms() * (NS_PER_S / 1000);
}

uint64_t clock_ns(void) {
    return monotonic_ns() - entry_ns;
}

const struct clock_counter *clock_counter(void) {
    return &monotonic;
}

/* Nothing ticks here: Linux wakes the process. */
void timer_init(void) {
}

const char *timer_name(void) {
    return "none";
}

uint64_t timer_ticks(void) {
    return 0;
}

void timer_sleep_until(uint64_t ns) {
    uint64_t until = ns + entry_ns;
    struct timespec at = {.tv_sec = (time_t)(until / NS_PER_S),
                          .tv_nsec = (long)(until % NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}
