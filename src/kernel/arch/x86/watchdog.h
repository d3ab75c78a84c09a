/* watchdog.h - interrupts while a call of a module has a time limit, on the boot processor: each
 * looks whether it is over (trap_overtime). */
#ifndef KERNEL_ARCH_X86_WATCHDOG_H
#define KERNEL_ARCH_X86_WATCHDOG_H

void watchdog_start(void);
void watchdog_stop(void);
#endif
