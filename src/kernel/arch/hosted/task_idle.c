/* task_idle.c (hosted) - nothing interrupts a process: ticks are counted by the clock, where a task
 * passes by. */
#include "arch/x86/clock.h"
#include "arch/x86/timer.h"
#include "lib/panic.h"
#include "task/task_arch.h"

#define TICK_NS (CLOCK_NS_PER_S / TIMER_HZ)

void task_arch_idle(uint64_t ns) {
    if (ns == UINT64_MAX)
        panic("every task waits for another one");
    timer_sleep_until(ns);
}

void task_arch_poll(void) {
    static uint64_t next;
    uint64_t now = clock_ns();
    if (now < next)
        return;
    next = now + TICK_NS; /* a process that stood still has missed no turns */
    task_tick();
}
