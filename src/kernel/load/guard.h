/* guard.h - calls of modules that survive a fault in them: the call is given up, the system goes
 * on.
 *
 *     struct module_guard guard;
 *     if (MODULE_GUARD(&guard))
 *         return module_guard_report(&guard, err);
 *     ... a call of a module ...
 *     module_guard_end(&guard);
 *
 * What faults must be the module's code, or a function of the C library that it has called: those
 * keep no state. Within the kernel's own functions (kapi.c) a fault is the kernel's and a panic.
 * What the module has changed or allocated until then stays as it is. */
#ifndef KERNEL_LOAD_GUARD_H
#define KERNEL_LOAD_GUARD_H

#include "arch/x86/call_context.h"
#include "arch/x86/trap.h"
#include "fluid/kapi.h"

/* The guards of one thread of control. */
struct guard_state {
    struct module_guard *innermost;
    uint64_t ended;                 /* calls that were in no other guarded call, so far */
    bool calls_slots;               /* its modules have ever called code through a slot */
    volatile unsigned kernel_depth; /* functions of the kernel that its modules are in */
    /* Calls that come to no end (module_guard_look): */
    uint32_t begun;  /* the number of the call that began last; never 0 */
    uint32_t looks;  /* ticks in a module since it was last in the kernel */
    uintptr_t seen;  /* where, the last time */
    uint32_t ending; /* the number of the call that is to be given up */
};
/* From now on guards of this core are this one's. */
void module_guard_use(struct guard_state *state);

#define MISUSE_SIZE 144

struct module_guard {
    struct call_context context;
    struct module_guard *outer;
    unsigned kernel_depth;    /* when it began */
    uint64_t deadline;        /* cycles of its task; 0: it may take as long as it takes */
    struct trap_fault fault;  /* once it has happened */
    char misuse[MISUSE_SIZE]; /* what the kernel was asked for instead; "": a fault */
};

/* True when the call behind it has faulted: guards end then by themselves. */
#define MODULE_GUARD(guard) (module_guard_begin(guard), call_save(&(guard)->context) != 0)

void module_guard_begin(struct module_guard *guard);
void module_guard_end(struct module_guard *guard);
/* Behind MODULE_GUARD: a call that takes more of its task's cycles than that has failed, as by an
 * exception (TRAP_OVERTIME). */
void module_guard_limit(struct module_guard *guard, uint64_t cycles);
/* A tick at that address of a module: is the call to be given up? Code that stands beside others
 * (module_load_aside) is after so many ticks without coming back to the kernel. They are counted,
 * not time, which goes on while a virtual machine stands still. */
#define GUARD_SECONDS 10u
#define GUARD_LOOKS (GUARD_SECONDS * TIMER_HZ)
bool module_guard_look(uintptr_t address);
/* Somewhere in a call that is long because it does much. */
void module_guard_progress(void);
/* On the boot processor: says so of the call of another core, to its next interrupt. */
void module_guard_judge(struct guard_state *state);
/* Prints the report of the fault; -1 with E-MOD-16, or E-MEM-05 for misuse. */
int module_guard_report(const struct module_guard *guard, struct fluid_error *err);

/* From within the guarded call: gives it up, as an exception in it would. */
_Noreturn void module_guard_leave(struct module_guard *guard);
/* Ends the innermost guarded call with this fault, as if it had happened in it. */
_Noreturn void module_guard_raise(const struct trap_fault *fault);

/* Around what the kernel does for a module: it may be in the middle of a change. */
void module_guard_enter_kernel(void);
void module_guard_leave_kernel(void);
/* What a module, at that return address, wants of the kernel cannot be: reports and gives up its
 * call. A panic when nobody guards that (misuse.c). */
_Noreturn void module_misuse(uintptr_t caller, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A panic: nothing is survived any more. */
void module_guard_abandon(void);

/* trap_recover.c: the guard of the call that is being made, NULL when there is none; and whether
 * the kernel is doing something for the module. */
struct module_guard *module_guard_innermost(void);
bool module_guard_in_kernel(const struct module_guard *guard);

#endif
