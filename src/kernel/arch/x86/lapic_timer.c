/* lapic_timer.c - the timer of the local APIC (Intel SDM vol. 3A, 10.5.4): by the deadline of the
 * time-stamp counter where the processor has that, else by a counter of unknown frequency, which is
 * measured. */
#include <stddef.h>

#include "arch/x86/clock.h"
#include "arch/x86/control.h"
#include "arch/x86/lapic.h"
#include "arch/x86/time.h"
#include "arch/x86/timer.h"
#include "arch/x86/trap.h"

#define CPUID_1_ECX_TSC_DEADLINE (1u << 24)
#define MSR_TSC_DEADLINE 0x6e0
#define MODE_PERIODIC (1u << 17)
#define MODE_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_16 3u
#define MEASURE_NS 10000000u

static uint64_t period, next; /* cycles of the TSC; 0: periodic by itself */

/* An interrupt that came late, or a machine that stood still, must not be followed by a burst. */
static void set_deadline(void) {
    uint64_t now = time_cycles();
    next += period;
    if (next <= now)
        next = now + period;
    write_msr(MSR_TSC_DEADLINE, next);
}

void lapic_timer_handle(void) {
    if (period != 0)
        set_deadline();
    timer_tick();
    lapic_end();
}

/* Counts in one tick; 0 when it does not count. */
static uint32_t measure(void) {
    lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
    lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
    uint32_t first = lapic_read(LAPIC_TIMER_CURRENT);
    uint64_t start = clock_ns(), ns;
    while ((ns = clock_ns() - start) < MEASURE_NS)
        ;
    uint64_t counts = first - lapic_read(LAPIC_TIMER_CURRENT);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    uint64_t per_tick = counts * (CLOCK_NS_PER_S / TIMER_HZ) / ns;
    return per_tick < UINT32_MAX ? (uint32_t)per_tick : 0;
}

const char *lapic_timer_start(void) {
    if (!lapic_in_use())
        return NULL;
    if (cpuid(1, 0).ecx & CPUID_1_ECX_TSC_DEADLINE) {
        period = time_hz() / TIMER_HZ;
        next = time_cycles();
        lapic_write(LAPIC_LVT_TIMER, MODE_TSC_DEADLINE | TRAP_LAPIC_TIMER);
        /* SDM 10.5.4.1: the mode is written to memory and must be there before the MSR is. */
        __asm__ volatile("mfence" : : : "memory");
        set_deadline();
        return "TSC deadline";
    }
    uint32_t counts = measure();
    if (counts == 0)
        return NULL;
    lapic_write(LAPIC_LVT_TIMER, MODE_PERIODIC | TRAP_LAPIC_TIMER);
    lapic_write(LAPIC_TIMER_INITIAL, counts);
    return "local APIC";
}
