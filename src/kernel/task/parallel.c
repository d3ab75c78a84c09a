/* parallel.c - one loop at a time, whose iterations cores take one by one.
 *
 * Each core has a range of its own, which it takes from the front: it reads memory in order, and
 * shares no cache line with others. One that has none left takes from the back of another's. So a
 * core that is late or slow delays no loop, and nobody waits for one that has taken nothing.
 *
 * A range is one word with the loop's number, and is taken from if it has not changed since it was
 * looked at: so what was read beside it in between was that loop's, for a loop is not replaced
 * before its last iteration is over. */
#include "task/parallel.h"

#include <stddef.h>

#include "arch/x86/core.h"
#include "arch/x86/interrupts.h"
#include "arch/x86/time.h"
#include "arch/x86/timer.h"
#include "lib/panic.h"
#include "load/guard.h"
#include "task/task.h"

#define LINE 64 /* bytes that two cores can not write at a time */
#define INDEX_BITS 16
#define INDEX_MAX ((1u << INDEX_BITS) - 1)

/* Iterations that nobody has taken: number << 32 | first << INDEX_BITS | end. Of the number the
 * lower 32 bits: it is only compared with one that was read a moment ago. */
static uint64_t range_of(uint64_t number, uint32_t first, uint32_t end) {
    return number << 2 * INDEX_BITS | (uint64_t)first << INDEX_BITS | end;
}

static uint32_t range_first(uint64_t range) {
    return range >> INDEX_BITS & INDEX_MAX;
}

static uint32_t range_end(uint64_t range) {
    return range & INDEX_MAX;
}

static bool range_empty(uint64_t range) {
    return range_first(range) == range_end(range);
}

struct part {
    _Alignas(LINE) uint64_t range;
    fluid_parallel_fn *function;
    void *context;
    uint32_t base; /* index of iteration 0 */
};

struct taken {
    fluid_parallel_fn *function;
    void *context;
    uint32_t index;
};

static struct part parts[CORES_MAX];

/* Of all loops so far, what each core has run to its end. */
static struct {
    _Alignas(LINE) uint32_t iterations;
} over[CORES_MAX];

static struct {
    _Alignas(LINE) bool failed;
    struct trap_fault fault; /* the first one */
} failure;

/* Of the boot processor alone. */
static struct {
    _Alignas(LINE) uint64_t number;
    uint32_t iterations; /* of all loops so far */
    bool busy;           /* one of its tasks has a loop here */
} loop;

static void fail(const struct trap_fault *fault) {
    if (!__atomic_exchange_n(&failure.failed, true, __ATOMIC_ACQ_REL))
        failure.fault = *fault;
}

static bool take(struct part *from, bool front, struct taken *taken) {
    uint64_t range = __atomic_load_n(&from->range, __ATOMIC_ACQUIRE), rest;
    do {
        if (range_empty(range))
            return false;
        taken->function = __atomic_load_n(&from->function, __ATOMIC_RELAXED);
        taken->context = __atomic_load_n(&from->context, __ATOMIC_RELAXED);
        taken->index = __atomic_load_n(&from->base, __ATOMIC_RELAXED);
        taken->index += front ? range_first(range) : range_end(range) - 1;
        rest = front ? range + ((uint64_t)1 << INDEX_BITS) : range - 1;
    } while (!__atomic_compare_exchange_n(&from->range, &range, rest, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    return true;
}

static bool take_any(unsigned core, struct taken *taken) {
    const unsigned count = cores_count();
    if (take(&parts[core], true, taken))
        return true;
    for (unsigned i = 1; i < count; i++)
        if (take(&parts[(core + i) % count], false, taken))
            return true;
    return false;
}

static void is_over(unsigned core) {
    __atomic_store_n(&over[core].iterations, over[core].iterations + 1, __ATOMIC_RELEASE);
}

bool parallel_waits(void) {
    for (unsigned i = 0; i < cores_count(); i++)
        if (!range_empty(__atomic_load_n(&parts[i].range, __ATOMIC_SEQ_CST)))
            return true;
    return false;
}

/* After a failure the rest is only counted: the call that it is for is given up. */
bool parallel_help(unsigned core) {
    volatile bool running = false; /* an iteration, which alone may fault */
    struct taken taken;
    struct module_guard guard;
    if (!take_any(core, &taken))
        return false;
    if (MODULE_GUARD(&guard)) {
        KASSERT(running);
        fail(&guard.fault);
        is_over(core);
        return true;
    }
    do {
        module_guard_progress();
        running = true;
        if (!__atomic_load_n(&failure.failed, __ATOMIC_RELAXED))
            taken.function(taken.context, taken.index, core);
        running = false;
        is_over(core);
    } while (take_any(core, &taken));
    module_guard_end(&guard);
    return true;
}

/* Only the boot processor's tasks are here: interrupts off is a lock. */
static bool claim(void) {
    uintptr_t flags = interrupts_hold();
    bool free = !loop.busy;
    loop.busy = true;
    interrupts_release(flags);
    return free;
}

static void publish(uint32_t first, uint32_t count, fluid_parallel_fn *function, void *context) {
    const unsigned cores = cores_count();
    loop.number++;
    loop.iterations += count;
    if (failure.failed)
        failure.failed = false;
    for (unsigned i = 0; i < cores; i++) {
        struct part *part = &parts[i];
        __atomic_store_n(&part->function, function, __ATOMIC_RELAXED);
        __atomic_store_n(&part->context, context, __ATOMIC_RELAXED);
        __atomic_store_n(&part->base, first, __ATOMIC_RELAXED);
        __atomic_store_n(&part->range,
                         range_of(loop.number, count * i / cores, count * (i + 1) / cores),
                         __ATOMIC_SEQ_CST);
    }
    cores_wake(); /* behind the ranges: a core that is about to park sees them */
}

static bool all_over(void) {
    uint32_t iterations = 0;
    for (unsigned i = 0; i < cores_count(); i++)
        iterations += __atomic_load_n(&over[i].iterations, __ATOMIC_ACQUIRE);
    return iterations == loop.iterations;
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
    for (uint32_t turns = 0; !all_over(); turns++) {
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
    bool whole = true;
    /* Does not wrap: INDEX_MAX is a divisor of the largest count. */
    for (uint32_t first = 0; first < count && whole; first += INDEX_MAX) {
        publish(first, count - first < INDEX_MAX ? count - first : INDEX_MAX, function, context);
        while (parallel_help(0)) {
        }
        wait_for_others();
        whole = !failure.failed;
    }
    if (!whole)
        *fault = failure.fault;
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
