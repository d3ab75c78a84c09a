/* pic.h - the two 8259A interrupt controllers of the PC: 16 IRQs on vectors 32 to 47. */
#ifndef KERNEL_ARCH_X86_PIC_H
#define KERNEL_ARCH_X86_PIC_H

#define IRQ_VECTOR_BASE 32u
#define IRQ_COUNT 16u

void pic_init(void); /* remaps, masks everything */
/* Handler for an IRQ, which is unmasked from now on. The handler runs with interrupts off. */
void irq_register(unsigned irq, void (*handler)(void));
void irq_handle(unsigned irq); /* trap.c: runs the handler and ends the interrupt */

#endif
