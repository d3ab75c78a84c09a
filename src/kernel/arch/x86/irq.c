/* irq.c - from a vector to the handlers of the devices that share its IRQ. */
#include "arch/x86/irq.h"

#include <stddef.h>

#include "arch/x86/control.h"
#include "lib/panic.h"

#define CASCADE 2 /* the second 8259A's place at the first: no device has it */
/* A level-triggered request that nobody withdraws would come for ever. */
#define UNCLAIMED_MAX 10000u

struct irq {
    irq_handler *handlers[IRQ_SHARED_MAX];
    struct irq_counts counts;
    unsigned unclaimed_in_a_row;
};

static struct irq irqs[IRQ_COUNT];
static const struct irq_controller *controller;

void irq_use(const struct irq_controller *which) {
    controller = which;
}

const struct irq_controller *irq_controller(void) {
    return controller;
}

bool irq_register(unsigned irq, irq_handler *handler) {
    KASSERT(irq < IRQ_COUNT && irq != CASCADE && handler != NULL);
    uintptr_t flags = interrupts_save();
    unsigned place = 0;
    while (place < IRQ_SHARED_MAX && irqs[irq].handlers[place] != NULL)
        place++;
    KASSERT(place < IRQ_SHARED_MAX);
    irqs[irq].handlers[place] = handler;
    bool works = !irqs[irq].counts.stuck && controller->unmask(irq);
    interrupts_restore(flags);
    return works;
}

static bool run_handlers(const struct irq *irq) {
    bool claimed = false;
    /* All of them: an edge is shared by devices that asked at the same time. */
    for (unsigned i = 0; i < IRQ_SHARED_MAX && irq->handlers[i] != NULL; i++)
        claimed |= irq->handlers[i]();
    return claimed;
}

void irq_handle(unsigned number) {
    struct irq *irq = &irqs[number];
    if (controller->spurious(number)) {
        irq->counts.spurious++;
        return;
    }
    if (run_handlers(irq)) {
        irq->counts.taken++;
        irq->unclaimed_in_a_row = 0;
    } else {
        irq->counts.unclaimed++;
        irq->unclaimed_in_a_row++;
    }
    if (irq->unclaimed_in_a_row >= UNCLAIMED_MAX) {
        controller->mask(number);
        irq->counts.stuck = true;
    }
    controller->end(number);
}

struct irq_counts irq_counts(unsigned irq) {
    uintptr_t flags = interrupts_save();
    struct irq_counts counts = irqs[irq].counts;
    interrupts_restore(flags);
    return counts;
}
