/* watchdog.h - interrupts while a call of a module has a time limit, or code that was made here is
 * loaded, on the boot processor: each looks whether it has taken too long (trap_overtime). */
#ifndef KERNEL_ARCH_X86_WATCHDOG_H
#define KERNEL_ARCH_X86_WATCHDOG_H

void watchdog_start(void); /* once more */
void watchdog_stop(void);  /* once less */
#endif
