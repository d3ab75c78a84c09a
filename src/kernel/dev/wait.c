/* wait.c - hlt between interrupts, where interrupts are known to arrive; else a poll. */
#include "dev/wait.h"

#include "arch/x86/interrupts.h"
#include "arch/x86/port.h"
#include "dev/ps2.h"
#include "dev/serial.h"

void device_wait(void) {
    serial_poll();
    ps2_poll();
    if (serial_needs_polling() || ps2_needs_polling()) {
        cpu_pause();
        return;
    }
    __asm__ volatile("cli" : : : "memory");
    if (serial_pending() || ps2_pending())
        interrupts_enable();
    else
        __asm__ volatile("sti\n\thlt"
                         :
                         :
                         : "memory"); /* sti takes effect behind hlt: no lost wake-up */
}
