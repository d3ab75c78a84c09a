/* guard.c - guards of nested calls, innermost first. */
#include "load/guard.h"

#include "arch/x86/core.h"
#include "arch/x86/timer.h"
#include "arch/x86/watchdog.h"
#include "lib/panic.h"
#include "load/ksyms.h"
#include "load/module.h"
#include "mm/poison.h"
#include "task/task.h"

#define SYMBOL_SIZE 96

static struct guard_state *current(void) {
    return core_current()->guards;
}

void module_guard_use(struct guard_state *state) {
    core_current()->guards = state;
}

static void look_anew(struct guard_state *state) {
    __atomic_store_n(&state->looks, 0, __ATOMIC_RELEASE);
}

/* Other cores look whether there is one. */
static void set_innermost(struct guard_state *state, struct module_guard *guard) {
    __atomic_store_n(&state->innermost, guard, __ATOMIC_RELAXED);
}

void module_guard_begin(struct module_guard *guard) {
    struct guard_state *state = current();
    guard->outer = state->innermost;
    guard->kernel_depth = state->kernel_depth;
    guard->deadline = 0;
    guard->fault.count = 0;
    guard->misuse[0] = '\0';
    /* Number 0 is none. */
    __atomic_store_n(&state->begun, state->begun + (state->begun == UINT32_MAX ? 2 : 1),
                     __ATOMIC_RELEASE);
    look_anew(state);
    set_innermost(state, guard);
}

void module_guard_end(struct module_guard *guard) {
    struct guard_state *state = current();
    KASSERT(state->innermost == guard);
    look_anew(state);
    state->ending = 0;
    set_innermost(state, guard->outer);
    state->kernel_depth = guard->kernel_depth;
    state->ended += guard->outer == NULL;
    if (guard->deadline != 0)
        watchdog_stop();
}

void module_guard_limit(struct module_guard *guard, uint64_t cycles) {
    guard->deadline = task_cycles(task_current()) + cycles;
    watchdog_start();
}

struct module_guard *module_guard_innermost(void) {
    return current()->innermost;
}

bool module_guard_in_kernel(const struct module_guard *guard) {
    return current()->kernel_depth != guard->kernel_depth;
}

bool module_guard_look(uintptr_t address) {
    struct guard_state *state = current();
    __atomic_store_n(&state->seen, address, __ATOMIC_RELAXED);
    __atomic_store_n(&state->looks, state->looks + 1, __ATOMIC_RELEASE);
    if (core_current()->index == 0)
        module_guard_judge(state);
    return state->looks >= GUARD_LOOKS &&
           __atomic_load_n(&state->ending, __ATOMIC_ACQUIRE) == state->begun;
}

void module_guard_progress(void) {
    look_anew(current());
}

/* The number is read first: a call that has ended meanwhile is not taken for the next one. */
void module_guard_judge(struct guard_state *state) {
    const uint32_t number = __atomic_load_n(&state->begun, __ATOMIC_ACQUIRE);
    const uint32_t looks = __atomic_load_n(&state->looks, __ATOMIC_ACQUIRE);
    if (looks == 0)
        return;
    const struct loaded_module *m = module_at(__atomic_load_n(&state->seen, __ATOMIC_RELAXED));
    if (!m || !module_is_aside(m))
        look_anew(state);
    else if (looks >= GUARD_LOOKS)
        __atomic_store_n(&state->ending, number, __ATOMIC_RELEASE);
}

/* A parallel loop has no business here: only the boot processor keeps the kernel's data whole. */
void module_guard_enter_kernel(void) {
    struct core *core = core_current();
    if (core->index != 0)
        __builtin_trap(); /* the module's fault, still */
    core->guards->kernel_depth++;
    look_anew(core->guards);
    __asm__ volatile("" : : : "memory");
}

void module_guard_leave_kernel(void) {
    __asm__ volatile("" : : : "memory");
    current()->kernel_depth--;
}

void module_guard_abandon(void) {
    current()->innermost = NULL;
}

_Noreturn void module_guard_raise(const struct trap_fault *fault) {
    struct module_guard *guard = current()->innermost;
    KASSERT(guard != NULL);
    guard->fault = *fault;
    module_guard_leave(guard);
}

_Noreturn void module_guard_leave(struct module_guard *guard) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    module_guard_end(guard);
    if (here < guard->context.stack)
        unpoison((const void *)here, guard->context.stack - here); /* frames that are left */
    call_leave(&guard->context);
}

/* The first address in a module: the fault's, or that of the call that led there. */
static uintptr_t place_of(const struct trap_fault *fault) {
    for (size_t i = 0; i < fault->count; i++)
        if (module_contains(fault->trace[i]))
            return fault->trace[i];
    return fault->trace[0];
}

int module_guard_report(const struct module_guard *guard, struct fluid_error *err) {
    const struct trap_fault *fault = &guard->fault;
    char symbol[SYMBOL_SIZE];
    if (guard->misuse[0] != '\0')
        return fluid_fail(err, "E-MEM-05",
                          "memory of a module expected to be used as it was given out, found %s; "
                          "the call was given up",
                          guard->misuse);
    trap_print_fault(fault);
    ksyms_format(place_of(fault), symbol, sizeof(symbol));
    return fluid_fail(err, "E-MOD-16",
                      "a call of a module expected to return, found %s at %s; the call was given "
                      "up, /reboot if the next ones fail too",
                      trap_name((unsigned)fault->frame.vector), symbol);
}
