/* guard.h - calls of modules that survive a fault in them: the call is given up, the system goes
 * on.
 *
 *     struct module_guard guard;
 *     if (MODULE_GUARD(&guard))
 *         return module_guard_report(&guard, err);
 *     ... a call of a module ...
 *     module_guard_end(&guard);
 *
 * What faults must be the module's code: while it has called back into the kernel, a fault is the
 * kernel's and a panic. What the module has changed or allocated until then stays as it is. */
#ifndef KERNEL_LOAD_GUARD_H
#define KERNEL_LOAD_GUARD_H

#include "arch/x86/call_context.h"
#include "arch/x86/trap.h"
#include "fluid/kapi.h"

struct module_guard {
    struct call_context context;
    struct module_guard *outer;
    struct trap_fault fault; /* once it has happened */
};

/* True when the call behind it has faulted: guards end then by themselves. */
#define MODULE_GUARD(guard) (module_guard_begin(guard), call_save(&(guard)->context) != 0)

void module_guard_begin(struct module_guard *guard);
void module_guard_end(struct module_guard *guard);
/* Prints the report of the fault; -1 with E-MOD-16. */
int module_guard_report(const struct module_guard *guard, struct fluid_error *err);
/* trap_recover.c: the guard of the call that is being made, NULL when there is none. */
struct module_guard *module_guard_innermost(void);

#endif
