/* pit_tick.c - channel 0 of the PIT as the source of the tick, by IRQ 0. */
#include "arch/x86/irq.h"
#include "arch/x86/pit.h"
#include "arch/x86/port.h"
#include "arch/x86/timer.h"

#define PIT_IRQ 0
#define DIVISOR ((PIT_HZ + TIMER_HZ / 2) / TIMER_HZ)

static bool handle_irq(void) {
    timer_tick();
    return true;
}

bool pit_tick_start(void) {
    outb(PIT_MODE, PIT_LOAD_CHANNEL0_MODE2);
    outb(PIT_CHANNEL0, DIVISOR & 255);
    outb(PIT_CHANNEL0, DIVISOR >> 8);
    return irq_register(PIT_IRQ, handle_irq);
}
