/* interrupts.h - whether interrupts reach this processor. */
#ifndef KERNEL_ARCH_X86_INTERRUPTS_H
#define KERNEL_ARCH_X86_INTERRUPTS_H

void interrupts_enable(void);
void interrupts_disable(void);

#endif
