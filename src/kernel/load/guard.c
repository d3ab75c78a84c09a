/* guard.c - guards of nested calls, innermost first. */
#include "load/guard.h"

#include "lib/panic.h"
#include "load/ksyms.h"
#include "load/module.h"

#define SYMBOL_SIZE 96

static struct module_guard *innermost;

void module_guard_begin(struct module_guard *guard) {
    guard->outer = innermost;
    innermost = guard;
}

void module_guard_end(struct module_guard *guard) {
    KASSERT(innermost == guard);
    innermost = guard->outer;
}

struct module_guard *module_guard_innermost(void) {
    return innermost;
}

int module_guard_report(const struct module_guard *guard, struct fluid_error *err) {
    const struct trap_fault *fault = &guard->fault;
    char symbol[SYMBOL_SIZE];
    /* Where it has called what is no code: the call. */
    size_t place = !module_contains(fault->trace[0]) && fault->count > 1;
    trap_print_fault(fault);
    ksyms_format(fault->trace[place], symbol, sizeof(symbol));
    return fluid_fail(err, "E-MOD-16",
                      "a call of a module expected to return, found %s at %s; the call was given "
                      "up, /reboot if the next ones fail too",
                      trap_name((unsigned)fault->frame.vector), symbol);
}
