/* interrupts.h - whether interrupts reach this processor. */
#ifndef KERNEL_ARCH_X86_INTERRUPTS_H
#define KERNEL_ARCH_X86_INTERRUPTS_H

#include <stdint.h>

void interrupts_enable(void);
void interrupts_disable(void);
/* Off; give the result to interrupts_release, which brings back what was. Unlike control.h's pair
 * they exist in a process, too, where nothing interrupts. */
uintptr_t interrupts_hold(void);
void interrupts_release(uintptr_t held);

#endif
