/* irq.h - the interrupts of devices: the 16 of the ISA bus, whichever controller delivers them (two
 * 8259A, or an I/O APIC), on vectors 32 to 47. */
#ifndef KERNEL_ARCH_X86_IRQ_H
#define KERNEL_ARCH_X86_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#define IRQ_VECTOR_BASE 32u
#define IRQ_COUNT 16u
#define IRQ_SHARED_MAX 4u

struct irq_controller {
    const char *name;
    void (*mask)(unsigned irq);
    /* False when the IRQ is wired to nothing. */
    bool (*unmask)(unsigned irq);
    /* The request was withdrawn before it arrived: no handler runs, and what there is to end has
     * been ended. */
    bool (*spurious)(unsigned irq);
    void (*end)(unsigned irq);
};

/* Runs with interrupts off. True: the device had asked for it. */
typedef bool irq_handler(void);

void irq_init(void); /* finds the controllers and masks every IRQ; after paging_init */
/* Adds a handler and unmasks its IRQ; several devices may share one. False when the IRQ does not
 * get through: the device must be polled. */
bool irq_register(unsigned irq, irq_handler *handler);
void irq_handle(unsigned irq); /* trap.c: runs the handlers and ends the interrupt */

struct irq_counts {
    uint64_t taken;     /* some handler's device had asked */
    uint64_t unclaimed; /* none had */
    uint64_t spurious;
    bool stuck; /* masked for good: requested without end, and by nobody */
};
const struct irq_controller *irq_controller(void);
struct irq_counts irq_counts(unsigned irq);
/* For people: which controller, and how often each IRQ came. */
void irq_print(void);

/* For irq_init: what delivers from now on. */
void irq_use(const struct irq_controller *controller);
#endif
