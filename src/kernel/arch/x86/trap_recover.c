/* trap_recover.c - an exception in a module need not be the end of the system: the call of the
 * module ends instead, where somebody guards it (load/guard.h). */
#include "arch/x86/control.h"
#include "arch/x86/trap.h"
#include "load/guard.h"
#include "load/module.h"
#include "mm/poison.h"
#include "task/task.h"

#define BIT(vector) (1u << (vector))
/* What code brings about by itself. The others (NMI, double fault, machine check, virtualisation)
 * are of the machine. */
#define RECOVERABLE                                                                                \
    (BIT(0) | BIT(1) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(11) | BIT(12) | BIT(13) |  \
     BIT(TRAP_PAGE_FAULT) | BIT(16) | BIT(17) | BIT(19))
#define RED_ZONE 128u /* of code for Linux */

/* A module's code has faulted, or has called what is no code, or is in a function of the C library;
 * but not in the kernel. Handlers of interrupts run with interrupts off. */
static bool is_of_module(const struct module_guard *guard, const struct trap_frame *f,
                         uintptr_t address) {
    return module_contains(FRAME_IP(f)) || module_contains(trap_called_from(f, address)) ||
           (!module_guard_in_kernel(guard) && FRAME_FLAGS(f) & EFLAGS_IF);
}

static void give_up(struct module_guard *guard, struct trap_frame *f, uintptr_t address) {
    struct trap_fault *fault = &guard->fault;
    fault->frame = *f;
    fault->address = address;
    fault->count = backtrace(FRAME_IP(f), trap_called_from(f, address), FRAME_BP(f), fault->trace);
    module_guard_end(guard);
    if (FRAME_SP(f) - RED_ZONE < guard->context.stack)
        unpoison((const void *)(FRAME_SP(f) - RED_ZONE),
                 guard->context.stack - (FRAME_SP(f) - RED_ZONE)); /* frames that are left */
    FRAME_AX(f) = (uintptr_t)&guard->context;
    FRAME_SP(f) = guard->context.stack;
    FRAME_IP(f) = (uintptr_t)call_resume;
    FRAME_FLAGS(f) &= ~(uintptr_t)(EFLAGS_TF | EFLAGS_DF | EFLAGS_AC);
}

bool trap_recover(struct trap_frame *f) {
    struct module_guard *guard = module_guard_innermost();
    uintptr_t address = trap_address();
    if (guard == NULL || f->vector >= TRAP_EXCEPTIONS || !(RECOVERABLE & BIT(f->vector)) ||
        !is_of_module(guard, f, address))
        return false;
    give_up(guard, f, address);
    return true;
}

/* In a module, so that nothing of the kernel's is half done. */
bool trap_overtime(struct trap_frame *f, bool tick) {
    struct module_guard *guard = module_guard_innermost();
    if (guard == NULL || !module_contains(FRAME_IP(f)))
        return false;
    bool late = guard->deadline != 0 && task_cycles(task_current()) >= guard->deadline;
    if (!late && (!tick || !module_guard_look(FRAME_IP(f))))
        return false;
    f->vector = TRAP_OVERTIME;
    f->error_code = 0;
    give_up(guard, f, 0);
    return true;
}
