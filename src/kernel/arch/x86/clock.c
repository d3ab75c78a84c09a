/* clock.c - counts of a counter that may wrap, as nanoseconds.
 *
 * A narrow counter wraps while nobody looks: the PIT's after 55 ms. How often it did is what the
 * time-stamp counter tells, which need only be right to half a period of the counter; the counter
 * itself says the rest. So the clock is as exact as the counter when it is read every few seconds,
 * which the timer's tick does. */
#include "arch/x86/clock.h"

#include "arch/x86/control.h"
#include "arch/x86/time.h"

static struct clock_counter counter;
static uint64_t start_ns, counts; /* at the start, and since */
static uint64_t last, last_tsc;   /* when counts was brought up to date */

/* value * to / from without overflow, for frequencies below 2^34. */
static uint64_t scale(uint64_t value, uint64_t to, uint64_t from) {
    return value / from * to + value % from * to / from;
}

static uint64_t elapsed(uint64_t now, uint64_t tsc) {
    uint64_t delta = (now - last) & counter.mask;
    if (counter.mask == UINT64_MAX)
        return delta;
    uint64_t expected = scale(tsc - last_tsc, counter.hz, time_hz()), period = counter.mask + 1;
    if (expected > delta)
        delta += (expected - delta + period / 2) / period * period;
    return delta;
}

void clock_start(const struct clock_counter *which, uint64_t ns) {
    counter = *which;
    start_ns = ns;
    counts = 0;
    last = counter.read();
    last_tsc = time_cycles();
}

void clock_init(void) {
    struct clock_counter found;
    if (!hpet_open(&found))
        pit_open(&found);
    clock_start(&found, time_ms() * (CLOCK_NS_PER_S / 1000));
}

uint64_t clock_ns(void) {
    uintptr_t flags = interrupts_save();
    uint64_t now = counter.read(), tsc = time_cycles();
    counts += elapsed(now, tsc);
    last = now;
    last_tsc = tsc;
    uint64_t ns = start_ns + scale(counts, CLOCK_NS_PER_S, counter.hz);
    interrupts_restore(flags);
    return ns;
}

const struct clock_counter *clock_counter(void) {
    return &counter;
}
