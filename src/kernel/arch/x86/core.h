/* core.h - the processor that runs this, and the others. The first core, 0, is the boot processor:
 * it alone runs tasks and has the devices' interrupts. The others run nothing but pieces of
 * parallel loops (task/parallel.h). On i686 there is only the first. In fluid-host cores are
 * threads. */
#ifndef KERNEL_ARCH_X86_CORE_H
#define KERNEL_ARCH_X86_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "load/guard.h"

#define CORES_MAX 32u

/* What each core has of its own. x86-64: GS.base leads to it; fluid-host: a thread-local variable.
 */
struct core {
    struct core *self; /* at GS:0 */
    /* arch/x86_64/ring3.S, at the offsets CORE_KERNEL_STACK and CORE_USER_STACK: where a system
     * call finds its stack, and what was in RSP. */
    uintptr_t kernel_stack, user_stack;
    unsigned index;
    uint32_t apic_id;
    struct guard_state *guards; /* of the task that it runs, or: */
    struct guard_state own_guards;
    volatile uint32_t flushed; /* the last change of page tables that it has seen */
    /* 1: it sleeps until core_wake. Looked at before each loop: not in a line with what changes. */
    _Alignas(64) uint32_t parked;
};

struct core *core_current(void);
/* Starts the other cores; after the interrupt controllers and the time. A core that does not start
 * is a warning, E-CORE-01. */
void cores_init(void);
unsigned cores_count(void); /* that run */
/* Before they are started: what this processor says of its package. 1 where others are not used. */
unsigned cores_expected(void);
/* Wakes those that are parked. */
void cores_wake(void);
/* One turn of the wait for other cores, which has had so many. */
void cores_relax(uint32_t turns);
/* On the boot processor, which has waited for some milliseconds: interrupts the others that are in
 * a call, so that one without an end is noticed (module_guard_look). */
void cores_look(void);
/* The page tables have changed: returns when no core uses what they were. */
void cores_flush(void);
/* A panic: only this core goes on. If another one was first, this one ends here. */
void cores_stop_others(void);
/* Whether a non-maskable interrupt says that this core is to end. */
bool cores_stopping(void);

/* Interrupts that cores send each other; trap.c. */
void core_handle_wake(void);
void core_handle_flush(void);
void core_handle_look(struct trap_frame *frame);
#endif
