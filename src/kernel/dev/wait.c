/* wait.c - other tasks run, or the processor sleeps, until an interrupt, where interrupts are known
 * to arrive; else a poll. */
#include "dev/wait.h"

#include "arch/x86/interrupts.h"
#include "arch/x86/port.h"
#include "dev/ps2.h"
#include "dev/serial.h"
#include "task/task.h"

static struct wait_queue waiting;

void device_wake(void) {
    wait_queue_wake_all(&waiting);
}

void device_wait(void) {
    serial_poll();
    ps2_poll();
    if (serial_needs_polling() || ps2_needs_polling()) {
        cpu_pause();
        task_yield();
        return;
    }
    interrupts_disable();
    if (!serial_pending() && !ps2_pending())
        wait_queue_wait(&waiting); /* interrupts are off: no lost wake-up */
    interrupts_enable();
}
