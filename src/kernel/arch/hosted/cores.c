/* cores.c (hosted) - the processors beside the first: threads of this process. Linux gives each a
 * stack with a guard page; page tables are the same for all of them, at once. */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "arch/x86/port.h"
#include "arch/x86_64/core_serve.h"
#include "console/event.h"
#include "lib/printf.h"
#include "task/parallel.h"

#define STACK_SIZE 0x100000u /* as the first one's (sections.S) */
#define NAME_SIZE 16         /* pthread_setname_np(3) */
/* core_serve.h. On the reference machine a core that is parked costs 30 us until it works, and most
 * of what lies between two loops takes a tenth of that. */
#define SPIN_US 200u
#define RELAX_TURNS                                                                                \
    4096u /* of pause, about 40 ns each, before Linux is asked who else wants to run */

struct thread {
    struct core core;
    pthread_t thread;
    _Alignas(16) char signal_stack[SIGNAL_STACK_SIZE];
};

static struct thread threads[CORES_MAX]; /* of the first one only the thread is used */
static _Thread_local struct core *current;

struct core *core_current(void) {
    return current ? current : core_first();
}

/* ---- another core */

/* Where processors are shared, spinning takes the time of those that are waited for. */
unsigned core_spin_us(void) {
    return cpus_enough() ? SPIN_US : 0;
}

void cores_relax(uint32_t turns) {
    if (turns < RELAX_TURNS && cpus_enough())
        cpu_pause();
    else
        sched_yield(); /* whose iteration it is may want to run here */
}

void core_park(struct core *core) {
    __atomic_store_n(&core->parked, 1, __ATOMIC_SEQ_CST);
    /* A loop that is published from here on clears parked, and Linux looks at that first. */
    while (!parallel_waits() && __atomic_load_n(&core->parked, __ATOMIC_SEQ_CST) != 0)
        syscall(SYS_futex, &core->parked, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
    __atomic_store_n(&core->parked, 0, __ATOMIC_RELAXED);
}

void core_wake(struct core *core) {
    __atomic_store_n(&core->parked, 0, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &core->parked, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *serve(void *argument) {
    struct thread *t = argument;
    char name[NAME_SIZE];
    current = &t->core;
    fault_use_stack(t->signal_stack);
    cpus_pin(t->core.index);
    snprintf(name, sizeof name, "core %u", t->core.index);
    pthread_setname_np(pthread_self(), name);
    core_serve(&t->core);
}

/* ---- starting them */

/* 0, or what pthread_create(3) found. */
static int start(unsigned index) {
    struct thread *t = &threads[index];
    pthread_attr_t attributes;
    t->core = (struct core){.self = &t->core, .index = index, .guards = &t->core.own_guards};
    int error = pthread_attr_init(&attributes);
    if (error == 0)
        error = pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (error == 0)
        error = pthread_create(&t->thread, &attributes, serve, t);
    if (error == 0)
        core_joins(&t->core);
    return error;
}

static void warn_of_few_processors(unsigned wanted) {
    struct fluid_error e = {.code = "E-HOST-08"};
    ksnprintf(e.text, sizeof e.text,
              "%u processors expected, one for each core, found %u; cores share them, which is "
              "slower than --cores %u",
              wanted, cpus_found(), cpus_found());
    report_warn(&e);
}

static void warn_of_no_thread(unsigned wanted, int error) {
    struct fluid_error e = {.code = "E-CORE-01"};
    ksnprintf(e.text, sizeof e.text,
              "%u cores expected to start, found at number %u: %s; the system runs with those "
              "before it",
              wanted, cores_count() + 1, strerror(error));
    report_warn(&e);
}

void cores_init(void) {
    unsigned wanted = cores_expected();
    int error = 0;
    threads[0].thread = pthread_self();
    if (!cpus_enough())
        warn_of_few_processors(wanted);
    while (cores_count() < wanted && error == 0)
        error = start(cores_count());
    if (error != 0)
        warn_of_no_thread(wanted, error);
}

/* ---- between cores */

void cores_flush(void) {
    /* mprotect(2) has done it. */
}

void core_look(struct core *core) {
    pthread_kill(threads[core->index].thread, WATCHDOG_SIGNAL);
}

void core_stop_others(void) {
    for (unsigned i = 0; i < cores_count(); i++)
        if (core_at(i) != core_current())
            pthread_kill(threads[i].thread, CORE_STOP_SIGNAL);
}

_Noreturn void core_end(void) {
    for (;;)
        pause();
}
