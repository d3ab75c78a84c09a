/* timer.c - which device ticks, and what a tick does. */
#include "arch/x86/timer.h"

#include <stddef.h>

#include "arch/x86/clock.h"
#include "arch/x86/control.h"
#include "arch/x86/pmu.h"
#include "arch/x86/port.h"
#include "prof/sample.h"
#include "task/task.h"

static const char *name = "none";
static volatile uint64_t ticks;

void timer_init(void) {
    const char *found = lapic_timer_start();
    if (found != NULL)
        name = found;
    else if (pit_tick_start())
        name = "PIT";
}

const char *timer_name(void) {
    return name;
}

uint64_t timer_ticks(void) {
    uintptr_t flags = interrupts_save();
    uint64_t count = ticks; /* two words on i686 */
    interrupts_restore(flags);
    return count;
}

void timer_tick(void) {
    ticks++;
    if (ticks % TIMER_HZ == 0)
        (void)clock_ns(); /* before a narrow counter has wrapped too often */
    pmu_tick();
    sample_tick();
    task_tick();
}

void timer_sleep_until(uint64_t ns) {
    while (clock_ns() < ns) {
        if (ticks > 0 && read_flags() & EFLAGS_IF)
            task_sleep_until(ns);
        else
            cpu_pause();
    }
}
