/* pic.h - the two 8259A interrupt controllers of the PC, remapped to vectors 32 to 47. */
#ifndef KERNEL_ARCH_X86_PIC_H
#define KERNEL_ARCH_X86_PIC_H

#include "arch/x86/irq.h"

extern const struct irq_controller pic;

/* Remaps and masks everything, also where an I/O APIC takes over: at the BIOS's vectors a stray
 * request would look like an exception. */
void pic_init(void);

#endif
