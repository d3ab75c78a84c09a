/* guard_host.c - calls that come to no end (src/kernel/load/guard.c) on two cores that are played
 * here: ticks find them in a module that is beside others, or in one that is not. */
#include <stdio.h>
#include <stdlib.h>

#include "arch/x86/core.h"
#include "arch/x86/timer.h"
#include "lib/panic.h"
#include "load/guard.h"
#include "load/ksyms.h"
#include "load/module.h"
#include "no_time_limit.h"

#define ASIDE ((uintptr_t)0x1000)
#define IMAGE ((uintptr_t)0x2000)
#define NOTHING ((uintptr_t)0x3000)

static struct core cores[2] = {{.index = 0, .guards = &cores[0].own_guards},
                               {.index = 1, .guards = &cores[1].own_guards}};
static unsigned now; /* the core that runs */
static unsigned cases;

static void need(bool condition, const char *what) {
    cases++;
    if (condition)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

struct core *core_current(void) {
    return &cores[now];
}

const struct loaded_module *module_at(uintptr_t address) {
    return address == NOTHING ? NULL : (const struct loaded_module *)address;
}

bool module_is_aside(const struct loaded_module *m) {
    return (uintptr_t)m == ASIDE;
}

/* ---- what these cases have no use for */

void call_leave(const struct call_context *context) {
    (void)context;
    abort();
}

void trap_print_fault(const struct trap_fault *fault) {
    (void)fault;
    abort();
}

const char *trap_name(unsigned vector) {
    (void)vector;
    abort();
}

bool module_contains(uintptr_t address) {
    (void)address;
    abort();
}

void ksyms_format(uintptr_t address, char *out, size_t size) {
    (void)address, (void)out, (void)size;
    abort();
}

int fluid_fail(struct fluid_error *err, const char *code, const char *format, ...) {
    (void)err, (void)code, (void)format;
    abort();
}

_Noreturn void panic(const char *format, ...) {
    fprintf(stderr, "panic: %s\n", format);
    exit(1);
}

/* ---- cases */

/* So many ticks at the address, none of which ends the call. */
static void ticks(unsigned count, uintptr_t address) {
    for (unsigned i = 0; i < count; i++)
        need(!module_guard_look(address), "a call that goes on");
}

static void after_so_many_ticks(void) {
    struct module_guard guard;
    module_guard_begin(&guard);
    ticks(GUARD_LOOKS - 1, ASIDE);
    need(module_guard_look(ASIDE), "an end");
    module_guard_end(&guard);
    module_guard_begin(&guard);
    ticks(GUARD_LOOKS - 1, ASIDE);
    module_guard_end(&guard);
}

static void never_in_the_image(void) {
    struct module_guard guard;
    module_guard_begin(&guard);
    ticks(2 * GUARD_LOOKS, IMAGE);
    ticks(2 * GUARD_LOOKS, NOTHING);
    ticks(GUARD_LOOKS - 1, ASIDE);
    ticks(1, IMAGE);
    ticks(GUARD_LOOKS - 1, ASIDE);
    module_guard_end(&guard);
}

static void counting_begins_anew(void) {
    struct module_guard outer, inner;
    module_guard_begin(&outer);
    ticks(GUARD_LOOKS - 1, ASIDE);
    module_guard_enter_kernel();
    module_guard_leave_kernel();
    ticks(GUARD_LOOKS - 1, ASIDE);
    module_guard_progress();
    ticks(GUARD_LOOKS - 1, ASIDE);
    module_guard_begin(&inner);
    ticks(GUARD_LOOKS - 1, ASIDE);
    need(module_guard_look(ASIDE), "the end of the inner call");
    module_guard_end(&inner);
    ticks(GUARD_LOOKS - 1, ASIDE);
    need(module_guard_look(ASIDE), "the end of the outer call");
    module_guard_end(&outer);
}

/* It counts, the boot processor decides. */
static void on_another_core(void) {
    struct module_guard guard;
    struct guard_state *state = &cores[1].own_guards;
    now = 1;
    module_guard_begin(&guard);
    ticks(2 * GUARD_LOOKS, ASIDE);
    module_guard_judge(state);
    need(module_guard_look(ASIDE), "the end that was decided on");
    module_guard_end(&guard);
    module_guard_begin(&guard);
    ticks(GUARD_LOOKS - 1, ASIDE);
    module_guard_judge(state);
    ticks(GUARD_LOOKS, IMAGE);
    module_guard_judge(state);
    need(state->looks == 0, "code of the image does not count");
    ticks(2 * GUARD_LOOKS, ASIDE);
    module_guard_judge(state);
    module_guard_end(&guard); /* just then it comes to its end */
    module_guard_begin(&guard);
    ticks(GUARD_LOOKS - 1, ASIDE);
    module_guard_end(&guard);
    now = 0;
}

/* The number of calls goes around, and 0 is none. */
static void more_calls_than_numbers(void) {
    struct module_guard guard;
    cores[0].own_guards.begun = UINT32_MAX;
    module_guard_begin(&guard);
    need(cores[0].own_guards.begun == 1, "number 1");
    ticks(1, ASIDE);
    module_guard_end(&guard);
}

int main(void) {
    after_so_many_ticks();
    never_in_the_image();
    counting_begins_anew();
    on_another_core();
    more_calls_than_numbers();
    printf("%s\n", cases > GUARD_LOOKS ? "all cases" : "few cases");
    return 0;
}
