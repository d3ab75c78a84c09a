/* parallel.c - one loop at a time, whose iterations cores take one by one.
 *
 * The ticket holds the loop's number and how many iterations nobody has taken. A core takes one by
 * counting it down, if the ticket has not changed since it was looked at: so what it read of the
 * loop in between was that loop's, for a loop is not replaced before its last iteration is over.
 * Nobody waits for cores that have taken nothing. */
#include "task/parallel.h"

#include <stddef.h>

#include "arch/x86/core.h"
#include "arch/x86/interrupts.h"
#include "arch/x86/time.h"
#include "arch/x86/timer.h"
#include "lib/panic.h"
#include "load/guard.h"
#include "task/task.h"

#define COUNT_BITS 32
#define COUNT_MASK (((uint64_t)1 << COUNT_BITS) - 1)

static struct {
    _Alignas(8) uint64_t ticket; /* number << COUNT_BITS | iterations to take */
    fluid_parallel_fn *function;
    void *context;
    uint32_t left; /* iterations that are not over */
    bool failed;
    struct trap_fault fault; /* the first one */
    bool busy;               /* of the boot processor's tasks: one has a loop here */
} loop;

static void fail(const struct trap_fault *fault) {
    if (!__atomic_exchange_n(&loop.failed, true, __ATOMIC_ACQ_REL))
        loop.fault = *fault;
}

/* After a failure the rest is only counted down: the call that it is for is given up. */
static void run_one(fluid_parallel_fn *function, void *context, uint32_t index, unsigned core) {
    struct module_guard guard;
    if (MODULE_GUARD(&guard)) {
        fail(&guard.fault);
    } else if (__atomic_load_n(&loop.failed, __ATOMIC_RELAXED)) {
        module_guard_end(&guard);
    } else {
        function(context, index, core);
        module_guard_end(&guard);
    }
    __atomic_fetch_sub(&loop.left, 1, __ATOMIC_RELEASE);
}

bool parallel_waits(void) {
    return (__atomic_load_n(&loop.ticket, __ATOMIC_SEQ_CST) & COUNT_MASK) != 0;
}

bool parallel_help(unsigned core) {
    bool helped = false;
    uint64_t ticket = __atomic_load_n(&loop.ticket, __ATOMIC_ACQUIRE);
    while ((ticket & COUNT_MASK) != 0) {
        fluid_parallel_fn *function = __atomic_load_n(&loop.function, __ATOMIC_ACQUIRE);
        void *context = __atomic_load_n(&loop.context, __ATOMIC_ACQUIRE);
        if (!__atomic_compare_exchange_n(&loop.ticket, &ticket, ticket - 1, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE))
            continue;
        run_one(function, context, (uint32_t)((ticket & COUNT_MASK) - 1), core);
        helped = true;
        ticket = __atomic_load_n(&loop.ticket, __ATOMIC_ACQUIRE);
    }
    return helped;
}

/* Only the boot processor's tasks are here: interrupts off is a lock. */
static bool claim(void) {
    uintptr_t flags = interrupts_hold();
    bool free = !loop.busy;
    loop.busy = true;
    interrupts_release(flags);
    return free;
}

static void publish(uint32_t count, fluid_parallel_fn *function, void *context) {
    uint64_t number = (loop.ticket >> COUNT_BITS) + 1;
    loop.failed = false;
    loop.left = count;
    __atomic_store_n(&loop.function, function, __ATOMIC_RELEASE);
    __atomic_store_n(&loop.context, context, __ATOMIC_RELEASE);
    __atomic_store_n(&loop.ticket, number << COUNT_BITS | count, __ATOMIC_SEQ_CST);
    cores_wake(); /* behind the ticket: a core that is about to park sees it */
}

static bool run_alone(uint32_t count, fluid_parallel_fn *function, void *context,
                      struct trap_fault *fault) {
    struct module_guard guard;
    if (MODULE_GUARD(&guard)) {
        *fault = guard.fault;
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        module_guard_progress();
        function(context, i, 0);
    }
    module_guard_end(&guard);
    return true;
}

static void wait_for_others(void) {
    const uint64_t interval = time_hz() / TIMER_HZ;
    uint64_t looked = time_cycles();
    for (uint32_t turns = 0; __atomic_load_n(&loop.left, __ATOMIC_ACQUIRE) > 0; turns++) {
        cores_relax(turns);
        if (time_cycles() - looked >= interval) {
            cores_look();
            looked = time_cycles();
        }
    }
}

bool parallel_run(uint32_t count, fluid_parallel_fn *function, void *context,
                  struct trap_fault *fault) {
    if (cores_count() == 1 || count <= 1 || !claim())
        return run_alone(count, function, context, fault);
    publish(count, function, context);
    parallel_help(0);
    wait_for_others();
    bool whole = !loop.failed;
    if (!whole)
        *fault = loop.fault;
    loop.busy = false;
    return whole;
}

uint32_t fluid_core_count(void) {
    return cores_count();
}

/* A fault ends the call of the module that is in this loop, as if it had happened there. */
void fluid_parallel_for(uint32_t count, fluid_parallel_fn *function, void *context) {
    struct trap_fault fault;
    module_guard_enter_kernel();
    bool whole = parallel_run(count, function, context, &fault);
    module_guard_leave_kernel();
    if (!whole)
        module_guard_raise(&fault);
}
