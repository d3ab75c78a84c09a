/* core_serve.c - the cores that run, and what those beside the first do: they spin for iterations
 * of parallel loops, and park after a while without any. */
#include "arch/x86_64/core_serve.h"

#include <stddef.h>

#include "arch/x86/port.h"
#include "arch/x86/time.h"
#include "task/parallel.h"

#define US_PER_S 1000000u

static struct core first = {.self = &first, .guards = &first.own_guards};
static struct core *cores[CORES_MAX] = {&first};
static volatile unsigned count = 1;
static struct core *stopper; /* the first to panic */

struct core *core_first(void) {
    return &first;
}

struct core *core_at(unsigned index) {
    return cores[index];
}

unsigned cores_count(void) {
    return count;
}

void core_joins(struct core *core) {
    cores[core->index] = core;
    __atomic_store_n(&count, core->index + 1, __ATOMIC_SEQ_CST);
}

void cores_count_back(unsigned wanted) {
    count = wanted;
}

_Noreturn void core_serve(struct core *core) {
    uint64_t spin = time_hz() / US_PER_S * core_spin_us(), idle_since = time_cycles();
    for (;;) {
        if (parallel_help(core->index)) {
            idle_since = time_cycles();
        } else if (time_cycles() - idle_since < spin) {
            cpu_pause();
        } else {
            core_park(core);
            idle_since = time_cycles();
        }
    }
}

void cores_wake(void) {
    for (unsigned i = 1; i < count; i++)
        if (__atomic_load_n(&cores[i]->parked, __ATOMIC_SEQ_CST) != 0)
            core_wake(cores[i]);
}

void cores_look(void) {
    for (unsigned i = 1; i < count; i++) {
        struct guard_state *guards = &cores[i]->own_guards;
        module_guard_judge(guards);
        if (__atomic_load_n(&guards->innermost, __ATOMIC_RELAXED) != NULL)
            core_look(cores[i]);
    }
}

void cores_stop_others(void) {
    struct core *self = core_current(), *none = NULL;
    if (count == 1)
        return;
    if (__atomic_compare_exchange_n(&stopper, &none, self, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
        core_stop_others();
    else if (none != self)
        core_end();
}

bool cores_stopping(void) {
    return stopper != NULL && stopper != core_current();
}
