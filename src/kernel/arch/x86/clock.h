/* clock.h - how long the machine has been up: a counter of known frequency, the HPET's or the
 * PIT's, so that it keeps time however the time-stamp counter was calibrated. */
#ifndef KERNEL_ARCH_X86_CLOCK_H
#define KERNEL_ARCH_X86_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_NS_PER_S 1000000000ull

/* A counter that runs by itself and wraps behind mask, 2^n - 1. */
struct clock_counter {
    const char *name;
    uint64_t hz, mask;
    uint64_t (*read)(void);
};

void clock_init(void);   /* chooses the counter; after paging_init and time_init */
uint64_t clock_ns(void); /* since kernel entry; never runs backwards */
const struct clock_counter *clock_counter(void);

/* The counters: hpet.c and pit.c. False when there is none that counts. */
bool hpet_open(struct clock_counter *counter);
void pit_open(struct clock_counter *counter);

/* clock.c, for its test: what the clock goes on counting from. */
void clock_start(const struct clock_counter *counter, uint64_t ns);
#endif
