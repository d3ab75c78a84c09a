/* time.h - the time-stamp counter, calibrated once against the PIT (Intel 8254). */
#ifndef KERNEL_ARCH_X86_TIME_H
#define KERNEL_ARCH_X86_TIME_H

#include <stdint.h>

void time_init(void); /* calibrates; the entry code took the start time */
static inline uint64_t time_cycles(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
uint64_t time_hz(void);
uint64_t time_ms(void);          /* since kernel entry */
void time_delay_us(uint32_t us); /* busy wait */
#endif
