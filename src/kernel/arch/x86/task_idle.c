/* task_idle.c - no task is ready: the processor sleeps until the next interrupt, the tick at the
 * latest. */
#include "task/task_arch.h"

void task_arch_idle(uint64_t ns) {
    (void)ns;
    /* sti takes effect behind hlt: what wakes a task cannot come in between. */
    __asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}

/* The timer's interrupt brings the ticks. */
void task_arch_poll(void) {
}
