/* call.c - the kernel API's functions that measure a call, and what they take themselves. */
#include "fluid/kapi.h"
#include "prof/profile.h"
#include "task/task.h"

#define TRIALS 255u

uint64_t fluid_call_begin(void) {
    struct task *task = task_current();
    if (task) /* NULL: before there are any */
        task->guards.calls_slots = true;
    return task_cycles(task);
}

void profile_call(struct fluid_slot *slot, uint64_t cycles) {
    profile_add(slot->profile, cycles);
    if (slot->called)
        slot->called(slot, cycles);
}

void fluid_call_end(struct fluid_slot *slot, uint64_t begin) {
    profile_call(slot, task_cycles(task_current()) - begin);
}

uint64_t profile_overhead(void) {
    static struct profile own; /* in no list */
    struct fluid_slot slot = {.profile = &own};
    static struct profile whole;

    own = whole = (struct profile){0};
    for (unsigned i = 0; i < TRIALS; i++) {
        uint64_t begin = fluid_call_begin();
        fluid_call_end(&slot, fluid_call_begin());
        profile_add(&whole, fluid_call_begin() - begin);
    }
    return profile_median(&whole);
}
