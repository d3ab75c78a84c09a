/* timer.h - the tick: an interrupt 100 times a second, by the local APIC or by the PIT. It wakes
 * what sleeps, and keeps the clock from losing count. */
#ifndef KERNEL_ARCH_X86_TIMER_H
#define KERNEL_ARCH_X86_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define TIMER_HZ 100u

void timer_init(void); /* after irq_init and clock_init; ticks as soon as interrupts are on */
const char *timer_name(void);
uint64_t timer_ticks(void);
/* Sleeps until clock_ns() has reached ns, to within a tick. */
void timer_sleep_until(uint64_t ns);

void timer_tick(void); /* for the sources below: a tick has come */
/* lapic_timer.c; NULL when it cannot be used, else its name. */
const char *lapic_timer_start(void);
void lapic_timer_handle(void); /* trap.c */
/* pit_tick.c; false when IRQ 0 does not get through. */
bool pit_tick_start(void);
#endif
