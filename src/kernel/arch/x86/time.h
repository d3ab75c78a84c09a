/* time.h - the time-stamp counter, calibrated once. */
#ifndef KERNEL_ARCH_X86_TIME_H
#define KERNEL_ARCH_X86_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define TIME_HZ_MIN 10000000ull /* what is credible */
#define TIME_HZ_MAX 20000000000ull

void time_init(void); /* calibrates; the entry code took the start time */
static inline uint64_t time_cycles(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
uint64_t time_hz(void);
uint64_t time_ms(void);          /* since kernel entry */
void time_delay_us(uint32_t us); /* busy wait */
/* One measurement against the reference clock (pit.c). *error: uncertainty in cycles per 2^16
 * cycles of the window. False: the clock did not count, or the result is not credible. */
bool time_measure(uint64_t *hz, uint64_t *error);
#endif
